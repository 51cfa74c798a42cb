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

// slots bound how many are inside at once, in all and by key.
type slots struct {
	all  chan struct{}
	each int
	wait time.Duration

	mu    sync.Mutex
	byKey map[string]*room
}

type room struct {
	taken chan struct{}
	users int // inside or waiting; guarded by slots.mu
}

func newSlots(all, each int, wait time.Duration) *slots {
	return &slots{all: make(chan struct{}, all), each: each, wait: wait, byKey: map[string]*room{}}
}

// enter takes a place, waiting for a moment if need be. The key's own comes
// first, so that who waits for it takes none from others.
func (s *slots) enter(ctx context.Context, key string) (leave func(), ok bool) {
	late := time.NewTimer(s.wait)
	defer late.Stop()
	own := s.room(key)
	if !place(ctx, own.taken, late) {
		s.drop(key, own)
		return nil, false
	}
	if !place(ctx, s.all, late) {
		<-own.taken
		s.drop(key, own)
		return nil, false
	}
	return func() {
		<-s.all
		<-own.taken
		s.drop(key, own)
	}, true
}

func place(ctx context.Context, into chan struct{}, late *time.Timer) bool {
	select {
	case into <- struct{}{}:
		return true
	default:
	}
	select {
	case into <- struct{}{}:
		return true
	case <-late.C:
	case <-ctx.Done():
	}
	return false
}

func (s *slots) room(key string) *room {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.byKey[key]
	if !ok {
		r = &room{taken: make(chan struct{}, s.each)}
		s.byKey[key] = r
	}
	r.users++
	return r
}

func (s *slots) drop(key string, r *room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.users--; r.users == 0 {
		delete(s.byKey, key)
	}
}
