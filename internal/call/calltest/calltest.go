// Package calltest holds the contract of call.Source as a test suite, which
// every source runs, and random call logs to run it on.
package calltest

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// Options are what TestSource has to know of a source.
type Options struct {
	Source string      // the name that all ids carry; "" where they differ
	Logs   int         // how many logs the source holds within Window
	Window call.Window // put to every question; the zero Window puts no bounds

	// Unanswered are fields of call.Fields that the source cannot filter on,
	// as they are spelled there.
	Unanswered []string

	// Mutable changes what the source holds while it is walked; nil where
	// nothing can.
	Mutable Mutable
}

// Mutable is the hand that changes a source from behind.
type Mutable interface {
	// Insert adds a call like that of an id, starting at a time, under a new key.
	Insert(like call.ID, at time.Time)
	// Delete takes a call away.
	Delete(id call.ID)
}

// TestSource holds src to the contract of call.Source. It asks some thousand
// questions, and walks all that src holds several times, so a source on a
// network is best served from this machine, with some hundred logs.
//
// The suite draws random filters and queries from what it sees in the logs;
// what it proves grows with their variety.
func TestSource(t *testing.T, src call.Source, o Options) {
	u := learn(t, src, o)
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) { p.check(t, u) })
	}
}

// A tb is what a part reports to. It is no *testing.T, so that the suite can be
// tested on sources that fail it.
type tb = rapid.TB

var parts = []struct {
	name  string
	check func(tb, *universe)
}{
	{"Shape", checkShape},
	{"Orders", checkOrders},
	{"Limits", checkLimits},
	{"Walks", checkWalks},
	{"Filters", checkFilters},
	{"Texts", checkTexts},
	{"Get", checkGet},
	{"Cancelled", checkCancelled},
	{"Unshared", checkUnshared},
	{"Concurrent", checkConcurrent},
	{"Arrivals", checkArrivals}, // the last, since it changes the source
}

var orders = []call.Order{call.Newest, call.Oldest, call.Longest, call.Shortest}

// A universe is all that a source holds, as it said itself.
type universe struct {
	src  call.Source
	o    Options
	logs []*call.Log // newest first, with all that Get knows
}

// learn walks through src and fetches what its lists leave out.
func learn(t tb, src call.Source, o Options) *universe {
	t.Helper()
	u := &universe{src: src, o: o}
	logs, _ := u.all(t, call.Query{Limit: 100})
	if len(logs) != o.Logs {
		t.Fatalf("a walk through everything meets %d logs, want %d", len(logs), o.Logs)
	}
	for _, l := range logs {
		if !l.Detailed {
			var err error
			if l, err = src.Get(context.Background(), l.ID); err != nil {
				t.Fatalf("Get: %v", err)
			}
		}
		u.logs = append(u.logs, l)
	}
	return u
}

// page asks q and checks what holds of every page.
func (u *universe) page(t tb, q call.Query) call.Page {
	t.Helper()
	asked := q
	asked.Where = filter.All(filter.Within("timestamp", u.o.Window.From, u.o.Window.To), q.Where)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p, err := u.src.Find(ctx, asked)
	if err != nil {
		t.Fatalf("Find(%s): %v", say(q), err)
	}
	limit := q.Limit
	if limit == 0 {
		limit = call.DefaultLimit
	}
	if len(p.Logs) > limit {
		t.Errorf("Find(%s): %d logs, limit %d", say(q), len(p.Logs), limit)
	}
	if q.Text == nil && p.Hits != nil || q.Text != nil && len(p.Hits) != len(p.Logs) {
		t.Errorf("Find(%s): %d hits for %d logs", say(q), len(p.Hits), len(p.Logs))
	}
	u.checkMarks(t, q, p)
	if p.Next == nil && !p.Coverage.Complete {
		t.Errorf("Find(%s): the last page says that not everything was looked at", say(q))
	}
	return p
}

// checkMarks holds a page to its order: each log is behind the one before, the
// first behind q.After and none behind Next.
func (u *universe) checkMarks(t tb, q call.Query, p call.Page) {
	t.Helper()
	last := q.After
	for i, l := range p.Logs {
		if l == nil {
			t.Fatalf("Find(%s): log %d is nil", say(q), i)
		}
		mark := q.Order.Mark(l)
		if last != nil && mark.Compare(last) <= 0 {
			t.Errorf("Find(%s): log %d, %s, is out of order", say(q), i, l.ID)
		}
		last = mark
	}
	if p.Next == nil {
		return
	}
	if last != nil && p.Next.Compare(last) < 0 {
		t.Errorf("Find(%s): Next lies before the page's last log", say(q))
	}
	if q.After != nil && p.Next.Compare(q.After) <= 0 {
		t.Fatalf("Find(%s): Next does not go on", say(q))
	}
}

// all walks to the end of q.
func (u *universe) all(t tb, q call.Query) (logs []*call.Log, hits []call.Hit) {
	t.Helper()
	for range u.o.Logs + 100 {
		p := u.page(t, q)
		logs, hits = append(logs, p.Logs...), append(hits, p.Hits...)
		if p.Next == nil {
			return logs, hits
		}
		q.After = p.Next
	}
	t.Fatalf("Find(%s): the walk has no end", say(q))
	return nil, nil
}

// ordered is the universe as o sorts it.
func (u *universe) ordered(o call.Order) []*call.Log {
	return slices.SortedFunc(slices.Values(u.logs), o.Compare)
}
