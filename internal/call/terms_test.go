package call_test

import (
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
