package call

import "encoding/json"

// MapText returns l with f put to everything a caller may have said or a
// provider may have noted of him: numbers, transcript, tool calls, summaries,
// explanations, metadata. What f leaves alone is shared with l, not copied.
func (l *Log) MapText(f func(string) string) *Log {
	out := *l
	for _, s := range []*string{
		&out.Customer, &out.Summary, &out.Topic, &out.DropoffPoint, &out.Feedback, &out.ErrorMessage,
	} {
		*s = f(*s)
	}
	out.Turns = mapSlice(l.Turns, func(t *Turn) bool { return t.mapText(f) })
	out.Metrics = mapSlice(l.Metrics, func(m *Metric) bool { return m.mapText(f) })
	out.Metadata = mapValues(l.Metadata, f)
	out.DynamicVariables = mapValues(l.DynamicVariables, f)
	return &out
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
		tool.Args, tool.Result = f(tool.Args), f(tool.Result)
		if tool != *t.Tool {
			t.Tool, changed = &tool, true
		}
	}
	return changed
}

func (m *Metric) mapText(f func(string) string) bool {
	value := f(m.Value)
	changed := value != m.Value
	m.Value = value
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
		out[k] = mapValue(v, f)
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
