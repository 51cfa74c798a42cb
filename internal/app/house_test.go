package app

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/serve"
)

// What is not ready says so, and a copy that can be opened again is.
func TestReadyOnceTheCopyOpens(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "calls")
	require.NoError(t, os.WriteFile(blocked, nil, 0o600)) // where the copy's directory should be
	cfg, err := config.Parse(client.Providers(), []string{"--demo", "--mirror", filepath.Join(blocked, "demo.db")}, func(string) string { return "" }, io.Discard)
	require.NoError(t, err)
	h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), now)
	require.NoError(t, err)
	require.NotNil(t, h.ready)
	require.Error(t, h.ready(t.Context()))
	require.Error(t, h.ready(t.Context()), "as long as that is so")
	require.NoError(t, os.Remove(blocked))
	assert.NoError(t, h.ready(t.Context()))

	h, err = open(config.Options{Place: config.Place{Demo: true, Copy: config.Copy{Mirror: config.MirrorMemory}}}, "test", slog.New(slog.DiscardHandler), now)
	require.NoError(t, err)
	assert.Nil(t, h.ready, "a copy in memory needs nothing")
}

func TestTokensForAWhile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(file, []byte("# by hand, without a newline"), 0o600))
	var out strings.Builder
	require.NoError(t, newToken(config.TokenCall{Name: "anna", Expires: 36 * time.Hour, Tokens: file}, now(), &out))
	assert.Contains(t, out.String(), "It lets in until 2026-11-22 21:12 UTC.")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(data), "newline\n{")
	assert.Contains(t, string(data), `"expires":"2026-11-22T21:12:00Z"`)
}

func TestLimitsReachTheServer(t *testing.T) {
	options := func(args string) serve.HTTPOptions {
		cfg, err := config.Parse(client.Providers(), strings.Fields("--demo --http 127.0.0.1:0 --no-auth "+args), func(string) string { return "" }, io.Discard)
		require.NoError(t, err)
		return overHTTP(cfg.HTTP)
	}
	o := options("--rate 30 --in-flight 8 --in-flight-per-principal 2 --connections-per-address 5 --drain-delay 7s")
	assert.Equal(t, serve.Rates{PerMinute: 30, InFlight: 8, PerPrincipal: 2, PerAddress: 5}, o.Rates)
	assert.Equal(t, 7*time.Second, o.DrainDelay)
	assert.Zero(t, options("").DrainDelay, "what the address asks for")
	assert.Negative(t, options("--drain-delay 0").DrainDelay, "none")
}

func TestOAuthFlagsReachTheServer(t *testing.T) {
	cfg, err := config.Parse(client.Providers(), strings.Fields("--demo --http 127.0.0.1:0 --oauth-issuer https://id.example.com --oauth-audience calls "+
		"--oauth-resource https://calls.example.com/mcp --oauth-filter-claim call_logs --oauth-algorithm ES256"), func(string) string { return "" }, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, serve.OAuth{
		Issuer: "https://id.example.com", Audience: "calls", Resource: "https://calls.example.com/mcp", FilterClaim: "call_logs", Algorithms: []string{"ES256"},
	}, overHTTP(cfg.HTTP).OAuth)
}
