package store

import (
	"strings"

	"call-logs-mcp/internal/call"
)

// match writes what a Text asks for as a query of FTS5, which answers as
// Text.Match would: each word is quoted, phrases stay within one part of a turn.
func match(t *call.Text, role call.Role, mark string) string {
	all, not := t.Terms()
	var b strings.Builder
	for i, group := range all {
		if i > 0 {
			b.WriteString(" AND ")
		}
		b.WriteString(anyOf(group, mark))
	}
	sql := b.String()
	if len(not) > 0 {
		sql = "(" + sql + ") NOT " + anyOf(not, mark)
	}
	if role != "" {
		sql = saidBy(role, sql)
	}
	return sql
}

// saidBy narrows a query to what a role said, and what somebody did of whom
// nobody says who it was: see call.RoleSpeaker.
func saidBy(role call.Role, query string) string {
	columns := [...]string{"agent", "caller", "tool payload", "", "system", ""}
	return "{" + columns[columnOf(role)] + " other} : (" + query + ")"
}

// phrasesOf is how many phrases anyOf makes of each term.
const phrasesOf = 2

// anyOf looks for terms where all see the same, and behind mark, which is
// markOf who asks.
func anyOf(terms []call.Term, mark string) string {
	parts := make([]string, 0, phrasesOf*len(terms))
	for _, t := range terms {
		parts = append(parts, phrase(t, ""), phrase(t, mark))
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// markOf is what stands before the words that who sees v can find, where others
// see something else.
func markOf(v *call.View) string {
	if hidden(v) {
		return shownMark
	}
	return saidMark
}

func hidden(v *call.View) bool { return v != nil && v.Hides }

// phrase quotes the words of a term. They hold no quote: call.Words drops them.
func phrase(t call.Term, mark string) string {
	s := `"` + mark + strings.Join(t.Words, " "+mark) + `"`
	if t.Prefix {
		s += " *"
	}
	return s
}
