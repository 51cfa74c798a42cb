package zudu

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/internal/call"
)

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
		said = loose.Lines(string(r.Transcript), hint(l))
	}
	if !slices.ContainsFunc(said, isTool) {
		said = insert(said, withTools, isTool)
	}
	events := r.events(l)
	return loose.Numbered(insert(said, events, func(call.Turn) bool { return true }))
}

func hint(l *call.Log) loose.Hint {
	return loose.Hint{Start: l.StartedAt, Length: l.Duration, Unit: time.Millisecond}
}

func isSpoken(t call.Turn) bool { return t.Role == call.RoleAgent || t.Role == call.RoleCaller }
func isTimed(t call.Turn) bool  { return t.Start != nil }
func isTool(t call.Turn) bool   { return t.Role == call.RoleTool }

// read reads entries, whose times are in milliseconds, of the call or of 1970.
func (r *record) read(raw json.RawMessage, l *call.Log) []call.Turn {
	return loose.Transcript(hint(l), raw)
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
