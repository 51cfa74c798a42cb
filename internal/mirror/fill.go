package mirror

import (
	"context"
	"time"

	"call-logs-mcp/internal/call"
)

// fill reads a window now, and decides on what is gone from it.
func (s *syncer) fill(ctx context.Context, r *run, w call.Window) error {
	if err := s.refresh(ctx); err != nil {
		return err
	}
	var spans []span
	err := s.alone(ctx, func() error {
		if err := s.attune(ctx, r); err != nil {
			return err
		}
		now := s.clock.upstream()
		if oldest := s.horizon(now); w.From.Before(oldest) {
			w.From = oldest
		}
		if w.To.IsZero() || w.To.After(now.Add(-freshFor)) {
			w.To = now.Add(ahead)
		}
		w = rounded(w)
		if w.From.Before(w.To) {
			spans = newSpan(w.From, w.To).cut(s.MaxWindow)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.walk(ctx, r, pass{leaves: true}, spans); err != nil {
		return err
	}
	return s.alone(ctx, func() error {
		missing := 0
		inside := func(start time.Time) bool { return !start.Before(w.From) && !start.After(w.To) }
		for _, start := range s.st.Missing {
			if inside(start) {
				missing++
			}
		}
		return s.confirm(ctx, r, r.read+missing, inside)
	})
}

// horizon is how far back the copy goes: to the beginning of a day.
func (s *syncer) horizon(now time.Time) time.Time { return now.Add(-s.o.Retain).UTC().Truncate(day) }

// rounded is a window with bounds that other questions have, too, so that leaves
// replace each other. What begins is read from there; nothing ends early.
func rounded(w call.Window) call.Window {
	grain := time.Hour
	if w.To.Sub(w.From) >= day {
		grain = round
	}
	return call.Window{From: w.From.Truncate(grain), To: w.To.Add(grain).Truncate(grain).Add(-time.Second)}
}
