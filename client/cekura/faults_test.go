package cekura

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// bent is the demo's API with requests or answers changed on the way.
type bent struct {
	*demo.API
	asked    atomic.Int32
	question func(w http.ResponseWriter, r *http.Request, q url.Values) bool // true where it has answered
	answer   func(list map[string]any)
}

func (b *bent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.asked.Add(1)
	q := r.URL.Query()
	if b.question != nil && b.question(w, r, q) {
		return
	}
	r.URL.RawQuery = q.Encode()
	if b.answer == nil {
		b.API.ServeHTTP(w, r)
		return
	}
	rec := &recorder{header: http.Header{}}
	b.API.ServeHTTP(rec, r)
	var list map[string]any
	if json.Unmarshal([]byte(rec.body.String()), &list) == nil && list["results"] != nil {
		b.answer(list)
	}
	w.WriteHeader(max(rec.status, 200))
	_ = json.NewEncoder(w).Encode(list)
}

type recorder struct {
	header http.Header
	status int
	body   strings.Builder
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(code int)        { r.status = code }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func bend(t *testing.T, calls int) (*bent, call.Source) {
	b := &bent{API: demo.New(demo.Options{Calls: calls, Now: now})}
	return b, over(t, demo.Transport(b), nil)
}

func refuse(w http.ResponseWriter, code int, detail string) bool {
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, `{"detail": %q}`, detail)
	return true
}

func keys(logs []*call.Log) (keys []string) {
	for _, l := range logs {
		keys = append(keys, l.ID.Key)
	}
	return keys
}

func TestIgnoredFilterIsNoticed(t *testing.T) {
	b, s := bend(t, 200)
	b.question = func(_ http.ResponseWriter, _ *http.Request, q url.Values) bool { q.Del("filters_v2"); return false }
	p, err := s.Find(t.Context(), call.Query{Where: eq("success", false), Limit: 5})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 5)
	for _, l := range p.Logs {
		assert.False(t, *l.Success)
	}
	assert.Nil(t, p.Total)
	assert.Contains(t, p.Notes, "cekura ignored part of the filter; it was applied here")

	_, err = s.Find(t.Context(), call.Query{Where: filter.And{eq("success", false), eq("metadata.release", "r42")}})
	var e *call.Error
	require.ErrorAs(t, err, &e)
	assert.Contains(t, e.Msg, "metadata.release")
}

func TestRefusedFilterIsAppliedHere(t *testing.T) {
	b, s := bend(t, 200)
	want, err := s.Find(t.Context(), call.Query{Where: eq("success", false), Limit: 5})
	require.NoError(t, err)
	b.question = func(w http.ResponseWriter, _ *http.Request, q url.Values) bool {
		return q.Has("filters_v2") && refuse(w, 400, "Unknown field success.")
	}
	got, err := s.Find(t.Context(), call.Query{Where: eq("success", false), Limit: 5})
	require.NoError(t, err)
	assert.Equal(t, keys(want.Logs), keys(got.Logs))
	assert.Contains(t, got.Notes, "cekura refused the filter; it was applied here")

	_, err = s.Find(t.Context(), call.Query{Where: eq("metadata.release", "r42")})
	var e *call.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, call.Invalid, e.Kind)
	assert.Contains(t, e.Msg, "«Unknown field success.»")
}

func TestVersions(t *testing.T) {
	b, s := bend(t, 30)
	b.question = func(w http.ResponseWriter, r *http.Request, _ url.Values) bool {
		if strings.Contains(r.URL.Path, "/v1/") {
			return refuse(w, 410, "gone")
		}
		r.URL.Path = strings.Replace(r.URL.Path, "/v2/", "/v1/", 1)
		return false
	}
	p, err := s.Find(t.Context(), call.Query{Limit: 1})
	require.NoError(t, err)
	require.Len(t, p.Logs, 1)
	assert.EqualValues(t, 2, b.asked.Swap(0))
	_, err = s.Find(t.Context(), call.Query{Limit: 1})
	require.NoError(t, err)
	assert.EqualValues(t, 1, b.asked.Load(), "it is remembered")

	// A call asked for before any list finds out too.
	s = over(t, demo.Transport(b), nil)
	l, err := s.Get(t.Context(), p.Logs[0].ID)
	require.NoError(t, err)
	assert.True(t, l.Detailed)

	b.question = func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool { return refuse(w, 404, "Not found.") }
	_, err = over(t, demo.Transport(b), nil).Find(t.Context(), call.Query{})
	var e *call.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, call.Unavailable, e.Kind)
	assert.Contains(t, e.Msg, "CEKURA_BASE_URL")
}

func TestNarrowerWindows(t *testing.T) {
	b, s := bend(t, 100)
	b.question = func(w http.ResponseWriter, _ *http.Request, q url.Values) bool {
		return at(q.Get("timestamp_to")).Sub(at(q.Get("timestamp_from"))) > 31*day &&
			refuse(w, 400, "Date range cannot exceed 31 days.")
	}
	p, err := s.Find(t.Context(), call.Query{Where: filter.Within("timestamp", now().Add(-60*day), now()), Limit: 500})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 100)
	assert.Equal(t, 100, *p.Total)
}

// A page_size that the server cuts costs requests, not calls.
func TestCutPages(t *testing.T) {
	for _, order := range []call.Order{call.Newest, call.Oldest, call.Longest} {
		api := demo.New(demo.Options{Calls: 90, Now: now, MaxPageSize: 25})
		p, err := over(t, demo.Transport(api), nil).Find(t.Context(), call.Query{Order: order, Limit: 500})
		require.NoError(t, err)
		assert.Len(t, p.Logs, 90, order)
		assert.LessOrEqual(t, api.Requests(), 6, order)
	}
}

// Whatever the order of the answers is, ours is right.
func TestOrderIsChecked(t *testing.T) {
	for _, order := range []call.Order{call.Newest, call.Oldest} {
		b, s := bend(t, 60)
		want, err := s.Find(t.Context(), call.Query{Order: order, Limit: 60})
		require.NoError(t, err)
		require.Len(t, want.Logs, 60)
		all := b.Calls()
		b.question = func(w http.ResponseWriter, r *http.Request, q url.Values) bool {
			slices.SortFunc(all, func(a, b demo.Call) int { return strings.Compare(a.CallID, b.CallID) })
			return unsorted(w, r, q, b.API, all)
		}
		got, err := s.Find(t.Context(), call.Query{Order: order, Limit: 60})
		require.NoError(t, err)
		assert.Equal(t, keys(want.Logs), keys(got.Logs), order)
		assert.Contains(t, strings.Join(got.Notes, " "), "sorted here")
	}
}

// unsorted answers a list in the order of all.
func unsorted(w http.ResponseWriter, r *http.Request, q url.Values, api *demo.API, all []demo.Call) bool {
	page, _ := strconv.Atoi(q.Get("page"))
	const size = 20
	var rows []json.RawMessage
	for _, c := range all {
		rec := &recorder{header: http.Header{}}
		one := r.Clone(r.Context())
		one.URL.RawQuery = url.Values{"call_ids": {fmt.Sprint(c.ID)}}.Encode()
		api.ServeHTTP(rec, one)
		var list struct{ Results []json.RawMessage }
		_ = json.Unmarshal([]byte(rec.body.String()), &list)
		rows = append(rows, list.Results...)
	}
	var next *string
	if page*size < len(rows) {
		next = ptr("https://evil.example/?page=2")
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"count": len(rows), "next": next, "results": rows[min((page-1)*size, len(rows)):min(page*size, len(rows))],
	})
	return true
}

// An API that takes no notice of call_ids must not pass other calls off.
func TestIgnoredIDs(t *testing.T) {
	b, s := bend(t, 150)
	last := b.Calls()[149]
	q := call.Query{Where: eq("id", float64(last.ID))}
	p, err := s.Find(t.Context(), q)
	require.NoError(t, err)
	require.Len(t, p.Logs, 1)
	assert.EqualValues(t, 1, b.asked.Swap(0), "found in the first window, so that no other is read")
	b.question = func(_ http.ResponseWriter, _ *http.Request, q url.Values) bool { q.Del("call_ids"); return false }
	p, err = s.Find(t.Context(), q)
	require.NoError(t, err)
	assert.Equal(t, []string{fmt.Sprint(last.ID)}, keys(p.Logs))
	assert.NotEmpty(t, p.Notes)
}

// A server that ignores the range is read by page numbers and cut here.
func TestIgnoredRange(t *testing.T) {
	b, s := bend(t, 100)
	b.question = func(_ http.ResponseWriter, _ *http.Request, q url.Values) bool {
		q.Del("timestamp_from")
		q.Del("timestamp_to")
		return false
	}
	from, to := now().Add(-12*day), now().Add(-8*day)
	want := 0
	for _, c := range b.Calls() {
		if !c.Timestamp.Before(from) && !c.Timestamp.After(to) {
			want++
		}
	}
	p, err := s.Find(t.Context(), call.Query{Where: filter.Within("timestamp", from, to), Limit: 10})
	require.NoError(t, err)
	assert.Len(t, p.Logs, min(10, want))
	assert.NotEmpty(t, p.Notes)
	assert.LessOrEqual(t, b.asked.Load(), int32(12))
}

// Pages that are too heavy are asked for again in halves, and a single call
// that is too heavy is left out.
func TestHeavyPages(t *testing.T) {
	b, _ := bend(t, 40)
	limits := fast()
	limits.Body = 60 << 10
	s, err := New(provider.Options{Credential: func(string) string { return "k" }, Transport: demo.Transport(b), Now: now, Limits: limits})
	require.NoError(t, err)
	p, err := s.Find(t.Context(), call.Query{Limit: 40})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 40)
	assert.Less(t, b.asked.Load(), int32(40))

	heavy := float64(b.Calls()[7].ID)
	b.answer = func(list map[string]any) {
		for _, row := range list["results"].([]any) {
			if row := row.(map[string]any); row["id"] == heavy {
				row["transcript"] = strings.Repeat("x", 100<<10)
			}
		}
	}
	p, err = s.Find(t.Context(), call.Query{Limit: 40})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 39)
	assert.Contains(t, strings.Join(p.Notes, " "), "one call of cekura was larger")
}

// A 404 for a page is the end of the list.
func TestVanishingPage(t *testing.T) {
	b, s := bend(t, 30)
	b.question = func(w http.ResponseWriter, _ *http.Request, q url.Values) bool {
		return q.Get("page") != "1" && refuse(w, 404, "Invalid page.")
	}
	for _, order := range []call.Order{call.Newest, call.Longest} {
		p, err := s.Find(t.Context(), call.Query{Order: order, Limit: 500})
		require.NoError(t, err)
		assert.Len(t, p.Logs, 30)
	}
}

// next is a hint that there is more; nobody goes there.
func TestForeignNext(t *testing.T) {
	b, s := bend(t, 200)
	b.answer = func(list map[string]any) {
		if list["next"] != nil {
			list["next"] = "http://169.254.169.254/latest/meta-data/"
		}
	}
	b.question = func(_ http.ResponseWriter, r *http.Request, _ url.Values) bool {
		assert.Equal(t, "api.cekura.ai", r.Host)
		return false
	}
	p, err := s.Find(t.Context(), call.Query{Limit: 500})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 200)
}

// Pages that never end, repeat themselves or are empty end the walk.
func TestEndlessPages(t *testing.T) {
	for name, change := range map[string]func(list map[string]any){
		"next forever": func(list map[string]any) { list["next"] = "https://api.cekura.ai/?page=9" },
		"no count":     func(list map[string]any) { delete(list, "count") },
		"wrong count":  func(list map[string]any) { list["count"] = 3 },
		"empty": func(list map[string]any) {
			list["results"] = []any{}
			list["next"] = "https://api.cekura.ai/?page=9"
		},
	} {
		for _, order := range []call.Order{call.Newest, call.Oldest} {
			b, s := bend(t, 60)
			b.answer = change
			p, err := s.Find(t.Context(), call.Query{Order: order, Limit: 500})
			require.NoError(t, err, name)
			if name != "empty" {
				assert.Len(t, p.Logs, 60, name)
			}
			assert.LessOrEqual(t, b.asked.Load(), int32(20), name)
		}
	}
}

// A failure in the middle leaves what was read, and says so.
func TestFailureMidway(t *testing.T) {
	b, s := bend(t, 300)
	b.question = func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		return b.asked.Load() > 1 && refuse(w, 500, "boom")
	}
	p, err := s.Find(t.Context(), call.Query{Text: &call.Text{}, Limit: 200})
	require.NoError(t, err)
	assert.NotNil(t, p.Next)
	assert.False(t, p.Coverage.Complete)
	assert.Contains(t, strings.Join(p.Notes, " "), "failing (500)")
}

// A stuck upstream is given up in time, whatever is tried instead.
func TestPatience(t *testing.T) {
	limits := rest.Limits{Total: 300 * time.Millisecond, Rate: 1e6, Burst: 1e6}
	s, err := New(provider.Options{Credential: func(string) string { return "k" }, Now: now, Limits: limits, Transport: demo.Transport(
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
	)})
	require.NoError(t, err)
	start := time.Now()
	_, err = s.Find(t.Context(), call.Query{})
	var e *call.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, call.Timeout, e.Kind)
	assert.Less(t, time.Since(start), patience)
}

func TestOptions(t *testing.T) {
	_, err := New(provider.Options{})
	assert.ErrorContains(t, err, "CEKURA_API_KEY")
	_, err = New(provider.Options{Credential: func(string) string { return "k" }, ProjectID: "main"})
	assert.ErrorContains(t, err, "CEKURA_PROJECT_ID")
	_, err = New(provider.Options{Credential: func(string) string { return "k" }, BaseURL: "http://api.cekura.ai"})
	assert.ErrorContains(t, err, "CEKURA_BASE_URL")
}

// A refusal for want of a project or an agent says what would name one, at once.
func TestNoProject(t *testing.T) {
	for _, detail := range []string{
		"project_id is required when using an organization-level API key", "Either agent_id or project_id must be provided.", "Please provide agent_id or project_id",
	} {
		b, s := bend(t, 10)
		b.question = func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
			return refuse(w, http.StatusBadRequest, detail)
		}
		_, err := s.Find(t.Context(), call.Query{Where: filter.Cond{Field: "success", Op: filter.Eq, Value: false}})
		var e *call.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, call.Invalid, e.Kind)
		assert.Contains(t, e.Msg, detail)
		assert.Contains(t, e.Hint, "Give project_id or agent_id")
		assert.Contains(t, e.Msg, "set CEKURA_PROJECT_ID or CEKURA_AGENT_ID", "doctor shows the message alone")
		assert.EqualValues(t, 1, b.asked.Load(), "nothing else is tried")
	}
}
