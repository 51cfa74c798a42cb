package app

import (
	"time"

	"call-logs-mcp/internal/filter"
)

// usualReach is what Cekura answers for when no range is given.
const usualReach = 30 * 24 * time.Hour

// A reach is how far back a question without a window looks; a span of 0 is all
// that there is.
type reach struct {
	span time.Duration
	now  func() time.Time
}

// bounded gives a question without a start the usual one, so that a list, a
// search and a count of the same calls agree, and one without an end now. Calls
// that are named are looked for wherever they are.
func (r reach) bounded(where filter.Expr) filter.Expr {
	if r.span == 0 || filter.Mentions(where, "id", "call_id") {
		return where
	}
	var start, end time.Time
	from, to, _ := filter.Bounds(where, "timestamp")
	if to.IsZero() {
		to = r.now()
		end = to
	}
	if from.IsZero() {
		start = to.Add(-r.span)
	}
	return filter.All(filter.Within("timestamp", start, end), where)
}
