package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// floors is who may import whom. The app knows everyone, and a package that is not
// here is a new room: say whom it may know. Tests may reach for calltest and for
// the demo, which is the upstream that they are served from. A folder of client
// without a row of its own is a provider, and the same holds for all of them.
var floors = map[string][]string{
	"internal/app":           {"client", "client/rest", "internal/call", "internal/config", "internal/filter", "internal/mirror", "internal/mirror/store", "internal/redact", "internal/render", "internal/serve", "internal/setup", "prompts", "resources", "tools", "internal/lazyregexp"},
	"internal/phone":         {"internal/lazyregexp"},
	"internal/lazyregexp":    {},
	"internal/filter":        {"internal/phone", "internal/lazyregexp"},
	"internal/fair":          {},
	"internal/redact":        {"internal/phone", "internal/lazyregexp"},
	"internal/config":        {"client/provider", "internal/filter"}, // what providers declare of themselves, and none of them; its "did you mean"
	"internal/serve":         {"internal/call", "internal/fair", "internal/filter"},
	"internal/setup":         {"internal/call"},
	"internal/call":          {"internal/filter", "internal/lazyregexp"},
	"internal/call/calltest": {"internal/call", "internal/filter"},
	"internal/render":        {"internal/call", "internal/filter", "internal/lazyregexp"},
	"internal/mirror":        {"internal/call", "internal/filter", "internal/mirror/store"},
	"internal/mirror/store":  {"internal/call", "internal/fair", "internal/filter"},
	"client/rest":            {"internal/call", "internal/redact"},
	"client/provider":        {"client/rest", "internal/call"},
	"client/demo":            {"internal/filter"},
	"client/file":            {"client/loose", "client/provider", "internal/call", "internal/filter", "internal/lazyregexp"},
	"client/loose":           {"internal/call", "internal/lazyregexp"},
	"client/wire":            {"internal/call"},
	"client/wire/wiretest":   {"internal/call"},
	"client/*":               {"client/loose", "client/provider", "client/rest", "client/wire", "internal/call", "internal/filter", "internal/lazyregexp"}, // a provider; none knows another
	"client/*/*test":         {"internal/call", "internal/call/calltest"},                                                                                  // its API, served in memory
	"client":                 {"client/*", "client/demo", "client/file", "client/provider", "client/rest", "internal/call"},
	"resources":              {"internal/call", "internal/render"},
	"prompts":                {"internal/render", "resources"},
	"tools":                  {"internal/call", "internal/filter", "internal/render"},
}

// tests is what tests may import beyond that, anywhere.
var tests = []string{"client", "client/provider", "tools", "resources", "prompts", "internal/call/calltest", "internal/call", "internal/filter", "client/demo", "client/*", "client/*/*test", "client/file", "client/loose", "client/rest", "client/wire", "client/wire/wiretest", "internal/mirror/store"}

// floorOf is the row of a package: its own, or that of all providers.
func floorOf(name string) string {
	if _, own := floors[name]; own {
		return name
	}
	for _, pattern := range []string{"client/*", "client/*/*test"} {
		if ok, _ := path.Match(pattern, name); ok {
			return pattern
		}
	}
	return name
}

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
		may, ok := floors[floorOf(name)]
		if !assert.Truef(t, ok, "%s is a new room: say in floors whom it may import", name) {
			continue
		}
		for _, path := range p.Imports {
			if path, ok := strings.CutPrefix(path, module+"/"); ok {
				assert.Containsf(t, may, floorOf(path), "%s may not import %s", name, path)
			}
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			if path, ok := strings.CutPrefix(path, module+"/"); ok && path != name {
				assert.Truef(t, slices.Contains(may, floorOf(path)) || slices.Contains(tests, floorOf(path)), "tests of %s may not import %s", name, path)
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
