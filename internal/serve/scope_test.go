package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
)

var newest = time.Date(2026, 11, 21, 9, 12, 0, 0, time.UTC)

// as asks a source on behalf of a principal.
type as struct {
	call.Source
	p Principal
}

func (a as) Find(ctx context.Context, q call.Query) (call.Page, error) {
	return a.Source.Find(As(ctx, a.p), q)
}

func (a as) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	return a.Source.Get(As(ctx, a.p), id)
}

func count(logs []*call.Log, where filter.Expr) (n int) {
	for _, l := range logs {
		if filter.Match(where, l) {
			n++
		}
	}
	return n
}

func agent(ids ...any) filter.Expr { return filter.Cond{Field: "agent.id", Op: filter.In, Value: ids} }

// A scoped source is a source like any other: over what the principal sees.
func TestScopeIsASource(t *testing.T) {
	logs := calltest.Logs("memory", 150, 3, newest)
	t.Run("of nobody", func(t *testing.T) {
		store := calltest.Memory("memory", logs)
		calltest.TestSource(t, Scope(store), calltest.Options{Source: "memory", Logs: 150, Mutable: store})
	})
	t.Run("of a principal", func(t *testing.T) {
		where := agent("2142", "9")
		p := Principal{Name: "p", Scopes: Scopes(), Where: where}
		calltest.TestSource(t, as{Scope(calltest.Memory("memory", logs)), p}, calltest.Options{Source: "memory", Logs: count(logs, where)})
	})
	t.Run("of a principal, merged and read in small steps", func(t *testing.T) {
		other := calltest.Logs("other", 60, 4, newest)
		where := filter.Or{filter.Cond{Field: "source", Op: filter.Eq, Value: "other"}, agent("2142")}
		p := Principal{Name: "p", Scopes: Scopes(), Where: where}
		merged := call.Merge(map[string]call.Source{"memory": calltest.Memory("memory", logs), "other": calltest.Memory("other", other)}, 0)
		calltest.TestSource(t, as{Scope(merged), p}, calltest.Options{Logs: count(append(slices.Clone(logs), other...), where)})
	})
}

// slow reads a few calls a question, as from an upstream, so that pages break
// off in the middle of what is foreign.
type slow struct{ *calltest.Store }

func (s slow) Find(ctx context.Context, q call.Query) (call.Page, error) {
	everything, err := s.Store.Find(ctx, call.Query{Order: q.Order, Limit: 1000})
	if err != nil {
		return call.Page{}, err
	}
	q.Scan = 7
	rest := everything.Logs
	return call.Collect(ctx, q, q.Where, func(context.Context) (call.Batch, error) {
		n := min(3, len(rest))
		b := call.Batch{Logs: rest[:n], More: n < len(rest), Calls: new(len(everything.Logs))}
		rest = rest[n:]
		return b, nil
	})
}

// counting is a Store that counts, with an answer that tells as much as one can.
type counting struct{ call.Source }

func (c counting) Aggregate(ctx context.Context, a call.Aggregation) (call.Aggregate, error) {
	p, err := c.Find(ctx, call.Query{Where: a.Where, Limit: 1000, Exhaust: true})
	if err != nil {
		return call.Aggregate{}, err
	}
	everything, err := c.Find(ctx, call.Query{Limit: 1000})
	out := call.Aggregate{Total: call.Group{Stats: call.Stats{Calls: len(p.Logs)}}, Coverage: everything.Coverage}
	for _, l := range p.Logs {
		out.Groups = append(out.Groups, call.Group{Key: []string{l.ID.Key}})
	}
	return out, err
}

// Whatever two principals ask, by any method, in pages of any size: neither
// meets a call, a position or a number of the other's.
func TestNothingForeignIsSeen(t *testing.T) {
	logs := calltest.Logs("memory", 120, 5, newest)
	sources := map[string]call.Source{
		"memory": counting{calltest.Memory("memory", logs)},
		"steps":  counting{slow{calltest.Memory("memory", logs)}},
	}
	principals := []Principal{
		{Name: "a", Scopes: Scopes(), Where: agent("2142")},
		{Name: "b", Scopes: Scopes(), Where: agent("2143", "9")},
	}
	words := []string{"the", "order", "refund OR help", "ja", "number"}
	fields := []filter.Expr{
		nil, agent("2142"), agent("2143"), filter.Cond{Field: "success", Op: filter.Eq, Value: false},
		filter.Or{agent("9"), filter.Cond{Field: "duration", Op: filter.Gt, Value: 60.0}},
		filter.Cond{Field: "transcript", Op: filter.Contains, Value: "e"},
		filter.Within("timestamp", newest.AddDate(0, 0, -9), newest.AddDate(0, 0, -2)),
	}
	rapid.Check(t, func(t *rapid.T) {
		src := Scope(sources[rapid.SampledFrom([]string{"memory", "steps"}).Draw(t, "source")])
		p := rapid.SampledFrom(principals).Draw(t, "principal")
		ctx := As(context.Background(), p)
		own := count(logs, p.Where)
		q := call.Query{
			Where: rapid.SampledFrom(fields).Draw(t, "where"), Limit: rapid.IntRange(1, 9).Draw(t, "limit"),
			Order:   rapid.SampledFrom([]call.Order{call.Newest, call.Oldest}).Draw(t, "order"),
			Exhaust: rapid.Bool().Draw(t, "exhaust"),
		}
		if rapid.Bool().Draw(t, "search") {
			text, err := call.ParseText(rapid.SampledFrom(words).Draw(t, "words"))
			require.NoError(t, err)
			q.Text = text
		}
		want := 0
		for _, l := range logs {
			if filter.Match(filter.All(p.Where, q.Where), l) {
				if q.Text == nil {
					want++
				} else if _, ok := q.Text.Match(l, ""); ok {
					want++
				}
			}
		}
		met := 0
		for range 200 {
			page, err := src.Find(ctx, q)
			require.NoError(t, err)
			met += len(page.Logs)
			for _, l := range page.Logs {
				require.True(t, filter.Match(p.Where, l), "%s is foreign", l.ID)
			}
			c := page.Coverage
			require.True(t, c.Searched <= own && (c.Calls == nil || *c.Calls <= own) && (page.Total == nil || *page.Total <= own), "counts of foreign calls")
			if page.Next == nil {
				break
			}
			if i := slices.IndexFunc(logs, func(l *call.Log) bool { return l.ID == page.Next.ID }); i >= 0 {
				require.True(t, filter.Match(p.Where, logs[i]), "the cursor names %s", page.Next.ID)
			}
			q.After = page.Next
		}
		require.Equal(t, want, met, "each of one's own once")

		counted, err := src.(call.Aggregator).Aggregate(ctx, call.Aggregation{Where: q.Where})
		require.NoError(t, err)
		require.LessOrEqual(t, counted.Coverage.Searched, own)
		for _, g := range counted.Groups {
			i := slices.IndexFunc(logs, func(l *call.Log) bool { return l.ID.Key == g.Key[0] })
			require.True(t, filter.Match(p.Where, logs[i]))
		}
	})
}

func TestForeignCallsAreNotThere(t *testing.T) {
	logs := calltest.Logs("memory", 60, 6, newest)
	src := Scope(calltest.Memory("memory", logs))
	p := Principal{Name: "p", Scopes: Scopes(), Where: agent("2142")}
	ctx := As(t.Context(), p)
	missing := func(id call.ID) string {
		_, err := src.Get(ctx, id)
		var e *call.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, call.NotFound, e.Kind)
		return strings.ReplaceAll(e.Error(), id.String(), "ID")
	}
	for _, l := range logs {
		if filter.Match(p.Where, l) {
			got, err := src.Get(ctx, l.ID)
			require.NoError(t, err)
			assert.Same(t, l, got)
			continue
		}
		assert.Equal(t, missing(call.ID{Source: "memory", Key: "0"}), missing(l.ID), "as one that never was")
		_, err := src.Find(ctx, call.Query{Similar: &l.ID, Order: call.Relevance})
		assert.Equal(t, call.NotFound, kindOf(err), "what is like it would tell what it is")
	}
	p.Where = filter.Cond{Field: "source", Op: filter.Eq, Value: "other"}
	_, err := Scope(unreachable{t}).Get(As(t.Context(), p), call.ID{Source: "memory", Key: "1"})
	assert.Equal(t, call.NotFound, kindOf(err), "without a question to the source")
}

// unreachable is a source that must not be asked.
type unreachable struct{ t *testing.T }

func (u unreachable) Find(context.Context, call.Query) (call.Page, error) {
	u.t.Error("asked")
	return call.Page{}, nil
}

func (u unreachable) Get(context.Context, call.ID) (*call.Log, error) {
	u.t.Error("asked")
	return nil, errors.New("asked")
}

// Every scope × every way to ask.
func TestScopesAreKept(t *testing.T) {
	logs := calltest.Logs("memory", 40, 7, newest)
	src := Scope(counting{calltest.Memory("memory", logs)})
	text, err := call.ParseText("the")
	require.NoError(t, err)
	said := filter.Cond{Field: "transcript", Op: filter.Contains, Value: "a"}
	asked := map[string]func(context.Context) error{
		"list": func(ctx context.Context) error { _, err := src.Find(ctx, call.Query{}); return err },
		"get":  func(ctx context.Context) error { _, err := src.Get(ctx, logs[0].ID); return err },
		"count": func(ctx context.Context) error {
			_, err := src.(call.Aggregator).Aggregate(ctx, call.Aggregation{})
			return err
		},
		"search": func(ctx context.Context) error { _, err := src.Find(ctx, call.Query{Text: text}); return err },
		"similar": func(ctx context.Context) error {
			_, err := src.Find(ctx, call.Query{Similar: &logs[0].ID})
			return err
		},
		"filter on words": func(ctx context.Context) error {
			_, err := src.Find(ctx, call.Query{Where: filter.Or{said}})
			return err
		},
		"count by words": func(ctx context.Context) error {
			_, err := src.(call.Aggregator).Aggregate(ctx, call.Aggregation{Where: said})
			return err
		},
		"group by the words": func(ctx context.Context) error {
			_, err := src.(call.Aggregator).Aggregate(ctx, call.Aggregation{By: []call.Grouping{{Field: "transcript"}}})
			return err
		},
	}
	needs := map[string]string{"list": CallsRead, "get": CallsRead, "count": CallsRead}
	for n := range 8 {
		p := Principal{Name: "p"}
		for i, s := range Scopes() {
			if n&(1<<i) != 0 {
				p.Scopes = append(p.Scopes, s)
			}
		}
		ctx := As(t.Context(), p)
		for name, ask := range asked {
			need := []string{CallsRead, TranscriptsRead}
			if needs[name] != "" {
				need = need[:1]
			}
			err := ask(ctx)
			if slices.ContainsFunc(need, func(s string) bool { return !p.May(s) }) {
				assert.Equal(t, call.Forbidden, kindOf(err), "%s with %v", name, p.Scopes)
			} else {
				assert.NoError(t, err, "%s with %v", name, p.Scopes)
			}
		}
		assert.Equal(t, p.May(PIIRead), MayShowPII(ctx))
	}
	assert.True(t, MayShowPII(t.Context()), "nobody over stdio is the owner")
	for name, ask := range asked {
		assert.NoError(t, ask(t.Context()), name)
	}
}

func TestWordsNeedTheirScope(t *testing.T) {
	logs := calltest.Logs("memory", 40, 8, newest)
	src := Scope(calltest.Memory("memory", logs))
	ctx := As(t.Context(), Principal{Name: "p", Scopes: []string{CallsRead}})
	page, err := src.Find(ctx, call.Query{Limit: 40})
	require.NoError(t, err)
	require.Len(t, page.Logs, 40)
	for _, l := range page.Logs {
		one, err := src.Get(ctx, l.ID)
		require.NoError(t, err)
		for _, l := range []*call.Log{l, one} {
			assert.Nil(t, l.Turns)
			assert.Empty(t, l.RecordingURL)
		}
	}
	assert.True(t, slices.ContainsFunc(logs, func(l *call.Log) bool { return len(l.Turns) > 0 }), "the source's own logs keep theirs")
}

func TestScopeForwards(t *testing.T) {
	assert.False(t, call.Ranks(Scope(calltest.Memory("m", nil))))
	assert.True(t, call.Ranks(Scope(ranking{calltest.Memory("m", nil)})))
	out, err := Scope(ranking{calltest.Memory("m", calltest.Logs("m", 30, 1, newest))}).(call.Aggregator).Aggregate(t.Context(), call.Aggregation{})
	require.NoError(t, err)
	assert.Equal(t, 30, out.Total.Stats.Calls, "a source that cannot count is read")
}

type ranking struct{ call.Source }

func (ranking) Ranks() bool { return true }

func TestToolsAreHiddenAndRefused(t *testing.T) {
	tools := []mcp.Tool{mcp.NewTool("list_call_logs"), mcp.NewTool("read_transcript"), mcp.NewTool("search_transcripts")}
	checked := ToolCheck(func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText("in"), nil
	})
	for scopes, want := range map[string][]string{
		"":                                {},
		TranscriptsRead:                   {},
		CallsRead:                         {"list_call_logs"},
		CallsRead + "," + TranscriptsRead: {"list_call_logs", "read_transcript", "search_transcripts"},
	} {
		ctx := As(t.Context(), Principal{Name: "p", Scopes: strings.Split(scopes, ",")})
		shown := []string{}
		for _, tool := range ToolFilter(ctx, tools) {
			shown = append(shown, tool.Name)
		}
		assert.Equal(t, want, shown)
		for _, tool := range tools {
			var req mcp.CallToolRequest
			req.Params.Name = tool.Name
			result, err := checked(ctx, req)
			require.NoError(t, err)
			assert.Equal(t, !slices.Contains(want, tool.Name), result.IsError, fmt.Sprint(scopes, tool.Name))
		}
	}
	assert.Len(t, ToolFilter(t.Context(), tools), 3)
}
