// Package zudutest is Zudu's API as it is documented, over records in memory:
// for tests and for whoever wants to see a source at work without a key.
package zudutest

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

// What opens the API.
const (
	Key    = "canary-key-17a2"
	Secret = "canary-secret-17a2"
)

// Question is the body of POST /api/calls, by the API's own words.
type Question struct {
	Page      int       `json:"page"`
	Limit     int       `json:"limit"`
	SortBy    string    `json:"sort_by"`
	SortOrder string    `json:"sort_order"`
	Criteria  *Criteria `json:"filter_criteria"`
}

// Criteria are filters.
type Criteria struct {
	Status   []string `json:"call_status"`
	Type     []string `json:"call_type"`
	Agents   []string `json:"agent_id"`
	Duration *struct {
		Lower *int64 `json:"lower_threshold"`
		Upper *int64 `json:"upper_threshold"`
	} `json:"duration_ms"`
}

// API is Zudu's API as it is documented.
type API struct {
	now func() time.Time

	Mu       sync.Mutex
	Rows     []Row
	made     int
	requests int
	Last     Question // that was asked
	Held     int      // rows that the last question's filters left

	Max    int    // rows of a page, 100 unless told
	Old    bool   // the other shape of the pagination
	Strict bool   // refuses filters
	NoPost int    // answers POST with this status
	Deaf   bool   // ignores sort_by and sort_order
	Before func() // each answer
	Reply  []byte // instead of any answer
}

// Row is a record of a list.
type Row = map[string]any

// ServeHTTP answers as Zudu does.
func (u *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if u.Before != nil {
		u.Before()
	}
	u.Mu.Lock()
	defer u.Mu.Unlock()
	u.requests++
	w.Header().Set("Date", u.now().Format(http.TimeFormat))
	one, isOne := strings.CutPrefix(r.URL.Path, "/api/calls/")
	switch {
	case r.Header.Get("X-API-KEY") != Key || r.Header.Get("X-API-SECRET") != Secret:
		refuse(w, http.StatusUnauthorized, "Invalid API credentials "+r.Header.Get("X-API-SECRET"))
	case u.Reply != nil:
		_, _ = w.Write(u.Reply)
	case isOne && r.Method == http.MethodGet:
		u.one(w, one)
	case u.NoPost > 0 && r.Method == http.MethodPost:
		refuse(w, u.NoPost, "Method not allowed")
	case r.URL.Path == "/api/calls" && r.Method == http.MethodGet:
		q := r.URL.Query()
		u.Last = Question{SortBy: q.Get("sort_by"), SortOrder: q.Get("sort_order")}
		u.Last.Page, _ = strconv.Atoi(q.Get("page"))
		u.Last.Limit, _ = strconv.Atoi(q.Get("limit"))
		u.list(w, u.Last)
	case r.URL.Path == "/api/calls" && r.Method == http.MethodPost:
		u.Last = Question{}
		if err := json.NewDecoder(r.Body).Decode(&u.Last); err != nil || u.Strict && u.Last.Criteria != nil {
			refuse(w, http.StatusBadRequest, "Invalid filter_criteria")
			return
		}
		u.list(w, u.Last)
	default:
		refuse(w, http.StatusNotFound, "Not found")
	}
}

func refuse(w http.ResponseWriter, code int, message string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(Row{"message": message, "status": "error", "error": message})
}

func answer(w http.ResponseWriter, data any) {
	_ = json.NewEncoder(w).Encode(Row{"message": "ok", "status": "success", "error": nil, "data": data})
}

func (u *API) one(w http.ResponseWriter, id string) {
	i := slices.IndexFunc(u.Rows, func(r Row) bool { return r["call_id"] == id })
	if i < 0 {
		refuse(w, http.StatusNotFound, "Call not found")
		return
	}
	answer(w, u.Rows[i])
}

func (u *API) list(w http.ResponseWriter, q Question) {
	rows := slices.DeleteFunc(slices.Clone(u.Rows), func(r Row) bool { return q.Criteria != nil && !fits(r, *q.Criteria) })
	u.Held = len(rows)
	if !u.Deaf {
		slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(b[q.SortBy].(int64), a[q.SortBy].(int64)) })
		if q.SortOrder == "ascending" {
			slices.Reverse(rows)
		}
	}
	limit := min(q.Limit, cmp.Or(u.Max, 100))
	pages := (len(rows) + limit - 1) / limit
	from := min(q.Page*limit, len(rows))
	pagination := Row{"page": q.Page, "limit": limit, "total_count": len(rows), "total_pages": pages, "has_next_page": q.Page+1 < pages}
	if u.Old {
		pagination = Row{"page": q.Page, "limit": limit, "total": len(rows), "total_pages": pages}
	}
	answer(w, Row{"calls": append([]Row{}, rows[from:min(from+limit, len(rows))]...), "pagination": pagination})
}

// fits filters as the API says, thresholds excluded and capitals minded.
func fits(r Row, c Criteria) bool {
	in := func(values []string, field string) bool {
		return values == nil || slices.Contains(values, fmt.Sprint(r[field]))
	}
	d, has := r["call_duration"].(int64)
	return in(c.Status, "call_status") && in(c.Type, "call_type") && in(c.Agents, "agent_id") &&
		(c.Duration == nil || has && (c.Duration.Lower == nil || d > *c.Duration.Lower) && (c.Duration.Upper == nil || d < *c.Duration.Upper))
}

// Asked is how many requests came since it was asked.
func (u *API) Asked() (requests int) {
	u.Mu.Lock()
	defer u.Mu.Unlock()
	requests, u.requests = u.requests, 0
	return requests
}

// is finds the row that a key names.
func is(id call.ID) func(Row) bool {
	return func(r Row) bool { return r["call_id"] == id.Key || r["id"] == id.Key }
}

// Insert implements calltest.Mutable.
func (u *API) Insert(like call.ID, at time.Time) {
	u.Mu.Lock()
	defer u.Mu.Unlock()
	i := slices.IndexFunc(u.Rows, is(like))
	if i < 0 {
		return
	}
	u.made++
	r := maps.Clone(u.Rows[i])
	r["id"], r["call_id"] = fmt.Sprintf("0f0f0f0f-0000-4000-8000-%012d", u.made), fmt.Sprintf("new-%d", u.made)
	r["start_timestamp"], r["end_timestamp"] = at.UnixMilli(), nil
	u.Rows = append(u.Rows, r)
}

// Delete implements calltest.Mutable.
func (u *API) Delete(id call.ID) {
	u.Mu.Lock()
	defer u.Mu.Unlock()
	u.Rows = slices.DeleteFunc(u.Rows, is(id))
}

// stocked is an API with n random calls of the month before now.
func New(n int, now func() time.Time) *API {
	u := &API{now: now}
	for i, l := range calltest.Logs("zudu", n, 5, now()) {
		u.Rows = append(u.Rows, written(i, l))
	}
	return u
}

// written is a log as Zudu's API has it.
func written(i int, l *call.Log) Row {
	r := Row{
		"id": fmt.Sprintf("c0ffee00-0000-4000-8000-%012d", i), "call_id": "call-" + l.ID.Key,
		"call_status": []string{"ENDED", "ended", "ERROR", "ONGOING"}[i%4], "agent_id": l.AgentID,
		"start_timestamp": l.StartedAt.UnixMilli(), "created_at": l.CreatedAt.UnixMilli(),
		"metadata": l.Metadata, "disconnection_reason": strings.ToUpper(l.EndedReason),
		"direction": strings.ToUpper(l.Direction), "call_type": strings.ToUpper(l.CallType), "from_number": l.Customer, "to_number": "+4912345",
		"call_analysis": Row{"call_successful": l.Success, "call_summary": l.Summary, "user_sentiment": l.Sentiment},
		"call_cost":     Row{"combined_cost": l.Cost},
	}
	if i%9 == 8 {
		delete(r, "call_id")
	}
	if l.Duration != nil {
		r["call_duration"], r["end_timestamp"] = l.Duration.Milliseconds(), l.EndedAt.UnixMilli()
	}
	if e2e, ok := l.Latency["e2e"]; ok && e2e.P50 != nil {
		r["latency"] = Row{"e2e": Row{"p50": e2e.P50.Milliseconds()}}
	}
	var said, withTools []Row
	for k, t := range l.Turns {
		at := int64(k) * 2500
		if t.Tool != nil {
			withTools = append(withTools,
				Row{"role": "tool_call_invocation", "tool_call_id": k, "name": t.Tool.Name, "arguments": t.Tool.Args, "timestamp": at},
				Row{"role": "tool_call_result", "tool_call_id": k, "content": t.Tool.Result})
			continue
		}
		e := Row{"role": map[call.Role]string{call.RoleAgent: "agent", call.RoleCaller: "user"}[t.Role], "content": t.Text, "timestamp": at}
		said, withTools = append(said, e), append(withTools, e)
	}
	if i%3 != 0 {
		r["transcript_object"] = said
	}
	r["transcript_with_tool_calls"] = withTools
	if i%5 == 0 {
		r["events"] = []Row{{"event": "call_started", "timestamp": l.StartedAt.UnixMilli()}}
	}
	return r
}
