package serve

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// issuer is an authorization server, as far as a resource server sees it.
type issuer struct {
	*httptest.Server
	mu      sync.Mutex
	keys    []jose.JSONWebKey
	meta    map[string]any
	down    atomic.Bool
	fetches atomic.Int64 // of keys
	clock   atomic.Int64 // nanoseconds
}

const audience = "https://mcp.example.com/mcp"

func newIssuer(t *testing.T) *issuer {
	i := &issuer{}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if i.down.Load() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		_ = json.NewEncoder(w).Encode(i.meta)
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.fetches.Add(1)
		i.mu.Lock()
		defer i.mu.Unlock()
		var public []jose.JSONWebKey
		for _, k := range i.keys {
			public = append(public, k.Public())
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": public})
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	i.meta = map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys"}
	i.clock.Store(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC).UnixNano())
	return i
}

func (i *issuer) now() time.Time { return time.Unix(0, i.clock.Load()) }

func (i *issuer) pass(d time.Duration) { i.clock.Add(int64(d)) }

// add makes a key; sign signs with it under its id.
func (i *issuer) add(t *testing.T, id string, alg jose.SignatureAlgorithm) jose.JSONWebKey {
	var private crypto.Signer
	var err error
	switch alg {
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	require.NoError(t, err)
	k := jose.JSONWebKey{Key: private, KeyID: id, Algorithm: string(alg), Use: "sig"}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append(i.keys, k)
	return k
}

func sign(t *testing.T, k jose.JSONWebKey, alg jose.SignatureAlgorithm, header map[string]any, claims any) string {
	opts := &jose.SignerOptions{}
	for name, v := range header {
		opts.WithHeader(jose.HeaderKey(name), v)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: k}, opts)
	require.NoError(t, err)
	payload, ok := claims.([]byte)
	if !ok {
		payload, err = json.Marshal(claims)
		require.NoError(t, err)
	}
	signed, err := s.Sign(payload)
	require.NoError(t, err)
	token, err := signed.CompactSerialize()
	require.NoError(t, err)
	return token
}

// raw is a token put together by hand, where the library would not.
func raw(header, payload, signature string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(header)) + "." + e([]byte(payload)) + "." + e([]byte(signature))
}

func (i *issuer) claims(change map[string]any) map[string]any {
	at := i.now().Unix()
	c := map[string]any{
		"iss": i.URL, "aud": audience, "sub": "ada@example.com", "client_id": "agent",
		"iat": at, "nbf": at, "exp": at + 600, "scope": "openid calls:read transcripts:read",
	}
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func (i *issuer) keysOf(t *testing.T, o OAuth) *byOAuth {
	o.Issuer, o.Audience, o.now = i.URL, audience, i.now
	require.NoError(t, o.check())
	return newByOAuth(o, slog.New(slog.DiscardHandler))
}

func TestAccessTokens(t *testing.T) {
	i := newIssuer(t)
	rs := i.add(t, "rs", jose.RS256)
	es, ps, ed := i.add(t, "es", jose.ES256), i.add(t, "ps", jose.PS256), i.add(t, "ed", jose.EdDSA)
	stranger := newIssuer(t).add(t, "rs", jose.RS256)
	der, err := x509.MarshalPKIXPublicKey(rs.Public().Key)
	require.NoError(t, err)
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	now := i.now().Unix()
	with := func(change map[string]any) string { return sign(t, rs, jose.RS256, nil, i.claims(change)) }
	good := with(nil)
	body, err := json.Marshal(i.claims(nil))
	require.NoError(t, err)
	parts := strings.Split(good, ".")

	tests := []struct {
		name, token string
		why         denied // "" for one that comes in
	}{
		{"RS256", good, ""},
		{"ES256", sign(t, es, jose.ES256, nil, i.claims(nil)), ""},
		{"PS256", sign(t, ps, jose.PS256, nil, i.claims(nil)), ""},
		{"EdDSA", sign(t, ed, jose.EdDSA, nil, i.claims(nil)), ""},
		{"typ at+jwt", sign(t, rs, jose.RS256, map[string]any{"typ": "at+jwt"}, i.claims(nil)), ""},
		{"one audience of several", with(map[string]any{"aud": []string{"https://other.example", audience}}), ""},
		{"expired within the leeway", with(map[string]any{"exp": now - 29}), ""},
		{"valid within the leeway", with(map[string]any{"nbf": now + 29, "iat": now + 29}), ""},
		{"expired", with(map[string]any{"exp": now - 30}), "the token has expired"},
		{"not valid yet", with(map[string]any{"nbf": now + 60}), "the token is not valid yet"},
		{"issued in the future", with(map[string]any{"iat": now + 60}), "the token is not valid yet"},
		{"never expires", with(map[string]any{"exp": nil}), "the token never expires"},
		{"expires in words", with(map[string]any{"exp": "tomorrow"}), "the token is not one of this server's issuer"},
		{"wrong audience", with(map[string]any{"aud": "https://other.example/mcp"}), "wrong audience"},
		{"audience that begins alike", with(map[string]any{"aud": audience + "/"}), "wrong audience"},
		{"no audience", with(map[string]any{"aud": nil}), "wrong audience"},
		{"wrong issuer", with(map[string]any{"iss": "https://evil.example"}), "the token is not one of this server's issuer"},
		{"issuer with a slash", with(map[string]any{"iss": i.URL + "/"}), "the token is not one of this server's issuer"},
		{"no issuer", with(map[string]any{"iss": nil}), "the token is not one of this server's issuer"},
		{"nobody's", with(map[string]any{"sub": nil, "client_id": nil}), "the token says not whose it is"},
		{"alg none", raw(`{"alg":"none"}`, string(body), ""), "the token is not one of this server's issuer"},
		{"alg None, with its id", raw(`{"alg":"None","kid":"rs"}`, string(body), "x"), "the token is not one of this server's issuer"},
		{"signed with our public key", sign(t, jose.JSONWebKey{Key: public, KeyID: "rs"}, jose.HS256, nil, i.claims(nil)), "the token is not one of this server's issuer"},
		{"signed with the public key's DER", sign(t, jose.JSONWebKey{Key: der, KeyID: "rs"}, jose.HS512, nil, i.claims(nil)), "the token is not one of this server's issuer"},
		{"an algorithm that is not asked for", sign(t, jose.JSONWebKey{Key: rs.Key, KeyID: "rs"}, jose.RS512, nil, i.claims(nil)), "the token is not one of this server's issuer"},
		{"another algorithm of the key", sign(t, jose.JSONWebKey{Key: rs.Key, KeyID: "rs"}, jose.PS256, nil, i.claims(nil)), "the token's key is unknown"},
		{"a stranger's key under our id", sign(t, stranger, jose.RS256, nil, i.claims(nil)), "the token's signature is not of this server's issuer"},
		{"a key that the token brings along", sign(t, jose.JSONWebKey{Key: stranger.Key}, jose.RS256, map[string]any{"jwk": stranger.Public()}, i.claims(nil)), "the token's signature is not of this server's issuer"},
		{"a key at an address in the token", sign(t, jose.JSONWebKey{Key: stranger.Key}, jose.RS256, map[string]any{"jku": "http://169.254.169.254/keys"}, i.claims(nil)), "the token's signature is not of this server's issuer"},
		{"unknown kid", sign(t, jose.JSONWebKey{Key: rs.Key, KeyID: "../../etc/passwd"}, jose.RS256, nil, i.claims(nil)), "the token's key is unknown"},
		{"kid of another algorithm", sign(t, jose.JSONWebKey{Key: rs.Key, KeyID: "es"}, jose.RS256, nil, i.claims(nil)), "the token's key is unknown"},
		{"typ of another kind", sign(t, rs, jose.RS256, map[string]any{"typ": "dpop+jwt"}, i.claims(nil)), "the token is of another type"},
		{"claims changed", parts[0] + "." + base64.RawURLEncoding.EncodeToString(bytes.Replace(body, []byte("ada"), []byte("eve"), 1)) + "." + parts[2], "the token's signature is not of this server's issuer"},
		{"signature cut", parts[0] + "." + parts[1] + ".", "the token's signature is not of this server's issuer"},
		{"two parts", parts[0] + "." + parts[1], "the token is not one of this server's issuer"},
		{"five parts", good + ".x.y", "the token is not one of this server's issuer"},
		{"unknown crit", sign(t, rs, jose.RS256, map[string]any{"crit": []string{"evil"}, "evil": 1}, i.claims(nil)), "the token's signature is not of this server's issuer"},
		{"no JSON", sign(t, rs, jose.RS256, nil, []byte("hello")), "the token is not one of this server's issuer"},
		{"a token of our own kind", "clm_" + parts[2], "the token is not one of this server's issuer"},
	}
	assert.GreaterOrEqual(t, len(tests), 30)
	keys := i.keysOf(t, OAuth{})
	for _, tt := range tests {
		p, err := keys.authenticate(t.Context(), tt.token)
		if tt.why == "" {
			if assert.NoError(t, err, tt.name) {
				assert.Equal(t, []string{CallsRead, TranscriptsRead}, p.Scopes)
				assert.Regexp(t, `^oauth-[0-9a-f]{16}$`, p.Name, "no address in the logs")
			}
			continue
		}
		var why denied
		if assert.ErrorAs(t, err, &why, tt.name) {
			assert.Equal(t, tt.why, why, tt.name)
		}
	}
	assert.LessOrEqual(t, i.fetches.Load(), int64(2))
}

func TestScopesAndFiltersInTokens(t *testing.T) {
	i := newIssuer(t)
	k := i.add(t, "k", jose.ES256)
	keys := i.keysOf(t, OAuth{FilterClaim: "call_logs"})
	own := map[string]any{"field": "agent.id", "op": "eq", "value": "7"}
	for _, tt := range []struct {
		change map[string]any
		scopes []string
		ok     bool
	}{
		{map[string]any{"call_logs": own}, []string{CallsRead, TranscriptsRead}, true},
		{map[string]any{"call_logs": `{"field":"agent.id","op":"eq","value":"7"}`, "scope": nil, "scp": []string{"pii:read", "calls:read", "x"}}, []string{CallsRead, PIIRead}, true},
		{map[string]any{"call_logs": own, "scope": "admin"}, nil, true},
		{map[string]any{"call_logs": own, "scope": 7}, nil, true},
		{map[string]any{"call_logs": map[string]any{"field": "x"}}, nil, false},
		{map[string]any{"call_logs": ""}, nil, false},
		{map[string]any{}, nil, false},
	} {
		p, err := keys.authenticate(t.Context(), sign(t, k, jose.ES256, nil, i.claims(tt.change)))
		if !tt.ok {
			assert.ErrorIs(t, err, denied("the claim call_logs holds no filter"))
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, tt.scopes, p.Scopes)
		assert.JSONEq(t, `{"field":"agent.id","op":"eq","value":"7"}`, p.Where.String())
	}
}

func TestKeysRotateAndFail(t *testing.T) {
	i := newIssuer(t)
	old := i.add(t, "old", jose.ES256)
	keys := i.keysOf(t, OAuth{})
	try := func(k jose.JSONWebKey) error {
		_, err := keys.authenticate(t.Context(), sign(t, k, jose.ES256, nil, i.claims(nil)))
		return err
	}
	settled := func() {
		require.Eventually(t, func() bool { keys.keys.mu.Lock(); defer keys.keys.mu.Unlock(); return keys.keys.under == nil }, patience, time.Millisecond)
	}

	i.down.Store(true)
	assert.ErrorIs(t, try(old), errNoKeys, "never fetched: nobody can be told from anybody")
	i.down.Store(false)
	assert.ErrorIs(t, try(old), errNoKeys, "it waits before it asks again")
	i.pass(keyPause)
	require.NoError(t, try(old))

	fresh := i.add(t, "new", jose.ES256)
	made := jose.JSONWebKey{Key: fresh.Key, KeyID: "made up"}
	for range 50 {
		assert.ErrorIs(t, try(made), denied("the token's key is unknown"))
	}
	assert.EqualValues(t, 1, i.fetches.Load(), "a storm of unknown ids fetches nothing within the pause")
	i.pass(keyPause)
	for range 50 {
		assert.Error(t, try(made))
		require.NoError(t, try(fresh), "rotated in")
	}
	assert.EqualValues(t, 2, i.fetches.Load())

	i.down.Store(true)
	i.pass(23 * time.Hour)
	require.NoError(t, try(old), "an outage does not lock out who is known")
	settled()
	assert.ErrorIs(t, try(made), denied("the token's key is unknown"))
	i.pass(keyOutage - 23*time.Hour + time.Second)
	assert.ErrorIs(t, try(old), errNoKeys, "but not forever")
	settled()

	i.down.Store(false)
	i.mu.Lock()
	i.keys = i.keys[1:] // the old key is gone
	i.mu.Unlock()
	i.pass(keyPause)
	require.NoError(t, try(fresh))
	assert.ErrorIs(t, try(old), denied("the token's key is unknown"))
	settled()
}

func TestIssuersThatAreNotTheirs(t *testing.T) {
	for name, meta := range map[string]map[string]any{
		"another issuer":      {"issuer": "https://evil.example", "jwks_uri": "https://evil.example/keys"},
		"keys in the clear":   {"jwks_uri": "http://evil.example/keys"},
		"keys in a file":      {"jwks_uri": "file:///etc/passwd"},
		"keys nowhere":        {"jwks_uri": ""},
		"no keys for signing": {},
	} {
		i := newIssuer(t)
		k := i.add(t, "k", jose.ES256)
		i.keys[0].Use = "enc"
		maps.Copy(i.meta, meta)
		_, err := i.keysOf(t, OAuth{}).authenticate(t.Context(), sign(t, k, jose.ES256, nil, i.claims(nil)))
		assert.ErrorIs(t, err, errNoKeys, name)
	}
}

func TestProtectedResourceOverHTTP(t *testing.T) {
	i := newIssuer(t)
	k := i.add(t, "k", jose.ES256)
	h := serving(t, newBench().server(), HTTPOptions{Auth: ByOAuth, OAuth: OAuth{Issuer: i.URL, Audience: audience, now: i.now}})
	for _, path := range []string{"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"} {
		g := h.get(path)
		assert.Equal(t, 200, g.status)
		assert.JSONEq(t, `{"resource":"`+audience+`","authorization_servers":["`+i.URL+`"],"scopes_supported":["calls:read","transcripts:read","pii:read"],"bearer_methods_supported":["header"],"resource_name":"Call logs"}`, g.body)
	}
	ask := h.post(asks("1", "echo", "x")).header.Get("WWW-Authenticate")
	assert.Equal(t, `Bearer realm="call-logs-mcp", scope="calls:read transcripts:read", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"`, ask)
	token := sign(t, k, jose.ES256, nil, i.claims(nil))
	assert.Equal(t, "x", h.post(asks("1", "echo", "x"), "Authorization", "Bearer "+token).text())
	expired := sign(t, k, jose.ES256, nil, i.claims(map[string]any{"exp": 1}))
	g := h.post(asks("1", "echo", "x"), "Authorization", "Bearer "+expired)
	assert.Equal(t, 401, g.status)
	assert.Contains(t, g.header.Get("WWW-Authenticate"), `error="invalid_token", error_description="the token has expired"`)
	none := sign(t, k, jose.ES256, nil, i.claims(map[string]any{"scope": "openid"}))
	g = h.post(asks("1", "echo", "x"), "Authorization", "Bearer "+none)
	assert.Equal(t, 403, g.status)
	assert.Contains(t, g.header.Get("WWW-Authenticate"), `error="insufficient_scope"`)
	assert.NotContains(t, h.logs.String(), "ada@example.com")
	assert.NotContains(t, h.logs.String(), token)

	i.down.Store(true)
	away := serving(t, newBench().server(), HTTPOptions{Auth: ByOAuth, OAuth: OAuth{Issuer: i.URL, Audience: audience, now: i.now}})
	g = away.post(asks("1", "echo", "x"), "Authorization", "Bearer "+token)
	assert.Equal(t, 503, g.status, "that is no fault of the token")
	assert.Equal(t, "30", g.header.Get("Retry-After"))
}
