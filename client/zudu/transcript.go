package zudu

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/internal/call"
)

// entry is one element of transcript_object or transcript_with_tool_calls:
// something said, the call of a tool, or its result.
type entry struct {
	Role      loose.Text      `json:"role"`
	Content   json.RawMessage `json:"content"`
	Timestamp loose.Number    `json:"timestamp"` // milliseconds, of the call or of the epoch
	Words     []struct {
		Start loose.Number `json:"start"`
		End   loose.Number `json:"end"`
	} `json:"words"`

	ToolID    loose.Text      `json:"tool_call_id"`
	Name      loose.Text      `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
	Result    json.RawMessage `json:"result"`
}

// event is one element of events.
type event struct {
	Timestamp loose.Number    `json:"timestamp"` // milliseconds of the epoch
	Event     loose.Text      `json:"event"`
	Session   loose.Number    `json:"session_time"` // milliseconds of the call
	Data      json.RawMessage `json:"data"`
}

// turns reads the best of the three transcripts: the object, else the one with
// tool calls, else the lines of the text. The tool calls of the second are put
// in where they belong, and so is what happened to the call, as the system's.
func (r *record) turns(l *call.Log) []call.Turn {
	said := r.read(r.Object, l)
	withTools := r.read(r.WithTools, l)
	if len(said) == 0 && slices.ContainsFunc(withTools, isSpoken) {
		said = withTools
	}
	if len(said) == 0 {
		said = loose.Lines(string(r.Transcript))
	}
	if !slices.ContainsFunc(said, isTool) {
		said = insert(said, withTools, isTool)
	}
	events := r.events(l)
	return loose.Numbered(insert(said, events, func(call.Turn) bool { return true }))
}

func isSpoken(t call.Turn) bool { return t.Role == call.RoleAgent || t.Role == call.RoleCaller }
func isTimed(t call.Turn) bool  { return t.Start != nil }
func isTool(t call.Turn) bool   { return t.Role == call.RoleTool }

// read decodes entries, and skips what makes no sense.
func (r *record) read(raw json.RawMessage, l *call.Log) []call.Turn {
	var entries []entry
	if b := loose.Unwrap(raw); len(b) > 0 && b[0] == '[' {
		_ = json.Unmarshal(b, &entries) // an odd entry is left zero and says nothing
	}
	unit := wordUnit(entries, l.Duration)
	said := make([]loose.Entry, len(entries))
	for i, e := range entries {
		said[i] = loose.Entry{
			Role: string(e.Role), ID: string(e.ToolID), Name: string(e.Name),
			Args: loose.Compact(e.Arguments), Result: loose.Compact(e.Result),
			Words: content(e.Content),
			Start: loose.Offset(scaled(e.Timestamp, 1e-3), l.StartedAt),
		}
		if n := len(e.Words); n > 0 {
			from, to := loose.Offset(scaled(e.Words[0].Start, unit), l.StartedAt), loose.Offset(scaled(e.Words[n-1].End, unit), l.StartedAt)
			if said[i].Start == nil {
				said[i].Start = from
			}
			if start := said[i].Start; to != nil && start != nil && *to >= *start {
				said[i].End = to
			}
		}
	}
	return loose.Turns(said)
}

// content is the words of an entry; those of a tool's result may be JSON.
func content(raw json.RawMessage) string {
	var words loose.Text
	_ = words.UnmarshalJSON(raw)
	return cmp.Or(strings.TrimSpace(string(words)), loose.Compact(raw))
}

// wordUnit is what the times of words are in, as seconds. The API counts in
// milliseconds, but transcribers in seconds, and nobody says which these are:
// words that as seconds end within the call's length are in seconds, and where
// that is unknown, those with fractions.
func wordUnit(entries []entry, length *time.Duration) float64 {
	last, fractions := 0.0, false
	for _, e := range entries {
		for _, w := range e.Words {
			if w.End.V != nil {
				last = max(last, *w.End.V)
				fractions = fractions || *w.End.V != math.Trunc(*w.End.V)
			}
		}
	}
	known := length != nil && *length > 0
	if known && last <= length.Seconds()+1 || !known && fractions {
		return 1
	}
	return 1e-3
}

func scaled(n loose.Number, by float64) loose.Number {
	if n.V == nil {
		return n
	}
	v := *n.V * by
	return loose.Number{V: &v}
}

// maxData bounds the characters of an event's data that are shown.
const maxData = 300

func (r *record) events(l *call.Log) []call.Turn {
	var events []event
	if b := loose.Unwrap(r.Events); len(b) > 0 && b[0] == '[' {
		_ = json.Unmarshal(b, &events)
	}
	var turns []call.Turn
	for _, e := range events {
		words := strings.TrimSpace(string(e.Event))
		if words == "" {
			continue
		}
		if data := []rune(loose.Compact(e.Data)); len(data) > 2 { // more than {}
			if len(data) > maxData {
				data = append(data[:maxData], '…')
			}
			words += ": " + string(data)
		}
		at := loose.Offset(scaled(e.Timestamp, 1e-3), l.StartedAt)
		if at == nil {
			at = loose.Offset(scaled(e.Session, 1e-3), l.StartedAt)
		}
		turns = append(turns, call.Turn{Role: call.RoleSystem, Text: words, Start: at})
	}
	return turns
}

// insert puts the turns of others that are wanted among turns, in their order:
// before the first that starts later. Where times are missing, it is behind as
// many spoken turns as come before it among the others, or at the end.
func insert(turns, others []call.Turn, wanted func(call.Turn) bool) []call.Turn {
	out := slices.Clone(turns)
	timed, aligned := slices.ContainsFunc(turns, isTimed), slices.ContainsFunc(others, isSpoken)
	spoken, at := 0, 0
	for _, t := range others {
		if isSpoken(t) {
			spoken++
		}
		if !wanted(t) {
			continue
		}
		place := len(out)
		switch {
		case timed && isTimed(t):
			place = slices.IndexFunc(out, func(x call.Turn) bool { return isTimed(x) && *x.Start > *t.Start })
		case aligned:
			met := 0
			place = slices.IndexFunc(out, func(x call.Turn) bool {
				if isSpoken(x) {
					met++
				}
				return met > spoken
			})
		}
		if place < 0 {
			place = len(out)
		}
		at = max(at, place)
		out = slices.Insert(out, at, t)
		at++
	}
	return out
}
