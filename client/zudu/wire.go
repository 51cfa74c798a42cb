package zudu

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"time"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/client/wire"
	"call-logs-mcp/internal/call"
)

// listAnswer is the answer of the list. Its pagination comes in two shapes: with
// total_count or total, and has_next_page may be missing.
type listAnswer struct {
	calls      []record
	pagination pagination
}

type pagination struct {
	Limit      loose.Number `json:"limit"`
	TotalCount loose.Number `json:"total_count"`
	Total      loose.Number `json:"total"`
	Pages      loose.Number `json:"total_pages"`
	HasNext    loose.Truth  `json:"has_next_page"`
}

// UnmarshalJSON insists on calls alone.
func (a *listAnswer) UnmarshalJSON(b []byte) error {
	var list struct {
		trouble
		Data struct {
			Calls      []record   `json:"calls"`
			Pagination pagination `json:"pagination"`
		} `json:"data"`
	}
	if err := loose.Unmarshal(b, &list); err != nil {
		return err
	}
	if list.Data.Calls == nil {
		return list.or("no calls in it")
	}
	a.calls, a.pagination = list.Data.Calls, list.Data.Pagination
	return nil
}

// rows is what the answer says of the list, as its page of this number.
func (a *listAnswer) rows(page int) wire.Rows {
	p := a.pagination
	rows := wire.Rows{Total: loose.Count(p.TotalCount), More: p.HasNext.V}
	if rows.Total == nil {
		rows.Total = loose.Count(p.Total)
	}
	if n := loose.Count(p.Limit); n != nil {
		rows.Size = *n
	}
	if pages := loose.Count(p.Pages); rows.More == nil && pages != nil {
		more := page+1 < *pages
		rows.More = &more
	}
	return rows
}

// detail is the answer to the question for one call. Nobody documents how it is
// wrapped: as data, as data.call, or not at all.
type detail struct{ record }

func (d *detail) UnmarshalJSON(b []byte) error {
	var answer struct {
		record
		trouble
		Data struct {
			record
			Call record `json:"call"`
		} `json:"data"`
	}
	if err := loose.Unmarshal(b, &answer); err != nil {
		return err
	}
	for _, r := range []record{answer.Data.record, answer.Data.Call, answer.record} {
		if r.CallID != "" || r.ID != "" {
			d.record = r
			return nil
		}
	}
	return answer.or("no call in it")
}

// trouble is what the API says where something went wrong, also with a 200.
type trouble struct {
	State   loose.Text `json:"status"`
	Message loose.Text `json:"message"`
	Error   loose.Text `json:"error"`
}

// or is the API's own words about what went wrong, or else says what is missing.
func (t trouble) or(missing string) error {
	words, reason := strings.TrimSpace(string(t.Message)), strings.TrimSpace(string(t.Error))
	switch {
	case words == "" || strings.Contains(reason, words):
		words = reason
	case !strings.Contains(words, reason):
		words += ": " + reason
	}
	if words != "" && !strings.EqualFold(string(t.State), "success") {
		return rest.Refused(words)
	}
	return errors.New(missing)
}

// record is one call. All of it may be missing or null.
type record struct {
	ID        loose.Text   `json:"id"` // a uuid
	CallID    loose.Text   `json:"call_id"`
	Agent     loose.Text   `json:"agent_id"`
	Org       loose.Text   `json:"organization_id"`
	Status    loose.Text   `json:"call_status"`
	Type      loose.Text   `json:"call_type"`
	Direction loose.Text   `json:"direction"`
	From      loose.Text   `json:"from_number"`
	To        loose.Text   `json:"to_number"`
	StartedAt loose.Moment `json:"start_timestamp"`
	EndedAt   loose.Moment `json:"end_timestamp"`
	CreatedAt loose.Moment `json:"created_at"`
	UpdatedAt loose.Moment `json:"updated_at"`
	Duration  loose.Number `json:"call_duration"` // milliseconds
	Reason    loose.Text   `json:"disconnection_reason"`
	Recording loose.Text   `json:"recording_url"`
	PublicLog loose.Text   `json:"public_log_url"`
	OptOut    loose.Truth  `json:"opt_out_sensitive_data_storage"`
	Metadata  loose.Object `json:"metadata"`

	Events     json.RawMessage `json:"events"`
	Transcript loose.Text      `json:"transcript"`
	Object     json.RawMessage `json:"transcript_object"`
	WithTools  json.RawMessage `json:"transcript_with_tool_calls"`

	Latency  map[string]latency `json:"latency"` // by stage
	Analysis struct {
		Successful  loose.Truth `json:"call_successful"`
		Summary     loose.Text  `json:"call_summary"`
		Sentiment   loose.Text  `json:"user_sentiment"`
		InVoicemail loose.Truth `json:"in_voicemail"`
	} `json:"call_analysis"`
	Cost struct {
		Combined loose.Number `json:"combined_cost"`
	} `json:"call_cost"`
	Telephony struct {
		CallSID       loose.Text `json:"call_sid"`
		ConferenceSID loose.Text `json:"conference_sid"`
	} `json:"telephony_identifier"`
}

// latency is in milliseconds.
type latency struct {
	P50 loose.Number `json:"p50"`
	P90 loose.Number `json:"p90"`
	P95 loose.Number `json:"p95"`
	P99 loose.Number `json:"p99"`
	Min loose.Number `json:"min"`
	Max loose.Number `json:"max"`
	Num loose.Number `json:"num"`
}

// stage is the latency in our own words; false where it says nothing.
func (x latency) stage() (call.Latency, bool) {
	out := call.Latency{P50: millis(x.P50), P90: millis(x.P90), P95: millis(x.P95), P99: millis(x.P99), Min: millis(x.Min), Max: millis(x.Max)}
	if n := loose.Count(x.Num); n != nil {
		out.N = *n
	}
	return out, len(out.Figures()) > 0
}

// log is the record in our own words. It is nil where the record has no name.
// The length is the API's own or none, so that its filter and ours agree.
func (r *record) log(source string) *call.Log {
	key := cmp.Or(string(r.CallID), string(r.ID))
	if key == "" {
		return nil
	}
	l := &call.Log{
		ID:           call.ID{Source: source, Key: key},
		CallID:       string(r.CallID),
		AgentID:      string(r.Agent),
		StartedAt:    r.StartedAt.Time,
		EndedAt:      r.EndedAt.Time,
		CreatedAt:    r.CreatedAt.Time,
		UpdatedAt:    r.UpdatedAt.Time,
		Duration:     millis(r.Duration),
		Success:      r.Analysis.Successful.V,
		Status:       lower(r.Status),
		EndedReason:  lower(r.Reason),
		Summary:      strings.TrimSpace(string(r.Analysis.Summary)),
		Sentiment:    lower(r.Analysis.Sentiment),
		Direction:    lower(r.Direction),
		CallType:     lower(r.Type),
		Cost:         r.Cost.Combined.V,
		Metadata:     r.metadata(),
		RecordingURL: string(r.Recording),
		DashboardURL: string(r.PublicLog),
		Sensitive:    r.OptOut.V != nil && *r.OptOut.V,
		Detailed:     true,
	}
	if l.EndedAt.Before(l.StartedAt) {
		l.EndedAt = time.Time{}
	}
	l.Customer = r.customer(l.Direction)
	for name, x := range r.Latency {
		if stage, ok := x.stage(); ok {
			if l.Latency == nil {
				l.Latency = map[string]call.Latency{}
			}
			l.Latency[strings.ToLower(name)] = stage
		}
	}
	l.Turns = r.turns(l)
	return l
}

// customer is the number of the other party: who calls in, or is called. Where
// nobody says which it is, it is known only if there is one number.
func (r *record) customer(direction string) string {
	switch from, to := string(r.From), string(r.To); {
	case direction == "inbound":
		return from
	case direction == "outbound":
		return to
	case from == "" || to == "":
		return from + to
	}
	return ""
}

// metadata is the call's own, and what else there is no field for.
func (r *record) metadata() map[string]any {
	m := map[string]any{}
	if r.Analysis.InVoicemail.V != nil {
		m["in_voicemail"] = *r.Analysis.InVoicemail.V
	}
	for key, text := range map[string]loose.Text{
		call.UUIDKey: r.ID, "call_sid": r.Telephony.CallSID, "conference_sid": r.Telephony.ConferenceSID,
		"organization_id": r.Org, "from_number": r.From, "to_number": r.To,
	} {
		if text != "" {
			m[key] = string(text)
		}
	}
	for key, value := range r.Metadata {
		if value != nil {
			m[key] = value
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

// lower folds the API's enums, which it writes in capitals, small letters and
// mixed.
func lower(t loose.Text) string { return strings.ToLower(strings.TrimSpace(string(t))) }

// millis is a number of milliseconds, to the microsecond.
func millis(n loose.Number) *time.Duration {
	if n.V == nil || *n.V < 0 || *n.V > 1e12 {
		return nil
	}
	d := time.Duration(math.Round(*n.V*1000)) * time.Microsecond
	return &d
}
