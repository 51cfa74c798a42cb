package cekura

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func now() time.Time { return at("2026-11-21T09:00:00Z") }

// fast lifts the pace, which is for real upstreams.
func fast() rest.Limits { return rest.Limits{Rate: 1e6, Burst: 1e6} }

func overDemo(t *testing.T, o demo.Options) (call.Source, *demo.API) {
	if o.Now == nil {
		o.Now = now
	}
	api := demo.New(o)
	s, err := New(provider.Options{
		Credential: func(string) string { return "k" }, BaseURL: "https://api.cekura.ai", ProjectID: "1376",
		Transport: demo.Transport(api), Now: now, Limits: fast(),
	})
	require.NoError(t, err)
	return s, api
}

func eq(field string, v any) filter.Cond { return filter.Cond{Field: field, Op: filter.Eq, Value: v} }

func TestFindDemo(t *testing.T) {
	s, api := overDemo(t, demo.Options{})
	for _, x := range []struct {
		name     string
		q        call.Query
		requests int
	}{
		{"list", call.Query{}, 1},
		{"failed", call.Query{Where: eq("success", false)}, 1},
		{"local", call.Query{Where: filter.Cond{Field: "turn_count", Op: filter.Gt, Value: 20.0}}, 2},
		{"exhaust", call.Query{Exhaust: true}, 2},
		{"longest", call.Query{Order: call.Longest}, 2},
		{"oldest", call.Query{Order: call.Oldest}, 2},
		{"90 days", call.Query{Where: filter.Within("timestamp", now().Add(-90*day), now())}, 3},
		{"one agent", call.Query{Where: eq("agent.id", "2142"), Limit: 100}, 1},
	} {
		before := api.Requests()
		start := time.Now()
		p, err := s.Find(t.Context(), x.q)
		require.NoError(t, err, x.name)
		t.Log(x.name, len(p.Logs), "requests", api.Requests()-before, "total", p.Total != nil, p.Coverage, p.Notes, time.Since(start))
		assert.LessOrEqual(t, api.Requests()-before, x.requests, x.name)
		assert.NotEmpty(t, p.Logs, x.name)
	}
}

func TestGetDemo(t *testing.T) {
	s, api := overDemo(t, demo.Options{})
	p, err := s.Find(t.Context(), call.Query{Limit: 1})
	require.NoError(t, err)
	row := p.Logs[0]
	for _, key := range []string{row.ID.Key, row.CallID} {
		before := api.Requests()
		l, err := s.Get(t.Context(), call.ID{Source: "cekura", Key: key})
		require.NoError(t, err)
		assert.Equal(t, row.ID, l.ID)
		assert.True(t, l.Detailed)
		assert.NotNil(t, l.Metadata)
		t.Log(key, api.Requests()-before, l.DashboardURL)
	}
	for _, key := range []string{"1", "call_none", "../x"} {
		before := api.Requests()
		_, err := s.Get(t.Context(), call.ID{Source: "cekura", Key: key})
		var e *call.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, call.NotFound, e.Kind)
		t.Log(e, api.Requests()-before)
	}
}

// What a list of 20 calls costs, the demo's own work included.
func BenchmarkList(b *testing.B) {
	api := demo.New(demo.Options{Now: now})
	s, err := New(provider.Options{Credential: func(string) string { return "k" }, Transport: demo.Transport(api), Now: now, Limits: fast()})
	require.NoError(b, err)
	for b.Loop() {
		if _, err := s.Find(b.Context(), call.Query{}); err != nil {
			b.Fatal(err)
		}
	}
}
