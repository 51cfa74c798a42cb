package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/render"
)

// A question without an answer is looked into for so many conditions and so
// long: the explanation may not cost more than the answer would have.
const (
	mostReasons = 4
	whyPatience = 8 * time.Second
	whySample   = 50 // calls whose values are named
)

// whyNothing tells how many calls would match without each of the conditions,
// the most selective first, and what values it could have had.
func (d Deps) whyNothing(ctx context.Context, q question) []string {
	ctx, cancel := context.WithTimeout(ctx, whyPatience)
	defer cancel()
	parts := filter.Conjuncts(q.filters())
	parts = parts[:min(len(parts), mostReasons)]
	window := d.without(ctx, q, parts...)
	if window != nil && len(window.Logs) == 0 && window.Coverage.Complete {
		return []string{"There are no calls at all in that window." + d.nearest(ctx, q)}
	}
	type reason struct {
		calls int
		words string
	}
	reasons := make([]reason, len(parts))
	var wait sync.WaitGroup
	for i, part := range parts {
		wait.Go(func() {
			found := window
			if len(parts) > 1 {
				found = d.without(ctx, q, part)
			}
			if found == nil || found.Total == nil {
				return
			}
			words := fmt.Sprintf("Without %s %s match", render.Clip(render.Clean(filter.Words(part)), 200), thousands(*found.Total))
			if c, ok := part.(filter.Cond); ok {
				words += seenThere(found, c.Field)
			}
			reasons[i] = reason{*found.Total, render.Clean(words + ".")}
		})
	}
	wait.Wait()
	slices.SortStableFunc(reasons, func(a, b reason) int { return cmp.Compare(b.calls, a.calls) })
	var notes []string
	for _, r := range reasons {
		if r.words != "" {
			notes = append(notes, r.words)
		}
	}
	return notes
}

// without asks q without some of its conditions; nil where that fails.
func (d Deps) without(ctx context.Context, q question, parts ...filter.Expr) *call.Page {
	_, where := filter.Split(q.query.Where, func(e filter.Expr) bool {
		return slices.ContainsFunc(parts, func(p filter.Expr) bool { return p.String() == e.String() })
	})
	again := call.Query{Where: where, Limit: whySample, Scan: d.Scan, Exhaust: true}
	p, err := d.Calls.Find(ctx, again)
	if err != nil {
		return nil
	}
	return &p
}

// seenThere names the values that calls have, where those are few and short.
func seenThere(p *call.Page, field string) string {
	f, _ := call.Fields().Field(field)
	if f.Kind == filter.Time || slices.Contains([]string{"transcript", "summary", "evaluation", "trace_id", "feedback", "dropoff_point", "error_message", "id", "call_id", "customer_number"}, field) {
		return ""
	}
	seen := seenValues(p.Logs, field, 5)
	if seen == "" {
		return ""
	}
	among := ""
	if p.Next != nil {
		among = fmt.Sprintf(" in the newest %d", len(p.Logs))
	}
	return fmt.Sprintf("; %s seen%s: %s", field, among, seen)
}

// nearest says where there are calls, if not in the window.
func (d Deps) nearest(ctx context.Context, q question) string {
	_, _, rest := filter.Bounds(q.query.Where, "timestamp")
	where, _ := filter.Split(rest, func(e filter.Expr) bool { return filter.Mentions(e, "source") })
	p, err := d.Calls.Find(ctx, call.Query{Where: where, Limit: 1})
	if err != nil || len(p.Logs) == 0 || p.Logs[0].StartedAt.IsZero() {
		return " Try another timestamp_from."
	}
	return " The newest call there is began " + minute(p.Logs[0].StartedAt, 0) + " UTC."
}

// missing names the call_ids that were asked for and not found.
func (in listArgs) missing(d Deps, p call.Page) string {
	if len(in.CallIDs) == 0 || in.Cursor != "" || p.Next != nil || !p.Coverage.Complete {
		return ""
	}
	var missing []string
	for _, s := range in.CallIDs {
		id, err := call.ParseID(s, d.Sources)
		if err == nil && !slices.ContainsFunc(p.Logs, func(l *call.Log) bool {
			return l.ID.Source == id.Source && (l.ID.Key == id.Key || l.CallID == id.Key)
		}) {
			missing = append(missing, s)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "not among them: " + render.Clip(render.Clean(strings.Join(missing, ", ")), 300)
}

// whyUnsaid tells why a search found nothing, and what else to ask: p is its answer.
func (d Deps) whyUnsaid(ctx context.Context, q question, p call.Page) []string {
	if q.filters() != nil || p.Coverage.Searched == 0 {
		ctx, cancel := context.WithTimeout(ctx, whyPatience)
		defer cancel()
		if all := d.without(ctx, q); all != nil && len(all.Logs) == 0 && all.Coverage.Complete {
			return append([]string{"No call passes the filters, whatever was said."}, d.whyNothing(ctx, q)...)
		}
	}
	if q.query.Text == nil {
		return nil
	}
	all, _ := q.query.Text.Terms()
	terms := slices.Concat(all...)
	var ways []string
	if len(all) > 1 {
		ways = append(ways, "fewer words")
	}
	if !slices.ContainsFunc(terms, func(w call.Term) bool { return w.Prefix }) {
		ways = append(ways, "a prefix*")
	}
	ways = append(ways, "OR between alternatives")
	if q.window(p) != (call.Window{}) {
		ways = append(ways, "a longer window")
	}
	last := len(ways) - 1
	hint := "More is found by " + strings.TrimPrefix(strings.Join(ways[:last], ", ")+" or "+ways[last], " or ")
	if slices.ContainsFunc(terms, func(w call.Term) bool { return len(w.Words) > 1 }) {
		hint += "; a phrase has to lie within one turn"
	}
	if q.query.Order != call.Relevance && call.Ranks(d.Calls) && slices.ContainsFunc(terms, inflected) {
		return []string{"Words are looked for as they stand; order_by=relevance finds their inflections, too. " + hint + "."}
	}
	return []string{hint + "."}
}

// loose reports whether a search by relevance wants one of a group, but does not
// require it.
func loose(group []call.Term) bool {
	return slices.ContainsFunc(group, func(w call.Term) bool { return !w.Quoted })
}

// inflected reports whether w is a word that may have other forms: no phrase,
// prefix or number.
func inflected(w call.Term) bool {
	return !w.Quoted && !w.Prefix && len(w.Words) == 1 && !strings.ContainsAny(w.Words[0], "0123456789")
}
