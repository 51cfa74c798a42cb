package call

import (
	"context"

	"call-logs-mcp/internal/filter"
)

// Count answers a from src: by src itself if it can count, else by reading at
// most a.Scan of its calls, newest first, which Coverage then tells.
func Count(ctx context.Context, src Source, a Aggregation) (Aggregate, error) {
	if counter, ok := src.(Aggregator); ok {
		return counter.Aggregate(ctx, a)
	}
	scan := Query{Scan: a.Scan}.scan()
	now, err := src.Find(ctx, Query{Where: a.Where, View: a.View, Limit: scan, Scan: scan, Exhaust: true, Progress: a.Progress})
	if err != nil {
		return Aggregate{}, err
	}
	from, to, rest := filter.Bounds(a.Where, "timestamp")
	window := now.Window
	if from.After(window.From) {
		window.From = from
	}
	if !to.IsZero() && (window.To.IsZero() || to.Before(window.To)) {
		window.To = to
	}
	logs := now.Logs
	now.Coverage = now.CoverageOfAll()
	now.Coverage.Searched = min(now.Coverage.Searched, scan) // one more is looked at, to see whether there are more
	if length := window.To.Sub(window.From); a.Previous && !window.From.IsZero() && !window.To.IsZero() {
		earlier := filter.All(filter.Within("timestamp", window.From.Add(-length), window.From), rest)
		before, err := src.Find(ctx, Query{Where: earlier, View: a.View, Limit: scan, Scan: scan, Exhaust: true, Progress: a.Progress})
		if err != nil {
			return Aggregate{}, err
		}
		logs = append(logs[:len(logs):len(logs)], before.Logs...)
		now.Notes = append(now.Notes, before.Notes...)
		now.Coverage.join(before.CoverageOfAll())
	}
	a.Where = filter.All(filter.Within("timestamp", window.From, window.To), rest)
	out := AggregateLogs(logs, a)
	out.Window, out.Coverage = window, now.Coverage
	out.Notes = append(out.Notes, now.Notes...)
	return out, nil
}

// CoverageOfAll is the coverage of p, newest first, for a question about all
// that match and not a page of them: what is behind p was not looked at.
func (p Page) CoverageOfAll() Coverage {
	c := p.Coverage
	if p.Next == nil {
		return c
	}
	c.Complete, c.Others = false, false
	if len(p.Logs) > 0 && c.Back.IsZero() {
		c.Back = p.Logs[len(p.Logs)-1].StartedAt
	}
	return c
}
