package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mcpclient "github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/serve"
)

// A team is who may come in over HTTP, each with a token.
type team struct {
	file   string
	tokens map[string]string
}

func teamOf(t *testing.T, scopes ...string) team {
	t.Helper()
	m := team{filepath.Join(t.TempDir(), "tokens"), map[string]string{}}
	var lines []string
	for _, name := range []string{"anna", "ben"} {
		plain, line, err := serve.NewToken(name, scopes, "", time.Time{})
		require.NoError(t, err)
		m.tokens[name], lines = plain, append(lines, line)
	}
	require.NoError(t, os.WriteFile(m.file, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return m
}

// open serves the sample calls over HTTP until the test ends, and returns a
// client for each of the team.
func (m team) open(t *testing.T, secret string) map[string]*mcpclient.Client {
	t.Helper()
	cfg, err := config.Parse(client.Providers(), []string{"serve", "--demo", "--http", "127.0.0.1:0", "--auth", "token", "--tokens", m.file}, func(name string) string {
		return map[string]string{"CALL_LOGS_CURSOR_SECRET": secret}[name]
	}, os.Stderr)
	require.NoError(t, err)
	h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), now)
	require.NoError(t, err)
	s, err := h.server()
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	said, log := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serve.HTTP(ctx, s, overHTTP(cfg.HTTP), slog.New(slog.NewJSONHandler(log, nil))) }()
	t.Cleanup(func() { stop(); assert.NoError(t, <-ended); log.Close() })
	var first struct{ Address string }
	lines := json.NewDecoder(said)
	for first.Address == "" {
		require.NoError(t, lines.Decode(&first))
	}
	go io.Copy(io.Discard, said)
	clients := map[string]*mcpclient.Client{}
	for name, token := range m.tokens {
		c, err := mcpclient.NewStreamableHttpClient("http://"+first.Address+"/mcp", transport.WithHTTPHeaders(map[string]string{"Authorization": "Bearer " + token}))
		require.NoError(t, err)
		require.NoError(t, c.Start(ctx))
		var r mcp.InitializeRequest
		r.Params.ProtocolVersion, r.Params.ClientInfo = mcp.LATEST_PROTOCOL_VERSION, mcp.Implementation{Name: "test", Version: "1"}
		_, err = c.Initialize(ctx, r)
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		clients[name] = c
	}
	return clients
}

// A cursor goes on for the one who got it, at any instance that has the secret,
// and for nobody else.
func TestCursorsAreOnesOwn(t *testing.T) {
	m := teamOf(t)
	secret := strings.Repeat("of-the-team-", 3)
	here, twin, stranger := m.open(t, secret), m.open(t, secret), m.open(t, "")
	_, local := demo(t)
	for tool, args := range map[string]string{"list_call_logs": `{"success":false,"page_size":5}`, "search_transcripts": `{"query":"refund","page_size":5}`} {
		var first, plain, next listPage
		data(t, here["anna"], tool, args, &first)
		data(t, local, tool, args, &plain)
		require.Regexp(t, `^s1\.`, first.NextCursor)
		require.Regexp(t, `^c1\.`, plain.NextCursor, "over stdio there is nobody to keep it from")
		goOn := fmt.Sprintf(`{"cursor":%q}`, first.NextCursor)
		data(t, local, tool, fmt.Sprintf(`{"cursor":%q}`, plain.NextCursor), &plain)
		for _, c := range []*mcpclient.Client{here["anna"], twin["anna"]} {
			data(t, c, tool, goOn, &next)
			assert.Equal(t, append(plain.Calls, plain.Matches...), append(next.Calls, next.Matches...))
		}
		text := textOf(t, ask(t, here["anna"], tool, args))
		assert.Contains(t, text, "cursor s1.", "as text, too")
		for name, c := range map[string]*mcpclient.Client{"ben": here["ben"], "another server": stranger["anna"]} {
			r := ask(t, c, tool, goOn)
			assert.True(t, r.IsError, name)
			assert.Contains(t, textOf(t, r), "given to somebody else. Start over without cursor.", name)
		}
		r := ask(t, here["anna"], tool, fmt.Sprintf(`{"cursor":%q}`, plain.NextCursor))
		assert.True(t, r.IsError, "one that was never sealed")
	}
}
