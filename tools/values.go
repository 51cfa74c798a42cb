package tools

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

// A tally is how many calls have a value.
type tally struct {
	Value string `json:"value"`
	Calls int    `json:"calls"`
}

// tallies counts the values of a field over logs, the most frequent first. A
// call counts once for each value it has; a missing one is "(absent)".
func tallies(logs []*call.Log, field string) []tally {
	counts := map[string]int{}
	for _, l := range logs {
		seen := map[string]bool{}
		for _, v := range l.Values(field) {
			seen[valueText(v)] = true
		}
		for v := range seen {
			counts[v]++
		}
	}
	out := make([]tally, 0, len(counts))
	for v, n := range counts {
		out = append(out, tally{v, n})
	}
	slices.SortFunc(out, func(a, b tally) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), strings.Compare(a.Value, b.Value))
	})
	return out
}

// seenValues names the most frequent values: refund status (7), delivery delay (5).
func seenValues(logs []*call.Log, field string, limit int) string {
	var parts []string
	for _, t := range tallies(logs, field) {
		if t.Value != call.Absent && len(parts) < limit {
			parts = append(parts, fmt.Sprintf("%s (%d)", render.Item(t.Value, 60), t.Calls))
		}
	}
	return strings.Join(parts, ", ")
}

func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return call.Absent
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	}
	return fmt.Sprint(v)
}

// jsonTokens is what v takes as JSON.
func jsonTokens(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return 0
	}
	return render.Tokens(string(b)) + 1
}
