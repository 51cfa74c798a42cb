package app

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What readers who saw only the tools and their answers took for the truth, and
// was not.
func TestWhatWasMisread(t *testing.T) {
	day := func(ago int) map[string]any {
		return map[string]any{"started_at": now().Add(-time.Duration(ago) * 24 * time.Hour).UTC().Format(time.RFC3339)}
	}
	tool := day(2)
	tool["turns"] = []any{
		map[string]any{"role": "caller", "text": "hello, one second", "start_s": 3, "end_s": 5.5},
		map[string]any{"role": "agent", "text": "take your time", "start_s": 47, "end_s": 49},
		map[string]any{"role": "tool", "tool_name": "lookup_order", "tool_args": map[string]any{"order": "A-1"}, "tool_result": map[string]any{"error": "upstream timeout"}, "start_s": 50},
	}
	c := over(t, []string{
		oneTurn(t, "new", "I want a refund", day(1)), oneTurn(t, "old1", "a refund please", day(9)), oneTurn(t, "old2", "a refund please", day(10)), oneTurn(t, "tool", "", tool),
	})
	text := textOf(t, ask(t, c, "aggregate_call_logs", `{"timestamp_from":"now-7d","compare_to":"previous"}`))
	assert.Regexp(t, `(?m)^all \| 2 \|.* \| 2 \| =`, text, "the window before one that ends now was counted")
	assert.NotContains(t, text, "no window before")
	text = textOf(t, ask(t, c, "aggregate_call_logs", `{"compare_to":"previous"}`))
	assert.Contains(t, text, "no window before", "of all time there is none")
	assert.NotContains(t, text, "calls before", "so nothing is compared with zero")

	text = textOf(t, ask(t, c, "list_call_logs", `{"filters_v2":{"field":"transcript","op":"regex","value":"lookup_order.*timeout"}}`))
	assert.Contains(t, text, "1 call", "a turn is one line, its tool's result included")
	assert.Contains(t, textOf(t, ask(t, c, "get_call_log", `{"id":"tool"}`)), "agent answers once, after 42 s", "one answer has no percentiles")

	for query, not := range map[string]string{"zebra*": "prefix*", "zebra": "fewer words"} {
		text = textOf(t, ask(t, c, "search_transcripts", fmt.Sprintf(`{"query":%q}`, query)))
		assert.NotContains(t, text, not, "what was done already is no way out")
		assert.NotContains(t, text, "longer window", "of all time there is none")
	}
	undated := oneTurn(t, "undated", "•••••••2671 thanks", map[string]any{"started_at": nil})
	c = over(t, []string{undated, oneTurn(t, "dated", "hello", day(1))})
	for _, tool := range []string{"list_call_logs", "aggregate_call_logs"} {
		text = textOf(t, ask(t, c, tool, `{"timestamp_from":"now-7d"}`))
		assert.Contains(t, text, "for want of a start time: 1", "a call without a start is in no window")
		assert.NotContains(t, textOf(t, ask(t, c, tool, `{}`)), "want of a start time")
	}
	assert.Contains(t, textOf(t, ask(t, c, "get_call_log", `{"id":"undated"}`)), "start unknown · 1:00")
	text = textOf(t, ask(t, c, "read_transcript", `{"id":"undated","from_turn":1,"offset":0}`))
	assert.Contains(t, text, "2671 thanks", "a turn that fits is shown whole")
	assert.NotContains(t, text, "goes on")
}
