package render

import (
	"cmp"
	"math/bits"
	"slices"

	"call-logs-mcp/internal/call"
)

// How many turns the end, the beginning and the silences bring in, and how many
// of the rest stand together: alone, each would cost a line about a gap.
const (
	lastTurns  = 6
	firstTurns = 4
	silences   = 3
	runLength  = 4
)

// order lists positions of turns in the order in which they are worth keeping.
// A position may be listed more than once.
func order(turns []call.Turn, e Excerpt) []int {
	n := len(turns)
	var list []int
	switch {
	case e.InOrder:
		for i := range n {
			list = append(list, i)
		}
		return list
	case e.Ends:
		for i := range (n + 1) / 2 {
			list = append(list, i, n-1-i)
		}
		return list
	case e.Around > 0:
		return outward(n, min(position(turns, e.Around), max(0, n-1)))
	}
	add := func(i int) {
		if i >= 0 && i < n {
			list = append(list, i)
		}
	}
	for _, number := range slices.Concat(e.Matches, e.Cited) {
		if i := position(turns, number); i < n && turns[i].Index == number {
			add(i)
		}
	}
	for i := range turns {
		if t := turns[i].Tool; t != nil && (t.Failed || t.Outcome() == call.ToolDoubtful) {
			add(i)
		}
	}
	core := len(list)
	for k := range lastTurns {
		add(n - 1 - k)
	}
	for k := range firstTurns {
		add(k)
	}
	pauses := speechPauses(turns)
	slices.SortStableFunc(pauses, func(a, b pause) int { return cmp.Compare(b.length, a.length) })
	for _, p := range pauses[:min(silences, len(pauses))] {
		add(p.before)
		add(p.after)
	}
	for _, i := range list[:core:core] {
		add(i - 1)
		add(i + 1)
	}
	return append(list, evenly(n)...)
}

// outward lists 0 to n-1 by their distance from i.
func outward(n, i int) []int {
	list := make([]int, 0, n)
	for d := 0; len(list) < n; d++ {
		if i-d >= 0 {
			list = append(list, i-d)
		}
		if d > 0 && i+d < n {
			list = append(list, i+d)
		}
	}
	return list
}

// evenly lists 0 to n-1 in short runs such that any beginning of the list is
// spread over the whole: the runs come in the order of their numbers' bits
// reversed (van der Corput).
func evenly(n int) []int {
	runs := (n + runLength - 1) / runLength
	width := bits.Len(uint(max(0, runs-1)))
	list := make([]int, 0, n)
	for k := range 1 << width {
		run := int(bits.Reverse(uint(k)) >> (bits.UintSize - width))
		for i := run * runLength; i < min(n, (run+1)*runLength); i++ {
			list = append(list, i)
		}
	}
	return list
}
