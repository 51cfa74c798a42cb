package cekura

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
)

// entry is one element of transcript_object.
type entry struct {
	Role      text   `json:"role"`
	Content   text   `json:"content"`
	Start     number `json:"start_time"`
	End       number `json:"end_time"`
	Timestamp number `json:"timestamp"`
	Data      struct {
		ID        text            `json:"id"`
		Name      text            `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		Result    json.RawMessage `json:"result"`
	} `json:"data"`
}

// turns reads a transcript from the best of its two forms: the entries of the
// object, else the lines of the text, else the text as it is.
func turns(object, plain json.RawMessage, start time.Time) []call.Turn {
	var (
		entries []entry
		script  text
		parsed  []call.Turn
	)
	if b := unwrap(object); len(b) > 0 && b[0] == '[' {
		_ = json.Unmarshal(b, &entries) // an odd entry is left zero and skipped
		parsed = fromEntries(entries, start)
	}
	if len(parsed) == 0 {
		_ = script.UnmarshalJSON(plain)
		parsed = fromText(string(script))
	}
	for i := range parsed {
		parsed[i].Index = i + 1
	}
	return parsed
}

// tools pairs calls of functions with their results, by id where they have one,
// else in order.
type tools struct {
	turns []call.Turn
	ids   map[int]string // of the tool turns without a result yet, by position
	open  []int
}

func fromEntries(entries []entry, start time.Time) []call.Turn {
	t := tools{ids: map[int]string{}}
	for _, e := range entries {
		turn := call.Turn{Start: offset(e.Start, start), End: offset(e.End, start)}
		if turn.Start == nil {
			turn.Start = offset(e.Timestamp, start)
		}
		words := strings.TrimSpace(string(e.Content))
		switch role, result := role(string(e.Role)); {
		case result:
			t.result(e, turn, words)
		case role == call.RoleTool:
			t.call(e, turn, words)
		case words != "":
			turn.Role, turn.Text = role, words
			if role == "" {
				turn.Role, turn.Text = call.RoleSystem, strings.TrimPrefix(string(e.Role)+": "+words, ": ")
			}
			t.turns = append(t.turns, turn)
		}
	}
	return t.turns
}

func (t *tools) call(e entry, turn call.Turn, words string) {
	turn.Role = call.RoleTool
	turn.Tool = &call.Tool{Name: string(e.Data.Name), Args: compact(e.Data.Arguments)}
	switch {
	case turn.Tool.Name != "":
	case name.MatchString(words):
		turn.Tool.Name = words
	default:
		turn.Text = words
	}
	at := len(t.turns)
	t.ids[at] = string(e.Data.ID)
	t.open = append(t.open, at)
	t.turns = append(t.turns, turn)
}

func (t *tools) result(e entry, turn call.Turn, words string) {
	result := compact(e.Data.Result)
	if result == "" {
		result = words
	}
	at := t.match(string(e.Data.ID), string(e.Data.Name))
	if at < 0 {
		turn.Role = call.RoleTool
		turn.Tool = &call.Tool{Name: string(e.Data.Name), Result: result, Failed: failed(result)}
		t.turns = append(t.turns, turn)
		return
	}
	done := &t.turns[at]
	done.Tool.Result, done.Tool.Failed = result, failed(result)
	if done.Tool.Name == "" {
		done.Tool.Name = string(e.Data.Name)
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

// A name of a function, where the words of its call are nothing else.
var name = regexp.MustCompile(`^[\w.-]+$`)

// offset is a time in seconds since the call began, or an epoch, as the former.
func offset(n number, start time.Time) *time.Duration {
	switch {
	case n.v == nil || *n.v < 0:
		return nil
	case *n.v > 1e8 && start.IsZero():
		return nil
	case *n.v > 1e8:
		d := max(epoch(*n.v).Sub(start), 0)
		return &d
	}
	d := time.Duration(*n.v*1000+0.5) * time.Millisecond
	return &d
}

// role reads the spellings seen, and says whether it is that of a tool's
// result. An unknown role is "".
func role(s string) (r call.Role, result bool) {
	s = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "_", " ")
	switch strings.ReplaceAll(s, "-", " ") {
	case "main agent", "agent", "bot", "assistant", "ai", "ai agent", "voice agent":
		return call.RoleAgent, false
	case "testing agent", "test agent", "user", "customer", "caller", "human", "client":
		return call.RoleCaller, false
	case "function call", "tool call", "tool calls", "function", "tool call invocation":
		return call.RoleTool, false
	case "function call result", "tool call result", "tool result", "function result", "tool":
		return call.RoleTool, true
	case "system", "developer":
		return call.RoleSystem, false
	}
	return "", false
}

// compact is JSON without needless space, out of a JSON string if it is in one.
func compact(raw json.RawMessage) string {
	b := unwrap(raw)
	if string(b) == "null" {
		return ""
	}
	var out bytes.Buffer
	if len(b) == 0 || b[0] != '{' && b[0] != '[' || json.Compact(&out, b) != nil {
		return string(b)
	}
	return out.String()
}

var errorText = regexp.MustCompile(`(?i)^\W*(error|err|exception|fail(ed|ure)?|timeout|timed out|request timed out|unable to|could not|internal server error|traceback)\b`)

// failed reports whether a tool's result reads as an error.
func failed(result string) bool {
	var fields map[string]any
	if json.Unmarshal([]byte(result), &fields) != nil {
		return errorText.MatchString(result)
	}
	for _, key := range []string{"error", "errors", "exception"} {
		switch v := fields[key].(type) {
		case nil:
		case bool:
			if v {
				return true
			}
		case string:
			if v != "" {
				return true
			}
		case []any:
			if len(v) > 0 {
				return true
			}
		default:
			return true
		}
	}
	for _, key := range []string{"success", "ok"} {
		if fields[key] == false {
			return true
		}
	}
	for _, key := range []string{"status", "status_code", "statusCode", "code", "http_status"} {
		switch v := fields[key].(type) {
		case string:
			switch strings.ToLower(v) {
			case "error", "failed", "failure", "timeout":
				return true
			}
		case float64:
			if v >= 400 && v < 600 {
				return true
			}
		}
	}
	return false
}

// A line of a transcript: "[MM:SS] Role: words", the time being optional where
// the role is a known one.
var line = regexp.MustCompile(`^\s*(?:\[([\d:.]+)s?\]\s*)?([^:\[\]]{1,40}):\s*(.*)$`)

// fromText reads the lines of a transcript. Lines that begin no turn go on with
// the one before; a text without any is one turn of nobody's.
func fromText(s string) []call.Turn {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil
	}
	var turns []call.Turn
	for l := range strings.Lines(s) {
		l = strings.TrimRight(l, "\r\n \t")
		m := line.FindStringSubmatch(l)
		who, _ := call.Role(""), false
		if m != nil {
			who, _ = role(m[2])
		}
		switch {
		case m != nil && (who != "" || m[1] != ""):
			turn := call.Turn{Role: who, Text: strings.TrimSpace(m[3])}
			if at, ok := clock(m[1]); ok {
				turn.Start = &at
			}
			if who == "" {
				turn.Role, turn.Text = call.RoleSystem, strings.TrimSpace(m[2]+": "+m[3])
			}
			turns = append(turns, turn)
		case len(turns) > 0:
			last := &turns[len(turns)-1]
			last.Text = strings.TrimSpace(last.Text + "\n" + strings.TrimSpace(l))
		}
	}
	if len(turns) == 0 {
		return []call.Turn{{Role: call.RoleSystem, Text: s}}
	}
	return turns
}
