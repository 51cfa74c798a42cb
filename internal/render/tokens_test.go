package render

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTokensAgainstTheTokenizer compares the estimate with counts of o200k_base
// (gpt-tokenizer 3) for texts of our own.
func TestTokensAgainstTheTokenizer(t *testing.T) {
	f, err := os.Open("testdata/tokens.jsonl")
	require.NoError(t, err)
	defer f.Close()
	most := map[string]float64{"english": 1.6, "transcript": 1.25, "table": 1.3, "json": 1.5}
	estimated, counted := map[string]int{}, map[string]int{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var sample struct {
			Kind, Text string
			Tokens     int
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &sample))
		got := Tokens(sample.Text)
		assert.GreaterOrEqual(t, got, sample.Tokens, sample.Text)
		if limit := most[sample.Kind]; limit > 0 {
			assert.LessOrEqual(t, float64(got), limit*float64(sample.Tokens)+3, sample.Text)
		}
		estimated[sample.Kind] += got
		counted[sample.Kind] += sample.Tokens
	}
	require.NoError(t, lines.Err())
	for kind := range counted {
		t.Logf("%s: %d estimated, %d counted, %.2f", kind, estimated[kind], counted[kind], float64(estimated[kind])/float64(counted[kind]))
	}
	assert.LessOrEqual(t, float64(estimated["transcript"])/float64(counted["transcript"]), 1.25)
	assert.LessOrEqual(t, float64(estimated["table"])/float64(counted["table"]), 1.25)
}

// TestTokensOfLines holds what the budgets are built on.
func TestTokensOfLines(t *testing.T) {
	piece := rapid.SampledFrom([]string{"", "a", "1", " ", "  ", "don't", "'s", "ABCdef", "12345", "{\"a\":", "\",\"", "退", "é", "🙏", "\xff", "…", "(1)", "camelCase"})
	rapid.Check(t, func(t *rapid.T) {
		var lines []string
		sum := textTokens
		for range rapid.IntRange(0, 6).Draw(t, "lines") {
			line := strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces"), "")
			lines = append(lines, line)
			sum += lineTokens(line)
		}
		text := strings.Join(lines, "\n")
		require.LessOrEqual(t, Tokens(text), sum)
		require.LessOrEqual(t, Tokens(text), len(text), "a token is at least a byte")
	})
	assert.Zero(t, Tokens(""))
	assert.Zero(t, testing.AllocsPerRun(10, func() { Tokens("12 03:41 agent: I'm here, 退款 🙏") }))
}

func BenchmarkTokens(b *testing.B) {
	s := strings.Repeat("12 03:41 agent: Thanks for calling, how can I help you today?\n", 100)
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		Tokens(s)
	}
}
