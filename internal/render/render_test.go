package render

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
)

func TestTimes(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		-time.Second:                {"00:00", "0:00"},
		5*time.Second + 999e6:       {"00:05", "0:05"},
		70 * time.Second:            {"01:10", "1:10"},
		time.Hour - 1:               {"59:59", "59:59"},
		time.Hour + 123*time.Second: {"1:02:03", "1:02:03"},
	} {
		assert.Equal(t, want, [2]string{At(d), Length(d)}, d)
	}
	assert.Equal(t, "0.4 s", Seconds(400*time.Millisecond))
	assert.Equal(t, "11 s", Seconds(11200*time.Millisecond))
}

func TestClip(t *testing.T) {
	assert.Equal(t, "short", Clip("short", 5))
	assert.Equal(t, "I was charged…", Clip("I was charged twice, twice", 17))
	assert.Equal(t, "abcdefg…", Clip("abcdefghijk", 8))
	assert.Equal(t, "退款状…", Clip("退款状态查询", 4))
}

func TestTable(t *testing.T) {
	head := []string{"id", "start UTC", "agent", "ended", "topic", "first said"}
	body, common, shown := Table(head, [][]string{
		{"48213", "11-20 14:10", "Support EN", "silence-timed-out", "", "I was charged\ntwice | and"},
		{"48206", "", "Support EN", "silence-timed-out", "", "hi http://x"},
		{"48190", "11-20 09:00", "Support EN", "silence-timed-out"},
	}, 500)
	assert.Equal(t, strings.TrimSpace(`
id | start UTC | first said
48213 | 11-20 14:10 | I was charged twice / and
48206 | | hi hxxp://x
48190 | 11-20 09:00 |`), body)
	assert.Equal(t, 3, shown)
	assert.Equal(t, "every row: agent = Support EN · ended = silence-timed-out", EveryRow(common))
	assert.Empty(t, EveryRow(nil))

	body, common, shown = Table([]string{"a", "b", "c"}, [][]string{{"1", "", "3"}}, 100)
	assert.Equal(t, "a | c\n1 | 3", body)
	assert.Empty(t, common)
	assert.Equal(t, 1, shown)

	body, _, shown = Table([]string{"a", "b"}, [][]string{{"", "1"}, {"", "2"}}, 100)
	assert.Equal(t, "a | b\n| 1\n| 2", body)
	assert.Equal(t, 2, shown)

	_, _, shown = Table(head, nil, 100)
	assert.Zero(t, shown)
}

func TestTableKeepsToItsBudget(t *testing.T) {
	cell := rapid.SampledFrom([]string{"", "48213", "a | b", "Support EN", "退款", "11-20 14:10", strings.Repeat("words ", 40), "x\ny"})
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 0, 5), 0, 30).Draw(t, "rows")
		budget := rapid.IntRange(0, 600).Draw(t, "budget")
		body, _, shown := Table([]string{"id", "b", "c", "d"}, rows, budget)
		require.LessOrEqual(t, Tokens(body), budget)
		require.LessOrEqual(t, shown, len(rows))
		if shown > 0 {
			require.Equal(t, shown, strings.Count(body, "\n"))
		}
	})
}

func TestWriterKeepsToItsBudget(t *testing.T) {
	line := rapid.SampledFrom([]string{"", "one", "48213 | 11-20 14:10 | 1:10", "退款状态", "a\nb\n", strings.Repeat("…", 30), "https://x.example/y?z=1"})
	rapid.Check(t, func(t *rapid.T) {
		budget, reserve := rapid.IntRange(0, 200).Draw(t, "budget"), rapid.IntRange(0, 40).Draw(t, "reserve")
		w := NewWriter(budget, reserve)
		var want []string
		for _, s := range rapid.SliceOf(line).Draw(t, "lines") {
			if before := w.Left(); w.Line(s) {
				want = append(want, s)
				require.Less(t, w.Left(), before)
			}
		}
		if len(want) > 0 {
			require.LessOrEqual(t, Tokens(w.String()), budget-reserve)
		}
		if tail := "more: cursor c1.9fK2"; budget >= reserve && reserve >= lineTokens(tail)+textTokens {
			require.True(t, w.Tail(tail))
			want = append(want, tail)
		}
		require.LessOrEqual(t, Tokens(w.String()), budget)
		require.Equal(t, strings.TrimSuffix(strings.Join(want, "\n"), ""), strings.TrimSuffix(w.String(), ""))
	})
}

func TestMeasure(t *testing.T) {
	s := func(n float64) *time.Duration { d := time.Duration(n * float64(time.Second)); return &d }
	turns := []call.Turn{
		{Index: 1, Role: call.RoleAgent, Start: s(0), End: s(4)},
		{Index: 2, Role: call.RoleCaller, Start: s(5), End: s(9)},
		{Index: 3, Role: call.RoleTool, Tool: &call.Tool{}, Start: s(9.5), End: s(10)},
		{Index: 4, Role: call.RoleAgent, Start: s(10), End: s(12)},
		{Index: 5, Role: call.RoleCaller, Start: s(11), End: s(15)},
		{Index: 6, Role: call.RoleAgent, Start: s(18), End: s(20)},
		{Index: 7, Role: call.RoleCaller, Start: s(31), End: s(32)},
	}
	m := Measure(turns)
	assert.Equal(t, 2, m.Answers)
	assert.Equal(t, 1, m.Overlaps)
	assert.Equal(t, "agent answers after 2.0 s (median), 2.9 s (p95) · longest silence 11 s at 00:20", m.String())

	for i := range turns {
		turns[i].End = nil
	}
	m = Measure(turns)
	assert.True(t, m.FromStart)
	assert.Equal(t, "agent answers after 6.0 s (median), 6.9 s (p95) · longest gap 13 s at 00:18 · from start to start", m.String())

	for i := range turns {
		turns[i].Start = nil
	}
	assert.Equal(t, Timing{}, Measure(turns))
	assert.Empty(t, Measure(nil).String())
}

func TestCited(t *testing.T) {
	no, yes := false, true
	turns := talk(60)
	turns[20].Text = "I’m sorry, we can't find your order"
	l := &call.Log{Turns: turns, Metrics: []call.Metric{
		{Passed: &no, Explanation: []string{"the agent never confirmed the amount (00:31); it said \"We can't find your order.\"", "see turn 40 and turns #41; not turn 99"}},
		{Passed: &yes, Explanation: []string{"fine at 01:00"}},
		{Explanation: []string{"nobody judged 02:00"}},
		{Passed: &no, Explanation: []string{"asked at 14:05 o'clock, \"hello\""}},
	}}
	assert.Equal(t, []int{8, 21, 40, 41}, Cited(l))
	assert.Empty(t, Cited(&call.Log{}))
}
