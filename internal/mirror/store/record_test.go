package store

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
)

func roundTrip(t rapid.TB, l *call.Log) {
	t.Helper()
	b, err := encodeRecord(nil, l)
	require.NoError(t, err)
	got, err := decodeRecord(b)
	require.NoError(t, err)
	require.Equal(t, l, got)
	again, err := encodeRecord(nil, got)
	require.NoError(t, err)
	require.Equal(t, b, again, "the bytes are not stable")
}

func TestRecordsRoundTrip(t *testing.T) {
	end := time.Date(2026, 11, 21, 9, 12, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		for _, l := range calltest.Logs("s", 20, rapid.Uint64().Draw(t, "seed"), end) {
			roundTrip(t, l)
		}
	})
}

func TestRecordsKeepWhatIsOdd(t *testing.T) {
	roundTrip(t, &call.Log{})
	roundTrip(t, &call.Log{
		Turns: []call.Turn{{Index: 7, Role: "moderator", Start: new(time.Duration(-1)), End: new(time.Duration(math.MaxInt64))}, {}},
		Metadata: map[string]any{
			"": nil, "n": json.Number("1e5"), "deep": map[string]any{"a": []any{}, "b": []any{nil, true, false, -0.5}}, "x": map[string]any(nil), "y": []any(nil),
		},
		DynamicVariables: map[string]any{}, Metrics: []call.Metric{}, Latency: map[string]call.Latency{"": {}},
		StartedAt: time.Date(1821, 1, 2, 3, 4, 5, 6, time.UTC), EndedAt: time.Date(9999, 1, 1, 0, 0, 0, 999, time.UTC),
		Duration: new(1500*time.Millisecond + 1), Cost: new(math.Inf(1)),
	})
}

// A field that is added to call.Log has to be stored too: every field, set to
// something, changes the record and comes back.
func TestRecordsHaveEveryField(t *testing.T) {
	var l call.Log
	v := reflect.ValueOf(&l).Elem()
	empty, err := encodeRecord(nil, &l)
	require.NoError(t, err)
	fields := 0
	var each func(v reflect.Value, name string)
	each = func(v reflect.Value, name string) {
		if v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]() {
			for i := range v.NumField() {
				if name == "Log" && v.Type().Field(i).Name == "Notes" {
					continue // of an answer, not of the call
				}
				each(v.Field(i), name+"."+v.Type().Field(i).Name)
			}
			return
		}
		fields++
		v.Set(something(t, v.Type()))
		b, err := encodeRecord(nil, &l)
		require.NoError(t, err)
		assert.NotEqual(t, empty, b, "%s is not stored", name)
		got, err := decodeRecord(b)
		require.NoError(t, err)
		assert.Equal(t, &l, got, "%s does not come back", name)
		v.SetZero()
	}
	each(v, "Log")
	assert.Greater(t, fields, 35)
}

// something is a value of a type in which nothing is zero.
func something(t *testing.T, typ reflect.Type) reflect.Value {
	v := reflect.New(typ).Elem()
	switch typ.Kind() {
	case reflect.String:
		v.SetString("moderator")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1234567)
	case reflect.Float64:
		v.SetFloat(0.25)
	case reflect.Pointer:
		v.Set(reflect.New(typ.Elem()))
		v.Elem().Set(something(t, typ.Elem()))
	case reflect.Slice:
		v.Set(reflect.Append(v, something(t, typ.Elem())))
	case reflect.Map:
		v.Set(reflect.MakeMap(typ))
		v.SetMapIndex(something(t, typ.Key()), something(t, typ.Elem()))
	case reflect.Interface:
		v.Set(reflect.ValueOf("any"))
	case reflect.Struct:
		if typ == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 11, 20, 1, 2, 3, 4, time.UTC)))
			break
		}
		for i := range typ.NumField() {
			v.Field(i).Set(something(t, typ.Field(i).Type))
		}
	default:
		t.Fatalf("no value of type %s is known", typ)
	}
	return v
}

// Damage is an error, never a panic, and asks for no memory it has no bytes for.
func TestDamagedRecords(t *testing.T) {
	whole, err := encodeRecord(nil, calltest.Logs("s", 3, 9, time.Date(2026, 11, 21, 9, 12, 0, 0, time.UTC))[1])
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		b := append([]byte(nil), whole...)
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "to")
		}
		decodeRecord(b[:rapid.IntRange(0, len(b)).Draw(t, "length")])
	})
}

// The columns cover the fields of call.Fields, each by a column or by a case of
// where.cond.
func TestEveryFieldIsCompiled(t *testing.T) {
	elsewhere := map[string]bool{"metadata.KEY": true, "dynamic_variables.KEY": true, "latency.STAGE.p50": true, "latency.STAGE.p95": true}
	for _, f := range call.Fields() {
		_, ok := columns[f.Name]
		assert.True(t, ok || elsewhere[f.Name] || inRecord(f.Name) || f.Relation != "", fmt.Sprintf("%s is a field that the store does not know", f.Name))
	}
}

func TestStems(t *testing.T) {
	for word, want := range map[string]string{
		"refunds": "refund", "refunded": "refund", "refunding": "refund", "booking": "book", "caresses": "caress", "ponies": "poni",
		"hopping": "hop", "hoping": "hope", "relational": "relat", "happy": "happi", "agreed": "agre", "plastered": "plaster", "sing": "sing",
		"controlling": "control", "electricity": "electr", "adjustment": "adjust", "sky": "sky", "as": "as", "42nd": "42nd",
	} {
		assert.Equal(t, want, stem(word), word)
	}
	rapid.Check(t, func(t *rapid.T) { stem(rapid.StringMatching(`[a-z]{0,12}`).Draw(t, "word")) })
}
