package zudu

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/wire/wiretest"
	"call-logs-mcp/client/zudu/zudutest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// Both halves of the key are needed, and neither is ever repeated.
func TestKeys(t *testing.T) {
	for _, keys := range []map[string]string{nil, {apiKey: zudutest.Key}, {apiKey: zudutest.Key, apiSecret: " "}, {apiKey: " ", apiSecret: zudutest.Key}} {
		_, err := New(provider.Options{Credential: wiretest.Credentials(keys)})
		assert.ErrorContains(t, err, "set both ZUDU_API_KEY and ZUDU_API_SECRET")
	}
	var log bytes.Buffer
	s, err := New(provider.Options{
		Credential: wiretest.Credentials(map[string]string{apiKey: zudutest.Key, apiSecret: "canary-wrong"}), Transport: demo.Transport(stocked(5)), Now: now, Limits: fast(),
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)
	_, err = s.Find(t.Context(), call.Query{})
	wiretest.Fails(t, err, call.Unauthorized, "Zudu refused the key in ZUDU_API_KEY and ZUDU_API_SECRET (401).")
	assert.NotContains(t, log.String(), "canary")
}

// Filters that the API refuses are applied here, and are not put to it again
// for a while.
func TestRefusedFilter(t *testing.T) {
	u := stocked(300)
	s := over(t, u)
	q := call.Query{Where: filter.All(cond("status", filter.Eq, "ended"), cond("duration", filter.Gte, 60.0))}
	want, err := s.Find(t.Context(), q)
	require.NoError(t, err)
	assert.Less(t, u.Held, 200)
	u.Strict = true
	u.Asked()
	got, err := s.Find(t.Context(), q)
	require.NoError(t, err)
	assert.Equal(t, want.Logs, got.Logs)
	assert.Equal(t, []string{"zudu refused the filter; it was applied here"}, got.Notes)
	assert.Equal(t, 2, u.Asked())
	_, err = s.Find(t.Context(), q)
	require.NoError(t, err)
	assert.Equal(t, 1, u.Asked())
}

// What the API is told may let too much pass, but never keeps a match away.
func TestHear(t *testing.T) {
	for _, x := range []struct {
		where    filter.Expr
		criteria string
		left     bool
	}{
		{nil, `{}`, false},
		{cond("status", filter.Eq, "ended"), `{"call_status":["ENDED","ended"]}`, false},
		{cond("status", filter.Eq, "ENDED"), `{}`, true}, // which nothing is here
		{cond("status", filter.Neq, "ended"), `{}`, true},
		{cond("call_type", filter.In, []any{"phone_call", nil}), `{"call_type":["PHONE_CALL","phone_call"]}`, false},
		{cond("agent.id", filter.In, []any{"a", "b"}), `{"agent_id":["a","b"]}`, false},
		{cond("agent.id", filter.Eq, nil), `{}`, true},
		{cond("duration", filter.Gt, 1.5), `{"duration_ms":{"lower_threshold":1499}}`, false},
		{filter.And{cond("duration", filter.Gte, 0.0), cond("duration", filter.Lt, 60.0)}, `{"duration_ms":{"lower_threshold":0,"upper_threshold":60001}}`, false},
		{filter.And{cond("agent.id", filter.Eq, "a"), cond("agent.id", filter.Eq, "b")}, `{"agent_id":["a"]}`, true},
		{filter.Or{cond("agent.id", filter.Eq, "a"), cond("agent.id", filter.Eq, "b")}, `{}`, true},
		{cond("transcript", filter.Contains, "refund"), `{}`, true},
	} {
		c, left := hear(x.where)
		assert.Equal(t, x.criteria, c.String())
		assert.Equal(t, x.left, left != nil, x.criteria)
	}
}

func TestConfiguredAgents(t *testing.T) {
	u := stocked(100)
	s, err := New(provider.Options{
		Credential: wiretest.Credentials(map[string]string{apiKey: zudutest.Key, apiSecret: zudutest.Secret}), AgentIDs: []string{"2142", "9"},
		Transport: demo.Transport(u), Now: now, Limits: fast(),
	})
	require.NoError(t, err)
	p, err := s.Find(t.Context(), call.Query{Limit: 100})
	require.NoError(t, err)
	assert.Equal(t, []string{"2142", "9"}, u.Last.Criteria.Agents)
	assert.Len(t, p.Logs, u.Held)
}

func TestGet(t *testing.T) {
	u := stocked(300)
	s := over(t, u)
	_, err := s.Get(t.Context(), call.ID{Source: "zudu", Key: "call-102"})
	require.NoError(t, err)
	assert.Equal(t, 1, u.Asked())
	old := u.Rows[len(u.Rows)-1]["id"].(string)
	l, err := s.Get(t.Context(), call.ID{Source: "zudu", Key: old})
	require.NoError(t, err)
	assert.Equal(t, old, l.Metadata[call.UUIDKey])
	assert.LessOrEqual(t, u.Asked(), 1+4)
	_, err = s.Get(t.Context(), call.ID{Source: "zudu", Key: old})
	require.NoError(t, err)
	assert.Equal(t, 2, u.Asked(), "its place is known")

	_, err = s.Get(t.Context(), call.ID{Source: "zudu", Key: "call-none"})
	wiretest.Fails(t, err, call.NotFound, `zudu has no call "call-none"`)
	assert.Equal(t, 1, u.Asked())
	_, err = s.Get(t.Context(), call.ID{Source: "zudu", Key: "00000000-0000-4000-8000-000000000000"})
	wiretest.Fails(t, err, call.NotFound, "It was looked for in 30")
}

// An API that does not sort as it is asked is read whole, and the answer says
// so.
func TestUnsortedList(t *testing.T) {
	for _, order := range []call.Order{call.Newest, call.Oldest} {
		u := stocked(250)
		want, err := over(t, u).Find(t.Context(), call.Query{Order: order})
		require.NoError(t, err)
		u.Deaf = true
		got, err := over(t, u).Find(t.Context(), call.Query{Order: order})
		require.NoError(t, err)
		assert.Equal(t, want.Logs, got.Logs)
		assert.Equal(t, []string{"zudu does not answer in the order of time; its calls were sorted here"}, got.Notes)
	}
}

// A list without an order that slides away under the reader is not called whole;
// one that only grows at times is read until two readings agree.
func TestUnsortedListThatChanges(t *testing.T) {
	for _, pours := range []bool{true, false} {
		u, n := stocked(430), 0
		u.Deaf, u.Max = true, 10
		u.Before = func() {
			u.Mu.Lock()
			defer u.Mu.Unlock()
			if n++; pours || n < 60 && n%20 == 0 {
				for k := range 10 { // a page
					r := maps.Clone(u.Rows[(7*k+n)%400])
					r["id"], r["call_id"] = fmt.Sprintf("0e0e0e0e-0000-4000-8000-%012d", len(u.Rows)), fmt.Sprint("poured-", len(u.Rows))
					u.Rows = slices.Insert(u.Rows, 0, r)
				}
			}
		}
		p, err := over(t, u).Find(t.Context(), call.Query{Where: within(40 * day), Limit: 10000, Scan: 10000})
		require.NoError(t, err)
		if pours {
			assert.False(t, p.Coverage.Complete, "%d calls of %d", len(p.Logs), len(u.Rows))
			assert.Nil(t, p.Total)
			assert.Contains(t, p.Notes, "zudu changes faster than it can be read; calls may be missing")
		} else {
			assert.True(t, p.Coverage.Complete)
			assert.Len(t, p.Logs, len(u.Rows))
		}
	}
}

// Whatever arrives or vanishes between two requests, whichever shape the
// pagination has: what stood all along is met exactly once.
func TestWalkWhileCallsComeAndGo(t *testing.T) {
	for seed := range uint64(12) {
		for _, order := range []call.Order{call.Newest, call.Oldest} {
			t.Run(fmt.Sprint(order, seed), func(t *testing.T) {
				u := stocked(80)
				u.Old, u.Max = seed%2 == 1, []int{0, 20, 9}[seed%3]
				stood, gone, rng := slices.Clone(u.Rows), map[any]bool{}, rand.New(rand.NewPCG(seed, 1))
				u.Before = func() {
					like, away := stood[rng.IntN(len(stood))], stood[rng.IntN(len(stood))]
					at := time.UnixMilli(like["start_timestamp"].(int64))
					for range min(rng.IntN(4), 130-len(u.Rows)) {
						u.Insert(call.ID{Key: like["id"].(string)}, at.Add(time.Duration(rng.IntN(3))*time.Second))
					}
					if len(gone) < 30 && rng.IntN(2) == 0 {
						gone[away["id"]] = true
						u.Delete(call.ID{Key: away["id"].(string)})
					}
				}
				s, met := over(t, u), map[any]int{}
				q := call.Query{Order: order, Limit: 1 + int(seed*7)%23, Where: within(31 * day)}
				for {
					p, err := s.Find(t.Context(), q)
					require.NoError(t, err)
					require.Empty(t, p.Notes)
					for _, l := range p.Logs {
						met[l.Metadata[call.UUIDKey]]++
					}
					if q.After = p.Next; p.Next == nil {
						break
					}
				}
				for _, r := range stood {
					if !gone[r["id"]] {
						assert.Equal(t, 1, met[r["id"]], r["id"])
					}
				}
				for id, n := range met {
					assert.Equal(t, 1, n, id)
				}
			})
		}
	}
}

// What a call asks not to be stored is shown, and marked.
func TestOptedOutIsSensitive(t *testing.T) {
	u := stocked(10)
	u.Rows[3]["opt_out_sensitive_data_storage"] = true
	p, err := over(t, u).Find(t.Context(), call.Query{})
	require.NoError(t, err)
	n := 0
	for _, l := range p.Logs {
		if l.Sensitive {
			n++
			assert.Equal(t, u.Rows[3]["id"], l.Metadata[call.UUIDKey])
		}
	}
	assert.Equal(t, 1, n)
}

// Where the API knows no question by POST, its list is got, without filters.
func TestListByGet(t *testing.T) {
	for _, code := range []int{http.StatusNotFound, http.StatusMethodNotAllowed} {
		u := stocked(250)
		q := call.Query{Where: cond("status", filter.Eq, "ended"), Exhaust: true}
		want, err := over(t, u).Find(t.Context(), q)
		require.NoError(t, err)
		u.NoPost = code
		s := over(t, u)
		got, err := s.Find(t.Context(), q)
		require.NoError(t, err)
		assert.Equal(t, want.Logs, got.Logs)
		assert.Equal(t, want.Total, got.Total)
		u.Asked()
		_, err = s.Find(t.Context(), call.Query{})
		require.NoError(t, err)
		assert.Equal(t, 1, u.Asked(), "POST is not tried again")
	}
}

// A 200 that says error carries what went wrong.
func TestErrorUnder200(t *testing.T) {
	u := stocked(3)
	u.Reply = []byte(`{"message": "Query failed", "status": "error", "error": "organization is suspended", "data": null}`)
	_, err := over(t, u).Find(t.Context(), call.Query{})
	wiretest.Fails(t, err, call.Unavailable, "Zudu answered with an error: «Query failed: organization is suspended».")
	u.Reply = []byte(`{"status": "error", "error": "Call not found"}`)
	_, err = over(t, u).Get(t.Context(), call.ID{Key: "call-1"})
	wiretest.Fails(t, err, call.NotFound, `zudu has no call "call-1"`)
}

// What nobody is named for can be searched for every role.
func TestSearchWithoutSpeakers(t *testing.T) {
	u := stocked(3)
	for _, key := range []string{"transcript_object", "transcript_with_tool_calls"} {
		delete(u.Rows[1], key)
	}
	u.Rows[1]["transcript"] = "Hello, I'm calling about my zebra. Thank you for your help!"
	text, err := call.ParseText("zebra")
	require.NoError(t, err)
	for _, role := range []call.Role{"", call.RoleAgent, call.RoleCaller, call.RoleSystem} {
		p, err := over(t, u).Find(t.Context(), call.Query{Text: text, Role: role})
		require.NoError(t, err)
		assert.Len(t, p.Logs, 1, role)
	}
}
