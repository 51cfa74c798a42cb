package app

import (
	"fmt"
	"testing"

	mcpclient "github.com/mark3labs/mcp-go/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// walked is what a search finds on its first pages.
func walked(t *testing.T, c *mcpclient.Client, args string, pages int) (ids []string) {
	t.Helper()
	for range pages {
		var p listPage
		data(t, c, "search_transcripts", args, &p)
		for _, m := range p.Matches {
			ids = append(ids, m.ID)
		}
		if p.NextCursor == "" {
			return ids
		}
		args = fmt.Sprintf(`{"cursor":%q,"max_tokens":10000}`, p.NextCursor)
	}
	return ids
}

// Without a copy the same calls are found as with one in memory: by words and
// by likeness, ranked and newest first, page by page. The order is the same as
// well, but where a filter leaves calls out: what a word is worth is then known
// from those that were read alone.
func TestAnswersAreTheSameWithoutACopy(t *testing.T) {
	_, kept := demo(t, "--mirror", "memory")
	_, off := demo(t, "--mirror", "off")
	for _, q := range []struct {
		args  string
		order bool
	}{
		{`{"query":"the refund never showed up on my card"`, true},
		{`{"query":"\"are you still there\"","timestamp_from":"now-7d"`, true},
		{`{"query":"cancel* order -refund","role":"caller"`, true},
		{`{"query":"router","order_by":"newest","success":false`, true},
		{`{"similar_to":"demo/77801","query":"card"`, true},
		{`{"query":"prescription refill","success":false`, false},
		{`{"query":"the refund never showed up","topic":"refund status","timestamp_from":"now-14d"`, false},
		{`{"query":"delivery","timestamp_from":"now-5d","filters_v2":{"field":"metadata.release","op":"eq","value":"r41"}`, false},
	} {
		args := q.args + `,"page_size":100,"context_turns":0,"max_tokens":10000}`
		with, without := walked(t, kept, args, 3), walked(t, off, args, 3)
		require.NotEmpty(t, with, args)
		if q.order {
			assert.Equal(t, with, without, args)
		} else {
			assert.ElementsMatch(t, with, without, args)
		}
	}
	var like struct {
		Matches []struct {
			ID        string
			StartedAt string `json:"started_at"`
		}
	}
	data(t, off, "search_transcripts", `{"similar_to":"demo/77801","timestamp_to":"2026-11-13","page_size":5}`, &like)
	require.Len(t, like.Matches, 5, "the call itself may lie outside")
	for _, m := range like.Matches {
		assert.Less(t, m.StartedAt, "2026-11-14")
	}
	for _, args := range []string{`{"group_by":["topic","success"],"compare_to":"previous","timestamp_from":"now-7d"}`, `{"group_by":["metric","metric_evaluations.passed"]}`} {
		var a, b struct{ Groups, Totals any }
		data(t, kept, "aggregate_call_logs", args, &a)
		data(t, off, "aggregate_call_logs", args, &b)
		assert.Equal(t, a, b, args)
	}
}

// What was not read is not ranked, and said; newest first, the cursor goes on
// behind it.
func TestRankingWithoutACopySaysWhatItRead(t *testing.T) {
	_, off := demo(t, "--mirror", "off", "--max-fetch", "100")
	text := textOf(t, ask(t, off, "search_transcripts", `{"query":"refund","page_size":3}`))
	assert.Contains(t, text, "by relevance")
	assert.Regexp(t, `searched only 10\d of 600 calls \(newest first, as far as 2026-11-1\d .*; narrow the window`, text)
	assert.NotContains(t, text, "or go on with the cursor")
	_, kept := demo(t)
	newest := `{"query":"router","order_by":"newest","page_size":100,"context_turns":0,"max_tokens":10000}`
	assert.Equal(t, walked(t, kept, newest, 20), walked(t, off, newest, 20))
}
