package render

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"call-logs-mcp/internal/call"
)

// A failed metric says why, or that nobody wrote why, once the record is there.
func TestNoExplanation(t *testing.T) {
	l := &call.Log{ID: call.ID{Source: "s", Key: "1"}, Evaluation: "late refund", Metrics: []call.Metric{
		{Name: "Empathy", Passed: new(false)}, {Name: "Pace", Passed: new(false), Explanation: []string{"too fast"}}, {Name: "Greeting", Passed: new(true)},
	}}
	assert.NotContains(t, Record(l, 1000, false, Fence{}, nil), "no explanation")
	l.Detailed = true
	text := Record(l, 1000, false, Fence{}, nil)
	assert.Contains(t, text, "✗ Empathy: no explanation recorded\n")
	assert.Contains(t, text, "✗ Pace: too fast\n")
	assert.Contains(t, text, "✓ Greeting")
	assert.Contains(t, text, "evaluation: late refund")
}
