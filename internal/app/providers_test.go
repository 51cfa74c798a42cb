package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	mcpclient "github.com/mark3labs/mcp-go/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	demoapi "call-logs-mcp/client/demo"
	"call-logs-mcp/client/telzino/telzinotest"
	"call-logs-mcp/client/zudu/zudutest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
)

// three is the three providers over real HTTP, and what they were asked.
type three struct {
	cekura  *demoapi.API
	telzino *telzinotest.API
	zudu    *zudutest.API
	env     map[string]string
	path    string // of the configuration file
	before  int    // requests of the demo API when it was asked last
}

func threeProviders(t *testing.T) *three {
	t.Helper()
	s := &three{
		cekura:  demoapi.New(demoapi.Options{Calls: 120, Seed: 1, Now: now}),
		telzino: telzinotest.New(90, now), zudu: zudutest.New(90, now),
		env: map[string]string{
			"C_KEY": "canary-cekura", "T_SECRET": telzinotest.Secret, "Z_KEY": zudutest.Key, "Z_SECRET": zudutest.Secret,
		},
		path: filepath.Join(t.TempDir(), "config.yaml"),
	}
	serve := func(h http.Handler) string {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", now().Format(http.TimeFormat))
			h.ServeHTTP(w, r)
		}))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	require.NoError(t, os.WriteFile(s.path, fmt.Appendf(nil, `sources:
  support: {provider: cekura, base_url: %q, api_key: env:C_KEY}
  bookings: {provider: telzino, base_url: %q, client_id: %s, client_secret: env:T_SECRET}
  outbound: {provider: zudu, base_url: %q, api_key: env:Z_KEY, api_secret: env:Z_SECRET}
`, serve(s.cekura), serve(s.telzino), telzinotest.ClientID, serve(s.zudu)), 0o600))
	return s
}

func (s *three) config(t *testing.T, flags ...string) config.Config {
	t.Helper()
	home := t.TempDir()
	cfg, err := config.Parse(client.Providers(), append([]string{"serve", "--config", s.path}, flags...), func(name string) string {
		if name == "HOME" {
			return home
		}
		return s.env[name]
	}, os.Stderr)
	require.NoError(t, err)
	return cfg
}

// asked is how many requests each got since it was asked.
func (s *three) asked() string {
	before := s.before
	s.before = s.cekura.Requests()
	return fmt.Sprintf("requests: support %d, bookings %d, outbound %d\n", s.before-before, s.telzino.Asked(), s.zudu.Asked())
}

// took differs from run to run.
var took = regexp.MustCompile(`in \d+\.\d s`)

// The first page of three lists costs one request each: where an account has
// several agents, each has a list of its own.
func TestThreeProvidersCostOneRequestEach(t *testing.T) {
	s := threeProviders(t)
	data, err := os.ReadFile(s.path)
	require.NoError(t, err)
	one := strings.Replace(string(data), "client_id:", "agent_ids: ["+telzinotest.AgentID(0)+"], client_id:", 1)
	require.NoError(t, os.WriteFile(s.path, []byte(one), 0o600))
	text := textOf(t, ask(t, connect(t, s.config(t)), "list_call_logs", `{"timestamp_from":"now-20d","page_size":20}`))
	assert.Contains(t, text, "20 calls of an unknown total") // two of the three do not count a window
	assert.Equal(t, "requests: support 1, bookings 1, outbound 1\n", s.asked())
}

// What a model reads where three providers answer as one, with what it cost
// them; make golden writes it.
func TestGoldenThreeProviders(t *testing.T) {
	s := threeProviders(t)
	var b strings.Builder
	say := func(c *mcpclient.Client, tool, args string) {
		text := textOf(t, ask(t, c, tool, args))
		assert.NotContains(t, text, "canary")
		text = settled(text)
		fmt.Fprintf(&b, "> %s %s\n%s\n%s\n", tool, args, text, s.asked())
	}
	c := connect(t, s.config(t, "--mirror", "memory"))
	b.WriteString("# Lists ask the sources.\n\n")
	say(c, "list_call_logs", `{"timestamp_from":"now-7d","page_size":8}`)
	say(c, "list_call_logs", `{"timestamp_from":"now-7d","success":false,"source":"outbound","page_size":3}`)
	b.WriteString("# The first search fills the copy, the second asks nobody.\n\n")
	say(c, "search_transcripts", `{"query":"refund","timestamp_from":"now-14d","order_by":"newest","page_size":6}`)
	say(c, "aggregate_call_logs", `{"timestamp_from":"now-14d","group_by":["source"]}`)

	b.WriteString("# One of them with a wrong key: the others answer.\n\n")
	s.env["Z_SECRET"] = "wrong-one"
	cfg := s.config(t, "--mirror", "off")
	say(connect(t, cfg), "list_call_logs", `{"timestamp_from":"now-7d","page_size":4}`)
	h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), now)
	require.NoError(t, err)
	var report bytes.Buffer
	assert.ErrorIs(t, h.doctor(t.Context(), config.Copy{}, &report), errTold)
	fmt.Fprintf(&b, "$ call-logs-mcp doctor\n%s", took.ReplaceAllString(report.String(), "in … s"))
	assert.NotContains(t, b.String(), "wrong-one")
	golden(t, filepath.Join("sources", "three.txt"), b.String())
}

// A call that lists no longer show is asked for by its key where the API can be
// asked, before the copy believes that it is gone.
func TestWhatVanishedIsAskedFor(t *testing.T) {
	at := now()
	clock := func() time.Time { return at }
	api, asked := zudutest.New(60, clock), []string{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			asked = append(asked, r.URL.Path)
		}
		api.ServeHTTP(w, r)
	}))
	defer srv.Close()
	env := map[string]string{"HOME": t.TempDir(), "ZUDU_API_KEY": zudutest.Key, "ZUDU_API_SECRET": zudutest.Secret, "ZUDU_BASE_URL": srv.URL}
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	synced := func() string {
		cfg, err := config.Parse(client.Providers(), []string{"sync", "--mirror", path, "--details", "none"}, func(name string) string { return env[name] }, os.Stderr)
		require.NoError(t, err)
		h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), clock)
		require.NoError(t, err)
		var out strings.Builder
		require.NoError(t, h.sync(t.Context(), cfg, &out))
		return out.String()
	}
	synced()
	require.Empty(t, asked)
	key := api.Rows[3]["call_id"].(string)
	api.Delete(call.ID{Key: key})
	at = at.Add(8 * 24 * time.Hour)
	assert.Contains(t, synced(), "1 gone")
	assert.Equal(t, []string{"/api/calls/" + key}, asked)
}
