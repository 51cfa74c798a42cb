package app

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	demoapi "call-logs-mcp/client/demo"
	"call-logs-mcp/internal/config"
)

type fieldAnswer struct {
	Values []struct {
		Value string
		Calls int
	}
	Coverage struct {
		InWindow *int `json:"calls_in_window"`
		Searched int  `json:"calls_searched"`
		Complete bool
	}
	Notes []string
}

// The values of a field are counted over all calls of the window, as counting
// does it, with a copy and without.
func TestValuesAreCounted(t *testing.T) {
	for _, mirror := range []string{"memory", "off"} {
		_, c := demo(t, "--mirror", mirror)
		for _, field := range []string{"call_ended_reason", "success", "metric_evaluations.metric.name", "customer_number", "agent.id"} {
			var got fieldAnswer
			data(t, c, "describe_fields", `{"field":"`+field+`"}`, &got)
			var counted struct {
				Groups []struct {
					Key   map[string]string
					Calls int
				}
				Totals struct{ Calls int }
			}
			data(t, c, "aggregate_call_logs", `{"limit":200,"group_by":["`+field+`"]}`, &counted)
			require.NotEmpty(t, counted.Groups)
			for i, g := range counted.Groups {
				assert.Equal(t, g.Calls, got.Values[i].Calls, "%s %s", mirror, field)
				assert.Equal(t, g.Key[field], got.Values[i].Value, "%s %s", mirror, field)
			}
			assert.Equal(t, counted.Totals.Calls, *got.Coverage.InWindow)
			assert.Equal(t, 600, got.Coverage.Searched)
			assert.True(t, got.Coverage.Complete)
		}
	}
}

// What was not counted is said.
func TestValuesSayWhatWasNotCounted(t *testing.T) {
	_, c := demo(t, "--mirror", "off", "--max-fetch", "100")
	text := textOf(t, ask(t, c, "describe_fields", `{"field":"topic"}`))
	assert.Contains(t, text, "values in 100 calls")
	assert.Contains(t, text, "incomplete: read 100 of 600 calls (newest first, as far as ")
	assert.Contains(t, text, "; aggregate_call_logs counts a shorter window")
	assert.NotContains(t, textOf(t, ask(t, c, "describe_fields", `{"field":"project_id"}`)), "1 values")
	text = textOf(t, ask(t, c, "describe_fields", `{"field":"created_at"}`))
	assert.Contains(t, text, `as many values as there are calls. aggregate_call_logs group_by=["day"]`)
	text = textOf(t, ask(t, c, "describe_fields", `{"field":"call_id"}`))
	assert.Equal(t, 10, strings.Count(text, " | 1\n")+10*strings.Count(text, "every row: calls = 1"), text)
	assert.Contains(t, text, "90 more values of one call each")
}

// Lists of calls carry no metadata: what the copy has of it is counted, what it
// lacks is said, and where it has nothing a few records are read.
func TestValuesOfRecordsAlone(t *testing.T) {
	field := `{"field":"metadata.release"}`
	_, c := demo(t)
	text := textOf(t, ask(t, c, "describe_fields", field))
	assert.Contains(t, text, "in the newest 20 calls, whose records were read one by one")
	assert.Contains(t, text, "sync --details all")

	api := demoapi.New(demoapi.Options{Calls: 14, Now: now})
	upstream := httptest.NewServer(api)
	defer upstream.Close()
	copies := t.TempDir()
	env := map[string]string{"HOME": copies, "CEKURA_API_KEY": "secret", "CEKURA_BASE_URL": upstream.URL}
	asked := func(c string, flags ...string) string {
		cfg, err := config.Parse(client.Providers(), append([]string{c}, flags...), func(name string) string { return env[name] }, io.Discard)
		require.NoError(t, err)
		h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), now)
		require.NoError(t, err)
		var out strings.Builder
		if c == "sync" {
			require.NoError(t, h.sync(t.Context(), cfg, io.Discard))
		} else {
			require.NoError(t, h.tool(t.Context(), cfg.Tool, &out))
		}
		return out.String()
	}
	for _, details := range []string{"failed", "all"} {
		flags := []string{"--mirror", filepath.Join(copies, details, "calls.db"), "--details", details}
		asked("sync", flags...)
		text := asked("tool", append([]string{"describe_fields", field}, flags...)...)
		assert.Contains(t, text, " values in 14 calls")
		assert.Equal(t, details == "failed", strings.Contains(text, "(absent) | "), text)
		assert.Equal(t, details == "failed", strings.Contains(text, "whose own record was not read counts as (absent)"), text)
		text = asked("tool", append([]string{"describe_fields", `{"field":"metadata.nothing"}`}, flags...)...)
		assert.Equal(t, details == "failed", strings.Contains(text, "records were read one by one"), text)
		assert.Equal(t, details == "all", strings.Contains(text, `no call has it; the keys there are: describe_fields field="metadata"`), text)
	}
}
