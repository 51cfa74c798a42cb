package loose

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"

	"call-logs-mcp/internal/call"
)

// An entry is one element of a transcript: something said, a call of a tool, its
// result, or what happened to the call.
type entry struct {
	speaker string    // the role as the upstream spells it
	role    call.Role // as settle finds it
	kind    kind
	words   string
	partial bool // a draft of what follows
	unread  bool // words is the entry as it came, which nobody could read

	id, name, args, result string // of a tool's call or result
	failed                 *bool  // whether the upstream says that the tool failed

	start, other, end moment // other is another time that an entry has of its start
	length            moment
}

// maxNestedEntries bounds how deep messages within messages are read.
const maxNestedEntries = 4

// entriesOf reads a transcript in JSON: a list, or an object that holds one.
func entriesOf(v gjson.Result, depth int) (out []entry) {
	switch {
	case v.IsArray():
		if out = linesIn(v); out != nil {
			return out
		}
		v.ForEach(func(_, item gjson.Result) bool {
			out = append(out, read(item, depth)...)
			return true
		})
	case v.IsObject():
		if list := listIn(v); list.Exists() && depth > 0 {
			return entriesOf(list, depth-1)
		}
		return read(v, depth)
	}
	return out
}

// linesIn reads a list of texts of which each begins with who speaks; nil for others.
func linesIn(v gjson.Result) []entry {
	var lines []string
	for _, item := range v.Array() {
		if item.Type != gjson.String {
			return nil
		}
		if words := strings.TrimSpace(item.Str); words != "" {
			lines = append(lines, strings.ReplaceAll(words, "\n", " "))
		}
	}
	out := lineEntries(lines)
	if len(out) != len(lines) || len(out) == 0 || out[0].speaker == "" {
		return nil
	}
	return out
}

// listIn is the list of entries that an object holds beside no words of its own.
func listIn(v gjson.Result) (list gjson.Result) {
	v.ForEach(func(key, value gjson.Result) bool {
		switch plainKey(key.Str) {
		case "messages", "items", "entries", "turns", "transcript", "segments", "utterances", "transcriptobject", "conversation", "chathistory",
			"history", "events", "lines", "results", "dialogue", "dialog", "data", "transcripts":
			if value.IsArray() && value.Get("0").IsObject() || value.IsObject() && listIn(value).Exists() {
				list = value
				return false
			}
		case "role", "speaker", "content", "toolcalls":
			return false
		}
		return true
	})
	return list
}

// fields are the members of an entry by what they mean.
type fields struct {
	entry
	kindName          string // a type beside the role
	content, calls    gjson.Result
	results           gjson.Result
	hasContent        bool // the member of words is there, whatever it holds
	rank, otherRank   int  // of start, other
	speakerRank       int
	spokenFrom        moment
	spokenTo          moment
	spokenWords       []string
	itemID            string
	input, output     gjson.Result
	trouble           string       // why a tool failed, where it answered nothing else
	nested            gjson.Result // of a message within the entry
	happened, unnamed []string     // members of an event, of anything
	byRole            []entry      // members whose names are roles: {"agent": "hello"}
	keys              string       // keys that were pressed
}

// read is the entries that one element holds: what was said, calls of tools and
// their results.
func read(v gjson.Result, depth int) []entry {
	switch v.Type {
	case gjson.Null:
		return nil
	case gjson.String:
		if words := strings.TrimSpace(v.Str); words != "" {
			return []entry{{kind: said, words: words}}
		}
		return nil
	}
	if !v.IsObject() {
		if pair := v.Array(); len(pair) == 2 && pair[0].Type == gjson.String && pair[1].Type == gjson.String { // ["agent", "hello"]
			if p, ok := partOf(pair[0].Str); ok && p.kind == said {
				return []entry{{speaker: pair[0].Str, role: p.role, kind: said, words: strings.TrimSpace(pair[1].Str)}}
			}
		}
		return []entry{{kind: said, words: unreadable(v.Raw), unread: true}}
	}
	var f fields
	v.ForEach(func(key, value gjson.Result) bool {
		f.take(plainKey(key.Str), key.Str, value)
		return true
	})
	switch {
	case f.nested.Exists() && depth > 0 && !f.hasContent:
		return f.within(depth)
	case len(f.byRole) > 0 && f.speaker == "" && !f.hasContent:
		for i := range f.byRole {
			f.byRole[i].start, f.byRole[i].end = f.start, f.end
		}
		return f.byRole
	}
	return f.entries(v, depth)
}

// within is the entries of a message inside f, with what f knows beside it.
func (f *fields) within(depth int) []entry {
	list := read(f.nested, depth-1)
	around := cmp.Or(f.speaker, f.kindName)
	p, _ := partOf(around)
	for i := range list {
		e := &list[i]
		if e.speaker == "" && e.role == "" {
			e.speaker, e.role = around, p.role
		}
		if e.start.form == never {
			e.start, e.other = f.start, f.other
		}
		if e.end.form == never {
			e.end = f.end
		}
	}
	return list
}

// take notes one member.
func (f *fields) take(key, name string, v gjson.Result) {
	if f.takeRole(key, v) || f.takeTool(key, v) || f.takeTime(key, v) {
		return
	}
	switch key {
	case "content", "text", "message", "transcript", "utterance", "value", "body", "parts", "sentence", "line", "caption", "speech", "msg",
		"transcription", "finaltranscript", "displaytext", "saidtext", "phrase", "say", "contents":
		if v.IsObject() && (v.Get("role").Exists() || v.Get("content").Exists() || v.Get("author").Exists()) {
			f.nested = v
			return
		}
		if !f.hasContent || isBlank(f.content) {
			f.content = v
		}
		f.hasContent = true
	case "data", "payload", "item", "segment", "turn":
		if v.IsObject() && firstOf(v, "role", "content", "text", "transcript", "message").Exists() {
			f.nested = v
			return
		}
		f.rest(key, name, v)
	case "words", "wordtimestamps", "tokens":
		if v.Type == gjson.String && !f.hasContent {
			f.content, f.hasContent = v, true
			return
		}
		f.takeWords(v)
	case "ispartial", "partial", "interim", "isinterim":
		f.partial = f.partial || v.Bool() || v.Str == "true"
	case "isfinal", "final":
		f.partial = f.partial || v.Type == gjson.False || v.Str == "false"
	case "digit", "digits", "dtmf", "dtmfdigit", "dtmfdigits", "keypressed", "keyspressed":
		f.keys = v.String()
	case "id", "itemid", "messageid", "uuid":
		f.itemID = v.String()
	default:
		f.rest(key, name, v)
	}
}

// rest notes a member that has no meaning of its own: what an event says of
// itself, or else what an entry holds that nobody can read.
func (f *fields) rest(key, name string, v gjson.Result) {
	if key == "status" && (v.Str == "error" || v.Str == "failed") {
		f.failed = new(true)
	}
	switch key {
	case "interrupted", "confidence", "transcriptconfidence", "language", "index", "turn", "createdby", "metadata", "object", "originalmessage", "status",
		"conversationturnmetrics", "sourcemedium", "agentmetadata", "isfiltered", "userid", "assistantname", "channel", "thoughtsignature", "logprobs",
		"annotations", "refusal", "audio", "llmusage", "ragretrievalinfo", "feedback", "sequence", "turnid":
		return
	}
	if isBlank(v) || v.Type == gjson.True || v.Type == gjson.False {
		return
	}
	if p, ok := partOf(name); ok && p.kind == said && p.role != "" && v.Type == gjson.String {
		f.byRole = append(f.byRole, entry{speaker: name, role: p.role, kind: said, words: strings.TrimSpace(v.Str)})
	}
	text := name + "=" + v.String()
	f.happened = append(f.happened, text)
	if v.Type == gjson.String || v.IsArray() || v.IsObject() {
		f.unnamed = append(f.unnamed, text)
	}
}

func isBlank(v gjson.Result) bool {
	switch v.Type {
	case gjson.Null:
		return true
	case gjson.String:
		return strings.TrimSpace(v.Str) == ""
	case gjson.JSON:
		blank := true
		v.ForEach(func(_, x gjson.Result) bool { blank = isBlank(x); return blank })
		return blank
	}
	return false
}

// Compact is JSON without needless space, out of a JSON string if it is in one.
func Compact(raw json.RawMessage) string {
	b := Unwrap(raw)
	if inner := Unwrap(b); len(inner) > 0 && len(inner) < len(b) && (inner[0] == '{' || inner[0] == '[') { // encoded twice
		b = inner
	}
	if string(b) == "null" {
		return ""
	}
	var out bytes.Buffer
	if len(b) == 0 || b[0] != '{' && b[0] != '[' || json.Compact(&out, b) != nil {
		return string(b)
	}
	return out.String()
}

func compact(v gjson.Result) string {
	if !v.Exists() {
		return ""
	}
	return Compact(json.RawMessage(v.Raw))
}

// maxUnread bounds the characters that are shown of what could not be read.
const maxUnread = 2000

// unreadable is what came, and that it could not be read.
func unreadable(raw string) string {
	raw = compact(gjson.Parse(raw))
	if r := []rune(raw); len(r) > maxUnread {
		raw = string(r[:maxUnread]) + "…"
	}
	return "(an entry that could not be read: " + raw + ")"
}
