package calltest

import (
	"fmt"
	"slices"

	"call-logs-mcp/internal/call"
)

// say is q for the reader of a failure.
func say(q call.Query) string {
	s := fmt.Sprintf("limit %d", q.Limit)
	if q.Order != "" {
		s += " " + string(q.Order)
	}
	if q.Where != nil {
		s += " where " + q.Where.String()
	}
	if q.Text != nil {
		s += fmt.Sprintf(" text %s role %q", q.Text, q.Role)
	}
	if q.After != nil {
		s += fmt.Sprintf(" after %d %s", q.After.Value, q.After.ID)
	}
	return s
}

func ids(logs []*call.Log) []call.ID {
	out := make([]call.ID, len(logs))
	for i, l := range logs {
		out[i] = l.ID
	}
	return out
}

// same reports the first place where got is not want, and what is missing,
// added or repeated.
func same(t tb, what string, want, got []*call.Log) {
	t.Helper()
	w, g := ids(want), ids(got)
	if slices.Equal(w, g) {
		return
	}
	at := 0
	for at < min(len(w), len(g)) && w[at] == g[at] {
		at++
	}
	met := map[call.ID]int{}
	for _, id := range g {
		met[id]++
	}
	var missing, added []call.ID
	for _, id := range w {
		if met[id] == 0 {
			missing = append(missing, id)
		}
		met[id]--
	}
	for id, n := range met {
		if n > 0 {
			added = append(added, id)
		}
	}
	t.Errorf("%s: %d logs, want %d; they differ from %d on\nmissing %v\nadded or repeated %v", what, len(g), len(w), at, head(missing), head(added))
}

func head(ids []call.ID) []call.ID { return ids[:min(len(ids), 10)] }
