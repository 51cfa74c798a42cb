package rest

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sync/semaphore"

	"call-logs-mcp/internal/call"
)

// The pace grows while answers are quick, is halved by a 429 and by answers that
// become slow, and stays within its bounds.
func TestPaceAdapts(t *testing.T) {
	p := newPace(Limits{}.withDefaults())
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	hear := func(n, status int, took time.Duration) float64 {
		for range n {
			now = now.Add(200 * time.Millisecond)
			p.learn(status, took, now)
		}
		return float64(p.limiter.Limit())
	}
	assert.InDelta(t, 5, float64(p.limiter.Limit()), 0)
	assert.InDelta(t, 7, hear(5, 200, 20*time.Millisecond), 0)
	assert.InDelta(t, 25, hear(500, 200, 20*time.Millisecond), 0, "the most")
	assert.InDelta(t, 12.5, hear(1, 429, time.Millisecond), 0)
	assert.InDelta(t, 12.5, hear(3, 429, time.Millisecond), 0, "those that were sent before")
	assert.InDelta(t, 2, hear(50, 429, time.Millisecond), 0, "the least")
	assert.InDelta(t, 25, hear(500, 200, 20*time.Millisecond), 0)
	assert.InDelta(t, 12.5, hear(1, 200, time.Second), 0, "slow")
	assert.InDelta(t, 12.5, hear(60, 500, 20*time.Millisecond), 0, "errors say nothing of the pace")

	fixed := newPace(Limits{Rate: 50}.withDefaults())
	fixed.learn(200, time.Millisecond, now)
	assert.InDelta(t, 50, float64(fixed.limiter.Limit()), 0, "a pace above the most is kept to")
	slow := newPace(Limits{Rate: 1, Most: 1}.withDefaults())
	slow.learn(429, time.Millisecond, now)
	assert.InDelta(t, 1, float64(slow.limiter.Limit()), 0)
}

// While a sync asks as fast as it may, people are answered as if there were none;
// the sync has the whole pace when nobody asks, and is never shut out.
func TestPeopleGoBeforeSync(t *testing.T) {
	for _, inFlight := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			limits := Limits{Rate: 5, Most: 5, InFlight: inFlight}.withDefaults()
			p := &paced{base: answersAfter(10 * time.Millisecond), limits: limits, flight: semaphore.NewWeighted(int64(inFlight)), pace: newPace(limits)}
			synced, end := 0, make(chan struct{})
			var mu sync.Mutex
			var wait sync.WaitGroup
			for range 4 {
				wait.Go(func() {
					for {
						select {
						case <-end:
							return
						default:
						}
						send(t, call.Background(t.Context()), p)
						mu.Lock()
						synced++
						mu.Unlock()
					}
				})
			}
			so := func() int { mu.Lock(); defer mu.Unlock(); return synced }
			time.Sleep(20 * time.Second)
			assert.GreaterOrEqual(t, so(), 95, "of 5 a second")

			for range 10 {
				for range 2 {
					assert.LessOrEqual(t, send(t, t.Context(), p), 50*time.Millisecond)
				}
				time.Sleep(time.Second)
			}

			before := so()
			for began := time.Now(); time.Since(began) < 30*time.Second; {
				var people sync.WaitGroup
				for range 3 {
					people.Go(func() { assert.LessOrEqual(t, send(t, t.Context(), p), time.Second) })
				}
				people.Wait()
			}
			assert.GreaterOrEqual(t, so()-before, 4, "people ask all the time")
			close(end)
			wait.Wait()
		})
	}
}

// answersAfter is an upstream that answers every request.
type answersAfter time.Duration

func (d answersAfter) RoundTrip(*http.Request) (*http.Response, error) {
	time.Sleep(time.Duration(d))
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// send sends a request and says how long it took.
func send(t *testing.T, ctx context.Context, p *paced) time.Duration {
	began := time.Now()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1/", nil)
	assert.NoError(t, err)
	resp, err := p.RoundTrip(r)
	if assert.NoError(t, err) {
		_ = resp.Body.Close()
	}
	return time.Since(began)
}
