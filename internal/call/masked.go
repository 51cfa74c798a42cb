package call

import (
	"context"
	"errors"
)

// Masked is src with words put to every free text of what it answers, notes and
// errors among them, and name to identifiers: see MapText. Filters, searches and
// counts see the values as they were.
func Masked(src Source, words, name func(string) string) Source { return masked{src, words, name} }

type masked struct {
	Source
	words, name func(string) string
}

func (m masked) Find(ctx context.Context, q Query) (Page, error) {
	p, err := m.Source.Find(ctx, q)
	for i, l := range p.Logs {
		p.Logs[i] = l.MapText(m.words, m.name)
	}
	for i, note := range p.Notes {
		p.Notes[i] = m.words(note)
	}
	return p, m.failure(err)
}

func (m masked) Get(ctx context.Context, id ID) (*Log, error) {
	l, err := m.Source.Get(ctx, id)
	if err != nil {
		return nil, m.failure(err)
	}
	return l.MapText(m.words, m.name), nil
}

// failure masks what an upstream says in its refusals.
func (m masked) failure(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	masked := *e
	masked.Msg, masked.Hint = m.words(e.Msg), m.words(e.Hint)
	return &masked
}

// Ranks holds where src ranks.
func (m masked) Ranks() bool { return Ranks(m.Source) }

// Aggregate masks the keys of groups: they are values.
func (m masked) Aggregate(ctx context.Context, a Aggregation) (Aggregate, error) {
	counter, ok := m.Source.(Aggregator)
	if !ok {
		return Aggregate{}, &Error{Kind: Invalid, Msg: "This source cannot count."}
	}
	out, err := counter.Aggregate(ctx, a)
	for _, g := range out.Groups {
		for i, key := range g.Key {
			g.Key[i] = m.words(key)
		}
	}
	for i, note := range out.Notes {
		out.Notes[i] = m.words(note)
	}
	return out, m.failure(err)
}
