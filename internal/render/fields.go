package render

import (
	"fmt"
	"strings"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// Fields is the reference of what filters_v2 can ask, in budget tokens.
func Fields(budget int) string {
	var rows [][]string
	for _, f := range call.Fields() {
		rows = append(rows, []string{f.Name, string(f.Kind), opWords(f), f.Doc})
	}
	below := []string{
		"text*: " + words(filter.Text.Ops()) + " (RE2); eq, neq, in and regex mind case. A missing value matches isnull alone.",
		`times: RFC 3339, 2026-11-17, now-7d, today. Example: {"operator":"and","conditions":[{"field":"duration","op":"gte","value":60},{"field":"topic","op":"contains","value":"refund"}]}`,
		`values of one field with counts: describe_fields field="call_ended_reason"`,
	}
	body, _, shown := Table([]string{"field", "type", "operators", "meaning"}, rows, budget-Tokens(strings.Join(below, "\n"))-20)
	if shown < len(rows) {
		below = append([]string{fmt.Sprintf("%d more fields: raise max_tokens", len(rows)-shown)}, below...)
	}
	return body + "\n" + strings.Join(below, "\n")
}

// opWords lists the operators of f; what every text has is written once, below.
func opWords(f filter.Field) string {
	if f.Ops == nil && f.Kind == filter.Text {
		return "text*"
	}
	return words(f.Can())
}

func words(ops []filter.Op) string {
	s := make([]string, len(ops))
	for i, op := range ops {
		s[i] = string(op)
	}
	return strings.Join(s, " ")
}
