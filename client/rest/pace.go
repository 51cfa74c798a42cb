package rest

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"call-logs-mcp/internal/call"
)

// A pace is how many requests a second an upstream is sent: up by steps while it
// answers quickly, and halved where it asks for fewer or becomes slow. It stays
// between least and most.
type pace struct {
	limiter     *rate.Limiter
	least, most rate.Limit

	mu     sync.Mutex
	quick  time.Duration // what an answer takes when it is quick
	good   int           // quick answers since the last change
	slowed time.Time     // when it was last halved

	waiting atomic.Int32        // questions of people that wait for their turn
	spare   float64             // of the burst, left to them
	lane    *semaphore.Weighted // of those that nobody waits for, one by one
}

const (
	slowest = 2           // requests a second, whatever the upstream bears
	step    = 2           // by which the pace grows
	settles = time.Second // what was sent before the last change says nothing of it
)

// newPace begins with l.Rate.
func newPace(l Limits) *pace {
	return &pace{
		limiter: rate.NewLimiter(l.Rate, l.Burst), least: min(slowest, l.Rate), most: max(l.Most, l.Rate),
		spare: float64(min(spared, l.Burst-1)), lane: semaphore.NewWeighted(1),
	}
}

const (
	spared     = 2               // requests that people may send at once although a sync is running
	longestWay = 5 * time.Second // for which a sync gives way
)

// wait waits for a turn. What nobody waits for lets all others go first, for
// a while, and reserves no turn that they could have.
func (p *pace) wait(ctx context.Context) error {
	if !call.IsBackground(ctx) {
		p.waiting.Add(1)
		defer p.waiting.Add(-1)
		return p.limiter.Wait(ctx)
	}
	if err := p.lane.Acquire(ctx, 1); err != nil {
		return err
	}
	defer p.lane.Release(1)
	for began := time.Now(); time.Since(began) < longestWay; {
		lacks := p.spare + 1 - p.limiter.Tokens()
		if p.waiting.Load() == 0 && lacks <= 0 && p.limiter.Allow() {
			return nil
		}
		// Limits change meanwhile, so that it looks again before long.
		wait := time.Duration(max(lacks, 0.1) / float64(p.limiter.Limit()) * float64(time.Second))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(max(wait, time.Millisecond), time.Second)):
		}
	}
	return p.limiter.Wait(ctx)
}

// learn hears how the upstream began to answer, and how long after it was asked.
func (p *pace) learn(status int, took time.Duration, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	limited := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
	slow := p.quick > 0 && took > 4*p.quick && took > p.quick+500*time.Millisecond
	switch {
	case limited, slow:
		if p.good = 0; now.Sub(p.slowed) < settles {
			return
		}
		p.slowed = now
		p.limiter.SetLimit(max(p.least, p.limiter.Limit()/2))
	case status < 500:
		if p.quick = min(took, p.quick+p.quick/50); p.quick <= 0 {
			p.quick = max(took, time.Millisecond)
		}
		p.good++
		if limit := p.limiter.Limit(); float64(p.good) >= float64(limit) && limit < p.most && now.Sub(p.slowed) >= settles {
			p.good = 0
			p.limiter.SetLimit(min(p.most, limit+step))
		}
	}
}
