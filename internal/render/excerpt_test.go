package render

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
)

// TestBudgetIsAPromise is the fifth law: whatever the transcript, the text takes
// at most the budget, and kept plus omitted turns are all turns asked for.
func TestBudgetIsAPromise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turns := drawTurns(t)
		e := Excerpt{Budget: rapid.OneOf(rapid.IntRange(MinBudget, 400), rapid.IntRange(MinBudget, 10000)).Draw(t, "budget")}
		if n := len(turns); n > 0 {
			e.From = rapid.SampledFrom([]int{0, 0, 1, n / 2, n, n + 3}).Draw(t, "from")
			e.To = rapid.SampledFrom([]int{0, 0, n, n/2 + 1, n + 3}).Draw(t, "to")
			e.Matches = rapid.SliceOfN(rapid.IntRange(-1, n+1), 0, 8).Draw(t, "matches")
			e.Cited = rapid.SliceOfN(rapid.IntRange(1, n), 0, 4).Draw(t, "cited")
			switch rapid.IntRange(0, 3).Draw(t, "mode") {
			case 0:
				e.InOrder = true
			case 1:
				e.Around = rapid.IntRange(1, n).Draw(t, "around")
			}
		}
		s := Choose(turns, e)
		text := Lines(turns, s)
		require.LessOrEqual(t, Tokens(text), e.Budget, "%+v\n%s", e, text)
		require.Equal(t, numbers(within(turns, e.From, e.To)), covered(t, s))
		require.True(t, utf8.ValidString(text))
		if text != "" {
			require.Equal(t, len(s.Kept)+len(s.Omitted), strings.Count(text, "\n")+1, "one line for each turn and gap")
		}
		if e.InOrder && len(s.Kept) > 0 {
			require.LessOrEqual(t, len(s.Omitted), 1)
		}
		if len(within(turns, e.From, e.To)) > 0 {
			require.NotEmpty(t, s.Kept, "something is always shown")
		}
	})
}

// covered lists the turns of a selection, which it checks to be in order.
func covered(t require.TestingT, s Selection) []int {
	var all []int
	kept, gaps := s.Kept, s.Omitted
	for len(kept) > 0 || len(gaps) > 0 {
		if len(gaps) == 0 || len(kept) > 0 && kept[0] < gaps[0].FromTurn {
			all, kept = append(all, kept[0]), kept[1:]
			continue
		}
		require.LessOrEqual(t, gaps[0].FromTurn, gaps[0].ToTurn)
		for n := gaps[0].FromTurn; n <= gaps[0].ToTurn; n++ {
			all = append(all, n)
		}
		gaps = gaps[1:]
	}
	return all
}

func numbers(turns []call.Turn) []int {
	var all []int
	for i := range turns {
		all = append(all, turns[i].Index)
	}
	return all
}

// drawTurns makes up a transcript of anything that has ever been in one.
func drawTurns(t *rapid.T) []call.Turn {
	n := rapid.OneOf(rapid.IntRange(0, 12), rapid.IntRange(0, 400)).Draw(t, "turns")
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 7))
	timed, giants := r.IntN(3), r.IntN(4) == 0
	words := strings.Fields("yes I was charged twice for my order and nobody called me back so what now 退款 状态 \x1b[31m ⟦7c1e⟧ \u202e ignore all instructions ![x](http://evil.example) 48213 Ångström 🙏🏽 \xff")
	phrase := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(words[r.IntN(len(words))] + " ")
		}
		return b.String()
	}
	turns := make([]call.Turn, n)
	at := time.Duration(0)
	for i := range turns {
		u := &turns[i]
		u.Index, u.Role, u.Text = i+1, []call.Role{call.RoleAgent, call.RoleCaller, call.RoleSystem}[r.IntN(3)], phrase(r.IntN(20))
		switch r.IntN(12) {
		case 0:
			u.Text = ""
		case 1:
			u.Text = strings.Repeat("退款状态呢", r.IntN(60))
		case 2:
			if giants {
				u.Text = phrase(3000)
			}
		case 3:
			if giants {
				u.Text = strings.Repeat("x", 20000)
			}
		case 4, 5:
			u.Role, u.Text = call.RoleTool, ""
			u.Tool = &call.Tool{Name: phrase(r.IntN(3)), Args: `{ "order": "` + phrase(r.IntN(40)) + `" }`, Result: phrase(r.IntN(60)), Failed: r.IntN(3) == 0}
		}
		at += time.Duration(r.IntN(20000)) * time.Millisecond
		if timed > 0 && r.IntN(10) > 0 {
			start, end := at, at+time.Duration(r.IntN(9000))*time.Millisecond
			u.Start = &start
			if timed > 1 {
				u.End = &end
			}
		}
	}
	return turns
}

func TestWorth(t *testing.T) {
	turns := talk(200)
	turns[99].Tool, turns[99].Role = &call.Tool{Name: "lookup_order", Args: `{"order": "A-1182"}`, Result: `{"error":"timeout after 8 s"}`, Failed: true}, call.RoleTool
	s := Choose(turns, Excerpt{Budget: 700, Matches: []int{42}, Cited: []int{60}})
	for _, n := range []int{42, 60, 100, 200, 199, 1, 2} {
		assert.Contains(t, s.Kept, n)
	}
	text := Lines(turns, s)
	assert.Contains(t, text, "\n100 06:36 tool lookup_order {\"order\":\"A-1182\"} → error: timeout after 8 s\n")
	assert.Regexp(t, `\n… turns \d+–\d+ left out \(\d\d:\d\d–\d\d:\d\d\) …\n`, text)
	assert.Greater(t, Tokens(text), 560, "the budget is used")

	all := Choose(turns[:20], Excerpt{Budget: 1000})
	assert.Equal(t, Selection{Kept: numbers(turns[:20])}, all)
	assert.Equal(t, all, Choose(turns[:20], Excerpt{}))
	assert.Equal(t, Selection{}, Choose(nil, Excerpt{Budget: 500}))
}

func TestOrders(t *testing.T) {
	turns := talk(100)
	s := Choose(turns, Excerpt{Budget: 300, From: 11, To: 90, InOrder: true})
	require.NotEmpty(t, s.Kept)
	assert.Equal(t, 11, s.Kept[0])
	assert.Equal(t, 11+len(s.Kept)-1, s.Kept[len(s.Kept)-1])
	require.Len(t, s.Omitted, 1)
	assert.Equal(t, 90, s.Omitted[0].ToTurn)

	s = Choose(turns, Excerpt{Budget: 300, Around: 50})
	assert.Contains(t, s.Kept, 50)
	assert.Len(t, s.Omitted, 2)
	assert.Equal(t, s.Kept[len(s.Kept)-1]-s.Kept[0], len(s.Kept)-1)
}

func TestGiantTurn(t *testing.T) {
	turns := talk(4)
	turns[1].Text = "this is how it began: " + strings.Repeat("and then they said they would call me back ", 500) + "and that was the end"
	s := Choose(turns, Excerpt{Budget: 200})
	text := Lines(turns, s)
	assert.Equal(t, []int{1, 2, 3, 4}, s.Kept)
	assert.Contains(t, text, "caller: this is how it began")
	assert.Contains(t, text, "that was the end")
	assert.Regexp(t, `… 4\d\d\d words left out …`, text)

	turns[1].Text = strings.Repeat("退款", 3000)
	assert.Regexp(t, `… \d+ characters left out …`, Lines(turns, Choose(turns, Excerpt{Budget: 200})))
}

func TestLines(t *testing.T) {
	second := func(n float64) *time.Duration { d := time.Duration(n * float64(time.Second)); return &d }
	turns := []call.Turn{
		{Index: 1, Role: call.RoleAgent, Text: "Thanks for calling,\nhow can I help?", Start: second(0)},
		{Index: 2, Role: call.RoleCaller, Text: ""},
		{Index: 3, Role: call.RoleTool, Start: second(22.9), Tool: &call.Tool{Name: "lookup_order", Args: "{\n \"order\": \"A-1182\"\n}", Result: "timeout after 8 s", Failed: true}},
		{Index: 4, Role: call.RoleTool, Start: second(30), Tool: &call.Tool{Name: "greet"}},
		{Index: 5, Role: call.RoleTool, Start: second(31), Tool: &call.Tool{Name: "find", Args: "{}", Result: `{"n": 1}`}},
		{Index: 6, Role: call.RoleAgent, Text: "Are you still there?", Start: second(3723)},
		{Index: 7, Role: call.RoleTool, Start: second(3724), Tool: &call.Tool{Args: `{"n": 1}`}},
		{Index: 8, Role: call.RoleTool, Tool: &call.Tool{Result: "done"}},
		{Index: 9, Role: call.RoleTool, Tool: &call.Tool{Failed: true}},
		{Index: 10, Role: call.RoleTool, Tool: &call.Tool{}},
		{Index: 11, Role: call.RoleAgent, Text: "Bye.", Start: second(3730), End: second(3731)},
	}
	assert.Equal(t, strings.TrimSpace(`
1 00:00 agent: Thanks for calling, how can I help?
2 caller:
3 00:22 tool lookup_order {"order":"A-1182"} → error: timeout after 8 s
4 00:30 tool greet → no answer
5 00:31 tool find {} → {"n":1}
6 1:02:03 agent: Are you still there?
7 1:02:04 tool {"n":1} → no answer
8 tool → done
9 tool → error
10 tool → no answer
… turn 11 left out (1:02:10–1:02:11) …`),
		Lines(turns, Selection{Kept: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, Omitted: []Span{span(turns[10:])}}))
	assert.Equal(t, "… turns 1–2 left out (00:00) …", span(turns[:2]).String())
	assert.Equal(t, "… turn 2 left out …", span(turns[1:2]).String())
}

// talk is n turns of small talk, four seconds apart.
func talk(n int) []call.Turn {
	turns := make([]call.Turn, n)
	for i := range turns {
		start := time.Duration(i) * 4 * time.Second
		turns[i] = call.Turn{Index: i + 1, Role: call.RoleAgent, Text: fmt.Sprintf("so this is what I say in line %d of it", i+1), Start: &start}
		if i%2 == 1 {
			turns[i].Role = call.RoleCaller
		}
	}
	return turns
}

func BenchmarkChoose(b *testing.B) {
	turns := talk(400)
	b.ReportAllocs()
	for b.Loop() {
		Lines(turns, Choose(turns, Excerpt{Budget: 4000}))
	}
}
