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
		{"charged or twice", refund, []int{2}},
		{"zebra or order", refund, []int{3}},
		{"(charged", refund, []int{2}}, // the second parenthesis forgotten
		{"charged :) twice", refund, []int{2}},
		{"(charged) (twice)", refund, []int{2}},
		{"re-fund(s)", refund, nil},
		{"charged and twice", refund, []int{2}},
		{"charged, and twice", refund, []int{2}},
		{"or", []string{"more or less"}, []int{1}},
		{"charged NOT order", refund, nil},
		{"charged AND NOT zebra", refund, []int{2}},
		{"charged !order", refund, nil},
		{"charged !zebra", refund, []int{2}},
		{`charged NOT "the check"`, refund, []int{2}},
		{"charged not", refund, nil}, // not happy, said in small letters
		{"charged -(order OR zebra)", refund, nil},
		{"charged NOT (zebra | lion)", refund, []int{2}},
		{"zebra|charged", refund, []int{2}},
		{"zebra || charged", refund, []int{2}},
		{"zebra ｜ charged", refund, []int{2}},
		{`zebra|"charged twice"`, refund, []int{2}},
		{"charged && order", refund, []int{2, 3}},
		{"charged&&zebra", refund, nil},
		{"+charged +order", refund, []int{2, 3}},
		{"+12345678", refund, []int{3}},
		{"(zebra OR charged) (lion OR order)", refund, []int{2, 3}},
		{"(zebra AND lion) OR (charged AND order)", refund, []int{2, 3}},
		{"(zebra lion) or ((charged))", refund, []int{2}},
		{"((zebra OR (lion | order)) AND calling)", refund, []int{1, 3}},
		{"zebra AND lion OR charged", refund, []int{2}}, // AND binds closer
		{"zebra lion OR charged", refund, nil},          // than OR, and OR than nothing
		{"/zebra|charged/", refund, []int{2}},
		{"/(zebra|charged twice)/i", refund, []int{2}},
		{"/charged twice/", refund, []int{2}},
		{"/zebra|order/ charged", refund, []int{2, 3}},
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
		{"จอง", []string{"ฉันต้องการจองโต๊ะสำหรับสี่คนคืนนี้"}, []int{1}},
		{"จองโต๊ะ", []string{"ฉันต้องการจอง โต๊ะ"}, []int{1}},
		{"โต๊ะจอง", []string{"ฉันต้องการจองโต๊ะ"}, nil},
		{"กัน", []string{"กัน", "กั้น"}, []int{1}}, // the tone mark makes another word
		{"น้ำ*", []string{"ขอน้ำหน่อย"}, []int{1}},
		{"កក់តុ", []string{"ខ្ញុំចង់កក់តុសម្រាប់បួននាក់"}, []int{1}},
		{"កក់តុ", []string{"ចង់កក់\u200bតុសម្រាប់"}, []int{1}}, // with the space that is not seen
		{"ຈອງໂຕະ", []string{"ຂ້ອຍຢາກຈອງໂຕະສຳລັບສີ່ຄົນ"}, []int{1}},
		{"စားပွဲ", []string{"ကျွန်တော်စားပွဲကြိုတင်မှာချင်ပါတယ်"}, []int{1}},
		{"サービス", []string{"カスタマーサービスです"}, []int{1}},
		{"ガ", []string{"ｶﾞｽ会社"}, []int{1}},
		{"カ", []string{"ｶﾞｽ会社", "カ\u3099ス"}, nil},
		{"テスト", []string{"ﾃｽﾄの電話です"}, []int{1}},
		{"1234", []string{"注文番号は１２３４です", "رقم ١٢٣٤", "number 1234"}, []int{1, 2, 3}},
		{"ＡＢＣ", []string{"abc"}, []int{1}},
		{"abc", []string{"ＡＢＣ商事です"}, []int{1}},
		{"office", []string{"the oﬃce", "the o\u00adffice"}, []int{1, 2}},
		{"Straße", []string{"STRASSE 5", "Strasse", "STRAẞE"}, []int{1, 2, 3}},
		{"lodz", []string{"Łódź, proszę"}, []int{1}},
		{`"dat ban"`, []string{"Tôi muốn đặt bàn"}, []int{1}},
		{"kobmagergade", []string{"Købmagergade"}, []int{1}},
		{"œuvre", []string{"une oeuvre", "une ŒUVRE"}, []int{1, 2}},
		{"aegir thor", []string{"Ægir", "Þór"}, []int{1, 2}},
		{"istanbul", []string{"İSTANBUL", "ıstanbul"}, []int{1, 2}},
		{"محمد", []string{"مُحَمَّد", "محـــمد"}, []int{1, 2}},
		{"الإلغاء", []string{"الالغاء"}, []int{1}},
		{"شلום", []string{"x"}, nil},
		{"שלום", []string{"שָׁלוֹם", "שלום\u200f!"}, []int{1, 2}},
		{"می\u200cخواهم", []string{"من می\u200cخواهم", "من میخواهم"}, []int{1, 2}},
		{"information", []string{"in\u00adfor\u00admation", "infor\u200bmation", "\ufeffinformation"}, []int{1, 2, 3}},
		{"acme", []string{"the Acme™ phone"}, []int{1}},
		{"株", []string{"㈱ABC"}, []int{1}},
		{"서울", []string{"\u1109\u1165\u110b\u116e\u11af"}, []int{1}}, // in parts
	} {
		hit, ok := parseText(t, c.query).Match(said(c.turns...), "")
		assert.Equal(t, c.hits != nil, ok, c.query)
		if ok {
			assert.Equal(t, c.hits, hit.Turns, c.query)
			assert.NotNil(t, hit.Text, "who shows the turns marks what they match")
		}
	}
}

// Operators that are not understood are refused by name, lest they are taken for
// words that have to be spoken.
func TestParseTextNamesWhatItDoesNotUnderstand(t *testing.T) {
	for query, want := range map[string]string{
		"refund NEAR/5 cancel":             `"NEAR/5" is not an operator here`,
		"refund NEAR cancel":               `"NEAR" is not an operator here`,
		"refund AROUND(3) cancel":          `"AROUND(3)" is not an operator here`,
		"refund~2":                         `"refund~2" is not an operator here`,
		`"charged twice"~3`:                `is not an operator here`,
		"refund^2":                         `"refund^2" is not an operator here`,
		"caller:refund":                    `"caller:" is not an operator here`,
		"re*nd":                            `"re*nd" is not an operator here: * stands at the end`,
		"*fund":                            `* stands at the end of a word`,
		`/ref(und|ill)\d+/`:                `filters_v2`,
		"/ref.nd/":                         `filters_v2`,
		"b?lling":                          `"b?lling" is not an operator here`,
		"refund OR -cancel":                `OR between words of which some shall not be there`,
		"refund OR NOT cancel":             `OR between words`,
		"refund NOT (cancel billing)":      `NOT before parentheses`,
		strings.Repeat("(a OR ", 30) + "b": "nest deeper than 20",
		strings.Repeat("(a b c d) OR ", 9): "too many alternatives",
	} {
		_, err := call.ParseText(query)
		assert.ErrorContains(t, err, want, query)
	}
	for _, query := range []string{"NEAR ME", "agent: hello", "what's 3:30", "/api/v1/orders", "2 ^ 3", "near"} {
		_, err := call.ParseText(query)
		assert.NoError(t, err, query)
	}
}

func TestTextIsWrittenAsItIsRead(t *testing.T) {
	for query, want := range map[string]string{
		"refund|cancel":                "refund OR cancel",
		"billing NOT refund":           "billing -refund",
		"a AND b OR c":                 "(a OR c) (b OR c)",
		"(refund or cancel) and !card": "(refund OR cancel) -card",
		"จองโต๊ะ 退款":                   "จองโต๊ะ 退款",
		`"退款 iphone15 x"`:              `"退款iphone15 x"`,
		"+refund":                      `"refund"`,
	} {
		assert.Equal(t, want, parseText(t, query).String(), query)
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
	word := rapid.StringMatching(`[a-cA-CéÉß0-2款がｶﾞนำ้½ﬃ\x{301}\x{200d}İσς’'*-]{0,5}`)
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(1, 5).Draw(t, "words") {
			b.WriteString(rapid.SampledFrom([]string{"", " ", " -", ` "`, `" `, " OR ", " AND ", `-"`, "“", " - ", " or ", "|", " (", ") ", " NOT ", " !", " +", " and,"}).Draw(t, "between"))
			b.WriteString(word.Draw(t, "word"))
		}
		return b.String()
	}).Filter(func(s string) bool { _, err := call.ParseText(s); return err == nil })
}

func speech() *rapid.Generator[string] {
	return rapid.StringMatching(`([a-cA-CéÉß0-2款がかｶﾞนำ้½ﬃ\x{200d}İσς]{1,2}[ ’'.-]?){0,8}`)
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

// The parts of a Persian word are found however they are written apart.
func TestHalfSpaces(t *testing.T) {
	spellings := []string{"می\u200cخواهم", "می خواهم", "میخواهم", "\"می خواهم\"", "می\u200cخواه*"}
	for _, query := range spellings {
		q, err := call.ParseText(query)
		require.NoError(t, err)
		for _, said := range spellings[:3] {
			_, ok := q.Match(&call.Log{Turns: []call.Turn{{Index: 1, Text: "من " + said + " لغو کنم"}}}, "")
			assert.Equal(t, query != spellings[2] || said != spellings[1], ok, "%q in %q as %s", query, said, q)
		}
		again, err := call.ParseText(q.String())
		require.NoError(t, err)
		assert.Equal(t, q.String(), again.String())
	}
	q, err := call.ParseText("-می خواهم")
	require.NoError(t, err)
	assert.Equal(t, "خواهم -مي", q.String())
}

// Operators as they are also written.
func TestOperatorsOfOtherKeyboards(t *testing.T) {
	for query, want := range map[string]string{
		"billing NOT(refund)": "billing -refund", "billing ∨ refund": "billing OR refund", "billing ∧ refund": "billing refund", "billing ¬refund": "billing -refund",
		"billing ! refund": "billing -refund", "bonjour !": "bonjour", "billing and/or refund": "billing OR refund", "(a) AND(b)": "a b", "a OR(b c)": "(a OR b) (a OR c)",
	} {
		q, err := call.ParseText(query)
		require.NoError(t, err, query)
		assert.Equal(t, want, q.String(), query)
	}
}
