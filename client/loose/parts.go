package loose

import (
	"cmp"
	"strings"

	"github.com/tidwall/gjson"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/lazyregexp"
)

// entries makes the entries that the members of one element are.
func (f *fields) entries(v gjson.Result, depth int) []entry {
	p, ok := partOf(f.speaker)
	if t, named := partOf(f.kindName); named && t.kind != said && t.kind != unknown && p.kind != toolCall && p.kind != toolResult {
		p, ok = t, true // a type says more than a role, as in {"type": "function_call"}
	} else if named && !ok && f.speaker == "" && t.role != "" {
		p, ok, f.speaker = t, true, f.kindName
	}
	e := f.entry
	e.role, e.kind = p.role, p.kind
	f.timeByWords(&e)
	words, calls := f.contents(&e, depth)
	switch {
	case p.kind == silent:
		return nil
	case p.role == call.RoleTool && len(calls) > 0 && e.name == "" && e.id == "":
		return calls
	case p.kind == event || f.keys != "" && words == "", !ok && words == "" && len(calls) == 0 && f.isNamedEvent():
		return f.event(e, words)
	case p.role == call.RoleTool || words == "" && (e.name != "" || e.id != "") && (f.input.Exists() || f.output.Exists()):
		return append(f.tool(e, words), calls...)
	}
	var out []entry
	if e.kind = said; words != "" {
		e.words = words
		out = append(out, e)
	} else if len(calls) == 0 && !f.hasContent && len(f.unnamed) > 0 {
		e.words, e.unread = unreadable(v.Raw), true
		out = append(out, e)
	}
	if words != "" && f.keys != "" {
		out = append(out, f.event(e, "")...)
	}
	return append(out, calls...)
}

// isNamedEvent holds of what has a type that nobody knows, and no words: "hold",
// "voicemail_detected".
func (f *fields) isNamedEvent() bool {
	return f.kindName != "" && f.speaker == "" && f.name == "" && !f.hasContent && !f.input.Exists() && !f.output.Exists()
}

// timeByWords takes the times of the words where the entry has none itself.
func (f *fields) timeByWords(e *entry) {
	if e.start.form == never {
		e.start = f.spokenFrom
	}
	if e.end.form == never {
		e.end = f.spokenTo
	}
}

// contents is what an entry says, and the calls of tools and results within it.
func (f *fields) contents(e *entry, depth int) (words string, calls []entry) {
	words, calls = wordsOf(f.content, *e, depth)
	if words == "" && !f.hasContent {
		words = strings.TrimSpace(strings.Join(f.spokenWords, " "))
	}
	each(f.calls, func(v gjson.Result) {
		if one := toolEntry(v, *e); one.kind != toolResult {
			calls = append(calls, one)
			if one.result != "" || one.failed != nil {
				one.kind = toolResult
				calls = append(calls, one)
			}
		}
	})
	each(f.results, func(v gjson.Result) {
		one := toolEntry(v, *e)
		one.kind = toolResult
		calls = append(calls, one)
	})
	return words, calls
}

// each calls f for the elements of a list, or for what is none.
func each(v gjson.Result, f func(gjson.Result)) {
	switch {
	case v.IsArray():
		v.ForEach(func(_, x gjson.Result) bool { f(x); return true })
	case v.IsObject():
		f(v)
	}
}

// wordsOf reads content: a text, an object with one, or a list of parts, some of
// which may be calls of tools.
func wordsOf(v gjson.Result, e entry, depth int) (words string, calls []entry) {
	switch {
	case v.Type == gjson.Null:
		return "", nil
	case v.Type == gjson.String:
		return strings.TrimSpace(v.Str), nil
	case v.Type != gjson.JSON:
		return v.Raw, nil
	case depth == 0:
		return compact(v), nil
	}
	var texts []string
	each(v, func(part gjson.Result) {
		text, inner := partWords(part, e, depth)
		if calls = append(calls, inner...); text != "" {
			texts = append(texts, text)
		}
	})
	return strings.Join(texts, "\n"), calls
}

// partWords reads one part of a content.
func partWords(v gjson.Result, e entry, depth int) (string, []entry) {
	if !v.IsObject() {
		return wordsOf(v, e, depth-1)
	}
	kind := plainKey(v.Get("type").String())
	for _, name := range []string{"functionCall", "function_call", "toolUse", "toolCall"} {
		if x := v.Get(name); x.IsObject() {
			return "", []entry{toolEntry(x, e)}
		}
	}
	for _, name := range []string{"functionResponse", "function_response", "toolResult"} {
		if x := v.Get(name); x.IsObject() {
			one := toolEntry(x, e)
			one.kind = toolResult
			return "", []entry{one}
		}
	}
	switch kind {
	case "tooluse", "toolcall", "functioncall", "servertooluse":
		return "", []entry{toolEntry(v, e)}
	case "toolresult", "functioncalloutput", "functionresult":
		one := toolEntry(v, e)
		one.kind = toolResult
		return "", []entry{one}
	case "instructions", "reasoning", "thinking":
		return "", nil
	}
	for _, name := range []string{"text", "transcript", "content", "message", "refusal", "value", "parts", "word", "utterance"} {
		if x := v.Get(name); x.Exists() && !isBlank(x) {
			return wordsOf(x, e, depth-1)
		}
	}
	switch {
	case kind != "" && kind != "text":
		return "[" + v.Get("type").String() + "]", nil // such as audio
	case isBlank(v):
		return "", nil
	}
	return compact(v), nil
}

// toolEntry reads the call of a tool, or its result, that an entry holds.
func toolEntry(v gjson.Result, around entry) entry {
	var f fields
	v.ForEach(func(key, value gjson.Result) bool {
		f.take(plainKey(key.Str), key.Str, value)
		return true
	})
	e := f.entry
	e.kind, e.role = toolCall, call.RoleTool
	e.id, e.args = cmp.Or(e.id, f.itemID), compact(f.input)
	e.result = resultWords(&f)
	if e.name == "" && f.calls.IsObject() { // {"function_call": {…}}
		inner := toolEntry(f.calls, around)
		e.name, e.args = inner.name, inner.args
	}
	if e.start.form == never {
		e.start, e.other = around.start, around.other
	}
	return e
}

// resultWords is what came back from a tool, as text or JSON.
func resultWords(f *fields) string {
	v := f.content
	if !isBlank(f.output) {
		v = f.output
	}
	if parts := v.Array(); v.IsArray() && len(parts) > 0 && isTextPart(parts[0]) {
		if words, calls := wordsOf(v, entry{}, maxNestedEntries); len(calls) == 0 {
			return words
		}
	}
	return cmp.Or(compact(v), f.trouble)
}

// isTextPart holds of {"type": "text", "text": "…"}, with or without the type.
func isTextPart(v gjson.Result) bool {
	only := v.Get("text").Type == gjson.String
	v.ForEach(func(key, _ gjson.Result) bool {
		only = only && (key.Str == "text" || key.Str == "type" || key.Str == "annotations")
		return only
	})
	return only
}

// tool makes an entry of a tool into its call, its result, or both.
func (f *fields) tool(e entry, words string) []entry {
	e.role = call.RoleTool
	e.args, e.words = compact(f.input), words
	if e.id == "" && e.kind != unknown {
		e.id = f.itemID
	}
	e.result = resultWords(f)
	isCall, isResult := e.kind == toolCall, e.kind == toolResult
	if e.kind == unknown {
		isCall = f.input.Exists()
		isResult = f.output.Exists() || !isCall
	}
	switch {
	case isCall && f.output.Exists():
		answer := e
		answer.kind, e.kind, e.result = toolResult, toolCall, ""
		return []entry{e, answer}
	case isResult && f.input.Exists() && e.name != "":
		answer := e
		answer.kind, e.kind, e.result = toolResult, toolCall, ""
		return []entry{e, answer}
	case isResult:
		e.kind = toolResult
		return []entry{e}
	}
	if e.kind = toolCall; e.name == "" && e.args == "" && words == "" && (f.calls.Exists() || f.results.Exists()) {
		return nil // the calls are in its list
	}
	e.result = ""
	return []entry{e}
}

// event is what happened to the call, as the system says it.
func (f *fields) event(e entry, words string) []entry {
	e.kind, e.role, e.failed = event, call.RoleSystem, nil
	name := plainName(cmp.Or(f.kindName, f.speaker))
	if p, ok := partOf(f.speaker); ok && p.kind == event {
		name = plainName(f.speaker)
	}
	switch {
	case f.keys != "":
		if words != "" {
			words = ": " + words
		}
		e.words = "pressed " + f.keys + words
	case words != "":
		e.words = name + ": " + words
	default:
		e.words = strings.TrimSuffix(name+": "+strings.Join(f.happened, ", "), ": ")
	}
	return []entry{e}
}

// bareName is a name of a function, where the words of its call are nothing else.
var bareName = lazyregexp.New(`^[\w.-]+$`)
