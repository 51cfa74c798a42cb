package serve

import (
	"context"
	"fmt"
	"net/url"
	"path"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// scopeOf is what a tool needs. Those that show words where they may, and
// facts alone where not, need no more than the facts.
func scopeOf(tool string) string {
	switch tool {
	case "search_transcripts", "read_transcript":
		return TranscriptsRead
	}
	return CallsRead
}

// scope is what a request needs. The address of a transcript needs what the tool
// does, or its answer would say that there is none.
func (e envelope) scope() string {
	switch {
	case e.Method == toolsCall:
		return scopeOf(e.Params.Name)
	case e.Method == "resources/read":
		if u, err := url.Parse(e.Params.URI); err == nil && path.Base(u.Path) == "transcript" {
			return TranscriptsRead
		}
	}
	return CallsRead
}

// ToolFilter leaves the tools that the one who asks may call, for
// server.WithToolFilter. HTTP refuses the others with 403 before they are
// reached, and mcp-go as unknown.
func ToolFilter(ctx context.Context, tools []mcp.Tool) []mcp.Tool {
	kept := make([]mcp.Tool, 0, len(tools))
	for _, t := range tools {
		if may(ctx, CallsRead) && may(ctx, scopeOf(t.Name)) {
			kept = append(kept, t)
		}
	}
	return kept
}

// ToolCheck refuses a call whose scope is missing, wherever it came from, for
// server.WithToolHandlerMiddleware.
func ToolCheck(next server.ToolHandlerFunc) server.ToolHandlerFunc {
	return func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for _, scope := range []string{CallsRead, scopeOf(req.Params.Name)} {
			if !may(ctx, scope) {
				return mcp.NewToolResultError(fmt.Sprintf("forbidden: %s", forbidden(scope))), nil
			}
		}
		return next(ctx, req)
	}
}
