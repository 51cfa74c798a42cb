package app

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/mirror"
)

// command runs the program as a person would, and returns what it printed.
func command(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	home := t.TempDir()
	env := func(name string) string { return map[string]string{"HOME": home}[name] }
	var out, errs strings.Builder
	err = run(context.Background(), "test", args, env, strings.NewReader(""), &out, &errs)
	return out.String(), errs.String(), err
}

// The walk is six real tool calls, none of which fails.
func TestDemoWalks(t *testing.T) {
	out, _, err := command(t, "demo")
	require.NoError(t, err)
	for _, want := range []string{"1. ", "6. ", "sample data (call-logs-mcp demo)", "timeout after 8 s", "r42", "claude mcp add"} {
		assert.Contains(t, out, want)
	}
}

func TestServeWithoutSourcesStops(t *testing.T) {
	_, _, err := command(t, "serve")
	require.Error(t, err)
	assert.Equal(t, 2, config.ExitCode(err))
	assert.Contains(t, err.Error(), "CEKURA_API_KEY")
	assert.Contains(t, err.Error(), "--demo")
}

// A copy in a file is filled, told of, and answers the next process.
func TestSyncedCopyAnswers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	_, errs, err := command(t, "sync", "--demo", "--mirror", path)
	require.NoError(t, err)
	assert.Regexp(t, `^\d+ calls read with \d+ questions, \d+ new or changed, \d+ gone\n$`, errs, "no terminal, no bar")
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	out, _, err := command(t, "status", "--demo", "--mirror", path)
	require.NoError(t, err)
	assert.Contains(t, out, "demo: 600 calls")
	out, _, err = command(t, "tool", "search_transcripts", `{"query":"refund"}`, "--demo", "--mirror", path)
	require.NoError(t, err)
	assert.Contains(t, out, "by relevance")
	assert.Contains(t, out, "searched all 600 calls")
	assert.Contains(t, out, "(copy as of ")
}

// What is forgotten is removed, looked for, and not brought back by the next sync.
func TestForgottenCallsAreNotSyncedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	_, _, err := command(t, "sync", "--demo", "--mirror", path)
	require.NoError(t, err)
	out, _, err := command(t, "tool", "list_call_logs", `{"page_size":1,"response_format":"json"}`, "--demo", "--mirror", "off")
	require.NoError(t, err)
	id := regexp.MustCompile(`demo/\d+`).FindString(out)
	require.NotEmpty(t, id)
	out, _, err = command(t, "purge", "--call", id, "--forget", "--yes", "--demo", "--mirror", path)
	require.NoError(t, err)
	assert.Contains(t, out, "1 calls removed\n  "+id)
	assert.Contains(t, out, "looked for traces in: calls, records,")
	assert.Contains(t, out, "residue found: 0\n")
	for range 2 {
		_, _, err = command(t, "sync", "--demo", "--mirror", path)
		require.NoError(t, err)
		out, _, err = command(t, "status", "--demo", "--mirror", path)
		require.NoError(t, err)
		assert.Contains(t, out, "demo: 599 calls")
		assert.Contains(t, out, "MB, no damage\n")
	}
	_, _, err = command(t, "purge", "--all", "--forget", "--yes", "--demo", "--mirror", path)
	assert.ErrorContains(t, err, "--forget is of calls and numbers alone")
}

// A damaged copy is said by doctor and set aside by sync, which makes a new one.
func TestADamagedCopyIsBuiltAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	_, _, err := command(t, "sync", "--demo", "--mirror", path)
	require.NoError(t, err)
	out, _, err := command(t, "doctor", "--demo", "--mirror", path)
	require.NoError(t, err, out)
	assert.Regexp(t, `copy +ok +integrity +.*: no damage`, out)
	require.NoError(t, os.Truncate(path, 100_000))
	out, _, err = command(t, "doctor", "--demo", "--mirror", path)
	require.Error(t, err)
	assert.Regexp(t, `copy +FAIL +integrity`, out)
	assert.Contains(t, out, "sets it aside")
	_, errs, err := command(t, "sync", "--demo", "--mirror", path)
	require.NoError(t, err)
	assert.Contains(t, errs, "The copy was damaged: it was set aside as "+path+".damaged-")
	out, _, err = command(t, "status", "--demo", "--mirror", path)
	require.NoError(t, err)
	assert.Contains(t, out, "demo: 600 calls")
	assert.Contains(t, out, "set aside as damaged: "+path+".damaged-")
}

// On a terminal progress is one line, drawn over itself; elsewhere it is a line
// every ten seconds, and nothing that steers a terminal.
func TestMeter(t *testing.T) {
	shown := func(terminal bool) string {
		var out strings.Builder
		at := now()
		m := newMeter(&out, terminal, func() time.Time { return at })
		for i := range 101 { // 25 s in all
			m.show(mirror.Progress{Source: "cekura", Done: i, Total: 100, Requests: i})
			at = at.Add(250 * time.Millisecond)
		}
		m.end("100 calls read")
		return out.String()
	}
	assert.Equal(t, `cekura [#########---------------] 40 % of 100 calls · 40 questions
cekura [###################-----] 80 % of 100 calls · 80 questions
100 calls read
`, shown(false))
	drawn := shown(true)
	assert.Equal(t, 52, strings.Count(drawn, "\r\x1b[K"), "twice a second, and the end")
	assert.True(t, strings.HasSuffix(drawn, "\r\x1b[Kcekura [########################] 100 % of 100 calls · 100 questions\r\x1b[K100 calls read\n"))
	assert.Equal(t, 1, strings.Count(drawn, "\n"))
}

func TestToolExitsWithTheAnswer(t *testing.T) {
	out, _, err := command(t, "tool", "get_call_log", `{"id":"demo/1"}`, "--demo")
	assert.ErrorIs(t, err, errTold)
	assert.Contains(t, out, `demo has no call "1"`)
	_, _, err = command(t, "tool", "nothing", "--demo")
	assert.ErrorContains(t, err, "there are aggregate_call_logs, describe_fields")
}

func TestDoctorAndTokens(t *testing.T) {
	out, _, err := command(t, "doctor", "--demo")
	require.NoError(t, err)
	assert.Contains(t, out, "All is well")
	file := filepath.Join(t.TempDir(), "tokens")
	out, _, err = command(t, "token", "new", "anna", "--tokens", file)
	require.NoError(t, err)
	plain, _, _ := strings.Cut(out, "\n")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.NotContains(t, string(data), plain, "the file has its hash alone")
	_, _, err = command(t, "token", "new", "anna", "--tokens", file)
	assert.ErrorContains(t, err, "anna", "a second one of the same name would make the file invalid")
}
