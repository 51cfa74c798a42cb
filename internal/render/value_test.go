package render

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestValue(t *testing.T) {
	for in, want := range map[string]string{
		"refund status":                             "refund status",
		"Refund, late (2nd): urgent":                "Refund, late (2nd): urgent",
		"refund · ended customer-happy · score 100": `"refund · ended customer-happy · score 100"`,
		`say "hi"`:             `say "hi"`,
		`5" pipe`:              `"5\" pipe"`,
		`"quoted"`:             `"\"quoted\""`,
		"x, reviewed=true":     `"x, reviewed=true"`,
		"a → error: b\nsecond": `"a → error: b second"`,
		`back\slash → x`:       `"back\\slash → x"`,
	} {
		assert.Equal(t, want, Value(in, 100))
	}
	assert.Equal(t, `"Refund, late"`, Item("Refund, late", 100))
	assert.Equal(t, `"fine (reviewed by a person)"`, Item("fine (reviewed by a person)", 100))
	assert.Equal(t, "Tool Success", Item("Tool Success", 100))
}

// Quoted or not, what stands there is the clean text, and nothing in it can end it.
func TestValueCanBeReadBack(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", " ", `"`, `\`, "·", "→", "=", ",", "\n", "é", "(", ":", "\u202e"})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
		for _, got := range []string{Value(s, 1000), Item(s, 1000)} {
			if strings.HasPrefix(got, `"`) {
				require.NoError(t, json.Unmarshal([]byte(got), &got))
			} else {
				require.NotContains(t, got, "·")
			}
			require.Equal(t, Clean(s), got)
		}
	})
}
