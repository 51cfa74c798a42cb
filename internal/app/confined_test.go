package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
)

// A tenant's calls are those of one project, and of some of its agents.
type tenantCall struct {
	n       int
	project string
	agent   string // "" where the API does not tell it
	at      time.Time
}

// owner is a word that is in everything that is told of a call, and nowhere else.
func (c tenantCall) owner() string { return fmt.Sprintf("zq%dqz", c.n) }

func (c tenantCall) key(provider string) string {
	if provider == "cekura" {
		return strconv.Itoa(7400000 + c.n)
	}
	return fmt.Sprintf("key-%d-yek", c.n)
}

// tenants are the calls of two projects of two agents each, and some of nobody.
func tenants(n int) (all []tenantCall) {
	for i := range n {
		c := tenantCall{n: i, project: strconv.Itoa(1 + i%2), at: now().Add(-time.Duration(3+7*i) * time.Hour)}
		if i%7 > 0 {
			c.agent = c.project + strconv.Itoa(1+i/2%2)
		}
		all = append(all, c)
	}
	return all
}

// A careless API is one of the three that ignores every filter: whatever it is
// asked for, it answers the calls of everybody, by pages. swap answers a record
// of another call than was asked for.
type careless struct {
	provider string
	calls    []tenantCall
	told     bool // rows tell the project
	swap     bool
}

func (a careless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", now().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	body := map[string]any{}
	_ = json.NewDecoder(r.Body).Decode(&body)
	last := strings.Trim(r.URL.Path[strings.LastIndex(strings.TrimSuffix(r.URL.Path, "/"), "/"):], "/")
	if one := slices.IndexFunc(a.calls, func(c tenantCall) bool { return c.key(a.provider) == last }); one >= 0 {
		if a.swap {
			one = (one + 1) % len(a.calls)
		}
		_ = json.NewEncoder(w).Encode(a.row(a.calls[one], true))
		return
	}
	if last != "call-logs" && last != "calls" {
		http.Error(w, `{"detail":"none"}`, http.StatusNotFound)
		return
	}
	number := func(name string, otherwise int) int {
		if v, ok := body[name].(float64); ok {
			return int(v)
		}
		if n, err := strconv.Atoi(r.URL.Query().Get(name)); err == nil {
			return n
		}
		return otherwise
	}
	size := number("page_size", number("limit", 20))
	page := number("page", 1)
	if a.provider == "zudu" {
		page++
	}
	from := min((page-1)*size, len(a.calls))
	rows := []any{}
	for _, c := range a.calls[from:min(from+size, len(a.calls))] {
		rows = append(rows, a.row(c, false))
	}
	more := from+size < len(a.calls)
	answers := map[string]any{
		"cekura":  map[string]any{"count": len(a.calls), "next": map[bool]any{true: "https://x/?page=2", false: nil}[more], "results": rows},
		"telzino": map[string]any{"data": rows, "pagination": map[string]any{"total": len(a.calls), "limit": size, "hasNext": more}},
		"zudu":    map[string]any{"data": map[string]any{"calls": rows, "pagination": map[string]any{"total_count": len(a.calls), "limit": size, "has_next_page": more}}},
	}
	_ = json.NewEncoder(w).Encode(answers[a.provider])
}

func (a careless) row(c tenantCall, full bool) map[string]any {
	said := c.owner() + " wants a refund"
	switch a.provider {
	case "telzino":
		return map[string]any{
			"id": c.key(a.provider), "agent_id": c.agent, "room_name": "room-" + c.owner(), "call_started_at": c.at, "created_at": c.at, "call_duration": 60 + c.n,
			"transcript_json": []any{map[string]any{"text": said, "speaker": "user", "timestamp": 1}}, "summary_text": said, "session_data": map[string]any{"who": said},
		}
	case "zudu":
		return map[string]any{
			"call_id": c.key(a.provider), "id": "uuid-" + c.owner(), "agent_id": c.agent, "start_timestamp": c.at.UnixMilli(), "call_status": "ENDED", "call_duration": 60000,
			"transcript_object": []any{map[string]any{"role": "user", "content": said, "timestamp": 1000}}, "metadata": map[string]any{"who": said}, "call_analysis": map[string]any{"call_summary": said},
		}
	}
	row := map[string]any{
		"id": 7400000 + c.n, "call_id": "call-" + c.owner(), "agent_name": "agent " + c.owner(), "timestamp": c.at, "duration": "01:10", "success": c.n%3 > 0, "topic": said,
		"transcript_object": []any{map[string]any{"role": "Testing Agent", "content": said, "start_time": 1}}, "call_ended_reason": said,
		"metrics": []any{map[string]any{"id": 900 + c.n, "name": said, "type": "binary", "score": 5}},
	}
	if c.agent != "" {
		row["agent"], _ = strconv.Atoi(c.agent)
	}
	if a.told || full {
		row["project"], _ = strconv.Atoi(c.project)
	}
	if full {
		row["metadata"] = map[string]any{"who": said}
	}
	return row
}

// confinedTo serves the tools over an API, within a project and agents.
func confinedTo(t *testing.T, a careless, mirror string, to call.Confinement) *server.MCPServer {
	t.Helper()
	upstream := httptest.NewServer(a)
	t.Cleanup(upstream.Close)
	src, err := client.Open(a.provider, client.Options{
		Name: "calls", BaseURL: upstream.URL, Credential: func(key string) string {
			return map[string]string{"api_key": "k", "api_secret": "k", "token": "k"}[key]
		},
		ProjectID: to.Project, AgentIDs: to.Agents, Now: now, Limits: rest.Limits{Rate: 1e6, Burst: 1e6},
	})
	require.NoError(t, err)
	cfg, err := config.Parse(client.Providers(), []string{"--demo", "--mirror", mirror}, func(string) string { return "" }, io.Discard)
	require.NoError(t, err)
	configured := []config.SourceConfig{{Name: "calls", Provider: a.provider, ProjectID: to.Project, AgentIDs: to.Agents}}
	h, err := assemble(cfg.Options, "test", slog.New(slog.DiscardHandler), now, configured, map[string]call.Source{"calls": src})
	require.NoError(t, err)
	s, err := h.server()
	require.NoError(t, err)
	return s
}

// anything is a question about calls of everybody, by whatever there is to ask.
func anything(r *rand.Rand, provider string, calls []tenantCall) (method string, params map[string]any) {
	of := func(words ...string) string { return words[r.IntN(len(words))] }
	c := calls[r.IntN(len(calls))]
	id := of("", "calls/", "call://calls/") + of(c.key(provider), map[string]string{"cekura": "call-", "telzino": "room-", "zudu": "uuid-"}[provider]+c.owner())
	args := map[string]any{"response_format": of("text", "json")}
	if r.IntN(3) == 0 {
		args["project_id"] = of("1", "2")
	}
	if r.IntN(3) == 0 {
		args["agent_id"] = of("11", "12", "21", "22", "11,21")
	}
	if r.IntN(4) == 0 {
		args["filters_v2"] = of(`{"field":"agent.id","op":"isnull","value":true}`, `{"field":"transcript","op":"contains","value":"zq"}`,
			`{"operator":"or","conditions":[{"field":"project_id","op":"eq","value":"2"},{"field":"agent.id","op":"neq","value":"11"}]}`)
	}
	if r.IntN(2) == 0 {
		args["timestamp_from"] = of("now-90d", "now-7d", "now-2d")
	}
	tool := of("list_call_logs", "list_call_logs", "search_transcripts", "get_call_log", "read_transcript", "aggregate_call_logs", "describe_fields", "", "")
	switch tool {
	case "list_call_logs":
		args["order_by"], args["page_size"] = of("newest", "oldest", "longest"), 1+r.IntN(40)
	case "search_transcripts":
		args["query"], args["order_by"] = of("refund", c.owner(), "zq*"), of("newest", "relevance")
		if r.IntN(3) == 0 {
			delete(args, "query")
			args["similar_to"], args["order_by"] = id, "relevance"
		}
	case "get_call_log", "read_transcript":
		args = map[string]any{"id": id}
	case "aggregate_call_logs":
		args["group_by"] = []string{of("agent.id", "project_id", "topic", "day", "id", "customer_number", "metric")}
	case "describe_fields":
		args = map[string]any{"field": of("", "topic", "agent.id", "agent.agent_name", "project_id", "metadata", "metric_evaluations.metric.name")}
	case "":
		switch r.IntN(4) {
		case 0:
			return "resources/read", map[string]any{"uri": "call://calls/" + c.key(provider) + of("", "/transcript")}
		case 1:
			return "resources/list", map[string]any{}
		case 2:
			return "prompts/get", map[string]any{"name": "review_call", "arguments": map[string]string{"id": id}}
		}
		return "completion/complete", map[string]any{
			"ref": map[string]any{"type": "ref/resource", "uri": "call://{source}/{key}"}, "argument": map[string]any{"name": "key", "value": of("", "7", "k")},
			"context": map[string]any{"arguments": map[string]string{"source": "calls"}},
		}
	}
	return "tools/call", map[string]any{"name": tool, "arguments": args}
}

var ownerWord = regexp.MustCompile(`zq(\d+)qz|74000(\d\d)\b|key-(\d+)-yek`)

// Whatever is configured and whatever is asked, of an API that ignores every
// filter: no byte of a call outside is told, and none gets into the copy.
func TestNothingOutsideOfTheConfigurationIsTold(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	calls := tenants(60)
	questions, told, empty := 0, 0, 0
	for round := range soaked(12, 400) {
		a := careless{provider: []string{"cekura", "telzino", "zudu"}[round%3], calls: calls, told: r.IntN(3) > 0}
		to := call.Confinement{}
		if a.provider == "cekura" && r.IntN(3) > 0 {
			to.Project = strconv.Itoa(1 + r.IntN(2))
		}
		if to.Project == "" || r.IntN(2) == 0 {
			to.Agents = [][]string{{"11"}, {"12", "11"}, {"22"}, {"11", "21"}}[r.IntN(4)]
		}
		own := func(n int) bool {
			c := calls[n]
			return (to.Project == "" || c.project == to.Project) && (len(to.Agents) == 0 || slices.Contains(to.Agents, c.agent))
		}
		path := filepath.Join(t.TempDir(), "copy", "calls.db")
		s := confinedTo(t, a, []string{"memory", "off", path}[r.IntN(3)], to)
		for range 25 {
			method, params := anything(r, a.provider, calls)
			asked, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
			require.NoError(t, err)
			answer, err := json.Marshal(s.HandleMessage(context.Background(), asked))
			require.NoError(t, err)
			questions++
			found := 0
			for _, m := range ownerWord.FindAllStringSubmatch(string(answer), -1) {
				n, _ := strconv.Atoi(m[1] + m[2] + m[3])
				if found++; !own(n) && !strings.Contains(string(asked), m[0]) {
					t.Fatalf("%s within %s answered %s with %s: %s", a.provider, to, asked, m[0], answer)
				}
			}
			if found > 0 {
				told++
			} else {
				empty++
			}
		}
		for _, file := range []string{path, path + "-wal"} {
			data, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			for _, m := range ownerWord.FindAllStringSubmatch(string(data), -1) {
				n, _ := strconv.Atoi(m[1] + m[2] + m[3])
				assert.True(t, own(n), "%s of %s in the copy", m[0], a.provider)
			}
		}
	}
	assert.Greater(t, told, questions/5, "the questions must be ones that find something")
	t.Logf("%d questions: %d answers told of calls within, %d of none", questions, told, empty)
}

// soaked is few by default, and many in a soak.
func soaked(few, many int) int {
	if os.Getenv("SOAK") != "" {
		return many
	}
	return few
}

// answeredBy is what a tool answers over s.
func answeredBy(t *testing.T, s *server.MCPServer, tool string, args map[string]any) string {
	t.Helper()
	asked, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{"name": tool, "arguments": args}})
	require.NoError(t, err)
	answer, err := json.Marshal(s.HandleMessage(context.Background(), asked))
	require.NoError(t, err)
	return string(answer)
}

// The id that is asked for is the id that is answered, also where nothing is
// configured: a record of another call is none.
func TestARecordOfAnotherCallIsNoAnswer(t *testing.T) {
	calls := tenants(20)
	for _, provider := range []string{"cekura", "zudu"} {
		for _, mirror := range []string{"off", "memory"} {
			s := confinedTo(t, careless{provider: provider, calls: calls, told: true, swap: true}, mirror, call.Confinement{})
			for _, tool := range []string{"get_call_log", "read_transcript"} {
				text := answeredBy(t, s, tool, map[string]any{"id": calls[3].key(provider)})
				assert.Contains(t, text, `"isError":true`, provider)
				assert.Contains(t, text, "has no call", provider)
				assert.NotContains(t, text, calls[4].owner(), provider)
			}
		}
	}
}

// What an API sends from outside, or without a word on whose it is, is left out
// and counted, and its own count is not believed.
func TestWhatIsLeftOutIsCounted(t *testing.T) {
	for provider, note := range map[string]string{
		"cekura":  `calls sent 48 calls outside of project_id = \"1\", agent.id = \"11\"; left out`,
		"telzino": `calls sent 48 calls outside of agent.id = \"11\"; left out`,
		"zudu":    `calls sent 48 calls outside of agent.id = \"11\"; left out`,
	} {
		calls := tenants(60)
		to := call.Confinement{Agents: []string{"11"}}
		if provider == "cekura" {
			to.Project = "1"
		}
		s := confinedTo(t, careless{provider: provider, calls: calls, told: true}, "off", to)
		text := answeredBy(t, s, "list_call_logs", map[string]any{"page_size": 50})
		assert.Contains(t, text, note)
		assert.Contains(t, text, "12 calls, newest first", provider)
		assert.Contains(t, answeredBy(t, s, "aggregate_call_logs", map[string]any{"group_by": []string{"agent.id"}}), "calls = 12")
		assert.Contains(t, answeredBy(t, s, "list_call_logs", map[string]any{"agent_id": "21"}), "is configured to read calls with", provider)
	}
}
