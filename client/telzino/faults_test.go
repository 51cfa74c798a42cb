package telzino

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/telzino/telzinotest"
	"call-logs-mcp/client/wire/wiretest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

func TestNewNeedsAKey(t *testing.T) {
	for _, keys := range []map[string]string{
		nil, {clientID: telzinotest.ClientID}, {clientID: telzinotest.ClientID, clientSecret: " "}, {clientSecret: telzinotest.Secret},
	} {
		_, err := New(provider.Options{Credential: wiretest.Credentials(keys)})
		assert.ErrorContains(t, err, "set TELZINO_CLIENT_ID and TELZINO_CLIENT_SECRET, or TELZINO_TOKEN")
	}
	_, err := New(provider.Options{Credential: wiretest.Credentials(map[string]string{readyToken: "t"}), BaseURL: "http://example.com"})
	assert.ErrorContains(t, err, "TELZINO_BASE_URL is plain http")
}

// One token serves until shortly before it expires, and however many ask.
func TestTokenIsCached(t *testing.T) {
	u := stocked(30)
	s := over(t, u)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			_, err := s.Find(context.Background(), call.Query{})
			assert.NoError(t, err)
		})
	}
	wait.Wait()
	assert.Equal(t, 1, u.Tokens)

	u = stocked(30)
	u.Life = 10 // of which a tenth and ten seconds of oauth2's own are left off
	s = over(t, u, telzinotest.AgentID(0))
	for range 3 {
		_, err := s.Find(t.Context(), call.Query{})
		require.NoError(t, err)
	}
	assert.Equal(t, 3, u.Tokens)
}

// A token that is refused is replaced once, and nobody notices.
func TestRevokedToken(t *testing.T) {
	u := stocked(30)
	s := over(t, u)
	for range 3 {
		_, err := s.Find(t.Context(), call.Query{})
		require.NoError(t, err)
		u.Revoke()
	}
	assert.Equal(t, 3, u.Tokens)

	u.Asked()
	u.Before = u.Revoke // each token, once it is used
	_, err := s.Find(t.Context(), call.Query{Where: filter.Cond{Field: "agent.id", Op: filter.Eq, Value: telzinotest.AgentID(0)}})
	wiretest.Fails(t, err, call.Unauthorized, "Telzino refused the key in TELZINO_CLIENT_ID and TELZINO_CLIENT_SECRET (401).")
	assert.Equal(t, 2, u.Asked(), "one replay")
}

func TestReadyToken(t *testing.T) {
	u := stocked(30)
	u.Valid["canary-ready"] = true
	token := "canary-ready"
	s, err := New(provider.Options{Credential: func(key string) string { return map[string]string{readyToken: token}[key] }, Transport: demo.Transport(u), Now: now, Limits: fast()})
	require.NoError(t, err)
	_, err = s.Find(t.Context(), call.Query{})
	require.NoError(t, err)
	assert.Zero(t, u.Tokens)

	u.Revoke()
	u.Asked()
	_, err = s.Find(t.Context(), call.Query{})
	wiretest.Fails(t, err, call.Unauthorized, "Telzino refused the key in TELZINO_TOKEN (401).")
}

// Wrong credentials are named, and neither they nor a token are ever repeated.
func TestSecretsStaySecret(t *testing.T) {
	u := stocked(30)
	u.Secret = "another"
	var log bytes.Buffer
	s, err := New(provider.Options{
		Credential: wiretest.Credentials(map[string]string{clientID: telzinotest.ClientID, clientSecret: telzinotest.Secret}), Transport: demo.Transport(u), Now: now, Limits: fast(),
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)
	_, err = s.Find(t.Context(), call.Query{})
	wiretest.Fails(t, err, call.Unauthorized, "Telzino refused the client in TELZINO_CLIENT_ID and TELZINO_CLIENT_SECRET (401).")
	u.Secret = ""
	_, err = s.Find(t.Context(), call.Query{})
	require.NoError(t, err)
	assert.Contains(t, log.String(), "/oauth/token")
	assert.NotContains(t, log.String(), "canary")
}

// One agent that may not be read costs its calls alone, and is named.
func TestForbiddenAgent(t *testing.T) {
	u := stocked(60)
	u.Refused = map[string]int{telzinotest.AgentID(1): 403, telzinotest.AgentID(2): 404}
	s := over(t, u)
	p, err := s.Find(t.Context(), call.Query{Limit: 100})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 20)
	assert.False(t, p.Coverage.Complete)
	assert.Nil(t, p.Total)
	require.Len(t, p.Notes, 2)
	assert.Contains(t, p.Notes[0], "calls of agent "+telzinotest.AgentID(1)+" of telzino are missing: Telzino does not let the key")

	_, err = s.Find(t.Context(), call.Query{Where: filter.Cond{Field: "agent.id", Op: filter.Eq, Value: telzinotest.AgentID(1)}})
	wiretest.Fails(t, err, call.Forbidden, "403")
	_, err = s.Find(t.Context(), call.Query{Where: filter.Cond{Field: "agent.id", Op: filter.Eq, Value: telzinotest.AgentID(2)}})
	wiretest.Fails(t, err, call.NotFound, "no call logs of agent \""+telzinotest.AgentID(2)+"\" (404); check TELZINO_AGENT_IDS")
}

func TestGet(t *testing.T) {
	u := stocked(600)
	s := over(t, u)
	p, err := s.Find(t.Context(), call.Query{Limit: 100})
	require.NoError(t, err)
	u.Asked()
	row := p.Logs[80]
	for _, key := range []string{row.ID.Key, row.CallID} {
		l, err := s.Get(t.Context(), call.ID{Source: "telzino", Key: key})
		require.NoError(t, err)
		assert.Equal(t, row, l)
		assert.Equal(t, 1, u.Asked(), "it was met a moment ago")
	}
	_, err = over(t, u).Get(t.Context(), row.ID)
	require.NoError(t, err)
	assert.LessOrEqual(t, u.Asked(), 1+3)
	_, err = s.Get(t.Context(), call.ID{Source: "telzino", Key: "none"})
	e := wiretest.Fails(t, err, call.NotFound, `telzino has no call "none"`)
	assert.Contains(t, e.Hint, "Telzino cannot be asked for one call, so 60")
	assert.LessOrEqual(t, u.Asked(), 9)
}

// The walk stops behind the window, and goes straight to one that is long past.
func TestWindowIsAllThatIsRead(t *testing.T) {
	u := stocked(6000)
	s := over(t, u, telzinotest.AgentID(0))
	window := filter.Within("timestamp", now().Add(-20*day), now().Add(-19*day))
	for _, order := range []call.Order{call.Newest, call.Oldest} {
		p, err := s.Find(t.Context(), call.Query{Where: window, Limit: 500, Order: order})
		require.NoError(t, err)
		assert.True(t, p.Coverage.Complete)
		assert.NotEmpty(t, p.Logs)
		assert.Equal(t, *p.Total, len(p.Logs))
		assert.LessOrEqual(t, u.Asked(), 12, order)
	}
}

// A list that is sorted by nothing is read whole, and the answer says so.
func TestUnsortedList(t *testing.T) {
	for _, order := range []call.Order{call.Newest, call.Oldest} {
		u := stocked(300)
		want, err := over(t, u, telzinotest.AgentID(0)).Find(t.Context(), call.Query{Order: order})
		require.NoError(t, err)
		assert.Empty(t, want.Notes)
		u.SortBy = "id"
		u.Asked()
		got, err := over(t, u, telzinotest.AgentID(0)).Find(t.Context(), call.Query{Order: order})
		require.NoError(t, err)
		assert.Equal(t, want.Logs, got.Logs)
		assert.Contains(t, got.Notes, "telzino does not answer in the order of time; its calls were sorted here")
		assert.Equal(t, now(), got.Clock)
		t.Log(order, u.Asked())
	}
}

// An upstream that gives the same page over and over comes to an end.
func TestRepeatedPages(t *testing.T) {
	u := stocked(900)
	first := u.Of(telzinotest.AgentID(0))[:100]
	u.Bend = func(a answer) { a["data"] = first; a["pagination"].(answer)["hasNext"] = true }
	p, err := over(t, u, telzinotest.AgentID(0)).Find(t.Context(), call.Query{Limit: 500})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 100)
	assert.False(t, p.Coverage.Complete)
	assert.Contains(t, strings.Join(p.Notes, "\n"), "repeats its pages")
	assert.LessOrEqual(t, u.Asked(), 40)
}

// Heavy pages are asked for in halves.
func TestHeavyPages(t *testing.T) {
	u := stocked(90)
	l := fast()
	l.Body = 20 << 10
	s, err := New(provider.Options{Credential: wiretest.Credentials(map[string]string{readyToken: "t"}), Transport: demo.Transport(u), Now: now, Limits: l})
	require.NoError(t, err)
	u.Valid["t"] = true
	start := time.Now()
	p, err := s.Find(t.Context(), call.Query{Limit: 100, Where: within(31 * day)})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 90)
	assert.Less(t, time.Since(start), 5*time.Second)
}
