package serve

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// buckets are rate limits by key, for at most max keys at once: those that
// have not been used until their bucket was full again are forgotten, and what
// does not find room shares one bucket.
type buckets struct {
	limit rate.Limit
	burst int
	wait  time.Duration
	max   int
	now   func() time.Time

	mu    sync.Mutex
	byKey map[string]*bucket
	rest  *rate.Limiter
	swept time.Time
}

type bucket struct {
	*rate.Limiter
	used time.Time
}

// maxBuckets bounds the memory that a flood from many addresses can take, to
// some 2 MB.
const maxBuckets = 10_000

func newBuckets(perMinute, burst int, wait time.Duration) *buckets {
	limit := rate.Limit(float64(perMinute) / 60)
	return &buckets{
		limit: limit, burst: burst, wait: wait, max: maxBuckets, now: time.Now,
		byKey: map[string]*bucket{}, rest: rate.NewLimiter(limit, burst),
	}
}

// take waits for its turn under key where that comes soon. Otherwise it says
// after how long there is one.
func (b *buckets) take(ctx context.Context, key string) (retry time.Duration, ok bool) {
	now := b.now()
	turn := b.of(key, now).ReserveN(now, 1)
	delay := turn.DelayFrom(now)
	if delay > b.wait {
		turn.CancelAt(now)
		return delay, false
	}
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
		}
	}
	return 0, true
}

func (b *buckets) of(key string, now time.Time) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k, ok := b.byKey[key]; ok {
		k.used = now
		return k.Limiter
	}
	if len(b.byKey) >= b.max && now.Sub(b.swept) > time.Second {
		b.swept = now
		full := time.Duration(float64(b.burst) / float64(b.limit) * float64(time.Second))
		for key, k := range b.byKey {
			if now.Sub(k.used) > full {
				delete(b.byKey, key)
			}
		}
	}
	if len(b.byKey) >= b.max {
		return b.rest
	}
	k := &bucket{rate.NewLimiter(b.limit, b.burst), now}
	b.byKey[key] = k
	return k.Limiter
}
