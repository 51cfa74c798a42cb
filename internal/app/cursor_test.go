package app

import (
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	"call-logs-mcp/internal/config"
)

// A cursor that is given with the arguments of its question goes on with it,
// whatever the time is by then; with others it is refused, and they are named.
func TestCursorBesideItsArguments(t *testing.T) {
	at := now().Add(123456789 * time.Nanosecond)
	cfg, err := config.Parse(client.Providers(), []string{"serve", "--demo"}, func(string) string { return "" }, os.Stderr)
	require.NoError(t, err)
	h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), func() time.Time { return at })
	require.NoError(t, err)
	c := h.client(t)
	const recent = `"filters_v2":"{\"field\":\"created_at\",\"op\":\"gte\",\"value\":\"now-10d\"}"`
	for _, x := range []struct {
		tool, first string
		others      map[string]string // what is refused, and the word that names it
	}{
		{"list_call_logs", recent, map[string]string{
			`"filters_v2":"{\"field\":\"created_at\",\"op\":\"gte\",\"value\":\"now-9d\"}"`: "created_at",
			`"order_by":"oldest"`: "order_by", `"timestamp_from":"now-3d"`: "timestamp_from", `"success":true`: "success",
		}},
		{"list_call_logs", `"timestamp_from":"now-9d","timestamp_to":"now-1d","order_by":"oldest"`, map[string]string{
			`"timestamp_from":"now-8d"`: "timestamp_from", `"timestamp_to":"now"`: "timestamp_to", `"order_by":"newest"`: "order_by",
		}},
		{"list_call_logs", `"timestamp_from":"last 5d","timestamp_to":"now"`, map[string]string{`"timestamp_to":"yesterday"`: "timestamp_to"}},
		{"search_transcripts", `"query":"refund","timestamp_from":"now-9d",` + recent, map[string]string{
			`"query":"cancel"`: "query", `"query":"refund","role":"agent"`: "role", `"query":"refund","order_by":"newest"`: "order_by",
		}},
		{"search_transcripts", `"query":"refund","order_by":"newest","role":"caller"`, map[string]string{
			`"query":"refund","role":"agent"`: "role", `"query":"refund","order_by":"relevance"`: "order_by", `"similar_to":"demo/1"`: "similar_to",
		}},
	} {
		var first, again, alone listPage
		data(t, c, x.tool, "{"+x.first+`,"page_size":3}`, &first)
		require.NotEmpty(t, first.NextCursor, x.first)
		at = at.Add(90 * time.Second)
		data(t, c, x.tool, fmt.Sprintf(`{%s,"page_size":3,"cursor":%q}`, x.first, first.NextCursor), &again)
		data(t, c, x.tool, fmt.Sprintf(`{"cursor":%q}`, first.NextCursor), &alone)
		assert.Equal(t, alone, again, x.first)
		at = at.Add(time.Hour)
		var third listPage
		data(t, c, x.tool, fmt.Sprintf(`{%s,"cursor":%q}`, x.first, again.NextCursor), &third)
		for other, name := range x.others {
			r := ask(t, c, x.tool, fmt.Sprintf(`{%s,"cursor":%q}`, other, first.NextCursor))
			if assert.True(t, r.IsError, "%s, then %s", x.first, other) {
				assert.Contains(t, textOf(t, r), "another question", other)
				assert.Contains(t, textOf(t, r), name, other)
			}
		}
	}
}
