package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/render"
)

// No answer takes more than 256 KiB on the wire, whatever the calls hold and
// whatever is asked.
func TestAnswersAreBounded(t *testing.T) {
	huge := strings.Repeat("wordwordwordword <&> ", 8_000)
	q, err := json.Marshal(huge)
	require.NoError(t, err)
	h := string(q)
	var labels, turns strings.Builder
	for i := range 200 {
		fmt.Fprintf(&labels, `"key %d %s":%q,`, i, huge[:200], huge[:300])
		fmt.Fprintf(&turns, `,{"role":"caller","text":%q,"start_s":%d}`, huge[:1000], i+2)
	}
	var lines []string
	for i := range 2 {
		lines = append(lines, fmt.Sprintf(`{"conversation_id":"m%d","agent_name":%s,"intent":%s,"ended_reason":%s,"customer_number":%s,"outcome":"failure","started_at":"2026-11-20T10:0%d:00Z","duration_s":60,`+
			`"turns":[{"role":"tool","tool_name":%s,"tool_args":{"a":%s},"tool_result":{"error":%s},"start_s":1}%s],"labels":{%s"summary":%s}}`, i, h, h, h, h, i, h, h, h, turns.String(), labels.String(), h))
	}
	c := over(t, lines)
	ctx := context.Background()
	check := func(what string, answer any) {
		b, err := json.Marshal(answer)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(b), render.MaxBytes, what)
		assert.Greater(t, len(b), 100, what)
	}
	ids := strings.Repeat(`"00000000-0000-4000-8000-000000000000",`, 8_000) + `"m1"`
	asked := []struct{ tool, args string }{
		{"list_call_logs", `{"page_size":100`}, {"list_call_logs", `{"page_size":1`}, {"search_transcripts", `{"query":"wordwordwordword","page_size":2,"context_turns":5`},
		{"get_call_log", `{"id":"m1"`}, {"read_transcript", `{"id":"m1"`}, {"describe_fields", `{"field":"metadata"`}, {"describe_fields", `{"field":"topic"`},
		{"aggregate_call_logs", `{"group_by":["topic","agent.agent_name"],"limit":200`},
		{"list_call_logs", `{"topic":` + h}, {"list_call_logs", `{"page_size":1,"filters_v2":{"field":"topic","op":"neq","value":` + h + `}`},
		{"search_transcripts", `{"query":` + h}, {"search_transcripts", `{"query":"word","call_ids":[` + ids + `]`}, {"list_call_logs", `{"page_size":1,"call_ids":[` + ids + `]`},
		{"aggregate_call_logs", `{"agent_id":` + h}, {"read_transcript", `{"id":"m1","match":` + h}, {"get_call_log", `{"id":` + h}, {"list_call_logs", `{"cursor":` + h},
		{"describe_fields", `{"field":` + h}, {"list_call_logs", `{` + h + `:1`}, {"aggregate_call_logs", `{"time_zone":` + h},
	}
	for _, a := range asked {
		for _, more := range []string{`}`, `,"max_tokens":10000}`, `,"response_format":"json"}`, `,"response_format":"json","max_tokens":300}`} {
			what := a.tool + " " + a.args[:min(len(a.args), 60)] + more
			check(what, ask(t, c, a.tool, a.args+more))
		}
	}
	list, err := c.ListResources(ctx, mcp.ListResourcesRequest{})
	require.NoError(t, err)
	check("resources/list", list)
	for _, uri := range []string{"call://file/m1", "call://file/m1/transcript?max_tokens=10000", "call://file/m1/transcript?turns=1", "call://file/m1/transcript?match=wordwordwordword"} {
		check(uri, resource(t, c, uri))
	}
}
