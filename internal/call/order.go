package call

import (
	"cmp"
	"math"
	"strings"
	"time"
)

// An Order is how the logs of a Page are sorted; the zero Order is Newest. Each
// is total: ties are broken by the id, so that a Mark names one position.
type Order string

// The orders. Logs without the value that is sorted by come last in each.
const (
	Newest   Order = "newest"
	Oldest   Order = "oldest"
	Longest  Order = "longest"
	Shortest Order = "shortest"

	// Relevance sorts by Hit.Score, which only a Ranker knows.
	Relevance Order = "relevance"
)

// A Mark is a position in an Order: that of the log with this id and value.
type Mark struct {
	Value int64 // what Order sorts by; smaller comes first
	ID    ID
	// Open says that of the logs with this Value only that with this ID was met:
	// others may come before it that the upstream has not told of yet.
	Open bool
}

// Passed reports whether a walk that stands at m has met the log at n.
func (m *Mark) Passed(n *Mark) bool {
	if m.Open && m.Value == n.Value {
		return m.ID == n.ID
	}
	return n.Compare(m) <= 0
}

// Mark returns the position of l.
func (o Order) Mark(l *Log) *Mark { return &Mark{Value: o.value(l), ID: l.ID} }

// MarkAt is the position of the log with this index.
func (p Page) MarkAt(o Order, i int) *Mark {
	if o == Relevance {
		return &Mark{Value: -int64(p.Hits[i].Score * 1e6), ID: p.Logs[i].ID}
	}
	return o.Mark(p.Logs[i])
}

// Compare is negative where a comes before b.
func (o Order) Compare(a, b *Log) int { return o.Mark(a).Compare(o.Mark(b)) }

// Compare is negative where m comes before n in the same Order.
func (m *Mark) Compare(n *Mark) int {
	if c := cmp.Compare(m.Value, n.Value); c != 0 {
		return c // in most cases, and thousands of logs are sorted for one page
	}
	return cmp.Or(strings.Compare(m.ID.Source, n.ID.Source), compareKeys(n.ID.Key, m.ID.Key))
}

// value is what o sorts by, ascending; a missing one is the largest.
func (o Order) value(l *Log) int64 {
	switch {
	case o == Longest && l.Duration != nil:
		return -int64(*l.Duration)
	case o == Shortest && l.Duration != nil:
		return int64(*l.Duration)
	case o == Longest, o == Shortest, l.StartedAt.IsZero():
		return math.MaxInt64
	case o == Oldest:
		return l.StartedAt.UnixMilli()
	}
	return -l.StartedAt.UnixMilli()
}

// Time is the start time that m stands for, in the orders Newest and Oldest;
// the zero time where the log had none.
func (o Order) Time(m *Mark) time.Time {
	switch {
	case m.Value == math.MaxInt64:
		return time.Time{}
	case o == Oldest:
		return time.UnixMilli(m.Value).UTC()
	}
	return time.UnixMilli(-m.Value).UTC()
}

// compareKeys orders numeric keys by number, so that 9 comes before 10, and
// before all others: 9 < 10 < 1a < 9 would be no order.
func compareKeys(a, b string) int {
	switch x, y := isDigits(a), isDigits(b); {
	case x && y:
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	case x:
		return -1
	case y:
		return 1
	}
	return strings.Compare(a, b)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
