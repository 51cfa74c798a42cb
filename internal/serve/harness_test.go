package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soak is how many times a test does something: few by default, and as many as
// its goal says where SOAK is set.
func soak(few, many int) int {
	if os.Getenv("SOAK") != "" {
		return many
	}
	return few
}

// patience is how long a test waits for what must come. It is no measure.
const patience = 20 * time.Second

// bench is a server with tools that misbehave on demand.
type bench struct {
	started chan string   // one for each slow or deaf call that began, by its text
	stopped chan string   // one for each slow call whose context ended
	release chan struct{} // closed: slow and deaf calls answer
}

func newBench() *bench {
	return &bench{started: make(chan string, 100), stopped: make(chan string, 100), release: make(chan struct{})}
}

func (b *bench) server(with ...server.ServerOption) *server.MCPServer {
	s := server.NewMCPServer("bench", "1", append(with, server.WithToolCapabilities(false))...)
	add := func(name string, run func(context.Context, string) (*mcp.CallToolResult, error)) {
		s.AddTool(mcp.NewTool(name), func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return run(ctx, req.GetString("text", ""))
		})
	}
	add("echo", func(_ context.Context, text string) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText(text), nil
	})
	add("slow", func(ctx context.Context, text string) (*mcp.CallToolResult, error) {
		b.started <- text
		select {
		case <-b.release:
			return mcp.NewToolResultText(text), nil
		case <-ctx.Done():
			b.stopped <- text
			return mcp.NewToolResultError("cancelled"), nil
		}
	})
	add("deaf", func(_ context.Context, text string) (*mcp.CallToolResult, error) {
		b.started <- text
		<-b.release
		return mcp.NewToolResultText(text), nil
	})
	add("panics", func(context.Context, string) (*mcp.CallToolResult, error) { panic("a secret") })
	add("unencodable", func(context.Context, string) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{StructuredContent: math.NaN()}, nil
	})
	add("progress", func(ctx context.Context, text string) (*mcp.CallToolResult, error) {
		for i := range 50 {
			err := s.SendNotificationToClient(ctx, "notifications/progress", map[string]any{"progressToken": text, "progress": i})
			if err != nil {
				return nil, err
			}
		}
		return mcp.NewToolResultText(text), nil
	})
	return s
}

// client talks to a running stdio. All that it reads must be JSON-RPC.
type client struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *bufio.Reader
	side *io.PipeReader
	stop context.CancelFunc
	done chan error
	logs *lockedBuffer
}

func dial(t *testing.T, s *server.MCPServer, lim limits) *client {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	c := &client{t: t, in: inW, out: bufio.NewReader(outR), side: outR, stop: stop, done: make(chan error, 1), logs: &lockedBuffer{}}
	go func() {
		c.done <- stdio(ctx, s, inR, outW, slog.New(slog.NewTextHandler(c.logs, nil)), lim)
		outW.Close()
	}()
	t.Cleanup(func() { stop(); inW.Close(); outR.Close() })
	return c
}

func asks(id, tool, text string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":%q,"arguments":{"text":%q}}}`, id, tool, text)
}

func cancelled(id string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`, id)
}

// send writes lines without waiting for anyone to read them.
func (c *client) send(lines ...string) {
	go func() { _, _ = io.WriteString(c.in, strings.Join(lines, "\n")+"\n") }()
}

// answer is one message from the server.
type answer struct {
	ID     json.RawMessage
	Method string
	Result struct {
		Content []struct{ Text string }
		IsError bool
	}
	Params struct{ Progress int }
	Error  *struct {
		Code    int
		Message string
	}
}

func (a answer) text() string {
	if len(a.Result.Content) == 0 {
		return ""
	}
	return a.Result.Content[0].Text
}

// read is the next message, or false at the end of out.
func (c *client) read() (answer, bool) {
	c.t.Helper()
	watch := time.AfterFunc(patience, func() { c.side.CloseWithError(context.DeadlineExceeded) })
	defer watch.Stop()
	line, err := c.out.ReadBytes('\n')
	if err == io.EOF && len(line) == 0 {
		return answer{}, false
	}
	require.NoError(c.t, err)
	var version struct{ JSONRPC string }
	require.NoError(c.t, json.Unmarshal(line, &version), "stdout carries JSON-RPC only: %.200q", line)
	require.Equal(c.t, "2.0", version.JSONRPC)
	var a answer
	require.NoError(c.t, json.Unmarshal(line, &a))
	return a, true
}

func (c *client) next() answer {
	c.t.Helper()
	a, ok := c.read()
	require.True(c.t, ok, "out ended early")
	return a
}

// rest is every message up to the end of out.
func (c *client) rest() (all []answer) {
	c.t.Helper()
	for a, ok := c.read(); ok; a, ok = c.read() {
		all = append(all, a)
	}
	return all
}

func (c *client) wait() error {
	c.t.Helper()
	return within(c.t, c.done, "Stdio to return")
}

func within[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		require.FailNow(t, "waited in vain for "+what)
		panic("unreachable")
	}
}

// lockedBuffer holds the log.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
