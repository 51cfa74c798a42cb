package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"
)

// host is a server that serves, for a test.
type host struct {
	t      *testing.T
	site   *site
	url    string
	stop   context.CancelFunc
	done   chan error
	logs   *lockedBuffer
	client *http.Client
}

// serving serves s on a free port of the loopback until the test ends.
func serving(t *testing.T, s *server.MCPServer, o HTTPOptions) *host {
	t.Helper()
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Auth == "" {
		o.Auth = ByNothing
	}
	h := &host{t: t, done: make(chan error, 1), logs: &lockedBuffer{}}
	var ctx context.Context
	ctx, h.stop = context.WithCancel(t.Context())
	var err error
	h.site, err = open(ctx, s, o, slog.New(slog.NewJSONHandler(h.logs, &slog.HandlerOptions{Level: slog.LevelDebug})))
	require.NoError(t, err)
	h.url = "http://" + h.site.at.Addr().String()
	transport := &http.Transport{MaxIdleConnsPerHost: 300}
	h.client = &http.Client{Transport: transport, Timeout: patience}
	ended := make(chan struct{})
	go func() { defer close(ended); h.done <- h.site.serve(ctx) }()
	t.Cleanup(func() { h.stop(); transport.CloseIdleConnections(); <-ended })
	return h
}

// frontOf is the handler of a server that lets everybody in, without a network.
func frontOf(t testing.TB, s *server.MCPServer) http.Handler {
	f, err := newFront(s, HTTPOptions{Auth: ByNothing, Rates: generous()}.withDefaults(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return f.handler()
}

// got is an answer over HTTP.
type got struct {
	answer
	status int
	header http.Header
	body   string
}

// post sends a message; header are pairs.
func (h *host) post(message string, header ...string) got {
	h.t.Helper()
	g, err := h.try(message, header...)
	require.NoError(h.t, err)
	return g
}

func (h *host) try(message string, header ...string) (got, error) {
	req, err := http.NewRequest(http.MethodPost, h.url+"/mcp", strings.NewReader(message))
	if err != nil {
		return got{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return h.send(req)
}

func (h *host) send(req *http.Request) (got, error) {
	resp, err := h.client.Do(req)
	if err != nil {
		return got{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	g := got{status: resp.StatusCode, header: resp.Header, body: string(body)}
	data := body
	if i := bytes.LastIndex(body, []byte("data: ")); i >= 0 { // a stream; its answer comes last
		data = body[i+len("data: "):]
	}
	_ = json.Unmarshal(data, &g.answer)
	return g, err
}

func (h *host) get(path string) got {
	h.t.Helper()
	req, err := http.NewRequest(http.MethodGet, h.url+path, nil)
	require.NoError(h.t, err)
	g, err := h.send(req)
	require.NoError(h.t, err)
	return g
}

// modern makes a message one of 2026-07-28, with the headers that go with it.
func modern(id, method, params string) (message string, header []string) {
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	if params != "" {
		meta += ","
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q,"params":{%s%s}}`, id, method, meta, params),
		[]string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", method}
}

// tokensOf writes a token file and returns its path and the plain tokens.
func tokensOf(t *testing.T, principals ...Principal) (path string, plain []string) {
	t.Helper()
	var lines []string
	for _, p := range principals {
		where := ""
		if p.Where != nil {
			where = p.Where.String()
		}
		one, line, err := NewToken(p.Name, p.Scopes, where, time.Time{})
		require.NoError(t, err)
		plain, lines = append(plain, one), append(lines, line)
	}
	path = filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(path, []byte("# who may call\n\n"+strings.Join(lines, "\n")+"\n"), 0o600))
	return path, plain
}

// generous are rates that no test reaches by accident.
func generous() Rates {
	return Rates{PerMinute: 1e8, Burst: 1e6, AddressPerMinute: 1e8, InFlight: 1000, PerPrincipal: 1000, Wait: time.Second}
}

// whoami is a tool that tells who asks and what credentials it can see.
func whoami(seen chan<- string) (mcp.Tool, server.ToolHandlerFunc) {
	return mcp.NewTool("whoami"), func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		p, _ := Who(ctx)
		secrets := map[string]string{}
		for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
			if v := req.Header.Get(name); v != "" {
				secrets[name] = v
			}
		}
		seen <- fmt.Sprint(p.Name, " ", secrets)
		return mcp.NewToolResultText(p.Name), nil
	}
}

// slowTool is a tool that takes its time.
func slowTool(name string, d time.Duration) (mcp.Tool, server.ToolHandlerFunc) {
	return mcp.NewTool(name), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		time.Sleep(d)
		return mcp.NewToolResultText("done"), nil
	}
}

func cancelledContext() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx, cancel
}
