package render

import (
	"fmt"

	"call-logs-mcp/internal/call"
)

// Transcript writes the part of a transcript that e chooses from turns, which
// are some or all of the total turns of the call, in budget tokens: a line on
// what it is, the fenced turns, and the calls that show what was left out, in
// the words of again. e.Budget is set here.
func Transcript(id call.ID, total int, turns []call.Turn, e Excerpt, budget int, fence Fence, again func(Span) string) string {
	w := NewWriter(budget, 0)
	head := func(shown int) string {
		return fmt.Sprintf("%s · %d turns, %d shown; %s", id, total, shown, fence.Note())
	}
	widest := Span{FromTurn: total, ToTurn: total}
	e.Budget = w.Left() - Tokens(head(total)) - Tokens(fence.Wrap("")) - 2*Tokens("left out: "+again(widest)) - 10
	s := Choose(turns, e)
	w.Line(head(len(s.Kept)))
	w.Line(fence.Wrap(Lines(turns, s)))
	if n := len(s.Omitted); n > 0 {
		// Read in order, what is left is behind; read outward, on both sides.
		w.Tail("left out: " + again(s.Omitted[0]))
		if n > 1 {
			w.Tail("and: " + again(s.Omitted[n-1]))
		}
	}
	return w.String()
}
