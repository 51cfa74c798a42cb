package cekura

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// olderExample is the answer that the vendor's older page shows.
const olderExample = `{"count": 123, "next": "https://api.cekura.ai/example/v1/example-external/?page=4",
	"previous": "https://api.cekura.ai/example/v1/example-external/?page=3",
	"results": [{"id": 123, "duration": "<string>", "success": true, "is_reviewed": true, "status": "success", "feedback": "<string>",
	"metrics": [{"id": 123, "name": "<string>", "type": "<string>", "score": 123, "enum": "<string>", "value": "<string>"}],
	"call_ended_reason": "<string>", "customer_number": "<string>", "agent": 123, "call_id": "<string>", "timestamp": "2023-11-07T05:31:56Z",
	"error_message": "<string>", "dropoff_point": "<string>", "topic": "<string>", "created_at": "2023-11-07T05:31:56Z", "updated_at": "2023-11-07T05:31:56Z"}]}`

// A fixed upstream gives the same answer to all questions, and counts them.
type fixed struct {
	t     *testing.T
	body  string
	asked int
}

func (f *fixed) RoundTrip(r *http.Request) (*http.Response, error) {
	f.asked++
	q := r.URL.Query()
	from, err := time.Parse(time.RFC3339Nano, q.Get("timestamp_from"))
	require.NoError(f.t, err)
	to, err := time.Parse(time.RFC3339Nano, q.Get("timestamp_to"))
	require.NoError(f.t, err)
	assert.False(f.t, from.After(to), "%s is later than %s", from, to)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(f.body)), Request: r}, nil
}

// An API that answers the same row to every page is asked no more than a few
// times, and the answer says what it does.
func TestTheSameRowOnEachPage(t *testing.T) {
	there := at("2023-11-07T05:31:56Z")
	for name, where := range map[string]filter.Expr{
		"usual": nil,
		"year":  filter.Within("timestamp", now().Add(-365*day), now()),
		"wide":  filter.Within("timestamp", there.Add(-100*day), there.Add(100*day)),
		"there": filter.Within("timestamp", there.Add(-time.Hour), there.Add(time.Hour)),
		"exact": filter.Within("timestamp", there, there),
	} {
		for _, order := range []call.Order{call.Newest, call.Oldest, call.Longest} {
			for _, q := range []call.Query{{Count: true}, {Exhaust: true, Limit: 1}, {Exhaust: true, Text: &call.Text{}}, {Where: eq("success", true)}, {Where: filter.Cond{Field: "turn_count", Op: filter.Gt, Value: 20.0}}} {
				f := &fixed{t: t, body: olderExample}
				s := over(t, f, nil)
				q.Order, q.Where = order, filter.All(where, q.Where)
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				p, err := s.Find(ctx, q)
				cancel()
				require.NoError(t, err, name)
				assert.LessOrEqual(t, f.asked, 10, "%s %s %v", name, order, q)
				if p.Next == nil {
					assert.False(t, p.Coverage.Complete, "%s %s %v", name, order, q)
					assert.Contains(t, strings.Join(p.Notes, " "), "repeats its pages", "%s %s %v", name, order, q)
				}
			}
		}
	}
}
