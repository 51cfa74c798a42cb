package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"call-logs-mcp/internal/call"
)

// A shape is a form in which calls are written down, known by its marks. The most
// specific comes first.
type shape struct {
	name string
	is   func(object) bool
	read func(*reader, object) (*draft, error) // nil where it is an event that is no call
}

// A draft is a call on its way: what is told of it, and the forms of its transcript.
type draft struct {
	call.Log
	forms []json.RawMessage
	unit  time.Duration // of the times of turns that name none
	local time.Time     // StartedAt as if it had been UTC, where it had no offset
	brief bool          // the talk begins with the agent's instructions
}

func shapes() []shape {
	return []shape{
		{"Vapi report", isVapiEvent, vapiEvent},
		{"Vapi call", isVapi, vapiCall},
		{"Retell webhook", isRetellEvent, retellEvent},
		{"ElevenLabs webhook", isElevenEvent, elevenEvent},
		{"Cekura call", isCekura, plainCall},
		{"Retell call", isRetell, retellCall},
		{"ElevenLabs conversation", isEleven, elevenCall},
		{"LiveKit report", isLiveKit, liveKitCall},
		{"chat messages", isChat, chatCall},
		{"call", isPlain, plainCall},
	}
}

// wraps is how many envelopes may lie around a call.
const wraps = 4

// value reads one JSON value: a call, a list of calls, either in an envelope, or a
// part of a talk.
func (r *reader) value(v gjson.Result, where string, depth int) {
	switch {
	case deep(v.Raw):
		r.skip(where, fmt.Errorf("JSON that is nested more than %d deep", maxDepth))
	case v.IsArray():
		r.list(v, where, depth)
	case v.Type == gjson.String && depth > 0 && strings.HasPrefix(v.Str, "{") && gjson.Valid(v.Str): // encoded twice
		r.value(gjson.Parse(v.Str), where, depth-1)
	case v.IsObject():
		o := members(v)
		if isMessage(o) {
			r.said = append(r.said, saying{facts{o}.text(talkIDs...), v.Raw})
			return
		}
		r.object(o, where, depth)
	default:
		kind := map[gjson.Type]string{gjson.String: "text", gjson.Number: "number", gjson.Null: "null"}[v.Type]
		if kind == "" {
			kind = "boolean"
		}
		r.skip(where, fmt.Errorf("a call is a JSON object, found: %s", kind))
	}
}

func (r *reader) list(v gjson.Result, where string, depth int) {
	items := v.Array()
	if isTalk(v) {
		r.object(object{"messages": v}, where, depth)
		return
	}
	for i, item := range items {
		if depth > 0 {
			r.value(item, fmt.Sprintf("%s[%d]", where, i), depth-1)
		}
	}
}

// object reads a call, or what lies in an envelope.
func (r *reader) object(o object, where string, depth int) {
	for _, s := range shapes() {
		if !s.is(o) {
			continue
		}
		d, err := s.read(r, o)
		if err == nil && d != nil {
			r.common(d, facts{o})
			err = r.settle(d)
		}
		if err != nil {
			r.skip(where, err)
		}
		return
	}
	if inner := unwrapped(o); inner.Exists() && depth > 0 {
		r.value(inner, where, depth-1)
		return
	}
	r.skip(where, unknown(o))
}

// unwrapped is what an envelope holds: the body of a webhook that was caught, or a
// list of calls.
func unwrapped(o object) gjson.Result {
	if body := o["body"]; body.Type == gjson.String && gjson.Valid(body.Str) {
		return gjson.Parse(body.Str)
	} else if body.IsObject() {
		return body
	}
	for _, name := range []string{"items", "calls", "conversations", "results", "data", "records", "calllogs", "logs", "rows", "hits", "response"} {
		if v := o[name]; v.IsArray() || v.IsObject() {
			return v
		}
	}
	return gjson.Result{}
}

// unknown says of an object that it is no call, and what one is.
func unknown(o object) error {
	var names []string
	o[""].ForEach(func(key, _ gjson.Result) bool { names = append(names, key.Str); return true })
	const most = 8
	more := ""
	if len(names) > most {
		names, more = names[:most], " …"
	}
	return fmt.Errorf("no shape of a call that is known: its keys are %.200s%s; expected is a call of Vapi, Retell, ElevenLabs, Cekura or LiveKit, a list of chat messages, "+
		`or an object with turns, as in {"conversation_id":"a1","started_at":"2026-11-20T14:10:05Z","turns":[{"role":"caller","text":"hi"}]}`, strings.Join(names, ", "), more)
}

// deep holds of JSON that is nested deeper than a call is.
func deep(raw string) bool {
	depth, inText := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// common takes the times of a call from their common names, where a vendor's are
// not there: records are exported with changes.
func (r *reader) common(d *draft, f facts) {
	if d.StartedAt.IsZero() {
		r.start(d, f, starts[:7]...)
	}
	if d.EndedAt.IsZero() {
		d.EndedAt, _ = r.moment(f.get("endedat", "endtime"))
	}
	if d.Duration == nil {
		d.Duration = f.length("durations", "durationseconds", "duration")
	}
}

// settle makes a draft a call.
func (r *reader) settle(d *draft) error {
	l := &d.Log
	if l.ID.Key == "" {
		l.ID.Key = fmt.Sprintf("%s#%d", r.stem(), len(r.logs)+r.repeated+1)
	}
	l.ID.Source, l.Detailed = r.name, true
	if l.CallID == "" {
		l.CallID = l.ID.Key
	}
	switch {
	case l.Duration == nil && !l.StartedAt.IsZero() && l.EndedAt.After(l.StartedAt):
		l.Duration = new(l.EndedAt.Sub(l.StartedAt))
	case l.Duration != nil && !l.StartedAt.IsZero() && l.EndedAt.IsZero():
		l.EndedAt = l.StartedAt.Add(*l.Duration)
	}
	if l.Turns == nil {
		if err := d.talk(); err != nil {
			return err
		}
	}
	r.put(l)
	return nil
}

// completed is the newer of two records of a call, with what the older one alone
// tells: a webhook tells a part each time.
func completed(newer, older *call.Log) *call.Log {
	if len(newer.Turns) == 0 && len(older.Turns) > 0 {
		newer.Turns = older.Turns
	}
	if len(newer.Metrics) == 0 {
		newer.Metrics = older.Metrics
	}
	if newer.Metadata == nil {
		newer.Metadata = older.Metadata
	}
	if newer.StartedAt.IsZero() {
		newer.StartedAt, newer.EndedAt = older.StartedAt, older.EndedAt
	}
	if newer.Duration == nil {
		newer.Duration = older.Duration
	}
	if newer.Success == nil {
		newer.Success = older.Success
	}
	for _, s := range []struct{ to, from *string }{
		{&newer.Summary, &older.Summary}, {&newer.EndedReason, &older.EndedReason}, {&newer.Customer, &older.Customer}, {&newer.AgentID, &older.AgentID},
		{&newer.AgentName, &older.AgentName}, {&newer.Status, &older.Status}, {&newer.Sentiment, &older.Sentiment}, {&newer.Topic, &older.Topic},
	} {
		if *s.to == "" {
			*s.to = *s.from
		}
	}
	return newer
}

// A saying is one message of a talk whose messages are records of their own.
type saying struct{ talk, raw string }

// finish takes in the talks of a file that came message by message.
func (r *reader) finish() {
	var order []string
	talks := map[string]*bytes.Buffer{}
	for _, s := range r.said {
		b := talks[s.talk]
		if b == nil {
			b = &bytes.Buffer{}
			talks[s.talk], order = b, append(order, s.talk)
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(s.raw)
	}
	for _, talk := range order {
		o := object{"messages": gjson.Parse("[" + talks[talk].String() + "]")}
		if talk != "" {
			o["conversationid"] = gjson.Parse(string(quoted(talk)))
		}
		r.object(o, r.file, 0)
	}
	r.said = nil
}

func quoted(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`)
	}
	return b
}

var errNobody = errors.New("its transcript could not be read; a turn has a role and text, as in {\"role\":\"caller\",\"text\":\"hi\"}")
