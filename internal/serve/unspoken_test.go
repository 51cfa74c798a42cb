package serve

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// worlds are the same calls twice: all facts are alike, and no word of what was
// said is.
func worlds() (one, other []*call.Log) {
	one = calltest.Logs("memory", 150, 13, newest)
	for i, l := range one {
		l.Metrics = append(l.Metrics, call.Metric{ID: "9", Name: "Wish", Type: "text", Value: fmt.Sprint("one wish ", i)})
		l.RecordingURL = fmt.Sprint("https://recordings.example/one/", i)
		o := *l
		o.Summary, o.Feedback, o.DropoffPoint = "another summary", "another feedback", "another dropoff"
		o.RecordingURL = ""
		o.Metrics = slices.Clone(l.Metrics)
		for k := range o.Metrics {
			o.Metrics[k].Explanation = []string{"another reason at 00:01"}
			if o.Metrics[k].Type == "text" {
				o.Metrics[k].Value = "another wish"
			}
		}
		o.Turns = slices.Clone(l.Turns)
		for k := range o.Turns {
			turn := &o.Turns[k]
			turn.Role, turn.Text, turn.Start, turn.End = call.RoleSystem, "another word", new(time.Duration(k)*time.Minute), nil
			if turn.Tool != nil {
				turn.Tool = &call.Tool{Name: "another_tool", Args: "{}", Result: "another", Failed: !turn.Tool.Failed}
			}
		}
		other = append(other, &o)
	}
	return one, other
}

// copyOf is a local copy of logs, as the product keeps it.
func copyOf(t *testing.T, logs []*call.Log) call.Source {
	db, err := store.Open(t.Context(), store.Options{Now: func() time.Time { return newest }})
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.Commit(t.Context(), store.Change{Source: "memory", ReadAt: newest, Put: logs})
	require.NoError(t, err)
	return db
}

// curious asks what there is to ask about one of the logs, with values of both
// worlds.
type curious struct {
	*rand.Rand
	worlds [2][]*call.Log
}

func (c curious) log() *call.Log {
	w := c.worlds[c.IntN(2)]
	return w[c.IntN(len(w))]
}

// condition is one on any field, that some log may fit.
func (c curious) condition() map[string]any {
	f := call.Fields()[c.IntN(len(call.Fields()))]
	name := map[string]string{"latency.STAGE.p50": "latency.e2e.p50", "latency.STAGE.p95": "latency.llm.p95",
		"metadata.KEY": "metadata.release", "dynamic_variables.KEY": "dynamic_variables.name"}[f.Name]
	if name == "" {
		name = f.Name
	}
	ops := f.Can()
	op := ops[c.IntN(len(ops))]
	var value any = "another"
	if values := c.log().Values(name); len(values) > 0 && values[0] != nil {
		value = values[c.IntN(len(values))]
	}
	switch s, isText := value.(string); {
	case op == filter.IsNull:
		value = c.IntN(2) == 0
	case op == filter.In:
		value = []any{value}
	case isText && len(s) > 4 && op != filter.Eq && op != filter.Neq:
		value = s[:4]
	}
	return map[string]any{"field": name, "op": op, "value": value}
}

func (c curious) question() string {
	l := c.log()
	args := map[string]any{"response_format": []string{"text", "json"}[c.IntN(2)]}
	fields := append(call.Fields().Names(), "metric", "day", "transcript", "metadata.release")
	field := func() string { return fields[c.IntN(len(fields))] }
	tool := []string{"list_call_logs", "get_call_log", "aggregate_call_logs", "describe_fields", "search_transcripts", "read_transcript", "resource"}[c.IntN(7)]
	switch tool {
	case "list_call_logs", "aggregate_call_logs", "search_transcripts":
		if c.IntN(4) > 0 {
			args["filters_v2"] = c.condition()
		}
		if c.IntN(4) == 0 {
			args["filters_v2"] = map[string]any{"or": []any{c.condition(), map[string]any{"and": []any{c.condition(), c.condition()}}}}
		}
		switch tool {
		case "aggregate_call_logs":
			args["group_by"] = []string{field()}
		case "search_transcripts":
			args["query"] = "another OR the"
		default:
			args["order_by"], args["page_size"] = []string{"newest", "oldest", "longest", "shortest"}[c.IntN(4)], 1+c.IntN(30)
		}
	case "get_call_log", "read_transcript":
		args = map[string]any{"id": l.ID.String()}
	case "describe_fields":
		args["field"] = field()
	case "resource":
		switch c.IntN(3) {
		case 0:
			return rpc("resources/read", map[string]any{"uri": l.ID.URI() + []string{"", "/transcript", "/transcript?match=another"}[c.IntN(3)]})
		case 1:
			return rpc("resources/list", map[string]any{})
		}
		return rpc("completion/complete", map[string]any{
			"ref":      map[string]any{"type": "ref/resource", "uri": "call://{source}/{key}"},
			"argument": map[string]any{"name": "key", "value": ""}, "context": map[string]any{"arguments": map[string]string{"source": "memory"}},
		})
	}
	return rpc("tools/call", map[string]any{"name": tool, "arguments": args})
}

// boundary is what differs between two answers to the same question.
var boundary = regexp.MustCompile(`⟦[0-9a-f]+⟧`)

// answered is what p is answered.
func answered(h http.Handler, p Principal, asked string) (status int, body string) {
	r := arriving("POST", "http://localhost/mcp", "127.0.0.1:80", asked)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(As(r.Context(), p)))
	return w.Code, boundary.ReplaceAllString(w.Body.String(), "")
}

// Whoever may read facts alone cannot tell two worlds apart that differ in what
// was said: not by any tool, resource, completion or count, and not by asking
// for it in a filter.
func TestWordsCannotBeToldApart(t *testing.T) {
	one, other := worlds()
	answer := func(logs []*call.Log, scopes ...string) func(string) (int, string) {
		h := frontOf(t, wholeServer(copyOf(t, logs)))
		return func(asked string) (int, string) { return answered(h, Principal{Name: "p", Scopes: scopes}, asked) }
	}
	facts, otherFacts := answer(one, CallsRead), answer(other, CallsRead)
	words, otherWords := answer(one, CallsRead, TranscriptsRead), answer(other, CallsRead, TranscriptsRead)
	c := curious{rand.New(rand.NewPCG(1, 2)), [2][]*call.Log{one, other}}
	apart, refused, all := 0, 0, soak(800, 50_000)
	for range all {
		asked := c.question()
		status, a := facts(asked)
		otherStatus, b := otherFacts(asked)
		require.Equal(t, status, otherStatus, asked)
		require.Equal(t, a, b, asked)
		if strings.Contains(a, "needs the scope transcripts:read") {
			refused++
		}
		_, a = words(asked)
		_, b = otherWords(asked)
		if a != b {
			apart++
		}
	}
	t.Logf("%d questions, %d refused to who may read facts alone; %d tell the worlds apart for who may read words", all, refused, apart)
	assert.Greater(t, apart, all/4, "the worlds do differ")
	assert.Less(t, refused, all*2/3, "facts are answered")
}

func TestUnspokenKeepsFacts(t *testing.T) {
	logs, _ := worlds()
	i := slices.IndexFunc(logs, func(l *call.Log) bool { return len(l.Turns) > 0 && len(l.Metrics) > 1 && l.Topic != "" })
	l := logs[i]
	got := unspoken(l)
	assert.Equal(t, l.Topic, got.Topic)
	assert.Equal(t, l.Metadata, got.Metadata)
	assert.Len(t, got.Metrics, len(l.Metrics))
	assert.NotEmpty(t, l.Metrics[len(l.Metrics)-1].Value, "the source's own is as it was")
	for _, m := range got.Metrics {
		assert.Empty(t, m.Explanation)
	}
	ctx := As(context.Background(), Principal{Name: "p", Scopes: []string{CallsRead}})
	src := Scope(calltest.Memory("memory", logs))
	for where, ok := range map[filter.Expr]bool{
		filter.Cond{Field: "metric_evaluations.value", Op: filter.Lt, Value: 3.0}:      true,
		filter.Cond{Field: "metric_evaluations.value", Op: filter.IsNull, Value: true}: true,
		filter.Cond{Field: "metric_evaluations.value", Op: filter.Eq, Value: "angry"}:  false,
		filter.Cond{Field: "topic", Op: filter.Contains, Value: "refund"}:              true,
		filter.Cond{Field: "summary", Op: filter.IsNull, Value: true}:                  false,
		filter.Cond{Field: "dropoff_point", Op: filter.Contains, Value: "menu"}:        false,
	} {
		_, err := src.Find(ctx, call.Query{Where: filter.Or{where}})
		if ok {
			assert.NoError(t, err, where.String())
		} else {
			assert.Equal(t, call.Forbidden, kindOf(err), where.String())
		}
	}
}

// An answer without a transcript says whether there is one for somebody else.
func TestWithheldIsNotMissing(t *testing.T) {
	logs, _ := worlds()
	calls := copyOf(t, logs)
	h := frontOf(t, wholeServer(calls))
	silent := logs[slices.IndexFunc(logs, func(l *call.Log) bool { return len(l.Turns) > 0 })].ID
	const withheld = "the transcript is withheld: the scope transcripts:read was not granted"
	for _, asked := range []string{
		rpc("tools/call", map[string]any{"name": "get_call_log", "arguments": map[string]any{"id": silent.String()}}),
		rpc("tools/call", map[string]any{"name": "get_call_log", "arguments": map[string]any{"id": silent.String(), "response_format": "json"}}),
		rpc("resources/read", map[string]any{"uri": silent.URI()}),
	} {
		status, body := answered(h, Principal{Name: "p", Scopes: []string{CallsRead}}, asked)
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, body, withheld, asked)
		assert.NotContains(t, body, "no transcript", asked)
		_, body = answered(h, Principal{Name: "p", Scopes: []string{CallsRead, TranscriptsRead}}, asked)
		assert.NotContains(t, body, "withheld", asked)
	}
	_, body := answered(h, Principal{Name: "p", Scopes: []string{CallsRead}},
		rpc("tools/call", map[string]any{"name": "get_call_log", "arguments": map[string]any{"id": silent.String(), "transcript": "none"}}))
	assert.NotContains(t, body, "withheld", "nobody asked for it")

	masked := call.Masked(Scope(calls), func(context.Context) *call.View {
		return &call.View{Text: strings.ToLower, Number: strings.ToLower, Name: strings.ToLower}
	})
	assert.Equal(t, "the scope transcripts:read", call.Withheld(As(t.Context(), Principal{Name: "p", Scopes: []string{CallsRead}}), masked), "as main puts it together")
	assert.Empty(t, call.Withheld(t.Context(), masked), "nobody is asked who he is")
}
