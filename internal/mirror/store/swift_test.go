package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// Where many calls are stored, questions are first answered by the database and
// then from memory, and that makes no difference.
func TestMemoryAnswersAsTheDatabase(t *testing.T) {
	defer goleak.VerifyNone(t)
	logs := calltest.Logs("s", 300, 9, end)
	s, err := store.Open(ctx, store.Options{Path: onDisk(t)})
	require.NoError(t, err)
	defer s.Close()
	s.Small(10)
	commit(t, s, store.Change{Source: "s", Put: logs})
	where := filter.Cond{Field: "success", Op: filter.Eq, Value: true}
	ask := func(o call.Order) (found []*call.Log, scores []float64) {
		p := find(t, s, call.Query{Text: said(t, "order"), Where: where, Order: o, Limit: 300})
		for _, h := range p.Hits {
			scores = append(scores, h.Score)
		}
		return p.Logs, scores
	}
	newest, _ := ask(call.Newest)
	ranked, scores := ask(call.Relevance)
	require.Greater(t, len(newest), 3)
	require.Less(t, len(newest), 300)
	assert.Len(t, ranked, len(newest))
	for range 40 { // the columns arrive while it goes on
		again, _ := ask(call.Newest)
		require.Equal(t, newest, again)
		again, same := ask(call.Relevance)
		require.Equal(t, ranked, again)
		require.Equal(t, scores, same)
	}
	for _, l := range newest {
		changed := *l
		changed.Success = new(false)
		commit(t, s, store.Change{Source: "s", Put: []*call.Log{&changed}, ReadAt: end.Add(time.Minute)})
	}
	none, _ := ask(call.Newest)
	assert.Empty(t, none)
	none, _ = ask(call.Relevance)
	assert.Empty(t, none)
}
