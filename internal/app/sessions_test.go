package app

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	mcpclient "github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/render"
)

// fenceMark is random in each answer.
var fenceMark = regexp.MustCompile(`⟦[0-9a-f]{16}⟧`)

// shortMark stands around a table.
var shortMark = regexp.MustCompile(`⟦[0-9]{6}⟧`)

// cursorText means nothing to a reader, and other tests look into it.
var cursorText = regexp.MustCompile(`c1\.[A-Za-z0-9_-]{20,}`)

// settled is an answer without what is random in it.
func settled(text string) string {
	text = shortMark.ReplaceAllString(fenceMark.ReplaceAllString(text, "⟦0123456789abcdef⟧"), "⟦012345⟧")
	return cursorText.ReplaceAllString(text, "c1.…")
}

// ask calls a tool over MCP and returns what the model reads.
func ask(t testing.TB, c *mcpclient.Client, tool, args string) *mcp.CallToolResult {
	t.Helper()
	var r mcp.CallToolRequest
	r.Params.Name, r.Params.Arguments = tool, json.RawMessage(args)
	result, err := c.CallTool(context.Background(), r)
	require.NoError(t, err)
	return result
}

func textOf(t testing.TB, r *mcp.CallToolResult) string {
	t.Helper()
	require.Len(t, r.Content, 1)
	text, ok := r.Content[0].(mcp.TextContent)
	require.True(t, ok)
	return text.Text
}

// Each file under testdata/sessions is questions and the answers that a model
// reads, word for word. A line "> tool {arguments}" asks; make golden answers.
func TestGoldenSessions(t *testing.T) {
	files, err := filepath.Glob(root + "testdata/sessions/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			_, c := demo(t)
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var b strings.Builder
			for line := range strings.SplitSeq(string(data), "\n") {
				switch {
				case strings.HasPrefix(line, "# "):
					b.WriteString(line + "\n")
				case strings.HasPrefix(line, "> "):
					tool, args, _ := strings.Cut(strings.TrimPrefix(line, "> "), " ")
					result := ask(t, c, tool, args)
					text := textOf(t, result)
					assert.LessOrEqual(t, render.Tokens(text), 4000, line)
					if result.IsError {
						text = "(error) " + text
					}
					text = settled(text)
					b.WriteString("\n" + line + "\n" + text + "\n")
				}
			}
			golden(t, filepath.Join("sessions", filepath.Base(file)), b.String())
		})
	}
}
