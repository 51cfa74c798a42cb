package telzino

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/client/wire"
	"call-logs-mcp/internal/call"
)

// paging is what every list says of itself.
type paging struct {
	Pagination struct {
		Limit   loose.Number `json:"limit"`
		Total   loose.Number `json:"total"`
		HasNext loose.Truth  `json:"hasNext"`
	} `json:"pagination"`
}

func (p paging) rows() wire.Rows {
	rows := wire.Rows{Total: loose.Count(p.Pagination.Total), More: p.Pagination.HasNext.V}
	if n := loose.Count(p.Pagination.Limit); n != nil {
		rows.Size = *n
	}
	return rows
}

// listAnswer is the answer of an agent's call logs.
type listAnswer struct {
	paging
	data []record
}

func (a *listAnswer) UnmarshalJSON(b []byte) error {
	var list struct {
		paging
		Data []record `json:"data"`
	}
	if err := loose.Unmarshal(b, &list); err != nil {
		return err
	}
	if list.Data == nil {
		return errors.New("no data in it")
	}
	a.data, a.paging = list.Data, list.paging
	return nil
}

// agentsAnswer is the answer of the list of agents.
type agentsAnswer struct {
	paging
	agents []agent
}

func (a *agentsAnswer) UnmarshalJSON(b []byte) error {
	var list struct {
		paging
		Data []struct {
			ID   loose.Text `json:"id"`
			Name loose.Text `json:"name"`
		} `json:"data"`
	}
	if err := loose.Unmarshal(b, &list); err != nil {
		return err
	}
	if list.Data == nil {
		return errors.New("no data in it")
	}
	for _, x := range list.Data {
		if x.ID != "" {
			a.agents = append(a.agents, agent{string(x.ID), string(x.Name)})
		}
	}
	a.paging = list.paging
	return nil
}

// record is one call log.
type record struct {
	ID        loose.Text      `json:"id"`
	Agent     loose.Text      `json:"agent_id"`
	Room      loose.Text      `json:"room_name"`
	Text      json.RawMessage `json:"transcript_text"`
	Entries   json.RawMessage `json:"transcript_json"`
	Summary   loose.Text      `json:"summary_text"`
	Duration  loose.Length    `json:"call_duration"`
	StartedAt loose.Moment    `json:"call_started_at"`
	EndedAt   loose.Moment    `json:"call_ended_at"`
	Session   loose.Object    `json:"session_data"`
	Recording loose.Text      `json:"recording_url"`
	CreatedAt loose.Moment    `json:"created_at"`
	UpdatedAt loose.Moment    `json:"updated_at"`
}

// log is the record in our own words, nil where it has no id. The agent is the
// one that the record tells, and where it tells none, the one whose list it
// stands in.
func (r *record) log(source string, a agent) *call.Log {
	if r.ID == "" {
		return nil
	}
	if told := r.agent(); told != "" && !strings.EqualFold(told, a.id) {
		a = agent{id: told}
	}
	l := &call.Log{
		ID:           call.ID{Source: source, Key: string(r.ID)},
		CallID:       string(r.Room),
		AgentID:      a.id,
		AgentName:    a.name,
		StartedAt:    r.StartedAt.Time,
		EndedAt:      r.EndedAt.Time,
		CreatedAt:    r.CreatedAt.Time,
		UpdatedAt:    r.UpdatedAt.Time,
		Duration:     r.Duration.V,
		Summary:      strings.TrimSpace(string(r.Summary)),
		RecordingURL: string(r.Recording),
		Detailed:     true,
	}
	switch id := r.Session["caller_id"].(type) {
	case string:
		l.Customer = id
	case json.Number:
		l.Customer = id.String()
	}
	l.Metadata = metadata(r.Session)
	if l.EndedAt.Before(l.StartedAt) {
		l.EndedAt = time.Time{}
	}
	if took := l.EndedAt.Sub(l.StartedAt); l.Duration == nil && !l.StartedAt.IsZero() && !l.EndedAt.IsZero() {
		l.Duration = &took
	}
	l.Turns = r.turns(l.Duration)
	return l
}

// agent is whose call the record says it is; "" where it does not.
func (r *record) agent() string {
	session, _ := r.Session["agent_id"].(string)
	return cmp.Or(string(r.Agent), session)
}

// metadata is what a session says beyond what the log says already.
func metadata(session loose.Object) map[string]any {
	m := map[string]any{}
	for key, value := range session {
		switch key {
		case "caller_id", "agent_id", "room_name":
		default:
			if value != nil {
				m[key] = value
			}
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

// turns reads a transcript from its entries, or else from the lines of its text.
// Entries of the system, such as transfers and the reason for the end, are turns
// of the system.
func (r *record) turns(length *time.Duration) []call.Turn {
	h := loose.Hint{Start: r.StartedAt.Time, Length: length, Unit: time.Second}
	return loose.Transcript(h, r.Entries, r.Text)
}
