package cekura

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/internal/call"
)

// listAnswer is the answer of the list endpoint.
type listAnswer struct {
	count   *int
	next    bool
	results []record
}

// UnmarshalJSON insists on results alone.
func (a *listAnswer) UnmarshalJSON(b []byte) error {
	var list struct {
		Count   loose.Number    `json:"count"`
		Next    json.RawMessage `json:"next"`
		Results []record        `json:"results"`
	}
	// A row that is no object is left zero, and the rest is decoded all the same.
	if odd := (*json.UnmarshalTypeError)(nil); !errors.As(json.Unmarshal(b, &list), &odd) && list.Results == nil || list.Results == nil {
		return errors.New("no results in it")
	}
	a.results = list.Results
	if n := list.Count.V; n != nil && *n >= float64(len(a.results)) && *n < 1e9 {
		count := int(*n)
		a.count = &count
	}
	a.next = len(list.Next) > 2 && list.Next[0] == '"'
	return nil
}

// record is one call, as the list and the detail endpoint give it.
type record struct {
	ID           loose.Text   `json:"id"`
	CallID       loose.Text   `json:"call_id"`
	Agent        loose.Text   `json:"agent"`
	AgentName    loose.Text   `json:"agent_name"`
	Project      loose.Text   `json:"project"`
	AssistantID  loose.Text   `json:"assistant_id"`
	Timestamp    loose.Moment `json:"timestamp"`
	CreatedAt    loose.Moment `json:"created_at"`
	UpdatedAt    loose.Moment `json:"updated_at"`
	Duration     loose.Length `json:"duration"`
	Success      loose.Truth  `json:"success"`
	Status       loose.Text   `json:"status"`
	IsReviewed   loose.Truth  `json:"is_reviewed"`
	Feedback     loose.Text   `json:"feedback"`
	EndedReason  loose.Text   `json:"call_ended_reason"`
	Topic        loose.Text   `json:"topic"`
	DropoffPoint loose.Text   `json:"dropoff_point"`
	ErrorMessage loose.Text   `json:"error_message"`
	Customer     loose.Text   `json:"customer_number"`
	TraceID      loose.Text   `json:"trace_id"`
	Recording    loose.Text   `json:"voice_recording_url"`
	Metrics      []metric     `json:"metrics"`
	Rubric       []rubric     `json:"rubric"`
	Evaluation   evaluation   `json:"evaluation"`
	Metadata     loose.Object `json:"metadata"`
	Variables    loose.Object `json:"dynamic_variables"`

	Transcript json.RawMessage `json:"transcript"`
	Object     json.RawMessage `json:"transcript_object"`
}

// UnmarshalJSON of the detail: wrong types cost their field alone.
type detail struct{ record }

func (d *detail) UnmarshalJSON(b []byte) error {
	if err := loose.Unmarshal(b, &d.record); err != nil {
		return err
	}
	if d.ID == "" {
		return errors.New("no id in it")
	}
	return nil
}

// log is the record in our own words. It is nil where the record has no id.
func (r *record) log(source string) *call.Log {
	key := strings.TrimSuffix(string(r.ID), ".0")
	if key == "" {
		return nil
	}
	l := &call.Log{
		ID:           call.ID{Source: source, Key: key},
		CallID:       string(r.CallID),
		AgentID:      string(r.Agent),
		AgentName:    string(r.AgentName),
		ProjectID:    string(r.Project),
		AssistantID:  string(r.AssistantID),
		StartedAt:    r.Timestamp.Time,
		CreatedAt:    r.CreatedAt.Time,
		UpdatedAt:    r.UpdatedAt.Time,
		Duration:     r.Duration.V,
		Success:      r.Success.V,
		Status:       string(r.Status),
		Reviewed:     r.IsReviewed.V,
		Feedback:     string(r.Feedback),
		EndedReason:  string(r.EndedReason),
		Topic:        string(r.Topic),
		DropoffPoint: string(r.DropoffPoint),
		ErrorMessage: string(r.ErrorMessage),
		Customer:     string(r.Customer),
		TraceID:      string(r.TraceID),
		RecordingURL: string(r.Recording),
		Metadata:     r.Metadata,
	}
	l.DynamicVariables = r.Variables
	l.Evaluation = r.Evaluation.text
	for _, m := range r.Evaluation.merged(r.Metrics) {
		if m.ID == "" && m.Name == "" {
			continue
		}
		l.Metrics = append(l.Metrics, m.metric(r.Rubric))
	}
	l.Turns = r.turns()
	return l
}

// dashboard is the page of a call on Cekura's own site.
func dashboard(l *call.Log) string {
	if l.ProjectID == "" {
		return ""
	}
	return "https://dashboard.cekura.ai/" + url.PathEscape(l.ProjectID) + "/calls?callId=" + url.QueryEscape(l.ID.Key)
}

// complete fills what detail lacks from the row of the list.
func complete(detail, row *call.Log) {
	for _, x := range []struct{ to, from *string }{
		{&detail.CallID, &row.CallID},
		{&detail.AgentID, &row.AgentID},
		{&detail.AgentName, &row.AgentName},
		{&detail.ProjectID, &row.ProjectID},
		{&detail.AssistantID, &row.AssistantID},
		{&detail.Status, &row.Status},
		{&detail.Feedback, &row.Feedback},
		{&detail.Evaluation, &row.Evaluation},
		{&detail.EndedReason, &row.EndedReason},
		{&detail.Topic, &row.Topic},
		{&detail.DropoffPoint, &row.DropoffPoint},
		{&detail.ErrorMessage, &row.ErrorMessage},
		{&detail.Customer, &row.Customer},
		{&detail.TraceID, &row.TraceID},
		{&detail.RecordingURL, &row.RecordingURL},
		{&detail.DashboardURL, &row.DashboardURL},
	} {
		if *x.to == "" {
			*x.to = *x.from
		}
	}
	for _, x := range []struct{ to, from *time.Time }{
		{&detail.StartedAt, &row.StartedAt}, {&detail.CreatedAt, &row.CreatedAt}, {&detail.UpdatedAt, &row.UpdatedAt},
	} {
		if x.to.IsZero() {
			*x.to = *x.from
		}
	}
	if detail.Duration == nil {
		detail.Duration = row.Duration
	}
	if detail.Success == nil {
		detail.Success = row.Success
	}
	if detail.Reviewed == nil {
		detail.Reviewed = row.Reviewed
	}
	if detail.Metrics == nil {
		detail.Metrics = row.Metrics
	}
	if detail.Turns == nil {
		detail.Turns = row.Turns
	}
}
