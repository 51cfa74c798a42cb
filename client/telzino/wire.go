package telzino

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/client/wire"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/lazyregexp"
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
	Count     loose.Number    `json:"entry_count"`
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
	l.EndedReason = endReason(l.Turns)
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
// of the system. Where fewer came than the API counts, a last turn says so.
func (r *record) turns(length *time.Duration) []call.Turn {
	h := loose.Hint{Start: r.StartedAt.Time, Length: length, Unit: time.Second}
	turns := loose.Transcript(h, r.Entries, r.Text)
	if counted, came := r.counted(); came >= 0 && came < counted && (came > 0 || len(turns) == 0) {
		text := fmt.Sprintf("(%d of the %d entries that the source counts came with the transcript)", came, counted)
		turns = loose.Numbered(append(turns, call.Turn{Role: call.RoleSystem, Text: text}))
	}
	return turns
}

// counted is how many entries the API counts, and how many came, -1 where it
// gives none. Drafts may be left out of what comes.
func (r *record) counted() (counted, came int) {
	entries := gjson.ParseBytes(loose.Unwrap(r.Entries))
	n := loose.Count(r.Count)
	if n == nil || !entries.IsArray() {
		return 0, -1
	}
	final := 0
	entries.ForEach(func(_, e gjson.Result) bool {
		if came++; !e.Get("is_partial").Bool() {
			final++
		}
		return true
	})
	var finals loose.Number
	if text, err := json.Marshal(r.Session["final_entries"]); err == nil {
		_ = finals.UnmarshalJSON(text)
	}
	if f := loose.Count(finals); f != nil && final >= *f {
		return final, final
	}
	return *n, came
}

// endReason is why a call ended, as an entry of the system says it.
func endReason(turns []call.Turn) string {
	for i := len(turns) - 1; i >= 0; i-- {
		if turns[i].Role != call.RoleSystem {
			continue
		}
		if m := ended.FindStringSubmatch(turns[i].Text); m != nil {
			return strings.TrimRight(strings.TrimSpace(m[1]), ".")
		}
	}
	return ""
}

// ended is how entries of the system tell of the end: "Call ended: user hung up",
// "end_reason=timeout", "Call terminated by the caller".
var ended = lazyregexp.New(`(?i)^\W*(?:(?:the )?(?:call|session|conversation)[ _]?)?(?:` +
	`end(?:ed)?[ _]?reason|reason for (?:the )?end|(?:has |was )?(?:end(?:ed)?|terminated|disconnected|finished|completed|hung up)|disconnection[ _]reason|disconnected|hang ?up)` +
	`\b(?:\s+because(?: of)?|\s+due to|\s+with reason|\s+reason)?\s*[:=–-]*\s*(\S.{0,199})$`)
