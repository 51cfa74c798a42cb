package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/call"
)

// A fault is the code that the error of a resource has, where the handler knows
// it: mcp-go calls each of them an internal error. 0 is none.
type fault struct{ code atomic.Int64 }

type faultKey struct{}

// ResourceCheck notes what sort of error a resource answers with, for
// server.WithResourceHandlerMiddleware.
func ResourceCheck(next server.ResourceHandlerFunc) server.ResourceHandlerFunc {
	return func(ctx context.Context, r mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		contents, err := next(ctx, r)
		if f, ok := ctx.Value(faultKey{}).(*fault); ok && err != nil {
			f.code.Store(int64(codeOf(ctx, err)))
		}
		return contents, err
	}
}

// codeOf is the code of JSON-RPC and MCP for the error of a resource. What is not
// there has one of its own until 2025-11-25, and is a wrong parameter from
// 2026-07-28 on.
func codeOf(ctx context.Context, err error) int {
	var e *call.Error
	if !errors.As(err, &e) {
		return mcp.INTERNAL_ERROR
	}
	switch e.Kind {
	case call.NotFound:
		if mcp.IsModernProtocol(server.RequestProtocolVersion(ctx)) {
			return mcp.INVALID_PARAMS
		}
		return mcp.RESOURCE_NOT_FOUND
	case call.Invalid:
		return mcp.INVALID_PARAMS
	}
	return mcp.INTERNAL_ERROR
}

const readResource = string(mcp.MethodResourcesRead)

// judging is ctx with room for the fault of a resource.
func judging(ctx context.Context) (context.Context, *fault) {
	f := &fault{}
	return context.WithValue(ctx, faultKey{}, f), f
}

// of is an answer of mcp-go's with the code that f has for it.
func (f *fault) of(answer mcp.JSONRPCMessage) mcp.JSONRPCMessage {
	if e, ok := answer.(mcp.JSONRPCError); ok && f.code.Load() != 0 {
		e.Error.Code = int(f.code.Load())
		return e
	}
	return answer
}

// A held answer is one that is not sent before its code is known.
type held struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *held) WriteHeader(status int)      { h.status = status }
func (h *held) Write(p []byte) (int, error) { return h.body.Write(p) }

// send writes what is held to w, with the code that f has for it. From 2026-07-28
// on a wrong parameter is also a bad request of HTTP.
func (h *held) send(w http.ResponseWriter, f *fault, modern bool) {
	if h.status == 0 && h.body.Len() == 0 {
		return // complete answers
	}
	body, status := h.body.Bytes(), max(h.status, http.StatusOK)
	var e mcp.JSONRPCError
	if code := int(f.code.Load()); code != 0 && json.Unmarshal(body, &e) == nil && e.Error.Code == mcp.INTERNAL_ERROR {
		var raw struct {
			ID json.RawMessage `json:"id"`
		}
		_ = json.Unmarshal(body, &raw)
		no := refusal(raw.ID, code, e.Error.Message)
		body, _ = json.Marshal(no)
		if modern && code == mcp.INVALID_PARAMS {
			status = http.StatusBadRequest
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
