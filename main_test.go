package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/serve"
)

// floors is who may import whom. Main knows everyone, and a package that is not
// here is a new room: say whom it may know. Tests may reach for calltest and for
// the demo, which is the upstream that they are served from.
var floors = map[string][]string{
	"internal/filter":            {},
	"internal/redact":            {},
	"internal/config":            {},
	"internal/serve":             {"internal/call", "internal/filter"},
	"internal/setup":             {"internal/call"},
	"internal/call":              {"internal/filter"},
	"internal/call/calltest":     {"internal/call", "internal/filter"},
	"internal/render":            {"internal/call", "internal/filter"},
	"internal/mirror":            {"internal/call", "internal/filter", "internal/mirror/store"},
	"internal/mirror/store":      {"internal/call", "internal/filter"},
	"client/rest":                {"internal/call", "internal/redact"},
	"client/cekura":              {"client/rest", "client/wire", "internal/call", "internal/filter"},
	"client/demo":                {"internal/filter"},
	"client/file":                {"internal/call", "internal/filter"},
	"client/wire":                {"internal/call"},
	"client/telzino":             {"client/rest", "client/wire", "internal/call", "internal/filter"},
	"client/zudu":                {"client/rest", "client/wire", "internal/call", "internal/filter"},
	"client/wire/wiretest":       {"internal/call"},
	"client/telzino/telzinotest": {"internal/call", "internal/call/calltest"},
	"client/zudu/zudutest":       {"internal/call", "internal/call/calltest"},
	"client":                     {"client/cekura", "client/demo", "client/file", "client/rest", "client/telzino", "client/zudu", "internal/call"},
	"resources":                  {"internal/call", "internal/render"},
	"prompts":                    {"internal/render", "resources"},
	"tools":                      {"internal/call", "internal/filter", "internal/render"},
}

// tests is what tests may import beyond that, anywhere.
var tests = []string{"tools", "resources", "prompts", "internal/call/calltest", "internal/call", "internal/filter", "client/demo", "client/cekura", "client/file", "client/rest", "client/wire", "client/telzino", "client/zudu", "client/telzino/telzinotest", "client/zudu/zudutest", "client/wire/wiretest", "internal/mirror/store"}

// Law 1: the floors of the house.
func TestFloors(t *testing.T) {
	const module = "call-logs-mcp"
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...").Output()
	require.NoError(t, err)
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for dec.More() {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		require.NoError(t, dec.Decode(&p))
		name, ok := strings.CutPrefix(p.ImportPath, module+"/")
		if !ok {
			continue
		}
		may, ok := floors[name]
		if !assert.Truef(t, ok, "%s is a new room: say in floors whom it may import", name) {
			continue
		}
		for _, path := range p.Imports {
			if path, ok := strings.CutPrefix(path, module+"/"); ok {
				assert.Containsf(t, may, path, "%s may not import %s", name, path)
			}
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			if path, ok := strings.CutPrefix(path, module+"/"); ok && path != name {
				assert.Truef(t, slices.Contains(may, path) || slices.Contains(tests, path), "tests of %s may not import %s", name, path)
			}
		}
	}
}

// A file a person cannot hold in his head is two files.
func TestFilesAreShort(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{range .GoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}`, "./...").Output()
	require.NoError(t, err)
	for _, path := range strings.Fields(string(out)) {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.LessOrEqualf(t, bytes.Count(data, []byte("\n")), 400, "%s has a noun missing", filepath.Base(path))
	}
}

// What is not ready says so, and a copy that can be opened again is.
func TestReadyOnceTheCopyOpens(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "calls")
	require.NoError(t, os.WriteFile(blocked, nil, 0o600)) // where the copy's directory should be
	cfg, err := config.Parse([]string{"--demo", "--mirror", filepath.Join(blocked, "demo.db")}, func(string) string { return "" }, io.Discard)
	require.NoError(t, err)
	h, err := open(cfg.Options, slog.New(slog.DiscardHandler), now)
	require.NoError(t, err)
	require.NotNil(t, h.ready)
	require.Error(t, h.ready(t.Context()))
	require.Error(t, h.ready(t.Context()), "as long as that is so")
	require.NoError(t, os.Remove(blocked))
	assert.NoError(t, h.ready(t.Context()))

	h, err = open(config.Options{Place: config.Place{Demo: true, Copy: config.Copy{Mirror: config.MirrorMemory}}}, slog.New(slog.DiscardHandler), now)
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
		cfg, err := config.Parse(strings.Fields("--demo --http 127.0.0.1:0 --no-auth "+args), func(string) string { return "" }, io.Discard)
		require.NoError(t, err)
		return overHTTP(cfg.HTTP)
	}
	o := options("--rate 30 --in-flight 8 --in-flight-per-principal 2 --drain-delay 7s")
	assert.Equal(t, serve.Rates{PerMinute: 30, InFlight: 8, PerPrincipal: 2}, o.Rates)
	assert.Equal(t, 7*time.Second, o.DrainDelay)
	assert.Zero(t, options("").DrainDelay, "what the address asks for")
	assert.Negative(t, options("--drain-delay 0").DrainDelay, "none")
}
