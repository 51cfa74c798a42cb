package store_test

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
)

// Law 3: a filter selects here what filter.Match selects, whatever tree it is:
// also with values and operators that filter.Parse lets nobody write.
func TestFiltersMeanTheSame(t *testing.T) {
	logs := calltest.Logs("a", 150, 11, end)
	for i, l := range logs {
		switch i % 10 {
		case 0:
			l.StartedAt = l.StartedAt.Add(time.Duration(i) * time.Nanosecond)
		case 1:
			l.ID.Key = []string{"5.0", "-0", "007", "1e5", "x", "0.50", "12345678901234567890", "5"}[i/10%8] + map[bool]string{true: "", false: "k"}[i < 80]
		case 2:
			l.Duration = new(time.Duration(i*i) * 1234567)
		case 3:
			l.Metadata = map[string]any{"a.b": "dotted", "": "empty", "long": string(make([]rune, 400)) + "é", "attempt": "2"}
		case 4:
			l.Metrics = append(l.Metrics, call.Metric{ID: "5", Value: "5"}, call.Metric{Name: "Talk ratio", Score: new(5.0), Value: "calm"})
		}
	}
	logs = append(logs, calltest.Logs("b", 30, 12, end)...)
	s := filled(t, "", logs)
	values := valuesOf(logs)
	rapid.Check(t, func(t *rapid.T) {
		for range 5 {
			e := tree(t, values, 3)
			p, err := s.Find(ctx, call.Query{Where: e, Limit: len(logs)})
			require.NoError(t, err, filter.Words(e))
			var want, got []call.ID
			for _, l := range slices.SortedFunc(slices.Values(logs), call.Newest.Compare) {
				if filter.Match(e, l) {
					want = append(want, l.ID)
				}
			}
			for _, l := range p.Logs {
				got = append(got, l.ID)
			}
			require.Equal(t, want, got, "%#v", e)
		}
	})
}

var fieldNames = func() (names []string) {
	for _, f := range call.Fields() {
		switch f.Name {
		case "metadata.KEY":
			names = append(names, "metadata.release", "metadata.attempt", "metadata.tags", "metadata.nothing", "metadata.a.b", "metadata.", "metadata.never")
		case "dynamic_variables.KEY":
			names = append(names, "dynamic_variables.city", "dynamic_variables.vip", "dynamic_variables")
		case "latency.STAGE.p50":
			names = append(names, "latency.e2e.p50", "latency.llm.p50", "latency.never.p50")
		case "latency.STAGE.p95":
			names = append(names, "latency.e2e.p95", "latency.e2e", "latency")
		default:
			names = append(names, f.Name)
		}
	}
	return append(names, "nothing", "metric_evaluations", "metric_evaluations.nothing", "transcript.x", "summary.x")
}()

var allOps = []filter.Op{
	filter.Eq, filter.Neq, filter.Gt, filter.Gte, filter.Lt, filter.Lte, filter.Contains, filter.StartsWith, filter.EndsWith, filter.In, filter.IsNull, filter.Regex, "none",
}

func valuesOf(logs []*call.Log) map[string][]any {
	values := map[string][]any{}
	for _, name := range fieldNames {
		for _, l := range logs {
			for _, v := range l.Values(name) {
				if v != nil && len(values[name]) < 40 && !slices.Contains(values[name], v) {
					values[name] = append(values[name], v)
				}
			}
		}
	}
	return values
}

// pick draws evenly; rapid prefers the first.
func pick[T any](t *rapid.T, label string, from []T) T {
	n := 0
	for _, bit := range rapid.SliceOfN(rapid.Bool(), 10, 10).Draw(t, label) {
		n <<= 1
		if bit {
			n++
		}
	}
	return from[n%len(from)]
}

func tree(t *rapid.T, values map[string][]any, depth int) filter.Expr {
	kind := pick(t, "kind", []string{"cond", "cond", "cond", "and", "or", "same", "nil"})
	if depth == 0 {
		kind = "cond"
	}
	switch kind {
	case "and":
		return filter.And(trees(t, values, depth))
	case "or":
		return filter.Or(trees(t, values, depth))
	case "same":
		return filter.SameRow(trees(t, values, depth))
	case "nil":
		return nil
	}
	name := pick(t, "field", fieldNames)
	if depth < 3 && rapid.Bool().Draw(t, "metric") {
		name = pick(t, "metric", fieldNames[len(fieldNames)-9:])
	}
	c := filter.Cond{Field: name, Op: pick(t, "op", allOps), Value: value(t, name, values)}
	switch {
	case c.Op == filter.IsNull && rapid.IntRange(0, 9).Draw(t, "odd") > 0:
		c.Value = rapid.Bool().Draw(t, "absent")
	case c.Op == filter.In && rapid.IntRange(0, 9).Draw(t, "odd") > 0:
		c.Value = []any{value(t, name, values), nil, value(t, name, values)}
	case c.Op == filter.Regex:
		c.Value = regexp.MustCompile(pick(t, "regex", []string{"a", "^.e", "(?i)R", "[0-9]+$", "é", "^$"}))
	}
	return c
}

func trees(t *rapid.T, values map[string][]any, depth int) []filter.Expr {
	out := make([]filter.Expr, rapid.IntRange(0, 3).Draw(t, "parts"))
	for i := range out {
		out[i] = tree(t, values, depth-1)
	}
	return out
}

// value is one that the field has, or a part of it, or one of another kind.
func value(t *rapid.T, name string, values map[string][]any) any {
	if rapid.IntRange(0, 3).Draw(t, "odd") == 0 || len(values[name]) == 0 {
		return pick(t, "value", []any{nil, "", "a", 5.0, 0.0, -1.5, 1e300, true, false, end, end.AddDate(7000, 0, 0), "5", "0.5", "true"})
	}
	v := pick(t, "value", values[name])
	switch v := v.(type) {
	case time.Time:
		return v.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "beside")))
	case float64:
		return v + pick(t, "beside", []float64{0, 0, 1e-9, -1e-9, 1})
	case string:
		if r := []rune(v); len(r) > 3 && rapid.Bool().Draw(t, "part") {
			return string(r[1:3])
		}
	}
	return v
}
