package render

import (
	"cmp"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
)

// MinBudget is the smallest Excerpt.Budget that Choose can keep to, whatever
// the turns are like.
const MinBudget = 100

// An Excerpt says which turns of a transcript are wanted, and for how many
// tokens. The zero Excerpt wants all.
type Excerpt struct {
	Budget   int        // Tokens of Lines of the Selection; 0 is without bound
	From, To int        // the first and last turn wanted, 0 for the ends
	Matches  []int      // turns that match the question, the best first
	Cited    []int      // turns that failed metrics cite: see Cited
	Around   int        // read outward from this turn instead of by worth
	InOrder  bool       // read from From on, without a hole, instead of by worth
	About    *call.Text // what turns that are cut keep; nil for their ends
	Ends     bool       // the beginning and the end, with one hole between, instead of by worth
}

// A Selection is what Choose took. Kept and Omitted together are the turns of
// the Excerpt, each once and in order.
type Selection struct {
	Kept    []int // turn numbers
	Omitted []Span
	Limit   int        // tokens of the line of one turn, longer ones are cut; 0 is without bound
	About   *call.Text // what they are cut around
}

// A Span is a run of turns that were left out. Its times are nil where they are
// not known.
type Span struct {
	FromTurn, ToTurn int // both left out
	From, To         *time.Duration
}

// Choose takes the turns of e that are worth most and fit its budget, whole,
// but for very long ones, which are cut in their middle. The order of worth:
// what matches, what failed metrics cite, tool calls with errors, the end, the
// beginning, what stands around the longest silences and around all these, then
// the rest evenly. Where everything fits, all of it is kept.
func Choose(turns []call.Turn, e Excerpt) Selection {
	turns = within(turns, e.From, e.To)
	c := chooser{about: e.About, turns: turns, kept: make([]bool, len(turns)), full: make([]int, len(turns)), cost: make([]int, len(turns))}
	if e.Budget == 0 {
		c.keepAll()
		return c.selection()
	}
	budget := e.Budget - textTokens
	for i := range turns {
		c.full[i] = lineTokens(Line(&turns[i], 0))
	}
	if c.fitsAll(budget) {
		c.keepAll()
		return c.selection()
	}
	strict := e.InOrder || e.Ends
	if strict || e.Around > 0 {
		c.cut(budget / 2) // few turns are to be read, not many to be seen
	}
	c.gap = gapTokens(turns)
	c.room = budget - c.gap
	c.take(order(turns, e), strict)
	c.fill()
	return c.selection()
}

// A chooser keeps count of what the kept turns and the lines about the others
// take together.
type chooser struct {
	turns []call.Turn
	kept  []bool
	full  []int // tokens of each line, uncut
	cost  []int // tokens of each line, cut to limit
	limit int
	about *call.Text
	gap   int // tokens of the longest line about a gap
	room  int // tokens left
}

// fitsAll tells whether everything fits, after cutting long turns as little as
// that takes. If it does not, the turns are left at the lowest limit.
func (c *chooser) fitsAll(budget int) bool {
	for _, limit := range []int{0, budget * 3 / 4, budget / 2, budget / 3, budget / 4} {
		if c.cut(limit) <= budget {
			return true
		}
	}
	return false
}

// cut sets the limit for the line of one turn, and returns what all lines take.
func (c *chooser) cut(limit int) (sum int) {
	if limit != 0 {
		limit = max(limit, minLine)
	}
	c.limit = limit
	for i := range c.turns {
		c.cost[i] = c.full[i]
		if t := &c.turns[i]; limit > 0 && c.full[i] > lineLimit(t, limit) {
			c.cost[i] = lineTokens(lineAbout(t, limit, c.about))
		}
		sum += c.cost[i]
	}
	return sum
}

func (c *chooser) keepAll() {
	for i := range c.kept {
		c.kept[i] = true
	}
}

// gaps is by how much the number of gaps changes when i is kept.
func (c *chooser) gaps(i int) int {
	n := -1
	if i > 0 && !c.kept[i-1] {
		n++
	}
	if i+1 < len(c.kept) && !c.kept[i+1] {
		n++
	}
	return n
}

// take keeps turns in the given order while they fit. One that does not fit is
// passed over, or is the end where the order is to be strict.
func (c *chooser) take(order []int, strict bool) {
	for _, i := range order {
		if c.kept[i] {
			continue
		}
		cost := c.cost[i] + c.gaps(i)*c.gap
		if cost > c.room {
			if strict {
				return
			}
			continue
		}
		c.kept[i] = true
		c.room -= cost
	}
}

// fill keeps the turns of each gap that cost no more than the line about it.
func (c *chooser) fill() {
	for from := 0; from < len(c.kept); from++ {
		if c.kept[from] {
			continue
		}
		to, sum := from, 0
		for ; to < len(c.kept) && !c.kept[to]; to++ {
			sum += c.cost[to]
		}
		if sum <= c.gap {
			for i := from; i < to; i++ {
				c.kept[i] = true
			}
			c.room += c.gap - sum
		}
		from = to
	}
}

func (c *chooser) selection() Selection {
	s := Selection{Limit: c.limit, About: c.about}
	for i := 0; i < len(c.turns); i++ {
		if c.kept[i] {
			s.Kept = append(s.Kept, c.turns[i].Index)
			continue
		}
		to := i
		for to+1 < len(c.turns) && !c.kept[to+1] {
			to++
		}
		s.Omitted = append(s.Omitted, span(c.turns[i:to+1]))
		i = to
	}
	return s
}

// within is the turns numbered from to to.
func within(turns []call.Turn, from, to int) []call.Turn {
	if from > 0 {
		turns = turns[position(turns, from):]
	}
	if to > 0 {
		turns = turns[:position(turns, to+1)]
	}
	return turns
}

// position is where the turn of this number is, or would be.
func position(turns []call.Turn, number int) int {
	i, _ := slices.BinarySearchFunc(turns, number, func(t call.Turn, n int) int { return cmp.Compare(t.Index, n) })
	return i
}

func span(turns []call.Turn) Span {
	s := Span{FromTurn: turns[0].Index, ToTurn: turns[len(turns)-1].Index}
	for i := range turns {
		if t := &turns[i]; t.Start != nil {
			if s.From == nil {
				s.From = t.Start
			}
			s.To = cmp.Or(t.End, t.Start)
		}
	}
	return s
}
