package call

import "context"

// Masked is src with f put to everything personal in what it answers: see
// MapText. Filters, searches and counts see the values as they were.
func Masked(src Source, f func(string) string) Source { return masked{src, f} }

type masked struct {
	Source
	f func(string) string
}

func (m masked) Find(ctx context.Context, q Query) (Page, error) {
	p, err := m.Source.Find(ctx, q)
	for i, l := range p.Logs {
		p.Logs[i] = l.MapText(m.f)
	}
	return p, err
}

func (m masked) Get(ctx context.Context, id ID) (*Log, error) {
	l, err := m.Source.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return l.MapText(m.f), nil
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
			g.Key[i] = m.f(key)
		}
	}
	return out, err
}
