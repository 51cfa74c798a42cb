package call_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// at is a call that began n seconds after an hour.
func at(key string, n int) *call.Log {
	return &call.Log{
		ID: call.ID{Source: "s", Key: key}, StartedAt: end.Add(time.Duration(n) * time.Second),
		Duration: new(time.Duration(n) * time.Second),
	}
}

func keys(logs []*call.Log) string {
	out := make([]string, len(logs))
	for i, l := range logs {
		out[i] = l.ID.Key
	}
	return strings.Join(out, " ")
}

// upstream hands out logs in batches, in the order they have, and fails after
// some batches where fail is not 0.
func upstream(logs []*call.Log, size, overlap, fail int) call.Fetch {
	from, fetched := 0, 0
	return func(context.Context) (call.Batch, error) {
		if fetched++; fail > 0 && fetched > fail {
			return call.Batch{}, &call.Error{Kind: call.Unavailable, Msg: "the upstream is down."}
		}
		to := min(from+size, len(logs))
		b := call.Batch{Logs: logs[max(0, from-overlap):to], More: to < len(logs), Calls: new(len(logs))}
		from = to
		return b, nil
	}
}

func collect(t *testing.T, q call.Query, rest filter.Expr, fetch call.Fetch) call.Page {
	t.Helper()
	p, err := call.Collect(context.Background(), q, rest, fetch)
	require.NoError(t, err)
	return p
}

var notB = filter.Cond{Field: "id", Op: filter.Neq, Value: "b"}

func TestCollect(t *testing.T) {
	// As the upstream has them: newest first, ids of a tie as they come.
	logs := []*call.Log{at("a", 9), at("b", 8), at("d", 7), at("c", 7), at("e", 7), at("f", 2), at("g", 1), at("h", 0)}
	p := collect(t, call.Query{Limit: 3}, notB, upstream(logs, 2, 0, 0))
	assert.Equal(t, "a e d", keys(p.Logs), "the last id of a tie is first")
	assert.Equal(t, "d", p.Next.ID.Key)
	assert.Nil(t, p.Total, "the upstream's count is of what it filters")
	assert.False(t, p.Coverage.Complete, "how many match is not known")

	p = collect(t, call.Query{Limit: 3, After: p.Next}, notB, upstream(logs, 2, 1, 0))
	assert.Equal(t, "c f g", keys(p.Logs))
	p = collect(t, call.Query{Limit: 3, After: p.Next}, notB, upstream(logs, 2, 1, 0))
	assert.Equal(t, "h", keys(p.Logs))
	assert.Nil(t, p.Next)
	assert.Nil(t, p.Total, "the first page alone can know")

	p = collect(t, call.Query{Limit: 2}, nil, upstream(logs, 2, 0, 0))
	assert.Equal(t, new(8), p.Total, "without a rest the upstream's count is the total")

	p = collect(t, call.Query{Limit: 2, Exhaust: true}, notB, upstream(logs, 2, 1, 0))
	assert.Equal(t, "a e", keys(p.Logs))
	assert.Equal(t, new(7), p.Total, "what two batches share counts once")
	assert.Equal(t, call.Coverage{Calls: new(8), Searched: 8, Complete: true}, p.Coverage)

	p = collect(t, call.Query{Limit: 2, Order: call.Longest}, notB, upstream(logs, 2, 0, 0))
	assert.Equal(t, "a e", keys(p.Logs), "all is read before the longest is known")
	assert.Equal(t, new(7), p.Total)
	p = collect(t, call.Query{Limit: 3, Order: call.Shortest}, notB, upstream(logs, 2, 0, 0))
	assert.Equal(t, "h g f", keys(p.Logs))
	p = collect(t, call.Query{Limit: 9, Order: call.Shortest, After: p.Next}, notB, upstream(logs, 2, 0, 0))
	assert.Equal(t, "e d c a", keys(p.Logs))
	assert.Equal(t, new(7), p.Total, "all was read anyway")
}

func TestCollectStopsAtScan(t *testing.T) {
	logs := []*call.Log{at("a", 9), at("b", 8), at("d", 7), at("c", 7), at("e", 7), at("f", 2), at("g", 1)}
	none := filter.Cond{Field: "id", Op: filter.Eq, Value: "none"}

	p := collect(t, call.Query{Scan: 4}, nil, upstream(logs, 1, 0, 0))
	assert.Equal(t, "a b", keys(p.Logs), "a tie that is not read to its end is left to the next page")
	assert.Equal(t, "b", p.Next.ID.Key)
	assert.False(t, p.Coverage.Complete)
	assert.Equal(t, end.Add(8*time.Second), p.Coverage.Back)

	p = collect(t, call.Query{Scan: 2, After: p.Next}, nil, upstream(logs, 1, 0, 0))
	assert.Equal(t, "e d c", keys(p.Logs), "but read to its end where it is longer than the scan")
	assert.Equal(t, "c", p.Next.ID.Key)

	p = collect(t, call.Query{Scan: 2}, none, upstream(logs, 1, 0, 0))
	assert.Empty(t, p.Logs)
	assert.Equal(t, "a", p.Next.ID.Key, "an empty page goes on, too: one more log may be of b's time")

	p = collect(t, call.Query{Scan: 3, Order: call.Longest}, nil, upstream(logs, 1, 0, 0))
	assert.Equal(t, "a b d", keys(p.Logs))
	assert.False(t, p.Coverage.Complete)
	assert.Equal(t, new(7), p.Total)
}

func TestCollectFails(t *testing.T) {
	logs := []*call.Log{at("a", 9), at("b", 8), at("d", 7), at("c", 7), at("e", 7), at("f", 2)}
	_, err := call.Collect(context.Background(), call.Query{}, nil, upstream(logs, 1, 0, 1))
	require.ErrorContains(t, err, "the upstream is down", "a first log that may have a tie proves nothing")

	p := collect(t, call.Query{}, nil, upstream(logs, 1, 0, 4))
	assert.Equal(t, "a b", keys(p.Logs))
	assert.Equal(t, []string{"reading stopped early: the upstream is down."}, p.Notes)
	require.EqualError(t, p.Cut, "the upstream is down.", "who asks on has to know")
	assert.Equal(t, "b", p.Next.ID.Key)
	assert.False(t, p.Coverage.Complete)

	ctx, cancel := context.WithCancel(context.Background())
	fetched := 0
	_, err = call.Collect(ctx, call.Query{}, nil, func(context.Context) (call.Batch, error) {
		if fetched++; fetched > 3 {
			cancel()
			return call.Batch{}, call.Stopped(ctx.Err())
		}
		return call.Batch{Logs: logs[fetched-1 : fetched], More: true}, nil
	})
	var e *call.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, call.Canceled, e.Kind, "who has gone needs no half page")
}

// However an upstream cuts its list, and wherever a scan ends, a walk meets
// each match once and in order.
func TestCollectWalks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := rapid.SampledFrom([]call.Order{call.Newest, call.Oldest}).Draw(t, "order")
		var logs []*call.Log
		for i, n := range rapid.SliceOfN(rapid.IntRange(0, 8), 0, 30).Draw(t, "starts") {
			l := at(strconv.Itoa(i), n)
			if n == 8 {
				l.StartedAt = time.Time{}
			}
			logs = append(logs, l)
		}
		slices.SortStableFunc(logs, func(a, b *call.Log) int { // ties stay as they are
			x, y := *o.Mark(a), *o.Mark(b)
			x.ID, y.ID = call.ID{}, call.ID{}
			return x.Compare(&y)
		})
		rest := rapid.SampledFrom([]filter.Expr{nil, filter.Cond{Field: "id", Op: filter.Contains, Value: "1"}}).Draw(t, "rest")
		q := call.Query{
			Order: o, Limit: rapid.IntRange(1, 5).Draw(t, "limit"),
			Scan: rapid.IntRange(1, 40).Draw(t, "scan"), Exhaust: rapid.Bool().Draw(t, "exhaust"),
		}
		size, overlap := rapid.IntRange(1, 7).Draw(t, "size"), rapid.IntRange(0, 3).Draw(t, "overlap")
		var got []*call.Log
		for range 100 {
			p, err := call.Collect(context.Background(), q, rest, upstream(logs, size, overlap, 0))
			require.NoError(t, err)
			got = append(got, p.Logs...)
			if p.Next == nil {
				break
			}
			q.After = p.Next
		}
		want := slices.DeleteFunc(slices.SortedFunc(slices.Values(logs), o.Compare), func(l *call.Log) bool { return !filter.Match(rest, l) })
		require.Equal(t, keys(want), keys(got))
	})
}

func TestSortedReadsItsWindowAlone(t *testing.T) {
	logs := []*call.Log{at("a", 1), at("b", 2), at("c", 3), {ID: call.ID{Source: "s", Key: "timeless"}}}
	w := call.Window{From: end.Add(2 * time.Second), To: end.Add(3 * time.Second)}
	p, err := call.Sorted(context.Background(), call.Query{Where: filter.Within("timestamp", w.From, w.To)}, logs)
	require.NoError(t, err)
	assert.Equal(t, "c b", keys(p.Logs))
	assert.Equal(t, w, p.Window)
	assert.Equal(t, call.Coverage{Calls: new(2), Searched: 2, Complete: true}, p.Coverage)
	assert.Equal(t, "a b c timeless", keys(logs), "the caller's list stays as it is")
	assert.Equal(t, call.Window{From: end.Add(time.Second), To: end.Add(3 * time.Second)}, call.Span(logs))
	assert.Zero(t, call.Span(logs[3:]))
}

func TestStopped(t *testing.T) {
	assert.Equal(t, call.Canceled, call.Stopped(context.Canceled).Kind)
	assert.Equal(t, call.Timeout, call.Stopped(fmt.Errorf("waiting: %w", context.DeadlineExceeded)).Kind)
	assert.True(t, errors.Is(call.Stopped(context.Canceled), context.Canceled))
}
