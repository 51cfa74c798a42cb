package mirror

import (
	"context"
	"fmt"
	"slices"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// pageMutants are the bugs that reading by pages may have, and those of calls
// that must not be stored.
func pageMutants() []mutant {
	return []mutant{
		{name: "one walk instead of two", kind: "pages", source: oneWalk},
		{name: "stops at the first page", kind: "pages", source: bend(func(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			p, err := s.Find(ctx, q)
			p.Logs, p.Next, p.Coverage.Complete = p.Logs[:min(len(p.Logs), w.page)], nil, true
			return p, err
		})},
		{name: "believes a lie of order", kind: "pages", source: bend(func(w *world, _ call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			return numbered(w.reel, ctx, q, true)
		})},
		{name: "pages without overlap", kind: "pages", source: bend(func(w *world, _ call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			return numbered(w.reel, ctx, q, false)
		})},
		{name: "half a list is a list", kind: "pages", source: bend(func(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			p, err := s.Find(ctx, q)
			p.Coverage.Complete = true
			return p, err
		})},
		{name: "not found is gone", kind: "pages", gets: true},
		{name: "a mark is lost", kind: "pages", source: bend(func(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			p, err := s.Find(ctx, q)
			for i, l := range p.Logs {
				if l.Sensitive {
					copied := *l
					copied.Sensitive, p.Logs[i] = false, &copied
				}
			}
			return p, err
		})},
		{name: "a mark that comes later is lost", ledger: forge(func(w *world, c *store.Change) {
			c.Put = slices.DeleteFunc(c.Put, func(l *call.Log) bool {
				was := w.book.calls[l.ID.Key]
				return l.Sensitive && was != nil && !was.gone
			})
		})},
		{name: "what is withheld is not told of", kind: "times", ledger: forge(func(w *world, c *store.Change) {
			if st, err := parseState(c.State); err == nil && c.State != nil {
				st.Withheld = nil
				c.State = st.bytes()
			}
		})},
		{name: "the sources share a state", kind: "beside", ledger: func(w *world, l ledger) ledger {
			return confused{l, w.beside}
		}},
	}
}

// oneWalk answers each question twice in the same way, so that two walks are one.
func oneWalk(w *world, s call.Source) call.Source {
	asked := map[string]call.Page{}
	return bent{s, func(ctx context.Context, q call.Query) (call.Page, error) {
		key := fmt.Sprint(q.Where, q.Limit, q.After)
		if p, again := asked[key]; again {
			delete(asked, key)
			return p, nil
		}
		p, err := s.Find(ctx, q)
		if err == nil {
			asked[key] = p
		}
		return p, err
	}}
}

// numbered reads page after page, as everybody does, and may stop at the first
// call before the window.
func numbered(r *reel, ctx context.Context, q call.Query, stops bool) (call.Page, error) {
	out := call.Page{Coverage: call.Coverage{Complete: true}}
	within, _ := filter.Split(q.Where, func(filter.Expr) bool { return true })
	from, _, _ := filter.Bounds(q.Where, "timestamp")
	for page := 0; ; page++ {
		rows, err := r.rows(ctx, page, r.size)
		if err != nil {
			return call.Page{}, err
		}
		out.Clock = rows.Date
		for _, l := range rows.Logs {
			if stops && l.StartedAt.Before(from) {
				return out, nil
			}
			if filter.Match(within, l) && !slices.ContainsFunc(out.Logs, func(o *call.Log) bool { return o.ID == l.ID }) {
				out.Logs = append(out.Logs, l)
			}
		}
		if len(rows.Logs) < r.size {
			return out, nil
		}
	}
}

// confused reads the state of the wrong source.
type confused struct {
	ledger
	other *world
}

func (c confused) State(ctx context.Context, _ string) ([]byte, error) {
	return c.other.book.State(ctx, c.other.name)
}
