// Package telzinotest is Telzino's API as it is documented, over records in
// memory: for tests and for whoever wants to see a source at work without a key.
package telzinotest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
)

// API is Telzino's API as it is documented: a token endpoint, agents,
// and their call logs in pages.
type API struct {
	now func() time.Time

	Mu       sync.Mutex
	Rows     []Row // of all agents
	made     int
	Valid    map[string]bool // the tokens
	Life     int             // seconds; 0 does not say
	Tokens   int             // that were issued
	requests int             // for agents and call logs
	Secret   string

	SortBy  string           // a field of the record; "" is call_started_at
	Max     int              // rows of a page, 100 unless told
	Before  func()           // each answer, once a request is counted
	Refused map[string]int   // agents by the status that they are answered with
	Bend    func(a Answer)   // an answer, before it is sent
	Agents  []map[string]any // listed
}

// Row is a record of a list.
type Row = map[string]any

// Answer is a body before it is sent.
type Answer = map[string]any

const (
	// Secret is the secret of ClientID.
	Secret   = "canary-secret-17a2"
	ClientID = "client-1"
)

// ServeHTTP answers as Telzino does.
func (u *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/oauth/token" {
		u.issue(w, r)
		return
	}
	if u.Before != nil {
		u.Before()
	}
	u.Mu.Lock()
	defer u.Mu.Unlock()
	u.requests++
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !ok || !u.Valid[token] {
		u.reply(w, http.StatusUnauthorized, Answer{"error": "invalid token"})
		return
	}
	page, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("page"), "1"))
	limit, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("limit"), "50"))
	most := cmp.Or(u.Max, 100)
	if page < 1 || limit < 1 {
		u.reply(w, http.StatusBadRequest, Answer{"error": "page and limit start at 1"})
		return
	}
	rows := u.Agents
	if id, ok := strings.CutPrefix(r.URL.Path, "/v1/agents/"); ok {
		id = strings.TrimSuffix(id, "/call-logs")
		if code := u.Refused[id]; code != 0 {
			u.reply(w, code, Answer{"error": "not for you"})
			return
		}
		rows = u.Of(id)
	}
	a := paged(rows, page, min(limit, most))
	if u.Bend != nil {
		u.Bend(a)
	}
	u.reply(w, http.StatusOK, a)
}

func paged(rows []Row, page, limit int) Answer {
	pages := (len(rows) + limit - 1) / limit
	from := min((page-1)*limit, len(rows))
	data := slices.Clone(rows[from:min(from+limit, len(rows))])
	return Answer{"data": append([]Row{}, data...), "pagination": Answer{
		"page": page, "limit": limit, "total": len(rows), "totalPages": pages, "hasNext": page < pages, "hasPrev": page > 1,
	}}
}

// Of is the call logs of an agent, newest first.
func (u *API) Of(agent string) []Row {
	var rows []Row
	for _, r := range u.Rows {
		if r["agent_id"] == agent {
			rows = append(rows, r)
		}
	}
	field := cmp.Or(u.SortBy, "call_started_at")
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(fmt.Sprint(b[field]), fmt.Sprint(a[field])) })
	return rows
}

func (u *API) issue(w http.ResponseWriter, r *http.Request) {
	u.Mu.Lock()
	defer u.Mu.Unlock()
	var body map[string]string
	_ = json.NewDecoder(r.Body).Decode(&body)
	if r.Method != http.MethodPost || body["audience"] != "https://api.telzino.com/" || body["grant_type"] != "client_credentials" {
		u.reply(w, http.StatusBadRequest, Answer{"error": "unsupported_grant_type"})
		return
	}
	if body["client_id"] != ClientID || body["client_secret"] != cmp.Or(u.Secret, Secret) {
		u.reply(w, http.StatusUnauthorized, Answer{"error": "access_denied", "error_description": "not " + body["client_secret"]})
		return
	}
	u.Tokens++
	token := fmt.Sprint("canary-token-", u.Tokens)
	u.Valid[token] = true
	a := Answer{"access_token": token, "token_type": "Bearer"}
	if u.Life != 0 {
		a["expires_in"] = u.Life
	}
	u.reply(w, http.StatusOK, a)
}

func (u *API) reply(w http.ResponseWriter, code int, a Answer) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", u.now().Format(http.TimeFormat))
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(a)
}

// Revoke makes all tokens worthless.
func (u *API) Revoke() {
	u.Mu.Lock()
	defer u.Mu.Unlock()
	clear(u.Valid)
}

// Asked is how many requests for agents and call logs came since it was asked.
func (u *API) Asked() (requests int) {
	u.Mu.Lock()
	defer u.Mu.Unlock()
	requests, u.requests = u.requests, 0
	return requests
}

// Insert implements calltest.Mutable.
func (u *API) Insert(like call.ID, at time.Time) {
	u.Mu.Lock()
	defer u.Mu.Unlock()
	i := slices.IndexFunc(u.Rows, func(r Row) bool { return r["id"] == like.Key })
	if i < 0 {
		return
	}
	u.made++
	r := maps.Clone(u.Rows[i])
	r["id"], r["room_name"] = fmt.Sprintf("0f0f0f0f-0000-4000-8000-%012d", u.made), ""
	r["call_started_at"], r["call_ended_at"], r["created_at"] = stamp(at), nil, stamp(at.Add(time.Minute))
	u.Rows = append(u.Rows, r)
}

// Delete implements calltest.Mutable.
func (u *API) Delete(id call.ID) {
	u.Mu.Lock()
	defer u.Mu.Unlock()
	u.Rows = slices.DeleteFunc(u.Rows, func(r Row) bool { return r["id"] == id.Key })
}

// stamp writes a time as Telzino does, always of one length, so that it sorts.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// New is an API with n random calls of the month before now, of three
// agents.
func New(n int, now func() time.Time) *API {
	u := &API{now: now, Life: 86400, Valid: map[string]bool{}}
	for i, name := range []string{"Support EN", "Buchung DE", "予約"} {
		u.Agents = append(u.Agents, Row{"id": AgentID(i), "name": name, "is_active": i < 2})
	}
	for i, l := range calltest.Logs("telzino", n, 3, now()) {
		u.Rows = append(u.Rows, written(i, l))
	}
	return u
}

// AgentID is the id of the i-th agent.
func AgentID(i int) string { return fmt.Sprintf("a9e0c7de-0000-4000-8000-%012d", i) }

// written is a log as Telzino's API has it.
func written(i int, l *call.Log) Row {
	r := Row{
		"id": fmt.Sprintf("c0ffee00-0000-4000-8000-%012d", i), "agent_id": AgentID(i % 3), "room_name": "room_" + l.ID.Key,
		"summary_text": l.Summary, "call_started_at": stamp(l.StartedAt), "created_at": stamp(l.StartedAt.Add(time.Second)),
		"updated_at": stamp(l.UpdatedAt), "recording_url": nil,
		"session_data": Row{"room_name": "room_" + l.ID.Key, "caller_id": l.Customer, "total_entries": 2 * len(l.Turns), "final_entries": len(l.Turns)},
	}
	if l.Duration != nil {
		r["call_duration"] = int(l.Duration.Seconds())
		r["call_ended_at"], r["created_at"] = stamp(l.EndedAt), stamp(l.EndedAt.Add(3*time.Second))
	}
	var entries []Row
	var text strings.Builder
	for k, t := range l.Turns {
		speaker := map[call.Role]string{call.RoleAgent: "agent", call.RoleCaller: "user", call.RoleTool: "system"}[t.Role]
		words := t.Text
		if t.Tool != nil {
			words = "Webhook " + t.Tool.Name + " executed"
		}
		at := float64(k) * 2.5
		entries = append(entries,
			Row{"text": words[:len(words)/2], "speaker": speaker, "timestamp": at - 0.2, "is_partial": true},
			Row{"text": words, "speaker": speaker, "timestamp": at, "is_partial": false})
		fmt.Fprintf(&text, "[%.2fs] %s: %s\n", at, speaker, words)
	}
	r["transcript_text"], r["entry_count"] = text.String(), len(entries)
	if i%4 != 0 {
		r["transcript_json"] = entries
	}
	return r
}
