package cekura

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/client/provider"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

func testSource(t require.TestingT) *source {
	s, err := New(provider.Options{Credential: func(string) string { return "k" }, Now: now, ProjectID: "1376"})
	require.NoError(t, err)
	return s.(*source)
}

func parse(t require.TestingT, text string) filter.Expr {
	e, err := filter.Parse([]byte(text), call.Fields(), filter.Clock{Now: now()})
	require.NoError(t, err, text)
	return e
}

// What is asked for a filter: the params, and what is left to us.
func TestParams(t *testing.T) {
	s := testSource(t)
	for _, x := range []struct{ where, params, rest string }{
		{``, "project_id=1376", ""},
		{`{"field":"agent.id","op":"eq","value":2142}`, "agent_id=2142 project_id=1376", ""},
		{`{"field":"agent.id","op":"in","value":[2142]}`, "agent_id=2142 project_id=1376", ""},
		{`{"field":"agent.id","op":"in","value":[1,2]}`, `filters_v2={"field":"agent.id","op":"in","value":[1,2]} project_id=1376`, ""},
		{`{"field":"project_id","op":"eq","value":7}`, "project_id=7", ""},
		{`{"field":"assistant_id","op":"eq","value":"asst_1"}`, "assistant_id=asst_1 project_id=1376", ""},
		{`{"field":"id","op":"in","value":[3,"1",2]}`, "call_ids=1,2,3 project_id=1376", ""},
		{`{"field":"success","op":"eq","value":false}`, `filters_v2={"field":"success","op":"eq","value":false} project_id=1376`, ""},
		{`{"field":"success","op":"isnull","value":true}`, `filters_v2={"field":"success","op":"isnull","value":true} project_id=1376`, ""},
		{`{"field":"topic","op":"neq","value":"x"}`, `filters_v2={"operator":"and","conditions":[{"field":"topic","op":"neq","value":"x"},{"field":"topic","op":"neq","value":""}]} project_id=1376`, ""},
		{`{"field":"topic","op":"startswith","value":"x"}`, "project_id=1376", `{"field":"topic","op":"startswith","value":"x"}`},
		{`{"field":"duration","op":"gte","value":60}`, `filters_v2={"field":"duration","op":"gte","value":60} project_id=1376`, ""},
		{`{"field":"turn_count","op":"gt","value":5}`, "project_id=1376", `{"field":"turn_count","op":"gt","value":5}`},
		{`{"operator":"or","conditions":[{"field":"topic","op":"eq","value":"a"},{"field":"turn_count","op":"gt","value":5}]}`, "project_id=1376",
			`{"operator":"or","conditions":[{"field":"topic","op":"eq","value":"a"},{"field":"turn_count","op":"gt","value":5}]}`},
		{`{"field":"metadata.tier","op":"eq","value":"gold"}`, `filters_v2={"field":"metadata.tier","op":"eq","value":"gold"} project_id=1376`, ""},
		{`{"field":"metadata.n","op":"eq","value":"5"}`, `filters_v2={"field":"metadata.n","op":"in","value":["5",5]} project_id=1376`, ""},
		{`{"operator":"same_row","conditions":[{"field":"metric_evaluations.metric.id","op":"eq","value":"11"},{"field":"metric_evaluations.value","op":"eq","value":0}]}`,
			`filters_v2={"operator":"same_row","conditions":[{"field":"metric_evaluations.metric.id","op":"eq","value":11},{"field":"metric_evaluations.value","op":"eq","value":0}]} project_id=1376`, ""},
		{`{"field":"metric_evaluations.passed","op":"eq","value":false}`, "project_id=1376", `{"field":"metric_evaluations.passed","op":"eq","value":false}`},
		{`{"field":"source","op":"eq","value":"cekura"}`, "project_id=1376", ""},
		{`{"operator":"or","conditions":[{"field":"source","op":"eq","value":"zudu"},{"field":"success","op":"eq","value":true}]}`,
			`filters_v2={"field":"success","op":"eq","value":true} project_id=1376`, ""},
	} {
		p, err := s.plan(call.Query{Where: parse(t, x.where)}, false)
		require.NoError(t, err, x.where)
		require.False(t, p.never, x.where)
		var params []string
		for _, name := range []string{"agent_id", "assistant_id", "call_ids", "filters_v2", "project_id"} {
			if p.params.Has(name) {
				params = append(params, name+"="+p.params.Get(name))
			}
		}
		assert.Equal(t, x.params, strings.Join(params, " "), x.where)
		rest := ""
		if p.rest != nil {
			rest = p.rest.String()
		}
		assert.Equal(t, x.rest, rest, x.where)
	}
}

func TestNever(t *testing.T) {
	s := testSource(t)
	for _, where := range []string{
		`{"field":"source","op":"eq","value":"zudu"}`,
		`{"field":"agent.id","op":"eq","value":"3f2c-uuid"}`,
		`{"field":"id","op":"eq","value":"call_1"}`,
		`{"field":"sentiment","op":"eq","value":"negative"}`,
		`[{"field":"timestamp","op":"gte","value":"2026-11-02"},{"field":"timestamp","op":"lt","value":"2026-11-01"}]`,
	} {
		p, err := s.Find(t.Context(), call.Query{Where: parse(t, where)})
		require.NoError(t, err, where)
		assert.Zero(t, *p.Total, where)
		assert.True(t, p.Coverage.Complete, where)
	}
}

func TestUnheard(t *testing.T) {
	s := testSource(t)
	// Parts of an or are asked one by one, so only what no part may hold is refused there.
	many := make([]string, maxAlternatives+1)
	for i := range many {
		many[i] = fmt.Sprintf(`{"operator":"and","conditions":[{"field":"metadata.tier","op":"eq","value":"t%d"},{"field":"turn_count","op":"gt","value":%d}]}`, i, i)
	}
	for where, says := range map[string]string{
		`{"field":"metadata.tier","op":"regex","value":"g.*"}`:                                                                              "metadata.KEY with eq",
		`{"operator":"or","conditions":[{"field":"metadata.tier","op":"regex","value":"g.*"},{"field":"turn_count","op":"gt","value":50}]}`: "lists carry no metadata",
		`{"operator":"or","conditions":[` + strings.Join(many, ",") + `]}`:                                                                  "lists carry no metadata",
		`{"field":"dynamic_variables.name","op":"eq","value":"Ada"}`:                                                                        "no dynamic variables",
		`{"operator":"or","conditions":[{"operator":"and","conditions":[{"field":"assistant_id","op":"eq","value":"a"},{"field":"assistant_id","op":"eq","value":"b"}]},{"field":"success","op":"eq","value":true}]}`: "assistant_id eq one value",
		`{"operator":"and","conditions":[{"field":"assistant_id","op":"eq","value":"a"},{"field":"assistant_id","op":"eq","value":"b"}]}`:                                                                             "assistant_id eq one value",
	} {
		_, err := s.Find(t.Context(), call.Query{Where: parse(t, where)})
		var e *call.Error
		require.ErrorAs(t, err, &e, where)
		assert.Equal(t, call.Invalid, e.Kind, where)
		assert.Contains(t, e.Error(), says)
	}
}

func TestWindows(t *testing.T) {
	s := testSource(t)
	for _, x := range []struct{ where, from, to string }{
		{``, "2026-10-22T09:00:00Z", "2026-11-21T09:00:00Z"},
		{`{"field":"timestamp","op":"gte","value":"2026-11-01T00:00:00Z"}`, "2026-11-01T00:00:00Z", "2026-11-21T09:00:00Z"},
		{`{"field":"timestamp","op":"gt","value":"2026-11-01T00:00:00Z"}`, "2026-11-01T00:00:00.000001Z", "2026-11-21T09:00:00Z"},
		{`{"field":"timestamp","op":"lt","value":"2026-11-01T00:00:00Z"}`, "2026-10-01T23:59:59.999999Z", "2026-10-31T23:59:59.999999Z"},
		{`{"field":"timestamp","op":"eq","value":"2026-11-01T00:00:00Z"}`, "2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z"},
		{`{"field":"id","op":"eq","value":5}`, "2026-05-25T09:00:00Z", "2026-11-21T09:00:00Z"},
		{`{"field":"timestamp","op":"lte","value":"2030-01-01T00:00:00Z"}`, "2029-12-02T00:00:00Z", "2030-01-01T00:00:00Z"},
	} {
		p, err := s.plan(call.Query{Where: parse(t, x.where)}, false)
		require.NoError(t, err)
		assert.Nil(t, p.rest, x.where)
		assert.Equal(t, x.from, stamp(p.from), x.where)
		assert.Equal(t, x.to, stamp(p.to), x.where)
	}
	p, err := s.plan(call.Query{Where: parse(t, `{"field":"timestamp","op":"gte","value":"1990-01-01"}`)}, false)
	require.NoError(t, err)
	assert.Len(t, s.walk(p, call.Query{}).all, maxSlices)
	assert.NotEmpty(t, p.notes)
}

// Law 2: what is asked of the API and what is left to us mean the filter, and
// so do the local check and what is left. The API's answer is computed here
// from what it is told, word by word.
func TestSplitKeepsMeaning(t *testing.T) {
	s := testSource(t)
	rapid.Check(t, func(t *rapid.T) {
		where := drawExpr(t, 3)
		row := drawRow(t)
		p, err := s.plan(call.Query{Where: filter.All(where, filter.Within("timestamp", now().Add(-30*day), now()))}, rapid.Bool().Draw(t, "deaf"))
		if err != nil {
			return // conditions that nobody can answer
		}
		want := filter.Match(where, row) && filter.Match(filter.Within("timestamp", now().Add(-30*day), now()), row)
		told := true
		for _, name := range []string{"agent_id", "project_id"} {
			field := map[string]string{"agent_id": "agent.id", "project_id": "project_id"}[name]
			if v := p.params.Get(name); v != "" && field == "agent.id" {
				told = told && filter.Match(filter.Cond{Field: field, Op: filter.Eq, Value: v}, row)
			}
		}
		if v := p.params.Get("call_ids"); v != "" {
			told = told && strings.Contains(","+v+",", ","+row.ID.Key+",")
		}
		if v := p.params.Get("filters_v2"); v != "" {
			told = told && filter.Match(parse(t, strings.ReplaceAll(v, `"value":""`, `"value":"\u0000"`)), row)
		}
		inside := !row.StartedAt.Before(p.from) && !row.StartedAt.After(p.to)
		got := !p.never && told && inside && filter.Match(p.rest, row)
		assert.Equal(t, want, got, "%v asked as %v and %v", where, p.params, p.rest)
		if len(p.blind) == 0 {
			local := !p.never && inside && filter.Match(filter.All(p.check, p.rest), row)
			assert.Equal(t, want, local, "%v checked by %v and %v", where, p.check, p.rest)
		}
	})
}

func drawExpr(t *rapid.T, depth int) filter.Expr {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") > 0 {
		return drawCond(t)
	}
	parts := make([]filter.Expr, rapid.IntRange(1, 3).Draw(t, "parts"))
	for i := range parts {
		parts[i] = drawExpr(t, depth-1)
	}
	switch rapid.IntRange(0, 3).Draw(t, "group") {
	case 0:
		return filter.Or(parts)
	case 1:
		rows := filter.SameRow{}
		for range parts {
			rows = append(rows, drawMetric(t))
		}
		return rows
	}
	return filter.And(parts)
}

func drawCond(t *rapid.T) filter.Expr {
	if rapid.IntRange(0, 4).Draw(t, "metric?") == 0 {
		return drawMetric(t)
	}
	word := rapid.SampledFrom([]string{"a", "ab", "b", "7"})
	words := []filter.Op{filter.Eq, filter.Neq, filter.Contains, filter.StartsWith, filter.EndsWith, filter.In, filter.IsNull}
	numbers := []filter.Op{filter.Eq, filter.Neq, filter.Gt, filter.Gte, filter.Lt, filter.Lte, filter.In, filter.IsNull}
	fields := []struct {
		name  string
		ops   []filter.Op
		value func() any
	}{
		{"topic", words, func() any { return word.Draw(t, "topic") }},
		{"call_ended_reason", words, func() any { return word.Draw(t, "reason") }},
		{"customer_number", words, func() any { return word.Draw(t, "customer") }},
		{"agent.agent_name", words, func() any { return word.Draw(t, "name") }},
		{"feedback", words, func() any { return word.Draw(t, "feedback") }},
		{"metadata.key", words, func() any { return word.Draw(t, "meta") }},
		{"source", []filter.Op{filter.Eq, filter.Neq, filter.In}, func() any { return rapid.SampledFrom([]string{"cekura", "zudu"}).Draw(t, "source") }},
		{"sentiment", words, func() any { return word.Draw(t, "sentiment") }},
		{"agent.id", words, func() any { return rapid.SampledFrom([]string{"1", "2", "x"}).Draw(t, "agent") }},
		{"id", numbers, func() any { return rapid.SampledFrom([]any{1.0, "2", "x"}).Draw(t, "id") }},
		{"duration", numbers, func() any { return float64(rapid.IntRange(0, 3).Draw(t, "seconds")) }},
		{"turn_count", numbers, func() any { return float64(rapid.IntRange(0, 2).Draw(t, "turns")) }},
		{"success", []filter.Op{filter.Eq, filter.Neq, filter.IsNull}, func() any { return rapid.Bool().Draw(t, "success") }},
		{"is_reviewed", []filter.Op{filter.Eq, filter.Neq, filter.IsNull}, func() any { return rapid.Bool().Draw(t, "reviewed") }},
		{"timestamp", []filter.Op{filter.Eq, filter.Gt, filter.Gte, filter.Lt, filter.Lte}, func() any { return drawTime(t) }},
		{"created_at", []filter.Op{filter.Eq, filter.Gt, filter.Gte, filter.Lt, filter.Lte}, func() any { return drawTime(t) }},
	}
	f := fields[rapid.IntRange(0, len(fields)-1).Draw(t, "field")]
	return cond(t, f.name, f.ops, f.value)
}

func drawMetric(t *rapid.T) filter.Expr {
	ops := []filter.Op{filter.Eq, filter.Neq, filter.In, filter.IsNull}
	switch rapid.IntRange(0, 3).Draw(t, "of metric") {
	case 0:
		return cond(t, "metric_evaluations.metric.id", ops, func() any { return rapid.SampledFrom([]string{"11", "12", "m"}).Draw(t, "mid") })
	case 1:
		return cond(t, "metric_evaluations.metric.name", ops, func() any { return rapid.SampledFrom([]string{"N", "M"}).Draw(t, "mname") })
	case 2:
		return cond(t, "metric_evaluations.passed", []filter.Op{filter.Eq, filter.IsNull}, func() any { return rapid.Bool().Draw(t, "passed") })
	}
	return cond(t, "metric_evaluations.value", append(ops, filter.Gt, filter.Lte), func() any { return rapid.SampledFrom([]any{0.0, 5.0, "red"}).Draw(t, "mvalue") })
}

func cond(t *rapid.T, field string, ops []filter.Op, value func() any) filter.Expr {
	c := filter.Cond{Field: field, Op: rapid.SampledFrom(ops).Draw(t, "op")}
	switch c.Op {
	case filter.IsNull:
		c.Value = rapid.Bool().Draw(t, "null")
	case filter.In:
		c.Value = []any{value(), value()}
	default:
		c.Value = value()
	}
	return c
}

func drawTime(t *rapid.T) time.Time {
	return now().Add(-time.Duration(rapid.IntRange(0, 6).Draw(t, "half seconds")) * time.Second / 2)
}

func drawRow(t *rapid.T) *call.Log {
	word := func(name string) string { return rapid.SampledFrom([]string{"", "a", "AB", "b", "7"}).Draw(t, name) }
	truth := func(name string) *bool {
		return rapid.SampledFrom([]*bool{nil, new(bool), ptr(true)}).Draw(t, name)
	}
	l := &call.Log{
		ID:          call.ID{Source: "cekura", Key: fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "key"))},
		AgentID:     rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "agent of row"),
		ProjectID:   "1376",
		Topic:       word("row topic"),
		EndedReason: word("row reason"),
		Customer:    word("row customer"),
		AgentName:   word("row name"),
		Feedback:    word("row feedback"),
		Success:     truth("row success"),
		Reviewed:    truth("row reviewed"),
		StartedAt:   drawTime(t),
		CreatedAt:   drawTime(t),
		Turns:       make([]call.Turn, rapid.IntRange(0, 2).Draw(t, "row turns")),
	}
	if v := word("row meta"); v != "" {
		l.Metadata = map[string]any{"key": v}
	}
	if n := rapid.IntRange(-1, 3).Draw(t, "row seconds"); n >= 0 {
		l.Duration = ptr(time.Duration(n) * time.Second)
	}
	for range rapid.IntRange(0, 2).Draw(t, "metrics") {
		l.Metrics = append(l.Metrics, call.Metric{
			ID:    rapid.SampledFrom([]string{"11", "12"}).Draw(t, "row mid"),
			Name:  rapid.SampledFrom([]string{"N", "M"}).Draw(t, "row mname"),
			Score: rapid.SampledFrom([]*float64{nil, ptr(0.0), ptr(5.0)}).Draw(t, "row score"),
		})
	}
	return l
}

func ptr[T any](v T) *T { return &v }
