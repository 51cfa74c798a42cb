package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// mostReasons is how many conditions of a fruitless question are looked into,
// each by a question of its own.
const mostReasons = 4

// whyNothing tells how many calls would match without each of the conditions,
// the most selective first, and what values it could have had.
func (d Deps) whyNothing(ctx context.Context, q question, p call.Page) []string {
	parts := conjuncts(q.filters())
	if len(parts) == 0 && p.Coverage.Complete {
		return []string{"There are no calls at all in that window; try an earlier timestamp_from."}
	}
	type reason struct {
		calls int
		words string
	}
	var reasons []reason
	for _, without := range parts[:min(len(parts), mostReasons)] {
		_, where := filter.Split(q.query.Where, func(e filter.Expr) bool { return e.String() == without.String() })
		again := q.query
		again.Where, again.Limit, again.Exhaust = where, 50, true
		found, err := d.Calls.Find(ctx, again)
		if err != nil || found.Total == nil {
			continue
		}
		words := fmt.Sprintf("Without %s %s match", filter.Words(without), thousands(*found.Total))
		if c, ok := without.(filter.Cond); ok {
			if seen := seenValues(found.Logs, c.Field, 5); seen != "" {
				words += fmt.Sprintf("; %s seen there: %s", c.Field, seen)
			}
		}
		reasons = append(reasons, reason{*found.Total, words + "."})
	}
	slices.SortStableFunc(reasons, func(a, b reason) int { return cmp.Compare(b.calls, a.calls) })
	var notes []string
	for _, r := range reasons {
		notes = append(notes, r.words)
	}
	return notes
}

// conjuncts are the parts of e that all have to hold.
func conjuncts(e filter.Expr) []filter.Expr {
	switch e := e.(type) {
	case nil:
		return nil
	case filter.And:
		return e
	}
	return []filter.Expr{e}
}
