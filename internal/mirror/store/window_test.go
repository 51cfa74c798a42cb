package store_test

import (
	"fmt"
	"slices"
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

// The calls of a window are counted rightly, also before any columns are read into
// memory, while calls come and go.
func TestCallsOfAWindow(t *testing.T) {
	for _, warm := range []bool{false, true} {
		t.Run(fmt.Sprint("warm ", warm), func(t *testing.T) { callsOfAWindow(t, warm) })
	}
}

func callsOfAWindow(t *testing.T, warm bool) {
	s := open(t, "")
	logs := map[string][]*call.Log{"a": calltest.Logs("a", 120, 3, end), "b": calltest.Logs("b", 80, 4, end)}
	for name := range logs {
		commit(t, s, store.Change{Source: name, ReadAt: end, Put: logs[name]})
	}
	if warm {
		_, err := s.Aggregate(ctx, call.Aggregation{By: []call.Grouping{{Field: "source"}}})
		require.NoError(t, err)
	}
	at := end
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b", "none"}).Draw(r, "source")
		if of := logs[name]; len(of) > 40 && rapid.Bool().Draw(r, "change") {
			at = at.Add(time.Second)
			gone := rapid.IntRange(0, len(of)-1).Draw(r, "gone")
			_, err := s.Commit(ctx, store.Change{Source: name, ReadAt: at, Gone: []string{of[gone].ID.Key}})
			require.NoError(r, err)
			logs[name] = slices.Delete(slices.Clone(of), gone, gone+1)
		}
		bound := rapid.Int64Range(-5*24*3600_000, 45*24*3600_000)
		from, to := end.Add(-time.Duration(bound.Draw(r, "from"))*time.Millisecond), end.Add(-time.Duration(bound.Draw(r, "to"))*time.Millisecond)
		if of := logs[name]; len(of) > 0 && rapid.Bool().Draw(r, "edge") { // a call begins at the bound
			if one := rapid.SampledFrom(of).Draw(r, "call"); !one.StartedAt.IsZero() {
				from = one.StartedAt
			}
		}
		within := filter.Within("timestamp", from, to)
		n, err := s.Calls(ctx, name, from, to)
		require.NoError(r, err)
		assert.Equal(r, fitting(logs[name], within), n)
		for _, c := range []struct {
			filter.Expr
			want int
		}{
			{filter.All(filter.Cond{Field: "source", Op: filter.Eq, Value: name}, within), n}, {within, fitting(logs["a"], within) + fitting(logs["b"], within)},
		} {
			p, err := s.Find(ctx, call.Query{Where: c.Expr, Limit: 1, Exhaust: true})
			require.NoError(r, err)
			assert.Equal(r, c.want, *p.Total)
		}
	})
}

// fitting is how many of logs match.
func fitting(logs []*call.Log, where filter.Expr) (n int) {
	for _, l := range logs {
		if filter.Match(where, l) {
			n++
		}
	}
	return n
}
