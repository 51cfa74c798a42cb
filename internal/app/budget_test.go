package app

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/tools"
)

// sampled is the program over the sample calls.
func sampled(t testing.TB, flags ...string) *house {
	t.Helper()
	cfg, err := config.Parse(client.Providers(), append([]string{"serve", "--demo"}, flags...), func(string) string { return "" }, io.Discard)
	require.NoError(t, err)
	h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), now)
	require.NoError(t, err)
	return h
}

// allocated is how many bytes f takes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Every argument of every tool is measured before it is read: whatever has a
// megabyte is refused in words, at the price of little more than its own size.
func TestArgumentsAreMeasured(t *testing.T) {
	const size = 1 << 20
	values := map[string]string{
		"a text":         `"` + strings.Repeat("a ", size/2) + `"`,
		"one word":       `"` + strings.Repeat("x", size) + `"`,
		"a list":         `["` + strings.Repeat(`a","`, size/4) + `"]`,
		"an object":      `{"field":"topic","op":"regex","value":"` + strings.Repeat("a", size) + `"}`,
		"a number":       strings.Repeat("9", size),
		"deep":           strings.Repeat("[", size/2) + strings.Repeat("]", size/2),
		"a long mistake": `"[` + strings.Repeat("1,", size/2) + `"`,
	}
	h := sampled(t)
	for _, tool := range tools.All(h.tools) {
		var schema struct{ Properties map[string]any }
		require.NoError(t, json.Unmarshal(tool.Tool.RawInputSchema, &schema))
		schema.Properties[strings.Repeat("n", size)] = nil
		for name := range schema.Properties {
			for what, value := range values {
				args := fmt.Sprintf("{%q:%s}", name, value)
				if !json.Valid([]byte(args)) {
					continue // too deep
				}
				var r *mcp.CallToolResult
				took := allocated(func() {
					var err error
					r, err = h.call(t.Context(), tool.Tool.Name, args)
					require.NoError(t, err)
				})
				what := fmt.Sprintf("%s of %s, %.20s", what, tool.Tool.Name, name)
				assert.True(t, r.IsError, what)
				assert.LessOrEqual(t, len(textOf(t, r)), 600, what)
				assert.LessOrEqual(t, took, uint64(3*size), what)
			}
		}
	}
}

// What fits is still checked for what reading it costs.
func TestCostlyArgumentsAreRefused(t *testing.T) {
	h := sampled(t)
	regex := func(re string) string {
		b, err := json.Marshal(map[string]any{"field": "transcript", "op": "regex", "value": re})
		require.NoError(t, err)
		return fmt.Sprintf(`{"filters_v2":%s}`, b)
	}
	many := `{"filters_v2":{"operator":"or","conditions":[` + strings.Repeat(`{"field":"topic","op":"regex","value":"(a.{0,20}){9}x"},`, 9) + `{"field":"topic","op":"eq","value":"x"}]}}`
	for args, word := range map[string]string{
		`{"query":"` + strings.Join(strings.Split("abcdefghij", ""), "* OR ") + `*"}`: "letter or two",
		`{"query":"the -a* -b* -c* -d*"}`:                                             "letter or two",
		`{"query":"` + strings.Repeat("refund* ", 30) + `"}`:                          "too many",
		regex(`(.{0,30}){0,30}x`):                                                     "too costly",
		regex(`((a{0,9}){0,9}){0,9}b`):                                                "too costly",
		regex(`(?:(?:.?){31}){32}$`):                                                  "too costly",
		regex(`.{1000}`):                                                              "too costly",
		regex(`(a*){1000}`):                                                           "too costly",
		regex(strings.Repeat("(a|b)", 400)):                                           "too costly",
		regex(strings.Repeat("ab", 4000)):                                             "at most 4000 bytes",
		many:                                                                          "in all",
		`{"filters_v2":{"field":"transcript","op":"contains","value":"` + strings.Repeat("a", 5000) + `"}}`: "at most 2000 bytes",
		`{"filters_v2":{"field":"topic","op":"in","value":["` + strings.Repeat("a", 5000) + `"]}}`:          "at most 2000 bytes",
		`{"call_ids":["` + strings.Repeat(`1","`, 1500) + `2"]}`:                                            "at most 1000",
		`{"call_ids":"` + strings.Repeat(`1,`, 1500) + `"}`:                                                 "at most 1000",
	} {
		began := time.Now()
		tool := "list_call_logs"
		if strings.HasPrefix(args, `{"query"`) {
			tool = "search_transcripts"
		}
		r, err := h.call(t.Context(), tool, args)
		require.NoError(t, err)
		assert.True(t, r.IsError, "%.80s", args)
		assert.Contains(t, textOf(t, r), word, "%.80s", args)
		assert.Less(t, time.Since(began), 2*time.Second, "%.80s", args)
	}
	for _, re := range []string{`(?i)refund|money back`, `^(a|b){1,20}\d{3,6}$`, strings.Repeat("word ", 90)} {
		r, err := h.call(t.Context(), "list_call_logs", regex(re))
		require.NoError(t, err)
		assert.False(t, r.IsError, "%s: %s", re, textOf(t, r))
	}
}
