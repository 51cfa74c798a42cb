package demo

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// item is what the list says of a call: exactly the fields of Cekura's list
// schema.
type item struct {
	ID           int       `json:"id"`
	Duration     string    `json:"duration"`
	Success      *bool     `json:"success"`
	Reviewed     bool      `json:"is_reviewed"`
	Status       *string   `json:"status"`
	Feedback     string    `json:"feedback"`
	Metrics      []verdict `json:"metrics"`
	EndedReason  *string   `json:"call_ended_reason"`
	Customer     *string   `json:"customer_number"`
	Agent        *int      `json:"agent"`
	AgentName    string    `json:"agent_name"`
	CallID       string    `json:"call_id"`
	TraceID      *string   `json:"trace_id"`
	Timestamp    string    `json:"timestamp"`
	ErrorMessage *string   `json:"error_message"`
	DropoffPoint *string   `json:"dropoff_point"`
	Topic        *string   `json:"topic"`
	CreatedAt    string    `json:"created_at"`
	UpdatedAt    string    `json:"updated_at"`
	Transcript   string    `json:"transcript"`
	Object       any       `json:"transcript_object"` // the list has it as a text
	Evaluation   any       `json:"evaluation"`        // a text in the list
}

// full is what the detail says of a call.
type full struct {
	item
	Project      int            `json:"project"`
	RecordingURL string         `json:"voice_recording_url"`
	Critical     []string       `json:"critical_categories"`
	Metadata     map[string]any `json:"metadata"`
	Dynamic      map[string]any `json:"dynamic_variables"`
	Rubric       []criterion    `json:"rubric"`
	UserText     *string        `json:"user_generated_transcript"`
	Channel      int            `json:"testing_channel_index"`
}

type verdict struct {
	ID          int      `json:"id"`
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Score       *float64 `json:"score,omitempty"`
	Enum        string   `json:"enum,omitempty"`
	Value       string   `json:"value,omitempty"`
	Explanation []string `json:"explanation,omitempty"`
	Extra       *extra   `json:"extra,omitempty"`
}

type extra struct {
	Evaluator string `json:"evaluator"`
}

type criterion struct {
	Metric   int    `json:"metric"`
	Name     string `json:"name"`
	Criteria string `json:"criteria"`
	Passed   bool   `json:"passed"`
}

type entry struct {
	Role    string  `json:"role"`
	Content string  `json:"content"`
	Start   float64 `json:"start_time"`
	End     float64 `json:"end_time"`
	Data    *data   `json:"data,omitempty"`
}

type data struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Arguments *string `json:"arguments,omitempty"`
	Result    *string `json:"result,omitempty"`
}

// listed is the JSON of the call in a list, made once.
func (r *record) listed() ([]byte, error) {
	if b := r.item.Load(); b != nil {
		return *b, nil
	}
	object, err := json.Marshal(entries(r.Turns))
	if err != nil {
		return nil, fmt.Errorf("demo: call %d: %w", r.ID, err)
	}
	it := r.common()
	it.Object = string(object)
	it.Evaluation = r.Evaluation
	for _, m := range r.Metrics {
		it.Metrics = append(it.Metrics, m.verdict())
	}
	b, err := json.Marshal(it)
	if err != nil {
		return nil, fmt.Errorf("demo: call %d: %w", r.ID, err)
	}
	r.item.Store(&b)
	return b, nil
}

func (r *record) detail() full {
	f := full{item: r.common(), Project: r.Project, Critical: r.Critical, Metadata: r.Metadata, Dynamic: r.DynamicVariables, Rubric: []criterion{}}
	f.RecordingURL = "https://recordings.example.com/" + r.CallID + ".wav"
	f.Object = entries(r.Turns)
	f.Channel = r.ID % 2
	if f.Critical == nil {
		f.Critical = []string{}
	}
	if f.Metadata == nil {
		f.Metadata = map[string]any{}
	}
	if f.Dynamic == nil {
		f.Dynamic = map[string]any{}
	}
	if r.Success != nil {
		f.Evaluation = map[string]any{"success": *r.Success, "summary": r.Evaluation}
	}
	for _, m := range r.Metrics {
		v := m.verdict()
		v.Explanation, v.Extra = m.Explanation, &extra{Evaluator: "sample"}
		f.Metrics = append(f.Metrics, v)
		if passed, ok := m.Passed(); ok {
			f.Rubric = append(f.Rubric, criterion{m.ID, m.Name, criteria(m.Name), passed})
		}
	}
	return f
}

// common is what list and detail share.
func (r *record) common() item {
	return item{
		ID: r.ID, Duration: length(r.Seconds), Success: r.Success, Reviewed: r.Reviewed, Status: r.status(),
		Feedback: r.Feedback, Metrics: []verdict{}, EndedReason: text(r.EndedReason), Customer: text(r.Customer),
		Agent: &r.Agent, AgentName: r.AgentName, CallID: r.CallID, TraceID: text(r.TraceID),
		Timestamp: stamp(r.Timestamp), ErrorMessage: text(r.ErrorMessage), DropoffPoint: text(r.DropoffPoint),
		Topic: text(r.Topic), CreatedAt: stamp(r.CreatedAt), UpdatedAt: stamp(r.UpdatedAt), Transcript: transcript(r.Turns),
	}
}

func (c *Call) status() *string {
	if c.Success == nil {
		return nil
	}
	s := "failure"
	if *c.Success {
		s = "success"
	}
	if c.Reviewed {
		s = "reviewed_" + s
	}
	return &s
}

func (m Metric) verdict() verdict {
	v := verdict{ID: m.ID, Name: m.Name, Type: m.Type}
	if m.Type == "enum" {
		v.Enum, v.Value = m.Value, m.Value
	} else {
		v.Score = &m.Score
	}
	return v
}

func criteria(metric string) string {
	switch metric {
	case metricInstruction:
		return "The agent follows its script: it confirms what was agreed and never leaves the caller waiting unheard."
	case metricGreeting:
		return "The agent names the company in its first sentence."
	case metricTool:
		return "No tool answers an error."
	case metricHallucination:
		return "The agent states nothing that neither a tool nor the caller has said."
	}
	return ""
}

func entries(turns []Turn) []entry {
	out := make([]entry, len(turns))
	for i, t := range turns {
		out[i] = entry{Role: t.Role, Content: t.Content, Start: t.Start, End: t.End}
		if t.Tool == nil {
			continue
		}
		out[i].Data = &data{ID: t.Tool.ID, Name: t.Tool.Name}
		if t.Role == RoleResult {
			out[i].Data.Result = &t.Tool.Result
		} else {
			out[i].Data.Arguments = &t.Tool.Arguments
		}
	}
	return out
}

// transcript is the text of the call, a line a turn.
func transcript(turns []Turn) string {
	var b strings.Builder
	for _, t := range turns {
		words := t.Content
		switch {
		case t.Tool != nil && t.Role == RoleResult:
			words = t.Tool.Name + " " + t.Tool.Result
		case t.Tool != nil:
			words = t.Tool.Name + " " + t.Tool.Arguments
		}
		b.WriteString("[" + clock(t.Start) + "] " + t.Role + ": " + words + "\n")
	}
	return b.String()
}

// length is MM:SS, or HH:MM:SS from an hour on.
func length(secs float64) string {
	s := int(secs)
	if s >= 3600 {
		return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z07:00") }

// text is s, or null where there is none.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
