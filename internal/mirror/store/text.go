package store

import (
	"strings"

	"call-logs-mcp/internal/call"
)

// match writes what a Text asks for as a query of FTS5, which answers as
// Text.Match would: each word is quoted, phrases stay within one part of a turn.
func match(t *call.Text, role call.Role) string {
	all, not := t.Terms()
	var b strings.Builder
	for i, group := range all {
		if i > 0 {
			b.WriteString(" AND ")
		}
		b.WriteString(anyOf(group))
	}
	sql := b.String()
	if len(not) > 0 {
		sql = "(" + sql + ") NOT " + anyOf(not)
	}
	if role != "" {
		sql = saidBy(role, sql)
	}
	return sql
}

// saidBy narrows a query to what a role said.
func saidBy(role call.Role, query string) string {
	columns := [...]string{"agent", "caller", "tool payload", "", "system", "other"}
	return "{" + columns[columnOf(role)] + "} : (" + query + ")"
}

func anyOf(terms []call.Term) string {
	parts := make([]string, len(terms))
	for i, t := range terms {
		parts[i] = phrase(t)
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// phrase quotes the words of a term. They hold no quote: call.Words drops them.
func phrase(t call.Term) string {
	s := `"` + strings.Join(t.Words, " ") + `"`
	if t.Prefix {
		s += " *"
	}
	return s
}
