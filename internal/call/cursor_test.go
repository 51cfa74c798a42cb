package call_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
)

var sources = []string{"cekura", "zudu"}

func where(t require.TestingT, s string) filter.Expr {
	e, err := filter.Parse([]byte(s), call.Fields(), filter.Clock{Now: end})
	require.NoError(t, err)
	return e
}

func typical(t require.TestingT) call.Cursor {
	return call.Cursor{
		Tool: "list_call_logs",
		Query: call.Query{
			Where: where(t, `{"field":"success","op":"eq","value":false}`), Limit: 20,
			After: &call.Mark{Value: -end.UnixMilli(), ID: call.ID{Source: "cekura", Key: "48213"}},
		},
		Window: call.Window{From: end.AddDate(0, 0, -7), To: end},
		Total:  new(134),
	}
}

// conditions as they are written, absolute times included.
var conditions = []string{
	`{"field":"success","op":"eq","value":false}`,
	`{"field":"topic","op":"contains","value":"Ärger \"über\" die <Rechnung>"}`,
	`{"field":"duration","op":"gte","value":60.5}`,
	`{"field":"id","op":"in","value":[48213,"call_9f"]}`,
	`{"field":"updated_at","op":"lt","value":"2026-11-20T14:10:05.123456Z"}`,
	`{"field":"metadata.release","op":"isnull","value":true}`,
	`{"field":"summary","op":"regex","value":"(?i)^re.?fund\\b"}`,
	`{"operator":"same_row","conditions":[{"field":"metric_evaluations.metric.name","op":"eq","value":"Greeting"},{"field":"metric_evaluations.passed","op":"eq","value":false}]}`,
	`{"or":[{"field":"source","op":"eq","value":"cekura"},{"field":"cost","op":"gt","value":0.1}]}`,
}

func cursors() *rapid.Generator[call.Cursor] {
	return rapid.Custom(func(t *rapid.T) call.Cursor {
		c := call.Cursor{Tool: rapid.SampledFrom([]string{"list_call_logs", "search_transcripts"}).Draw(t, "tool")}
		if parts := rapid.SliceOfN(rapid.SampledFrom(conditions), 0, 4).Draw(t, "where"); len(parts) > 0 {
			c.Query.Where = where(t, "["+strings.Join(parts, ",")+"]")
		}
		if rapid.Bool().Draw(t, "text") {
			c.Query.Text = parseText(t, queries().Draw(t, "query"))
		}
		c.Query.Role = rapid.SampledFrom([]call.Role{"", call.RoleCaller, call.RoleTool}).Draw(t, "role")
		c.Query.Order = rapid.SampledFrom([]call.Order{"", call.Newest, call.Oldest, call.Longest, call.Shortest}).Draw(t, "order")
		c.Query.Limit = rapid.IntRange(0, 100).Draw(t, "limit")
		c.Query.Exhaust = rapid.Bool().Draw(t, "exhaust")
		if rapid.Bool().Draw(t, "after") {
			id := call.ID{Source: rapid.SampledFrom(sources).Draw(t, "source"), Key: rapid.StringMatching(`[0-9a-f-]{1,36}|款"\\`).Draw(t, "key")}
			c.Query.After = &call.Mark{Value: rapid.Int64().Draw(t, "value"), ID: id}
		}
		if rapid.Bool().Draw(t, "total") {
			c.Total = new(rapid.IntRange(0, 1e6).Draw(t, "n"))
		}
		at := func(label string) time.Time {
			return time.UnixMilli(rapid.Int64Range(1, 4e12).Draw(t, label)).UTC()
		}
		if rapid.Bool().Draw(t, "window") {
			c.Window = call.Window{From: at("from"), To: at("to")}
		}
		return c
	})
}

func TestCursorRoundTrip(t *testing.T) {
	logs := calltest.Logs("cekura", 20, 1, end)
	rapid.Check(t, func(t *rapid.T) {
		c := cursors().Draw(t, "cursor")
		back, err := call.ParseCursor(c.String(), c.Tool, sources)
		require.NoError(t, err)
		assert.Equal(t, c.String(), back.String(), "the same place has one name")
		for _, l := range logs {
			assert.Equal(t, filter.Match(c.Query.Where, l), filter.Match(back.Query.Where, l))
		}
		back.Query.Where, c.Query.Where = nil, nil
		if c.Query.Text != nil {
			assert.Equal(t, c.Query.Text.String(), back.Query.Text.String())
			back.Query.Text, c.Query.Text = nil, nil
		}
		assert.Equal(t, c, back)
	})
}

func TestCursorIsPinned(t *testing.T) {
	c := typical(t)
	c.Window.To = end.Add(1500 * time.Microsecond)
	back, err := call.ParseCursor("  "+c.String()+"\n", c.Tool, sources)
	require.NoError(t, err)
	from, to, rest := filter.Bounds(back.Resume().Where, "timestamp")
	assert.Equal(t, end.AddDate(0, 0, -7), from)
	assert.Equal(t, end.Add(2*time.Millisecond), to, "rounded up, lest the last calls are lost")
	assert.Equal(t, `{"field":"success","op":"eq","value":false}`, rest.String())
	assert.Equal(t, c.Query.After, back.Resume().After)
}

func TestCursorIsShort(t *testing.T) {
	search := typical(t)
	search.Tool = "search_transcripts"
	search.Query.Text = parseText(t, `"charged twice" refund`)
	search.Query.Role = call.RoleCaller
	search.Query.Order = call.Newest
	uuid := typical(t)
	uuid.Query.Where = nil
	uuid.Query.After.ID = call.ID{Source: "zudu", Key: "0b6f2b6e-9a53-4c61-8d3e-5a1d2f0e9c77"}
	metric := typical(t)
	metric.Query.Where = where(t, `[{"field":"success","op":"eq","value":false},`+conditions[7]+`]`)
	for name, c := range map[string]call.Cursor{"list": typical(t), "search": search, "uuid": uuid} {
		t.Logf("%s: %d characters: %s", name, len(c.String()), c)
		assert.LessOrEqual(t, len(c.String()), 130, name)
	}
	t.Logf("a long filter: %d characters", len(metric.String()))
	assert.LessOrEqual(t, len(metric.String()), 250)
}

func TestCursorRefusesDamage(t *testing.T) {
	good := typical(t).String()
	for i := range len(good) {
		for b := range 256 {
			bad := good[:i] + string([]byte{byte(b)}) + good[i+1:]
			if bad == good {
				continue
			}
			_, err := call.ParseCursor(bad, "list_call_logs", sources)
			requireInvalid(t, err, fmt.Sprintf("byte %d as %q", i, byte(b)))
		}
		_, err := call.ParseCursor(good[:i], "list_call_logs", sources)
		requireInvalid(t, err, fmt.Sprintf("cut to %d", i))
	}
	for _, bad := range []string{"", "c1.", "c2." + good[3:], good + "AA", good + good, "48213", strings.Repeat("A", 1<<20)} {
		_, err := call.ParseCursor(bad, "list_call_logs", sources)
		requireInvalid(t, err, bad[:min(len(bad), 40)])
	}
}

func TestCursorRefusesStrangers(t *testing.T) {
	c := typical(t)
	_, err := call.ParseCursor(c.String(), "search_transcripts", sources)
	assert.EqualError(t, err, "That cursor is damaged, or not one of search_transcripts on this server. Call again without cursor.")
	_, err = call.ParseCursor(c.String(), c.Tool, []string{"zudu"})
	requireInvalid(t, err, "of a source that is not here")
	c.Query.Where = filter.Cond{Field: "mood", Op: filter.Eq, Value: "x"}
	_, err = call.ParseCursor(c.String(), c.Tool, sources)
	requireInvalid(t, err, "with a field of another version")
}

func requireInvalid(t *testing.T, err error, what string) {
	t.Helper()
	var e *call.Error
	require.ErrorAs(t, err, &e, what)
	require.Equal(t, call.Invalid, e.Kind, what)
	require.Contains(t, e.Hint, "without cursor", what)
}
