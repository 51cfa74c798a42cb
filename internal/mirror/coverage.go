package mirror

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror/store"
)

// Coverage is what the copy may say of a window of one source.
type Coverage struct {
	Window  call.Window   // what was asked about, its bounds made absolute
	Full    bool          // all of it was read, and lately enough
	AsOf    time.Time     // all that was read of it was true then; zero where nothing was
	Missing []call.Window // what has to be read for Full, oldest first
	Unread  []call.Window // what was never read; the rest of Missing is out of date

	RecentAsOf time.Time // AsOf of what it has of the last 48 hours; zero where that is nothing

	Withheld Withheld // what was read and is not in the copy
}

// Covered derives from the leaves how well a window is covered. Calls of the
// last 48 hours must have been read in the last minute, those of 14 days within
// a day, and older ones within 8 days, as they are read weekly: AsOf tells. An
// open window begins where the copy does, and ends now.
func (e *Engine) Covered(ctx context.Context, source string, w call.Window) (Coverage, error) {
	s, err := e.source(source)
	if err != nil {
		return Coverage{}, err
	}
	st, err := s.peek(ctx)
	if err != nil {
		return Coverage{}, err
	}
	now := s.clock.upstream()
	if st.Read.After(now) { // that clock was put back
		now = st.Read
	}
	if w.From.IsZero() {
		w.From = s.horizon(now)
	}
	if w.To.IsZero() || w.To.After(now) {
		w.To = now
	}
	w.To = w.To.Truncate(time.Microsecond) // as finely as leaves tell
	leaves, err := s.o.Ledger.Leaves(ctx, source, w.From, w.To)
	if err != nil {
		return Coverage{}, err
	}
	c := covered(leaves, w, now)
	c.Withheld = st.withheld(w)
	return c, nil
}

// covered is Covered for a window and a time that are known.
func covered(leaves []store.Leaf, w call.Window, now time.Time) Coverage {
	c := Coverage{Window: w}
	unread := &gaps{{w.From.UnixMicro(), max(w.From.UnixMicro(), w.To.UnixMicro()+1)}}
	stale := gaps{}
	for _, leaf := range newest(leaves) {
		// A reading says nothing of calls that began later. It is taken for a
		// minute more, as long as it is fresh.
		to := leaf.To
		if end := leaf.ReadAt.Add(freshFor); end.Before(to) {
			to = end
		}
		for _, part := range unread.take(gap{leaf.From.UnixMicro(), to.UnixMicro() + 1}) {
			if c.AsOf.IsZero() || leaf.ReadAt.Before(c.AsOf) {
				c.AsOf = leaf.ReadAt
			}
			if part.to > now.Add(-recent).UnixMicro() && (c.RecentAsOf.IsZero() || leaf.ReadAt.Before(c.RecentAsOf)) {
				c.RecentAsOf = leaf.ReadAt
			}
			if from := freshFrom(leaf.ReadAt, now); from < part.to {
				stale = append(stale, gap{max(from, part.from), part.to})
			}
		}
	}
	missing := append(stale, *unread...)
	c.Unread, c.Missing = unread.windows(), missing.windows()
	c.Full = len(c.Missing) == 0
	return c
}

// freshFrom is the start time from which on calls read at a time are too old.
func freshFrom(read, now time.Time) int64 {
	switch age := now.Sub(read); {
	case age <= freshFor:
		return math.MaxInt64
	case age <= middleFor:
		return now.Add(-recent).UnixMicro()
	case age <= oldFor:
		return now.Add(-middling).UnixMicro()
	}
	return math.MinInt64
}

// newest sorts leaves, the last reading first. Those of single seconds that are
// divided by keys count together, if they hold all keys, as of the oldest.
func newest(leaves []store.Leaf) []store.Leaf {
	var whole []store.Leaf
	parts := map[call.Window][]store.Leaf{}
	for _, leaf := range leaves {
		if w := (call.Window{From: leaf.From, To: leaf.To}); leaf.IDFrom == 0 && leaf.IDTo == 0 {
			whole = append(whole, leaf)
		} else {
			parts[w] = append(parts[w], leaf)
		}
	}
	byTime := func(a, b store.Leaf) int { return b.ReadAt.Compare(a.ReadAt) }
	for w, tiles := range parts {
		slices.SortFunc(tiles, byTime)
		open := &gaps{{1, math.MaxInt64}}
		for _, tile := range tiles {
			open.take(gap{max(tile.IDFrom, 1), cmp.Or(tile.IDTo, math.MaxInt64-1) + 1})
			if len(*open) == 0 {
				whole = append(whole, store.Leaf{From: w.From, To: w.To, ReadAt: tile.ReadAt})
				break
			}
		}
	}
	slices.SortFunc(whole, byTime)
	return whole
}

// A gap is a range of numbers, from included and to not.
type gap struct{ from, to int64 }

// gaps are in order and do not touch.
type gaps []gap

// take removes a range and returns what of it was there.
func (g *gaps) take(r gap) (taken []gap) {
	var left gaps
	for _, x := range *g {
		in := gap{max(x.from, r.from), min(x.to, r.to)}
		if in.from >= in.to {
			left = append(left, x)
			continue
		}
		taken = append(taken, in)
		if x.from < in.from {
			left = append(left, gap{x.from, in.from})
		}
		if in.to < x.to {
			left = append(left, gap{in.to, x.to})
		}
	}
	*g = left
	return taken
}

// windows are the gaps as times in microseconds, joined where they touch.
func (g gaps) windows() (out []call.Window) {
	slices.SortFunc(g, func(a, b gap) int { return cmp.Compare(a.from, b.from) })
	for _, x := range g {
		if x.from >= x.to {
			continue
		}
		from, to := time.UnixMicro(x.from).UTC(), time.UnixMicro(x.to-1).UTC()
		if n := len(out); n > 0 && !out[n-1].To.Add(time.Microsecond).Before(from) {
			if to.After(out[n-1].To) {
				out[n-1].To = to
			}
			continue
		}
		out = append(out, call.Window{From: from, To: to})
	}
	return out
}
