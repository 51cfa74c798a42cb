package rest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
)

// script is an upstream that plays answers, the last one forever. It is a
// transport, so that a test can run in the virtual time of synctest.
type script struct {
	answers []func() *http.Response
	at      []time.Time
}

func (s *script) RoundTrip(*http.Request) (*http.Response, error) {
	n := min(len(s.at), len(s.answers)-1)
	s.at = append(s.at, time.Now())
	return s.answers[n](), nil
}

func plays(code int, body string, header ...string) func() *http.Response {
	return func() *http.Response {
		h := http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
	}
}

func (s *script) get(t *testing.T, l Limits) (Meta, error) {
	c, err := New(Options{Name: "Cekura", BaseURL: "https://api.cekura.ai", Transport: s, Limits: l})
	require.NoError(t, err)
	return c.Get(t.Context(), "/x/", nil, new(answer))
}

func TestBackoffIsJitteredAndShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		for range 50 {
			s := &script{answers: []func() *http.Response{plays(503, "")}}
			start := time.Now()
			meta, err := s.get(t, Limits{Attempts: 6})
			wantError(t, err, call.Unavailable, "failing (503), 6 times")
			require.Len(t, s.at, 6)
			for i := range 5 {
				wait := s.at[i+1].Sub(s.at[i])
				assert.Less(t, wait, 500*time.Millisecond<<i)
				seen[wait] = true
			}
			assert.Equal(t, time.Since(start), meta.Waited)
		}
		assert.Greater(t, len(seen), 200, "waits are random")
	})
}

func TestAttemptsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []func() *http.Response{plays(503, "")}}
		start := time.Now()
		_, err := s.get(t, Limits{Attempts: 1000})
		wantError(t, err, call.Unavailable)
		assert.LessOrEqual(t, len(s.at), 10)
		assert.LessOrEqual(t, time.Since(start), 40*time.Second)
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	in := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, x := range []struct {
		header   []string
		attempts int
		min, max time.Duration
	}{
		{[]string{"Retry-After", "7"}, 2, 7 * time.Second, 7 * time.Second},
		{[]string{"Retry-After", "10"}, 2, 10 * time.Second, 10 * time.Second},
		{[]string{"Retry-After", "11"}, 1, 0, 0},
		{[]string{"Retry-After", "86400"}, 1, 0, 0},
		{[]string{"Retry-After", "0"}, 2, 0, time.Second / 2},
		{[]string{"Retry-After", "-5"}, 2, 0, time.Second / 2},
		{[]string{"Retry-After", "soon"}, 2, 0, time.Second / 2},
		{[]string{"Retry-After", "99999999999999999999"}, 2, 0, time.Second / 2},
		{nil, 2, 0, time.Second / 2},
		// Dates count from the upstream's clock, which may differ from ours.
		{[]string{"Retry-After", in(4 * time.Second), "Date", in(0)}, 2, 4 * time.Second, 4 * time.Second},
		{[]string{"Retry-After", in(time.Hour), "Date", in(0)}, 1, 0, 0},
		{[]string{"Retry-After", in(-time.Hour), "Date", in(0)}, 2, 0, time.Second / 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{answers: []func() *http.Response{plays(429, "", x.header...), plays(200, `{"ok": true}`)}}
			start := time.Now()
			meta, err := s.get(t, Limits{})
			if x.attempts == 1 {
				wantError(t, err, call.RateLimited, "next request in")
			} else {
				require.NoError(t, err)
			}
			assert.Equal(t, x.attempts, meta.Attempts, x.header)
			assert.GreaterOrEqual(t, time.Since(start), x.min, x.header)
			assert.LessOrEqual(t, time.Since(start), x.max, x.header)
		})
	}
}

// Waiting that the deadline does not allow is not begun, and what was waited
// for in vain is told.
func TestRateLimitedTellsWaitedAndLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []func() *http.Response{plays(429, "", "Retry-After", "9")}}
		start := time.Now()
		meta, err := s.get(t, Limits{Attempts: 10})
		wantError(t, err, call.RateLimited, "after waiting 36 s", "next request in 9 s")
		assert.Equal(t, 5, meta.Attempts)
		assert.Equal(t, 36*time.Second, time.Since(start))
	})
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []func() *http.Response{plays(200, `{"ok": true}`)}}
		took := func(l Limits) float64 {
			c, err := New(Options{Name: "Cekura", BaseURL: "https://api.cekura.ai", Transport: s, Limits: l})
			require.NoError(t, err)
			start := time.Now()
			for range 30 {
				_, err := c.Get(t.Context(), "/x/", nil, new(answer))
				require.NoError(t, err)
			}
			return time.Since(start).Seconds()
		}
		assert.InDelta(t, 4, took(Limits{Most: 5}), 0.01, "10 at once, then 5 a second")
		assert.Less(t, took(Limits{}), 2.5, "more where answers are quick")
	})
}
