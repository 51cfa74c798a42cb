// Package fair shares out places for work, so that nobody takes them all.
package fair

import (
	"context"
	"sync"
	"time"
)

// Places bound how many are inside at once, in all and by key.
type Places struct {
	all  chan struct{}
	each int
	wait time.Duration

	mu    sync.Mutex
	byKey map[string]*room
}

type room struct {
	taken chan struct{}
	users int // inside or waiting; guarded by Places.mu
}

// New makes all places, of which one key has each at most. Who finds none waits
// for so long, or as long as its context where wait is 0.
func New(all, each int, wait time.Duration) *Places {
	return &Places{all: make(chan struct{}, all), each: each, wait: wait, byKey: map[string]*room{}}
}

// Inside is how many places are taken.
func (s *Places) Inside() int { return len(s.all) }

// Enter takes a place, waiting if need be, first come first served. The key's own
// comes first, so that who waits for it takes none from others, and a key that
// waits with many stands in the common line with as many as may be inside.
func (s *Places) Enter(ctx context.Context, key string) (leave func(), ok bool) {
	var late <-chan time.Time // never, without a wait
	if s.wait > 0 {
		timer := time.NewTimer(s.wait)
		defer timer.Stop()
		late = timer.C
	}
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

func place(ctx context.Context, into chan struct{}, late <-chan time.Time) bool {
	select {
	case into <- struct{}{}:
		return true
	default:
	}
	select {
	case into <- struct{}{}:
		return true
	case <-late:
	case <-ctx.Done():
	}
	return false
}

func (s *Places) room(key string) *room {
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

func (s *Places) drop(key string, r *room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.users--; r.users == 0 {
		delete(s.byKey, key)
	}
}

type keyOf struct{}

// By is ctx on behalf of key, for places that are deeper down.
func By(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyOf{}, key)
}

// Key is on whose behalf ctx runs, "" for nobody's in particular.
func Key(ctx context.Context) string {
	key, _ := ctx.Value(keyOf{}).(string)
	return key
}
