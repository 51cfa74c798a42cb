package call

import (
	"context"
	"errors"
)

// Masked is src as each who asks may see it: view says how, from who asks. It is
// put to every text of what src answers, notes and errors among them: see
// Log.MapText. Filters, searches, groups and orders see no more than that
// either. Calls are found by their own CallID: ID stays.
func Masked(src Source, view func(context.Context) *View) Source { return masked{src, view} }

type masked struct {
	Source
	view func(context.Context) *View
}

func (m masked) Find(ctx context.Context, q Query) (Page, error) {
	v := m.view(ctx)
	q.Where = v.Seen(q.Where)
	if v.Hides {
		q.View = v
	}
	p, err := m.Source.Find(ctx, q)
	for i, l := range p.Logs {
		p.Logs[i] = l.mapText(v, q.need())
		if v.Hides && q.Text != nil && i < len(p.Hits) && p.Hits[i].Text != nil {
			hit, _ := p.Hits[i].Text.Match(p.Logs[i], q.Role)
			hit.Score = p.Hits[i].Score
			p.Hits[i] = hit
		}
	}
	for i, note := range p.Notes {
		p.Notes[i] = v.Text(note)
	}
	return p, failure(err, v.Text)
}

// need is what is to be shown of transcripts: all where they are searched.
func (q Query) need() Need {
	if q.Text != nil {
		return NeedAll
	}
	return q.Need
}

func (m masked) Get(ctx context.Context, id ID) (*Log, error) {
	v := m.view(ctx)
	l, err := m.Source.Get(ctx, id)
	if err != nil {
		return nil, failure(err, v.Text)
	}
	return l.MapText(v), nil
}

// failure masks what an upstream says in its refusals.
func failure(err error, text func(string) string) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	masked := *e
	masked.Msg, masked.Hint = text(e.Msg), text(e.Hint)
	return &masked
}

// Ranks holds where src ranks.
func (m masked) Ranks() bool { return Ranks(m.Source) }

// Withheld is what src withholds.
func (m masked) Withheld(ctx context.Context) string { return Withheld(ctx, m.Source) }

// Aggregate counts as Count does, in groups of what is shown of values.
func (m masked) Aggregate(ctx context.Context, a Aggregation) (Aggregate, error) {
	v := m.view(ctx)
	a.Where = v.Seen(a.Where)
	if v.Hides {
		a.View = v
	}
	out, err := Count(ctx, m.Source, a)
	for _, g := range out.Groups {
		for i, key := range g.Key {
			if i < len(a.By) && a.By[i].Unit == "" {
				g.Key[i] = seen{v, nil}.text(a.By[i].Field, key)
			}
		}
	}
	for i, note := range out.Notes {
		out.Notes[i] = v.Text(note)
	}
	return out, failure(err, v.Text)
}
