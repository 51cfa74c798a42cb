package call

import (
	"context"
	"slices"
	"sync"

	"call-logs-mcp/internal/filter"
)

// Union answers q by asking find for each of parts in place of q.Where, which
// together are the same: what matches one of them. A call that several find is
// in the answer once, so the total is known only where all was read.
func (q Query) Union(ctx context.Context, parts []filter.Expr, find func(context.Context, Query) (Page, error)) (Page, error) {
	pages, errs := make([]Page, len(parts)), make([]error, len(parts))
	var wait sync.WaitGroup
	for i, where := range parts {
		one := q
		one.Where, one.Limit = where, q.limit()+1 // the last may be open: see settled
		if q.Exhaust {
			one.Limit = max(one.Limit, q.scan())
		}
		wait.Go(func() { pages[i], errs[i] = find(ctx, one) })
	}
	wait.Wait()
	out := Page{Coverage: Coverage{Complete: true}}
	var found []match
	var horizon *Mark
	met := map[ID]bool{}
	for i, p := range pages {
		if errs[i] != nil { // what it would have found is not in the others
			return Page{}, errs[i]
		}
		p = q.settled(p)
		out.absorb(p, q.Order)
		if p.Clock.After(out.Clock) {
			out.Clock = p.Clock
		}
		if p.Next != nil && (horizon == nil || p.Next.Compare(horizon) < 0) {
			horizon = p.Next
		}
		for k, l := range p.Logs {
			m := match{log: l}
			if p.Hits != nil {
				m.hit = p.Hits[k]
			}
			if !met[l.ID] {
				found, met[l.ID] = append(found, m), true
			}
		}
	}
	slices.SortFunc(found, func(a, b match) int { return q.Order.Compare(a.log, b.log) })
	slices.Sort(out.Notes)
	out.Notes = slices.Compact(out.Notes)
	out.Total, out.Coverage.Calls = nil, nil
	if horizon == nil && q.After == nil && out.Coverage.Complete {
		out.Total = new(len(found))
	}
	q.share(&out, found, horizon)
	return out, nil
}
