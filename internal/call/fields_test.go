package call_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// full is a log with something in every field, each text another.
func full() *call.Log {
	l := &call.Log{}
	n := 0
	fill(reflect.ValueOf(l).Elem(), &n)
	l.Metadata = map[string]any{"k": "metadata k", "deep": map[string]any{"list": []any{"metadata deep", 4915112345678.0, true, nil}}}
	l.DynamicVariables = map[string]any{"k": "dynamic k", "n": json.Number("42")}
	l.Latency = map[string]call.Latency{"k": {P50: new(time.Second), P95: new(2 * time.Second)}}
	return l
}

// fill puts a value of its own into everything that v holds.
func fill(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(end.Add(time.Duration(*n) * time.Second)))
	case v.Kind() == reflect.String:
		v.SetString("text " + string(rune('A'+*n)))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(int64(*n))
	case v.CanFloat():
		v.SetFloat(float64(*n))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), n)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	}
}

// concrete is the name of a field with a key that full has.
func concrete(f filter.Field) string {
	return strings.NewReplacer("KEY", "k", "STAGE", "k").Replace(f.Name)
}

// A field of the vocabulary without a case in Values would match nothing, in
// silence.
func TestEveryFieldHasValues(t *testing.T) {
	types := map[filter.Kind][]any{
		filter.Text: {""}, filter.Number: {0.0}, filter.Bool: {false}, filter.Time: {time.Time{}}, filter.Dynamic: {"", 0.0},
	}
	l := full()
	for _, f := range call.Fields() {
		values := l.Values(concrete(f))
		require.Len(t, values, 1, f.Name)
		if assert.NotNil(t, values[0], f.Name) {
			ok := false
			for _, sample := range types[f.Kind] {
				ok = ok || reflect.TypeOf(sample) == reflect.TypeOf(values[0])
			}
			assert.True(t, ok, "%s is a %s, its value a %T", f.Name, f.Kind, values[0])
		}
		assert.True(t, filter.Match(filter.Cond{Field: concrete(f), Op: filter.IsNull, Value: false}, l), f.Name)
		if f.Relation != "" {
			rows := l.Rows(f.Relation)
			require.Len(t, rows, 1)
			assert.Equal(t, values, rows[0].Values(concrete(f)), f.Name)
		}
	}
}

func TestEveryFieldCanBeMissing(t *testing.T) {
	for _, l := range []*call.Log{{}, {Metrics: make([]call.Metric, 2)}} {
		for _, f := range call.Fields() {
			for _, v := range l.Values(concrete(f)) {
				assert.Nil(t, v, f.Name)
			}
			assert.True(t, filter.Match(filter.Cond{Field: concrete(f), Op: filter.IsNull, Value: true}, l), f.Name)
		}
	}
	assert.Nil(t, (&call.Log{}).Rows("turns"), "there is one relation only")
}

func TestValues(t *testing.T) {
	l := full()
	l.Turns = []call.Turn{
		{Index: 1, Text: "hello"},
		{Index: 2, Tool: &call.Tool{Name: "lookup_order", Args: `{"order":1}`, Result: "none"}},
		{Index: 3},
	}
	l.Metrics = []call.Metric{{Score: new(0.0), Value: "zero"}, {Value: "angry"}}
	for field, want := range map[string][]any{
		"metadata.k":               {"metadata k"},
		"metadata.deep":            {`{"list":["metadata deep",4915112345678,true,null]}`},
		"metadata.never":           {nil},
		"dynamic_variables.n":      {"42"},
		"latency.k.p95":            {2.0},
		"latency.never.p95":        {nil},
		"turn_count":               {3.0},
		"transcript":               {"hello\nlookup_order {\"order\":1} none\n"},
		"metric_evaluations.value": {0.0, "angry"},
		"no_such_field":            {nil},
	} {
		assert.Equal(t, want, l.Values(field), field)
	}
	for _, f := range call.Fields() {
		for _, alias := range f.Aliases {
			got, ok := call.Fields().Field(alias)
			assert.True(t, ok && got.Name == f.Name, "%s is an alias of %s", alias, f.Name)
		}
	}
}
