package call_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
)

func TestOrder(t *testing.T) {
	logs := []*call.Log{at("a", 3), at("b", 1), at("9", 2), at("10", 2), at("c", 2), {ID: call.ID{Source: "s", Key: "none"}}}
	logs[2].Duration = nil
	for o, want := range map[call.Order]string{
		call.Newest:   "a c 10 9 b none",
		"":            "a c 10 9 b none",
		call.Oldest:   "b c 10 9 a none",
		call.Longest:  "a c 10 b none 9",
		call.Shortest: "b c 10 a none 9",
	} {
		assert.Equal(t, want, keys(slices.SortedFunc(slices.Values(logs), o.Compare)), string(o))
	}
}

// Sorting and walking by marks need a total order, whatever the keys are.
func TestMarksAreInOneOrder(t *testing.T) {
	mark := rapid.Custom(func(t *rapid.T) *call.Mark {
		return &call.Mark{
			Value: rapid.Int64Range(0, 1).Draw(t, "value"),
			ID: call.ID{
				Source: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "source"),
				Key:    rapid.StringMatching(`[019a-]{0,3}`).Draw(t, "key"),
			},
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := mark.Draw(t, "a"), mark.Draw(t, "b"), mark.Draw(t, "c")
		require.Equal(t, a.Compare(b), -b.Compare(a))
		require.Equal(t, *a == *b, a.Compare(b) == 0)
		if a.Compare(b) < 0 && b.Compare(c) < 0 {
			require.Negative(t, a.Compare(c), "%v %v %v", a, b, c)
		}
	})
}

func TestMarkTime(t *testing.T) {
	l := at("a", 1)
	l.StartedAt = l.StartedAt.Add(123 * time.Millisecond)
	for _, o := range []call.Order{call.Newest, call.Oldest} {
		assert.Equal(t, l.StartedAt, o.Time(o.Mark(l)))
		assert.Zero(t, o.Time(o.Mark(&call.Log{})))
	}
	assert.EqualValues(t, math.MaxInt64, call.Longest.Mark(&call.Log{}).Value)
}
