package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// Scope is src as the principal of each question may see it: its filter is put
// to every call that is found, counted or read, and no answer says anything of
// the others, not even how many there are. Without TranscriptsRead no words
// come back and none can be asked for, by a filter either: see unspoken. A
// question without a principal gets what src answers.
//
// It stands outside of everything that keeps answers for several principals,
// such as a copy, and inside of everything that shows them.
//
// A call that is not there is told from one that is not the principal's by
// nothing, time included, where a copy knows what there is: see find.
func Scope(src call.Source) call.Source {
	return scoped{src, &shown{}, newBuckets(missesPerMinute, missesAtOnce, 0)}
}

type scoped struct {
	call.Source
	shown  *shown
	misses *buckets
}

// Ranks holds where the source ranks.
func (s scoped) Ranks() bool { return call.Ranks(s.Source) }

// Withheld is the scope that a principal lacks to read what was said.
func (s scoped) Withheld(ctx context.Context) string {
	if p, known := Who(ctx); known && !p.May(TranscriptsRead) {
		return "the scope " + TranscriptsRead
	}
	return ""
}

// Find asks for the principal's calls alone.
func (s scoped) Find(ctx context.Context, q call.Query) (call.Page, error) {
	p, known := Who(ctx)
	if !known {
		page, err := s.Source.Find(ctx, q)
		tallied(ctx, len(page.Logs))
		return page, err
	}
	if err := allowed(p, q.Where, q.Text != nil || q.Similar != nil); err != nil {
		return call.Page{}, err
	}
	if q.Similar != nil { // what it is like would tell what was said in it
		like, err := s.Get(ctx, *q.Similar)
		if err != nil {
			return call.Page{}, err
		}
		q.Similar = &like.ID
	}
	asked := q
	asked.Where, asked.Progress = filter.All(p.Where, q.Where), p.heard(q.Progress)
	page, err := s.Source.Find(ctx, asked)
	if err != nil {
		return call.Page{}, err
	}
	if p.Where != nil {
		s.shown.add(p.Name, page.Logs)
		page.Next = blurred(page, q.Order)
		s.recount(ctx, p, q, &page)
	}
	if !p.May(TranscriptsRead) {
		for i, l := range page.Logs {
			page.Logs[i] = unspoken(l)
		}
	}
	tallied(ctx, len(page.Logs))
	return page, nil
}

// Get reads a call if it is the principal's. One that is not is answered as
// one that is not there.
func (s scoped) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	p, known := Who(ctx)
	if !known {
		l, err := s.Source.Get(ctx, id)
		tallied(ctx, 1)
		return l, err
	}
	if err := allowed(p, nil, false); err != nil {
		return nil, err
	}
	none := &call.Error{Kind: call.NotFound, Msg: fmt.Sprintf("No call %s.", id)}
	if _, ok := filter.Assume(p.Where, "source", id.Source); !ok {
		return nil, none
	}
	l, err := s.find(ctx, p, id)
	switch {
	case kindOf(err) == call.NotFound && p.Where != nil:
		return nil, none
	case err != nil:
		return nil, err
	case !p.May(TranscriptsRead):
		l = unspoken(l)
	}
	tallied(ctx, 1)
	return l, nil
}

// find reads a call that is p's. Where the copy knows that there is none, the
// upstream is not asked, whether it is of somebody else or of nobody; where only
// the upstream can tell, it is asked for a few a minute that are not there.
func (s scoped) find(ctx context.Context, p Principal, id call.ID) (*call.Log, error) {
	none := &call.Error{Kind: call.NotFound, Msg: fmt.Sprintf("No call %s.", id)}
	dear, ok := s.Source.(call.Locator)
	if ok && !s.shown.has(p.Name, id) {
		there, known := false, false
		wait := s.misses.spent(p.Name)
		if p.Where != nil || wait > 0 {
			there, known = dear.Locate(ctx, id, p.Where)
		}
		switch {
		case there:
		case known && p.Where != nil:
			return nil, none
		case wait > 0:
			return nil, tooManyMisses(wait)
		}
	}
	l, err := s.Source.Get(ctx, id)
	if err == nil && !filter.Match(p.Where, l) {
		err = none
	}
	if ok && kindOf(err) == call.NotFound {
		s.misses.spend(p.Name)
	}
	return l, err
}

// Aggregate counts the principal's calls alone, as call.Count does.
func (s scoped) Aggregate(ctx context.Context, a call.Aggregation) (call.Aggregate, error) {
	p, known := Who(ctx)
	if !known {
		return call.Count(ctx, s.Source, a)
	}
	spoken := slices.ContainsFunc(a.By, func(g call.Grouping) bool { return isSpoken(g.Field) || g.Field == metricValue })
	if err := allowed(p, a.Where, spoken); err != nil {
		return call.Aggregate{}, err
	}
	a.Where, a.Progress = filter.All(p.Where, a.Where), p.heard(a.Progress)
	out, err := call.Count(ctx, s.Source, a)
	if p.Where != nil {
		out.Coverage.Searched = out.Total.Stats.Calls
		out.Coverage.Calls = nil
		if out.Coverage.Complete {
			out.Coverage.Calls = new(out.Total.Stats.Calls)
		}
	}
	return out, err
}

// heard is what may hear of fetching for p: nobody where it has a filter, since
// what is fetched, and counted, are the calls of all others, too.
func (p Principal) heard(progress call.Progress) call.Progress {
	if p.Where != nil {
		return nil
	}
	return progress
}

// allowed refuses what p may not ask. spoken says that the question is about
// what was said; a condition on it is, too.
func allowed(p Principal, where filter.Expr, spoken bool) error {
	if !p.May(CallsRead) {
		return forbidden(CallsRead)
	}
	if (spoken || asksWords(where)) && !p.May(TranscriptsRead) {
		return forbidden(TranscriptsRead)
	}
	return nil
}

func forbidden(scope string) error {
	return &call.Error{
		Kind: call.Forbidden, Msg: "This needs the scope " + scope + ", which was not granted.",
		Hint: "Do not retry; whoever runs this server can grant it.",
	}
}

// blurred is where the page goes on. Behind calls that all are foreign that
// would be the position of one of them: then it is the last position of the
// same time instead, which names none.
func blurred(p call.Page, o call.Order) *call.Mark {
	if p.Next == nil {
		return nil
	}
	for i := range p.Logs {
		if p.MarkAt(o, i).Compare(p.Next) == 0 {
			return p.Next
		}
	}
	return &call.Mark{Value: p.Next.Value, ID: call.ID{Source: p.Next.ID.Source, Key: "0"}}
}

// recount replaces what the page says of calls that were looked at by the
// principal's own: how many there are where all of them were, and otherwise
// those that were found.
func (s scoped) recount(ctx context.Context, p Principal, q call.Query, page *call.Page) {
	c := &page.Coverage
	looked := c.Searched
	c.Calls, c.Searched = nil, len(page.Logs)
	if !c.Complete || looked == c.Searched {
		return
	}
	from, to, _ := filter.Bounds(q.Where, "timestamp")
	own, err := s.Source.Find(ctx, call.Query{
		Where: filter.All(p.Where, filter.Within("timestamp", from, to)),
		Limit: 1, Scan: q.Scan, Exhaust: true,
	})
	if err != nil || own.Total == nil {
		return // what was found is true, too
	}
	c.Calls, c.Searched = own.Total, *own.Total
}

func kindOf(err error) call.Kind {
	var e *call.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}
