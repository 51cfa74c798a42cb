package telzino

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
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func now() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

// fast lifts the pace, which is for real upstreams.
func fast() rest.Limits { return rest.Limits{Rate: 1e6, Burst: 1e6} }

// An upstream is Telzino's API as it is documented: a token endpoint, agents,
// and their call logs in pages.
type upstream struct {
	mu       sync.Mutex
	rows     []row // of all agents
	made     int
	valid    map[string]bool // the tokens
	life     int             // seconds; 0 does not say
	tokens   int             // that were issued
	requests int             // for agents and call logs
	secret   string

	sortBy  string           // a field of the record; "" is call_started_at
	max     int              // rows of a page, 100 unless told
	before  func()           // each answer, once a request is counted
	refused map[string]int   // agents by the status that they are answered with
	bend    func(a answer)   // an answer, before it is sent
	agents  []map[string]any // listed
}

type row = map[string]any
type answer = map[string]any

const (
	secret = "canary-secret-17a2"
	client = "client-1"
)

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/oauth/token" {
		u.issue(w, r)
		return
	}
	if u.before != nil {
		u.before()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.requests++
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !ok || !u.valid[token] {
		reply(w, http.StatusUnauthorized, answer{"error": "invalid token"})
		return
	}
	page, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("page"), "1"))
	limit, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("limit"), "50"))
	most := cmp.Or(u.max, 100)
	if page < 1 || limit < 1 {
		reply(w, http.StatusBadRequest, answer{"error": "page and limit start at 1"})
		return
	}
	rows := u.agents
	if id, ok := strings.CutPrefix(r.URL.Path, "/v1/agents/"); ok {
		id = strings.TrimSuffix(id, "/call-logs")
		if code := u.refused[id]; code != 0 {
			reply(w, code, answer{"error": "not for you"})
			return
		}
		rows = u.of(id)
	}
	a := paged(rows, page, min(limit, most))
	if u.bend != nil {
		u.bend(a)
	}
	reply(w, http.StatusOK, a)
}

func paged(rows []row, page, limit int) answer {
	pages := (len(rows) + limit - 1) / limit
	from := min((page-1)*limit, len(rows))
	data := slices.Clone(rows[from:min(from+limit, len(rows))])
	return answer{"data": append([]row{}, data...), "pagination": answer{
		"page": page, "limit": limit, "total": len(rows), "totalPages": pages, "hasNext": page < pages, "hasPrev": page > 1,
	}}
}

// of is the call logs of an agent, newest first.
func (u *upstream) of(agent string) []row {
	var rows []row
	for _, r := range u.rows {
		if r["agent_id"] == agent {
			rows = append(rows, r)
		}
	}
	field := cmp.Or(u.sortBy, "call_started_at")
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(fmt.Sprint(b[field]), fmt.Sprint(a[field])) })
	return rows
}

func (u *upstream) issue(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var body map[string]string
	_ = json.NewDecoder(r.Body).Decode(&body)
	if r.Method != http.MethodPost || body["audience"] != "https://api.telzino.com/" || body["grant_type"] != "client_credentials" {
		reply(w, http.StatusBadRequest, answer{"error": "unsupported_grant_type"})
		return
	}
	if body["client_id"] != client || body["client_secret"] != cmp.Or(u.secret, secret) {
		reply(w, http.StatusUnauthorized, answer{"error": "access_denied", "error_description": "not " + body["client_secret"]})
		return
	}
	u.tokens++
	token := fmt.Sprint("canary-token-", u.tokens)
	u.valid[token] = true
	a := answer{"access_token": token, "token_type": "Bearer"}
	if u.life != 0 {
		a["expires_in"] = u.life
	}
	reply(w, http.StatusOK, a)
}

func reply(w http.ResponseWriter, code int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", now().Format(http.TimeFormat))
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(a)
}

// revoke makes all tokens worthless.
func (u *upstream) revoke() {
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.valid)
}

func (u *upstream) asked() (requests int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	requests, u.requests = u.requests, 0
	return requests
}

// Insert implements calltest.Mutable.
func (u *upstream) Insert(like call.ID, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := slices.IndexFunc(u.rows, func(r row) bool { return r["id"] == like.Key })
	if i < 0 {
		return
	}
	u.made++
	r := maps.Clone(u.rows[i])
	r["id"], r["room_name"] = fmt.Sprintf("0f0f0f0f-0000-4000-8000-%012d", u.made), ""
	r["call_started_at"], r["call_ended_at"], r["created_at"] = stamp(at), nil, stamp(at.Add(time.Minute))
	u.rows = append(u.rows, r)
}

// Delete implements calltest.Mutable.
func (u *upstream) Delete(id call.ID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rows = slices.DeleteFunc(u.rows, func(r row) bool { return r["id"] == id.Key })
}

// stamp writes a time as Telzino does, always of one length, so that it sorts.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// stocked is an upstream with n random calls of the month before now, of three
// agents.
func stocked(n int) *upstream {
	u := &upstream{life: 86400, valid: map[string]bool{}}
	for i, name := range []string{"Support EN", "Buchung DE", "予約"} {
		u.agents = append(u.agents, row{"id": agentID(i), "name": name, "is_active": i < 2})
	}
	for i, l := range calltest.Logs("telzino", n, 3, now()) {
		u.rows = append(u.rows, written(i, l))
	}
	return u
}

func agentID(i int) string { return fmt.Sprintf("a9e0c7de-0000-4000-8000-%012d", i) }

// written is a log as Telzino's API has it.
func written(i int, l *call.Log) row {
	r := row{
		"id": fmt.Sprintf("c0ffee00-0000-4000-8000-%012d", i), "agent_id": agentID(i % 3), "room_name": "room_" + l.ID.Key,
		"summary_text": l.Summary, "call_started_at": stamp(l.StartedAt), "created_at": stamp(l.StartedAt.Add(time.Second)),
		"updated_at": stamp(l.UpdatedAt), "recording_url": nil,
		"session_data": row{"room_name": "room_" + l.ID.Key, "caller_id": l.Customer, "total_entries": 2 * len(l.Turns), "final_entries": len(l.Turns)},
	}
	if l.Duration != nil {
		r["call_duration"] = int(l.Duration.Seconds())
		r["call_ended_at"], r["created_at"] = stamp(l.EndedAt), stamp(l.EndedAt.Add(3*time.Second))
	}
	var entries []row
	var text strings.Builder
	for k, t := range l.Turns {
		speaker := map[call.Role]string{call.RoleAgent: "agent", call.RoleCaller: "user", call.RoleTool: "system"}[t.Role]
		words := t.Text
		if t.Tool != nil {
			words = "Webhook " + t.Tool.Name + " executed"
		}
		at := float64(k) * 2.5
		entries = append(entries,
			row{"text": words[:len(words)/2], "speaker": speaker, "timestamp": at - 0.2, "is_partial": true},
			row{"text": words, "speaker": speaker, "timestamp": at, "is_partial": false})
		fmt.Fprintf(&text, "[%.2fs] %s: %s\n", at, speaker, words)
	}
	r["transcript_text"], r["entry_count"] = text.String(), len(entries)
	if i%4 != 0 {
		r["transcript_json"] = entries
	}
	return r
}

// over is a source over u, its agents listed unless some are named.
func over(t *testing.T, u *upstream, agents ...string) call.Source {
	s, err := New(Options{
		ClientID: client, ClientSecret: func() string { return secret }, AgentIDs: agents,
		Transport: demo.Transport(u), Now: now, Limits: fast(),
	})
	require.NoError(t, err)
	return s
}
