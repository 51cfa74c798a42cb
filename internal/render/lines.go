package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
)

// minLine is the least that the line of one turn is cut to, and toolLine the
// most that one of a tool call is cut to where something has to be cut.
const (
	minLine  = 36
	toolLine = 160
)

// Lines writes the selected turns, one on a line, and a line about each gap:
//
//	12 03:41 agent: words
//	13 03:44 tool lookup_order {"order":"A-1182"} → error: timeout after 8 s
//	… turns 14–88 left out (04:10–17:32) …
//
// Text is cleaned; times that are not known are left out. There is no newline
// at the end. The turns are those given to Choose.
func Lines(turns []call.Turn, s Selection) string {
	var b strings.Builder
	gaps := s.Omitted
	for _, number := range s.Kept {
		for len(gaps) > 0 && gaps[0].FromTurn < number {
			b.WriteString(gaps[0].String() + "\n")
			gaps = gaps[1:]
		}
		if i := position(turns, number); i < len(turns) && turns[i].Index == number {
			b.WriteString(lineAbout(&turns[i], s.Limit, s.About) + "\n")
		}
	}
	for _, g := range gaps {
		b.WriteString(g.String() + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// String is the line about a gap.
func (s Span) String() string {
	text := fmt.Sprintf("… turns %d–%d left out", s.FromTurn, s.ToTurn)
	if s.FromTurn == s.ToTurn {
		text = fmt.Sprintf("… turn %d left out", s.FromTurn)
	}
	if s.From != nil && s.To != nil {
		from, to := At(*s.From), At(*s.To)
		if from != to {
			from += "–" + to
		}
		text += " (" + from + ")"
	}
	return text + " …"
}

// gapTokens is the most that a line about a gap in turns takes.
func gapTokens(turns []call.Turn) int {
	if len(turns) == 0 {
		return 0
	}
	var last *time.Duration
	for i := range turns {
		for _, at := range []*time.Duration{turns[i].Start, turns[i].End} {
			if at != nil && (last == nil || *at > *last) {
				last = at
			}
		}
	}
	number := turns[len(turns)-1].Index
	s := Span{FromTurn: number - 1, ToTurn: number}
	if last != nil {
		before := *last - time.Second
		s.From, s.To = &before, last
	}
	return lineTokens(s.String())
}

// Line writes one turn on one line of at most limit tokens, 0 being no bound.
func Line(t *call.Turn, limit int) string { return lineAbout(t, limit, nil) }

func lineAbout(t *call.Turn, limit int, about *call.Text) string {
	head := Head(t)
	words := WordsAbout(t, limitLeft(lineLimit(t, limit), head), about)
	return strings.TrimSuffix(head+" "+words, " ")
}

// Head is how the line of a turn begins, before its Words: 12 03:41 agent:
func Head(t *call.Turn) string {
	head := strconv.Itoa(t.Index)
	if t.Start != nil {
		head += " " + At(*t.Start)
	}
	if t.Tool != nil {
		return head + " tool"
	}
	return head + " " + Clean(string(t.Role)) + ":"
}

// Words is what was said in a turn, or the tool call that it is, cleaned and cut
// in its middle to limit tokens, 0 being no bound.
func Words(t *call.Turn, limit int) string { return WordsAbout(t, limit, nil) }

// WordsAbout is Words, cut around what about looks for.
func WordsAbout(t *call.Turn, limit int, about *call.Text) string {
	if t.Tool != nil {
		return toolWords(t, limit, about)
	}
	return cutAbout(Clean(t.Text), limit, about)
}

// toolWords writes a tool call: its name, what it was given and what came back.
func toolWords(t *call.Turn, limit int, about *call.Text) string {
	given := strings.TrimSpace(quoted(cut(Clean(t.Tool.Name), limit/3), fieldMarks) + " " + compact(t.Tool.Args, limit/3, about))
	result := reason(t.Tool)
	came := ""
	switch {
	case t.Tool.Failed && result == "":
		came = " → error"
	case t.Tool.Failed:
		came = " → error: "
	case result != "":
		came = " → "
	default:
		came = " → no answer"
	}
	given = strings.TrimLeft(given+came, " ")
	if result == "" {
		return given
	}
	return given + compact(result, limitLeft(limit, given), about)
}

// reason is the result of a tool call, without the JSON around the words of an
// error that says nothing else.
func reason(t *call.Tool) string {
	var said map[string]string
	if t.Failed && json.Unmarshal([]byte(t.Result), &said) == nil && len(said) == 1 {
		for _, key := range []string{"error", "message", "detail"} {
			if said[key] != "" {
				return said[key]
			}
		}
	}
	return t.Result
}

// compact writes JSON without white space, cleaned and cut to limit tokens. JSON
// tells by itself where it ends, unless it is cut; what is none is a Value.
func compact(s string, limit int, about *call.Text) string {
	var b bytes.Buffer
	whole := json.Compact(&b, []byte(s)) == nil
	if whole {
		s = b.String()
	}
	clean := Clean(s)
	short := cutAbout(clean, limit, about)
	if whole && short == clean {
		return short
	}
	return quoted(short, fieldMarks)
}

// lineLimit is the limit for one turn where the one for all is limit.
func lineLimit(t *call.Turn, limit int) int {
	if limit > 0 && t.Tool != nil {
		return min(limit, toolLine)
	}
	return limit
}

// limitLeft is what a limit leaves behind head; 0, no bound, stays 0.
func limitLeft(limit int, head string) int {
	if limit == 0 {
		return 0
	}
	return max(1, limit-Tokens(head))
}
