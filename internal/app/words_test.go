package app

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// oneTurn is a record of a file in which one thing is said.
func oneTurn(t *testing.T, id, text string, more map[string]any) string {
	record := map[string]any{
		"conversation_id": id, "started_at": "2026-11-20T10:00:00Z", "duration_s": 60,
		"turns": []any{map[string]any{"role": "caller", "text": text}},
	}
	for key, value := range more {
		record[key] = value
	}
	b, err := json.Marshal(record)
	require.NoError(t, err)
	return string(b)
}

// What is said in any script is found by search and by match, however it is
// written, and shown as the one marked.
func TestWordsOfEveryScriptAreFound(t *testing.T) {
	said := map[string]string{
		"th": "ฉันต้องการจองโต๊ะสำหรับสี่คนคืนนี้", "km": "ខ្ញុំចង់កក់តុសម្រាប់បួននាក់", "lo": "ຂ້ອຍຢາກຈອງໂຕະສຳລັບສີ່ຄົນ",
		"my": "ကျွန်တော်စားပွဲကြိုတင်မှာချင်ပါတယ်", "ja": "ﾃｽﾄ番号は１２３４です", "de": "Die Straße ist gesperrt", "pl": "Łódź, proszę",
		"ar": "مُحَمَّد يريد الإلغاء", "he": "שָׁלוֹם", "fa": "من می\u200cخواهم", "soft": "more in\u00adfor\u00admation", "nfd": "un cafe\u0301",
	}
	var lines []string
	for id, text := range said {
		lines = append(lines, oneTurn(t, id, text, nil))
	}
	c := over(t, lines)
	for query, id := range map[string]string{
		"จองโต๊ะ": "th", "โต๊ะ": "th", "កក់តុ": "km", "ຈອງໂຕະ": "lo", "စားပွဲ": "my", "テスト": "ja", "1234": "ja", "strasse": "de", "lodz": "pl",
		"محمد": "ar", "שלום": "he", "می\u200cخواهم": "fa", "میخواهم": "fa", "information": "soft", "café": "nfd",
	} {
		for _, order := range []string{"newest", "relevance"} {
			text := textOf(t, ask(t, c, "search_transcripts", fmt.Sprintf(`{"query":%q,"order_by":%q}`, query, order)))
			assert.Contains(t, text, "file/"+id+" ", query)
			assert.Contains(t, text, "«", query)
		}
		assert.Contains(t, textOf(t, ask(t, c, "read_transcript", fmt.Sprintf(`{"id":%q,"match":%q}`, id, query))), "1 match", query)
	}
	assert.Contains(t, textOf(t, ask(t, c, "read_transcript", `{"id":"fa"}`)), "می\u200cخواهم", "the half-space is shown")
	text := textOf(t, ask(t, c, "search_transcripts", `{"query":"👍"}`))
	assert.Contains(t, text, "nothing to look for")
	assert.NotContains(t, text, "searched all")
}

// Operators of other search engines are understood or named, and no words.
func TestOperatorsAreNoWords(t *testing.T) {
	c := over(t, []string{
		oneTurn(t, "refund", "I want a refund now", nil), oneTurn(t, "cancel", "please cancel my credit card", nil),
		oneTurn(t, "billing", "billing question about my invoice", nil), oneTurn(t, "both", "not happy, billing refund please", nil),
	})
	for query, want := range map[string][]string{
		"billing NOT refund": {"billing"}, "billing AND NOT refund": {"billing"}, "billing !refund": {"billing"}, "billing -refund": {"billing"},
		"refund|cancel": {"refund", "cancel", "both"}, "refund || cancel": {"refund", "cancel", "both"}, "refund or cancel": {"refund", "cancel", "both"},
		"/refund|cancel/": {"refund", "cancel", "both"}, "billing && refund": {"both"}, "+billing +refund": {"both"},
		"(billing or card) and !(refund | zebra)": {"billing", "cancel"}, "((refund billing) OR (credit card))": {"both", "cancel"},
	} {
		for _, order := range []string{"newest", "relevance"} {
			text := textOf(t, ask(t, c, "search_transcripts", fmt.Sprintf(`{"query":%q,"order_by":%q}`, query, order)))
			for _, id := range []string{"refund", "cancel", "billing", "both"} {
				if slices.Contains(want, id) {
					assert.Contains(t, text, "file/"+id+" ", "%s by %s", query, order)
				} else if order == "newest" {
					assert.NotContains(t, text, "file/"+id+" ", query)
				}
			}
		}
	}
	for _, query := range []string{"refund NEAR/3 card", "refund~2", "ref*nd", "caller:refund", "refund OR -card", "/ref.*d/"} {
		assert.Contains(t, textOf(t, ask(t, c, "search_transcripts", fmt.Sprintf(`{"query":%q}`, query))), "understood", query)
	}
	assert.Contains(t, textOf(t, ask(t, c, "read_transcript", `{"id":"both","match":"billing NOT refund"}`)), "No turn")
}

// A name that was copied from an answer finds its calls: in filters, in named
// arguments, and as the key of a group, of which names shown alike have one.
func TestNamesAreComparedAsTheyAreShown(t *testing.T) {
	names := map[string]string{
		"pipe": "Sales | EU", "line": "Front\nDesk", "two": "Night  Desk", "tail": "Desk ", "digit": "support_v2", "long": "Support for all customers of the northern region after hours", "nfd": "Cafe\u0301", "soft": "Ho\u00adtel", "comma": "Berlin, Mitte",
	}
	var lines []string
	for id, name := range names {
		lines = append(lines, oneTurn(t, id, "x", map[string]any{"agent_name": name, "intent": name, "labels": map[string]any{"k": name}}))
	}
	c := over(t, lines)
	for copied, id := range map[string]string{
		"Sales / EU": "pipe", "Sales | EU": "pipe", "Front Desk": "line", "Front\nDesk": "line", "Night Desk": "two", "Desk": "tail", "Café": "nfd", "Cafe\u0301": "nfd", "Hotel": "soft",
		"Berlin, Mitte": "comma", "support_v2": "digit", "Support for all customers of the northe…": "long",
	} {
		q, err := json.Marshal(copied)
		require.NoError(t, err)
		for _, field := range []string{"agent.agent_name", "topic", "metadata.k"} {
			for _, f := range []string{`{"field":%q,"op":"eq","value":%s}`, `{"field":%q,"op":"in","value":[%s,"none"]}`} {
				text := textOf(t, ask(t, c, "list_call_logs", fmt.Sprintf(`{"filters_v2":`+f+`}`, field, q)))
				assert.Contains(t, text, "1 call", "%s %s", field, copied)
				assert.Contains(t, text, "file/"+id, "%s %s", field, copied)
			}
		}
		for _, argument := range []string{"agent_id", "topic"} {
			assert.Contains(t, textOf(t, ask(t, c, "list_call_logs", fmt.Sprintf(`{%q:%s}`, argument, q))), "1 call", "%s %s", argument, copied)
		}
	}
	assert.Contains(t, textOf(t, ask(t, c, "list_call_logs", `{"filters_v2":{"field":"topic","op":"contains","value":"CAFÉ"}}`)), "1 call")
	assert.Contains(t, textOf(t, ask(t, c, "list_call_logs", `{"filters_v2":{"field":"topic","op":"regex","value":"^Café$"}}`)), "1 call")

	c = over(t, []string{
		oneTurn(t, "a", "x", map[string]any{"intent": "Café"}), oneTurn(t, "b", "x", map[string]any{"intent": "Cafe\u0301"}),
		oneTurn(t, "c", "x", map[string]any{"intent": "Café "}),
	})
	assert.Contains(t, textOf(t, ask(t, c, "aggregate_call_logs", `{"group_by":["topic"]}`)), "Café | 100 %")
}

// A value of blanks is none, for filters, groups and answers.
func TestBlankValuesAreAbsent(t *testing.T) {
	blank := map[string]any{"intent": " \t ", "agent_name": "\u00a0", "labels": map[string]any{"k": "  "}}
	c := over(t, []string{oneTurn(t, "a", "x", blank), oneTurn(t, "b", "x", map[string]any{"intent": "", "labels": map[string]any{"k": "v"}}), oneTurn(t, "d", "x", nil)})
	text := textOf(t, ask(t, c, "aggregate_call_logs", `{"group_by":["topic"]}`))
	assert.Contains(t, text, "absent")
	assert.Contains(t, text, "(absent) | 100 %")
	for _, field := range []string{"topic", "agent.agent_name"} {
		assert.Contains(t, textOf(t, ask(t, c, "list_call_logs", fmt.Sprintf(`{"filters_v2":{"field":%q,"op":"isnull","value":true}}`, field))), "3 calls", field)
	}
	assert.Contains(t, textOf(t, ask(t, c, "list_call_logs", `{"filters_v2":{"field":"metadata.k","op":"isnull","value":true}}`)), "2 calls")
}

// Arguments and times as clients write them.
func TestOddArgumentsAreUnderstood(t *testing.T) {
	c := over(t, []string{oneTurn(t, "x", "I want to cancel", nil)})
	for _, from := range []string{`"1795100000"`, `1795100000`, `1795100000000`, `"1795100000000000"`, `"2026-11-01T00:00:00+0200"`, `"2026-11-01 00:00 UTC"`, `"Last 3650 days"`} {
		text := textOf(t, ask(t, c, "list_call_logs", `{"timestamp_to":"2026-11-30","timestamp_from":`+from+`}`))
		assert.Contains(t, text, "1 call", from)
	}
	packed, err := json.Marshal(`{"field":"id","op":"eq","value":"x"}`)
	require.NoError(t, err)
	twice, err := json.Marshal(string(packed))
	require.NoError(t, err)
	for _, f := range []string{string(packed), string(twice)} {
		assert.Contains(t, textOf(t, ask(t, c, "list_call_logs", `{"filters_v2":`+f+`}`)), "1 call")
	}
	for _, arguments := range []string{`"{\"page_size\":1}"`, `[]`, `[{"page_size":1}]`, `""`, `null`} {
		assert.Contains(t, textOf(t, ask(t, c, "list_call_logs", arguments)), "1 call", arguments)
	}
}
