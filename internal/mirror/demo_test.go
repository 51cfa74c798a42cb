package mirror

import (
	"context"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/cekura"
	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// counted counts the requests that really go out.
type counted struct {
	to http.RoundTripper
	n  *atomic.Int64
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.to.RoundTrip(r)
}

// The real client, served by the demo, copied into the real store.
func TestDemoIsCopied(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }
	ctx := context.Background()
	api := demo.New(demo.Options{Calls: 400, Now: now})
	var requests atomic.Int64
	source, err := cekura.New(provider.Options{
		Name: "demo", BaseURL: "http://127.0.0.1", Credential: func(string) string { return "k" }, Now: now,
		Transport: counted{demo.Transport(api), &requests}, Limits: rest.Limits{Rate: 1e6, Burst: 1e6},
	})
	require.NoError(t, err)
	db, err := store.Open(ctx, store.Options{Path: filepath.Join(t.TempDir(), "copy", "calls.db"), Now: now})
	require.NoError(t, err)
	defer db.Close()
	e, err := New(Options{
		Origins: []Origin{{Name: "demo", Source: source, Abilities: Abilities{TimeFilter: true, IDFilter: true, PageSize: 50}}},
		Ledger:  db, Stored: db.Get, Now: now,
	})
	require.NoError(t, err)
	m := Open(ReadThrough{Engine: e, Copy: db})
	defer m.Close()

	r, err := e.Cycle(ctx, nil)
	require.NoError(t, err)
	t.Logf("%d calls: %d requests by the engine, %d over HTTP, %d written", len(api.Calls()), r.Requests, requests.Load(), r.Put)
	failed := 0
	for _, c := range api.Calls() {
		if c.Success != nil && !*c.Success {
			failed++
		}
	}
	assert.InDelta(t, r.Requests, requests.Load(), 3, "a question is a request")
	assert.LessOrEqual(t, r.Requests-failed, 35)

	again, err := e.Cycle(ctx, nil)
	require.NoError(t, err)
	assert.Zero(t, again.Put+again.Gone, "nothing has changed")
	assert.LessOrEqual(t, again.Requests, 12)

	sent := requests.Load()
	q := call.Query{Where: filter.Within("timestamp", now().Add(-80*day), now()), Limit: 500, Exhaust: true}
	p, err := m.Find(ctx, q)
	require.NoError(t, err)
	assert.Equal(t, len(api.Calls()), len(p.Logs))
	assert.Equal(t, sent, requests.Load())
	assert.Empty(t, p.Notes)
	detailed := 0
	for _, l := range p.Logs {
		if l.Detailed {
			detailed++
		}
	}
	assert.Equal(t, failed, detailed, "those that failed are held in full")

	a, err := m.Aggregate(ctx, call.Aggregation{Where: q.Where, By: []call.Grouping{{Field: "success"}}})
	require.NoError(t, err)
	assert.Equal(t, len(api.Calls()), a.Total.Stats.Calls)

	api.Delete(api.Calls()[0].ID)
	r, err = e.Cycle(ctx, nil)
	require.NoError(t, err)
	assert.LessOrEqual(t, r.Gone, 1)
}

// Law 4: a source is a source, also where a copy answers for it.
func TestSource(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of questions")
	}
	now := func() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }
	ctx := context.Background()
	logs := calltest.Logs("sea", 80, 3, now())
	db, err := store.Open(ctx, store.Options{Now: now})
	require.NoError(t, err)
	defer db.Close()
	e, err := New(Options{
		Origins: []Origin{{Name: "sea", Source: calltest.Memory("sea", logs), Abilities: Abilities{TimeFilter: true, PageSize: 50}}},
		Ledger:  db, Stored: db.Get, Now: now,
	})
	require.NoError(t, err)
	_, err = e.Cycle(ctx, nil)
	require.NoError(t, err)
	m := Open(ReadThrough{Engine: e, Copy: db})
	defer m.Close()
	calltest.TestSource(t, m, calltest.Options{Source: "sea", Logs: 80, Window: call.Window{From: now().Add(-40 * day), To: now()}})
}
