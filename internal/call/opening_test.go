package call_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
)

// fixed is a source that has one call.
type fixed struct {
	call.Source
	log *call.Log
}

func (f fixed) Find(context.Context, call.Query) (call.Page, error) {
	return call.Page{Logs: []*call.Log{f.log}}, nil
}

// An answer that needs rows has the same openings, as many turns, and no word that was
// not masked.
func TestNeedRow(t *testing.T) {
	secret := strings.NewReplacer("my secret word is", "•", "plain", "•")
	var last string // depends on what was said before, as masks do
	v := &call.View{
		Text: secret.Replace, Number: itself, Name: itself, Hides: true,
		Turns: func(texts, _ []string, n int) []string {
			last = ""
			for i := range texts[:n] {
				texts[i], last = secret.Replace(texts[i])+strings.Repeat("•", min(1, len(last))), texts[i]
			}
			return texts[:n]
		},
	}
	rapid.Check(t, func(t *rapid.T) {
		l := &call.Log{
			Metrics: []call.Metric{{Name: "plain", Explanation: []string{"plain"}}}, Metadata: map[string]any{"plain": "plain"}, DynamicVariables: map[string]any{"plain": "plain"},
		}
		for i, text := range rapid.SliceOfN(rapid.SampledFrom([]string{"", " ", "hello", "my secret word is plain", "I want to book a plain room", "yes my secret word is"}), 0, 12).Draw(t, "texts") {
			turn := call.Turn{Index: i + 1, Text: text, Role: rapid.SampledFrom([]call.Role{call.RoleAgent, call.RoleCaller, call.RoleTool}).Draw(t, "role")}
			if turn.Role == call.RoleTool {
				turn.Tool = &call.Tool{Name: "plain", Args: "plain", Result: "plain"}
			}
			l.Turns = append(l.Turns, turn)
		}
		src := call.Masked(fixed{log: l}, func(context.Context) *call.View { return v })
		all, err := src.Find(t.Context(), call.Query{})
		require.NoError(t, err)
		some, err := src.Find(t.Context(), call.Query{Need: call.NeedRow})
		require.NoError(t, err)
		want, got := all.Logs[0], some.Logs[0]
		assert.Equal(t, want.Opening(), got.Opening())
		require.Len(t, got.Turns, len(want.Turns))
		assert.Equal(t, want.Turns == nil, got.Turns == nil)
		assert.Equal(t, []call.Metric{{Name: "•"}}, got.Metrics)
		assert.Empty(t, got.Metadata)
		assert.Empty(t, got.DynamicVariables)
		assert.NotEmpty(t, l.Metrics[0].Explanation, "what is shared stays")
		for i, turn := range got.Turns {
			assert.Equal(t, want.Turns[i].Role, turn.Role)
			assert.Nil(t, turn.Tool)
			assert.Contains(t, []string{"", got.Opening()}, turn.Text)
			assert.NotContains(t, turn.Text, "plain")
		}
	})
}
