package call

import (
	"encoding/json"
	"strings"

	"call-logs-mcp/internal/filter"
)

// MapText returns l as v shows it: texts that a person or a provider may have
// written freely, map keys among them, telephone numbers, and identifiers that
// questions are asked with. The ID stays, and so do the addresses, which would
// not work any more, but for those that tell who called. Where v hides the
// customer's number, it is hidden in other names of the call, too: some
// providers name it after the caller. What v leaves alone is shared with l, not
// copied.
func (l *Log) MapText(v *View) *Log { return l.mapText(v, NeedAll) }

func (l *Log) mapText(v *View, need Need) *Log {
	out := *l
	out.Customer = v.Number(l.Customer)
	unnumbered := v.unnumbered(l.Customer, out.Customer)
	out.CallID, out.TraceID = unnumbered(l.CallID), unnumbered(l.TraceID)
	for _, s := range []*string{&out.RecordingURL, &out.DashboardURL} {
		bare, _, _ := strings.Cut(*s, "?")
		bare = unescaped(bare)
		if told := v.Text(unnumbered(bare)); told != v.Name(bare) { // Text has more to change than Name does
			*s = told
		}
	}
	for _, s := range []*string{
		&out.CallID, &out.AgentName, &out.Status, &out.EndedReason, &out.Sentiment, &out.Direction, &out.CallType,
		&out.Topic, &out.DropoffPoint, &out.Feedback, &out.ErrorMessage,
	} {
		*s = seenText(v.Text(*s))
	}
	for _, s := range []*string{&out.Summary, &out.Evaluation} {
		*s = seenText(v.lines(*s))
	}
	for _, s := range []*string{&out.AgentID, &out.ProjectID, &out.AssistantID, &out.TraceID} {
		*s = v.Name(*s)
	}
	out.Notes = mapSlice(l.Notes, func(s *string) bool { was := *s; *s = v.Text(was); return *s != was })
	if need == NeedRow {
		out.Turns, out.Metadata, out.DynamicVariables = l.openingTurns(v), nil, nil
	} else {
		out.Turns, out.Metadata, out.DynamicVariables = l.mapTurns(v), v.values(l.Metadata), v.values(l.DynamicVariables)
	}
	out.Metrics = mapSlice(l.Metrics, func(m *Metric) bool {
		if need == NeedRow {
			m.Explanation = nil
		}
		return m.mapText(v.Text, v.Name) || need == NeedRow
	})
	return &out
}

// lines is v.Text of s with its lines kept, unless what v hides goes across them.
func (v *View) lines(s string) string {
	whole := v.Text(s)
	if !strings.Contains(s, "\n") {
		return whole
	}
	var lines []string
	for line := range strings.Lines(s) {
		if line = v.Text(line); line != "" {
			lines = append(lines, line)
		}
	}
	if strings.Join(lines, " ") != whole {
		return whole
	}
	return strings.Join(lines, "\n")
}

// seenText is s, or nothing where nothing of it is seen.
func seenText(s string) string {
	if filter.Blank(s) {
		return ""
	}
	return s
}

// mapTurns is the turns as v shows them.
func (l *Log) mapTurns(v *View) []Turn {
	shown, i := v.spoken(l.Turns, len(l.Turns)), -1
	return mapSlice(l.Turns, func(t *Turn) bool {
		i++
		return t.mapText(v, shown[i])
	})
}

// spoken is the text of the first n turns as v shows it.
func (v *View) spoken(turns []Turn, n int) []string {
	texts := make([]string, len(turns))
	for i := range turns {
		texts[i] = turns[i].Text
	}
	if v.Turns == nil {
		for i := range texts[:n] {
			texts[i] = v.Text(texts[i])
		}
		return texts[:n]
	}
	roles := make([]string, len(turns))
	for i := range turns {
		roles[i] = string(turns[i].Role)
	}
	return v.Turns(texts, roles, n)
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

func (t *Turn) mapText(v *View, text string) bool {
	changed := text != t.Text
	t.Text = text
	if t.Tool != nil {
		name, args, result := v.Text(t.Tool.Name), v.Text(t.Tool.Args), v.Text(t.Tool.Result)
		if name != t.Tool.Name || args != t.Tool.Args || result != t.Tool.Result {
			tool := *t.Tool
			tool.Name, tool.Args, tool.Result = name, args, result
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

func (v *View) values(in map[string]any) map[string]any {
	if in == nil {
		return nil
	}
	out := make(map[string]any, len(in))
	for key, x := range in {
		out[v.Text(key)] = v.value(key, x)
	}
	return out
}

// value is what stands behind a key.
func (v *View) value(key string, x any) any {
	switch x := x.(type) {
	case string:
		return v.keyed(key, x)
	case float64, json.Number: // a telephone number may be a number
		if s, ok := plain(x).(string); ok {
			if mapped := v.keyed(key, s); mapped != s {
				return mapped
			}
		}
	case map[string]any:
		return v.values(x)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = v.value(key, x[i])
		}
		return out
	}
	return x
}
