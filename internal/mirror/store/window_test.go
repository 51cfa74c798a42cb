package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// Counting a window in memory and in the database come to the same, while calls
// come and go.
func TestCallsOfAWindow(t *testing.T) {
	s := open(t, "")
	logs := map[string][]*call.Log{"a": calltest.Logs("a", 120, 3, end), "b": calltest.Logs("b", 80, 4, end)}
	for name := range logs {
		commit(t, s, store.Change{Source: name, ReadAt: end, Put: logs[name]})
	}
	at := end
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b", "none"}).Draw(r, "source")
		if of := logs[name]; len(of) > 40 && rapid.Bool().Draw(r, "change") {
			at = at.Add(time.Second)
			gone := of[rapid.IntRange(0, len(of)-1).Draw(r, "gone")]
			_, err := s.Commit(ctx, store.Change{Source: name, ReadAt: at, Gone: []string{gone.ID.Key}})
			require.NoError(r, err)
		}
		bound := rapid.Int64Range(-5*24*3600_000, 45*24*3600_000)
		from, to := end.Add(-time.Duration(bound.Draw(r, "from"))*time.Millisecond), end.Add(-time.Duration(bound.Draw(r, "to"))*time.Millisecond)
		n, err := s.Calls(ctx, name, from, to)
		require.NoError(r, err)
		p, err := s.Find(ctx, call.Query{
			Where: filter.All(filter.Cond{Field: "source", Op: filter.Eq, Value: name}, filter.Within("timestamp", from, to)), Limit: 1, Exhaust: true,
		})
		require.NoError(r, err)
		assert.Equal(r, *p.Total, n)
	})
}
