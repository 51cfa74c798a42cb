package calltest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
)

var end = time.Date(2026, 11, 21, 9, 12, 0, 0, time.UTC)

func TestMemory(t *testing.T) {
	src := calltest.Memory("memory", calltest.Logs("memory", 200, 1, end))
	calltest.TestSource(t, src, calltest.Options{Source: "memory", Logs: 200, Mutable: src})
}

func TestMemoryWithoutTimes(t *testing.T) {
	logs := calltest.Logs("memory", 120, 2, end)
	for _, l := range logs[:30] {
		l.StartedAt, l.EndedAt = time.Time{}, time.Time{}
	}
	src := calltest.Memory("memory", logs)
	calltest.TestSource(t, src, calltest.Options{Logs: 120, Mutable: src})
	w := call.Window{From: end.AddDate(0, 0, -40), To: end}
	calltest.TestSource(t, calltest.Memory("memory", logs), calltest.Options{Logs: 90, Window: w})
}

func TestLogsAreDeterministic(t *testing.T) {
	assert.Equal(t, calltest.Logs("a", 50, 7, end), calltest.Logs("a", 50, 7, end))
	assert.NotEqual(t, calltest.Logs("a", 50, 7, end), calltest.Logs("a", 50, 8, end))
}

func TestEmptySource(t *testing.T) {
	calltest.TestSource(t, calltest.Memory("none", nil), calltest.Options{Source: "none"})
}
