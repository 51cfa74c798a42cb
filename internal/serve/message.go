package serve

import (
	"encoding/json"
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
	return m, nil
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
