// Package wiretest is what the tests of all providers need to compare what they
// made of an upstream's answers.
package wiretest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
)

// Upstream is where the fixtures are, as a package under client sees them.
const upstream = "../../testdata/upstream"

// Credentials answers with what keys has, as provider.Options ask for it.
func Credentials(keys map[string]string) func(string) string {
	return func(key string) string { return keys[key] }
}

// Fixture is an answer of a provider, such as "zudu/list.json".
func Fixture(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(upstream, name))
	require.NoError(t, err)
	return text
}

// Golden compares got, as JSON that a person can read, with a file, which it
// writes first where update says so.
func Golden(t testing.TB, update bool, name string, got any) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(got))
	if update {
		require.NoError(t, os.WriteFile(filepath.Join(upstream, name), b.Bytes(), 0o644))
	}
	assert.Equal(t, string(Fixture(t, name)), b.String())
}

// Fails requires an error of a kind that says words and, like what caused it,
// nothing that is secret: the secrets of test upstreams begin with canary.
func Fails(t testing.TB, err error, kind call.Kind, words string) *call.Error {
	t.Helper()
	var e *call.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, kind, e.Kind, e.Error())
	assert.Contains(t, e.Error(), words)
	assert.NotContains(t, e.Error(), "canary")
	if e.Err != nil {
		assert.NotContains(t, e.Err.Error(), "canary")
	}
	return e
}
