package app

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	demoapi "call-logs-mcp/client/demo"
	"call-logs-mcp/internal/config"
)

// several is a configuration of two upstreams that answer and one that does not.
func several(t *testing.T, flags ...string) (cfg config.Config, us, eu *demoapi.API) {
	t.Helper()
	us, eu = demoapi.New(demoapi.Options{Calls: 60, Seed: 1, Now: now}), demoapi.New(demoapi.Options{Calls: 50, Seed: 2, Now: now})
	one, two := httptest.NewServer(us), httptest.NewServer(eu)
	gone := httptest.NewServer(us)
	gone.Close()
	t.Cleanup(func() { one.Close(); two.Close() })
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, `sources:
  us: {provider: cekura, base_url: %q, api_key: env:US_KEY}
  eu: {provider: cekura, base_url: %q, api_key: env:EU_KEY}
  gone: {provider: cekura, base_url: %q, api_key: env:US_KEY}
`, one.URL, two.URL, gone.URL), 0o600))
	env := map[string]string{"US_KEY": "secret-us", "EU_KEY": "secret-eu", "HOME": t.TempDir()}
	cfg, err := config.Parse(client.Providers(), append([]string{"serve", "--config", path}, flags...), func(name string) string { return env[name] }, os.Stderr)
	require.NoError(t, err)
	return cfg, us, eu
}

// A question without a source goes to all: newest first, ids with their source,
// one request each, and a note about the one that fails.
func TestSeveralSourcesAnswerAsOne(t *testing.T) {
	cfg, us, eu := several(t, "--mirror", "off")
	c := connect(t, cfg)
	text := textOf(t, ask(t, c, "list_call_logs", `{"page_size":20}`))
	assert.Equal(t, 1, us.Requests())
	assert.Equal(t, 1, eu.Requests())
	assert.Contains(t, text, "Calls of gone are missing:")
	assert.Contains(t, text, "eu/")
	assert.Contains(t, text, "us/")
	assert.NotContains(t, text, "secret-")

	seen := map[string]bool{}
	for args := `{"page_size":13}`; ; {
		var p listPage
		data(t, c, "list_call_logs", args, &p)
		for _, call := range p.Calls {
			assert.False(t, seen[call.ID], call.ID)
			seen[call.ID] = true
		}
		if p.NextCursor == "" {
			break
		}
		args = fmt.Sprintf(`{"cursor":%q}`, p.NextCursor)
	}
	assert.Len(t, seen, 110)

	text = textOf(t, ask(t, c, "list_call_logs", `{"source":"eu","page_size":1}`))
	assert.Contains(t, text, "1 of 50 calls")
	assert.NotContains(t, text, "gone")
	r := ask(t, c, "list_call_logs", `{"source":"uk"}`)
	assert.Contains(t, textOf(t, r), `No source "uk". Did you mean us?`)
}

// The copy covers them all, and says which it could not read.
func TestSeveralSourcesAreSearched(t *testing.T) {
	cfg, _, _ := several(t, "--mirror", "memory")
	c := connect(t, cfg)
	text := textOf(t, ask(t, c, "search_transcripts", `{"query":"refund","page_size":30,"order_by":"newest"}`))
	assert.Contains(t, text, "eu/")
	assert.Contains(t, text, "us/")
	assert.Contains(t, text, "gone could not be asked")
	text = textOf(t, ask(t, c, "aggregate_call_logs", `{"group_by":["source"]}`))
	assert.Contains(t, text, "us | 60")
	assert.Contains(t, text, "eu | 50")
	assert.False(t, strings.Contains(text, "· complete"), "not all sources answered")
}
