package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A canary is a piece of personal data that nobody else has.
type canary struct {
	written string // as it is said
	digits  string // of a number, "" of an address
}

// in says whether the canary is to be read in s, however its digits are grouped.
// Squeezed is s without what stands between digits.
func (c canary) in(s, squeezed string) bool {
	return strings.Contains(s, c.written) || c.digits != "" && strings.Contains(squeezed, c.digits)
}

// squeezed is s without what groups digits.
func squeezed(s string) string {
	return strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "", "\u00a0", "").Replace(s)
}

// canaries are 200 pieces: numbers of phones, addresses, cards and social
// security numbers, a quarter each.
func canaries() (all []canary) {
	digits := func(s string) string { return strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(s) }
	for i := range 50 {
		forms := []string{"(415) %d-%d", "+1 415 %d %d", "415-%d-%d"}
		phone := fmt.Sprintf(forms[i%3], 230+i, 3107+97*i)
		card := withCheckDigit(fmt.Sprintf("453907%09d", 40_000_127+i*7_919_003))
		national := fmt.Sprintf("%d-%02d-%d", 301+i, 12+i, 2003+113*i)
		all = append(all,
			canary{phone, strings.TrimPrefix(digits(phone), "+1")},
			canary{fmt.Sprintf("wren.canary%dq@post%d.example.org", i, i), ""},
			canary{card[:4] + " " + card[4:8] + " " + card[8:12] + " " + card[12:], card},
			canary{national, digits(national)},
		)
	}
	return all
}

// withCheckDigit adds the last digit of a card's number, by Luhn.
func withCheckDigit(number string) string {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return number + fmt.Sprint((10-sum%10)%10)
}

// A carrier stands before upstreams and puts a canary into every text that they
// answer. It keeps what it was sent, and can fail in words that hold canaries
// and the very key that was sent.
type carrier struct {
	canaries []canary
	failing  atomic.Int64 // the status of every answer, 0 for the API's own

	mu     sync.Mutex
	heard  bytes.Buffer // requests, as they came
	told   map[int]bool // canaries that were answered
	failed int
}

func (c *carrier) before(api http.Handler) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.Header.Del("Accept-Encoding")
		c.mu.Lock()
		fmt.Fprintf(&c.heard, "%s %s\n%v\n%s\n", r.Method, r.URL, r.Header, body)
		c.mu.Unlock()
		if status := int(c.failing.Load()); status != 0 {
			c.fail(w, r, status)
			return
		}
		rec := httptest.NewRecorder()
		api.ServeHTTP(rec, r)
		maps.Copy(w.Header(), rec.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(rec.Code)
		_, _ = w.Write(c.planted(rec.Body.Bytes(), false))
	}))
}

// fail is an upstream at its worst: it repeats keys and shows whose data it held.
func (c *carrier) fail(w http.ResponseWriter, r *http.Request, status int) {
	c.mu.Lock()
	who := c.canaries[c.failed%len(c.canaries)]
	c.told[c.failed%len(c.canaries)] = true
	c.failed++
	c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Echo", fmt.Sprint(r.Header))
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"detail": fmt.Sprintf("the record of %s with the key %v cannot be read", who.written, r.Header), "message": who.written, "error": who.written,
	})
}

// spoken are the fields of all three APIs that hold words of callers and agents.
var spoken = []string{"content", "text", "summary", "summary_text", "call_summary", "feedback", "dropoff_point", "error_message",
	"explanation", "arguments", "result", "metadata", "dynamic_variables"}

// numbers are the fields that hold a caller's number.
var numbers = []string{"customer_number", "from_number", "caller_id"}

// planted is JSON with a canary in each text.
func (c *carrier) planted(body []byte, words bool) []byte {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return body
	}
	out, err := json.Marshal(c.plant(v, words))
	if err != nil {
		return body
	}
	return out
}

// plant walks a value; words says that its strings are speech.
func (c *carrier) plant(v any, words bool) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			s, isText := inner.(string)
			switch {
			case isText && s != "" && slices.Contains(numbers, key):
				v[key] = c.pick(s, func(i int) bool { return i%4 == 0 }).written
			case isText && key == "room_name" && s != "": // Telzino names a room after who called
				v[key] = "call-_+1" + c.pick(s, func(i int) bool { return i%4 == 0 }).digits + "_" + s
			case isText && strings.HasSuffix(key, "recording_url") && s != "":
				v[key] = s + "/call-_%2B1" + c.pick(s, func(i int) bool { return i%4 == 0 }).digits + "_x7Qp.mp4?sign=ed"
			case isText && (key == "transcript" || key == "transcript_text"):
				v[key] = c.lines(s)
			case isText && key == "transcript_object":
				v[key] = string(c.planted([]byte(s), false))
			default:
				v[key] = c.plant(inner, words || slices.Contains(spoken, key))
			}
		}
	case []any:
		for i := range v {
			v[i] = c.plant(v[i], words)
		}
	case string:
		switch {
		case !words || v == "":
		case strings.HasPrefix(v, "{"): // what a tool was given, and its result
			return string(c.planted([]byte(v), true))
		default:
			return c.said(v)
		}
	}
	return v
}

// lines plants in each line of a transcript, "[00:04] role: words".
func (c *carrier) lines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if _, words, ok := strings.Cut(line, ": "); ok {
			lines[i] = strings.TrimSuffix(line, words) + c.said(words)
		}
	}
	return strings.Join(lines, "\n")
}

// said is words with a canary behind them, the same each time.
func (c *carrier) said(words string) string {
	return words + ", it is " + c.pick(words, func(int) bool { return true }).written + " you know"
}

// pick is the canary that goes with s, of those that may.
func (c *carrier) pick(s string, may func(int) bool) canary {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	i := int(h.Sum32() % uint32(len(c.canaries)))
	for !may(i) {
		i = (i + 1) % len(c.canaries)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told[i] = true
	return c.canaries[i]
}
