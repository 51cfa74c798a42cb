package render_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

// What is cut from a record is counted, and in words that fit the number.
func TestRecordCountsWhatItCuts(t *testing.T) {
	l := &call.Log{ID: call.ID{Source: "s", Key: "1"}}
	for i := range 30 {
		l.Metrics = append(l.Metrics, call.Metric{Name: fmt.Sprintf("metric %d", i), Passed: new(false), Explanation: []string{"the agent said nothing of it"}})
	}
	fence, err := render.NewFence(rand.Reader)
	require.NoError(t, err)
	seen := map[string]bool{}
	for budget := 300; budget < 900; budget++ {
		s := render.Record(l, budget, false, fence, nil)
		assert.LessOrEqual(t, render.Tokens(s), budget)
		withheld := render.Facts(l, budget, "the scope s")
		assert.LessOrEqual(t, render.Tokens(withheld), budget)
		assert.True(t, strings.HasSuffix(withheld, "\nthe transcript is withheld: the scope s was not granted"))
		lines := strings.Split(s, "\n")
		shown := strings.Count(s, "✗")
		last := lines[len(lines)-1]
		switch {
		case shown == 30:
			seen["all"] = true
		case shown == 29:
			assert.Equal(t, "1 more line of facts: raise max_tokens", last)
			seen["one"] = true
		default:
			assert.Equal(t, fmt.Sprintf("%d more lines of facts: raise max_tokens", 30-shown), last)
		}
	}
	assert.Len(t, seen, 2)
}

// A recording can be opened, unless its address is none or would be more than that.
func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"https://rec.example.com/a-1.wav?sig=x%20y&e=1": "https://rec.example.com/a-1.wav?sig=x%20y&e=1",
		"http://rec.example.com/a.wav":                  "hxxp://rec.example.com/a.wav",
		"https://x/![a](https://y)":                     "hxxps://x/!(a] hxxps://y)",
		"https://x/\u202ea":                             "hxxps://x/a",
		"https://x/<img src=y>":                         "hxxps://x/(img src=y>",
		"javascript:alert(1)":                           "javascript:alert(1)",
	} {
		assert.Equal(t, want, render.Address(in))
	}
	l := &call.Log{ID: call.ID{Source: "s", Key: "1"}, TraceID: "t", RecordingURL: "https://rec.example.com/a.wav"}
	assert.Contains(t, render.Record(l, 1000, false, render.Fence{}, nil), "\ntrace t · recording https://rec.example.com/a.wav")
	l.DashboardURL = "https://logs.example.com/![a](https://y)\n⟦x⟧"
	assert.Contains(t, render.Record(l, 1000, false, render.Fence{}, nil), "s/1 · hxxps://logs.example.com/!(a] hxxps://y) [x]\n")
}
