package serve

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// A record is what is kept of one request, for the audit line and the metrics:
// who asked what kind of question, and how much came of it. It never holds a
// value, and no word of the caller's that is not one of ours.
type record struct {
	who    string
	method string
	tool   string
	args   []string
	status int
	bytes  int64
	took   time.Duration
	left   bool // the client did not wait
	tally  tally
}

// A tally is what the layers below say of a request while it is worked on.
type tally struct {
	logs   atomic.Int64 // calls handed out
	failed atomic.Bool  // a tool answered an error
	broken atomic.Bool  // a tool could not answer
}

type tallyKey struct{}

func tallied(ctx context.Context, logs int) {
	if t, ok := ctx.Value(tallyKey{}).(*tally); ok {
		t.logs.Add(int64(logs))
	}
}

// judged notes how tools end.
func judged(next server.ToolHandlerFunc) server.ToolHandlerFunc {
	return func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		result, err := next(ctx, req)
		if t, ok := ctx.Value(tallyKey{}).(*tally); ok {
			t.broken.Store(err != nil)
			t.failed.Store(err == nil && result != nil && result.IsError)
		}
		return result, err
	}
}

// recordOf begins the record of a request.
func recordOf(s *server.MCPServer, who string, e envelope) *record {
	c := &record{who: who, method: methodLabel(e.Method), tool: toolLabel(s, e.Method, e.Params.Name)}
	known := properties(s, c.tool)
	strange := false
	for name := range e.Params.Arguments {
		if slices.Contains(known, name) {
			c.args = append(c.args, name)
		} else {
			strange = true
		}
	}
	slices.Sort(c.args)
	if strange && e.Method == toolsCall {
		c.args = append(c.args, "other") // its name may be anything
	}
	return c
}

// properties are the arguments that a tool declares.
func properties(s *server.MCPServer, tool string) (names []string) {
	t := s.GetTool(tool)
	if t == nil {
		return nil
	}
	for name := range t.Tool.InputSchema.Properties {
		names = append(names, name)
	}
	var raw struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(t.Tool.RawInputSchema, &raw) == nil {
		for name := range raw.Properties {
			names = append(names, name)
		}
	}
	return names
}

// outcome is ok, tool_error where a tool answered an error, canceled where the
// client left, and error for everything that went wrong around a tool.
func (c *record) outcome() string {
	switch {
	case c.left:
		return "canceled"
	case c.tally.broken.Load() || cmp.Or(c.status, http.StatusOK) >= http.StatusBadRequest:
		return "error"
	case c.tally.failed.Load():
		return "tool_error"
	}
	return "ok"
}

// log writes the audit line.
func (c *record) log(ctx context.Context, logger *slog.Logger) {
	logger.LogAttrs(ctx, slog.LevelInfo, "call",
		slog.String("principal", c.who), slog.String("method", c.method), slog.String("tool", c.tool),
		slog.Any("arguments", c.args), slog.Int64("logs", c.tally.logs.Load()), slog.Int64("bytes", c.bytes),
		slog.Int("status", cmp.Or(c.status, http.StatusOK)), slog.String("outcome", c.outcome()), slog.Duration("took", c.took))
}
