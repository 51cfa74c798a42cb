package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mark3labs/mcp-go/mcp"
)

// The limits of a request body. Real ones have some hundred bytes, six levels
// deep.
const (
	bodyBytes = 1 << 20
	bodyDepth = 64
)

// refused is an answer without a call: an HTTP status and, as its body, the
// error of JSON-RPC.
type refused struct {
	status int
	code   int
	words  string
	id     json.RawMessage
	retry  time.Duration // when it may be tried again; 0 where that is no use
}

func (e *refused) Error() string { return e.words }

// serverError is the code of refusals that have none in JSON-RPC or MCP.
const serverError = -32000

func (e *refused) write(w http.ResponseWriter) {
	if e.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((e.retry+time.Second-1)/time.Second)))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	e.writeBody(w)
}

func (e *refused) writeBody(w io.Writer) {
	_ = json.NewEncoder(w).Encode(refusal(e.id, e.code, e.words))
}

// envelope is what must be known of a message before mcp-go is given it.
type envelope struct {
	message
	Params struct {
		Name      string                     `json:"name"`
		URI       string                     `json:"uri"`
		Arguments map[string]json.RawMessage `json:"arguments"`
	} `json:"params"`
}

// readBody reads r's message whole. It must be one message of JSON-RPC whose
// keys everybody reads alike: Go takes ID for id, the last of two wins here
// and the first elsewhere, and who checked one must not have let in the other.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, envelope, error) {
	var e envelope
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, e, &refused{status: http.StatusUnsupportedMediaType, code: mcp.INVALID_REQUEST, words: "the content type must be application/json"}
	}
	if r.Header.Get("Content-Encoding") != "" {
		return nil, e, &refused{status: http.StatusUnsupportedMediaType, code: mcp.INVALID_REQUEST, words: "a compressed body is not taken"}
	}
	if r.ContentLength > bodyBytes {
		return nil, e, unread(&http.MaxBytesError{Limit: bodyBytes})
	}
	var read bytes.Buffer
	read.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
	if _, err := read.ReadFrom(http.MaxBytesReader(w, r.Body, bodyBytes)); err != nil {
		return nil, e, unread(err)
	}
	body := read.Bytes()
	// What is left of the time to read would end the call when it runs out.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return nil, e, &refused{status: http.StatusBadRequest, code: mcp.PARSE_ERROR, words: "the body is empty"}
	}
	m, no := parse(body)
	if no != nil {
		raw, _ := json.Marshal(no.ID)
		return nil, e, &refused{status: http.StatusBadRequest, code: no.Error.Code, words: no.Error.Message, id: raw}
	}
	if m.Method == toolsCall && len(body) > callBytes {
		return nil, e, &refused{status: http.StatusBadRequest, code: mcp.INVALID_PARAMS, words: tooLong(callBytes, body), id: m.ID}
	}
	if err := unambiguous(body, m.ID); err != nil {
		return nil, e, &refused{status: http.StatusBadRequest, code: mcp.INVALID_REQUEST, words: err.Error(), id: m.ID}
	}
	_ = json.Unmarshal(body, &e) // what has another shape is mcp-go's to refuse
	e.message = m
	return body, e, nil
}

func unread(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &refused{status: http.StatusRequestEntityTooLarge, code: mcp.INVALID_REQUEST, words: fmt.Sprintf("a message may have at most %d bytes", bodyBytes)}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &refused{status: http.StatusRequestTimeout, code: mcp.INVALID_REQUEST, words: "the message did not come in time"}
	}
	return &refused{status: http.StatusBadRequest, code: mcp.PARSE_ERROR, words: "the message ended early"}
}

// unambiguous refuses valid JSON that may be read in two ways.
func unambiguous(body []byte, id json.RawMessage) error {
	if len(id) > 0 && id[0] != '"' {
		// mcp-go holds numbers as float64 and would answer under another id.
		const exact = 1 << 53
		if n, err := strconv.ParseInt(string(id), 10, 64); err != nil || n > exact || n < -exact {
			return errors.New("an id must be a string or an integer of at most 53 bits")
		}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var open []map[string]bool // the keys of each object around; nil for a list
	key := false               // the next string is a key
	for {
		t, err := dec.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errors.New("the message is not JSON")
		}
		if d, ok := t.(json.Delim); ok {
			switch d {
			case '{':
				open = append(open, map[string]bool{})
			case '[':
				open = append(open, nil)
			default:
				open = open[:len(open)-1]
			}
			if len(open) > bodyDepth {
				return fmt.Errorf("the message nests deeper than %d", bodyDepth)
			}
			key = len(open) > 0 && open[len(open)-1] != nil
			continue
		}
		inside := len(open) > 0 && open[len(open)-1] != nil
		if key && inside {
			name := folded(t.(string))
			if open[len(open)-1][name] {
				return errors.New("a key stands twice in one object, or in two spellings")
			}
			open[len(open)-1][name] = true
			key = false
			continue
		}
		key = inside
	}
}

// folded is s as encoding/json compares keys: without case, as Unicode folds.
func folded(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, s)
}
