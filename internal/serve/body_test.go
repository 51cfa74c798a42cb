package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever is sent gets the protocol's own error, and the next call an answer.
func TestBadInput(t *testing.T) {
	h := serving(t, newBench().server(), HTTPOptions{Rates: generous()})
	deep := func(n int) string {
		return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}}}`
	}
	ping := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	tests := []struct {
		name, body   string
		header       []string
		status, code int
	}{
		{"nothing", "", nil, 400, mcp.PARSE_ERROR},
		{"spaces", " \n ", nil, 400, mcp.PARSE_ERROR},
		{"garbage", "hello", nil, 400, mcp.PARSE_ERROR},
		{"half a message", ping[:20], nil, 400, mcp.PARSE_ERROR},
		{"two messages", ping + ping, nil, 400, mcp.PARSE_ERROR},
		{"NUL", "\x00", nil, 400, mcp.PARSE_ERROR},
		{"NUL in a string", `{"jsonrpc":"2.0","id":1,"method":"pi` + "\x00" + `ng"}`, nil, 400, mcp.PARSE_ERROR},
		{"no UTF-8", `{"jsonrpc":"2.0","id":1,"method":"` + "\xff" + `"}`, nil, 400, mcp.PARSE_ERROR},
		{"a number", "7", nil, 400, mcp.INVALID_REQUEST},
		{"null", "null", nil, 400, mcp.INVALID_REQUEST},
		{"a batch", "[" + ping + "]", nil, 400, mcp.INVALID_REQUEST},
		{"no method", `{"jsonrpc":"2.0","id":1}`, nil, 400, mcp.INVALID_REQUEST},
		{"method of another type", `{"jsonrpc":"2.0","id":1,"method":7}`, nil, 400, mcp.INVALID_REQUEST},
		{"id null", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, nil, 400, mcp.INVALID_REQUEST},
		{"id object", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, nil, 400, mcp.INVALID_REQUEST},
		{"id that would be rounded", `{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`, nil, 400, mcp.INVALID_REQUEST},
		{"id with a fraction", `{"jsonrpc":"2.0","id":1.5,"method":"ping"}`, nil, 400, mcp.INVALID_REQUEST},
		{"two ids", `{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}`, nil, 400, mcp.INVALID_REQUEST},
		{"two spellings", `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}`, nil, 400, mcp.INVALID_REQUEST},
		{"two spellings in Unicode", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"arguments":{"k":1,"\u212a":2}}}`, nil, 400, mcp.INVALID_REQUEST},
		{"two spellings by an escape", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"name":"a","\u006eame":"b"}}`, nil, 400, mcp.INVALID_REQUEST},
		{"two keys far inside", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[[{"x":[],"b":{"c":1,"C":1}}]]}}`, nil, 400, mcp.INVALID_REQUEST},
		{"deep", deep(70), nil, 400, mcp.INVALID_REQUEST},
		{"very deep", deep(9_000), nil, 400, mcp.INVALID_REQUEST},
		{"too deep for Go", deep(400_000), nil, 400, mcp.PARSE_ERROR},
		{"2 MiB", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("a", 2<<20) + `"}}`, nil, 413, mcp.INVALID_REQUEST},
		{"a form", "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, mcp.INVALID_REQUEST},
		{"plain text, as a page could send", ping, []string{"Content-Type", "text/plain"}, 415, mcp.INVALID_REQUEST},
		{"no content type", ping, []string{"Content-Type", ""}, 415, mcp.INVALID_REQUEST},
		{"compressed", ping, []string{"Content-Encoding", "gzip"}, 415, mcp.INVALID_REQUEST},
		{"unknown version in the header", ping, []string{"Mcp-Protocol-Version", "1999-01-01"}, 400, 0},
		{"new version in the header alone", ping, []string{"Mcp-Protocol-Version", "2026-07-28"}, 400, mcp.INVALID_PARAMS},
		{"wrong JSON-RPC", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, nil, 200, mcp.INVALID_REQUEST},
		{"unknown method", `{"jsonrpc":"2.0","id":1,"method":"nope"}`, nil, 200, mcp.METHOD_NOT_FOUND},
		{"unknown tool", asks("1", "nope", ""), nil, 200, mcp.INVALID_PARAMS},
		{"params of another type", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[1]}`, nil, 200, 0},
	}
	for _, tt := range tests {
		g := h.post(tt.body, tt.header...)
		assert.Equal(t, tt.status, g.status, "%s: %s", tt.name, g.body)
		if tt.code != 0 && assert.NotNil(t, g.Error, "%s: %s", tt.name, g.body) {
			assert.Equal(t, tt.code, g.Error.Code, "%s: %s", tt.name, g.body)
		}
		assert.LessOrEqual(t, len(g.body), 500, tt.name)
		require.Equal(t, "well", h.post(asks("1", "echo", "well")).text(), tt.name)
	}
	message, header := modern("1", "ping", "")
	header[3] = "tools/list"
	assert.Equal(t, 400, h.post(message, header...).status, "a header that says another method")
	header[1] = "2031-01-01"
	assert.Equal(t, 400, h.post(message, header...).status)
}

func TestNothingButPost(t *testing.T) {
	h := serving(t, newBench().server(), HTTPOptions{})
	for _, method := range []string{"GET", "HEAD", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW"} {
		req, err := http.NewRequest(method, h.url+"/mcp", nil)
		require.NoError(t, err)
		g, err := h.send(req)
		require.NoError(t, err)
		assert.Equal(t, 405, g.status, method)
		assert.Equal(t, "POST", g.header.Get("Allow"))
	}
	for _, path := range []string{"/", "/mcp/", "/MCP", "/mcp/../healthz/x", "/.git/config"} {
		assert.Contains(t, []int{404, 307, 301}, h.get(path).status, path)
	}
	g, err := h.try(asks("1", "echo", "x"), "X-Long", strings.Repeat("a", 40<<10))
	if err == nil { // it may also be cut off in the middle of its header
		assert.Equal(t, 431, g.status)
	}
}

// A request that is too long to be meant is refused under its own id, over HTTP
// and stdio alike, before mcp-go decodes it.
func TestRequestsAreMeasured(t *testing.T) {
	long := strings.Repeat("x", 80<<10)
	for what, body := range map[string]string{
		"an address":       `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"call://demo/` + long[:5000] + `"}}`,
		"a template":       `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"` + long[:5000] + `"},"argument":{"name":"key","value":""}}}`,
		"a value":          `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"x"},"argument":{"name":"id","value":"` + long + `"}}}`,
		"a prompt":         `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"x","arguments":{"a":"` + long + `"}}}`,
		"a list's cursor":  `{"jsonrpc":"2.0","id":1,"method":"resources/list","params":{"cursor":"` + long + `"}}`,
		"an unknown thing": `{"jsonrpc":"2.0","id":1,"method":"nope","params":{"a":"` + long + `"}}`,
	} {
		m, no := parse([]byte(body))
		if assert.NotNil(t, no, what) {
			assert.Equal(t, mcp.INVALID_PARAMS, no.Error.Code, what)
			assert.Contains(t, no.Error.Message, "at most", what)
			assert.Equal(t, "1", string(m.ID), what)
		}
	}
	h := serving(t, newBench().server(), HTTPOptions{})
	g := h.post(asks("7", "echo", strings.Repeat("x", 200<<10)))
	assert.Equal(t, 400, g.status)
	if assert.NotNil(t, g.Error) {
		assert.Equal(t, mcp.INVALID_PARAMS, g.Error.Code)
	}
	_, no := parse([]byte(asks("1", "echo", strings.Repeat("x", 120<<10))))
	assert.Nil(t, no, "what an argument may have")
}

// Whatever is sent, the handler answers JSON-RPC or nothing, never 5xx, and
// keeps the number of places. A body is padded by up to 2 MiB, and nested.
func FuzzHandler(f *testing.F) {
	const plain, json2025, json2026 = "application/json", "2025-11-25", "2026-07-28"
	add := func(body, kind, version, method, name string) {
		f.Add([]byte(body), kind, version, method, name, uint32(0), uint16(0))
	}
	ping := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, asks("1", "echo", "x"), cancelled("1"), `[{}]`, `{"id":1,"ID":2}`,
		`{"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt"},"argument":{}}}`, "\xff\x00",
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","tracestate":"a=b"},"name":"echo"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"call://a/1/transcript?turns=1"}}`, "hello", "\x00", `{"a":`,
	} {
		add(seed, plain, "", "", "")
	}
	message, _ := modern("1", "server/discover", "")
	add(message, plain, json2026, "server/discover", "")
	message, _ = modern("1", "tools/call", `"name":"echo","arguments":{"text":"new"}`)
	add(message, plain, json2026, "tools/call", "echo")
	add(ping, plain, json2025, "", "")
	add(ping, plain, "1999-01-01", "tools/list", "\x00")
	add(ping, "text/plain", "", "", "")
	add(ping, "application/json; charset=utf-16", "", "", "")
	f.Add([]byte(ping), plain, "", "", "", uint32(2<<20), uint16(0))
	f.Add([]byte(ping), plain, "", "", "", uint32(0), uint16(9_000))
	s := server.NewMCPServer("fuzzed", "1", server.WithToolCapabilities(false), server.WithResourceCapabilities(false, false), server.WithCompletions())
	s.AddTool(mcp.NewTool("echo"), func(_ context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText(req.GetString("text", "")), nil
	})
	front, err := newFront(s, HTTPOptions{Auth: ByNothing, Rates: generous()}.withDefaults(), slog.New(slog.DiscardHandler))
	require.NoError(f, err)
	stopped, cancel := cancelledContext()
	defer cancel()
	front.stop = stopped // streams end at once
	h := front.handler()
	f.Fuzz(func(t *testing.T, body []byte, kind, version, method, name string, pad uint32, deep uint16) {
		text := strings.Repeat(`{"a":`, int(deep)) + string(body) + strings.Repeat(" ", int(pad%(2<<20+1))) + strings.Repeat("}", int(deep))
		r := arriving("POST", "http://localhost/mcp", "127.0.0.1:80", text)
		for name, value := range map[string]string{"Content-Type": kind, "Mcp-Protocol-Version": version, "Mcp-Method": method, "Mcp-Name": name} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Less(t, w.Code, 500)
		assert.Zero(t, front.work.Inside())
		if len(text) > bodyBytes && kind == plain {
			assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
		}
		if w.Header().Get("Content-Type") == "application/json" && w.Body.Len() > 0 {
			var a struct{ JSONRPC string }
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &a), "%q", w.Body)
			assert.Equal(t, "2.0", a.JSONRPC, fmt.Sprintf("%q", body))
		}
	})
}
