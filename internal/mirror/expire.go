package mirror

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"call-logs-mcp/internal/mirror/store"
)

// expireEvery is how often the copy is rid of what is too old for it.
const expireEvery = time.Hour

// Expire removes the calls that the copy may keep no longer, without a trace,
// and returns how many they were. Options.Retain is counted in whole days of
// UTC: a call is gone by the end of the day on which it became too old, or an
// hour later. Only who may write to the ledger calls it; Follow does, and a
// Mirror that is not ReadOnly.
func (e *Engine) Expire(ctx context.Context) (removed int, err error) {
	var errs []error
	for _, name := range e.names {
		n, err := e.sources[name].expire(ctx)
		removed += n
		errs = append(errs, err)
	}
	// What is left is of sources that are configured no more.
	s := e.sources[e.names[0]]
	n, err := s.o.Ledger.Purge(ctx, store.Selection{Before: s.horizon(s.o.Now())})
	return removed + n, errors.Join(append(errs, err)...)
}

func (s *syncer) expire(ctx context.Context) (removed int, err error) {
	err = s.alone(ctx, func() error {
		cutoff := s.horizon(s.clock.upstream())
		leaves, err := s.o.Ledger.Leaves(ctx, s.Name, time.Time{}, cutoff)
		if err != nil {
			return err
		}
		var purged error // of what is still in some file; the rest has to be put right all the same
		if removed, purged = s.o.Ledger.Purge(ctx, store.Selection{Source: s.Name, Before: cutoff}); removed == 0 {
			return purged
		}
		next := s.st.clone()
		maps.DeleteFunc(next.Missing, func(_ string, start time.Time) bool { return start.Before(cutoff) })
		maps.DeleteFunc(next.Withheld, func(_ string, start int64) bool { return start < cutoff.Unix() })
		next.Late = slices.DeleteFunc(next.Late, func(l late) bool { return l.Start.Before(cutoff) })
		if err := s.commit(ctx, &run{}, store.Change{}, next); err != nil {
			return errors.Join(purged, err)
		}
		// Purging takes away all leaves that it touches; what they say of later
		// calls is still true.
		for _, leaf := range leaves {
			if leaf.From.Before(cutoff) && leaf.To.After(cutoff) {
				leaf.From = cutoff
				if err := s.commit(ctx, &run{}, store.Change{Leaf: &leaf}, s.st.clone()); err != nil {
					return errors.Join(purged, err)
				}
			}
		}
		return purged
	})
	return removed, err
}

// scrubs is how often a scrub is tried, half a second apart.
const scrubs = 5

// scrubEvery is how often calls that vanished upstream are wiped out: it takes
// a second for each 20,000 calls that stay. Those that must not be stored are
// wiped out at once.
const scrubEvery = 15 * time.Minute

// scrub wipes out of all files what a reading took away. A commit that takes
// text away tries so, too, and fails where others read at that moment: then it
// is tried here, after each reading until it succeeds, and by Expire.
func (e *Engine) scrub(ctx context.Context, took Report) {
	if took.Gone+took.Purged > 0 {
		e.dirty.Store(true)
	}
	if took.Purged > 0 {
		e.wiped.Store(0) // until it is done, each reading tries again
	}
	s := e.sources[e.names[0]]
	now := s.o.Now()
	if since := now.Sub(time.Unix(0, e.wiped.Load())); since >= 0 && since < scrubEvery {
		return
	}
	for range scrubs {
		if !e.dirty.Swap(false) {
			return
		}
		nothing := store.Selection{Before: time.Unix(0, 0)} // to take away, but what there is to wipe out
		if _, err := s.o.Ledger.Purge(ctx, nothing); err == nil {
			e.wiped.Store(now.UnixNano())
			continue // somebody may have taken more away meanwhile
		}
		e.dirty.Store(true)
		if s.sleep(ctx, 500*time.Millisecond) != nil {
			return
		}
	}
	s.o.Logger.Warn("what was taken away is still in a file that others read; the next sync tries again")
}

// keepExpired expires now and every hour until ctx ends.
func (e *Engine) keepExpired(ctx context.Context) {
	logger := e.sources[e.names[0]].o.Logger
	for ctx.Err() == nil {
		switch n, err := e.Expire(ctx); {
		case err != nil && ctx.Err() == nil:
			logger.Warn("what is too old for the copy was not all removed", "err", err)
		case n > 0:
			logger.Info("removed what is too old for the copy", "calls", n)
		}
		_ = pause(ctx, expireEvery)
	}
}
