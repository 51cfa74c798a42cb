package mirror

import (
	"context"
	"maps"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// What is too much to vanish at once, and when it is believed after all.
const (
	maxVanish  = 20 // calls, and
	vanishPart = 5  // the fifth part of what was looked at
	holdFor    = 24 * time.Hour
	holdTimes  = 3 // found gone so often, holdFor apart
	witnesses  = 3
	overlap    = day // between windows that are asked for the same keys: a call may move meanwhile
)

// confirm decides on calls that were absent where they should be, those that
// are meant of them. stored is how many calls the copy has where this reading
// looked.
//
// A call is gone only if it is nowhere in the time that the copy covers, by an
// answer that names calls known to be there: upstreams have been seen to answer
// with empty pages. Where none can be named, and where much vanishes at once,
// the calls are held.
func (s *syncer) confirm(ctx context.Context, r *run, stored int, meant func(start time.Time) bool) error {
	h := s.st.Held
	var keys []string
	for key, start := range s.st.Missing {
		if meant(start) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	switch {
	case len(keys) == 0 && (h == nil || len(s.st.Missing) > 0):
		return nil
	case len(keys) == 0:
		next := s.st.clone()
		next.Held = nil
		return s.commit(ctx, r, store.Change{}, next)
	case h != nil && !h.Released && s.clock.upstream().Sub(h.Last) < holdFor:
		return nil
	}
	look := s.lookByKeys
	switch {
	case !s.TimeFilter && !s.Gets:
		look = s.lookThrough
	case !s.hears():
		look = s.lookEach
	}
	believe := h != nil && (h.Released || h.Seen+1 >= holdTimes)
	gone, doubtful, err := look(ctx, r, keys, stored)
	if err != nil {
		return err
	}
	all := append(gone, doubtful...)
	switch mass := len(all) > maxVanish && len(all)*vanishPart > stored; {
	case believe:
		gone, doubtful = all, nil
	case mass:
		gone, doubtful = nil, all
	}
	return s.bury(ctx, r, gone, doubtful)
}

// bury writes down what is gone and what is held.
func (s *syncer) bury(ctx context.Context, r *run, gone, doubtful []string) error {
	for len(gone) > 0 {
		part := gone[:min(chunk, len(gone))]
		gone = gone[len(part):]
		next := s.st.clone()
		for _, key := range part {
			delete(next.Missing, key)
		}
		next.Read = s.begun(s.clock.now(), time.Time{})
		if err := s.commit(ctx, r, store.Change{ReadAt: next.Read, Gone: part}, next); err != nil {
			return err
		}
	}
	next := s.st.clone()
	now := s.clock.upstream()
	switch {
	case len(doubtful) == 0:
		next.Held = nil
	case next.Held == nil:
		next.Held = &Hold{Source: s.Name, Calls: len(doubtful), Since: now, Last: now, Seen: 1}
	default:
		next.Held.Calls, next.Held.Last = len(doubtful), now
		next.Held.Seen++
	}
	if next.Held == nil && s.st.Held == nil {
		return nil
	}
	return s.commit(ctx, r, store.Change{}, next)
}

// lookByKeys asks for what is missing by its keys, in batches, and returns what
// is nowhere and what cannot be said.
func (s *syncer) lookByKeys(ctx context.Context, r *run, keys []string, stored int) (gone, doubtful []string, err error) {
	for len(keys) > 0 {
		batch := keys[:min(maxBatch-witnesses, len(keys))]
		keys = keys[len(batch):]
		g, d, err := s.lookFor(ctx, r, batch)
		if err != nil {
			return nil, nil, err
		}
		gone, doubtful = append(gone, g...), append(doubtful, d...)
		if len(gone)+len(doubtful) > 10*maxVanish && (len(gone)+len(doubtful))*vanishPart > stored && s.st.Held == nil {
			return nil, append(append(gone, doubtful...), keys...), nil // it will be held whatever the rest is
		}
	}
	return gone, doubtful, nil
}

// lookFor looks for keys everywhere.
func (s *syncer) lookFor(ctx context.Context, r *run, keys []string) (gone, doubtful []string, err error) {
	left := map[string]time.Time{}
	for _, key := range keys {
		left[key] = s.st.Missing[key]
	}
	unsure := map[string]bool{}
	for _, sp := range s.everywhere() {
		if len(left) == 0 {
			break
		}
		known, err := s.witnesses(ctx, sp)
		if err != nil {
			return nil, nil, err
		}
		got, err := s.pageOf(ctx, r, sp, left, known)
		if err != nil {
			return nil, nil, err
		}
		sure := len(known) == 0
		for _, l := range got.logs {
			delete(left, l.ID.Key)
			sure = sure || slices.Contains(known, l.ID.Key)
		}
		for key, start := range left {
			here := start.IsZero() || !start.Before(sp.from()) && !start.After(sp.to())
			if !sure || got.more || len(known) == 0 && here {
				unsure[key] = true
			}
		}
		if len(got.logs) > 0 {
			if err := s.keep(ctx, r, got, s.st.clone()); err != nil {
				return nil, nil, err
			}
		}
	}
	for key := range left {
		if unsure[key] {
			doubtful = append(doubtful, key)
		} else {
			gone = append(gone, key)
		}
	}
	return gone, doubtful, nil
}

// everywhere is all the time that the copy covers, in windows that overlap.
func (s *syncer) everywhere() (spans []span) {
	now := s.clock.upstream()
	begin, end := s.horizon(now), now.Add(ahead)
	for to := end; to.After(begin); to = to.Add(overlap - s.MaxWindow) {
		from := to.Add(-s.MaxWindow)
		if from.Before(begin) {
			from = begin
		}
		spans = append(spans, span{a: from.Unix(), b: to.Unix()})
		if s.MaxWindow <= overlap || !from.After(begin) {
			break
		}
	}
	return spans
}

// pageOf asks for keys in sp, once more where nothing came and nothing had to.
func (s *syncer) pageOf(ctx context.Context, r *run, sp span, left map[string]time.Time, known []string) (got reading, err error) {
	var keys []any
	for _, key := range slices.Concat(slices.Sorted(maps.Keys(left)), known) {
		keys = append(keys, key)
	}
	where := filter.All(sp.where(), filter.Cond{Field: "id", Op: filter.In, Value: keys})
	for range 2 {
		got, err = s.page(ctx, r, where, len(keys)+1, nil)
		if err != nil || len(got.logs) > 0 {
			return got, err
		}
	}
	return got, nil
}

// witnesses are keys of calls that should be in sp, drawn by lot, since one of
// them may be gone too.
func (s *syncer) witnesses(ctx context.Context, sp span) (keys []string, err error) {
	leaves, err := s.o.Ledger.Leaves(ctx, s.Name, sp.from(), sp.to())
	if err != nil {
		return nil, err
	}
	s.rng.Shuffle(len(leaves), func(i, k int) { leaves[i], leaves[k] = leaves[k], leaves[i] })
	for _, leaf := range leaves {
		if leaf.Calls == 0 || len(keys) == witnesses {
			continue
		}
		from, to := leaf.From, leaf.To
		if from.Before(sp.from()) {
			from = sp.from()
		}
		if to.After(sp.to()) {
			to = sp.to()
		}
		rows, err := s.o.Ledger.Rows(ctx, s.Name, from, to, leaf.IDFrom, leaf.IDTo)
		if err != nil {
			return nil, err
		}
		s.rng.Shuffle(len(rows), func(i, k int) { rows[i], rows[k] = rows[k], rows[i] })
		for _, row := range rows {
			if _, missing := s.st.Missing[row.Key]; !missing && len(keys) < witnesses && !slices.Contains(keys, row.Key) {
				keys = append(keys, row.Key)
			}
		}
	}
	return keys, nil
}

// lookEach asks for what is missing one by one, where keys cannot be listed. A
// cycle has only so many such questions; the rest waits.
func (s *syncer) lookEach(ctx context.Context, r *run, keys []string, _ int) (gone, doubtful []string, err error) {
	if len(keys) > maxBatch {
		return nil, keys, nil
	}
	for _, key := range keys {
		var l *call.Log
		at := s.begun(s.clock.now(), time.Time{})
		err := s.try(ctx, r, func() (err error) {
			l, err = s.Source.Get(ctx, call.ID{Source: s.Name, Key: key})
			return err
		})
		switch {
		case kind(err) == call.NotFound:
			gone = append(gone, key)
		case err != nil:
			return nil, nil, err
		default:
			if err := s.keep(ctx, r, reading{logs: []*call.Log{l}, at: at}, s.st.clone()); err != nil {
				return nil, nil, err
			}
		}
	}
	return gone, doubtful, nil
}

// lookThrough reads everything once more, where one call cannot be asked for.
func (s *syncer) lookThrough(ctx context.Context, r *run, keys []string, _ int) (gone, doubtful []string, err error) {
	left := map[string]bool{}
	for _, key := range keys {
		left[key] = true
	}
	for _, sp := range s.everywhere() {
		if len(left) == 0 {
			break
		}
		got, err := s.gather(ctx, r, sp)
		if err != nil {
			return nil, nil, err
		}
		got.logs = slices.DeleteFunc(got.logs, func(l *call.Log) bool { return !left[l.ID.Key] })
		for _, l := range got.logs {
			delete(left, l.ID.Key)
		}
		if err := s.keep(ctx, r, got, s.st.clone()); err != nil {
			return nil, nil, err
		}
	}
	return slices.Sorted(maps.Keys(left)), nil, nil
}

// held is what is held of the source, if anything is.
func (s *syncer) held(ctx context.Context) *Hold {
	st, err := s.peek(ctx)
	if err != nil {
		return nil // nothing that could be told of
	}
	return st.Held
}

func (s *syncer) release(ctx context.Context) error {
	return s.alone(ctx, func() error {
		if s.st.Held == nil {
			return nil
		}
		next := s.st.clone()
		next.Held.Released = true
		return s.commit(ctx, &run{}, store.Change{}, next)
	})
}
