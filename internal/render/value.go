package render

import "strings"

// What parts our own words where a stranger's value may stand among them: fields
// on a line, and the items of a list.
const (
	fieldMarks = "·→✓✗×="
	itemMarks  = fieldMarks + ",;:()\""
)

// Value is a stranger's text as a field among ours: cleaned, of at most n
// characters, and in quotes as JSON writes them where it holds what parts our
// fields, so that none of it passes for one. Between the quotes stands what can
// be copied into a filter.
func Value(s string, n int) string { return quoted(Clip(Clean(s), n), fieldMarks) }

// Item is a Value in a list, or beside a remark of ours in brackets.
func Item(s string, n int) string { return quoted(Clip(Clean(s), n), itemMarks) }

// quoted is a clean s, in quotes where it holds one of marks, looks quoted, or has
// a quote too many.
func quoted(s, marks string) string {
	if !strings.HasPrefix(s, `"`) && strings.Count(s, `"`)%2 == 0 && !strings.ContainsAny(s, marks) {
		return s
	}
	return `"` + inQuotes.Replace(s) + `"`
}

var inQuotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
