package tools

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

// transcriptData is the kept turns of a transcript, and the others by number.
type transcriptData struct {
	TotalTurns int           `json:"total_turns"`
	Turns      []turnData    `json:"turns"`
	Omitted    []omittedData `json:"omitted"`
}

type turnData struct {
	lineData
	Tool *toolData `json:"tool,omitempty"`
}

type omittedData struct {
	FromTurn int    `json:"from_turn"`
	ToTurn   int    `json:"to_turn"`
	From     string `json:"from,omitempty" trust:"ours"`
	To       string `json:"to,omitempty" trust:"ours"`
}

func (a record) data(budget int) any {
	l := a.log
	out := callRecord{Call: factsOf(l), Metrics: []metricData{}, ToolCalls: []toolData{}, Notes: append(a.d.sampleNotes(), l.Notes...)}
	for _, m := range l.Metrics {
		out.Metrics = append(out.Metrics, metricData{
			ID: m.ID, Name: brief(m.Name), Type: m.Type, Score: m.Score, Value: brief(m.Value), Passed: m.Passed,
			Explanation: render.Clip(render.Clean(strings.Join(m.Explanation, "; ")), 500),
		})
	}
	for i := range l.Turns {
		if t := &l.Turns[i]; t.Tool != nil {
			out.ToolCalls = append(out.ToolCalls, *toolOf(t))
		}
	}
	out.Timing = timingOf(render.Measure(l.Turns))
	if a.withheld != "" {
		out.Notes = append(out.Notes, render.Withheld(a.withheld))
		out.shrink(budget)
		return out
	}
	out.shrink(budget)
	if room := budget - jsonTokens(out) - 20; a.transcript && room >= render.MinBudget {
		t := chosen(l.Turns, render.Excerpt{Cited: render.Cited(l)}, room)
		out.Transcript = &t
	} else if a.transcript {
		out.Notes = append(out.Notes, "no room for the transcript: read_transcript has it")
	}
	return out
}

// shrink leaves out what is worth least until the facts take two thirds of the
// budget, so that the transcript has the rest, and says so.
func (r *callRecord) shrink(budget int) {
	steps := []struct {
		what string
		do   func()
	}{
		{"tool calls that worked", func() { r.ToolCalls = slices.DeleteFunc(r.ToolCalls, func(t toolData) bool { return !t.Error }) }},
		{"explanations of what passed", func() { r.explain(func(m metricData) bool { return m.Passed != nil && !*m.Passed }) }},
		{"metadata, variables and latency", func() { r.Call.Metadata, r.Call.Variables, r.Call.Latency = nil, nil, nil }},
		{"metrics that did not fail", func() {
			r.Metrics = slices.DeleteFunc(r.Metrics, func(m metricData) bool { return m.Passed == nil || *m.Passed })
		}},
		{"explanations", func() { r.explain(func(metricData) bool { return false }) }},
		{"words about the call, and addresses", func() {
			c := &r.Call
			c.Summary, c.Feedback, c.Evaluation, c.Opening, c.ErrorMessage, c.DropoffPoint, c.RecordingURL, c.TraceID, c.DashboardURL = "", "", "", "", "", "", "", "", ""
			c.CreatedAt, c.UpdatedAt, c.EndedAt = nil, nil, nil
		}},
		{"tool calls", func() { r.ToolCalls = r.ToolCalls[:0] }},
	}
	var gone []string
	for _, step := range steps {
		if jsonTokens(r) <= budget*2/3-10*len(gone) {
			break
		}
		step.do()
		gone = append(gone, step.what)
	}
	if len(gone) > 0 {
		r.Notes = append(r.Notes, "left out, raise max_tokens: "+strings.Join(gone, ", "))
	}
}

// explain keeps the explanations of some metrics.
func (r *callRecord) explain(keep func(metricData) bool) {
	for i := range r.Metrics {
		if !keep(r.Metrics[i]) {
			r.Metrics[i].Explanation = ""
		}
	}
}

// chosen is as much of a transcript as takes budget tokens as JSON. JSON costs
// more than lines do, by names and quotes, so lines are fitted to what JSON took.
func chosen(turns []call.Turn, e render.Excerpt, budget int) transcriptData {
	for e.Budget = budget * 2 / 3; ; e.Budget = e.Budget * 3 / 4 {
		out := transcriptOf(turns, render.Choose(turns, e))
		if jsonTokens(out) <= budget || e.Budget < render.MinBudget {
			return out
		}
	}
}

func transcriptOf(turns []call.Turn, s render.Selection) transcriptData {
	out := transcriptData{TotalTurns: len(turns), Turns: []turnData{}, Omitted: []omittedData{}}
	kept := s.Kept
	for i := range turns {
		t := &turns[i]
		if len(kept) == 0 || t.Index != kept[0] {
			continue
		}
		kept = kept[1:]
		d := turnData{lineData: lineData{Turn: t.Index, Role: string(t.Role)}}
		if t.Start != nil {
			d.At = render.At(*t.Start)
		}
		if t.Tool != nil {
			d.Tool = toolOf(t)
			if s.About != nil {
				d.Tool.Args, d.Tool.Result = snippet(render.Clean(t.Tool.Args), s.About), snippet(render.Clean(t.Tool.Result), s.About)
			}
		} else {
			d.Text = render.WordsAbout(t, s.Limit, s.About)
		}
		out.Turns = append(out.Turns, d)
	}
	for _, o := range s.Omitted {
		gap := omittedData{FromTurn: o.FromTurn, ToTurn: o.ToTurn}
		if o.From != nil && o.To != nil {
			gap.From, gap.To = render.At(*o.From), render.At(*o.To)
		}
		out.Omitted = append(out.Omitted, gap)
	}
	return out
}

func toolOf(t *call.Turn) *toolData {
	d := &toolData{
		Turn: t.Index, Name: brief(t.Tool.Name), Error: t.Tool.Failed,
		Args: render.Clip(render.Clean(t.Tool.Args), 400), Result: render.Clip(render.Clean(t.Tool.Result), 400),
	}
	if o := t.Tool.Outcome(); o == call.ToolDoubtful || o == call.ToolUnanswered {
		d.Outcome = o
	}
	if t.Start != nil {
		d.At = render.At(*t.Start)
	}
	return d
}

func timingOf(t render.Timing) timingData {
	d := timingData{Gap: t.FromStart, LatencyP50: secondsOf(t.LatencyP50), LatencyP95: secondsOf(t.LatencyP95), Silence: secondsOf(t.Silence), Overlaps: t.Overlaps}
	if t.SilenceAt != nil {
		d.SilenceAt = render.At(*t.SilenceAt)
	}
	return d
}

func secondsOf(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	s := d.Round(time.Millisecond).Seconds()
	return &s
}

func factsOf(l *call.Log) callFacts {
	f := callFacts{
		callData: callDataOf(l), EndedAt: utc(l.EndedAt), CreatedAt: utc(l.CreatedAt), UpdatedAt: utc(l.UpdatedAt),
		Feedback: render.Clip(render.Clean(l.Feedback), 500), Evaluation: render.Clip(render.Clean(l.Evaluation), 500), CallType: l.CallType, Sentiment: render.Clean(l.Sentiment),
		ErrorMessage: render.Clip(render.Clean(l.ErrorMessage), 500), Cost: l.Cost, TraceID: render.Clean(l.TraceID),
		Metadata: textsOf(l.Metadata), Variables: textsOf(l.DynamicVariables),
	}
	if l.RecordingURL != "" {
		address, expires, _ := render.Recording(l.RecordingURL)
		f.RecordingURL, f.RecordedTill = address, utc(expires)
	}
	for _, stage := range sortedKeys(l.Latency) {
		p := l.Latency[stage]
		figures := map[string]float64{}
		for name, d := range p.Figures() {
			figures[name] = *secondsOf(&d)
		}
		if p.N > 0 {
			figures["n"] = float64(p.N)
		}
		if len(figures) > 0 {
			if f.Latency == nil {
				f.Latency = map[string]map[string]float64{}
			}
			f.Latency[keyIn(f.Latency, stage)] = figures
		}
	}
	return f
}

func textsOf(values map[string]any) map[string]string {
	out := make(map[string]string, len(values))
	for _, k := range sortedKeys(values) {
		out[keyIn(out, k)] = render.Clip(render.Clean(render.ValueText(values[k])), 200)
	}
	return out
}

// keyIn is a key as it is shown, told apart from those that m has already.
func keyIn[V any](m map[string]V, key string) string {
	shown := render.Clip(render.Clean(key), 80)
	for name, n := shown, 2; ; n++ {
		if _, taken := m[name]; !taken {
			return name
		}
		name = fmt.Sprintf("%s (%d)", shown, n)
	}
}

func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// sampleNotes are the notes of an answer that has no others.
func (d Deps) sampleNotes() []string {
	if d.Sample {
		return []string{sampleNote}
	}
	return []string{}
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
