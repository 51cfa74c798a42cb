package mirror

import (
	"math"
	"slices"
	"strconv"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// A span is a part of a source's calls: those that began in the seconds from a
// to before b and, where set, have numeric keys from idFrom to idTo. Whole
// seconds hold whatever an API rounds, and whether it takes an end as included.
type span struct {
	a, b         int64 // Unix seconds
	idFrom, idTo int64 // both included, 0 is open
}

// newSpan is the seconds from one time to another, both included.
func newSpan(from, to time.Time) span { return span{a: from.Unix(), b: to.Unix() + 1} }

func (sp span) from() time.Time { return time.Unix(sp.a, 0).UTC() }
func (sp span) to() time.Time   { return time.Unix(sp.b, 0).UTC().Add(-time.Microsecond) }

func (sp span) window() call.Window { return call.Window{From: sp.from(), To: sp.to()} }

// where is the question for sp.
func (sp span) where() filter.Expr {
	where := []filter.Expr{filter.Within("timestamp", sp.from(), sp.to())}
	if sp.idFrom > 0 {
		where = append(where, filter.Cond{Field: "id", Op: filter.Gte, Value: float64(sp.idFrom)})
	}
	if sp.idTo > 0 {
		where = append(where, filter.Cond{Field: "id", Op: filter.Lte, Value: float64(sp.idTo)})
	}
	return filter.All(where...)
}

func (sp span) leaf(at time.Time, calls int) *store.Leaf {
	return &store.Leaf{From: sp.from(), To: sp.to(), IDFrom: sp.idFrom, IDTo: sp.idTo, ReadAt: at, Calls: calls}
}

// room is how many parts more than needed a span is cut into, since calls are
// not spread evenly: measured, a third more makes the fewest requests.
const room = 1.35

// parts cuts sp by time so that count calls fit on pages of size, or returns nil
// for a single second. It cuts at times that do not depend on where sp begins,
// so that the leaves of one cycle replace those of the last.
func (sp span) parts(count, size int) []span {
	length := sp.b - sp.a
	if length <= 1 {
		return nil
	}
	n := int64(math.Ceil(float64(count)/float64(size)*room)) + 1
	n = min(max(n, 2), length)
	step := grid((length + n - 1) / n)
	var out []span
	for a := sp.a; a < sp.b; {
		part := sp
		part.a, part.b = a, min((a/step+1)*step, sp.b)
		out, a = append(out, part), part.b
	}
	return out
}

// grid is the largest of a series of lengths, each a fifth longer than the one
// before, that is at most want. Few lengths make few different leaves.
func grid(want int64) int64 {
	length := int64(1)
	for next := length; next <= want; next += max(1, next/5) {
		length = next
	}
	return length
}

// halves cuts sp by the keys of calls in it, or returns nil where they do not
// tell how.
func (sp span) halves(logs []*call.Log) []span {
	var ids []int64
	for _, l := range logs {
		if id, ok := number(l.ID.Key); ok {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	middle := ids[(len(ids)-1)/2]
	if middle < max(sp.idFrom, 1) || sp.idTo > 0 && middle >= sp.idTo {
		return nil
	}
	low, high := sp, sp
	low.idTo, high.idFrom = middle, middle+1
	return []span{low, high}
}

// idParts cuts sp by keys, from the lowest to top, so that count calls fit on
// pages of size. New calls are close together by their keys, not by their times.
func (sp span) idParts(count, size int, top int64) []span {
	first, last := max(sp.idFrom, 1), sp.idTo
	if last == 0 {
		last = max(top, first+1)
	}
	if first >= last {
		return nil
	}
	n := max(int64(math.Ceil(float64(count)/float64(size)*room))+1, 2)
	step := (last - first + n) / n
	var out []span
	for id := first; id <= last; id += step {
		part := sp
		part.idFrom, part.idTo = id, min(id+step-1, last)
		out = append(out, part)
	}
	out[len(out)-1].idTo = sp.idTo
	return out
}

// highest is the highest key of logs, 0 where none is a number.
func highest(logs []*call.Log) (top int64) {
	for _, l := range logs {
		if id, ok := number(l.ID.Key); ok {
			top = max(top, id)
		}
	}
	return top
}

// cut divides sp into windows that are at most wide.
func (sp span) cut(wide time.Duration) []span {
	var out []span
	for a := sp.a; a < sp.b; {
		part := sp
		part.a, part.b = a, min(a+int64(wide/time.Second), sp.b)
		out, a = append(out, part), part.b
	}
	return out
}

// number is a key as a number, where it is one.
func number(key string) (int64, bool) {
	id, err := strconv.ParseInt(key, 10, 64)
	return id, err == nil && id > 0
}
