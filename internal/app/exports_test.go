package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	"call-logs-mcp/internal/config"
)

// A call in the shapes that people export is found by what was said in it, and is
// never a call in which nobody spoke.
func TestExportsAreServed(t *testing.T) {
	var wide strings.Builder
	for _, u := range utf16.Encode([]rune("\ufeff" + `{"conversation_id":"e","turns":[{"role":"caller","text":"I want to cancel"}]}`)) {
		wide.Write([]byte{byte(u >> 8), byte(u)})
	}
	wide.WriteByte(0) // of the line's end
	for name, line := range map[string]string{
		"a role of others":    `{"conversation_id":"e","turns":[{"role":"user","text":"I want to cancel"},{"role":"assistant","text":"Sure"}]}`,
		"a capital":           `{"conversation_id":"e","turns":[{"role":"Caller","text":"I want to cancel"}]}`,
		"an epoch":            `{"conversation_id":"e","started_at":1795168800000,"turns":[{"role":"caller","text":"I want to cancel"}]}`,
		"no offset":           `{"conversation_id":"e","started_at":"2026-11-20 10:00:00","turns":[{"role":"caller","text":"I want to cancel"}]}`,
		"an offset as digits": `{"conversation_id":"e","started_at":"2026-11-20T10:00:00+0530","turns":[{"role":"caller","text":"I want to cancel"}]}`,
		"a length as text":    `{"conversation_id":"e","duration_s":"65","turns":[{"role":"caller","text":"I want to cancel"}]}`,
		"content for text":    `{"conversation_id":"e","turns":[{"role":"caller","content":"I want to cancel"}]}`,
		"Vapi":                `{"id":"e","startedAt":"2026-11-20T10:00:00.000Z","endedAt":"2026-11-20T10:01:00.000Z","endedReason":"customer-ended-call","messages":[{"role":"bot","message":"Hi","secondsFromStart":0.5},{"role":"user","message":"I want to cancel","secondsFromStart":3}]}`,
		"ElevenLabs":          `{"conversation_id":"e","metadata":{"start_time_unix_secs":1795168800,"call_duration_secs":60},"transcript":[{"role":"agent","message":"Hi","time_in_call_secs":0},{"role":"user","message":"I want to cancel","time_in_call_secs":3}]}`,
		"Retell":              `{"call_id":"e","start_timestamp":1795168800000,"end_timestamp":1795168860000,"transcript_object":[{"role":"agent","content":"Hi"},{"role":"user","content":"I want to cancel"}]}`,
		"chat messages":       `{"conversation_id":"e","messages":[{"role":"system","content":"be kind"},{"role":"user","content":"I want to cancel"}]}`,
		"UTF-16":              wide.String(),
	} {
		c := over(t, []string{line})
		text := textOf(t, ask(t, c, "search_transcripts", `{"query":"cancel","role":"caller"}`))
		assert.Contains(t, text, "file/e", name)
		assert.Contains(t, text, "I want to «cancel»", name)
	}
	c := over(t, []string{`{"conversation_id":5123,"turns":[{"role":"caller","text":"I want to cancel"}]}`})
	assert.Contains(t, textOf(t, ask(t, c, "get_call_log", `{"id":"5123"}`)), "I want to cancel")
}

// A file in a shape that nobody knows is refused by name, with what was expected.
func TestUnknownExportIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(`{"order":7,"lines":[{"sku":"a","qty":2}]}`), 0o600))
	_, _, err := command(t, "tool", "list_call_logs", "{}", "--data", path)
	require.Error(t, err)
	for _, want := range []string{"orders.jsonl:1", "its keys are order, lines", "expected is a call of Vapi", `"turns":[{"role":"caller"`} {
		assert.Contains(t, err.Error(), want)
	}
	_, err = config.Parse(client.Providers(), []string{"serve", "--data", path}, func(string) string { return "" }, os.Stderr)
	require.NoError(t, err)
}

// What could not be read of a file is said by every answer about many calls.
func TestUnreadLinesAreSaid(t *testing.T) {
	c := over(t, []string{`{"conversation_id":"a","turns":[{"role":"caller","text":"cancel"}]}`, `{oops}`, `{"conversation_id":"b","turns":[]}`})
	for tool, args := range map[string]string{"list_call_logs": `{}`, "search_transcripts": `{"query":"cancel"}`, "aggregate_call_logs": `{}`} {
		assert.Contains(t, textOf(t, ask(t, c, tool, args)), "1 record of the files of file could not be read and is in no answer: calls.jsonl:2: not JSON", tool)
	}
}
