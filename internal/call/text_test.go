package call_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
)

func parseText(t require.TestingT, s string) *call.Text {
	text, err := call.ParseText(s)
	require.NoError(t, err, s)
	return text
}

// said is a call in which the agent and the caller say things by turns.
func said(turns ...string) *call.Log {
	l := &call.Log{}
	for i, s := range turns {
		l.Turns = append(l.Turns, call.Turn{Index: i + 1, Role: []call.Role{call.RoleAgent, call.RoleCaller}[i%2], Text: s})
	}
	return l
}

func TestTextMatch(t *testing.T) {
	refund := []string{"Thanks for calling!", "I was charged TWICE, I'd like a re-fund.", "Let me check the café's order, ORD-12345678.", "don’t you see it?"}
	chinese := []string{"你好，请问", "我想退款，谢谢 iPhone15"}
	for _, c := range []struct {
		query string
		turns []string
		hits  []int // nil: no match
	}{
		{"charged", refund, []int{2}},
		{"CHARGED twice", refund, []int{2}},
		{"charged order", refund, []int{2, 3}}, // in different turns
		{"charged zebra", refund, nil},
		{`"charged twice"`, refund, []int{2}},
		{`"charged twice I"`, refund, []int{2}}, // across punctuation
		{`"twice charged"`, refund, nil},
		{`"calling I was"`, refund, nil}, // a phrase stays within one turn
		{`“charged twice”`, refund, []int{2}},
		{`„charged twice“`, refund, []int{2}},
		{`«charged twice»`, refund, []int{2}},
		{`"charged twice`, refund, []int{2}}, // the second quote forgotten
		{`charged" twice`, refund, []int{2}},
		{"charg", refund, nil}, // words are whole
		{"charg*", refund, []int{2}},
		{"ch*", refund, []int{2, 3}},
		{"ord-123*", refund, []int{3}},
		{"ord-124*", refund, nil},
		{"cafe", refund, []int{3}},
		{"CAFÉ", refund, []int{3}},
		{"cafe\u0301", refund, []int{3}}, // the accent apart
		{"ORD-12345678", refund, []int{3}},
		{"12345678", refund, []int{3}},
		{"ord12345678", refund, nil},
		{"don't", refund, []int{4}},
		{"don’t", refund, []int{4}},
		{"dont", refund, nil},
		{"I'd", refund, []int{2}},
		{"re-fund", refund, []int{2}},
		{"refund", refund, nil},
		{"charged -zebra", refund, []int{2}},
		{"charged -order", refund, nil},
		{`charged -"check the"`, refund, nil},
		{`charged -"the check"`, refund, []int{2}},
		{`charged - "check the"`, refund, []int{2, 3}}, // a dash of its own excludes nothing
		{`-"zebra""charged"`, refund, []int{2}},
		{"zebra OR charged", refund, []int{2}},
		{"zebra OR charged order", refund, []int{2, 3}},
		{"zebra OR lion", refund, nil},
		{"charged OR order OR calling", refund, []int{1, 2, 3}},
		{"OR charged", refund, []int{2}},
		{"charged OR", refund, []int{2}},
		{"charged or twice", refund, nil}, // OR is a word where it is not in capitals
		{"charged AND twice", refund, []int{2}},
		{`"OR" charged`, refund, nil},
		{"! charged ?", refund, []int{2}},
		{"退款", chinese, []int{2}},
		{"款退", chinese, nil},
		{"你好", chinese, []int{1}},
		{"好请", chinese, []int{1}}, // punctuation does not count
		{"退款 iphone15", chinese, []int{2}},
		{"谢*", chinese, []int{2}},
		{"が", []string{"か"}, nil}, // not an accent: another sound
		{"में", []string{"", "यह मैं हूँ"}, nil},
		{"ΑΘΗΝΑ", []string{"Αθήνα"}, []int{1}},
		{"straße", []string{"STRAßE 5"}, []int{1}},
		{"x", []string{"\xff x \xc3"}, []int{1}}, // not UTF-8
	} {
		hit, ok := parseText(t, c.query).Match(said(c.turns...), "")
		assert.Equal(t, c.hits != nil, ok, c.query)
		if ok {
			assert.Equal(t, c.hits, hit.Turns, c.query)
			assert.NotNil(t, hit.Text, "who shows the turns marks what they match")
		}
	}
}

func TestWorthCountsAlternatives(t *testing.T) {
	turns := said("cancelled, I cancel", "cancel my order", "my refund").Turns
	text := parseText(t, "cancel OR cancelled OR order OR zebra")
	assert.Equal(t, []int{2, 2, 0}, []int{text.Worth(&turns[0]), text.Worth(&turns[1]), text.Worth(&turns[2])})
}

func TestTextMinds(t *testing.T) {
	l := said("your refund", "my order")
	l.Turns = append(l.Turns, call.Turn{Index: 3, Role: call.RoleTool, Tool: &call.Tool{Name: "lookupOrder", Args: `{"order_id":"A-1182"}`, Result: "not found"}})
	for _, c := range []struct {
		query string
		role  call.Role
		hits  []int
	}{
		{"order", "", []int{2, 3}},
		{"order", call.RoleCaller, []int{2}},
		{"refund order", call.RoleCaller, nil},
		{"order -refund", call.RoleCaller, []int{2}}, // not said by the caller
		{"order -refund", "", nil},
		{"lookup_order", call.RoleTool, []int{3}},
		{"lookupOrder", "", []int{3}},
		{`"lookup order"`, "", []int{3}},
		{`"a 1182"`, call.RoleTool, []int{3}},
		{`"1182 not"`, "", nil}, // arguments and result are apart
		{`"found order"`, "", nil},
	} {
		hit, ok := parseText(t, c.query).Match(l, c.role)
		assert.Equal(t, c.hits != nil, ok, c.query)
		if ok {
			assert.Equal(t, c.hits, hit.Turns, c.query)
		}
	}
}

func TestParseTextRefuses(t *testing.T) {
	for _, s := range []string{"", "  ", "*", "-", `"`, `""`, "-x", `-"a b" -c`, "OR", "AND", "?!…", "\u0301"} {
		_, err := call.ParseText(s)
		assert.ErrorContains(t, err, "nothing to look for", s)
	}
	_, err := call.ParseText(strings.Repeat("?", 100_000))
	require.Error(t, err)
	assert.Less(t, len(err.Error()), 300, "an error that a model reads is short")
	_, err = call.ParseText(strings.Repeat("word ", 500))
	assert.ErrorContains(t, err, "2499 characters of words are too many to look for. Give at most 2000")
	longest := parseText(t, strings.Repeat("a.b ", 250))
	assert.Equal(t, longest.String(), parseText(t, longest.String()).String(), "what a cursor holds is taken back")
}

// queries draws what people could type, letters that fold oddly included.
func queries() *rapid.Generator[string] {
	word := rapid.StringMatching(`[a-cA-CéÉß0-2款が\x{301}İσς’'*-]{0,5}`)
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(1, 5).Draw(t, "words") {
			b.WriteString(rapid.SampledFrom([]string{"", " ", " -", ` "`, `" `, " OR ", " AND ", `-"`, "“", " - "}).Draw(t, "between"))
			b.WriteString(word.Draw(t, "word"))
		}
		return b.String()
	}).Filter(func(s string) bool { _, err := call.ParseText(s); return err == nil })
}

func speech() *rapid.Generator[string] {
	return rapid.StringMatching(`([a-cA-CéÉß0-2款がかİσς]{1,2}[ ’'.-]?){0,8}`)
}

// A cursor carries a query as text, so what String writes has to mean the same.
func TestTextStringMeansTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := parseText(t, queries().Draw(t, "query"))
		again := parseText(t, text.String())
		assert.Equal(t, text.String(), again.String())
		l := said(rapid.SliceOfN(speech(), 1, 4).Draw(t, "turns")...)
		hit, ok := text.Match(l, "")
		hitAgain, okAgain := again.Match(l, "")
		assert.Equal(t, ok, okAgain, text.String())
		assert.Equal(t, hit.Turns, hitAgain.Turns, text.String())
		for i := range l.Turns {
			assert.Equal(t, text.Spans(l.Turns[i].Text), again.Spans(l.Turns[i].Text))
		}
	})
}

// Match passes over turns that cannot hold what is looked for; Spans and Worth
// split each. They have to agree on which turns those are.
func TestTextSkipsNoMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := parseText(t, queries().Draw(t, "query"))
		if strings.Contains(" "+text.String(), " -") {
			t.Skip("what is excluded has no spans")
		}
		l := said(rapid.SliceOfN(speech(), 1, 4).Draw(t, "turns")...)
		hit, _ := text.Match(l, "")
		var want []int
		for i := range l.Turns {
			spans := text.Spans(l.Turns[i].Text)
			assert.Equal(t, len(spans) > 0, text.Worth(&l.Turns[i]) > 0)
			if len(spans) > 0 {
				want = append(want, i+1)
			}
		}
		assert.Equal(t, want, hit.Turns, text.String())
	})
}

func TestSpans(t *testing.T) {
	for _, c := range []struct{ query, text, marked string }{
		{`"charged twice"`, "I was Charged, twice! Charged once.", "I was «Charged, twice»! Charged once."},
		{"charged twice", "I was Charged, twice! Charged once.", "I was «Charged», «twice»! «Charged» once."},
		{`charged "charged twice"`, "charged twice", "«charged twice»"}, // the longest
		{"caf*", "Un CAFÉ, des cafés.", "Un «CAFÉ», des «cafés»."},
		{"退款", "我想退款，谢谢", "我想«退款»，谢谢"},
		{"don't", "You don’t?", "You «don’t»?"},
		{"-no yes", "yes no", "«yes» no"},
	} {
		marked, last := "", 0
		for _, s := range parseText(t, c.query).Spans(c.text) {
			marked += c.text[last:s[0]] + "«" + c.text[s[0]:s[1]] + "»"
			last = s[1]
		}
		assert.Equal(t, c.marked, marked+c.text[last:], c.query)
	}
}

func FuzzText(f *testing.F) {
	f.Add(`"charged twice" -refund prefix* OR x`, "I was Charged, twice! ORD-12345678")
	f.Add("退款 “don’t”", "我想退款，谢谢 don't")
	f.Add("İ* \xff", "i\u0307 \xc3 STRASSE \u0301a")
	f.Fuzz(func(t *testing.T, query, s string) {
		text, err := call.ParseText(query)
		if err != nil {
			return
		}
		require.Equal(t, text.String(), parseText(t, text.String()).String())
		last := 0
		for _, span := range text.Spans(s) {
			require.True(t, last <= span[0] && span[0] < span[1] && span[1] <= len(s), "%v in %q", span, s)
			last = span[1]
			if utf8.ValidString(s) {
				require.True(t, utf8.ValidString(s[span[0]:span[1]]), "a span cuts no letter")
			}
		}
		l := said(s)
		text.Match(l, "")
		text.Worth(&l.Turns[0])
	})
}
