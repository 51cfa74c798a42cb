package file

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"call-logs-mcp/internal/call"
)

// A record is one line of a file. Only conversation_id (or call_id) has to be
// there; null is the same as absent, and unknown keys are passed over.
type record struct {
	Corpus         string         `json:"corpus"`
	ConversationID string         `json:"conversation_id"`
	AgentName      string         `json:"agent_name"`
	Intent         string         `json:"intent"`
	Outcome        string         `json:"outcome"` // see verdict
	StartedAt      string         `json:"started_at"`
	DurationS      *float64       `json:"duration_s"`
	Turns          []turn         `json:"turns"`
	Labels         map[string]any `json:"labels"`

	// What the corpora lack and exports may have.
	CallID         string         `json:"call_id"`
	AgentID        string         `json:"agent_id"`
	ProjectID      string         `json:"project_id"`
	CustomerNumber string         `json:"customer_number"`
	EndedReason    string         `json:"ended_reason"`
	Direction      string         `json:"direction"`
	Sentiment      string         `json:"sentiment"`
	Summary        string         `json:"summary"`
	ErrorMessage   string         `json:"error_message"`
	Cost           *float64       `json:"cost"`
	Success        *bool          `json:"success"`
	Metadata       map[string]any `json:"metadata"`
	Metrics        []metric       `json:"metrics"`
}

// A turn has start_s and end_s from the start of the call. One of a tool has
// its name, and its arguments and result as JSON of any shape.
type turn struct {
	Role       call.Role       `json:"role"`
	Text       string          `json:"text"`
	StartS     *float64        `json:"start_s"`
	EndS       *float64        `json:"end_s"`
	ToolName   string          `json:"tool_name"`
	ToolArgs   json.RawMessage `json:"tool_args"`
	ToolResult json.RawMessage `json:"tool_result"`
}

type metric struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Score       *float64 `json:"score"`
	Value       string   `json:"value"`
	Passed      *bool    `json:"passed"`
	Explanation []string `json:"explanation"`
}

// log is the call that r tells of, at the source called name.
func (r *record) log(name string) (*call.Log, error) {
	key := cmp.Or(r.ConversationID, r.CallID)
	if key == "" {
		return nil, errors.New("conversation_id is missing")
	}
	l := &call.Log{
		ID: call.ID{Source: name, Key: key}, CallID: cmp.Or(r.CallID, key),
		AgentID: r.AgentID, AgentName: r.AgentName, ProjectID: r.ProjectID,
		Success: r.Success, Status: r.Outcome, Topic: r.Intent,
		EndedReason: r.EndedReason, ErrorMessage: r.ErrorMessage,
		Customer: r.CustomerNumber, Direction: r.Direction, Sentiment: r.Sentiment,
		Summary: r.Summary, Cost: r.Cost, Metadata: r.metadata(), Detailed: true,
	}
	if l.Success == nil {
		l.Success = verdict(r.Outcome)
	}
	if l.Summary == "" {
		l.Summary, _ = r.Labels["summary"].(string)
	}
	for _, m := range r.Metrics {
		l.Metrics = append(l.Metrics, call.Metric(m))
	}
	if err := r.times(l); err != nil {
		return nil, err
	}
	return l, r.turns(l)
}

// verdict is whether an outcome means that the caller got what he called for:
//
//	true   success booked offer_made order_placed directions_given goal_met
//	false  failure abandoned no_offer no_order no_directions goal_not_met
//	nil    all others: completed (it went to its end, nobody said how well),
//	       info_only, no_caller_speech, none
func verdict(outcome string) *bool {
	switch outcome {
	case "success", "booked", "offer_made", "order_placed", "directions_given", "goal_met":
		return new(true)
	case "failure", "abandoned", "no_offer", "no_order", "no_directions", "goal_not_met":
		return new(false)
	}
	return nil
}

// metadata is the record's own, its labels and its corpus. The label "summary"
// is left out: it is the call's Summary.
func (r *record) metadata() map[string]any {
	m := map[string]any{}
	for k, v := range r.Labels {
		if k != "summary" && v != nil {
			m[k] = v
		}
	}
	if r.Corpus != "" {
		m["corpus"] = r.Corpus
	}
	for k, v := range r.Metadata {
		m[k] = v
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

func (r *record) times(l *call.Log) (err error) {
	if r.StartedAt != "" {
		t, err := time.Parse(time.RFC3339Nano, r.StartedAt)
		if err != nil {
			return fmt.Errorf("started_at %.40q is not RFC 3339, as in 2026-11-20T14:10:05Z", r.StartedAt)
		}
		l.StartedAt = t.UTC()
	}
	if l.Duration, err = seconds(r.DurationS); err != nil {
		return fmt.Errorf("duration_s %w", err)
	}
	if l.Duration != nil && !l.StartedAt.IsZero() {
		l.EndedAt = l.StartedAt.Add(*l.Duration)
	}
	return nil
}

// seconds is s to the microsecond.
func seconds(s *float64) (*time.Duration, error) {
	switch {
	case s == nil:
		return nil, nil
	case *s < 0 || *s > 1e9:
		return nil, fmt.Errorf("is %g, which is no length of a call", *s)
	}
	return new(time.Duration(math.Round(*s*1e6)) * time.Microsecond), nil
}

func (r *record) turns(l *call.Log) (err error) {
	if r.Turns != nil {
		l.Turns = make([]call.Turn, len(r.Turns))
	}
	for i, t := range r.Turns {
		out := call.Turn{Index: i + 1, Role: t.Role, Text: t.Text}
		if out.Start, err = seconds(t.StartS); err != nil {
			return fmt.Errorf("turns[%d].start_s %w", i, err)
		}
		if out.End, err = seconds(t.EndS); err != nil {
			return fmt.Errorf("turns[%d].end_s %w", i, err)
		}
		switch t.Role {
		case call.RoleTool:
			out.Tool = &call.Tool{Name: t.ToolName, Args: words(t.ToolArgs), Result: words(t.ToolResult)}
			out.Tool.Failed = call.JudgeResult(out.Tool.Result) == call.ToolFailed
		case call.RoleAgent, call.RoleCaller, call.RoleSystem:
		default:
			return fmt.Errorf("turns[%d].role is %.20q; it can be agent, caller, tool, system", i, t.Role)
		}
		l.Turns[i] = out
	}
	return nil
}

// words is raw without spaces, or where it is a JSON text, that text.
func words(raw json.RawMessage) string {
	if isNull(raw) {
		return ""
	}
	var s string
	if raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
		return s
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return string(raw)
	}
	return b.String()
}

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || bytes.Equal(raw, []byte("null"))
}
