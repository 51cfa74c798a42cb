package render

import (
	"fmt"

	"call-logs-mcp/internal/call"
)

// A LongTurn is one turn that is read in parts: from a character of its Words on.
type LongTurn struct {
	Log    *call.Log
	Turn   *call.Turn
	Offset int
	words  []rune
}

// Long is the turn of l with that number, from offset on.
func Long(l *call.Log, number, offset int) (LongTurn, error) {
	if number < 1 || number > len(l.Turns) {
		return LongTurn{}, invalid("offset goes with from_turn, from 1 to %d here.", len(l.Turns))
	}
	t := LongTurn{Log: l, Turn: &l.Turns[number-1], Offset: offset}
	if t.words = []rune(Words(t.Turn, 0)); offset >= len(t.words) && offset > 0 {
		return t, invalid("Turn %d has %d characters; offset is %d.", number, len(t.words), offset)
	}
	return t, nil
}

// Part is as much as takes limit tokens, and where the next part begins: 0 where
// this is the last.
func (t LongTurn) Part(limit int) (text string, next int) {
	rest := string(t.words[t.Offset:])
	n := prefix(rest, limit)
	if n == 0 && rest != "" {
		n = len(string(t.words[t.Offset : t.Offset+1]))
	}
	if n < len(rest) {
		next = t.Offset + len([]rune(rest[:n]))
	}
	return rest[:n], next
}

// Text writes a part in budget tokens, and what shows the next, in the words of
// again.
func (t LongTurn) Text(budget int, fence Fence, again func(offset int) string) string {
	w := NewWriter(budget, 0)
	head := fmt.Sprintf("%s · turn %d from character %d of %d; %s", Value(t.Log.ID.String(), 200), t.Turn.Index, t.Offset, len(t.words), fence.Note())
	room := w.Left() - Tokens(head) - Tokens(fence.Wrap(Head(t.Turn))) - Tokens("goes on: "+again(len(t.words))) - 12
	text, next := t.Part(max(1, room))
	w.Line(head)
	w.Line(fence.Wrap(Head(t.Turn) + " " + text))
	if next > 0 {
		w.Tail("goes on: " + again(next))
	}
	return w.String()
}

// cut is the first turn of a selection that is not shown whole; 0 for none.
func (s Selection) cut(turns []call.Turn) int {
	for _, number := range s.Kept {
		if i := position(turns, number); s.Limit > 0 && i < len(turns) && lineAbout(&turns[i], s.Limit, s.About) != Line(&turns[i], 0) {
			return number
		}
	}
	return 0
}
