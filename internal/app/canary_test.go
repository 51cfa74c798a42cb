package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	demoapi "call-logs-mcp/client/demo"
	"call-logs-mcp/client/telzino/telzinotest"
	"call-logs-mcp/client/zudu/zudutest"
	"call-logs-mcp/internal/call"
)

// The built program does all that it can, with secrets and personal data that
// nobody else has. Afterwards no secret is in anything that it said or wrote, but
// for a new token's one print; and personal data is in the copy alone, and in
// answers where it may be shown.
func TestCanaries(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the program for some ten seconds")
	}
	c := newCage(t)
	c.commands()
	c.overStdio()
	c.overHTTP()
	c.overOAuth()
	c.whenUpstreamsFail()
	c.purges()
	c.noSecrets()
	c.noPersonalData()
}

// A cage is the program with its upstreams, and all that came out of it.
type cage struct {
	t         *testing.T
	bin       string
	home, tmp string
	env       []string
	carrier   *carrier
	secrets   map[string]string // by what they are
	token     string            // of a principal that sees personal data masked
	showing   string            // of one that sees it
	tokens    string            // their file
	copied    map[call.ID]string

	mu    sync.Mutex
	said  map[string]*bytes.Buffer // stdout, stderr, answers, shown, metrics, traces
	trace *httptest.Server
}

func newCage(t *testing.T) *cage {
	c := &cage{t: t, bin: built(t), home: t.TempDir(), tmp: t.TempDir(), said: map[string]*bytes.Buffer{}}
	c.carrier = &carrier{canaries: canaries(), told: map[int]bool{}}
	c.secrets = map[string]string{
		"Cekura's key": "canary-cekura-5e1fd0c2", "Telzino's secret": "canary-telzino-8b40aa71", "Telzino's token": "canary-token-",
		"Zudu's key": zudutest.Key, "Zudu's secret": zudutest.Secret, "the cursors' secret": "canary-cursors-0f93b7d41c6e4a88a1f2",
		"a wrong token": "canary-wrong-token-d41c",
	}
	telzino := telzinotest.New(12, time.Now)
	telzino.Secret = c.secrets["Telzino's secret"]
	cekura := c.carrier.before(demoapi.New(demoapi.Options{Calls: 40, Seed: 5, Key: c.secrets["Cekura's key"]}))
	two, three := c.carrier.before(telzino), c.carrier.before(zudutest.New(12, time.Now))
	c.trace = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(c.at("traces"), r.Body)
		fmt.Fprintln(c.at("traces"), r.URL, r.Header)
	}))
	for _, s := range []*httptest.Server{cekura, two, three, c.trace} {
		t.Cleanup(s.Close)
	}
	c.env = []string{
		"HOME=" + c.home, "TMPDIR=" + c.tmp, "PATH=" + os.Getenv("PATH"),
		"CEKURA_API_KEY=" + c.secrets["Cekura's key"], "CEKURA_BASE_URL=" + cekura.URL,
		"TELZINO_CLIENT_ID=" + telzinotest.ClientID, "TELZINO_CLIENT_SECRET=" + telzino.Secret, "TELZINO_BASE_URL=" + two.URL,
		"ZUDU_API_KEY=" + zudutest.Key, "ZUDU_API_SECRET=" + zudutest.Secret, "ZUDU_BASE_URL=" + three.URL,
		"CALL_LOGS_CURSOR_SECRET=" + c.secrets["the cursors' secret"], "OTEL_EXPORTER_OTLP_ENDPOINT=" + c.trace.URL,
	}
	return c
}

// at is where what came out of a place is gathered.
func (c *cage) at(place string) io.Writer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.said[place] == nil {
		c.said[place] = new(bytes.Buffer)
	}
	return &locked{&c.mu, c.said[place]}
}

type locked struct {
	mu *sync.Mutex
	to io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

// command is the program with everything that it logs.
func (c *cage) command(args ...string) *exec.Cmd {
	ctx, stop := context.WithTimeout(c.t.Context(), 2*time.Minute)
	c.t.Cleanup(stop)
	if args[0] != "token" && args[0] != "version" {
		args = append(args, "--log-level", "debug")
	}
	cmd := exec.CommandContext(ctx, c.bin, args...)
	cmd.Env, cmd.Stderr = c.env, c.at("stderr")
	return cmd
}

// run runs it to its end and returns what it printed.
func (c *cage) run(args ...string) string {
	cmd := c.command(args...)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		_, ended := err.(*exec.ExitError)
		require.True(c.t, ended, err)
	}
	_, _ = c.at("stdout").Write(out.Bytes())
	return out.String()
}

// commands are those that a person runs.
func (c *cage) commands() {
	c.tokens = filepath.Join(c.home, "tokens")
	for i, scopes := range []string{"calls:read,transcripts:read", "calls:read,transcripts:read,pii:read"} {
		cmd := c.command("token", "new", fmt.Sprintf("person%d", i), "--tokens", c.tokens, "--scope", scopes)
		out, err := cmd.Output()
		require.NoError(c.t, err)
		token, _, _ := strings.Cut(string(out), "\n")
		require.Greater(c.t, len(token), 32)
		c.secrets[fmt.Sprint("the token of person ", i)] = token
		c.token, c.showing = c.showing, token
	}
	assert.Contains(c.t, c.run("doctor"), "All is well")
	c.run("sync", "--once", "--details", "all")
	assert.Contains(c.t, c.run("status"), "zudu: 12 calls")
	c.run("tool", "list_call_logs", `{"page_size":100}`)
	c.run("tool", "search_transcripts", `{"query":"canary","response_format":"json"}`)
	c.run("tool", "list_call_logs", `{"agnt":"5"}`)
	c.run("version")
}

// asked is a number that is in questions alone: an answer may repeat it to who
// asked, and nobody else may read it.
const asked = "(415) 293-8642"

// questions are all that a client may ask of a call, mistakes included.
func questions(id string) (all []string) {
	source, key, _ := strings.Cut(id, "/")
	tool := func(name, args string) {
		all = append(all, fmt.Sprintf(`"tools/call","params":{"name":%q,"arguments":%s}`, name, args))
	}
	for _, format := range []string{"text", "json"} {
		tool("list_call_logs", fmt.Sprintf(`{"page_size":100,"timestamp_from":"now-60d","max_tokens":10000,"response_format":%q}`, format))
		tool("list_call_logs", fmt.Sprintf(`{"customer_number":%q,"response_format":%q}`, asked, format))
		for _, query := range []string{"it is", "know OR call OR the", `\"you know\"`} {
			tool("search_transcripts", fmt.Sprintf(`{"query":"%s","page_size":100,"context_turns":3,"max_tokens":10000,"response_format":%q}`, query, format))
		}
		tool("search_transcripts", fmt.Sprintf(`{"similar_to":%q,"response_format":%q}`, id, format))
		tool("get_call_log", fmt.Sprintf(`{"id":%q,"max_tokens":10000,"response_format":%q}`, id, format))
		tool("read_transcript", fmt.Sprintf(`{"id":%q,"max_tokens":10000,"response_format":%q}`, id, format))
		for _, by := range []string{"customer_number", "summary", "feedback", "dropoff_point", "error_message", "metadata.release", "topic", "call_id"} {
			tool("aggregate_call_logs", fmt.Sprintf(`{"group_by":[%q],"limit":100,"compare_to":"previous","response_format":%q}`, by, format))
			tool("describe_fields", fmt.Sprintf(`{"field":%q,"response_format":%q}`, by, format))
		}
	}
	for _, wrong := range []string{`{"agnt":"5"}`, `{"page_size":1000}`, `{"cursor":"c1.` + asked + `"}`, `{"filters_v2":"{\"field\":\"duration\",\"op\":\"contains\",\"value\":\"x\"}"}`, `{"timestamp_from":"last tuesdy"}`} {
		tool("list_call_logs", wrong)
	}
	tool("get_call_log", `{"id":"cekura/999999999"}`)
	tool("no_such_tool", `{}`)
	return append(all, `"tools/list"`, `"resources/list"`, `"resources/templates/list"`, `"prompts/list"`, `"no/such/method"`,
		`"resources/read","params":{"uri":"call://`+id+`"}`, `"resources/read","params":{"uri":"call://`+id+`/transcript?max_tokens=10000"}`,
		`"resources/read","params":{"uri":"call://fields"}`, `"resources/read","params":{"uri":"call://cekura/999999999"}`,
		`"prompts/get","params":{"name":"review_call","arguments":{"id":"`+id+`"}}`, `"prompts/get","params":{"name":"no_such_prompt"}`,
		`"completion/complete","params":{"ref":{"type":"ref/resource","uri":"call://{source}/{key}"},"argument":{"name":"key","value":"`+key[:1]+`"},"context":{"arguments":{"source":"`+source+`"}}}`,
		`"completion/complete","params":{"ref":{"type":"ref/prompt","name":"review_call"},"argument":{"name":"id","value":""}}`)
}

func message(id int, question string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%s}`, id, question)
}

// ids is one call of each source.
func (c *cage) ids() (ids []string) {
	for _, source := range []string{"cekura", "telzino", "zudu"} {
		var page listPage
		require.NoError(c.t, json.Unmarshal([]byte(c.run("tool", "list_call_logs", fmt.Sprintf(`{"source":%q,"page_size":1,"response_format":"json"}`, source))), &page))
		require.NotEmpty(c.t, page.Calls)
		ids = append(ids, page.Calls[0].ID)
	}
	return ids
}

// overStdio asks everything of one server, each question after the answer to
// the last.
func (c *cage) overStdio() {
	cmd := c.command("serve", "--log-format", "json")
	in, err := cmd.StdinPipe()
	require.NoError(c.t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(c.t, err)
	require.NoError(c.t, cmd.Start())
	answers := bufio.NewReader(io.TeeReader(out, c.at("answers")))
	ask := func(line string) {
		_, err := fmt.Fprintln(in, line)
		require.NoError(c.t, err)
		_, err = answers.ReadString('\n')
		require.NoError(c.t, err)
	}
	ask(message(0, `"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"canary","version":"1"}}`))
	for _, id := range c.ids() {
		for i, q := range questions(id) {
			ask(message(i+1, q))
		}
	}
	ask("garbage " + c.secrets["a wrong token"])
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
	if err == nil {
		_, _ = c.at("stdout").Write(cmdline)
	}
	require.NoError(c.t, in.Close())
	require.NoError(c.t, cmd.Wait())
}

// serving starts the program over HTTP; ask posts a question with a token.
func (c *cage) serving(args ...string) (addr string, ask func(place, token, body string) int, end func()) {
	addr = freeAddr(c.t)
	cmd := c.command(append([]string{"serve", "--http", addr, "--rate", "100000"}, args...)...)
	require.NoError(c.t, cmd.Start())
	require.Eventually(c.t, func() bool {
		r, err := http.Get("http://" + addr + "/healthz")
		return err == nil && r.Body.Close() == nil
	}, 10*time.Second, 20*time.Millisecond)
	ask = func(place, token, body string) int {
		req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, "http://"+addr+"/mcp", strings.NewReader(body))
		require.NoError(c.t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		return c.answered(place, req)
	}
	return addr, ask, func() {
		require.NoError(c.t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(c.t, cmd.Wait())
	}
}

func (c *cage) answered(place string, req *http.Request) int {
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	fmt.Fprintln(c.at(place), resp.Status, resp.Header)
	_, err = io.Copy(c.at(place), resp.Body)
	require.NoError(c.t, err)
	return resp.StatusCode
}

func (c *cage) get(place, url string, header ...string) int {
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, url, nil)
	require.NoError(c.t, err)
	if len(header) == 2 {
		req.Header.Set(header[0], header[1])
	}
	return c.answered(place, req)
}

// overHTTP asks with a token that masks, with one that shows, and with none.
func (c *cage) overHTTP() {
	metrics := freeAddr(c.t)
	addr, ask, end := c.serving("--tokens", c.tokens, "--metrics", metrics)
	for i, q := range questions(c.ids()[0]) {
		ask("answers", c.token, message(i, q))
		ask("shown", c.showing, message(i, q))
	}
	assert.Equal(c.t, http.StatusUnauthorized, ask("answers", c.secrets["a wrong token"], message(1, `"tools/list"`)))
	assert.Equal(c.t, http.StatusUnauthorized, ask("answers", "", message(1, `"tools/list"`)))
	assert.Equal(c.t, http.StatusBadRequest, ask("answers", c.token, `{"jsonrpc": "`+c.token))
	assert.Equal(c.t, http.StatusRequestEntityTooLarge, ask("answers", c.token, strings.Repeat(c.token, 1<<15)))
	assert.Equal(c.t, http.StatusMethodNotAllowed, c.get("answers", "http://"+addr+"/mcp?token="+c.token))
	assert.Equal(c.t, http.StatusForbidden, c.get("answers", "http://"+addr+"/mcp", "Origin", "https://"+c.secrets["a wrong token"]+".example.com"))
	assert.Equal(c.t, http.StatusOK, c.get("answers", "http://"+addr+"/readyz"))
	assert.Equal(c.t, http.StatusOK, c.get("metrics", "http://"+metrics+"/metrics"))
	end()
}

// overOAuth lets an authorization server say who asks.
func (c *cage) overOAuth() {
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(c.t, err)
	mux := http.NewServeMux()
	issuer := httptest.NewServer(mux)
	defer issuer.Close()
	answer := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(v) }
	}
	mux.HandleFunc("/.well-known/openid-configuration", answer(map[string]any{"issuer": issuer.URL, "jwks_uri": issuer.URL + "/keys"}))
	mux.HandleFunc("/keys", answer(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: "k", Algorithm: "EdDSA", Use: "sig"}}}))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: private, KeyID: "k"}}, (&jose.SignerOptions{}).WithType("at+jwt"))
	require.NoError(c.t, err)
	const audience = "https://calls.example.com/mcp"
	signed := func(what, aud string) string {
		claims, err := json.Marshal(map[string]any{"iss": issuer.URL, "aud": aud, "sub": "person", "client_id": "canary", "scope": "calls:read transcripts:read",
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "jti": what})
		require.NoError(c.t, err)
		s, err := signer.Sign(claims)
		require.NoError(c.t, err)
		token, err := s.CompactSerialize()
		require.NoError(c.t, err)
		c.secrets[what] = token
		return token
	}
	_, ask, end := c.serving("--oauth-issuer", issuer.URL, "--oauth-audience", audience, "--log-format", "json")
	id := c.ids()[0]
	good := signed("an access token", audience)
	for i, q := range questions(id)[:12] {
		assert.Equal(c.t, http.StatusOK, ask("answers", good, message(i, q)), q)
	}
	assert.Equal(c.t, http.StatusUnauthorized, ask("answers", signed("an access token for another", "https://other.example.com"), message(1, `"tools/list"`)))
	assert.Equal(c.t, http.StatusUnauthorized, ask("answers", good[:len(good)-8]+"AAAAAAAA", message(1, `"tools/list"`)))
	end()
}

// whenUpstreamsFail asks without a copy of upstreams that fail in every way, and
// tell what they should not.
func (c *cage) whenUpstreamsFail() {
	id := c.ids()[0]
	_, ask, end := c.serving("--no-auth", "--mirror", "off")
	for _, status := range []int{400, 401, 403, 404, 409, 422, 429, 500, 503, 200} {
		c.carrier.failing.Store(int64(status))
		for i, q := range questions(id)[:2] {
			ask("answers", "", message(i, q))
		}
		ask("answers", "", message(3, `"tools/call","params":{"name":"get_call_log","arguments":{"id":"`+id+`"}}`))
	}
	end()
	for _, status := range []int{401, 400} {
		c.carrier.failing.Store(int64(status))
		assert.NotContains(c.t, c.run("doctor"), "All is well")
		c.run("sync", "--once")
	}
	c.carrier.failing.Store(0)
}
