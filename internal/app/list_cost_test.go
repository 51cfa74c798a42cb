package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	mcpclient "github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	upstream "call-logs-mcp/client/demo"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
)

// A metered upstream counts what it is asked for and what it answers.
type metered struct {
	*httptest.Server
	requests, bytes atomic.Int64
	busy            atomic.Int64 // nanoseconds in which it answered
}

type counted struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return c.ResponseWriter.Write(p)
}

func newMetered(t testing.TB) *metered {
	m := &metered{}
	api := upstream.New(upstream.Options{Now: now})
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		m.requests.Add(1)
		w.Header().Set("Date", now().Format(http.TimeFormat))
		r.Header.Del("Accept-Encoding") // bytes as they are
		api.ServeHTTP(counted{w, &m.bytes}, r)
		m.busy.Add(int64(time.Since(began)))
	}))
	t.Cleanup(m.Close)
	return m
}

// cost is what f takes of the upstream.
func (m *metered) cost(f func()) (requests, bytes int64) {
	r, b := m.requests.Load(), m.bytes.Load()
	f()
	return m.requests.Load() - r, m.bytes.Load() - b
}

// direct is the request that a list of n rows comes to.
func (m *metered) direct(t testing.TB, n int) {
	url := fmt.Sprintf("%s/observability/v1/call-logs/?project_id=1376&timestamp_from=%s&timestamp_to=%s&page=1&page_size=%d&filters_v2=%s", m.URL,
		now().AddDate(0, 0, -30).Format(time.RFC3339), now().Format(time.RFC3339), n, `%7B%22field%22%3A%22success%22%2C%22op%22%3A%22eq%22%2C%22value%22%3Afalse%7D`)
	r, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Header.Set("X-CEKURA-API-KEY", "k")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)
}

// live is a client of a server that keeps no copy and has no pace.
func (m *metered) live(t testing.TB) *mcpclient.Client {
	cfg, err := config.Parse(client.Providers(), []string{"serve", "--mirror", "off"}, func(name string) string {
		return map[string]string{"CEKURA_API_KEY": "k", "CEKURA_BASE_URL": m.URL}[name]
	}, os.Stderr)
	require.NoError(t, err)
	configured, err := cfg.Options.Configured()
	require.NoError(t, err)
	src, err := client.Open("cekura", client.Options{
		Name: "cekura", BaseURL: m.URL, Credential: func(string) string { return "k" }, Now: now, Limits: rest.Limits{Rate: 1e6, Burst: 1e6},
	})
	require.NoError(t, err)
	h, err := assemble(cfg.Options, "test", slog.New(slog.DiscardHandler), now, configured, map[string]call.Source{"cekura": src})
	require.NoError(t, err)
	return h.client(t)
}

func listOf(n int) string {
	return fmt.Sprintf(`{"success":false,"timestamp_from":"now-30d","page_size":%d}`, n)
}

// A list whose conditions the API applies is one request, for no more than it
// shows; its total is the API's count.
func TestLiveListCostsWhatItShows(t *testing.T) {
	m := newMetered(t)
	c := m.live(t)
	for _, n := range []int{1, 5, 20, 100} {
		_, direct := m.cost(func() { m.direct(t, n) })
		var p listPage
		requests, bytes := m.cost(func() { data(t, c, "list_call_logs", listOf(n), &p) })
		assert.EqualValues(t, 1, requests, n)
		assert.LessOrEqual(t, float64(bytes), 1.3*float64(direct), n)
		assert.Positive(t, p.Returned) // JSON of 100 rows has a budget of its own
		if assert.NotNil(t, p.Total) {
			assert.Greater(t, *p.Total, n)
		}
		assert.True(t, p.Coverage.Complete)
		t.Logf("%d rows: %d request, %d bytes, direct %d", n, requests, bytes, direct)
	}
}

// noop is a server of the library alone, which fetches the same page.
func (m *metered) noop(t testing.TB, n int) *mcpclient.Client {
	s := server.NewMCPServer("noop", "1")
	s.AddTool(mcp.NewTool("list_call_logs"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		m.direct(t, n)
		return mcp.NewToolResultText("done"), nil
	})
	c, err := mcpclient.NewInProcessClient(s)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	_, err = c.Initialize(t.Context(), mcp.InitializeRequest{})
	require.NoError(t, err)
	return c
}

// copied is a client of a server with a copy of all calls, up to date.
func (m *metered) copied(t testing.TB) *mcpclient.Client {
	env := map[string]string{"HOME": t.TempDir(), "CEKURA_API_KEY": "k", "CEKURA_BASE_URL": m.URL}
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	get := func(name string) string { return env[name] }
	cfg, err := config.Parse(client.Providers(), []string{"sync", "--mirror", path}, get, io.Discard)
	require.NoError(t, err)
	h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), now)
	require.NoError(t, err)
	require.NoError(t, h.sync(t.Context(), cfg, io.Discard))
	cfg, err = config.Parse(client.Providers(), []string{"serve", "--mirror", path}, get, io.Discard)
	require.NoError(t, err)
	h, err = open(cfg.Options, "test", slog.New(slog.DiscardHandler), now)
	require.NoError(t, err)
	if c, ok := h.base.(*copied); ok {
		t.Cleanup(func() { c.drop(nil) })
	}
	return h.client(t)
}

// BenchmarkLiveList sets a live list, and one from a copy, beside the request that
// it comes to and beside a server of the library that makes that request, all in turn.
func BenchmarkLiveList(b *testing.B) {
	for _, n := range []int{1, 5, 20, 100} {
		b.Run(fmt.Sprint(n, "rows"), func(b *testing.B) {
			m := newMetered(b)
			ours, copied, noop := m.live(b), m.copied(b), m.noop(b, n)
			took, cost := map[string][]time.Duration{}, map[string]time.Duration{}
			requests := map[string]int64{}
			run := func(name string, f func()) {
				began, before, busy, asked := time.Now(), cpu(), m.busy.Load(), m.requests.Load()
				f()
				requests[name] += m.requests.Load() - asked
				took[name] = append(took[name], time.Since(began))
				cost[name] += cpu() - before - time.Duration(m.busy.Load()-busy)
			}
			for b.Loop() {
				run("direct", func() { m.direct(b, n) })
				run("noop", func() { ask(b, noop, "list_call_logs", `{}`) })
				run("ours", func() { ask(b, ours, "list_call_logs", listOf(n)) })
				run("copied", func() { ask(b, copied, "list_call_logs", listOf(n)) })
			}
			for name, all := range took {
				slices.Sort(all)
				b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, name+"-p50-ms")
				b.ReportMetric(float64(cost[name].Microseconds())/1000/float64(len(all)), name+"-cpu-ms")
				b.ReportMetric(float64(requests[name])/float64(len(all)), name+"-requests")
			}
		})
	}
}
