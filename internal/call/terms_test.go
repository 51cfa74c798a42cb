package call_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
)

func TestTermsAreTheText(t *testing.T) {
	text, err := call.ParseText(`Refund* OR "Card Replacement" café ORD-12 -"thank you"`)
	require.NoError(t, err)
	all, not := text.Terms()
	assert.Equal(t, [][]call.Term{
		{{Words: []string{"refund"}, Prefix: true}, {Words: []string{"card", "replacement"}, Quoted: true}},
		{{Words: []string{"cafe"}}},
		{{Words: []string{"ord", "12"}}},
	}, all)
	assert.Equal(t, []call.Term{{Words: []string{"thank", "you"}, Quoted: true}}, not)
	assert.Equal(t, text, call.TextOf(all, not))
	assert.Equal(t, text, call.TextOf(append(all, []call.Term{{}}, nil), not), "terms without words are none")
}

func TestWordsAreFolded(t *testing.T) {
	assert.Equal(t, []string{"cafe", "我", "想", "a1", "strasse"}, slices.Collect(call.Words("Café 我想, A1—STRASSE")))
}

// Words splits as Text does, wherever letters beyond ASCII stand.
func TestWordsAreThoseOfText(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "Zoë", "don’t", "I'm", " ", ", ", "1", "½", "我想", "カ゛", "e\u0301", "\u200d", "می\u200cخواهم", "ﬁ", "㈱", "\xff", "ไทย", "-", "한국", "\u00ad", "O", "…"}
	for range 3000 {
		s := ""
		for range random.IntN(12) {
			s += pieces[random.IntN(len(pieces))]
		}
		require.Equal(t, call.WordsOf(s), slices.Collect(call.Words(s)), "%q", s)
	}
}
