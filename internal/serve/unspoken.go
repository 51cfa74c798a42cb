package serve

import (
	"slices"
	"strings"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// metricValue is a number or an enum's value, which are facts, or what some
// metric wrote about the conversation, which is not.
const metricValue = "metric_evaluations.value"

// isSpoken says whether a field of call.Fields holds what was said in a call, or
// what somebody wrote who had heard or read it.
func isSpoken(field string) bool {
	switch field {
	case "transcript", "summary", "evaluation", "feedback", "dropoff_point":
		return true
	}
	return false
}

// unspoken is l without what was said in it, and without what was drawn from
// that in free words. What has a short list of values stays (topic, sentiment,
// why it ended, verdicts, scores), as do measures, and what the operator's own
// systems say of a call (metadata, variables, error messages).
func unspoken(l *call.Log) *call.Log {
	out := *l
	out.Turns, out.RecordingURL, out.Summary, out.Evaluation, out.Feedback, out.DropoffPoint = nil, "", "", "", "", ""
	out.Metrics = slices.Clone(l.Metrics)
	for i := range out.Metrics {
		m := &out.Metrics[i]
		m.Explanation = nil
		if !strings.HasPrefix(m.Type, "enum") {
			m.Value = ""
		}
	}
	return &out
}

// asksWords says whether a filter could find out, one guess at a time, what
// unspoken leaves out. Numbers of a metric may be compared: they are no words.
func asksWords(where filter.Expr) bool {
	for c := range filter.Conds(where) {
		if isSpoken(c.Field) || c.Field == metricValue && textual(c.Value) {
			return true
		}
	}
	return false
}

func textual(value any) bool {
	switch v := value.(type) {
	case float64, bool, nil:
		return false
	case []any:
		return slices.ContainsFunc(v, textual)
	}
	return true
}
