package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/resources"
	"call-logs-mcp/tools"
)

const teams = 8

// marked are logs that say on every side to which team they belong.
func marked() []*call.Log {
	logs := calltest.Logs("memory", 400, 11, newest)
	for i, l := range logs {
		team := i % teams
		mark := func(s string) string { return fmt.Sprintf("%s mark%d", s, team) }
		l.ID.Key, l.CallID = fmt.Sprintf("k%d-%d", team, i), fmt.Sprintf("c%d-%d", team, i)
		l.AgentID, l.AgentName = fmt.Sprintf("team%d", team), mark("agent")
		l.Summary, l.Topic, l.EndedReason, l.Customer = mark("summary"), mark("topic"), mark("ended"), mark("caller")
		l.Metadata = map[string]any{fmt.Sprintf("key_mark%d", team): mark("value")}
		turns := make([]call.Turn, len(l.Turns))
		for k, turn := range l.Turns {
			turn.Text = mark(turn.Text)
			turns[k] = turn
		}
		l.Turns = turns
		for k := range l.Metrics {
			l.Metrics[k].Name, l.Metrics[k].Explanation = mark("metric"), []string{mark("because")}
		}
	}
	return logs
}

// wholeServer serves a source with every tool and resource, as main puts it
// together.
func wholeServer(calls call.Source) *server.MCPServer {
	src := Scope(calls)
	quiet := slog.New(slog.DiscardHandler)
	d := resources.Deps{Calls: src, Sources: []string{"memory"}, Logger: quiet}
	hooks := &server.Hooks{}
	hooks.AddAfterListResources(d.AddNewest)
	complete := resources.Completer{Deps: d}
	s := server.NewMCPServer("calls", "1", server.WithToolCapabilities(false), server.WithResourceCapabilities(false, false),
		server.WithCompletions(), server.WithResourceCompletionProvider(complete), server.WithHooks(hooks),
		server.WithToolFilter(ToolFilter), server.WithToolHandlerMiddleware(ToolCheck))
	s.AddTools(tools.All(tools.Deps{
		Calls: src, Sources: []string{"memory"}, Logger: quiet, Now: func() time.Time { return newest },
	})...)
	s.AddResources(resources.Static(d)...)
	s.AddResourceTemplates(resources.Templates(d)...)
	return s
}

// asker draws questions about the calls of all teams.
type asker struct {
	*rand.Rand
	logs    []*call.Log
	ranked  bool // relevance may be asked for
	mu      *sync.Mutex
	cursors *[]string // of everybody
}

func (a asker) of(words ...string) string { return words[a.IntN(len(words))] }

// question is a message, and what of it may come back.
func (a asker) question() string {
	l := a.logs[a.IntN(len(a.logs))]
	args := map[string]any{"response_format": a.of("text", "json")}
	if a.IntN(2) == 0 {
		args["agent_id"] = a.of(l.AgentID, "agent", "team1,team2,team3")
	}
	if a.IntN(3) == 0 {
		args["filters_v2"] = a.of(`{"field":"success","op":"eq","value":false}`, `{"field":"transcript","op":"contains","value":"mark"}`,
			`{"or":[{"field":"agent.id","op":"startswith","value":"team"},{"field":"agent.id","op":"isnull","value":true}]}`)
	}
	tool := a.of("list_call_logs", "search_transcripts", "get_call_log", "read_transcript", "aggregate_call_logs", "describe_fields", "", "", "")
	switch tool {
	case "list_call_logs", "search_transcripts":
		args["page_size"] = 1 + a.IntN(30)
		if tool == "search_transcripts" {
			args["query"] = a.of("mark0 OR mark3 OR mark5", "agent OR the", "mark*")
			if !a.ranked {
				args["order_by"] = "newest"
			} else if a.IntN(4) == 0 {
				args["similar_to"] = l.ID.String()
				delete(args, "query")
			}
		}
		a.mu.Lock()
		if n := len(*a.cursors); n > 0 && a.IntN(3) == 0 {
			args = map[string]any{"cursor": (*a.cursors)[a.IntN(n)]}
		}
		a.mu.Unlock()
	case "get_call_log", "read_transcript":
		args = map[string]any{"id": a.of(l.ID.String(), l.ID.Key, l.CallID, l.ID.URI())}
	case "aggregate_call_logs":
		args["group_by"] = []string{a.of("agent.id", "topic", "metric", "customer_number", "day", "id"), a.of("agent.agent_name", "week")}
	case "describe_fields":
		args = map[string]any{"field": a.of("", "topic", "agent.agent_name", "metadata", "customer_number", "metric_evaluations.metric.name")}
	case "":
		switch a.IntN(3) {
		case 0:
			return rpc("resources/read", map[string]any{"uri": l.ID.URI() + a.of("", "/transcript")})
		case 1:
			return rpc("resources/list", map[string]any{})
		}
		return rpc("completion/complete", map[string]any{
			"ref": map[string]any{"type": "ref/resource", "uri": "call://{source}/{key}"}, "argument": map[string]any{"name": "key", "value": a.of("k", l.ID.Key[:3], "")},
			"context": map[string]any{"arguments": map[string]string{"source": "memory"}},
		})
	}
	return rpc("tools/call", map[string]any{"name": tool, "arguments": args})
}

func rpc(method string, params any) string {
	data, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	return string(data)
}

var (
	belongs = regexp.MustCompile(`(?:mark|team)([0-7])\b|\b[kc]([0-7])-\d+`)
	cursor  = regexp.MustCompile(`c1\.[A-Za-z0-9_-]+`)
)

// opened is asked with what its cursor says, which the answer may repeat.
func opened(asked string) string {
	c := cursor.FindString(asked)
	for _, tool := range []string{"list_call_logs", "search_transcripts"} {
		if read, err := call.ParseCursor(c, tool, []string{"memory"}); err == nil {
			asked += fmt.Sprint(read.Query.Where, " ", read.Query.Text, " ", read.Query.Similar)
		}
	}
	return asked
}

// foreign is a word in body of another team than ours that was not asked with.
func foreign(body, asked string, team int) string {
	asked = opened(asked)
	for _, m := range belongs.FindAllStringSubmatch(cursor.ReplaceAllString(body, ""), -1) {
		if m[1]+m[2] != fmt.Sprint(team) && !strings.Contains(asked, m[0]) {
			return m[0]
		}
	}
	return ""
}

// Eight teams ask everything there is to ask, with each other's ids and
// cursors, at once, of a source as it is and of the copy that they share: none
// reads a word of another's.
func TestNoForeignWordIsServed(t *testing.T) {
	logs := marked()
	t.Run("source", func(t *testing.T) { noForeignWord(t, logs, calltest.Memory("memory", logs), soak(60, 10_000)) })
	t.Run("copy", func(t *testing.T) { noForeignWord(t, logs, copyOf(t, logs), soak(60, 10_000)) })
}

func noForeignWord(t *testing.T, logs []*call.Log, calls call.Source, questions int) {
	var principals []Principal
	for team := range teams {
		principals = append(principals, Principal{Name: fmt.Sprint("team", team), Scopes: Scopes(), Where: agent(fmt.Sprint("team", team))})
	}
	path, plain := tokensOf(t, principals...)
	noForeignWordTo(t, logs, calls, questions, HTTPOptions{Auth: ByToken, Tokens: path, Rates: generous()}, plain)
}

// The same over OAuth, where a claim of the token narrows what its bearer may see.
func TestNoForeignWordIsServedOverOAuth(t *testing.T) {
	i := newIssuer(t)
	k := i.add(t, "k", jose.ES256)
	var plain []string
	for team := range teams {
		var claim any = json.RawMessage(agent(fmt.Sprint("team", team)).String())
		if team%2 == 0 {
			claim = agent(fmt.Sprint("team", team)).String()
		}
		plain = append(plain, sign(t, k, jose.ES256, nil, i.claims(map[string]any{
			"sub": fmt.Sprint("person", team), "scope": strings.Join(Scopes(), " "), "call_logs": claim,
		})))
	}
	o := OAuth{Issuer: i.URL, Audience: audience, FilterClaim: "call_logs", now: i.now}
	logs := marked()
	noForeignWordTo(t, logs, copyOf(t, logs), soak(60, 10_000), HTTPOptions{Auth: ByOAuth, OAuth: o, Rates: generous()}, plain)
}

// noForeignWordTo asks with the tokens of all teams, in their order.
func noForeignWordTo(t *testing.T, logs []*call.Log, calls call.Source, questions int, o HTTPOptions, plain []string) {
	h := serving(t, wholeServer(calls), o)
	var mu sync.Mutex
	var cursors []string
	var wait sync.WaitGroup
	found := make([]int, teams) // answers with something of one's own
	for team := range teams {
		wait.Go(func() {
			a := asker{rand.New(rand.NewPCG(uint64(team), 1)), logs, call.Ranks(calls), &mu, &cursors}
			for range questions {
				asked := a.question()
				g, err := h.try(asked, "Authorization", "Bearer "+plain[team])
				if !assert.NoError(t, err) || !assert.Equal(t, 200, g.status, g.body) {
					return
				}
				if word := foreign(g.body, asked, team); !assert.Empty(t, word, "team %d asked %s and read %s", team, asked, g.body) {
					return
				}
				if strings.Contains(g.body, fmt.Sprint("mark", team)) {
					found[team]++
				}
				if c := cursor.FindString(g.body); c != "" {
					mu.Lock()
					cursors = append(cursors, c)
					mu.Unlock()
				}
			}
		})
	}
	wait.Wait()
	for team := range teams {
		assert.Greater(t, found[team], questions/4, "the questions must be ones that find something")
	}
	require.NotEmpty(t, cursors)
	for _, c := range cursors {
		for _, tool := range []string{"list_call_logs", "search_transcripts"} {
			if read, err := call.ParseCursor(c, tool, []string{"memory"}); err == nil && read.Query.After != nil {
				assert.True(t, belongs.MatchString(read.Query.After.ID.Key) || read.Query.After.ID.Key == "0")
			}
		}
	}
	t.Logf("%d questions, %v found something, %d cursors", teams*questions, found, len(cursors))
}

// Whatever the calls of the others are: what a team is answered stays the same
// to the byte, so that nothing tells of them, how many they are or what is said
// in them. Relevance is left out: how rare a word is, it takes from all calls.
func TestForeignCallsChangeNothing(t *testing.T) {
	logs := marked()
	var changed []*call.Log
	for i, l := range logs {
		if i%teams == 0 {
			changed = append(changed, l)
			continue
		}
		o := *l
		o.Summary, o.Topic, o.Customer, o.Success, o.Metrics = "zebra", "giraffe", "+15005550006", nil, nil
		o.Metadata = map[string]any{"key_zebra": "zebra"}
		o.Turns = slices.Repeat([]call.Turn{{Role: call.RoleCaller, Text: "agent the mark0 mark3 zebra"}}, 1+i%5)
		for k := range o.Turns {
			o.Turns[k].Index = k + 1
		}
		if i%3 > 0 { // and fewer of them
			changed = append(changed, &o)
		}
	}
	first, second := frontOf(t, wholeServer(copyOf(t, logs))), frontOf(t, wholeServer(copyOf(t, changed)))
	own := Principal{Name: "team0", Scopes: Scopes(), Where: agent("team0")}
	a := asker{rand.New(rand.NewPCG(3, 1)), logs, false, &sync.Mutex{}, &[]string{}}
	found := 0
	for range soak(600, 20_000) {
		asked := a.question()
		_, want := answered(first, own, asked)
		_, got := answered(second, own, asked)
		require.Equal(t, want, got, asked)
		if strings.Contains(got, "mark0") {
			found++
		}
		if c := cursor.FindString(got); c != "" {
			*a.cursors = append(*a.cursors, c)
		}
	}
	assert.Greater(t, found, 100, "one's own are found")
}

// telling is a source that has to fetch everybody's calls, and says so.
type telling struct{ counting }

func (s telling) Find(ctx context.Context, q call.Query) (call.Page, error) {
	if q.Progress != nil {
		q.Progress(117, 4300, "")
	}
	return s.counting.Find(ctx, q)
}

func (s telling) Aggregate(ctx context.Context, a call.Aggregation) (call.Aggregate, error) {
	if a.Progress != nil {
		a.Progress(117, 4300, "")
	}
	return s.counting.Aggregate(ctx, a)
}

// How many calls are fetched is told to those alone who may see them all.
func TestProgressIsNotOfForeignCalls(t *testing.T) {
	src := Scope(telling{counting{calltest.Memory("memory", calltest.Logs("memory", 20, 3, newest))}})
	for who, where := range map[string]filter.Expr{"one of several": agent("2142"), "everybody": nil} {
		ctx := As(t.Context(), Principal{Name: who, Scopes: Scopes(), Where: where})
		told := 0
		tell := func(int, int, string) { told++ }
		_, err := src.Find(ctx, call.Query{Progress: tell})
		require.NoError(t, err)
		_, err = call.Count(ctx, src, call.Aggregation{Progress: tell})
		require.NoError(t, err)
		if where != nil {
			assert.Zero(t, told, who)
		} else {
			assert.Equal(t, 2, told, who)
		}
	}
}
