package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const listPath = "https://api.example.com/observability/v1/call-logs/"

type page struct {
	Count    int
	Next     *string
	Previous *string
	Results  []map[string]any
	Detail   string
}

// ask sends a request through the Transport, without following redirects.
func ask(t *testing.T, h http.Handler, key, method, address string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	require.NoError(t, err)
	if key != "" {
		req.Header.Set("X-CEKURA-API-KEY", key)
	}
	resp, err := Transport(h).RoundTrip(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp, body
}

func fetch(t *testing.T, h http.Handler, status int, params ...string) page {
	t.Helper()
	q := url.Values{}
	for i := 0; i < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	resp, body := ask(t, h, "k", http.MethodGet, listPath+"?"+q.Encode())
	require.Equal(t, status, resp.StatusCode, "%v: %s", params, body)
	assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	var p page
	require.NoError(t, json.Unmarshal(body, &p))
	if status != http.StatusOK {
		assert.NotEmpty(t, p.Detail)
	}
	return p
}

func (p page) ids() (out []int) {
	for _, r := range p.Results {
		out = append(out, int(r["id"].(float64)))
	}
	return out
}

func idsOf(calls []Call) (out []int) {
	for _, c := range calls {
		out = append(out, c.ID)
	}
	return out
}

func TestListShape(t *testing.T) {
	p := fetch(t, sample(Options{}), 200, "page_size", "500")
	assert.Equal(t, 600, p.Count)
	require.Len(t, p.Results, 500)
	fields := strings.Fields(`id duration success is_reviewed status feedback metrics call_ended_reason customer_number agent
		agent_name call_id trace_id timestamp error_message dropoff_point topic created_at updated_at transcript transcript_object evaluation`)
	slices.Sort(fields)
	for _, r := range p.Results {
		var names []string
		for name := range r {
			names = append(names, name)
		}
		slices.Sort(names)
		require.Equal(t, fields, names)
		assert.Regexp(t, `^\d\d:\d\d$`, r["duration"])
		assert.IsType(t, "", r["evaluation"])
		var turns []map[string]any
		require.NoError(t, json.Unmarshal([]byte(r["transcript_object"].(string)), &turns))
		for i, line := range strings.Split(strings.TrimSpace(r["transcript"].(string)), "\n") {
			if len(turns) > 0 {
				assert.Regexp(t, `^\[\d\d:\d\d\] `+turns[i]["role"].(string)+`: .`, line)
			}
		}
		for _, m := range r["metrics"].([]any) {
			m := m.(map[string]any)
			assert.NotContains(t, m, "explanation")
			assert.Equal(t, m["type"] == "enum", m["enum"] != nil)
			assert.Equal(t, m["type"] != "enum", m["score"] != nil)
		}
		want := map[any]string{true: "success", false: "failure"}[r["success"]]
		if r["is_reviewed"] == true {
			want = "reviewed_" + want
		}
		if want == "" {
			assert.Nil(t, r["status"])
		} else {
			assert.Equal(t, want, r["status"])
		}
	}
}

func TestDetailShape(t *testing.T) {
	a := sample(Options{})
	calls := only(a.Calls(), func(c Call) bool { return c.EndedReason == "transferred" && c.Success != nil })
	require.NotEmpty(t, calls)
	want := calls[0]
	for _, version := range []string{"v1", "v2"} {
		resp, body := ask(t, a, "k", http.MethodGet, fmt.Sprintf("https://api.example.com/observability/%s/call-logs/%d/", version, want.ID))
		require.Equal(t, 200, resp.StatusCode)
		var got map[string]any
		require.NoError(t, json.Unmarshal(body, &got))
		assert.EqualValues(t, Project, got["project"])
		assert.Len(t, got["transcript_object"], len(want.Turns))
		assert.IsType(t, map[string]any{}, got["evaluation"])
		for _, name := range []string{"voice_recording_url", "critical_categories", "metadata", "dynamic_variables", "rubric", "user_generated_transcript", "testing_channel_index"} {
			assert.Contains(t, got, name)
		}
		metadata := got["metadata"].(map[string]any)
		assert.Equal(t, want.Metadata["release"], metadata["release"])
		metric := got["metrics"].([]any)[0].(map[string]any)
		assert.Equal(t, want.Metrics[0].Explanation[0], metric["explanation"].([]any)[0])
		assert.NotEmpty(t, metric["extra"])
		rubric := got["rubric"].([]any)[0].(map[string]any)
		assert.Equal(t, want.Metrics[0].Score > 0, rubric["passed"])
		assert.NotEmpty(t, rubric["criteria"])
	}
	for i, u := range want.Turns {
		if u.Tool != nil {
			object := entries(want.Turns)[i]
			assert.Equal(t, u.Role == RoleTool, object.Data.Arguments != nil)
			assert.Equal(t, u.Role == RoleResult, object.Data.Result != nil)
		}
	}
}

func TestPaging(t *testing.T) {
	a := sample(Options{})
	var got []int
	address, pages := listPath+"?page_size=70&project_id=1376", 0
	for address != "" {
		resp, body := ask(t, a, "k", http.MethodGet, address)
		require.Equal(t, 200, resp.StatusCode)
		var p page
		require.NoError(t, json.Unmarshal(body, &p))
		got = append(got, p.ids()...)
		assert.Equal(t, pages > 0, p.Previous != nil)
		address, pages = "", pages+1
		if p.Next != nil {
			address = *p.Next
			assert.True(t, strings.HasPrefix(address, listPath+"?"), address)
			assert.Contains(t, address, "project_id=1376")
		}
	}
	assert.Equal(t, 9, pages)
	assert.Equal(t, idsOf(a.Calls()), got)
	assert.Equal(t, 9, a.Requests())

	assert.Len(t, fetch(t, a, 200).Results, defaultPageSize)
	assert.Len(t, fetch(t, a, 200, "page_size", "9999").Results, 500, "clamped quietly")
	assert.Len(t, fetch(t, sample(Options{MaxPageSize: 50}), 200, "page_size", "100").Results, 50)
	assert.Len(t, fetch(t, a, 200, "page_size", "none").Results, defaultPageSize)
	for _, n := range []string{"0", "-1", "31", "last page", "99999999999999999999"} {
		assert.Equal(t, "Invalid page.", fetch(t, a, 404, "page", n).Detail)
	}
	assert.Empty(t, fetch(t, a, 200, "call_ids", "1", "page", "1").Results, "the first page may be empty")
}

func TestWindow(t *testing.T) {
	a := sample(Options{Calls: 900, Days: 60})
	now, calls := sampleNow(), a.Calls()
	stamp := func(days int) string { return now.AddDate(0, 0, -days).Format(time.RFC3339) }
	between := func(from, to time.Time) int {
		return len(only(calls, func(c Call) bool { return !c.Timestamp.Before(from) && !c.Timestamp.After(to) }))
	}
	assert.Equal(t, between(now.AddDate(0, 0, -30), now), fetch(t, a, 200).Count, "the last 30 days")
	assert.Equal(t, between(now.AddDate(0, 0, -5), now), fetch(t, a, 200, "timestamp_from", stamp(5)).Count)
	assert.Equal(t, between(now.AddDate(0, 0, -50), now.AddDate(0, 0, -20)), fetch(t, a, 200, "timestamp_to", stamp(20)).Count)
	assert.Equal(t, between(now.AddDate(0, 0, -53), now.AddDate(0, 0, -20)), fetch(t, a, 200, "timestamp_from", stamp(53), "timestamp_to", stamp(20)).Count)
	assert.Contains(t, fetch(t, a, 400, "timestamp_from", stamp(54), "timestamp_to", stamp(20)).Detail, "33 days")
	fetch(t, a, 400, "timestamp_from", stamp(40))
	fetch(t, a, 400, "timestamp_from", "tuesday")
	fetch(t, a, 400, "timestamp_to", "2026-11-21T10:00:00 00:00") // a plus that was not escaped
	assert.Zero(t, fetch(t, a, 200, "timestamp_from", stamp(1), "timestamp_to", stamp(2)).Count)

	at := calls[40].Timestamp.Format(time.RFC3339)
	assert.Contains(t, fetch(t, a, 200, "timestamp_from", at, "timestamp_to", at).ids(), calls[40].ID, "both ends are included")
}

func TestSelection(t *testing.T) {
	a := sample(Options{})
	calls := a.Calls()
	assert.Equal(t, []int{calls[3].ID, calls[9].ID}, fetch(t, a, 200, "call_ids", fmt.Sprintf("%d, %d,1", calls[9].ID, calls[3].ID)).ids())
	billing := len(only(calls, func(c Call) bool { return c.Agent == 2143 }))
	assert.Equal(t, billing, fetch(t, a, 200, "agent_id", "2143").Count)
	assert.Equal(t, billing, fetch(t, a, 200, "assistant_id", "asst_billing").Count)
	assert.Zero(t, fetch(t, a, 200, "agent_id", "2143", "assistant_id", "asst_pharmacy").Count)
	assert.Equal(t, 600, fetch(t, a, 200, "project_id", "1376").Count)
	fetch(t, a, 403, "project_id", "9")
	for _, name := range []string{"agent_id", "project_id", "call_ids"} {
		fetch(t, a, 400, name, "x")
	}
	fetch(t, a, 400, "agent_id", "2142,2143")
}

func TestDoor(t *testing.T) {
	a := sample(Options{Key: "secret"})
	for key, status := range map[string]int{"": 401, "wrong": 401, "secret": 200} {
		resp, body := ask(t, a, key, http.MethodGet, listPath)
		assert.Equal(t, status, resp.StatusCode, key)
		assert.True(t, json.Valid(body))
	}
	for address, status := range map[string]int{
		"https://api.example.com/observability/v2/call-logs/":     200,
		"https://api.example.com/observability/v3/call-logs/":     404,
		"https://api.example.com/":                                404,
		listPath + "12/":                                          404,
		listPath + "abc/":                                         404,
		strings.TrimSuffix(listPath, "/") + "?page=2":             301,
		listPath + "12":                                           301,
		"https://api.example.com/observability/v1/call-logs-old/": 404,
	} {
		resp, body := ask(t, a, "secret", http.MethodGet, address)
		assert.Equal(t, status, resp.StatusCode, address)
		switch {
		case status == 301:
			assert.Contains(t, []string{"/observability/v1/call-logs/?page=2", "/observability/v1/call-logs/12/"}, resp.Header.Get("Location"))
		case strings.HasPrefix(address, listPath):
			assert.Contains(t, string(body), `"detail"`)
		case status == 404:
			assert.Contains(t, resp.Header.Get("Content-Type"), "text/html")
		}
	}
	resp, _ := ask(t, a, "secret", http.MethodPost, listPath)
	assert.Equal(t, 405, resp.StatusCode)
}

func TestChanges(t *testing.T) {
	a := sample(Options{Calls: 5})
	yes, before := true, a.Calls()
	id := a.Insert(Call{CallID: "call_new", Agent: 2142, Timestamp: sampleNow(), Success: &yes, Turns: []Turn{{Role: RoleAgent, Content: "Hello", End: 1}}})
	assert.Greater(t, id, before[0].ID)
	assert.NotEqual(t, before[2].ID, a.Insert(Call{ID: before[2].ID, Timestamp: before[4].Timestamp.Add(-time.Hour)}), "a taken id is not given again")
	p := fetch(t, a, 200)
	require.Equal(t, 7, p.Count)
	assert.Equal(t, "call_new", p.Results[0]["call_id"])

	assert.True(t, a.Update(id, func(c *Call) {
		c.ID, c.Reviewed, c.Timestamp = 1, true, before[4].Timestamp.Add(-time.Minute)
	}))
	p = fetch(t, a, 200)
	assert.EqualValues(t, id, p.Results[5]["id"])
	assert.Equal(t, "reviewed_success", p.Results[5]["status"])

	assert.True(t, a.Delete(id))
	assert.False(t, a.Delete(id))
	assert.False(t, a.Update(id, func(*Call) {}))
	assert.Equal(t, 6, fetch(t, a, 200).Count)
}

func TestManyAtOnce(t *testing.T) {
	a := sample(Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 5 {
				rec := httptest.NewRecorder()
				req := httptest.NewRequest(http.MethodGet, listPath, nil)
				req.Header.Set("X-CEKURA-API-KEY", "k")
				a.ServeHTTP(rec, req)
				assert.Equal(t, 200, rec.Code)
				id := a.Insert(Call{Timestamp: sampleNow().Add(-time.Duration(i) * time.Minute)})
				a.Update(id, func(c *Call) { c.Reviewed = true })
				a.Delete(id)
			}
		})
	}
	wg.Wait()
	assert.Len(t, a.Calls(), 600)
}

func TestTransport(t *testing.T) {
	t.Run("a context that ends is obeyed", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, listPath, nil)
		require.NoError(t, err)
		_, err = Transport(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release })).RoundTrip(req)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = Transport(http.NotFoundHandler()).RoundTrip(req)
		assert.ErrorIs(t, err, context.DeadlineExceeded, "already over")
	})
	t.Run("a panic loses the connection", func(t *testing.T) {
		req := httptest.NewRequest(http.MethodGet, listPath, nil)
		_, err := Transport(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).RoundTrip(req)
		assert.ErrorContains(t, err, "connection lost")
	})
	t.Run("it serves a client", func(t *testing.T) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			w.Header().Set("X-Early", "1")
			w.WriteHeader(http.StatusTeapot)
			w.Header().Set("X-Late", "1")
			_, _ = fmt.Fprintf(w, "%s %s %s", r.Host, r.RequestURI, body)
		})
		client := &http.Client{Transport: Transport(h)}
		resp, err := client.Post("https://api.example.com/a?b=c", "text/plain", strings.NewReader("words"))
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusTeapot, resp.StatusCode)
		assert.Equal(t, "api.example.com /a?b=c words", string(body))
		assert.Equal(t, []string{"1", ""}, []string{resp.Header.Get("X-Early"), resp.Header.Get("X-Late")})
		assert.EqualValues(t, len(body), resp.ContentLength)
	})
}

func BenchmarkList20(b *testing.B) {
	a := sample(Options{})
	client := &http.Client{Transport: Transport(a)}
	b.ReportAllocs()
	for range b.N {
		req, _ := http.NewRequest(http.MethodGet, listPath+`?filters_v2={"field":"success","op":"eq","value":false}`, nil)
		req.Header.Set("X-CEKURA-API-KEY", "k")
		resp, err := client.Do(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(err, resp)
		}
	}
}
