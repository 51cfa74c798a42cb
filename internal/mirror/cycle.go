package mirror

import (
	"context"
	"errors"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror/store"
)

// How far a cycle looks beyond what it must.
const (
	ahead     = 24 * time.Hour // calls may say to have begun after the upstream's now
	behindIDs = 50             // keys are given before their calls can be seen
	round     = 6 * time.Hour  // where a reading of recent calls begins, so that leaves meet
	nearEvery = 6 * time.Hour
	farEvery  = 7 * day
)

// cycle is three passes: the newest key, before anything else; the windows from
// the frontier, less what may have changed, to beyond now; and everything with
// keys above those that the last cycle was sure of, wherever in time it is. Only
// then is it sure of the keys up to the first.
//
// At most details full records are fetched at its end, 0 for all.
func (s *syncer) cycle(ctx context.Context, r *run, details int) error {
	select {
	case <-ctx.Done():
		return call.Stopped(ctx.Err())
	case <-s.round:
		defer func() { s.round <- struct{}{} }()
	}
	if err := s.refresh(ctx); err != nil {
		return err
	}
	c, err := s.underway(ctx, r)
	if err != nil {
		return err
	}
	if !c.Ids {
		spans, err := s.windows(ctx, r, c)
		if err != nil {
			return err
		}
		if err := s.walk(ctx, r, pass{leaves: true, mark: markCycle}, spans); err != nil {
			return err
		}
		if err := s.alone(ctx, func() error { return s.turnToIDs(ctx, r) }); err != nil {
			return err
		}
		if c, err = s.underway(ctx, r); err != nil {
			return err
		}
	}
	if s.hears() {
		err := s.walk(ctx, r, pass{late: true, mark: markCycle}, s.rest(c))
		if errors.Is(err, errDeaf) {
			s.o.Logger.Warn("the upstream does not filter by id; late calls are found by reading windows again", "source", s.Name)
		} else if err != nil {
			return err
		}
	}
	if err := s.alone(ctx, func() error { return s.askLate(ctx, r) }); err != nil {
		return err
	}
	if err := s.alone(ctx, func() error { return s.finish(ctx, r) }); err != nil {
		return err
	}
	return s.fetchDetails(ctx, r, details)
}

// underway is the cycle that is on, begun now where none was.
func (s *syncer) underway(ctx context.Context, r *run) (c cycle, err error) {
	err = s.alone(ctx, func() error {
		if s.st.Cycle == nil {
			if err := s.begin(ctx, r); err != nil {
				return err
			}
		}
		if err := s.attune(ctx, r); err != nil {
			return err
		}
		c = *s.st.Cycle
		return nil
	})
	return c, err
}

// finish decides on calls that are gone, and ends the cycle.
func (s *syncer) finish(ctx context.Context, r *run) error {
	if s.st.Cycle == nil {
		return errLost
	}
	if err := s.confirm(ctx, r, s.st.Cycle.Stored, func(time.Time) bool { return true }); err != nil {
		return err
	}
	next := s.st.clone()
	c := next.Cycle
	if s.hears() || c.Far {
		next.IDs = max(next.IDs, c.Newest)
	}
	if c.Near || c.Far {
		next.Near = c.Began
	}
	if c.Far {
		next.Far, next.Horizon = c.Began, time.Unix(c.From, 0).UTC()
	}
	next.Cycle = nil
	return s.commit(ctx, r, store.Change{}, next)
}

// begin probes for the newest key and the upstream's time, and plans a cycle.
func (s *syncer) begin(ctx context.Context, r *run) error {
	now := s.clock.upstream()
	probe := newSpan(now.Add(ahead-s.MaxWindow), now.Add(ahead))
	got, err := s.page(ctx, r, probe.where(), 1, nil)
	if err != nil {
		return err
	}
	now = got.now
	next := s.st.clone()
	c := &cycle{Began: now, Newest: max(next.Top, highest(got.logs))}
	horizon := s.horizon(now)
	owed := s.o.Details != None && next.Owed > 0 && len(s.owed) == 0 // another process left details to fetch
	switch {
	case next.Far.IsZero(), now.Sub(next.Far) >= farEvery, horizon.Before(next.Horizon.Add(-day)), owed:
		c.From, c.Far, s.deaf, s.loose = horizon.Unix(), true, false, false
	case now.Sub(next.Near) >= nearEvery:
		c.From, c.Near = now.Add(-middling).Truncate(day).Unix(), true
	}
	if next.Frontier.Before(horizon) {
		next.Frontier = horizon
	}
	if from := next.Frontier.Add(-recent).Truncate(round).Unix(); !c.Far && (!c.Near || from < c.From) {
		c.From = from
	}
	c.From = max(c.From, horizon.Unix())
	c.At = c.From
	sure := next.IDs
	if c.Far { // the windows are everything: only what came meanwhile is left
		sure = max(sure, c.Newest)
	}
	c.IDFrom = max(sure-behindIDs, 0) + 1
	next.Cycle = c
	return s.commit(ctx, r, store.Change{}, next)
}

// attune asks for the upstream's time where nothing was heard of it yet.
func (s *syncer) attune(ctx context.Context, r *run) error {
	if _, asked := s.clock.off(); asked {
		return nil
	}
	now := s.clock.upstream()
	_, err := s.page(ctx, r, newSpan(now.Add(-time.Minute), now).where(), 1, nil)
	return err
}

// markCycle moves a cycle behind a span that was read.
func markCycle(s *state, sp span) {
	c := s.Cycle
	if c == nil {
		return
	}
	if c.At, c.AtID = sp.b, 0; sp.idTo != 0 {
		c.At, c.AtID = sp.a, sp.idTo+1
	}
}

// rest is what a pass still has to read up to now and a day.
func (s *syncer) rest(c cycle) (spans []span) {
	at, end := c.At, newSpan(time.Time{}, s.clock.upstream().Add(ahead)).b
	if c.Ids { // windows are divided by keys
		spans = span{a: at, b: end, idFrom: c.IDFrom}.cut(s.MaxWindow)
		if c.AtID != 0 && len(spans) > 0 {
			spans[0].idFrom = c.AtID
		}
		return spans
	}
	if c.AtID != 0 { // only full seconds are
		spans = append(spans, span{a: at, b: at + 1, idFrom: c.AtID})
		at++
	}
	return append(spans, span{a: at, b: end}.cut(s.MaxWindow)...)
}

// windows is what the first pass reads, cut as well as can be guessed: by the
// upstream's count where everything is read, else by what the copy has.
func (s *syncer) windows(ctx context.Context, r *run, c cycle) ([]span, error) {
	var out []span
	for _, sp := range s.rest(c) {
		guess := 0
		err := s.alone(ctx, func() error {
			if !s.TimeFilter {
				return nil
			}
			if c.Far {
				got, err := s.page(ctx, r, sp.where(), 1, nil)
				guess = got.count
				r.total += max(guess, 0)
				return err
			}
			rows, err := s.o.Ledger.Rows(ctx, s.Name, sp.from(), sp.to(), 0, 0)
			guess = len(rows)
			return err
		})
		if err != nil {
			return nil, err
		}
		parts := []span{sp}
		if guess > s.PageSize*9/10 {
			if p := sp.parts(guess, s.PageSize); p != nil {
				parts = p
			}
		}
		out = append(out, parts...)
	}
	return out, nil
}

// turnToIDs ends the first pass.
func (s *syncer) turnToIDs(ctx context.Context, r *run) error {
	next := s.st.clone()
	c := next.Cycle
	if c == nil {
		return errLost
	}
	c.Ids = true
	c.At, c.AtID = s.horizon(s.clock.upstream()).Unix(), 0
	return s.commit(ctx, r, store.Change{}, next)
}

// errLost says that the state was changed from behind.
var errLost = errors.New("mirror: another process syncs into this copy")
