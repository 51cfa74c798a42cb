package app

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	mcpclient "github.com/mark3labs/mcp-go/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A secret is the digits of a number that the mask keeps back, in one world;
// the last four are the same in both.
type secret struct{ area, exchange, last string }

var secrets = [2][]secret{
	{{"415", "555", "2671"}, {"212", "867", "5309"}, {"617", "253", "1000"}, {"312", "744", "5000"}},
	{{"303", "297", "2671"}, {"702", "385", "5309"}, {"808", "523", "1000"}, {"416", "392", "5000"}},
}

var spokenDigits = strings.NewReplacer("0", "zero ", "1", "one ", "2", "two ", "3", "three ", "4", "four ", "5", "five ", "6", "six ", "7", "seven ", "8", "eight ", "9", "nine ")

// masked world is the calls of a file that differ from those of the other in
// nothing but digits that are masked.
func maskedWorld(secrets []secret) (lines []string) {
	for i := range 24 {
		s := secrets[i%len(secrets)]
		whole := s.area + s.exchange + s.last
		turns := []map[string]any{
			{"role": "agent", "text": "Thanks for calling, what is your phone number?"},
			{"role": "caller", "text": "my number is " + s.area + "-" + s.exchange + "-" + s.last + " thanks"},
			{"role": "caller", "text": "it is " + s.area + " " + s.exchange},
			{"role": "agent", "text": "okay"},
			{"role": "caller", "text": s.last + " that was it"},
			{"role": "agent", "text": "one more time please, and say it slowly"},
			{"role": "caller", "text": "again that is " + strings.TrimSpace(spokenDigits.Replace(whole))},
			{"role": "tool", "tool_name": "lookup", "tool_args": map[string]any{"phone": "+1" + whole}, "tool_result": "found +1" + whole},
			{"role": "caller", "text": fmt.Sprintf("order %d was charged twice", 1000+i)},
		}
		record := map[string]any{
			"conversation_id": fmt.Sprint("w", i), "agent_name": "Desk", "customer_number": []string{"+1" + whole, whole, "001" + whole}[i%3],
			"intent": []string{"refund", "callback to +1" + whole, "billing"}[i%3], "ended_reason": "ended", "outcome": []string{"success", "failure"}[i%2],
			"started_at": fmt.Sprintf("2026-11-20T10:%02d:00Z", i), "duration_s": 60 + i, "turns": turns,
			"labels": map[string]any{"note": "call +1" + whole, "summary": "Asked to be called at " + s.area + "-" + s.exchange + "-" + s.last, "from_number": whole},
		}
		b, _ := json.Marshal(record)
		lines = append(lines, string(b))
	}
	return lines
}

// question draws one that may name parts of any number of either world.
func question(r *rand.Rand) (tool, args string) {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	s := secrets[r.IntN(2)][r.IntN(4)]
	whole := s.area + s.exchange + s.last
	n := 1 + r.IntN(9)
	part := pick(whole[:n], whole[n:], "+1"+whole[:n], s.exchange, s.area, s.area+"-"+s.exchange, s.last, pick("four", "five", "three", "zero", "nine"))
	field := pick("customer_number", "topic", "summary", "transcript", "metadata.note", "metadata.from_number", "agent.agent_name", "call_ended_reason")
	condition := func() string {
		op := pick("contains", "startswith", "endswith", "regex", "neq", "eq", "in")
		var value any = part
		switch {
		case op == "regex":
			value = pick("^.{0,3}"+regexp.QuoteMeta(part), regexp.QuoteMeta(part), "[0-4]{"+strconv.Itoa(2+r.IntN(6))+"}")
		case op == "eq" || op == "in": // a whole number may be compared in fields that hold nothing else
			value = pick("call +1"+whole, "callback to +1"+whole, whole[:6], "call •••••••"+s.last)
		}
		b, _ := json.Marshal(map[string]any{"field": field, "op": op, "value": value})
		return string(b)
	}
	query := pick(part, part+"*", whole, `"`+s.area+" "+s.exchange+`"`, `"`+strings.TrimSpace(spokenDigits.Replace(whole[:3]))+`"`, "refund OR "+part, "charged -"+part, "charged "+whole, "order "+part, strings.TrimSpace(spokenDigits.Replace(whole)), s.last)
	quoted, _ := json.Marshal(query)
	where, _ := json.Marshal(condition())
	switch r.IntN(9) {
	case 0:
		return "list_call_logs", `{"filters_v2":` + string(where) + `}`
	case 1:
		return "search_transcripts", fmt.Sprintf(`{"query":%s,"order_by":%q}`, quoted, pick("relevance", "newest"))
	case 2:
		return "search_transcripts", fmt.Sprintf(`{"query":%s,"filters_v2":%s}`, quoted, where)
	case 3:
		return "search_transcripts", fmt.Sprintf(`{"similar_to":"file/w%d"}`, r.IntN(24))
	case 4:
		return "aggregate_call_logs", fmt.Sprintf(`{"group_by":[%q,"success"],"limit":%d}`, field, 1+r.IntN(5))
	case 5:
		return "aggregate_call_logs", fmt.Sprintf(`{"group_by":["success"],"filters_v2":%s}`, where)
	case 6:
		return "describe_fields", fmt.Sprintf(`{"field":%q}`, field)
	case 7:
		return "read_transcript", fmt.Sprintf(`{"id":"file/w%d","match":%s}`, r.IntN(24), quoted)
	}
	return "get_call_log", fmt.Sprintf(`{"id":"file/w%d"}`, r.IntN(24))
}

// drawn is what differs from answer to answer: the fence and cursors.
var drawn = regexp.MustCompile(`(?m)⟦?[0-9a-f]{6,}⟧?|cursor \S+`)

// Who may not see personal data learns nothing of it by asking: two worlds that
// differ in masked digits alone give one answer to every question, but for those
// that compare a whole number.
func TestQuestionsTellNothingOfMaskedDigits(t *testing.T) {
	n := 150
	if s := os.Getenv("SOAK_QUESTIONS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	for _, flags := range [][]string{nil, {"--mirror", "off"}} {
		var worlds [2]*mcpclient.Client
		for i := range worlds {
			worlds[i] = over(t, maskedWorld(secrets[i]), flags...)
		}
		for seed := range n {
			tool, args := question(rand.New(rand.NewPCG(uint64(seed), 7)))
			var answers [2]string
			for i, c := range worlds {
				answers[i] = drawn.ReplaceAllString(textOf(t, ask(t, c, tool, args)), "…")
			}
			require.Equal(t, answers[0], answers[1], "%v: %s %s", flags, tool, args)
		}
	}
}

// A whole number finds its calls however it is spelt, and what is shown of it
// does, too; with --pii show nothing is kept from questions.
func TestWholeNumbersFindTheirCalls(t *testing.T) {
	masked, shown := over(t, maskedWorld(secrets[0])), over(t, maskedWorld(secrets[0]), "--pii", "show")
	for _, c := range []*mcpclient.Client{masked, shown} {
		for _, spelt := range []string{"+14155552671", "0014155552671", "415-555-2671", "(415) 555 2671", "1 415 555 2671", "tel:+1-415-555-2671", "٤١٥٥٥٥٢٦٧١"} {
			for _, args := range []string{
				fmt.Sprintf(`{"customer_number":%q}`, spelt),
				fmt.Sprintf(`{"filters_v2":{"field":"customer_number","op":"eq","value":%q}}`, spelt),
				fmt.Sprintf(`{"filters_v2":{"field":"customer_number","op":"in","value":["+12128670000",%q]}}`, spelt),
			} {
				assert.Contains(t, textOf(t, ask(t, c, "list_call_logs", args)), "6 calls", args)
			}
		}
		assert.Contains(t, textOf(t, ask(t, c, "list_call_logs", `{"customer_number":"415-555-2672"}`)), "No calls match")
	}
	assert.Contains(t, textOf(t, ask(t, masked, "search_transcripts", `{"query":"2671","order_by":"newest"}`)), "w0")
	assert.Contains(t, textOf(t, ask(t, masked, "list_call_logs", `{"customer_number":"•••••••2671"}`)), "4 calls")
	assert.Contains(t, textOf(t, ask(t, masked, "list_call_logs", `{"filters_v2":{"field":"customer_number","op":"startswith","value":"+1415"}}`)), "No calls match")
	assert.Contains(t, textOf(t, ask(t, shown, "list_call_logs", `{"filters_v2":{"field":"customer_number","op":"startswith","value":"+1415"}}`)), "2 calls")
	assert.Contains(t, textOf(t, ask(t, shown, "search_transcripts", `{"query":"415*","order_by":"newest"}`)), "w0")
	assert.NotContains(t, textOf(t, ask(t, masked, "search_transcripts", `{"query":"415*","order_by":"newest"}`)), "w0")
}
