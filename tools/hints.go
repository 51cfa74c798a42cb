package tools

import (
	"slices"
	"strings"

	"call-logs-mcp/internal/call"
)

// instead says what an argument that a tool does not have is asked by here; "" where
// nobody knows what it means.
func (a arguments) instead(name string) string {
	_, pages := a.schema.Properties.Get("cursor")
	_, filters := a.schema.Properties.Get("filters_v2")
	low := strings.ToLower(name)
	field := low
	for own, names := range map[string][]string{
		"agent.agent_name": {"agent_name", "agentname"}, "customer_number": {"from_number", "caller_number"}, "call_ended_reason": {"disconnection_reason", "hangup_reason"},
		"metric_evaluations.metric.name": {"metric", "metric_name"}, "turn_count": {"turns"}, "success": {"outcome"},
	} {
		if slices.Contains(names, low) {
			field = own
		}
	}
	_, known := call.Fields().Field(field)
	switch {
	case pages && slices.Contains([]string{"page", "offset", "skip", "page_number", "start_index"}, low):
		return "Pages are walked by cursor: give the cursor that the last answer ended with."
	case slices.Contains([]string{"search", "query", "q", "text", "keyword", "keywords", "contains"}, low):
		return "What was said is searched by search_transcripts, with query."
	case filters && known:
		return `Ask by filters_v2: {"field":"` + field + `","op":"eq","value":…}.`
	}
	return ""
}
