package app

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A field that holds a caller's number is masked whatever it looks like, in
// every way out.
func TestCallersNumbersAreMaskedWhateverTheyLookLike(t *testing.T) {
	numbers := []string{"9876543210", "919876543210", "01012345678", "017612345678", "612345678", "09876543210", "5511987654321", "sip:9876543210@pbx.example", "12345678", "1234567", "12345", "00 49 30 1234567", "٠١٠١٢٣٤٥٦٧٨"}
	var lines []string
	for i, n := range numbers {
		lines = append(lines, fmt.Sprintf(`{"conversation_id":"c%d","customer_number":%q,"started_at":"2026-11-20T10:00:00Z","duration_s":60,"metadata":{"to_number":%q,"deep":{"phone":[%q]}},"turns":[{"role":"caller","text":"hello"}]}`, i, n, n, n))
	}
	c := over(t, lines)
	var said string
	for i := range numbers {
		said += textOf(t, ask(t, c, "get_call_log", fmt.Sprintf(`{"id":"file/c%d"}`, i))) + resource(t, c, fmt.Sprintf("call://file/c%d", i))
		said += textOf(t, ask(t, c, "get_call_log", fmt.Sprintf(`{"id":"file/c%d","response_format":"json"}`, i)))
	}
	for _, args := range []string{`{}`, `{"response_format":"json"}`} {
		said += textOf(t, ask(t, c, "list_call_logs", args))
	}
	for _, field := range []string{"customer_number", "metadata.to_number"} {
		said += textOf(t, ask(t, c, "describe_fields", fmt.Sprintf(`{"field":%q}`, field)))
		said += textOf(t, ask(t, c, "aggregate_call_logs", fmt.Sprintf(`{"group_by":[%q],"limit":50}`, field)))
	}
	for _, n := range numbers {
		assert.NotContains(t, said, n)
	}
	assert.Contains(t, said, "•••••••3210")
	for _, kept := range []string{"anonymous", "unknown", "customer_abc123"} {
		c := over(t, []string{fmt.Sprintf(`{"conversation_id":"c","customer_number":%q,"turns":[]}`, kept)})
		assert.Contains(t, textOf(t, ask(t, c, "get_call_log", `{"id":"file/c"}`)), kept)
	}
}

// Integers beyond 2^53 keep all digits, in files too.
func TestBigIntegersKeepTheirDigits(t *testing.T) {
	c := over(t, []string{`{"conversation_id":"b","turns":[{"role":"agent","text":"hi"}],"labels":{"order_id":9007199254740993,"campaign":725653563933458433,"n":2},"metadata":{"crm":17092349871234567891,"deep":[9007199254740995],"rate":0.25}}`})
	text := textOf(t, ask(t, c, "get_call_log", `{"id":"file/b"}`)) + textOf(t, ask(t, c, "get_call_log", `{"id":"file/b","response_format":"json"}`)) +
		textOf(t, ask(t, c, "describe_fields", `{"field":"metadata.crm"}`)) + textOf(t, ask(t, c, "aggregate_call_logs", `{"group_by":["metadata.campaign"]}`))
	for _, n := range []string{"9007199254740993", "725653563933458433", "17092349871234567891", "9007199254740995", "0.25"} {
		assert.Contains(t, text, n)
	}
	for value, want := range map[string]string{"9007199254740993": "1 call", `"9007199254740993"`: "1 call", "9007199254740992": "No calls match", "2": "No calls match"} {
		for _, form := range []string{`{"filters_v2":{"field":"metadata.order_id","op":"eq","value":%s}}`, `{"filters_v2":{"field":"metadata.order_id","op":"in","value":[%s]}}`} {
			assert.Contains(t, textOf(t, ask(t, c, "list_call_logs", fmt.Sprintf(form, value))), want, value)
		}
	}
}
