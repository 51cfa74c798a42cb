package zudu

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
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

const (
	key    = "canary-key-17a2"
	secret = "canary-secret-17a2"
)

// An upstream is Zudu's API as it is documented.
type upstream struct {
	mu       sync.Mutex
	rows     []row
	made     int
	requests int
	last     question // that was asked
	held     int      // rows that the last question's filters left

	max    int    // rows of a page, 100 unless told
	old    bool   // the other shape of the pagination
	strict bool   // refuses filters
	deaf   bool   // ignores sort_by and sort_order
	before func() // each answer
	reply  []byte // instead of any answer
}

type row = map[string]any

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if u.before != nil {
		u.before()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.requests++
	w.Header().Set("Date", now().Format(http.TimeFormat))
	one, isOne := strings.CutPrefix(r.URL.Path, "/api/calls/")
	switch {
	case r.Header.Get("X-API-KEY") != key || r.Header.Get("X-API-SECRET") != secret:
		refuse(w, http.StatusUnauthorized, "Invalid API credentials "+r.Header.Get("X-API-SECRET"))
	case u.reply != nil:
		_, _ = w.Write(u.reply)
	case isOne && r.Method == http.MethodGet:
		u.one(w, one)
	case r.URL.Path == "/api/calls" && r.Method == http.MethodPost:
		u.last = question{}
		if err := json.NewDecoder(r.Body).Decode(&u.last); err != nil || u.strict && u.last.Criteria != nil {
			refuse(w, http.StatusBadRequest, "Invalid filter_criteria")
			return
		}
		u.list(w, u.last)
	default:
		refuse(w, http.StatusNotFound, "Not found")
	}
}

func refuse(w http.ResponseWriter, code int, message string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(row{"message": message, "status": "error", "error": message})
}

func answer(w http.ResponseWriter, data any) {
	_ = json.NewEncoder(w).Encode(row{"message": "ok", "status": "success", "error": nil, "data": data})
}

func (u *upstream) one(w http.ResponseWriter, id string) {
	i := slices.IndexFunc(u.rows, func(r row) bool { return r["call_id"] == id })
	if i < 0 {
		refuse(w, http.StatusNotFound, "Call not found")
		return
	}
	answer(w, u.rows[i])
}

func (u *upstream) list(w http.ResponseWriter, q question) {
	rows := slices.DeleteFunc(slices.Clone(u.rows), func(r row) bool { return q.Criteria != nil && !fits(r, *q.Criteria) })
	u.held = len(rows)
	if !u.deaf {
		slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b[q.SortBy].(int64), a[q.SortBy].(int64)) })
		if q.SortOrder == "ascending" {
			slices.Reverse(rows)
		}
	}
	limit := min(q.Limit, cmp.Or(u.max, 100))
	pages := (len(rows) + limit - 1) / limit
	from := min(q.Page*limit, len(rows))
	pagination := row{"page": q.Page, "limit": limit, "total_count": len(rows), "total_pages": pages, "has_next_page": q.Page+1 < pages}
	if u.old {
		pagination = row{"page": q.Page, "limit": limit, "total": len(rows), "total_pages": pages}
	}
	answer(w, row{"calls": append([]row{}, rows[from:min(from+limit, len(rows))]...), "pagination": pagination})
}

// fits filters as the API says, thresholds excluded and capitals minded.
func fits(r row, c criteria) bool {
	in := func(values []string, field string) bool {
		return values == nil || slices.Contains(values, fmt.Sprint(r[field]))
	}
	d, has := r["call_duration"].(int64)
	return in(c.Status, "call_status") && in(c.Type, "call_type") && in(c.Agents, "agent_id") &&
		(c.Duration == nil || has && (c.Duration.Lower == nil || d > *c.Duration.Lower) && (c.Duration.Upper == nil || d < *c.Duration.Upper))
}

func (u *upstream) asked() (requests int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	requests, u.requests = u.requests, 0
	return requests
}

// is finds the row that a key names.
func is(id call.ID) func(row) bool {
	return func(r row) bool { return r["call_id"] == id.Key || r["id"] == id.Key }
}

// Insert implements calltest.Mutable.
func (u *upstream) Insert(like call.ID, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := slices.IndexFunc(u.rows, is(like))
	if i < 0 {
		return
	}
	u.made++
	r := maps.Clone(u.rows[i])
	r["id"], r["call_id"] = fmt.Sprintf("0f0f0f0f-0000-4000-8000-%012d", u.made), fmt.Sprintf("new-%d", u.made)
	r["start_timestamp"], r["end_timestamp"] = at.UnixMilli(), nil
	u.rows = append(u.rows, r)
}

// Delete implements calltest.Mutable.
func (u *upstream) Delete(id call.ID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rows = slices.DeleteFunc(u.rows, is(id))
}

// stocked is an upstream with n random calls of the month before now.
func stocked(n int) *upstream {
	u := &upstream{}
	for i, l := range calltest.Logs("zudu", n, 5, now()) {
		u.rows = append(u.rows, written(i, l))
	}
	return u
}

// written is a log as Zudu's API has it.
func written(i int, l *call.Log) row {
	r := row{
		"id": fmt.Sprintf("c0ffee00-0000-4000-8000-%012d", i), "call_id": "call-" + l.ID.Key,
		"call_status": []string{"ENDED", "ended", "ERROR", "ONGOING"}[i%4], "agent_id": l.AgentID,
		"start_timestamp": l.StartedAt.UnixMilli(), "created_at": l.CreatedAt.UnixMilli(),
		"metadata": l.Metadata, "disconnection_reason": strings.ToUpper(l.EndedReason),
		"direction": strings.ToUpper(l.Direction), "call_type": strings.ToUpper(l.CallType), "from_number": l.Customer, "to_number": "+4912345",
		"call_analysis": row{"call_successful": l.Success, "call_summary": l.Summary, "user_sentiment": l.Sentiment},
		"call_cost":     row{"combined_cost": l.Cost},
	}
	if i%9 == 8 {
		delete(r, "call_id")
	}
	if l.Duration != nil {
		r["call_duration"], r["end_timestamp"] = l.Duration.Milliseconds(), l.EndedAt.UnixMilli()
	}
	if e2e, ok := l.Latency["e2e"]; ok && e2e.P50 != nil {
		r["latency"] = row{"e2e": row{"p50": e2e.P50.Milliseconds()}}
	}
	var said, withTools []row
	for k, t := range l.Turns {
		at := int64(k) * 2500
		if t.Tool != nil {
			withTools = append(withTools,
				row{"role": "tool_call_invocation", "tool_call_id": k, "name": t.Tool.Name, "arguments": t.Tool.Args, "timestamp": at},
				row{"role": "tool_call_result", "tool_call_id": k, "content": t.Tool.Result})
			continue
		}
		e := row{"role": map[call.Role]string{call.RoleAgent: "agent", call.RoleCaller: "user"}[t.Role], "content": t.Text, "timestamp": at}
		said, withTools = append(said, e), append(withTools, e)
	}
	if i%3 != 0 {
		r["transcript_object"] = said
	}
	r["transcript_with_tool_calls"] = withTools
	if i%5 == 0 {
		r["events"] = []row{{"event": "call_started", "timestamp": l.StartedAt.UnixMilli()}}
	}
	return r
}

func over(t *testing.T, u *upstream) call.Source {
	s, err := New(Options{
		APIKey: func() string { return key }, APISecret: func() string { return secret },
		Transport: demo.Transport(u), Now: now, Limits: fast(),
	})
	require.NoError(t, err)
	return s
}
