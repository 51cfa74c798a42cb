package call

import "strings"

// Opening is why the caller says he calls: his first turn of four words and
// more, since most begin with a greeting, or his first at all.
func (l *Log) Opening() string {
	if at, _ := opening(l.Turns); at >= 0 {
		return l.Turns[at].Text
	}
	return ""
}

// opening is the position of the opening in turns, -1 for none; sure says that
// turns behind these would not change it.
func opening(turns []Turn) (at int, sure bool) {
	at = -1
	for i := range turns {
		text := strings.TrimSpace(turns[i].Text)
		if turns[i].Role != RoleCaller || text == "" {
			continue
		}
		if at < 0 {
			at = i
		}
		if strings.Count(text, " ") >= 3 {
			return i, true
		}
	}
	return at, false
}

// openingTurns is the turns of l, blank but for the one that v shows as its opening:
// no turn is shown that v has not been put to.
func (l *Log) openingTurns(v *View) []Turn {
	if l.Turns == nil {
		return nil
	}
	out := make([]Turn, len(l.Turns))
	for n := 0; ; {
		n = nextOpening(l.Turns, n)
		shown := v.spoken(l.Turns, n)
		for i := range out {
			out[i] = Turn{Index: l.Turns[i].Index, Role: l.Turns[i].Role}
			if i < n {
				out[i].Text = shown[i]
			}
		}
		at, sure := opening(out[:n])
		if !sure && n < len(out) {
			continue // what v shows of a text may have fewer words
		}
		for i := range out[:n] {
			if i != at {
				out[i].Text = ""
			}
		}
		return out
	}
}

// nextOpening is how many turns to look at for an opening, where it is not among
// the first n: twice as many at least, so that few rounds come to all of them.
func nextOpening(turns []Turn, n int) int {
	from := min(2*n, len(turns))
	if at, sure := opening(turns[from:]); sure {
		return from + at + 1
	}
	return len(turns)
}
