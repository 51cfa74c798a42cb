package file

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/lazyregexp"
)

// talk reads the transcript of a draft.
func (d *draft) talk() error {
	hint := loose.Hint{Start: d.StartedAt, Length: d.Duration, Unit: d.unit}
	if !d.local.IsZero() {
		hint.Start = d.local // times of turns have no offset either
	}
	d.Turns = loose.Transcript(hint, d.forms...)
	spoken := slices.ContainsFunc(d.Turns, func(t call.Turn) bool { return t.Role != call.RoleSystem })
	if d.brief && spoken {
		first := slices.IndexFunc(d.Turns, func(t call.Turn) bool { return t.Role != call.RoleSystem })
		d.Turns = loose.Numbered(d.Turns[first:])
	}
	for _, form := range d.forms {
		switch v := gjson.ParseBytes(form); {
		case len(d.Turns) > 0:
		case v.IsArray() && len(v.Array()) == 0:
			d.Turns = []call.Turn{}
		case !isNothing(v):
			return errNobody
		}
	}
	return nil
}

// moment is a time, in the zone where it has no offset. Then local is the same
// time of day as if it had been UTC.
func (r *reader) moment(v gjson.Result) (t, local time.Time) {
	var m loose.Moment
	_ = m.UnmarshalJSON([]byte(v.Raw))
	if v.Type != gjson.String || m.IsZero() || r.zone == nil || isNumber.MatchString(v.Str) || hasOffset.MatchString(v.Str) {
		return m.Time, time.Time{}
	}
	t = m.Time
	return filter.Earlier(time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), r.zone)).UTC(), m.Time
}

var (
	isNumber  = lazyregexp.New(`^\s*[\d.]+\s*$`)
	hasOffset = lazyregexp.New(`(?i)(?:\d:?\d\d(?:[.,]\d+)?\s?(?:Z|[+-]\d\d(?::?\d\d)?)|\b(?:UTC|GMT)|[+-]\d{4})(?:\s*\(.*\))?\s*$`)
)

// start sets the start of a call from the first of paths that is there.
func (r *reader) start(d *draft, f facts, paths ...string) {
	d.StartedAt, d.local = r.moment(f.get(paths...))
}

// A turn of a record that is ours to the letter is read without guessing: its
// times are start_s and end_s from the start of the call, and one of a tool has
// its name, its arguments and its result.
type turn struct {
	Role       call.Role       `json:"role"`
	Text       *string         `json:"text"`
	StartS     *float64        `json:"start_s"`
	EndS       *float64        `json:"end_s"`
	ToolName   string          `json:"tool_name"`
	ToolArgs   json.RawMessage `json:"tool_args"`
	ToolResult json.RawMessage `json:"tool_result"`
}

// ownTurns reads a list of such turns; ok is false where it is another's.
func ownTurns(v gjson.Result) (turns []call.Turn, ok bool) {
	var own []turn
	if !v.IsArray() || json.Unmarshal([]byte(v.Raw), &own) != nil {
		return nil, false
	}
	turns = make([]call.Turn, len(own))
	for i, t := range own {
		out := call.Turn{Index: i + 1, Role: t.Role, Start: seconds(t.StartS), End: seconds(t.EndS)}
		switch t.Role {
		case call.RoleTool:
			if t.ToolName == "" {
				return nil, false
			}
			result := loose.Compact(t.ToolResult)
			out.Tool = &call.Tool{Name: t.ToolName, Args: argsText(t.ToolArgs), Result: argsText(t.ToolResult), Failed: call.JudgeResult(result) == call.ToolFailed}
		case call.RoleAgent, call.RoleCaller, call.RoleSystem:
			if t.Text == nil {
				return nil, false
			}
		default:
			return nil, false
		}
		if t.Text != nil {
			out.Text = *t.Text
		}
		turns[i] = out
	}
	return turns, true
}

// argsText is raw without spaces, or where it is a JSON text, that text.
func argsText(raw json.RawMessage) string {
	if len(raw) > 0 && raw[0] == '"' {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	}
	return loose.Compact(raw)
}

// seconds is s to the microsecond, nil where that is no time of a call.
func seconds(s *float64) *time.Duration {
	if s == nil || *s < 0 || *s > 1e9 {
		return nil
	}
	return new(time.Duration(math.Round(*s*1e6)) * time.Microsecond)
}

// commonTools gives the tool calls of a list that is nearly ours the names that
// others have for their parts.
func commonTools(v gjson.Result) json.RawMessage {
	if !strings.Contains(v.Raw, `"tool_name"`) {
		return json.RawMessage(v.Raw)
	}
	var list []map[string]json.RawMessage
	if json.Unmarshal([]byte(v.Raw), &list) != nil {
		return json.RawMessage(v.Raw)
	}
	for _, t := range list {
		if len(t["tool_name"]) == 0 || string(t["tool_name"]) == "null" {
			for _, name := range []string{"tool_name", "tool_args", "tool_result"} {
				delete(t, name)
			}
			continue
		}
		t["role"] = json.RawMessage(`"function_call"`)
		for from, to := range map[string]string{"tool_name": "name", "tool_args": "arguments", "tool_result": "output"} {
			if raw, ok := t[from]; ok {
				t[to] = raw
				delete(t, from)
			}
		}
	}
	b, err := json.Marshal(list)
	if err != nil {
		return json.RawMessage(v.Raw)
	}
	return b
}

// transcript reads a file that is no JSON: the words of one call, as lines with
// names or as captions.
func (r *reader) transcript(in io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(in, min(maxLine+1, r.left)))
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", r.file, err)
	case len(b) > maxLine:
		return fmt.Errorf("%s: a transcript of more than %d MiB", r.file, maxLine>>20)
	}
	text := string(b)
	turns := loose.Lines(text, loose.Hint{})
	named := slices.ContainsFunc(turns, func(t call.Turn) bool { return t.Role == call.RoleAgent || t.Role == call.RoleCaller })
	captions := strings.HasPrefix(text, "WEBVTT") || strings.Contains(text, "-->")
	if !named && !captions {
		return errNoDocument
	}
	d := &draft{Log: call.Log{Turns: turns}}
	if _, taken := r.at[r.stem()]; !taken { // by a file of the same name elsewhere
		d.ID.Key = r.stem()
	}
	if day := dateInName.FindString(r.stem()); day != "" {
		r.start(d, facts{object{"day": gjson.Parse(string(quoted(day)))}}, "day")
	}
	if n := len(turns); n > 0 {
		if d.Duration = turns[n-1].End; d.Duration == nil {
			d.Duration = turns[n-1].Start
		}
	}
	return r.settle(d)
}

var dateInName = lazyregexp.New(`20\d\d-[01]\d-[0-3]\d`)
