package cekura

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/internal/call"
)

type metric struct {
	ID          loose.Text   `json:"id"`
	Name        loose.Text   `json:"name"`
	Type        loose.Text   `json:"type"`
	Score       loose.Number `json:"score"`
	Enum        loose.Text   `json:"enum"`
	Value       loose.Text   `json:"value"`
	Explanation loose.Texts  `json:"explanation"`
}

// A rubric line judges one metric. Nobody documents its shape beyond passed;
// these are the names that the answers' other parts use.
type rubric struct {
	ID         loose.Text      `json:"id"`
	MetricID   loose.Text      `json:"metric_id"`
	Metric     json.RawMessage `json:"metric"` // an id, a name, or {id, name}
	Name       loose.Text      `json:"name"`
	MetricName loose.Text      `json:"metric_name"`
	Passed     loose.Truth     `json:"passed"`
}

// An evaluation is what the judges wrote: text in lists, in records an object
// that holds the metrics once more, often with more to each.
type evaluation struct {
	text    string // without the metrics
	metrics []metric
}

func (e *evaluation) UnmarshalJSON(b []byte) error {
	*e = evaluation{}
	inner := loose.Unwrap(b)
	if len(inner) == 0 || inner[0] != '{' || !json.Valid(inner) {
		var text loose.Text
		_ = text.UnmarshalJSON(b)
		e.text = strings.TrimSpace(string(text))
		return nil
	}
	_ = json.Unmarshal([]byte(gjson.GetBytes(inner, "metrics").Raw), &e.metrics) // an odd one is left zero
	var rest map[string]json.RawMessage
	_ = json.Unmarshal(inner, &rest)
	delete(rest, "metrics")
	if summary := gjson.GetBytes(inner, "summary"); summary.Type == gjson.String { // what lists hold as text
		e.text = strings.TrimSpace(summary.Str)
		return nil
	}
	if text, err := json.Marshal(rest); err == nil && len(rest) > 0 {
		e.text = string(text)
	}
	return nil
}

// merged is the metrics with what the evaluation knows of them, by id or else by
// name, and those that it alone has.
func (e *evaluation) merged(metrics []metric) []metric {
	out := slices.Clone(metrics)
	for _, m := range e.metrics {
		at := slices.IndexFunc(out, func(x metric) bool {
			return x.ID != "" && x.ID == m.ID || (x.ID == "" || m.ID == "") && x.Name == m.Name
		})
		if at < 0 {
			out = append(out, m)
			continue
		}
		x := &out[at]
		x.Name, x.Type, x.Enum, x.Value = cmp.Or(x.Name, m.Name), cmp.Or(x.Type, m.Type), cmp.Or(x.Enum, m.Enum), cmp.Or(x.Value, m.Value)
		if x.Score.V == nil {
			x.Score = m.Score
		}
		if len(x.Explanation) == 0 {
			x.Explanation = m.Explanation
		}
	}
	return out
}

func (m metric) metric(lines []rubric) call.Metric {
	out := call.Metric{
		ID:          string(m.ID),
		Name:        string(m.Name),
		Type:        string(m.Type),
		Score:       m.Score.V,
		Explanation: m.Explanation,
	}
	if out.Score == nil { // value repeats the score of all that is no enum
		out.Value = string(m.Value)
	}
	if m.Enum != "" {
		out.Value = string(m.Enum)
	}
	out.Passed = binary(out)
	for _, line := range lines {
		if line.Passed.V != nil && line.judges(out) {
			out.Passed = line.Passed.V
		}
	}
	return out
}

// binary is the verdict of a binary score: 0 fails, 5 or 1 passes.
func binary(m call.Metric) *bool {
	if !strings.HasPrefix(m.Type, "binary") || m.Score == nil {
		return nil
	}
	passed := *m.Score == 5 || *m.Score == 1
	if !passed && *m.Score != 0 {
		return nil
	}
	return &passed
}

func (r rubric) judges(m call.Metric) bool {
	var (
		ref    loose.Text
		nested struct {
			ID   loose.Text `json:"id"`
			Name loose.Text `json:"name"`
		}
	)
	_ = json.Unmarshal(r.Metric, &nested)
	_ = ref.UnmarshalJSON(r.Metric)
	for _, id := range []loose.Text{r.MetricID, nested.ID, ref} {
		if id != "" && string(id) == m.ID {
			return true
		}
	}
	for _, name := range []loose.Text{r.MetricName, nested.Name, r.Name, ref} {
		if name != "" && string(name) == m.Name {
			return true
		}
	}
	return r.ID != "" && string(r.ID) == m.ID && r.Name == "" && r.MetricName == "" && len(r.Metric) == 0
}
