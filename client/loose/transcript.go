package loose

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"call-logs-mcp/internal/call"
)

// Transcript reads the first of several forms of one transcript in which
// somebody speaks, or else the first in which anything is: entries in JSON of any
// common shape, or text. What is said stays said: an entry of a known role says
// its words, one of an unknown role says its name with them, and one that cannot
// be read says so.
func Transcript(h Hint, forms ...json.RawMessage) []call.Turn {
	var spare []call.Turn
	for _, form := range forms {
		turns, read := transcript(form, h)
		if read {
			return turns
		}
		if spare == nil {
			spare = turns
		}
	}
	return spare
}

// transcript reads one form, and says whether there is something in it that
// could be read.
func transcript(raw json.RawMessage, h Hint) (turns []call.Turn, read bool) {
	b := Unwrap(raw)
	if len(b) == 0 || string(b) == "null" {
		return nil, false
	}
	if b[0] != '[' && b[0] != '{' || !gjson.ValidBytes(b) {
		var text Text
		_ = text.UnmarshalJSON(raw)
		return Lines(string(text), h), b[0] != '[' && b[0] != '{'
	}
	entries := entriesOf(gjson.ParseBytes(b), maxNestedEntries)
	for i := range entries {
		read = read || !entries[i].unread && !entries[i].partial
	}
	return turnsOf(entries, h), read
}

// turnsOf makes turns of entries: a tool's result joins the turn of its call, by
// id where they have one, else in order. Entries that say nothing are left out.
func turnsOf(entries []entry, h Hint) []call.Turn {
	entries = undrafted(entries)
	settle(entries)
	scale := scaleOf(entries, h)
	t := tools{ids: map[int]string{}}
	for i := range entries {
		e := &entries[i]
		var turn call.Turn
		turn.Start, turn.End = scale.span(e)
		switch {
		case e.kind == toolResult:
			t.result(e, turn)
		case e.kind == toolCall:
			t.call(e, turn)
		case e.words != "":
			turn.Role, turn.Text = e.role, e.words
			if p, ok := partOf(e.speaker); e.kind != event && (!ok || p.role == "") && (e.role == call.RoleSystem || e.role == call.RoleSpeaker) {
				turn.Text = strings.TrimPrefix(e.speaker+": "+e.words, ": ")
			}
			t.turns = append(t.turns, turn)
		}
	}
	return Numbered(t.turns)
}

// unfinished marks the last words of a speaker, of which only a draft came.
const unfinished = " (unfinished)"

// undrafted leaves out the drafts of lines that follow. Of a speaker with whom no
// line follows, the last draft is what he said last.
func undrafted(entries []entry) []entry {
	if !slices.ContainsFunc(entries, func(e entry) bool { return e.partial }) {
		return entries
	}
	followed := map[string]bool{}
	var out []entry
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		if e.kind == said && e.words != "" {
			if e.partial && followed[e.speaker] {
				continue
			}
			followed[e.speaker] = true
			if e.partial {
				e.words += unfinished
			}
		}
		out = append(out, e)
	}
	for i, k := 0, len(out)-1; i < k; i, k = i+1, k-1 {
		out[i], out[k] = out[k], out[i]
	}
	return out
}

// Numbered gives turns their numbers, from 1.
func Numbered(turns []call.Turn) []call.Turn {
	for i := range turns {
		turns[i].Index = i + 1
	}
	return turns
}

// tools pairs calls of functions with their results, by id where they have one,
// else in order.
type tools struct {
	turns []call.Turn
	ids   map[int]string // of the tool turns without a result yet, by position
	open  []int
}

func (t *tools) call(e *entry, turn call.Turn) {
	turn.Role = call.RoleTool
	turn.Tool = &call.Tool{Name: e.name, Args: e.args}
	switch {
	case turn.Tool.Name != "":
	case bareName.MatchString(e.words):
		turn.Tool.Name = e.words
	default:
		turn.Text = e.words
	}
	at := len(t.turns)
	t.ids[at] = e.id
	t.open = append(t.open, at)
	t.turns = append(t.turns, turn)
}

func (t *tools) result(e *entry, turn call.Turn) {
	result := cmp.Or(e.result, e.words)
	if result == "" && e.failed != nil && !*e.failed {
		result = `{"success":true}` // nothing else came
	}
	at := t.match(e.id, e.name)
	if at < 0 {
		turn.Role = call.RoleTool
		turn.Tool = &call.Tool{Name: e.name, Result: result}
		turn.Tool.Judge(e.failed)
		t.turns = append(t.turns, turn)
		return
	}
	done := &t.turns[at]
	done.Tool.Result = result
	done.Tool.Judge(e.failed)
	if done.Tool.Name == "" {
		done.Tool.Name = e.name
	}
	if done.End = turn.End; done.End == nil {
		done.End = turn.Start
	}
}

// match finds the call that a result belongs to and takes it off the open ones.
func (t *tools) match(id, name string) int {
	for _, fits := range []func(at int) bool{
		func(at int) bool { return id != "" && t.ids[at] == id },
		func(at int) bool {
			return (id == "" || t.ids[at] == "") && (name == "" || t.turns[at].Tool.Name == "" || t.turns[at].Tool.Name == name)
		},
	} {
		for i, at := range t.open {
			if fits(at) {
				t.open = append(t.open[:i:i], t.open[i+1:]...)
				return at
			}
		}
	}
	return -1
}
