package call

import (
	"fmt"

	"call-logs-mcp/internal/filter"
)

// Undated says how many calls a window leaves out because they have no start
// time, which nobody would notice: "" for none, and without a window. find
// answers from the same calls, and does not ask for Undated itself.
func Undated(find func(Query) (Page, error), where filter.Expr) string {
	from, to, rest := filter.Bounds(where, "timestamp")
	if from.IsZero() && to.IsZero() {
		return ""
	}
	undated := filter.All(rest, filter.Cond{Field: "timestamp", Op: filter.IsNull, Value: true})
	p, err := find(Query{Where: undated, Limit: 1, Exhaust: true})
	if err != nil || p.Total == nil || *p.Total == 0 {
		return ""
	}
	return fmt.Sprintf("Not in any window, for want of a start time: %d.", *p.Total)
}
