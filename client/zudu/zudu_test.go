package zudu

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
)

// Law 4: a source is a source.
func TestSource(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of questions")
	}
	u := stocked(90)
	calltest.TestSource(t, over(t, u), calltest.Options{
		Source:  "zudu",
		Logs:    90,
		Window:  call.Window{From: now().Add(-40 * day), To: now()},
		Mutable: u,
	})
}

func within(d time.Duration) filter.Expr { return filter.Within("timestamp", now().Add(-d), now()) }

func cond(field string, op filter.Op, v any) filter.Expr {
	return filter.Cond{Field: field, Op: op, Value: v}
}

// What questions cost.
func TestRequests(t *testing.T) {
	u := stocked(600)
	for _, x := range []struct {
		name     string
		q        call.Query
		requests int
	}{
		{"a page", call.Query{}, 1},
		{"the oldest", call.Query{Order: call.Oldest}, 1},
		{"a page of what the API filters", call.Query{Where: cond("status", filter.Eq, "error")}, 1},
		{"a day", call.Query{Where: within(day), Exhaust: true}, 1},
		{"some by name", call.Query{Where: cond("id", filter.In, []any{"call-102", "call-109", "none"})}, 3},
		{"a month", call.Query{Limit: 100, Exhaust: true}, 7},
	} {
		p, err := over(t, u).Find(t.Context(), x.q)
		require.NoError(t, err, x.name)
		assert.Equal(t, x.requests, u.Asked(), x.name)
		assert.NotEmpty(t, p.Logs, x.name)
		assert.Empty(t, p.Notes, x.name)
	}
}

// Going on costs one request, for a page of 20 more.
func TestNextPages(t *testing.T) {
	u := stocked(600)
	s := over(t, u)
	q := call.Query{}
	for range 10 {
		p, err := s.Find(t.Context(), q)
		require.NoError(t, err)
		require.Len(t, p.Logs, 20)
		assert.Equal(t, 1, u.Asked())
		assert.LessOrEqual(t, u.Last.Limit, 100)
		q.After = p.Next
	}
	_, err := over(t, u).Find(t.Context(), q) // by a source that does not know the place
	require.NoError(t, err)
	assert.LessOrEqual(t, u.Asked(), 6)
}

// Sync reads a window as one consistent answer: one request, which counts.
func TestALeafIsOneRequest(t *testing.T) {
	u := stocked(80)
	p, err := over(t, u).Find(t.Context(), call.Query{Where: within(32 * day), Limit: 100, Scan: 100})
	require.NoError(t, err)
	assert.Equal(t, 1, u.Asked())
	assert.Len(t, p.Logs, 80)
	assert.Nil(t, p.Next)
	assert.Equal(t, 80, *p.Coverage.Calls)
	assert.Equal(t, 80, *p.Total)
	assert.Equal(t, now(), p.Clock)
}
