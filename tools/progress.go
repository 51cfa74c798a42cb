package tools

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/call"
)

// progressOf tells the client of r how far its answer is, if it asked to hear
// that. It is nil otherwise, and over HTTP: there an answer is one body, and
// who asks may not be allowed to hear of all the calls that are fetched.
func progressOf(ctx context.Context, r mcp.CallToolRequest) call.Progress {
	if r.Params.Meta == nil || r.Params.Meta.ProgressToken == nil {
		return nil
	}
	s, session, token := server.ServerFromContext(ctx), server.ClientSessionFromContext(ctx), r.Params.Meta.ProgressToken
	if _, overHTTP := session.(server.SessionWithStreamableHTTPConfig); s == nil || session == nil || overHTTP {
		return nil
	}
	return func(done, total int, note string) {
		params := map[string]any{"progressToken": token, "progress": done, "message": note}
		if total > 0 {
			params["total"] = total
		}
		// One that is lost says nothing that the answer does not.
		_ = s.SendNotificationToClient(ctx, "notifications/progress", params)
	}
}
