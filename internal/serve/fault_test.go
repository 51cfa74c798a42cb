package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
)

// What a resource's error is, its code says, in both eras and over both transports.
func TestErrorsOfResourcesHaveTheirCode(t *testing.T) {
	s := server.NewMCPServer("faulty", "1", server.WithResourceCapabilities(false, false), server.WithResourceHandlerMiddleware(ResourceCheck))
	s.AddResourceTemplate(mcp.NewResourceTemplate("x://{what}", "x"), func(_ context.Context, r mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		switch strings.TrimPrefix(r.Params.URI, "x://") {
		case "missing":
			return nil, fmt.Errorf("read: %w", &call.Error{Kind: call.NotFound, Msg: "No call 1."})
		case "wrong":
			return nil, &call.Error{Kind: call.Invalid, Msg: "That is no call id."}
		case "down":
			return nil, &call.Error{Kind: call.Unavailable, Msg: "Cekura is down."}
		case "broken":
			return nil, errors.New("broken")
		}
		return []mcp.ResourceContents{mcp.TextResourceContents{URI: r.Params.URI, Text: "here"}}, nil
	})
	h := serving(t, s, HTTPOptions{})
	for what, want := range map[string]struct{ old, modern, status int }{
		"missing": {mcp.RESOURCE_NOT_FOUND, mcp.INVALID_PARAMS, 400},
		"wrong":   {mcp.INVALID_PARAMS, mcp.INVALID_PARAMS, 400},
		"down":    {mcp.INTERNAL_ERROR, mcp.INTERNAL_ERROR, 200},
		"broken":  {mcp.INTERNAL_ERROR, mcp.INTERNAL_ERROR, 200},
	} {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":"a1","method":"resources/read","params":{"uri":"x://%s"}}`, what)
		g := h.post(body)
		require.NotNil(t, g.Error, "%s: %s", what, g.body)
		assert.Equal(t, want.old, g.Error.Code, what)
		assert.Equal(t, 200, g.status, what)
		assert.Contains(t, g.body, `"id":"a1"`, what)

		message, header := modern(`"a1"`, "resources/read", fmt.Sprintf(`"uri":"x://%s"`, what))
		header = append(header, "Mcp-Name", "x://"+what)
		g = h.post(message, header...)
		require.NotNil(t, g.Error, "%s: %s", what, g.body)
		assert.Equal(t, want.modern, g.Error.Code, "%s: %s", what, g.body)
		assert.Equal(t, want.status, g.status, what)

		var out strings.Builder
		require.NoError(t, Stdio(t.Context(), s, strings.NewReader(body), &out, slog.New(slog.DiscardHandler)))
		var answer mcp.JSONRPCError
		require.NoError(t, json.Unmarshal([]byte(out.String()), &answer))
		assert.Equal(t, want.old, answer.Error.Code, what)
	}
	g := h.post(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"x://here"}}`)
	assert.Contains(t, g.body, `"text":"here"`)
	assert.Nil(t, g.Error)
}
