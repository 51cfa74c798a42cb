package rest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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
