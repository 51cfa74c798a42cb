package mirror

import (
	"context"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// What is waited for, and how much of it is asked for at once.
const (
	maxLate  = 1000
	maxBatch = 50
)

// patienceFor is when a call that was not evaluated is asked for again.
func patienceFor(tries int) (time.Duration, bool) {
	after := []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 6 * time.Hour}
	if tries >= len(after) {
		return 0, false
	}
	return after[tries], true
}

// await notes a call that arrived without a judged outcome. The windows of
// recent calls are read in every cycle anyway, so only older ones need it.
func (s *state) await(l *call.Log, now time.Time) {
	if l.Success != nil || l.StartedAt.After(s.Frontier.Add(-recent)) || len(s.Late) >= maxLate {
		return
	}
	wait, _ := patienceFor(0)
	s.Late = append(s.Late, late{Key: l.ID.Key, Start: l.StartedAt, Due: now.Add(wait)})
}

// askLate reads the calls again whose evaluation is due, by their keys.
func (s *syncer) askLate(ctx context.Context, r *run) error {
	for s.IDFilter {
		now := s.clock.upstream()
		next := s.st.clone()
		var due []late
		next.Late = slices.DeleteFunc(next.Late, func(l late) bool {
			if l.Due.After(now) || len(due) == maxBatch {
				return false
			}
			due = append(due, l)
			return true
		})
		if len(due) == 0 {
			return nil
		}
		for _, sp := range s.around(due) {
			keys := make([]any, len(due))
			for i, l := range due {
				keys[i] = l.Key
			}
			got, err := s.page(ctx, r, filter.All(sp.where(), filter.Cond{Field: "id", Op: filter.In, Value: keys}), maxBatch+1, nil)
			if err != nil {
				return err
			}
			if due, err = s.evaluated(ctx, r, next, due, got); err != nil {
				return err
			}
		}
		for _, l := range due {
			if wait, ok := patienceFor(l.Tries + 1); ok {
				next.Late = append(next.Late, late{Key: l.Key, Start: l.Start, Tries: l.Tries + 1, Due: now.Add(wait)})
			}
		}
		if err := s.commit(ctx, r, store.Change{}, next); err != nil {
			return err
		}
	}
	return nil
}

// around is the windows in which the calls of due began.
func (s *syncer) around(due []late) []span {
	slices.SortFunc(due, func(a, b late) int { return a.Start.Compare(b.Start) })
	return newSpan(due[0].Start, due[len(due)-1].Start.Add(time.Second)).cut(s.MaxWindow)
}

// evaluated writes what was read of due, and returns those yet without outcome.
func (s *syncer) evaluated(ctx context.Context, r *run, next *state, due []late, got reading) ([]late, error) {
	judged := map[string]bool{}
	for _, l := range got.logs {
		judged[l.ID.Key] = l.Success != nil
	}
	if err := s.keep(ctx, r, got, next); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(due, func(l late) bool { return judged[l.Key] }), nil
}

// keep writes calls that were asked for by their keys. They make no leaf.
func (s *syncer) keep(ctx context.Context, r *run, got reading, next *state) error {
	next.Read = got.at
	next.withhold(got.logs)
	put := make([]*call.Log, 0, len(got.logs))
	for _, l := range got.logs {
		l, err := s.reconcile(ctx, l, store.Row{Key: l.ID.Key, Detailed: true})
		if err != nil {
			return err
		}
		delete(next.Missing, l.ID.Key)
		put = append(put, l)
	}
	r.read += len(put)
	return s.commit(ctx, r, store.Change{ReadAt: got.at, Put: put}, next)
}
