package app

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mcpclient "github.com/mark3labs/mcp-go/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	"call-logs-mcp/internal/config"
)

// reader is a client of the server over an upstream that env names.
func reader(t *testing.T, env map[string]string) *mcpclient.Client {
	t.Helper()
	env["HOME"] = t.TempDir()
	cfg, err := config.Parse(client.Providers(), []string{"serve", "--mirror", "off"}, func(name string) string { return env[name] }, io.Discard)
	require.NoError(t, err)
	h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), now)
	require.NoError(t, err)
	return h.client(t)
}

// A call of Zudu has a uuid beside its call_id: by either it is found, though the
// API knows it by its call_id alone.
func TestEitherNameFindsACall(t *testing.T) {
	const uuid = "550e8400-e29b-41d4-a716-446655440000"
	row := fmt.Sprintf(`{"id": %q, "call_id": "call-456", "start_timestamp": %d, "transcript": "Hello, about my order"}`, uuid, now().Add(-3600e9).UnixMilli())
	url := served(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/api/calls/call-456":
			fmt.Fprintf(w, `{"status": "success", "data": %s}`, row)
		case r.URL.Path != "/api/calls":
			http.Error(w, `{"message": "Call not found", "status": "error", "error": "not found"}`, http.StatusNotFound)
		default:
			fmt.Fprintf(w, `{"status": "success", "data": {"calls": [%s], "pagination": {"page": 0, "total_count": 1, "total_pages": 1}}}`, row)
		}
	})
	c := reader(t, map[string]string{"ZUDU_API_KEY": "k", "ZUDU_API_SECRET": "s", "ZUDU_BASE_URL": url})
	for _, id := range []string{"call-456", uuid, "zudu/" + uuid} {
		assert.Contains(t, textOf(t, ask(t, c, "get_call_log", fmt.Sprintf(`{"id": %q}`, id))), "about my order", id)
	}
	assert.Contains(t, textOf(t, ask(t, c, "get_call_log", fmt.Sprintf(`{"id": %q}`, strings.Replace(uuid, "5", "6", 1)))), "no call")
}

// A summary in Markdown keeps its lines, and text of reference pages its brackets.
func TestSummaryIsMarkdown(t *testing.T) {
	const agent = "3f0c1e55-0000-4000-8000-000000000001"
	row := func(n int, summary string) string {
		return fmt.Sprintf(`{"id": "7b0f0c1e-1111-4222-8333-4444555566%02d", "agent_id": %q, "call_started_at": %q, "summary_text": %q}`,
			n, agent, now().Add(-3600e9).Format("2006-01-02T15:04:05Z"), summary)
	}
	url := served(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"data": [%s, %s], "pagination": {"page": 1, "total": 2, "totalPages": 1, "hasNext": false}}`,
			row(1, "## Summary\n\n- about **order** <string>\n- moved"), row(2, "## Card\n- 4111 1111\n1111 1111"))
	})
	c := reader(t, map[string]string{"TELZINO_TOKEN": "t", "TELZINO_AGENT_IDS": agent, "TELZINO_BASE_URL": url})
	answer := textOf(t, ask(t, c, "list_call_logs", `{"response_format": "json"}`))
	assert.Contains(t, answer, `"## Summary\n- about **order**`)
	assert.NotContains(t, answer, "4111 1111", "a number that goes across lines is hidden")
	answer = textOf(t, ask(t, c, "get_call_log", `{"id": "7b0f0c1e-1111-4222-8333-444455556601"}`))
	assert.Contains(t, answer, "<string>\n")
}

// The example of Cekura's older reference page says that it has 123 calls, and is
// the same row on each page, whatever is asked for: no question goes on for long,
// and none takes what was not read for nothing.
func TestOlderExampleCostsLittle(t *testing.T) {
	for name, at := range map[string]time.Time{"outside of the window": now().AddDate(-3, 0, 0), "inside": now().Add(-2 * time.Hour)} {
		var requests atomic.Int64
		url := served(t, func(w http.ResponseWriter, _ *http.Request) {
			requests.Add(1)
			fmt.Fprintf(w, `{"count": 123, "next": "https://api.cekura.ai/example/v1/example-external/?page=4", "previous": null,
				"results": [{"id": 123, "duration": "<string>", "success": true, "status": "success", "topic": "<string>", "agent": 123, "call_id": "<string>", "timestamp": %q}]}`, at.Format(time.RFC3339))
		})
		for tool, args := range map[string]string{
			"list_call_logs": `{}`, "aggregate_call_logs": `{}`, "search_transcripts": `{"query": "refund"}`, "describe_fields": `{"field": "topic"}`,
		} {
			for _, mirror := range []string{"off", "memory", filepath.Join(t.TempDir(), "copy", "calls.db")} {
				requests.Store(0)
				_, c := cold(t, url, now(), "--mirror", mirror)
				answer := textOf(t, ask(t, c, tool, args))
				where := fmt.Sprintf("%s, %s, --mirror %s: %s", name, tool, mirror, answer)
				assert.LessOrEqual(t, requests.Load(), int64(10), where)
				assert.Contains(t, answer, "repeats its pages", where)
				assert.NotRegexp(t, `all \| |0001-01-01|ask again in a minute|narrow the window|complete \(`, answer, where)
			}
		}
	}
}

// An API that does not count, or less than it shows, is not asked for the count
// again.
func TestNoCountIsNotAskedForTwice(t *testing.T) {
	for _, count := range []string{"null", "0", `"many"`} {
		var requests atomic.Int64
		url := served(t, func(w http.ResponseWriter, _ *http.Request) {
			requests.Add(1)
			fmt.Fprintf(w, `{"count": %s, "next": null, "results": [{"id": 123, "call_id": "c", "timestamp": %q}]}`, count, now().Add(-2*time.Hour).Format(time.RFC3339))
		})
		_, c := cold(t, url, now(), "--mirror", "off")
		assert.Contains(t, textOf(t, ask(t, c, "list_call_logs", `{}`)), "1 call, newest first")
		assert.EqualValues(t, 1, requests.Load(), count)
		_, c = cold(t, url, now(), "--mirror", "memory")
		assert.Contains(t, textOf(t, ask(t, c, "aggregate_call_logs", `{}`)), "all | 1 |")
		assert.LessOrEqual(t, requests.Load(), int64(10), count)
	}
}
