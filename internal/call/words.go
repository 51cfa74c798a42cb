package call

import (
	"encoding/json"
	"strings"
)

// MapText returns l with words put to every text that a person or a provider
// may have written freely, map keys among them, and name to the identifiers that
// questions are asked with. The ID stays, and so do the addresses, which would
// not work any more, but for those that tell who called. Where words
// masks the customer's number, it is masked in other names of the call, too:
// some providers name it after the caller. What the functions leave alone is
// shared with l, not copied.
func (l *Log) MapText(words, name func(string) string) *Log {
	out := *l
	unnumbered := l.unnumbered(words, name)
	out.CallID, out.TraceID = unnumbered(l.CallID), unnumbered(l.TraceID)
	for _, s := range []*string{&out.RecordingURL, &out.DashboardURL} {
		bare, _, _ := strings.Cut(*s, "?")
		bare = unescaped(bare)
		if told := words(unnumbered(bare)); told != name(bare) { // words has more to change than name does
			*s = told
		}
	}
	for _, s := range []*string{
		&out.CallID, &out.AgentName, &out.Status, &out.EndedReason, &out.Sentiment, &out.Direction, &out.CallType,
		&out.Customer, &out.Summary, &out.Topic, &out.DropoffPoint, &out.Feedback, &out.ErrorMessage,
	} {
		*s = words(*s)
	}
	for _, s := range []*string{&out.AgentID, &out.ProjectID, &out.AssistantID, &out.TraceID} {
		*s = name(*s)
	}
	out.Turns = mapSlice(l.Turns, func(t *Turn) bool { return t.mapText(words) })
	out.Metrics = mapSlice(l.Metrics, func(m *Metric) bool { return m.mapText(words, name) })
	out.Metadata = mapValues(l.Metadata, words)
	out.DynamicVariables = mapValues(l.DynamicVariables, words)
	return &out
}

// unnumbered writes the customer's digits in a name as words has them, if it
// masks them at all.
func (l *Log) unnumbered(words, name func(string) string) func(string) string {
	masked := words(l.Customer)
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, l.Customer)
	if masked == name(l.Customer) || len(digits) < 7 {
		return func(s string) string { return s }
	}
	return strings.NewReplacer(digits, strings.TrimPrefix(masked, "+")).Replace
}

// mapSlice puts change to a copy of each element, and copies the slice when it
// first reports a difference.
func mapSlice[T any](in []T, change func(*T) bool) []T {
	out := in
	for i := range in {
		x := in[i]
		if !change(&x) {
			continue
		}
		if &out[0] == &in[0] {
			out = append([]T(nil), in...)
		}
		out[i] = x
	}
	return out
}

func (t *Turn) mapText(f func(string) string) bool {
	text := f(t.Text)
	changed := text != t.Text
	t.Text = text
	if t.Tool != nil {
		tool := *t.Tool
		tool.Name, tool.Args, tool.Result = f(tool.Name), f(tool.Args), f(tool.Result)
		if tool != *t.Tool {
			t.Tool, changed = &tool, true
		}
	}
	return changed
}

func (m *Metric) mapText(f, id func(string) string) bool {
	was := [...]string{m.ID, m.Name, m.Type, m.Value}
	m.ID, m.Name, m.Type, m.Value = id(m.ID), f(m.Name), f(m.Type), f(m.Value)
	changed := was != [...]string{m.ID, m.Name, m.Type, m.Value}
	explanation := mapSlice(m.Explanation, func(s *string) bool {
		was := *s
		*s = f(was)
		return *s != was
	})
	if len(explanation) > 0 && &explanation[0] != &m.Explanation[0] {
		m.Explanation, changed = explanation, true
	}
	return changed
}

func mapValues(in map[string]any, f func(string) string) map[string]any {
	if in == nil {
		return nil
	}
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[f(k)] = mapValue(v, f)
	}
	return out
}

func mapValue(v any, f func(string) string) any {
	switch v := v.(type) {
	case string:
		return f(v)
	case float64, json.Number: // a telephone number may be a number
		if s, ok := plain(v).(string); ok {
			if mapped := f(s); mapped != s {
				return mapped
			}
		}
	case map[string]any:
		return mapValues(v, f)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = mapValue(x, f)
		}
		return out
	}
	return v
}
