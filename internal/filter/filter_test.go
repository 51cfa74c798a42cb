package filter_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/filter"
)

var schema = filter.Schema{
	{Name: "topic", Kind: filter.Text, Aliases: []string{"subject"}},
	{Name: "duration", Kind: filter.Number, Ops: []filter.Op{"eq", "gt", "gte", "lt", "lte"}},
	{Name: "success", Kind: filter.Bool},
	{Name: "timestamp", Kind: filter.Time},
	{Name: "id", Kind: filter.Dynamic},
	{Name: "metadata.KEY", Kind: filter.Text},
	{Name: "evals.metric.name", Kind: filter.Text, Relation: "evals"},
	{Name: "evals.value", Kind: filter.Dynamic, Relation: "evals"},
}

var clock = filter.Clock{Now: time.Date(2026, 11, 21, 9, 12, 30, 0, time.UTC)}

// row is a filter.Row in the plainest way: a field's value, or nil.
type row struct {
	own   map[string]any
	evals []row
}

func (r row) Values(field string) []any {
	if strings.HasPrefix(field, "evals.") && r.evals != nil {
		var out []any
		for _, e := range r.evals {
			out = append(out, e.own[field])
		}
		return out
	}
	if strings.HasPrefix(field, "evals.") && r.own[field] == nil {
		if _, has := r.own[field]; !has {
			return nil
		}
	}
	return []any{r.own[field]}
}

func (r row) Rows(string) []filter.Row {
	out := make([]filter.Row, len(r.evals))
	for i, e := range r.evals {
		out[i] = e
	}
	return out
}

func parse(t require.TestingT, s string) filter.Expr {
	e, err := filter.Parse([]byte(s), schema, clock)
	require.NoError(t, err, s)
	return e
}

func TestMatch(t *testing.T) {
	at := func(s string) time.Time { v, _ := time.Parse(time.RFC3339, s); return v }
	r := row{
		own: map[string]any{"topic": "Refund Status", "duration": 70.0, "success": false, "timestamp": at("2026-11-20T14:10:05Z"), "id": "48213", "metadata.release": "42", "metadata.gone": nil},
		evals: []row{
			{own: map[string]any{"evals.metric.name": "Greeting", "evals.value": 5.0}},
			{own: map[string]any{"evals.metric.name": "Mood", "evals.value": "angry"}},
			{own: map[string]any{"evals.metric.name": "Follow", "evals.value": nil}},
		},
	}
	for f, want := range map[string]bool{
		`{"field":"topic","op":"eq","value":"Refund Status"}`:                                          true,
		`{"field":"topic","op":"eq","value":"refund status"}`:                                          false, // eq minds case
		`{"field":"subject","op":"contains","value":"FUND st"}`:                                        true,  // contains does not; an alias
		`{"field":"topic","op":"startswith","value":"refund"}`:                                         true,
		`{"field":"topic","op":"endswith","value":"STATUS"}`:                                           true,
		`{"field":"topic","op":"in","value":["a","Refund Status"]}`:                                    true,
		`{"field":"topic","op":"in","value":["refund status",null]}`:                                   false,
		`{"field":"topic","op":"regex","value":"^Ref.*us$"}`:                                           true,
		`{"field":"topic","op":"regex","value":"^fund"}`:                                               false,
		`{"field":"topic","op":"eq","value":null}`:                                                     false, // null equals nothing
		`{"field":"metadata.gone","op":"eq","value":null}`:                                             false,
		`{"field":"metadata.gone","op":"neq","value":"x"}`:                                             false, // nor differs from anything
		`{"field":"metadata.gone","op":"isnull","value":true}`:                                         true,
		`{"field":"metadata.never","op":"isnull","value":true}`:                                        true,
		`{"field":"metadata.release","op":"isnull","value":false}`:                                     true,
		`{"field":"metadata.release","op":"eq","value":42}`:                                            true, // metadata is text
		`{"field":"metadata.release","op":"neq","value":"43"}`:                                         true,
		`{"field":"duration","op":"gte","value":70}`:                                                   true,
		`{"field":"duration","op":"gt","value":"70"}`:                                                  false, // "70" is 70
		`{"field":"success","op":"eq","value":"false"}`:                                                true,
		`{"field":"success","op":"neq","value":true}`:                                                  true,
		`{"field":"timestamp","op":"gte","value":"now-1d"}`:                                            true,
		`{"field":"timestamp","op":"lt","value":"2026-11-20"}`:                                         false, // before the 20th
		`{"field":"timestamp","op":"lte","value":"2026-11-20"}`:                                        true,  // up to its end
		`{"field":"timestamp","op":"lt","value":"today-1d"}`:                                           true,  // as upstream: its end
		`{"field":"id","op":"eq","value":48213}`:                                                       true,
		`{"field":"id","op":"in","value":"1,48213"}`:                                                   true,
		`{"field":"id","op":"gt","value":9999}`:                                                        true, // by number
		`{"field":"id","op":"eq","value":"call_x"}`:                                                    false,
		`{"field":"evals.value","op":"gte","value":5}`:                                                 true,
		`{"field":"evals.value","op":"eq","value":"angry"}`:                                            true,
		`{"field":"evals.value","op":"isnull","value":true}`:                                           true,
		`{"field":"evals.metric.name","op":"isnull","value":true}`:                                     false,
		`{"field":"evals.metric.name","op":"eq","value":"Greeting"}`:                                   true,
		`[{"field":"success","op":"=","value":false},{"field":"duration","op":"<","value":60}]`:        false,
		`{"or":[{"field":"success","op":"eq","value":true},{"field":"duration","op":">","value":60}]}`: true,
		`{"operator":"and","conditions":[]}`:                                                           true,
		`{"operator":"same_row","conditions":[{"field":"evals.metric.name","op":"eq","value":"Greeting"},{"field":"evals.value","op":"eq","value":5}]}`:                                                                    true,
		`{"operator":"same_row","conditions":[{"field":"evals.metric.name","op":"eq","value":"Mood"},{"field":"evals.value","op":"eq","value":5}]}`:                                                                        false,
		`{"operator":"and","conditions":[{"field":"evals.metric.name","op":"eq","value":"Mood"},{"field":"evals.value","op":"eq","value":5}]}`:                                                                             true,
		`{"operator":"same_row","conditions":[{"field":"evals.metric.name","op":"eq","value":"Follow"},{"field":"evals.value","op":"isnull","value":true}]}`:                                                               true,
		`{"operator":"same_row","conditions":[{"or":[{"field":"evals.metric.name","op":"eq","value":"x"},{"field":"evals.metric.name","op":"eq","value":"Mood"}]},{"field":"evals.value","op":"contains","value":"ANG"}]}`: true,
	} {
		assert.Equal(t, want, filter.Match(parse(t, f), r), f)
	}
	none := row{own: map[string]any{}, evals: nil}
	assert.True(t, filter.Match(parse(t, `{"field":"evals.value","op":"isnull","value":true}`), none), "absent where there is no row")
	assert.False(t, filter.Match(parse(t, `{"field":"evals.value","op":"neq","value":5}`), none))
	assert.True(t, filter.Match(nil, none))
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for in, want := range map[string]string{
		`{"operator":"and","conditions":[{"field":"success","op":"eq","value":true},{"field":"duration","op":"contains","value":"6"}]}`: `at conditions[1].op: duration cannot "contains"; it can eq, gt, gte, lt, lte. Example: {"field":"duration","op":"gte","value":60}`,
		`{"field":"durtion","op":"eq","value":6}`:                                        `at field: no field "durtion". Did you mean duration?`,
		`{"field":"metadata.a.b","op":"eq","value":6}`:                                   `at field: "metadata.a.b" takes one key, without further dots`,
		`{"field":"duration","op":"eq","value":"long"}`:                                  `at value: duration takes a number, got "long"`,
		`{"field":"duration","op":"eq","value":"Inf"}`:                                   `at value: duration takes a number, got "Inf"`,
		`{"field":"duration","op":"eq"}`:                                                 `value is missing`,
		`{"field":"duration","value":3}`:                                                 `at op: op is missing; duration can eq, gt, gte, lt, lte.`,
		`{"field":"success","op":"eq","value":"yes"}`:                                    `success takes true or false, got "yes"`,
		`{"field":"timestamp","op":"gte","value":"last tuesdy"}`:                         `at value: "last tuesdy" is not a time. Use 2026-11-17, 2026-11-17T09:00:00Z, now-7d, today or yesterday`,
		`{"field":"timestamp","op":"gte","value":"now-7x"}`:                              `"x" is not a unit of time`,
		`{"field":"topic","op":"in","value":[]}`:                                         `in takes a list of 1 to 1000 values, got []`,
		`{"field":"topic","op":"in","value":[["a"]]}`:                                    `[0] topic takes a text`,
		`{"field":"topic","op":"regex","value":"("}`:                                     `not an RE2 expression: missing closing )`,
		`{"field":"topic","op":"isnull","value":"maybe"}`:                                `isnull takes true (absent) or false (present), got "maybe"`,
		`{"field":"topic","op":"eq","vlaue":"x"}`:                                        `unknown key "vlaue". Did you mean value?`,
		`{"operator":"not","conditions":[]}`:                                             `at operator: "not" is not a group operator; it can be and, or, same_row`,
		`{"operator":"or","conditions":[]}`:                                              `at conditions: is empty`,
		`{"operator":"or","conditions":{}}`:                                              `at conditions: expected a list of conditions, got an object`,
		`{"operator":"same_row","conditions":[{"field":"topic","op":"eq","value":"x"}]}`: `same_row needs conditions on fields of one related row: evals.metric.name, evals.value`,
		`{"operator":"same_row","conditions":[{"field":"evals.value","op":"eq","value":1},{"field":"topic","op":"eq","value":"x"}]}`:                                            `at conditions[1].field: topic is not a field of evals`,
		`{"operator":"same_row","conditions":[{"operator":"same_row","conditions":[{"field":"evals.value","op":"eq","value":1}]},{"field":"evals.value","op":"eq","value":1}]}`: `same_row cannot stand inside same_row`,
		`"topic"`:          `expected a condition {"field","op","value"} or a group`,
		`{"field":"topic"`: `not JSON (unexpected EOF). Example:`,
		`{} {}`:            `not JSON (there is more behind the filter's end)`,
		`[null]`:           `at [0]: expected a condition`,
	} {
		_, err := filter.Parse([]byte(in), schema, clock)
		var fe *filter.Error
		require.ErrorAs(t, err, &fe, in)
		assert.Contains(t, err.Error(), want, in)
	}
	_, err := filter.Parse([]byte(strings.Repeat(`[`, 5000)+strings.Repeat(`]`, 5000)), schema, clock)
	assert.ErrorContains(t, err, "groups nest deeper than 20")
}

func TestTimes(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	// The night in which Berlin's clocks go back, so that its day has 25 hours.
	local := filter.Clock{Now: time.Date(2026, 10, 26, 8, 0, 0, 0, berlin), Zone: berlin}
	cuba, err := time.LoadLocation("America/Havana")
	require.NoError(t, err)
	havana := filter.Clock{Now: local.Now, Zone: cuba}
	on := func(now string) filter.Clock {
		at, err := time.Parse(time.RFC3339, now)
		require.NoError(t, err)
		return filter.Clock{Now: at}
	}
	for _, c := range []struct {
		clock    filter.Clock
		in       string
		from, to string
	}{
		{clock, "now", "2026-11-21T09:12:30Z", ""},
		{clock, "now-7d", "2026-11-14T09:12:30Z", ""},
		{clock, "now-1M", "2026-10-21T09:12:30Z", ""},
		{clock, "now-30m", "2026-11-21T08:42:30Z", ""},
		{clock, "today", "2026-11-21T00:00:00Z", "2026-11-21T23:59:59.999999Z"},
		{clock, "today-7d", "2026-11-14T00:00:00Z", "2026-11-14T23:59:59.999999Z"},
		{clock, "yesterday", "2026-11-20T00:00:00Z", "2026-11-20T23:59:59.999999Z"},
		{clock, "2026-11-17", "2026-11-17T00:00:00Z", "2026-11-17T23:59:59.999999Z"},
		{clock, "last 24h", "2026-11-20T09:12:30Z", ""},
		{clock, "last 2 weeks", "2026-11-07T09:12:30Z", ""},
		{clock, "last week", "2026-11-14T09:12:30Z", ""},
		{clock, "3 days ago", "2026-11-18T09:12:30Z", ""},
		{clock, "2026-11-17T09:00:00+02:00", "2026-11-17T07:00:00Z", ""},
		{clock, "2026-11-17 09:00", "2026-11-17T09:00:00Z", ""},
		{local, "2026-11-17T09:00", "2026-11-17T08:00:00Z", ""},
		{local, "yesterday", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999999Z"},
		{local, "now-1d", "2026-10-25T07:00:00Z", ""},
		{local, "now-24h", "2026-10-25T07:00:00Z", ""},
		{local, "now-2d", "2026-10-24T06:00:00Z", ""},
		{clock, "1795100000", "2026-11-19T14:53:20Z", ""},
		{clock, "1795100000.25", "2026-11-19T14:53:20.25Z", ""},
		{clock, "1795100000250", "2026-11-19T14:53:20.25Z", ""},
		{clock, "1795100000250000", "2026-11-19T14:53:20.25Z", ""},
		{clock, "1795100000250000000", "2026-11-19T14:53:20.25Z", ""},
		{clock, "1.7951e9", "2026-11-19T14:53:20Z", ""},
		{clock, "2026-11-01T00:00:00+0200", "2026-10-31T22:00:00Z", ""},
		{clock, "2026-11-01T00:00:00.5-0530", "2026-11-01T05:30:00.5Z", ""},
		{clock, "2026-11-01T00:00+02", "2026-10-31T22:00:00Z", ""},
		{clock, "2026-11-01 00:00:00 +0200", "2026-10-31T22:00:00Z", ""},
		{clock, "2026-11-01 00:00 +02:00", "2026-10-31T22:00:00Z", ""},
		{clock, "2026-11-01 10:00 UTC", "2026-11-01T10:00:00Z", ""},
		{local, "2026-11-01 10:00:00 utc", "2026-11-01T10:00:00Z", ""},
		{clock, "2026-11-01t10:00:00z", "2026-11-01T10:00:00Z", ""},
		{clock, "20261101T100000Z", "2026-11-01T10:00:00Z", ""},
		{clock, "Fri, 27 Nov 2026 10:00:00 +0200", "2026-11-27T08:00:00Z", ""},
		{clock, "Fri, 27 Nov 2026 10:00:00 GMT", "2026-11-27T10:00:00Z", ""},
		{clock, "20261117", "2026-11-17T00:00:00Z", "2026-11-17T23:59:59.999999Z"},
		{clock, "2026/11/17", "2026-11-17T00:00:00Z", "2026-11-17T23:59:59.999999Z"},
		{clock, "Last 60 days", "2026-09-22T09:12:30Z", ""},
		{clock, "The Past 2 Months", "2026-09-21T09:12:30Z", ""},
		{clock, "PREVIOUS WEEK", "2026-11-14T09:12:30Z", ""},
		{clock, "3 Days Ago", "2026-11-18T09:12:30Z", ""},
		{clock, "an hour ago", "2026-11-21T08:12:30Z", ""},
		{clock, "NOW-1M", "2026-10-21T09:12:30Z", ""},
		{clock, "Now - 30 m", "2026-11-21T08:42:30Z", ""},
		{clock, "-7d", "2026-11-14T09:12:30Z", ""},
		{clock, "Yesterday", "2026-11-20T00:00:00Z", "2026-11-20T23:59:59.999999Z"},
		{on("2026-03-31T10:00:00Z"), "now-1M", "2026-02-28T10:00:00Z", ""},
		{on("2026-03-31T10:00:00Z"), "now-4M", "2025-11-30T10:00:00Z", ""},
		{on("2028-02-29T10:00:00Z"), "now-1y", "2027-02-28T10:00:00Z", ""},
		{on("2026-01-31T10:00:00Z"), "now+1M", "2026-02-28T10:00:00Z", ""},
		{on("2026-03-31T10:00:00Z"), "today-1M", "2026-02-28T00:00:00Z", "2026-02-28T23:59:59.999999Z"},
		{local, "2026-10-25T02:30:00", "2026-10-25T00:30:00Z", ""}, // comes twice
		{local, "2026-10-25 02:30", "2026-10-25T00:30:00Z", ""},
		{local, "2026-10-25T03:00:00", "2026-10-25T02:00:00Z", ""},
		{local, "2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z", ""},
		{local, "2026-03-29T03:30:00", "2026-03-29T01:30:00Z", ""},
		{havana, "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59.999999Z"}, // midnight comes twice
	} {
		from, err := c.clock.Time(c.in, false)
		require.NoError(t, err, c.in)
		to, err := c.clock.Time(c.in, true)
		require.NoError(t, err, c.in)
		if c.to == "" {
			c.to = c.from
		}
		assert.Equal(t, c.from, from.Format(time.RFC3339Nano), c.in)
		assert.Equal(t, c.to, to.Format(time.RFC3339Nano), c.in)
	}
	for _, bad := range []string{"", "tomorow", "2026-13-01", "now-", "last", "5ms ago", "0001-01-01T00:00:00Z", "now-99999y", strings.Repeat("9", 500), "12345", "1e400", "2026", "+0200"} {
		_, err := clock.Time(bad, false)
		assert.Error(t, err, bad)
	}
}

// Clients encode JSON within JSON, and times as numbers.
func TestParseUnpacks(t *testing.T) {
	want := parse(t, `{"field":"topic","op":"eq","value":"x"}`)
	cond := `{"field":"topic","op":"eq","value":"x"}`
	for range 3 {
		b, err := json.Marshal(cond)
		require.NoError(t, err)
		cond = string(b)
		assert.Equal(t, want, parse(t, cond))
	}
	assert.Equal(t, want, parse(t, `{"operator":"and","conditions":["{\"field\":\"topic\",\"op\":\"eq\",\"value\":\"x\"}"]}`))
	assert.Equal(t, want, parse(t, `{"operator":"and","conditions":"[{\"field\":\"topic\",\"op\":\"eq\",\"value\":\"x\"}]"}`))
	assert.Nil(t, parse(t, `"\"\""`))
	assert.Equal(t, parse(t, `{"field":"topic","op":"eq","value":"{}"}`).(filter.Cond).Value, "{}", "a value is as it stands")
	_, err := filter.Parse([]byte(`"success is false"`), schema, clock)
	assert.ErrorContains(t, err, "got a text")
	at := parse(t, `{"field":"timestamp","op":"gte","value":"2026-11-19T14:53:20Z"}`)
	for _, value := range []string{"1795100000", "1795100000000", "1.7951e9", `"1795100000"`} {
		assert.Equal(t, at, parse(t, `{"field":"timestamp","op":"gte","value":`+value+`}`), value)
	}
}

func TestWords(t *testing.T) {
	e := parse(t, `[{"field":"success","op":"eq","value":false},{"or":[{"field":"topic","op":"contains","value":"refund"},{"field":"topic","op":"isnull","value":true}]},{"field":"id","op":"in","value":[1,"x"]}]`)
	assert.Equal(t, `success = false, (topic contains "refund" or topic is absent), id in (1, "x")`, filter.Words(e))
	assert.Equal(t, "", filter.Words(nil))
}

// trees draws any filter over schema, values chosen so that matches happen.
func trees(related bool) *rapid.Generator[filter.Expr] {
	return rapid.Custom(func(t *rapid.T) filter.Expr { return tree(t, 3, related) })
}

func tree(t *rapid.T, depth int, related bool) filter.Expr {
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	if depth == 0 || kind <= 2 {
		return cond(t, related)
	}
	if kind == 5 && !related {
		return filter.SameRow(parts(t, depth, true))
	}
	if kind%2 == 0 {
		return filter.And(parts(t, depth, related))
	}
	return filter.Or(parts(t, depth, related))
}

func parts(t *rapid.T, depth int, related bool) []filter.Expr {
	out := make([]filter.Expr, rapid.IntRange(1, 3).Draw(t, "n"))
	for i := range out {
		out[i] = tree(t, depth-1, related)
	}
	return out
}

var samples = map[filter.Kind][]any{
	filter.Text:    {"a", "A", "ab", "", "ü"},
	filter.Number:  {0.0, 1.0, 60.5, -3.0},
	filter.Bool:    {true, false},
	filter.Time:    {clock.Now, clock.Now.Add(-time.Hour), clock.Now.Add(time.Microsecond)},
	filter.Dynamic: {"a", "007", 7.0, 0.0, "A"},
}

func cond(t *rapid.T, related bool) filter.Expr {
	f := rapid.SampledFrom(schema).Filter(func(f filter.Field) bool { return !related || f.Relation != "" }).Draw(t, "field")
	f.Name = strings.ReplaceAll(f.Name, "KEY", "k")
	op := rapid.SampledFrom(f.Can()).Draw(t, "op")
	v := rapid.SampledFrom(samples[f.Kind]).Draw(t, "value")
	switch op {
	case filter.IsNull:
		v = rapid.Bool().Draw(t, "isnull")
	case filter.In:
		v = []any{v, nil, rapid.SampledFrom(samples[f.Kind]).Draw(t, "other")}
	case filter.Regex:
		v = regexp.MustCompile(rapid.SampledFrom([]string{"a", "^b$", "(?i)A|7"}).Draw(t, "re"))
	case filter.Contains, filter.StartsWith, filter.EndsWith:
		v = rapid.SampledFrom([]string{"a", "B", "0", "Ü"}).Draw(t, "part")
	case filter.Gt, filter.Gte, filter.Lt, filter.Lte:
		if f.Kind == filter.Dynamic {
			v = 7.0
		}
	}
	return filter.Cond{Field: f.Name, Op: op, Value: v}
}

func rows() *rapid.Generator[row] {
	return rapid.Custom(func(t *rapid.T) row {
		r := fields(t, "")
		for range rapid.IntRange(0, 3).Draw(t, "evals") {
			r.evals = append(r.evals, fields(t, "evals"))
		}
		return r
	})
}

func fields(t *rapid.T, relation string) row {
	r := row{own: map[string]any{}}
	for _, f := range schema {
		if f.Relation == relation && rapid.IntRange(0, 3).Draw(t, "has") > 0 {
			r.own[strings.ReplaceAll(f.Name, "KEY", "k")] = rapid.SampledFrom(samples[f.Kind]).Draw(t, f.Name)
		}
	}
	return r
}

// Law 2: for any filter and any predicate, And{push, rest} means the filter.
func TestSplitKeepsMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, r := trees(false).Draw(t, "tree"), rows().Draw(t, "row")
		answers := rapid.SliceOfN(rapid.Bool(), 8, 8).Draw(t, "can")
		asked := 0
		push, rest := filter.Split(e, func(filter.Expr) bool { asked++; return answers[asked%8] })
		assert.Equal(t, filter.Match(e, r), filter.Match(push, r) && filter.Match(rest, r))
		assert.Equal(t, filter.Match(e, r), filter.Match(filter.All(push, nil, rest), r))
	})
}

// What String writes, Parse reads back to the same tree in the same words.
func TestStringIsCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, r := trees(false).Draw(t, "tree"), rows().Draw(t, "row")
		back := parse(t, e.String())
		assert.Equal(t, filter.Match(e, r), filter.Match(back, r), e.String())
		assert.Equal(t, back.String(), parse(t, back.String()).String())
	})
}

func TestBoundsKeepMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, r := trees(false).Draw(t, "tree"), rows().Draw(t, "row")
		from, to, rest := filter.Bounds(e, "timestamp")
		again := filter.All(filter.Within("timestamp", from, to), rest)
		assert.Equal(t, filter.Match(e, r), filter.Match(again, r), fmt.Sprint(e, " became ", again))
	})
}

// The laws above hold of a Match that is always false, so count what it says.
func TestRandomTreesMatchOften(t *testing.T) {
	var yes, all int
	rapid.Check(t, func(t *rapid.T) {
		all++
		if filter.Match(trees(false).Draw(t, "tree"), rows().Draw(t, "row")) {
			yes++
		}
	})
	assert.Greater(t, yes, all/10)
	assert.Less(t, yes, all*9/10)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"operator":"and","conditions":[{"field":"success","op":"eq","value":true},{"field":"timestamp","op":"gte","value":"now-1d"}]}`))
	f.Add([]byte(`{"operator":"same_row","conditions":[{"field":"evals.value","op":"in","value":[1,"x",null]}]}`))
	f.Add([]byte(`[{"field":"topic","op":"regex","value":"a|b"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := filter.Parse(data, schema, clock)
		if err != nil {
			var fe *filter.Error
			require.ErrorAs(t, err, &fe)
			require.Less(t, len(err.Error()), 1000, "an error that a model reads is short")
			return
		}
		filter.Match(e, row{})
		if e != nil {
			back := parse(t, e.String())
			require.Equal(t, e.String(), back.String())
		}
	})
}
