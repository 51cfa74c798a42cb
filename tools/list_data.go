package tools

import (
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

// listData is listed as data.
type listData struct {
	Calls []callData `json:"calls"`
	listing
}

// callData is one call in a list.
type callData struct {
	ID            string     `json:"id"`
	URI           string     `json:"uri" trust:"ours"`
	CallID        string     `json:"call_id,omitempty"`
	Source        string     `json:"source" trust:"ours"`
	StartedAt     *time.Time `json:"started_at,omitempty"`
	Duration      *float64   `json:"duration_seconds,omitempty"`
	AgentID       string     `json:"agent_id,omitempty"`
	AgentName     string     `json:"agent_name,omitempty"`
	ProjectID     string     `json:"project_id,omitempty"`
	Success       *bool      `json:"success,omitempty"`
	Status        string     `json:"status,omitempty"`
	Reviewed      *bool      `json:"reviewed,omitempty"`
	EndedReason   string     `json:"ended_reason,omitempty"`
	Topic         string     `json:"topic,omitempty"`
	DropoffPoint  string     `json:"dropoff_point,omitempty"`
	Customer      string     `json:"customer,omitempty"`
	Direction     string     `json:"direction,omitempty"`
	FailedMetrics []string   `json:"failed_metrics"`
	Turns         *int       `json:"turns,omitempty"`
	Opening       string     `json:"opening,omitempty"`
	Summary       string     `json:"summary,omitempty"`
	DashboardURL  string     `json:"dashboard_url,omitempty"`
}

func callDataOf(l *call.Log) callData {
	c := callData{
		ID: render.Clean(l.ID.String()), URI: l.ID.URI(), CallID: brief(l.CallID), Source: l.ID.Source, AgentID: brief(l.AgentID), AgentName: brief(l.AgentName), ProjectID: brief(l.ProjectID),
		Success: l.Success, Status: brief(l.Status), Reviewed: l.Reviewed, EndedReason: brief(l.EndedReason), Topic: brief(l.Topic),
		DropoffPoint: render.Clip(render.Clean(l.DropoffPoint), 200), Customer: brief(l.Customer), Direction: brief(l.Direction), FailedMetrics: failedMetrics(l),
		Opening: render.Clip(render.Clean(l.Opening()), 160), Summary: render.Paragraphs(l.Summary, 300), DashboardURL: render.Address(l.DashboardURL),
	}
	if !l.StartedAt.IsZero() {
		t := l.StartedAt.UTC()
		c.StartedAt = &t
	}
	if l.Duration != nil {
		s := l.Duration.Seconds()
		c.Duration = &s
	}
	if l.Turns != nil {
		n := len(l.Turns)
		c.Turns = &n
	}
	return c
}

func (a listed) data(budget int) any {
	out := listData{Calls: []callData{}}
	left := budget - jsonTokens(a.q.listing(a.d, a.page, max(0, len(a.page.Logs)-1))) - jsonTokens(a.why) - 10
	for i, l := range a.page.Logs {
		c := callDataOf(l)
		if i == 0 && jsonTokens(c) > left { // one row at least, without its words
			c.Opening, c.Summary, c.DropoffPoint, c.DashboardURL = "", "", "", ""
		}
		if left -= jsonTokens(c); left < 0 {
			break
		}
		out.Calls = append(out.Calls, c)
	}
	out.listing = a.q.listing(a.d, a.page, len(out.Calls))
	out.Notes = append(out.Notes, a.why...)
	if len(out.Calls) == 0 && len(a.page.Logs) > 0 {
		out.Notes = append(out.Notes, "no row fits, raise max_tokens")
	}
	return out
}
