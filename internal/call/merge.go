package call

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"call-logs-mcp/internal/filter"
)

// A Merged answers from several sources as if they were one. All are asked at
// once. One that fails becomes a note, and the rest is answered; only where all
// fail, the error names each.
type Merged struct {
	sources  map[string]Source
	names    []string
	patience time.Duration
}

// Merge joins sources under their names, which the ids they return must carry.
// One that does not answer within patience (0 is 20 s) counts as failed. It
// also answers what a filter says of the field "source", so no source needs to.
func Merge(sources map[string]Source, patience time.Duration) *Merged {
	return &Merged{sources, slices.Sorted(maps.Keys(sources)), cmp.Or(patience, 20*time.Second)}
}

// Sources lists the names, sorted.
func (m *Merged) Sources() []string { return slices.Clone(m.names) }

// Get returns one log from the source that its id names.
func (m *Merged) Get(ctx context.Context, id ID) (*Log, error) {
	src, ok := m.sources[id.Source]
	if !ok {
		return nil, m.unknown(id.Source)
	}
	return src.Get(ctx, id)
}

func (m *Merged) unknown(name string) *Error {
	e := &Error{Kind: Invalid, Msg: fmt.Sprintf("No source %q.", name), Hint: "Sources: " + strings.Join(m.names, ", ") + "."}
	if near := filter.Closest(name, m.names); near != "" {
		e.Hint = fmt.Sprintf("Did you mean %s? %s", near, e.Hint)
	}
	return e
}

// Find asks every source that the filter leaves in.
func (m *Merged) Find(ctx context.Context, q Query) (Page, error) {
	asked, queries := m.narrow(q)
	if len(asked) == 0 {
		return Page{Coverage: Coverage{Complete: true}, Total: new(int)}, nil
	}
	for i := range queries {
		if len(asked) > 1 { // a page of one source may end with a log whose place is not certain
			queries[i].Limit = q.limit() + 1
		}
	}
	pages, errs := make([]Page, len(asked)), make([]error, len(asked))
	var wait sync.WaitGroup
	for i, name := range asked {
		wait.Go(func() {
			one, cancel := ctx, context.CancelFunc(func() {})
			if len(asked) > 1 { // alone, it may take all the time there is
				one, cancel = context.WithTimeout(ctx, m.patience)
			}
			defer cancel()
			pages[i], errs[i] = m.sources[name].Find(one, queries[i])
			if errs[i] != nil && ctx.Err() == nil && one.Err() != nil {
				errs[i] = &Error{Kind: Timeout, Msg: fmt.Sprintf("%s did not answer within %s.", name, m.patience), Err: errs[i]}
			}
		})
	}
	wait.Wait()
	if len(asked) == 1 {
		return pages[0], errs[0]
	}
	return q.merge(asked, pages, errs)
}

// narrow returns the sources that can match q, and what to ask of each.
func (m *Merged) narrow(q Query) (asked []string, queries []Query) {
	for _, name := range m.names {
		where, ok := filter.Assume(q.Where, "source", name)
		if ok {
			one := q
			one.Where = where
			asked, queries = append(asked, name), append(queries, one)
		}
	}
	return asked, queries
}

// merge joins the pages of sources that answered the same query. A source that
// has more behind its Next may yet hold logs before those of the others, so
// nothing behind the first Next is part of the page.
func (q Query) merge(asked []string, pages []Page, errs []error) (Page, error) {
	out := Page{Total: new(int), Coverage: Coverage{Complete: true, Calls: new(int)}}
	var found []match
	var horizon *Mark
	answered := 0
	for i, p := range pages {
		if errs[i] != nil {
			out.Notes = append(out.Notes, failureNote(asked[i], errs[i]))
			out.Coverage.join(Coverage{Missing: asked[i : i+1], Others: true, Stuck: true})
			out.Total, out.Coverage.Calls = nil, nil
			continue
		}
		answered++
		p = q.settled(p)
		out.absorb(p, q.Order)
		if p.Next != nil && (horizon == nil || p.Next.Compare(horizon) < 0) {
			horizon = p.Next
		}
		for k, l := range p.Logs {
			m := match{log: l}
			if p.Hits != nil {
				m.hit = p.Hits[k]
			}
			found = append(found, m)
		}
	}
	if answered == 0 {
		return Page{}, noneOf(asked, errs)
	}
	slices.SortFunc(found, func(a, b match) int { return q.Order.Compare(a.log, b.log) })
	q.share(&out, found, horizon)
	return out, nil
}

// settled is p without a last log that others may come before.
func (q Query) settled(p Page) Page {
	n := len(p.Logs) - 1
	if p.Next == nil || !p.Next.Open || n < 1 {
		return p
	}
	p.Logs, p.Hits = p.Logs[:n], p.Hits[:min(n, len(p.Hits))]
	p.Next = q.Order.Mark(p.Logs[n-1])
	return p
}

// share fills p with the logs of found up to the limit and the horizon.
func (q Query) share(p *Page, found []match, horizon *Mark) {
	p.Next = horizon
	for _, m := range found {
		mark := q.Order.Mark(m.log)
		if horizon != nil && mark.Compare(horizon) > 0 {
			break
		}
		if len(p.Logs) == q.limit() {
			p.Next = q.Order.Mark(p.Logs[len(p.Logs)-1])
			break
		}
		p.Logs = append(p.Logs, m.log)
		if q.Text != nil {
			p.Hits = append(p.Hits, m.hit)
		}
	}
}

// absorb adds what another source says of its part of the answer, in order o.
func (p *Page) absorb(other Page, o Order) {
	p.Total = plus(p.Total, other.Total)
	p.Notes = append(p.Notes, other.Notes...)
	p.Cut = cmp.Or(p.Cut, other.Cut)
	p.Window = p.Window.union(other.Window)
	c := &p.Coverage
	c.Searched += other.Coverage.Searched
	c.Calls = plus(c.Calls, other.Coverage.Calls)
	c.join(other.Coverage)
	// Together they have looked as far as the one that stopped first.
	back := other.Coverage.Back
	if !back.IsZero() && (c.Back.IsZero() || back.After(c.Back) == (o != Oldest)) {
		c.Back = back
	}
}

// join makes c complete only where d is, too, and says what either misses.
func (c *Coverage) join(d Coverage) {
	rest := (c.Complete || c.Others) && (d.Complete || d.Others)
	for _, name := range d.Missing {
		if !slices.Contains(c.Missing, name) {
			c.Missing = append(c.Missing, name)
		}
	}
	switch {
	case d.Complete:
	case c.Complete, d.Until.Before(c.Until): // also where it is zero, so that more is missing
		c.Until = d.Until
	}
	c.Complete = c.Complete && d.Complete
	c.Stuck = c.Stuck || d.Stuck
	c.Others = rest && !c.Complete
}

func plus(a, b *int) *int {
	if a == nil || b == nil {
		return nil
	}
	sum := *a + *b
	return &sum
}

func (w Window) union(v Window) Window {
	if w == (Window{}) {
		return v
	}
	if v.From.IsZero() || !w.From.IsZero() && v.From.Before(w.From) {
		w.From = v.From
	}
	if v.To.IsZero() || !w.To.IsZero() && v.To.After(w.To) {
		w.To = v.To
	}
	return w
}

// noneOf is the failure of all that were asked, of the kind of the first.
func noneOf(names []string, errs []error) error {
	out := &Error{Kind: Unavailable, Err: errors.Join(errs...)}
	said := make([]string, len(names))
	for i, name := range names {
		said[i] = name + ": it failed."
		var e *Error
		if errors.As(errs[i], &e) {
			said[i] = name + ": " + e.Error()
			if i == 0 {
				out.Kind = e.Kind
			}
		}
	}
	out.Msg = "No source could be read. " + strings.Join(said, " ")
	return out
}

func failureNote(name string, err error) string {
	msg := "it failed"
	var e *Error
	if errors.As(err, &e) {
		msg = e.Error()
	}
	return fmt.Sprintf("Calls of %s are missing: %s", name, msg)
}
