package serve

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

func TestTokensComeIn(t *testing.T) {
	where := filter.Cond{Field: "agent.id", Op: filter.Eq, Value: "2142"}
	path, plain := tokensOf(t, Principal{Name: "ci", Scopes: Scopes(), Where: where}, Principal{Name: "reader", Scopes: []string{CallsRead}})
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, p := range plain {
		assert.NotContains(t, string(data), p)
		assert.Len(t, p, len(tokenPrefix)+43)
	}
	keys, err := newByToken(path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	p, err := keys.authenticate(t.Context(), plain[0])
	require.NoError(t, err)
	assert.Equal(t, Principal{Name: "ci", Scopes: Scopes(), Where: where}, p)
	_, err = keys.authenticate(t.Context(), plain[0]+"x")
	assert.ErrorIs(t, err, denied("unknown token"))
}

func TestTokensExpire(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	plain, line, err := NewToken("ci", nil, "", now)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(path, []byte(line), 0o600))
	keys, err := newByToken(path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	keys.now = func() time.Time { return now.Add(-time.Second) }
	p, err := keys.authenticate(t.Context(), plain)
	require.NoError(t, err)
	assert.Equal(t, []string{CallsRead, TranscriptsRead}, p.Scopes)
	keys.now = func() time.Time { return now }
	_, err = keys.authenticate(t.Context(), plain)
	assert.ErrorContains(t, err, "the token has expired")
}

func TestTokenFilesThatAreWrong(t *testing.T) {
	hash := strings.Repeat("ab", sha256.Size)
	for content, want := range map[string]string{
		"":                       "there is no token in it",
		"# nothing\n":            "there is no token in it",
		"hello":                  "line 1: invalid character",
		`{"name":"a"}`:           "line 1: sha256 of a is not 64",
		`{"name":"a b"}`:         `the name "a b"`,
		`{"name":"a","who":"b"}`: `unknown field "who"`,
		fmt.Sprintf(`{"name":"a","sha256":"%s"}`, hash):                                                                                                           "a has no scopes",
		fmt.Sprintf(`{"name":"a","sha256":"%s","scopes":["call:read"]}`, hash):                                                                                    `a has the scope "call:read"; scopes are calls:read`,
		fmt.Sprintf(`{"name":"a","sha256":"%s","scopes":["calls:read"],"filter":{"field":"agnt.id"}}`, hash):                                                      "the filter of a: at field: no field",
		fmt.Sprintf(`{"name":"a","sha256":"%s","scopes":["calls:read"],"filter":{"field":"timestamp","op":"gt","value":"now-7d"}}`, hash):                         "relative times are not allowed",
		fmt.Sprintf("{\"name\":\"a\",\"sha256\":\"%s\",\"scopes\":[\"calls:read\"]}\n{\"name\":\"a\",\"sha256\":\"%s\",\"scopes\":[\"calls:read\"]}", hash, hash): "line 2: a second token is named a",
	} {
		path := filepath.Join(t.TempDir(), "tokens")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := newByToken(path, slog.New(slog.DiscardHandler))
		assert.ErrorContains(t, err, want)
		assert.ErrorAs(t, err, new(*ConfigError))
	}
	for _, bad := range []func() error{
		func() error { _, _, err := NewToken("", nil, "", time.Time{}); return err },
		func() error { _, _, err := NewToken("a", []string{"all"}, "", time.Time{}); return err },
		func() error { _, _, err := NewToken("a", nil, "{", time.Time{}); return err },
	} {
		assert.ErrorAs(t, bad(), new(*ConfigError))
	}
}

// A tokenFile is a file of tokens that a test changes, and a clock that it moves.
type tokenFile struct {
	t    *testing.T
	path string
	keys *byToken
	at   time.Time
	logs *lockedBuffer
}

func tokenFileOf(t *testing.T, path string) *tokenFile {
	f := &tokenFile{t: t, path: path, logs: &lockedBuffer{}}
	var err error
	f.keys, err = newByToken(path, slog.New(slog.NewTextHandler(f.logs, nil)))
	require.NoError(t, err)
	f.at = f.keys.tokens.looked
	f.keys.tokens.now = func() time.Time { return f.at }
	return f
}

func (f *tokenFile) write(content string) {
	require.NoError(f.t, os.WriteFile(f.path, []byte(content), 0o600))
}

// known says whether a token lets in once so much time has passed.
func (f *tokenFile) known(token string, after time.Duration) bool {
	f.at = f.at.Add(after)
	_, err := f.keys.authenticate(f.t.Context(), token)
	return err == nil
}

func (f *tokenFile) told() int { return strings.Count(f.logs.String(), "level=ERROR") }

func TestTokensAreReadAgain(t *testing.T) {
	path, old := tokensOf(t, Principal{Name: "old", Scopes: Scopes()})
	f := tokenFileOf(t, path)
	plain, line, err := NewToken("new", nil, "", time.Time{})
	require.NoError(t, err)

	f.write("half a fi")
	assert.True(t, f.known(old[0], time.Second), "the last good file stays")
	assert.True(t, f.known(old[0], time.Minute))
	assert.Equal(t, 1, f.told(), "once")
	f.write(line)
	assert.False(t, f.known(plain, time.Second/2), "a file is looked at once a second")
	assert.True(t, f.known(plain, time.Second/2))
	assert.False(t, f.known(old[0], 0))
	assert.True(t, f.known(plain, time.Hour))
}

// What cannot be read holds for a while, and no longer: a token that was taken
// out of a file with a mistake in it is out, too.
func TestBrokenTokenFileLapses(t *testing.T) {
	path, plain := tokensOf(t, Principal{Name: "a", Scopes: Scopes()})
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	f := tokenFileOf(t, path)
	f.write(`{"name":"a"`)
	assert.True(t, f.known(plain[0], time.Second))
	f.write(`{"name":"a","sha`) // still at it
	assert.True(t, f.known(plain[0], tokenGrace-time.Second))
	assert.Equal(t, 2, f.told())
	assert.False(t, f.known(plain[0], time.Second), "ten minutes after the first mistake, not the last")
	assert.False(t, f.known(plain[0], time.Hour))
	assert.Equal(t, 3, f.told())
	assert.Contains(t, f.logs.String(), "nobody is let in")
	f.write(string(good))
	assert.True(t, f.known(plain[0], time.Second), "mended")

	// What cannot be read at all is tried again, although nothing of it changes.
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Mkdir(path, 0o700))
	assert.True(t, f.known(plain[0], time.Second))
	f.keys.tokens.load = func() ([]token, error) { return readTokens(filepath.Join(path, "mounted")) }
	require.NoError(t, os.WriteFile(filepath.Join(path, "mounted"), good, 0o600))
	assert.True(t, f.known(plain[0], time.Second))
	assert.True(t, f.keys.tokens.since.IsZero(), "it is read again")
}

// Whoever removes the file, or the last line of it, lets nobody in.
func TestNoTokensLetNobodyIn(t *testing.T) {
	path, plain := tokensOf(t, Principal{Name: "a", Scopes: Scopes()})
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	f := tokenFileOf(t, path)
	for _, take := range []func(){
		func() { require.NoError(t, os.Remove(path)) },
		func() { f.write("") },
		func() { f.write("# nobody any more\n") },
	} {
		before := f.told()
		take()
		assert.False(t, f.known(plain[0], time.Second))
		assert.False(t, f.known(plain[0], time.Second))
		assert.Equal(t, before+1, f.told())
		f.write(string(good))
		assert.True(t, f.known(plain[0], time.Second))
	}
	h := serving(t, newBench().server(), HTTPOptions{Auth: ByToken, Tokens: path})
	ping := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	require.Equal(t, 200, h.post(ping, "Authorization", "Bearer "+plain[0]).status)
	require.NoError(t, os.Remove(path))
	require.Eventually(t, func() bool { return h.post(ping, "Authorization", "Bearer "+plain[0]).status == 401 }, 3*time.Second, 50*time.Millisecond)
}

// A token past its time is refused with the way out.
func TestExpiredTokenOverHTTP(t *testing.T) {
	plain, line, err := NewToken("old", nil, "", time.Now().Add(-time.Second))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(path, []byte(line), 0o600))
	h := serving(t, newBench().server(), HTTPOptions{Auth: ByToken, Tokens: path})
	g := h.post(`{"jsonrpc":"2.0","id":1,"method":"ping"}`, "Authorization", "Bearer "+plain)
	assert.Equal(t, 401, g.status)
	require.NotNil(t, g.Error, g.body)
	assert.Equal(t, "the token has expired; whoever runs this server can make another", g.Error.Message)
	assert.Contains(t, g.header.Get("WWW-Authenticate"), `error="invalid_token", error_description="the token has expired; `)
}

// How callers are asked who they are, as RFC 6750 and MCP have it.
func TestChallenges(t *testing.T) {
	path, plain := tokensOf(t, Principal{Name: "all", Scopes: Scopes()}, Principal{Name: "facts", Scopes: []string{CallsRead}}, Principal{Name: "none", Scopes: []string{PIIRead}})
	h := serving(t, newBench().server(), HTTPOptions{Auth: ByToken, Tokens: path})
	ping := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	for _, tt := range []struct {
		header string
		status int
		ask    string
	}{
		{"", 401, `Bearer realm="call-logs-mcp", scope="calls:read transcripts:read"`},
		{"Basic dXNlcjpwYXNz", 401, `Bearer realm="call-logs-mcp", scope="calls:read transcripts:read"`},
		{"Bearer", 401, `error="invalid_token", error_description="malformed token"`},
		{"Bearer a b", 401, "malformed token"},
		{"Bearer \"x\"", 401, "malformed token"},
		{"Bearer " + strings.Repeat("a", longestToken+1), 401, "malformed token"},
		{"Bearer clm_unknown", 401, `error="invalid_token", error_description="unknown token"`},
		{"Bearer " + plain[0] + "A", 401, "unknown token"},
		{"Bearer " + strings.ToLower(plain[0]), 401, "unknown token"},
		{"Bearer " + hex.EncodeToString(sum(plain[0])), 401, "unknown token"}, // the file is no use to who reads it
		{"bearer " + plain[0], 200, ""},
		{"Bearer " + plain[1], 200, ""},
		{"Bearer " + plain[2], 403, `error="insufficient_scope", error_description="this needs calls:read", scope="calls:read pii:read"`},
	} {
		g := h.post(ping, "Authorization", tt.header)
		assert.Equal(t, tt.status, g.status, tt.header)
		assert.Contains(t, g.header.Get("WWW-Authenticate"), tt.ask)
		if tt.status != 200 {
			require.NotNil(t, g.Error, "a client of JSON-RPC reads it, too")
		}
	}
	assert.Equal(t, 200, h.get("/healthz").status, "health asks no token")
	assert.Equal(t, 200, h.get("/readyz").status)
	g := h.post(asks("9", "search_transcripts", ""), "Authorization", "Bearer "+plain[1])
	assert.Equal(t, 403, g.status)
	assert.Contains(t, g.header.Get("WWW-Authenticate"), `scope="calls:read transcripts:read"`)
	assert.Equal(t, "9", string(g.ID))
	for uri, want := range map[string]int{"call://a/1/transcript?turns=3": 403, "call://a/1": 200, "call://fields": 200} {
		assert.Equal(t, want, h.post(rpc("resources/read", map[string]string{"uri": uri}), "Authorization", "Bearer "+plain[1]).status, uri)
	}
	for _, p := range plain {
		assert.NotContains(t, h.logs.String(), p)
	}
}

func sum(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

// The token is for us alone: nothing below sees it.
func TestAuthorizationEndsHere(t *testing.T) {
	path, plain := tokensOf(t, Principal{Name: "ci", Scopes: Scopes()})
	s := newBench().server()
	seen := make(chan string, 1)
	tool, handler := whoami(seen)
	s.AddTool(tool, handler)
	h := serving(t, s, HTTPOptions{Auth: ByToken, Tokens: path})
	g := h.post(asks("1", "whoami", ""), "Authorization", "Bearer "+plain[0], "Cookie", "a=b")
	require.Equal(t, 200, g.status, g.body)
	assert.Equal(t, `ci map[]`, within(t, seen, "the call"))
}

func TestKindsOfRefusal(t *testing.T) {
	assert.Equal(t, call.Forbidden, kindOf(forbidden(PIIRead)))
	assert.Empty(t, kindOf(os.ErrClosed))
}
