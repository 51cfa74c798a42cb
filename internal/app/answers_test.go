package app

import (
	"context"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/render"
)

// An answer as data stands in the text, too: many clients pass on nothing else.
func TestJSONIsTheText(t *testing.T) {
	for _, flags := range [][]string{nil, {"--structured"}} {
		_, c := demo(t, flags...)
		for tool, args := range map[string]string{
			"list_call_logs": `{"page_size":2}`, "search_transcripts": `{"query":"refund","page_size":2}`, "get_call_log": `{"id":"demo/77801"}`,
			"read_transcript": `{"id":"demo/77801"}`, "aggregate_call_logs": `{"group_by":["topic"]}`, "describe_fields": `{}`,
		} {
			args = strings.TrimSuffix(args, "}") + `,"response_format":"json"}`
			r := ask(t, c, tool, strings.Replace(args, "{,", "{", 1))
			b, err := json.Marshal(r.StructuredContent)
			require.NoError(t, err)
			assert.JSONEq(t, string(b), textOf(t, r), tool)
			require.NotNil(t, r.Meta, tool)
			assert.Contains(t, r.Meta.AdditionalFields, "untrusted")
		}
	}
}

// What programs read of a call: maps of texts, seconds as numbers, and an address
// in every row.
func TestJSONForPrograms(t *testing.T) {
	_, c := demo(t)
	var one struct {
		Call struct {
			ID, URI   string
			Latency   map[string]map[string]float64
			Metadata  map[string]string
			Variables map[string]string `json:"dynamic_variables"`
		}
	}
	data(t, c, "get_call_log", `{"id":"demo/77801"}`, &one)
	assert.Equal(t, "call://demo/77801", one.Call.URI)
	assert.Contains(t, one.Call.Metadata, "release")
	assert.NotEmpty(t, one.Call.Variables)
	var rows struct {
		Calls, Matches []struct{ ID, URI string }
	}
	for tool, args := range map[string]string{"list_call_logs": `{"page_size":3}`, "search_transcripts": `{"query":"refund","page_size":3}`} {
		data(t, c, tool, args, &rows)
		for _, row := range append(rows.Calls, rows.Matches...) {
			assert.Equal(t, "call://"+row.ID, row.URI)
		}
	}
	assert.NotEmpty(t, rows.Calls)
	assert.NotEmpty(t, rows.Matches)
}

// The transcript of a long call, read as a resource, has its beginning and its end,
// and names what lies between.
func TestResourceKeepsHeadAndTail(t *testing.T) {
	_, c := demo(t)
	text := resource(t, c, "call://demo/77721/transcript?max_tokens=1200")
	assert.Regexp(t, `(?m)^1 00:00 agent:`, text)
	assert.Regexp(t, `(?m)^117 \d\d:\d\d `, text)
	assert.LessOrEqual(t, render.Tokens(text), 1200)
	gap := regexp.MustCompile(`(?m)^… turns (\d+)–(\d+) left out`).FindAllStringSubmatch(text, -1)
	require.Len(t, gap, 1, text)
	assert.Contains(t, text, "\nleft out: call://demo/77721/transcript?turns="+gap[0][1]+"-"+gap[0][2])
	assert.Regexp(t, `(?m)^5 `, resource(t, c, "call://demo/77721/transcript?turns=5-90&max_tokens=400"), "a range is read from its beginning")
}

// What was left out of a call is named or counted, each gap of it.
func TestEachGapIsCounted(t *testing.T) {
	_, c := demo(t)
	for _, budget := range []string{"900", "1300", "2000"} {
		text := textOf(t, ask(t, c, "get_call_log", `{"id":"demo/77721","max_tokens":`+budget+`}`))
		gaps, turns := regexp.MustCompile(`(?m)^… turns? (\d+)(?:–(\d+))? left out`).FindAllStringSubmatch(text, -1), 0
		for _, g := range gaps {
			from, _ := strconv.Atoi(g[1])
			to, err := strconv.Atoi(g[2])
			if err != nil {
				to = from
			}
			turns += to - from + 1
		}
		require.Greater(t, len(gaps), 2, text)
		said := regexp.MustCompile(`(?m)^left out: read_transcript id="demo/77721" from_turn=(\d+) to_turn=(\d+), and (\d+) other gaps, (\d+) turns$`).FindStringSubmatch(text)
		require.NotNil(t, said, text)
		from, _ := strconv.Atoi(said[1])
		to, _ := strconv.Atoi(said[2])
		others, _ := strconv.Atoi(said[4])
		assert.Equal(t, strconv.Itoa(len(gaps)-1), said[3])
		assert.Equal(t, turns, to-from+1+others)
	}
}

// A text answer names the resource of its calls once, and links it only for clients
// that take links.
func TestResourceIsNamedOnce(t *testing.T) {
	asks := map[string]string{
		"list_call_logs": `{"page_size":3}`, "search_transcripts": `{"query":"refund","page_size":3}`, "get_call_log": `{"id":"demo/77801"}`, "read_transcript": `{"id":"demo/77801"}`,
	}
	for _, mode := range []struct {
		flag, client string
		links        bool
	}{{"auto", "test", false}, {"auto", "codex-mcp-client", false}, {"auto", "Visual Studio Code", true}, {"always", "codex-mcp-client", true}, {"never", "Visual Studio Code", false}} {
		h, _ := demo(t, "--resource-links", mode.flag)
		c := h.clientNamed(t, mode.client)
		for tool, args := range asks {
			r := ask(t, c, tool, args)
			text, ok := r.Content[0].(mcp.TextContent)
			require.True(t, ok)
			assert.Equal(t, 1, strings.Count(text.Text, "call://"), "%s: %s", tool, text.Text)
			if !mode.links {
				assert.Len(t, r.Content, 1, "%s for %s by %s", tool, mode.client, mode.flag)
				continue
			}
			require.Greater(t, len(r.Content), 1, tool)
			for _, content := range r.Content[1:] {
				link, ok := content.(mcp.ResourceLink)
				require.True(t, ok)
				assert.Contains(t, resource(t, c, link.URI), link.Name)
			}
		}
	}
}

// Lists of what there is may be kept for minutes by anybody; what a call says, by
// nobody else.
func TestCacheHints(t *testing.T) {
	h, _ := demo(t)
	s, err := h.server()
	require.NoError(t, err)
	meta := `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	for method, params := range map[string]string{
		"tools/list": "", "resources/list": "", "resources/templates/list": "", "prompts/list": "", "resources/read": `"uri":"call://demo/77801",`,
	} {
		answer := s.HandleMessage(context.Background(), json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{`+params+`"_meta":`+meta+`}}`))
		b, err := json.Marshal(answer)
		require.NoError(t, err)
		var got struct {
			Result struct {
				TTL   int64  `json:"ttlMs"`
				Scope string `json:"cacheScope"`
			}
		}
		require.NoError(t, json.Unmarshal(b, &got))
		if method == "resources/read" {
			assert.Equal(t, "private", got.Result.Scope)
			continue
		}
		assert.Equal(t, "public", got.Result.Scope, "%s: %.300s", method, b)
		assert.GreaterOrEqual(t, got.Result.TTL, time.Minute.Milliseconds(), method)
	}
}
