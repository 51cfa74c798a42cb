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

// A recording's signature opens it to everybody: it is never shown.
func TestRecording(t *testing.T) {
	for address, want := range map[string]string{
		"https://r.example.com/a.wav":     "recording https://r.example.com/a.wav",
		"https://r.example.com/a.wav?v=2": "recording https://r.example.com/a.wav?v=2",
		"https://b.s3.example.com/a.wav?X-Amz-Date=20261127T100000Z&X-Amz-Expires=3600&X-Amz-Signature=secret": "recording https://b.s3.example.com/a.wav (signed until 2026-11-27 11:00:00 UTC; the signature is not shown)",
		"https://b.example.com/a.wav?AWSAccessKeyId=k&Expires=1795777200&Signature=secret":                     "recording https://b.example.com/a.wav (signed until 2026-11-27 11:00:00 UTC; the signature is not shown)",
		"https://b.example.com/a.wav?se=2026-11-27T11:00:00Z&sp=r&sig=secret":                                  "recording https://b.example.com/a.wav (signed until 2026-11-27 11:00:00 UTC; the signature is not shown)",
		"https://user:secret@b.example.com/a.wav?token=secret#secret":                                          "recording https://b.example.com/a.wav (its signature is not shown)",
	} {
		assert.Equal(t, want, recording(&call.Log{RecordingURL: address}), address)
	}
	assert.Empty(t, recording(&call.Log{}))
}

// A summary in Markdown keeps its lines.
func TestSummaryOfLines(t *testing.T) {
	l := &call.Log{ID: call.ID{Source: "s", Key: "1"}, Summary: "## Outcome\n\n- moved to **Monday**\n- http://x"}
	assert.Contains(t, Record(l, 1000, false, Fence{}, nil), "summary:\n  > ## Outcome\n  > - moved to **Monday**\n  > - hxxp://x")
}

// A transcript that does not say who speaks is said to be one.
func TestSpeakers(t *testing.T) {
	l := &call.Log{ID: call.ID{Source: "s", Key: "1"}, Turns: []call.Turn{{Index: 1, Role: call.RoleSpeaker, Text: "my order"}}}
	assert.Contains(t, Record(l, 1000, true, Fence{}, func(Span) string { return "" }), "transcript, 1 turns (the source does not say who speaks), 1 shown")
	l.Turns = append(l.Turns, call.Turn{Index: 2, Role: call.RoleAgent, Text: "yes"})
	assert.Empty(t, Speakers(l.Turns))
}
