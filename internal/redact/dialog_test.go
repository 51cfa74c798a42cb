package redact

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// Digits that are dictated over several turns are masked: a line is a turn, and
// what stands before the colon is who speaks.
func TestTurns(t *testing.T) {
	m := New()
	for _, x := range []struct{ said, shown string }{
		{"c:my number is 415 555|c:2671 thanks", "c:my number is •••|c:•••••••2671 thanks"},
		{"c:my number is 415 555|a:okay|c:2671 thanks", "c:my number is •••|a:okay|c:•••••••2671 thanks"},
		{"a:What is your phone number?|c:It's 415.|a:415, uh huh.|c:555|a:go on|c:26 71.", "a:What is your phone number?|c:It's •••.|a:415, uh huh.|c:•••|a:go on|c:•••••••2671."},
		{"c:four one five five five|a:mm-hmm|c:five two six seven one please", "c:•••|a:mm-hmm|c:••• seven one please"},
		{"c:my card is 4111 1111|a:yes|c:1111 1111", "c:my card is •••|a:yes|c:•••• •••• •••• 1111"},
		{"c:it is 4155552671|a:okay|c:my card number is 4592 9013|a:okay|c:1111 1333", "c:it is •••••••2671|a:okay|c:my card number is •••|a:okay|c:•••• •••• •••• 1333"},
		{"c:my number is (415)|a:okay|c:555|a:okay|c:2671", "c:my number is •••|a:okay|c:•••|a:okay|c:•••••••2671"},
		{"a:Can I have your mobile number?|c:Sure.|c:98765 43210", "a:Can I have your mobile number?|c:Sure.|c:•••••••3210"},
		{"a:And your order number?|c:12345678", "a:And your order number?|c:12345678"},
		{"c:I have 3|a:okay|c:5 more of them", "c:I have 3|a:okay|c:5 more of them"},
		{"c:in 2026|a:I see, and which month was it that you moved to the new place?|c:11 I think", "c:in 2026|a:I see, and which month was it that you moved to the new place?|c:11 I think"},
	} {
		var texts, who []string
		for _, turn := range strings.Split(x.said, "|") {
			a, b, _ := strings.Cut(turn, ":")
			who, texts = append(who, a), append(texts, b)
		}
		got := m.Turns(texts, who, len(texts))
		for i := range got {
			got[i] = who[i] + ":" + got[i]
		}
		assert.Equal(t, x.shown, strings.Join(got, "|"))
	}
}

// The first turns are masked as they are among all, whatever stands behind them.
func TestTurnsOfTheBeginning(t *testing.T) {
	m := New()
	pieces := []string{
		"my number is 415 555", "2671 thanks", "okay", "go on", "415.", "four one five", "five five two six seven one", "What is your phone number?", "uh", "",
		"it was 4111 1111", "1111 1111", "98765 43210", "I have 3 of them", "mail me at jo@example.com", "So, what else can I do for you today?",
	}
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 30).Draw(t, "texts")
		who := rapid.SliceOfN(rapid.SampledFrom([]string{"agent", "caller"}), len(texts), len(texts)).Draw(t, "who")
		n := rapid.IntRange(0, len(texts)).Draw(t, "n")
		assert.Equal(t, m.Turns(texts, who, len(texts))[:n], m.Turns(texts, who, n))
	})
}
