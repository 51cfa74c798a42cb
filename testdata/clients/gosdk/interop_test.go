// Package gosdk drives the built server, BIN, with the official Go SDK: both
// eras of the protocol, over stdio and over HTTP.
package gosdk

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInterop(t *testing.T) {
	for _, revision := range []string{"2025-11-25", "2026-07-28"} {
		for way, connect := range map[string]connector{"stdio": overStdio, "http": overHTTP} {
			t.Run(revision+"/"+way, func(t *testing.T) {
				t.Parallel()
				c := connect(t, revision, nil, "--demo")
				t.Run("handshake", func(t *testing.T) { handshake(t, c, revision) })
				t.Run("lists", func(t *testing.T) { lists(t, c) })
				t.Run("calls", func(t *testing.T) { calls(t, c) })
				t.Run("reads", func(t *testing.T) { reads(t, c) })
				t.Run("mistakes", func(t *testing.T) { mistakes(t, c) })
				t.Run("cancel", func(t *testing.T) { cancel(t, connect, revision) })
			})
		}
	}
}

func handshake(t *testing.T, c *mcp.ClientSession, revision string) {
	r := c.InitializeResult()
	assert.Equal(t, revision, r.ProtocolVersion)
	assert.Equal(t, "call-logs-mcp", r.ServerInfo.Name)
	assert.NotEmpty(t, r.Instructions)
	assert.NotNil(t, r.Capabilities.Tools)
	assert.NotNil(t, r.Capabilities.Resources)
	assert.NotNil(t, r.Capabilities.Prompts)
	assert.NotNil(t, r.Capabilities.Completions)
}

func lists(t *testing.T, c *mcp.ClientSession) {
	var names []string
	for tool, err := range c.Tools(t.Context(), nil) {
		require.NoError(t, err)
		names = append(names, tool.Name)
	}
	assert.Subset(t, names, []string{"list_call_logs", "search_transcripts", "get_call_log", "read_transcript", "aggregate_call_logs", "describe_fields"})
	resources, err := c.ListResources(t.Context(), nil)
	require.NoError(t, err)
	assert.NotEmpty(t, resources.Resources)
	templates, err := c.ListResourceTemplates(t.Context(), nil)
	require.NoError(t, err)
	assert.NotEmpty(t, templates.ResourceTemplates)
	prompts, err := c.ListPrompts(t.Context(), nil)
	require.NoError(t, err)
	assert.NotEmpty(t, prompts.Prompts)
}

func calls(t *testing.T, c *mcp.ClientSession) {
	assert.Contains(t, call(t, c, "search_transcripts", map[string]any{"query": "refund"}), "searched")
	assert.Contains(t, call(t, c, "read_transcript", map[string]any{"id": anID(t, c)}), "agent:")
	assert.Contains(t, call(t, c, "aggregate_call_logs", map[string]any{"group_by": []string{"agent.name"}}), "\nall |")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			r, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "list_call_logs", Arguments: map[string]any{"page_size": 1 + i%5, "response_format": "json"}})
			if assert.NoError(t, err) {
				page, _ := r.StructuredContent.(map[string]any)
				assert.Len(t, page["calls"], 1+i%5)
			}
		})
	}
	all.Wait()
}

func reads(t *testing.T, c *mcp.ClientSession) {
	id := anID(t, c)
	r, err := c.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "call://" + id + "/transcript?turns=1-2"})
	require.NoError(t, err)
	assert.Contains(t, r.Contents[0].Text, "1 00:0")
	p, err := c.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "review_call", Arguments: map[string]string{"id": id}})
	require.NoError(t, err)
	assert.Contains(t, p.Messages[0].Content.(*mcp.TextContent).Text, id)
	templates, err := c.ListResourceTemplates(t.Context(), nil)
	require.NoError(t, err)
	for _, template := range templates.ResourceTemplates {
		if !strings.HasPrefix(template.URITemplate, "call://{source}/{key}") {
			continue
		}
		done, err := c.Complete(t.Context(), &mcp.CompleteParams{
			Ref:      &mcp.CompleteReference{Type: "ref/resource", URI: template.URITemplate},
			Argument: mcp.CompleteParamsArgument{Name: "source"},
		})
		require.NoError(t, err)
		assert.Equal(t, []string{"demo"}, done.Completion.Values)
	}
}

func mistakes(t *testing.T, c *mcp.ClientSession) {
	r, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "list_call_logs", Arguments: map[string]any{"agnt": "5"}})
	require.NoError(t, err)
	assert.True(t, r.IsError)
	assert.Contains(t, textOf(t, r), "agent_id")
	_, err = c.CallTool(t.Context(), &mcp.CallToolParams{Name: "no_such_tool"})
	assert.ErrorContains(t, err, "no_such_tool")
	_, err = c.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "call://demo/999999999"})
	assert.Error(t, err)
	call(t, c, "list_call_logs", map[string]any{"page_size": 1}) // the session is none the worse
}

// cancel asks a server whose upstream says nothing, and gives up: the request
// upstream ends too, and the session goes on.
func cancel(t *testing.T, connect connector, revision string) {
	asked, gone := make(chan struct{}, 1), make(chan struct{})
	var left atomic.Bool
	cekura := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done()
		if left.CompareAndSwap(false, true) {
			close(gone)
		}
	}))
	t.Cleanup(cekura.Close)
	t.Cleanup(cekura.CloseClientConnections)
	c := connect(t, revision, []string{"CEKURA_API_KEY=no-secret", "CEKURA_BASE_URL=" + cekura.URL}, "--mirror", "off")
	ctx, stop := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := c.CallTool(ctx, &mcp.CallToolParams{Name: "list_call_logs"})
		failed <- err
	}()
	wait(t, asked, "the upstream was not asked")
	stop()
	require.ErrorIs(t, <-failed, context.Canceled)
	wait(t, gone, "the upstream was not let go")
	_, err := c.ListPrompts(t.Context(), nil)
	assert.NoError(t, err)
}

func wait(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(5 * time.Second):
		require.Fail(t, what)
	}
}

// A connector connects to a server of its own, started with env beside the path
// and with args; both end with the test.
type connector func(t *testing.T, revision string, env []string, args ...string) *mcp.ClientSession

func overStdio(t *testing.T, revision string, env []string, args ...string) *mcp.ClientSession {
	cmd := program(t, env, args...)
	return session(t, revision, &mcp.CommandTransport{Command: cmd})
}

func overHTTP(t *testing.T, revision string, env []string, args ...string) *mcp.ClientSession {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := ln.Addr().String()
	require.NoError(t, ln.Close())
	cmd := program(t, env, append(args, "--http", addr, "--no-auth")...)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, cmd.Wait())
	})
	require.Eventually(t, func() bool {
		r, err := http.Get("http://" + addr + "/healthz")
		if err == nil {
			r.Body.Close()
		}
		return err == nil && r.StatusCode == http.StatusOK
	}, 5*time.Second, 20*time.Millisecond)
	return session(t, revision, &mcp.StreamableClientTransport{Endpoint: fmt.Sprintf("http://%s/mcp", addr)})
}

func program(t *testing.T, env []string, args ...string) *exec.Cmd {
	bin := os.Getenv("BIN")
	require.NotEmpty(t, bin, "BIN must be the path of the built server; run make test-clients")
	cmd := exec.Command(bin, append([]string{"serve", "--log-level", "warn"}, args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	cmd.Stderr = os.Stderr
	return cmd
}

func session(t *testing.T, revision string, transport mcp.Transport) *mcp.ClientSession {
	client := mcp.NewClient(&mcp.Implementation{Name: "interop-test", Version: "1"}, nil)
	c, err := client.Connect(t.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: revision})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

func call(t *testing.T, c *mcp.ClientSession, name string, args map[string]any) string {
	t.Helper()
	r, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: args})
	require.NoError(t, err)
	require.False(t, r.IsError, textOf(t, r))
	return textOf(t, r)
}

func textOf(t *testing.T, r *mcp.CallToolResult) string {
	t.Helper()
	require.Len(t, r.Content, 1)
	text, ok := r.Content[0].(*mcp.TextContent)
	require.True(t, ok)
	return text.Text
}

// anID is a call that a list names.
func anID(t *testing.T, c *mcp.ClientSession) string {
	t.Helper()
	found := regexp.MustCompile(`\bid="([^"\s]+/[^"\s]+)"`).FindStringSubmatch(call(t, c, "list_call_logs", map[string]any{"page_size": 1}))
	require.NotNil(t, found)
	return found[1]
}
