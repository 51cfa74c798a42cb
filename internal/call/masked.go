package call

import (
	"context"
	"errors"
)

// Masked is src with words put to every free text of what it answers, notes and
// errors among them, and name to identifiers: see MapText. Who asks may decide
// which words those are. Filters, searches and counts see the values as they were,
// and calls are found by their own CallID and never by a masked one: ID stays.
func Masked(src Source, words func(context.Context) func(string) string, name func(string) string) Source {
	return masked{src, words, name}
}

type masked struct {
	Source
	words func(context.Context) func(string) string
	name  func(string) string
}

func (m masked) Find(ctx context.Context, q Query) (Page, error) {
	p, err := m.Source.Find(ctx, q)
	words := m.words(ctx)
	for i, l := range p.Logs {
		p.Logs[i] = l.MapText(words, m.name)
	}
	for i, note := range p.Notes {
		p.Notes[i] = words(note)
	}
	return p, failure(err, words)
}

func (m masked) Get(ctx context.Context, id ID) (*Log, error) {
	l, err := m.Source.Get(ctx, id)
	if err != nil {
		return nil, failure(err, m.words(ctx))
	}
	return l.MapText(m.words(ctx), m.name), nil
}

// failure masks what an upstream says in its refusals.
func failure(err error, words func(string) string) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	masked := *e
	masked.Msg, masked.Hint = words(e.Msg), words(e.Hint)
	return &masked
}

// Ranks holds where src ranks.
func (m masked) Ranks() bool { return Ranks(m.Source) }

// Withheld is what src withholds.
func (m masked) Withheld(ctx context.Context) string { return Withheld(ctx, m.Source) }

// Aggregate counts as Count does, and masks the keys of groups: they are values.
func (m masked) Aggregate(ctx context.Context, a Aggregation) (Aggregate, error) {
	out, err := Count(ctx, m.Source, a)
	words := m.words(ctx)
	for _, g := range out.Groups {
		for i, key := range g.Key {
			g.Key[i] = words(key)
		}
	}
	for i, note := range out.Notes {
		out.Notes[i] = words(note)
	}
	return out, failure(err, words)
}
