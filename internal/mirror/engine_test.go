package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// calm is a world where nothing happens by itself.
func calm(n int, change func(*world)) *world {
	w := &world{sea: newSea(rand.New(rand.NewPCG(1, 2)), 0, day), book: newBook(), page: 20, retain: 90 * day}
	w.book.exists = func(string) bool { return false }
	for i := range n {
		w.insert(w.sea.now.Add(time.Duration(i-n) * (40 * day / time.Duration(n))).Truncate(time.Second))
	}
	if change != nil {
		change(w)
	}
	w.start()
	return w
}

func (w *world) mustCycle(t *testing.T) Report {
	t.Helper()
	r, err := w.engine.Cycle(context.Background(), nil)
	require.NoError(t, err)
	assert.Empty(t, w.book.wrongs)
	return r
}

func (w *world) live() (n int) {
	for _, c := range w.book.calls {
		if !c.gone {
			n++
		}
	}
	return n
}

// What vanishes in numbers is kept, and said, until that was seen three days in
// a row, or somebody says that it is right.
func TestMassDeletionIsHeld(t *testing.T) {
	for _, released := range []bool{false, true} {
		w := calm(100, nil)
		w.mustCycle(t)
		for _, f := range slices.Clone(w.all[:60]) {
			w.remove(f)
		}
		w.sea.now = w.sea.now.Add(8 * day)
		r := w.mustCycle(t)
		require.Len(t, r.Held, 1)
		assert.Equal(t, 60, r.Held[0].Calls)
		assert.Equal(t, 100, w.live())
		assert.Contains(t, w.engine.Held(context.Background(), "sea").String(), "sea no longer shows 60 calls")
		if released {
			require.NoError(t, w.engine.Release(context.Background(), "sea"))
			r = w.mustCycle(t)
		} else {
			for range 2 {
				assert.Equal(t, 100, w.live())
				asked := w.requests
				w.mustCycle(t)
				assert.Less(t, w.requests-asked, 10, "it is not looked for in every cycle")
				w.sea.now = w.sea.now.Add(25 * time.Hour)
				r = w.mustCycle(t)
			}
		}
		assert.Empty(t, r.Held)
		assert.Equal(t, 40, w.live())
	}
}

// Few deletions are believed as soon as they are confirmed.
func TestDeletionIsConfirmed(t *testing.T) {
	w := calm(100, nil)
	w.mustCycle(t)
	for _, f := range slices.Clone(w.all[95:]) {
		w.remove(f)
	}
	r := w.mustCycle(t)
	assert.Equal(t, 5, r.Gone)
	assert.Equal(t, 95, w.live())
}

// Where everything reads empty, nothing is deleted.
func TestEmptyAnswersAreNotBelieved(t *testing.T) {
	w := calm(10, nil)
	w.mustCycle(t)
	w.empty = 1
	for range 3 {
		w.sea.now = w.sea.now.Add(8 * time.Hour)
		r := w.mustCycle(t)
		assert.Equal(t, 10, w.live())
		assert.Zero(t, r.Gone)
	}
	w.empty = 0
	w.sea.now = w.sea.now.Add(8 * day)
	w.mustCycle(t)
	assert.Equal(t, 10, w.live())
	assert.Nil(t, w.engine.Held(context.Background(), "sea"))
}

// Without a filter by id, or by time, the copy still becomes equal.
func TestOtherAbilities(t *testing.T) {
	for _, c := range []struct{ keyless, timeless bool }{{true, false}, {true, true}} {
		t.Run(fmt.Sprintf("keyless %t, timeless %t", c.keyless, c.timeless), func(t *testing.T) {
			w := calm(90, func(w *world) {
				w.keyless, w.timeless = c.keyless, c.timeless
				at := w.sea.now.Add(-time.Hour).Truncate(time.Second)
				for range 50 { // more in one second than on a page
					w.insert(at)
				}
			})
			w.mustCycle(t)
			assert.Equal(t, 140, w.live())
			for _, f := range slices.Clone(w.all[135:]) {
				w.remove(f)
			}
			w.insert(w.sea.now)
			w.mustCycle(t)
			assert.Equal(t, 136, w.live())
		})
	}
}

// An upstream that ignores ids is noticed, and read without them.
func TestIgnoredIDs(t *testing.T) {
	w := calm(90, func(w *world) {
		w.mutant.source = bend(func(w *world, s call.Source, ctx context.Context, q call.Query) (call.Page, error) {
			from, _, _ := asks(q)
			if from == 0 {
				return s.Find(ctx, q)
			}
			lo, hi, keys := filter.Bounds(q.Where, "timestamp")
			q.Where = filter.Within("timestamp", lo, hi)
			p, err := s.Find(ctx, q)
			p.Logs = slices.DeleteFunc(p.Logs, func(l *call.Log) bool { return !filter.Match(keys, l) })
			return p, err
		})
	})
	w.mustCycle(t)
	assert.Equal(t, 90, w.live())
	asked := w.requests
	w.insert(w.sea.now)
	w.mustCycle(t)
	assert.Equal(t, 91, w.live())
	assert.Less(t, w.requests-asked, 40)
}

// The full records of failed calls are fetched once, and a list's row does not
// wipe them out.
func TestDetails(t *testing.T) {
	for _, c := range []struct {
		wants Details
		want  func(*call.Log) bool
	}{
		{None, func(*call.Log) bool { return false }},
		{Failed, func(l *call.Log) bool { return l.Success != nil && !*l.Success }},
		{All, func(*call.Log) bool { return true }},
	} {
		t.Run(string(c.wants), func(t *testing.T) {
			w := calm(60, func(w *world) { w.wants = c.wants })
			w.detailed = true
			r := w.mustCycle(t)
			wanted := 0
			for _, f := range w.all {
				got := w.book.calls[f.log.ID.Key].log
				assert.Equal(t, c.want(f.log), got.Detailed)
				if c.want(f.log) {
					wanted++
					assert.Equal(t, "yes", got.Metadata["vip"])
				}
			}
			assert.Equal(t, wanted, w.details)
			t.Logf("%s: %d requests, %d details", c.wants, r.Requests, w.details)
			for range 3 {
				w.sea.now = w.sea.now.Add(3 * time.Hour)
				w.mustCycle(t)
			}
			assert.Equal(t, wanted, w.details, "what has not changed is not fetched again")
			f := w.all[59]
			if !c.want(f.log) {
				return
			}
			f.version += 2
			w.touch(f)
			w.mustCycle(t)
			assert.Equal(t, wanted+1, w.details)
			assert.True(t, w.book.calls[f.log.ID.Key].log.Detailed)
		})
	}
}

// A call that arrives late and unjudged is asked for again after 1, 5 and 30
// minutes and 6 hours, and no longer.
func TestLateEvaluations(t *testing.T) {
	w := calm(50, nil)
	w.mustCycle(t)
	for w.next%3 == 0 {
		w.next++
	}
	f := w.insert(w.sea.now.Add(-10 * day))
	w.mustCycle(t)
	require.Nil(t, w.book.calls[f.log.ID.Key].log.Success)
	st, err := parseState(w.book.state)
	require.NoError(t, err)
	require.Len(t, st.Late, 1)
	w.sea.now = w.sea.now.Add(2 * time.Minute)
	w.mustCycle(t)
	st, _ = parseState(w.book.state)
	assert.Equal(t, 1, st.Late[0].Tries)
	f.version++
	w.touch(f)
	w.sea.now = w.sea.now.Add(6 * time.Minute)
	w.mustCycle(t)
	assert.NotNil(t, w.book.calls[f.log.ID.Key].log.Success)
	st, _ = parseState(w.book.state)
	assert.Empty(t, st.Late)
}

// Coverage from leaves, by hand.
func TestCovered(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	leaf := func(from, to, read time.Duration) store.Leaf {
		return store.Leaf{From: ago(from), To: ago(to).Add(-time.Microsecond), ReadAt: ago(read)}
	}
	ids := func(l store.Leaf, from, to int64) store.Leaf {
		l.IDFrom, l.IDTo = from, to
		return l
	}
	for _, c := range []struct {
		name            string
		leaves          []store.Leaf
		days            int
		missing, unread int
		asOf            time.Duration // ago; 0 for never
	}{
		{"nothing", nil, 3, 1, 1, 0},
		{"all of it, now", []store.Leaf{leaf(4*day, -day, 30*time.Second)}, 3, 0, 0, 30 * time.Second},
		{"an hour ago", []store.Leaf{leaf(4*day, -day, time.Hour)}, 3, 1, 1, time.Hour},
		{"the newer part now", []store.Leaf{leaf(4*day, day, 20*time.Hour), leaf(2*day, -day, time.Second)}, 3, 0, 0, 20 * time.Hour},
		{"a hole", []store.Leaf{leaf(4*day, 2*day, time.Hour), leaf(day, -day, time.Second)}, 3, 1, 1, time.Hour},
		{"old ones weekly", []store.Leaf{leaf(60*day, 10*day, 7*day), leaf(10*day, -day, time.Second)}, 30, 1, 0, 7 * day},
		{"older than that", []store.Leaf{leaf(60*day, 10*day, 9*day), leaf(10*day, -day, time.Second)}, 30, 1, 0, 9 * day},
		{"keys, all", []store.Leaf{ids(leaf(4*day, -day, time.Second), 0, 7), ids(leaf(4*day, -day, 9*time.Second), 8, 0)}, 3, 0, 0, 9 * time.Second},
		{"keys, not all", []store.Leaf{ids(leaf(4*day, -day, time.Second), 0, 7), ids(leaf(4*day, -day, time.Second), 9, 0)}, 3, 1, 1, 0},
	} {
		got := covered(c.leaves, call.Window{From: ago(time.Duration(c.days) * day), To: now}, now)
		assert.Len(t, got.Missing, c.missing, c.name)
		assert.Len(t, got.Unread, c.unread, c.name)
		assert.Equal(t, c.missing == 0, got.Full, c.name)
		if c.asOf == 0 {
			assert.Zero(t, got.AsOf, c.name)
		} else {
			assert.Equal(t, ago(c.asOf), got.AsOf, c.name)
		}
	}
}

// A timed upstream notes when it was asked, in virtual time.
type timed struct {
	mu   sync.Mutex
	at   []time.Time
	fail bool
}

func (u *timed) Find(context.Context, call.Query) (call.Page, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.at = append(u.at, time.Now())
	if u.fail {
		return call.Page{}, &call.Error{Kind: call.Unauthorized, Msg: "No."}
	}
	return call.Page{Coverage: call.Coverage{Complete: true, Calls: new(int)}, Clock: time.Now()}, nil
}

func (u *timed) Get(context.Context, call.ID) (*call.Log, error) {
	return nil, errors.New("nobody asks")
}

// Follow asks every minute, and less and less often where it is refused.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &timed{}
		e, err := New(Options{
			Origins: []Origin{{Name: "sea", Source: u, Abilities: Abilities{TimeFilter: true, IDFilter: true}}},
			Ledger:  newBook(),
		})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		var mu sync.Mutex
		var cycles []time.Time
		done := make(chan struct{})
		go func() {
			defer close(done)
			e.Follow(ctx, func(string, Report, error) {
				mu.Lock()
				defer mu.Unlock()
				cycles = append(cycles, time.Now())
			})
		}()
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		mu.Lock()
		assert.Len(t, cycles, 11)
		cycles = nil
		mu.Unlock()
		u.mu.Lock()
		u.fail = true
		u.mu.Unlock()
		time.Sleep(2 * time.Hour)
		cancel()
		<-done
		var gaps []time.Duration
		for i := range cycles[1:] {
			gaps = append(gaps, cycles[i+1].Sub(cycles[i]))
		}
		assert.Equal(t, []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute}, gaps[:5])
	})
}

// What an upstream asks to wait is waited, up to a quarter of an hour.
func TestWaitsAsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ told, waited time.Duration }{
			{7 * time.Second, 7 * time.Second}, {0, time.Minute}, {time.Hour, 15 * time.Minute},
		} {
			s := newSyncer(Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler)}, Origin{Name: "sea", Wait: waitFor})
			began := time.Now()
			tries := 0
			err := s.try(context.Background(), &run{}, func() error {
				if tries++; tries == 1 {
					return &limitedError{c.told}
				}
				return nil
			})
			require.NoError(t, err)
			assert.Equal(t, c.waited, time.Since(began))
		}
	})
}

// What ended a page early asks to wait, too: the page counts, and the next
// question goes out after that.
func TestWaitsAsToldInsideAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &cutting{}
		s := newSyncer(Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler)}, Origin{Name: "sea", Source: u, Wait: waitFor})
		s.st = &state{}
		began := time.Now()
		for want := range 2 {
			_, err := s.page(context.Background(), &run{}, nil, 10, nil)
			require.NoError(t, err)
			assert.Equal(t, time.Duration(want)*7*time.Second, time.Since(began))
		}
	})
}

// cutting is a source whose pages end early, as it is asked too often.
type cutting struct{ timed }

func (c *cutting) Find(ctx context.Context, q call.Query) (call.Page, error) {
	p, err := c.timed.Find(ctx, q)
	p.Coverage.Complete, p.Cut = false, &limitedError{7 * time.Second}
	return p, err
}
