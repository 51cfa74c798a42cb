package store

import (
	"errors"
	"math"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// A pick is the rows of the columns in memory that fit a question without a text.
type pick struct {
	*rows
	picked []int32
}

// inMemory picks the rows that fit x, if the columns in memory can answer its
// filter and are there. Those of a large store are read for the questions that
// follow. unlock has to be called where ok.
func (x *question) inMemory() (in pick, unlock func(), ok bool, err error) {
	need := map[string]bool{}
	if x.q.Text != nil || !tested(x.q.Where, need) {
		return in, nil, false, nil
	}
	if ok, err := x.store.atHand(x.conn, need); err != nil || !ok {
		return in, nil, false, err
	}
	if in.rows, unlock, err = x.store.current(x.conn, keysOf(need)); err != nil {
		return in, nil, false, err
	}
	lo, hi := x.lo, x.hi
	if x.timeless {
		lo, hi = math.MinInt64, math.MaxInt64
	}
	if in.picked, err = in.selected(x.conn, x.q.Where, lo, hi); err != nil {
		unlock()
		return in, nil, false, err
	}
	return in, unlock, true, nil
}

// maxTies is how many calls of one length are put in order in memory.
const maxTies = 1000

// byLengthInMemory is byLength where the columns in memory can answer it, and
// enough calls have a length.
func (x *question) byLengthInMemory() (places []place, ok bool, err error) {
	in, unlock, ok, err := x.inMemory()
	if err != nil || !ok {
		return nil, false, err
	}
	ids, ranks := in.nearest(x.q, x.limit+1)
	unlock()
	if ids == nil {
		return nil, false, nil
	}
	l := &line{after: x.q.After, want: x.limit + 1}
	query := "SELECT " + placeColumns + " FROM calls c WHERE c.id = ? AND " + x.sql
	for i, id := range ids {
		var at place
		var bad error
		found, err := x.first(query, append([]any{id}, x.args...), func(stmt *sqlite3.Stmt) { at, bad = x.place(stmt) })
		if err = errors.Join(err, bad); err != nil || !found || at.mark.Value != ranks[i] { // the columns may be a moment newer
			return nil, false, err
		}
		l.add(at)
	}
	l.settle(everyone)
	return l.done, true, nil
}

// nearest are the ids of the rows that come next in the order of lengths, want
// of them and those as long as the last, and their lengths as a Mark has them;
// nil where there are fewer, or too many.
func (in pick) nearest(q call.Query, want int) (ids, values []int64) {
	rank := func(i int32) int64 {
		if q.Order == call.Longest {
			return -in.length[i]
		}
		return in.length[i]
	}
	var ranks []int64 // the smallest so far
	last := int64(math.MaxInt64)
	keep := func() {
		slices.Sort(ranks)
		if len(ranks) >= want {
			ranks = ranks[:want]
			last = ranks[want-1]
		}
	}
	in.picked = slices.DeleteFunc(in.picked, func(i int32) bool {
		if in.length[i] == none || q.After != nil && rank(i) < q.After.Value {
			return true
		}
		if q.After != nil && rank(i) == q.After.Value {
			return false // whether it comes behind, its name tells
		}
		if r := rank(i); r < last {
			if ranks = append(ranks, r); len(ranks) == 4*want {
				keep()
			}
		}
		return false
	})
	if keep(); len(ranks) < want {
		return nil, nil
	}
	for _, i := range in.picked {
		if rank(i) <= last {
			if ids, values = append(ids, in.ids[i]), append(values, rank(i)); len(ids) > want+maxTies {
				return nil, nil
			}
		}
	}
	return ids, values
}
