package mirror

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// A syncer copies one origin. What it holds is touched only by who has the turn.
type syncer struct {
	Origin
	o     Options
	turn  chan struct{} // one token: who holds it may ask and write
	round chan struct{} // one token: who holds it runs a cycle
	clock clock
	sleep func(context.Context, time.Duration) error
	rng   *rand.Rand

	st    *state               // as the ledger has it; nil before it was read
	deaf  bool                 // the upstream was seen to ignore id filters
	loose bool                 // the upstream's list was seen to have no order
	quiet time.Time            // nothing is asked before, by our clock
	owed  map[string]time.Time // calls whose details are wanted, with their starts
}

func newSyncer(o Options, origin Origin) *syncer {
	if origin.PageSize <= 0 {
		origin.PageSize = 100
	}
	if origin.MaxWindow <= 0 {
		origin.MaxWindow = 30 * day
	}
	s := &syncer{
		Origin: origin, o: o, turn: make(chan struct{}, 1), round: make(chan struct{}, 1), clock: clock{now: o.Now}, sleep: pause,
		rng: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), owed: map[string]time.Time{},
	}
	s.turn <- struct{}{}
	s.round <- struct{}{}
	return s
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return call.Stopped(ctx.Err())
	case <-t.C:
		return nil
	}
}

// alone runs f while nobody else asks this upstream or writes of it. Work is
// cut so that a turn is a request or two: a person's question comes between.
func (s *syncer) alone(ctx context.Context, f func() error) error {
	select {
	case <-ctx.Done():
		return call.Stopped(ctx.Err())
	case <-s.turn:
	}
	defer func() { s.turn <- struct{}{} }()
	if s.st == nil {
		st, err := s.peek(ctx)
		if err != nil {
			return err
		}
		s.st = st
	}
	return f()
}

// refresh reads the state again: another process may have had the lock.
func (s *syncer) refresh(ctx context.Context) error {
	return s.alone(ctx, func() (err error) {
		s.st, err = s.peek(ctx)
		return err
	})
}

// peek is the state as it is written, without waiting for the turn.
func (s *syncer) peek(ctx context.Context) (*state, error) {
	b, err := s.o.Ledger.State(ctx, s.Name)
	if err != nil {
		return nil, err
	}
	st, err := parseState(b)
	if err == nil {
		s.clock.remember(st.Skew)
	}
	return st, err
}

// hears reports whether the upstream can be asked for keys.
func (s *syncer) hears() bool { return s.IDFilter && !s.deaf }

// A reading is one answer, or several that agree.
type reading struct {
	logs  []*call.Log
	at    time.Time // when it began, by the upstream's clock
	now   time.Time // the upstream's time when it ended
	more  bool      // it is not all there is
	count int       // what the upstream counts; -1 where it does not
	seen  int       // calls it went through
	next  *call.Mark
	lost  *lostError // it is not all there is, and no next page has the rest
	stuck bool       // nor has a narrower window
}

// maxAnswer bounds one question, in case that a client walks in circles.
const maxAnswer = 15 * time.Minute

// page asks for the first limit calls of where.
func (s *syncer) page(ctx context.Context, r *run, where filter.Expr, limit int, after *call.Mark) (reading, error) {
	var p call.Page
	var sent time.Time
	err := s.try(ctx, r, func() (err error) {
		sent = s.clock.now()
		ctx, cancel := context.WithTimeout(ctx, maxAnswer)
		defer cancel()
		p, err = s.Source.Find(ctx, call.Query{Where: where, Limit: limit, Scan: limit, After: after})
		return err
	})
	if err != nil {
		return reading{}, err
	}
	s.clock.hear(p.Clock, sent)
	if p.Cut != nil { // the page is good, but the next question has to wait
		wait, _ := s.patience(p.Cut, 0)
		s.quiet = s.clock.now().Add(wait)
	}
	got := reading{
		logs: p.Logs, at: s.begun(sent, p.Clock), now: p.Clock.UTC(), count: -1, seen: max(p.Coverage.Searched, len(p.Logs)),
		next: p.Next,
	}
	if p.Clock.IsZero() {
		got.now = s.clock.upstream()
	}
	switch {
	case p.Coverage.Calls != nil:
		got.count = *p.Coverage.Calls
	case p.Total != nil:
		got.count = *p.Total
	}
	if p.Next == nil && !p.Coverage.Complete {
		got.lost, got.stuck = s.lost(cmp.Or(strings.Join(p.Notes, "; "), "it stopped early")), p.Coverage.Stuck
	}
	// A full page is not believed to be the last: its count may be a moment
	// older than its rows.
	got.more = p.Next != nil || !p.Coverage.Complete || got.seen >= limit
	return got, nil
}

// begun is the time of a reading, later than that of all before: an older
// reading must not replace what a newer one wrote.
func (s *syncer) begun(sent, date time.Time) time.Time {
	at := s.clock.at(sent, date).Truncate(time.Microsecond)
	if !at.After(s.st.Read) {
		at = s.st.Read.Add(time.Microsecond)
	}
	return at
}

// The patience with an upstream that fails.
const (
	maxTries   = 4
	maxLimited = 10               // times that it says "later" in a row
	maxPause   = 15 * time.Minute // whatever it asks for
)

// try asks until there is an answer, or none is to be expected.
func (s *syncer) try(ctx context.Context, r *run, ask func() error) error {
	for n := 0; ; n++ {
		if wait := s.quiet.Sub(s.clock.now()); wait > 0 {
			if err := s.sleep(ctx, min(wait, maxPause)); err != nil {
				return err
			}
		}
		r.requests++
		err := ask()
		if err == nil {
			return nil
		}
		wait, again := s.patience(err, n)
		s.quiet = s.clock.now().Add(wait)
		if !again || ctx.Err() != nil {
			return err
		}
		s.o.Logger.Debug("upstream failed, trying again", "source", s.Name, "wait", wait, "err", err)
	}
}

// patience is how long to wait after the nth failure, and whether to go on.
func (s *syncer) patience(err error, n int) (wait time.Duration, again bool) {
	if s.Wait != nil {
		wait = min(s.Wait(err), maxPause)
	}
	switch kind(err) {
	case call.RateLimited:
		if wait <= 0 {
			wait = time.Minute
		}
		return wait, n < maxLimited
	case call.Unavailable, call.Timeout:
		backoff := time.Second << min(2*n, 2*maxTries)
		return max(wait, backoff/2+time.Duration(s.rng.Int64N(int64(backoff)))), n+1 < maxTries
	}
	return 0, false
}

func kind(err error) call.Kind {
	if e := (*call.Error)(nil); errors.As(err, &e) {
		return e.Kind
	}
	return ""
}
