package serve

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
)

// message is the envelope of a JSON-RPC message: what must be known before
// mcp-go is given the whole of it.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

// isRequest says whether the client waits for an answer.
func (m message) isRequest() bool { return m.Method != "" && m.ID != nil }

// isResponse says whether it answers a request of ours. We send none.
func (m message) isResponse() bool {
	return m.Method == "" && (m.Result != nil || m.Error != nil)
}

// cancels is the id of the request that a notifications/cancelled means, or
// nothing.
func cancels(line []byte) json.RawMessage {
	var m struct {
		Params struct {
			RequestID json.RawMessage `json:"requestId"`
		} `json:"params"`
	}
	if json.Unmarshal(line, &m) != nil {
		return nil
	}
	return m.Params.RequestID
}

// parse reads a line's envelope. A line that is no message comes back with the
// error to answer it with, under its own id wherever it has a usable one:
// a client would wait forever for an answer without.
func parse(line []byte) (message, *mcp.JSONRPCError) {
	var m message
	err := json.Unmarshal(line, &m)
	switch {
	case !utf8.Valid(line):
		return m, refusal(m.ID, mcp.PARSE_ERROR, "the message is not UTF-8")
	case err != nil && !json.Valid(line):
		return m, refusal(nil, mcp.PARSE_ERROR, "the message is not JSON")
	case line[0] == '[':
		return m, refusal(nil, mcp.INVALID_REQUEST, "batches are not supported; send one message a line")
	case err != nil || line[0] != '{':
		return m, refusal(m.ID, mcp.INVALID_REQUEST, "not a JSON-RPC message")
	case m.ID != nil && !usable(m.ID):
		return m, refusal(nil, mcp.INVALID_REQUEST, "an id must be a string or a number")
	case m.Method == "" && !m.isResponse():
		return m, refusal(m.ID, mcp.INVALID_REQUEST, "a message needs a method")
	}
	if long := m.oversized(line); long != "" {
		return m, refusal(m.ID, mcp.INVALID_PARAMS, long)
	}
	return m, nil
}

// The limits of one request, in bytes. mcp-go decodes each several times, and
// tries an address on every template, so that what is too long to be meant ends
// here. What single arguments may have is for those who read them.
const (
	callBytes    = 192 << 10 // tools/call over HTTP, whose arguments have 128 KiB at most
	requestBytes = 64 << 10  // any other
	addressBytes = 4 << 10   // of a resource
)

// oversized says what of a request is too long, "" for nothing. The arguments of
// tools are not measured here: over stdio they cost the one who sends them alone.
func (m message) oversized(line []byte) string {
	switch {
	case len(line) <= addressBytes || m.Method == toolsCall:
		return ""
	case len(line) > requestBytes:
		return tooLong(requestBytes, line)
	}
	var of struct {
		Params struct {
			URI string `json:"uri"`
			Ref struct {
				URI string `json:"uri"`
			} `json:"ref"`
		} `json:"params"`
	}
	_ = json.Unmarshal(line, &of) // what has another shape is mcp-go's to refuse
	if n := max(len(of.Params.URI), len(of.Params.Ref.URI)); n > addressBytes {
		return fmt.Sprintf("an address has at most %d bytes, this one %d", addressBytes, n)
	}
	return ""
}

// usable says whether id is one that JSON-RPC, as MCP narrows it, allows.
func usable(id json.RawMessage) bool {
	return len(id) > 0 && (id[0] == '"' || id[0] == '-' || '0' <= id[0] && id[0] <= '9')
}

// refusal is an error answer; an unusable id becomes null.
func refusal(id json.RawMessage, code int, words string) *mcp.JSONRPCError {
	e := mcp.NewJSONRPCError(mcp.NewRequestId(nil), code, words, nil)
	if usable(id) && utf8.Valid(id) {
		e.ID = requestID(id)
	}
	return &e
}

// requestID keeps an id as the client wrote it. mcp-go holds numbers as
// float64, which mangles those over 2^53.
func requestID(raw json.RawMessage) mcp.RequestId {
	return mcp.NewRequestId(raw)
}

// addressed is an answer of mcp-go's under the id as the client wrote it.
func addressed(answer mcp.JSONRPCMessage, id json.RawMessage) mcp.JSONRPCMessage {
	switch a := answer.(type) {
	case mcp.JSONRPCResponse:
		a.ID = requestID(id)
		return a
	case mcp.JSONRPCError:
		a.ID = requestID(id)
		return a
	}
	return answer
}

func tooLong(limit int, line []byte) string {
	return fmt.Sprintf("a request of this kind has at most %d bytes, this one %d", limit, len(line))
}
