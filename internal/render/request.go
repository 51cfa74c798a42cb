package render

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
)

// The bounds of what an answer may be asked to take, in tokens, and what it
// takes at most in bytes, whatever is in it.
const (
	MinAnswer = 300
	MaxAnswer = 10000
	MaxBytes  = 256 << 10
)

// A Request asks for part of a transcript: all of it, the turns From to To,
// what stands around a turn or a time, or the turns that hold words.
type Request struct {
	From, To int    // turn numbers; 0 for the ends
	Around   string // a turn number, or MM:SS
	Match    string // a query of call.Text
}

// A Part is the turns that a Request means, and how to choose among them.
type Part struct {
	Log     *call.Log
	Turns   []call.Turn
	Matches int // turns that hold the words of Request.Match
	Excerpt Excerpt
}

// Of finds the part of l that is asked for. Its errors are for the one who asks.
func (r Request) Of(l *call.Log) (Part, error) {
	n := len(l.Turns)
	p := Part{Log: l, Turns: l.Turns, Excerpt: Excerpt{From: r.From, To: r.To, InOrder: r.Around == ""}}
	switch {
	case n == 0:
		return p, &call.Error{Kind: call.NotFound, Msg: "The source gave no transcript of " + l.ID.String() + "."}
	case r.From < 0 || r.To < 0:
		return p, invalid("Turns are counted from 1.")
	case r.From > n:
		return p, invalid("%s has turns 1 to %d; from_turn is %d.", l.ID, n, r.From)
	case r.To > 0 && r.From > r.To:
		return p, invalid("from_turn (%d) is behind to_turn (%d).", r.From, r.To)
	}
	var err error
	if r.Around != "" {
		if p.Excerpt.Around, err = turnOf(l, r.Around); err != nil {
			return p, err
		}
		if at := p.Excerpt.Around; at < r.From || r.To > 0 && at > r.To {
			return p, invalid("around means turn %d, which is not within the turns that were asked for.", at)
		}
	}
	if r.Match != "" {
		p.Turns, p.Matches, err = r.matching(l, &p.Excerpt)
	}
	return p, err
}

func invalid(format string, args ...any) error {
	return &call.Error{Kind: call.Invalid, Msg: fmt.Sprintf(format, args...)}
}

// Text writes p in budget tokens: a line on what it is, the fenced turns, and
// what shows the turns that were left out, in the words of again.
func (p Part) Text(budget int, fence Fence, again func(Span) string) string {
	w := NewWriter(budget, 0)
	id, total := Value(p.Log.ID.String(), 200)+" · "+p.Log.ID.URI()+"/transcript", len(p.Log.Turns)
	head := func(shown int) string {
		if p.Matches > 0 {
			return fmt.Sprintf("%s · %d turns%s, %d match, %d shown with their neighbours; %s", id, total, Speakers(p.Log.Turns), p.Matches, shown, fence.Note())
		}
		return fmt.Sprintf("%s · %d turns%s, %d shown; %s", id, total, Speakers(p.Log.Turns), shown, fence.Note())
	}
	widest := Span{FromTurn: total, ToTurn: total}
	e := p.Excerpt
	e.Budget = w.Left() - Tokens(head(total)) - Tokens(fence.Wrap("")) - 2*Tokens("left out: "+again(widest)) - Tokens(parts(id, total)) - 10 - min(2*p.Matches, w.Left()/10)
	e.Budget = max(1, e.Budget) // 0 would be no bound
	s := Choose(p.Turns, e)
	w.Line(head(len(s.Kept)))
	w.Line(fence.Wrap(p.lines(s)))
	if n := s.cut(p.Turns); n > 0 {
		w.Tail(parts(p.Log.ID.String(), n))
	}
	if n := len(s.Omitted); n > 0 {
		// Read in order, what is left is behind; read outward, on both sides.
		w.Tail("left out: " + again(s.Omitted[0]))
		if n > 1 {
			w.Tail("and: " + again(s.Omitted[n-1]))
		}
	}
	return w.String()
}

// parts says how a turn that was cut is read whole.
func parts(id string, turn int) string {
	return fmt.Sprintf("turn %d is cut; in parts: read_transcript id=%q from_turn=%d offset=0", turn, id, turn)
}

// lines are those of the selection, with … where turns between two of them do
// not match.
func (p Part) lines(s Selection) string {
	text := Lines(p.Turns, s)
	if p.Matches == 0 {
		return text
	}
	var out []string
	last := 0
	for line := range strings.SplitSeq(text, "\n") {
		number, _, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(number)
		if err == nil && last > 0 && n > last+1 {
			out = append(out, "…")
		}
		if last = n; err != nil {
			last = 0 // a line about a gap says so itself
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// matching are the turns of l that hold a part of the query, each with the one
// before and behind it.
func (r Request) matching(l *call.Log, e *Excerpt) (found []call.Turn, matches int, err error) {
	text, err := call.ParseText(r.Match)
	if err != nil {
		return nil, 0, invalid("match: %s.", err)
	}
	e.About = text
	from, to := max(1, r.From), len(l.Turns)
	if r.To > 0 {
		to = min(to, r.To)
	}
	last := 0
	for n := from; n <= to; n++ {
		if text.Worth(&l.Turns[n-1]) == 0 {
			continue
		}
		matches++
		for k := max(from, n-1, last+1); k <= min(to, n+1); k++ {
			found, last = append(found, l.Turns[k-1]), k
		}
	}
	if len(found) == 0 {
		return nil, 0, &call.Error{Kind: call.NotFound, Msg: fmt.Sprintf("No turn from %d to %d of %s holds %s.", from, to, l.ID, Clip(Clean(text.String()), 200)), Hint: "Words match whole; word* matches longer ones, too."}
	}
	return found, matches, nil
}

// turnOf is the turn that a number, or a time from the start of the call, means.
func turnOf(l *call.Log, s string) (int, error) {
	s = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "turn ")
	if n, err := strconv.Atoi(s); err == nil {
		if n < 1 || n > len(l.Turns) {
			return 0, invalid("%s has turns 1 to %d; around is %s.", l.ID, len(l.Turns), Clip(s, 40))
		}
		return n, nil
	}
	at, ok := readClock(s)
	if !ok {
		return 0, invalid("around is a turn number or a time MM:SS, got %q.", Clip(s, 40))
	}
	turn, last := 0, time.Duration(0)
	for i := range l.Turns {
		if t := &l.Turns[i]; t.Start != nil && (turn == 0 || *t.Start <= at) {
			turn, last = t.Index, *t.Start
		}
	}
	if turn == len(l.Turns) && at > last+2*time.Minute {
		return 0, invalid("%s ends about %s; around is %s.", l.ID, At(last), Clip(s, 40))
	}
	if turn == 0 {
		return 0, invalid("The turns of %s have no times; give a turn from 1 to %d.", l.ID, len(l.Turns))
	}
	return turn, nil
}

// readClock reads MM:SS and H:MM:SS, up to the end of that second.
func readClock(s string) (time.Duration, bool) {
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	seconds := 0
	for _, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || n > 9999 {
			return 0, false
		}
		seconds = seconds*60 + n
	}
	return time.Duration(seconds)*time.Second + 999*time.Millisecond, true
}
