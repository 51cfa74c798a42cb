package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
)

// line is what the audit says of a call.
type line struct {
	Msg, Principal, Method, Tool, Outcome string
	Time                                  time.Time
	Arguments                             []string
	Logs, Bytes, Status                   int
	Took                                  int64
}

func (h *host) audit() (lines []line) {
	in := bufio.NewScanner(strings.NewReader(h.logs.String()))
	for in.Scan() {
		var l line
		if json.Unmarshal(in.Bytes(), &l) == nil && l.Msg == "call" {
			lines = append(lines, l)
		}
	}
	return lines
}

func (h *host) metrics() string {
	resp, err := h.client.Get("http://" + h.site.sideAt.Addr().String() + "/metrics")
	require.NoError(h.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(h.t, err)
	return string(body)
}

func TestEveryCallIsWrittenDownWithoutAValue(t *testing.T) {
	path, plain := tokensOf(t, Principal{Name: "ci", Scopes: Scopes(), Where: agent("2142")})
	logs := calltest.Logs("memory", 60, 9, newest)
	src := Scope(calltest.Memory("memory", logs))
	s := newBench().server()
	s.AddTool(mcp.NewTool("list_call_logs", mcp.WithString("customer_number"), mcp.WithNumber("page_size")),
		func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			p, err := src.Find(ctx, call.Query{Limit: 7})
			if err != nil {
				return nil, err
			}
			if req.GetInt("page_size", 0) < 0 {
				return mcp.NewToolResultError("no"), nil
			}
			return mcp.NewToolResultText(fmt.Sprint(len(p.Logs))), nil
		})
	h := serving(t, s, HTTPOptions{Auth: ByToken, Tokens: path, Metrics: "127.0.0.1:0"})
	ask := func(tool, args string) got {
		return h.post(`{"jsonrpc":"2.0","id":"canary-id","method":"tools/call","params":{"name":"`+tool+`","arguments":`+args+`}}`,
			"Authorization", "Bearer "+plain[0], "User-Agent", "canary-agent", "X-Forwarded-For", "canary-hop")
	}
	require.Equal(t, "7", ask("list_call_logs", `{"customer_number":"canary-number","canary-argument":1}`).text())
	ask("list_call_logs", `{"page_size":-1}`)
	ask("canary_tool", `{"text":"canary-text"}`)
	h.post(`{"jsonrpc":"2.0","id":1,"method":"canary/method"}`, "Authorization", "Bearer "+plain[0])
	h.post(`{"jsonrpc":"2.0","id":1,"method":"ping"}`, "Authorization", "Bearer canary-token")
	h.post(`{"jsonrpc":"2.0","id":1,"method":"ping","x":"canary-body"`, "Authorization", "Bearer "+plain[0])
	ask("panics", `{"text":"canary-text"}`)

	lines := h.audit()
	require.Len(t, lines, 5)
	l := lines[0]
	assert.Equal(t, line{"call", "ci", "tools/call", "list_call_logs", "ok", l.Time, []string{"customer_number", "other"}, 7, l.Bytes, 200, l.Took}, l)
	assert.WithinDuration(t, time.Now(), l.Time, time.Minute)
	assert.Positive(t, l.Bytes)
	assert.Positive(t, l.Took)
	assert.Equal(t, "tool_error", lines[1].Outcome)
	assert.Equal(t, "other", lines[2].Tool)
	assert.Equal(t, "other", lines[3].Method)
	assert.Equal(t, "error", lines[4].Outcome)

	shown := h.metrics()
	for _, want := range []string{
		`call_logs_mcp_requests_total{method="tools/call",outcome="ok",tool="list_call_logs"} 1`,
		`call_logs_mcp_requests_total{method="tools/call",outcome="tool_error",tool="list_call_logs"} 1`,
		`call_logs_mcp_refused_total{guard="authentication"} 1`, `call_logs_mcp_refused_total{guard="body"} 1`,
		"call_logs_mcp_requests_in_flight 0", `call_logs_mcp_request_seconds_count{method="tools/call",tool="list_call_logs"} 2`,
		`call_logs_mcp_response_bytes_total{method="tools/call"}`, "go_goroutines",
	} {
		assert.Contains(t, shown, want)
	}
	for _, all := range []string{shown, h.logs.String()} {
		assert.NotContains(t, all, "canary")
		assert.NotContains(t, all, plain[0])
	}
}

func TestMetricsAreForThisMachine(t *testing.T) {
	h := serving(t, newBench().server(), HTTPOptions{Metrics: "127.0.0.1:0"})
	for _, tt := range []struct {
		method, host, origin string
		want                 int
	}{
		{"GET", "localhost", "", 200}, {"GET", "evil.example", "", 403}, {"GET", "localhost", "http://localhost", 403},
		{"POST", "localhost", "", 405}, {"DELETE", "localhost", "", 405},
	} {
		req, err := http.NewRequest(tt.method, "http://"+h.site.sideAt.Addr().String()+"/metrics", nil)
		require.NoError(t, err)
		req.Host = tt.host
		if tt.origin != "" {
			req.Header.Set("Origin", tt.origin)
		}
		g, err := h.send(req)
		require.NoError(t, err)
		assert.Equal(t, tt.want, g.status, fmt.Sprint(tt))
	}
}

// After thousands of calls, a fifth of them cancelled, nothing is left over.
func TestNothingIsLeftOver(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	all := soak(2000, 20_000)
	b := newBench()
	h := serving(t, b.server(), HTTPOptions{Rates: generous()})
	open := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc")
		}
		return len(files)
	}
	h.post(asks("1", "echo", "warm"))
	h.client.CloseIdleConnections()
	goroutines, files := runtime.NumGoroutine(), open()
	over := make(chan struct{})
	defer close(over)
	go func() { // slow calls wait until somebody knows of them
		for {
			select {
			case <-b.started:
			case <-b.stopped:
			case <-over:
				return
			}
		}
	}()
	work := make(chan int)
	ended := make(chan struct{})
	for range 16 {
		go func() {
			for i := range work {
				if i%5 != 0 {
					g, err := h.try(asks("1", "echo", "x"))
					assert.True(t, err == nil && g.text() == "x")
					continue
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
				req, _ := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/mcp", strings.NewReader(asks("1", "slow", "x")))
				req.Header.Set("Content-Type", "application/json")
				_, _ = h.send(req)
				cancel()
			}
			ended <- struct{}{}
		}()
	}
	for i := range all {
		work <- i
	}
	close(work)
	for range 16 {
		<-ended
	}
	h.client.CloseIdleConnections()
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+2 && open() <= files+1 }, patience, 10*time.Millisecond,
		"%d goroutines and %d files before", goroutines, files)
	t.Logf("goroutines %d, then %d; files %d, then %d", goroutines, runtime.NumGoroutine(), files, open())
	assert.Eventually(t, func() bool { // the last handler may have answered and not left yet
		return h.site.work.Inside() == 0
	}, patience, time.Millisecond)
}
