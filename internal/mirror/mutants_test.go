package mirror

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// A bent source answers other than it was asked.
type bent struct {
	call.Source
	find func(context.Context, call.Query) (call.Page, error)
}

func (b bent) Find(ctx context.Context, q call.Query) (call.Page, error) { return b.find(ctx, q) }

// bend makes a mutant of the questions and answers.
func bend(find func(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error)) func(*world, call.Source) call.Source {
	return func(w *world, s call.Source) call.Source {
		return bent{s, func(ctx context.Context, q call.Query) (call.Page, error) { return find(w, s, ctx, q) }}
	}
}

// A forger changes what is written.
type forger struct {
	ledger
	change func(*store.Change)
}

func (f forger) Commit(ctx context.Context, c store.Change) (store.Written, error) {
	f.change(&c)
	return f.ledger.Commit(ctx, c)
}

func forge(change func(w *world, c *store.Change)) func(*world, ledger) ledger {
	return func(w *world, l ledger) ledger {
		return forger{l, func(c *store.Change) { change(w, c) }}
	}
}

// asks is what a question is about.
func asks(q call.Query) (idFrom, idTo int64, keys bool) {
	for c := range filter.Conds(q.Where) {
		switch {
		case c.Field == "id" && c.Op == filter.In:
			keys = true
		case c.Field == "id" && c.Op == filter.Gte:
			idFrom = int64(c.Value.(float64))
		case c.Field == "id" && c.Op == filter.Lte:
			idTo = int64(c.Value.(float64))
		}
	}
	return idFrom, idTo, keys
}

// widen moves the bounds of a question.
func widen(where filter.Expr, from, to time.Duration, id float64) filter.Expr {
	var out filter.And
	for c := range filter.Conds(where) {
		switch t, _ := c.Value.(time.Time); {
		case c.Field == "timestamp" && c.Op == filter.Gte:
			c.Value = t.Add(from)
		case c.Field == "timestamp" && c.Op == filter.Lte:
			c.Value = t.Add(to)
		case c.Field == "id" && c.Op == filter.Gte:
			c.Value = c.Value.(float64) + id
		}
		out = append(out, c)
	}
	return out
}

func empty(w *world) call.Page {
	return call.Page{Clock: w.sea.now.Truncate(time.Second), Coverage: call.Coverage{Complete: true, Calls: new(int)}}
}

// sureOf changes what a completed cycle is sure of.
func sureOf(top func(w *world) int64) func(*world, ledger) ledger {
	return forge(func(w *world, c *store.Change) {
		before, _ := parseState(w.book.state)
		st, err := parseState(c.State)
		if err == nil && before.Cycle != nil && st.Cycle == nil {
			st.IDs = max(st.IDs, top(w))
			c.State = st.bytes()
		}
	})
}

// mutants are the bugs that a sync like this may have.
func mutants() []mutant {
	return []mutant{
		{name: "key frontier from what is stored", kind: "late", ledger: sureOf(func(w *world) (top int64) {
			for key := range w.book.calls {
				id, _ := number(key)
				top = max(top, id)
			}
			return top
		})},
		{name: "key frontier from the end", kind: "late", ledger: sureOf(func(w *world) int64 { return w.next })},
		{name: "no key frontier", source: bend(func(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			if from, _, _ := asks(q); from > 0 && q.Where != nil {
				if lo, hi, _ := filter.Bounds(q.Where, "timestamp"); hi.Sub(lo) > time.Second {
					return empty(w), nil
				}
			}
			return s.Find(ctx, q)
		})},
		{name: "no look for more", source: bend(func(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			q.Limit++ // or a full page would give it away
			p, err := s.Find(ctx, q)
			if q.Limit > 2 {
				p.Logs = p.Logs[:min(len(p.Logs), q.Limit-2)]
				p.Next, p.Coverage.Searched, p.Coverage.Calls = nil, len(p.Logs), new(len(p.Logs))
			}
			return p, err
		})},
		{name: "deletion not confirmed", source: bend(func(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			p, err := s.Find(ctx, q)
			if _, _, keys := asks(q); keys { // all that it is asked about is gone, but for who vouches for it
				st, _ := parseState(w.book.state)
				p.Logs = slices.DeleteFunc(p.Logs, func(l *call.Log) bool { _, missing := st.Missing[l.ID.Key]; return missing })
			}
			return p, err
		})},
		{name: "never deletes", ledger: forge(func(_ *world, c *store.Change) { c.Gone = nil })},
		{name: "frontier moves over a fault", source: bend(func(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			p, err := s.Find(ctx, q)
			if kind(err) == call.Unavailable {
				return empty(w), nil
			}
			return p, err
		})},
		{name: "split off by one second", source: bend(func(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			if from, to, _ := filter.Bounds(q.Where, "timestamp"); to.Sub(from) > 3*time.Second && to.Sub(from) < 20*day {
				q.Where = widen(q.Where, 0, -time.Second, 0)
			}
			return s.Find(ctx, q)
		})},
		{name: "key split off by one", source: bend(func(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			if from, _, _ := asks(q); from > 0 {
				q.Where = widen(q.Where, 0, 0, 1)
			}
			return s.Find(ctx, q)
		})},
		{name: "no margin for clocks", source: bend(func(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			if _, to, _ := filter.Bounds(q.Where, "timestamp"); to.After(w.sea.now) {
				q.Where = widen(q.Where, 0, w.sea.now.Sub(to)-3*time.Second, 0)
			}
			return s.Find(ctx, q)
		})},
		{name: "windows of 40 days", window: 40 * day},
		{name: "page 2 is asked for", page: 1 << 20, source: bend(walkPages)},
		{name: "always writes", ledger: forge(func(_ *world, c *store.Change) {
			for i, l := range c.Put {
				copied := *l
				c.Put[i] = &copied
			}
		})},
		{name: "inserts or ignores", ledger: forge(func(w *world, c *store.Change) {
			c.Put = slices.DeleteFunc(c.Put, func(l *call.Log) bool { return w.book.calls[l.ID.Key] != nil })
		})},
	}
}

// walkPages reads a window by page numbers, as everybody does.
func walkPages(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error) {
	if q.Limit == 1 { // it has no use for a count
		p, err := s.Find(ctx, q)
		p.Coverage.Calls = new(int)
		return p, err
	}
	var out call.Page
	met := map[call.ID]bool{}
	clamp := w.clamp
	w.clamp = q.Limit
	defer func() { w.clamp = clamp }()
	for from := 0; ; from += w.page {
		p, err := s.Find(ctx, q)
		if err != nil {
			return call.Page{}, err
		}
		for _, l := range p.Logs[min(from, len(p.Logs)):min(from+w.page, len(p.Logs))] {
			if !met[l.ID] {
				met[l.ID] = true
				out.Logs = append(out.Logs, l)
			}
		}
		if out.Clock = p.Clock; from+w.page >= len(p.Logs) {
			out.Coverage = call.Coverage{Complete: true}
			return out, nil
		}
	}
}

// The histories have to notice each bug that they are there for. With -v it is a
// table of how many they took.
func TestMutants(t *testing.T) {
	const most = 1000
	for _, m := range slices.Concat(mutants(), pageMutants()) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(most) {
				if _, wrongs := history(seed, scales[len(scales)-1], m); len(wrongs) > 0 {
					_, clean := history(seed, scales[len(scales)-1], mutant{kind: m.kind})
					assert.Empty(t, clean, "without the bug")
					t.Logf("%-34s %-7s %3d  %s", m.name, m.kind, seed+1, wrongs[0])
					return
				}
			}
			assert.Failf(t, "not caught", "%d histories saw nothing", most)
		})
	}
}
