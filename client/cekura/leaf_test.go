package cekura

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// dated answers with a Date of its own.
type dated struct {
	to http.RoundTripper
	at time.Time
}

func (d dated) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.to.RoundTrip(r)
	if err == nil {
		resp.Header.Set("Date", d.at.Format(http.TimeFormat))
	}
	return resp, err
}

// Sync reads a window as one consistent answer, so a question that reads no
// more than it shows has to be one request, whether it is answered or not.
func TestALeafIsOneRequest(t *testing.T) {
	api := demo.New(demo.Options{Calls: 80, Now: now})
	clock := now().Add(-7 * time.Minute)
	requests := 0
	s := over(t, dated{demo.Transport(api), clock}, func(*http.Request) { requests++ })
	window := filter.Within("timestamp", now().Add(-32*day), now().Add(-time.Microsecond))
	from := filter.Cond{Field: "id", Op: filter.Gte, Value: 1.0}
	for _, c := range []struct {
		name  string
		where filter.Expr
		limit int
		more  bool
	}{
		{"complete", window, 100, false},
		{"more", window, 20, true},
		{"ids", filter.All(window, from), 100, false},
		{"more ids", filter.All(window, from), 20, true},
		{"count", window, 1, true},
	} {
		requests = 0
		p, err := s.Find(context.Background(), call.Query{Where: c.where, Limit: c.limit, Scan: c.limit})
		require.NoError(t, err, c.name)
		assert.Equal(t, 1, requests, c.name)
		assert.Equal(t, c.more, p.Next != nil, c.name)
		assert.Equal(t, 80, *p.Coverage.Calls, c.name)
		assert.Equal(t, clock, p.Clock, c.name)
		if !c.more {
			assert.Len(t, p.Logs, 80, c.name)
			assert.Equal(t, 80, p.Coverage.Searched, c.name)
		}
	}
}
