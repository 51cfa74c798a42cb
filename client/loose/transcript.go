package loose

import (
	"bytes"
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
)

// An Entry is one element of a transcript, whatever its upstream calls its
// parts: something said, a call of a tool, or a tool's result.
type Entry struct {
	Role         string // as the upstream spells it
	Words        string
	ID, Name     string // of a tool's call or result
	Args, Result string // JSON or text
	Start, End   *time.Duration
}

// Turns makes turns of entries: a tool's result joins the turn of its call, by
// id where they have one, else in order. Entries that say nothing are left out,
// and those of an unknown role are the system's.
func Turns(entries []Entry) []call.Turn {
	t := tools{ids: map[int]string{}}
	for _, e := range entries {
		turn := call.Turn{Start: e.Start, End: e.End}
		switch role, result := Role(e.Role); {
		case result:
			t.result(e, turn)
		case role == call.RoleTool:
			t.call(e, turn)
		case e.Words != "":
			turn.Role, turn.Text = role, e.Words
			if role == "" {
				turn.Role, turn.Text = call.RoleSystem, strings.TrimPrefix(e.Role+": "+e.Words, ": ")
			}
			t.turns = append(t.turns, turn)
		}
	}
	return Numbered(t.turns)
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

func (t *tools) call(e Entry, turn call.Turn) {
	turn.Role = call.RoleTool
	turn.Tool = &call.Tool{Name: e.Name, Args: e.Args}
	switch {
	case turn.Tool.Name != "":
	case name.MatchString(e.Words):
		turn.Tool.Name = e.Words
	default:
		turn.Text = e.Words
	}
	at := len(t.turns)
	t.ids[at] = e.ID
	t.open = append(t.open, at)
	t.turns = append(t.turns, turn)
}

func (t *tools) result(e Entry, turn call.Turn) {
	result := cmp.Or(e.Result, e.Words)
	at := t.match(e.ID, e.Name)
	if at < 0 {
		turn.Role = call.RoleTool
		turn.Tool = &call.Tool{Name: e.Name, Result: result, Failed: Failed(result)}
		t.turns = append(t.turns, turn)
		return
	}
	done := &t.turns[at]
	done.Tool.Result, done.Tool.Failed = result, Failed(result)
	if done.Tool.Name == "" {
		done.Tool.Name = e.Name
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

// Offset is a time in seconds since the call began, or an epoch, as the former.
func Offset(n Number, start time.Time) *time.Duration {
	switch {
	case n.V == nil || *n.V < 0:
		return nil
	case *n.V > 1e8 && start.IsZero():
		return nil
	case *n.V > 1e8:
		d := max(epoch(*n.V).Sub(start), 0)
		return &d
	}
	d := time.Duration(*n.V*1000+0.5) * time.Millisecond
	return &d
}

// Role reads the spellings of a role, and says whether it is that of a tool's
// result. An unknown role is "".
func Role(s string) (r call.Role, result bool) {
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

// Compact is JSON without needless space, out of a JSON string if it is in one.
func Compact(raw json.RawMessage) string {
	b := Unwrap(raw)
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

// Failed reports whether a tool's result reads as an error.
func Failed(result string) bool {
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

// Lines reads the lines of a transcript. Lines that begin no turn go on with
// the one before; a text without any is one turn of nobody's.
func Lines(s string) []call.Turn {
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
			who, _ = Role(m[2])
		}
		switch {
		case m != nil && (who != "" || m[1] != ""):
			turn := call.Turn{Role: who, Text: strings.TrimSpace(m[3])}
			if at, ok := Clock(m[1]); ok {
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
		turns = []call.Turn{{Role: call.RoleSystem, Text: s}}
	}
	return Numbered(turns)
}
