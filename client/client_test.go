package client

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/provider"
	"call-logs-mcp/internal/call"
)

// What a provider owes beside its line. How it is documented is demanded where the
// table of the README is written.
func TestProviders(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Providers() {
		t.Run(p.Name, func(t *testing.T) {
			assert.False(t, seen[p.Name], "two providers of one name")
			seen[p.Name] = true
			assert.NotEmpty(t, p.Title)
			declares(t, p)
			tested(t, p)
			opens(t, p)
		})
	}
	_, err := Open("nobody", Options{})
	assert.ErrorContains(t, err, `no provider "nobody"`)
}

// declares demands a declaration that configuration can use.
func declares(t *testing.T, p provider.Spec) {
	assert.Equal(t, p.Files, len(p.Logins) == 0, "an API takes credentials, a file none")
	assert.Equal(t, p.Files, p.BaseURL == "", "an API has an address, a file none")
	variables := map[string]bool{}
	for _, key := range append(p.Credentials(), provider.BaseURL) {
		variables[p.Variable(key)] = true
	}
	for _, o := range p.Narrow {
		assert.Contains(t, []string{provider.ProjectID, provider.AgentIDs}, o.Key, "a source is kept to these")
		assert.False(t, variables[p.Variable(o.Key)], "%s has two meanings", p.Variable(o.Key))
		assert.NotEmpty(t, o.Placeholder)
		assert.NotEmpty(t, o.Help)
		variables[p.Variable(o.Key)] = true
	}
	spec, err := os.ReadFile(filepath.Join(p.Name, "spec.go"))
	require.NoError(t, err, "a provider declares itself in client/%s/spec.go", p.Name)
	assert.Contains(t, string(spec), "Lists:", "say what its lists can be asked for: nothing at all makes sync slow, and is seldom meant")
}

// tested demands the suite of all sources, and answers of the API as fixtures with
// what is read from them.
func tested(t *testing.T, p provider.Spec) {
	files, err := filepath.Glob(filepath.Join(p.Name, "*_test.go"))
	require.NoError(t, err)
	words := ""
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		words += string(data)
	}
	assert.Contains(t, words, "calltest.TestSource(t", "law 4: a source is a source")
	if p.Files {
		return
	}
	golden, err := filepath.Glob("../testdata/upstream/" + p.Name + "/*.golden.json")
	require.NoError(t, err)
	assert.NotEmpty(t, golden, "answers of its API, and what is read from them, in testdata/upstream/%s", p.Name)
	for _, file := range golden {
		assert.FileExists(t, strings.Replace(file, ".golden.", ".", 1))
		assert.Contains(t, words, p.Name+"/"+filepath.Base(file), "a test reads it")
	}
}

// opens demands that each login opens a source, that nothing less does, and that
// the error names the variables.
func opens(t *testing.T, p provider.Spec) {
	open := func(keys ...string) (call.Source, error) {
		given := map[string]string{}
		for _, key := range keys {
			given[key] = "k"
		}
		return Open(p.Name, Options{Name: "x", Credential: func(key string) string { return given[key] }})
	}
	for _, login := range p.Logins {
		src, err := open(login...)
		require.NoError(t, err, "%v", login)
		assert.NotNil(t, src)
		_, err = open(login[1:]...)
		require.Error(t, err, "%v", login[1:])
		for _, key := range p.Logins[0] {
			assert.ErrorContains(t, err, p.Variable(key))
		}
	}
}
