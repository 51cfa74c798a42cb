package call

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/filter"
)

// Matching logs that are in memory ends when its time is spent, and when the one
// who asked has left: nothing there waits and would notice.
func TestMatchingEnds(t *testing.T) {
	logs := make([]*Log, 5000)
	for i := range logs {
		at := time.Date(2026, 11, 1, 0, 0, i, 0, time.UTC)
		logs[i] = &Log{ID: ID{"a", strconv.Itoa(i)}, StartedAt: at, Turns: []Turn{{Role: "caller", Text: strings.Repeat("aaaa ", 200)}}}
	}
	costly := filter.Cond{Field: "transcript", Op: filter.Regex, Value: regexp.MustCompile(`(a.{0,9}){9}\x00`)}
	left := len(logs)
	batches := func(context.Context) (Batch, error) {
		left -= 100
		return Batch{Logs: logs[left : left+100], More: left > 0}, nil
	}
	q := Query{Scan: len(logs) + 1}
	_, err := collect(t.Context(), q, costly, batches, 10*time.Millisecond)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, TooLarge, e.Kind)
	assert.Contains(t, e.Error(), "10s of computing")
	assert.Positive(t, left, "it stopped on the way")

	ctx, leave := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer leave()
	_, err = Sorted(ctx, Query{Where: costly}, logs)
	require.ErrorAs(t, err, &e)
	assert.Equal(t, Timeout, e.Kind)
}
