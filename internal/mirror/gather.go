package mirror

import (
	"context"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
)

// walks bounds how often gather goes through a list that does not stand still.
const walks = 6

// gather pages through sp until two walks in a row met the same calls: the way
// to read what one page does not hold and no question divides. Where none did,
// it is what either of the last two met, if the list has an order: then each walk
// meets all that stood still meanwhile.
func (s *syncer) gather(ctx context.Context, r *run, sp span) (reading, error) {
	last, err := s.whole(ctx, r, sp, 0)
	for n := 2; err == nil; n++ {
		var got reading
		if got, err = s.whole(ctx, r, sp, len(last.logs)); err != nil {
			break
		}
		if agree(last, got) {
			return got, nil
		}
		switch {
		case n < walks:
		case s.loose:
			return reading{}, s.lost("its list has no order and does not stand still")
		default:
			got.at, got.logs = last.at, union(got.logs, last.logs)
			return got, nil
		}
		last = got
	}
	return reading{}, err
}

// agree reports whether two walks met the same calls. What is said of a call may
// have changed, and is as the later walk has it; calls that began since the
// earlier one are no disagreement.
func agree(earlier, later reading) bool {
	starts := map[string]time.Time{}
	for _, l := range earlier.logs {
		if l.StartedAt.Before(earlier.at) {
			starts[l.ID.Key] = l.StartedAt
		}
	}
	for _, l := range later.logs {
		if !l.StartedAt.Before(earlier.at) {
			continue
		}
		if start, met := starts[l.ID.Key]; !met || !start.Equal(l.StartedAt) {
			return false
		}
		delete(starts, l.ID.Key)
	}
	return len(starts) == 0
}

// union is logs and what is only in others.
func union(logs, others []*call.Log) []*call.Log {
	met := map[string]bool{}
	for _, l := range logs {
		met[l.ID.Key] = true
	}
	for _, l := range others {
		if !met[l.ID.Key] {
			logs = append(logs, l)
		}
	}
	return logs
}

// pagesAtOnce is how many pages are asked for as one where a client has to walk
// through them anyway: each question makes it look for its place again.
const pagesAtOnce = 10

// wide is how many calls are asked for at once where a list has no order: the
// whole of it is read for each answer, so there should be one.
const wide = 20000

// whole is one walk through all of sp, behind one that met so many calls.
func (s *syncer) whole(ctx context.Context, r *run, sp span, before int) (reading, error) {
	all, err := s.pages(ctx, r, sp, before)
	if err == nil && all.lost != nil && !s.TimeFilter && !s.loose {
		s.loose = true
		all, err = s.pages(ctx, r, sp, before)
	}
	switch {
	case err != nil:
		return reading{}, err
	case all.lost == nil:
		return all, nil
	}
	return reading{}, s.salvage(ctx, r, all)
}

// salvage keeps what was met of what cannot be read whole, which says nothing of
// the rest, and returns why it cannot.
func (s *syncer) salvage(ctx context.Context, r *run, all reading) error {
	for logs := range slices.Chunk(all.logs, chunk) {
		if err := s.keep(ctx, r, reading{logs: logs, at: all.at}, s.st.clone()); err != nil {
			return err
		}
	}
	return all.lost
}

// pages goes from page to page. Half of it all is done with the first walk.
func (s *syncer) pages(ctx context.Context, r *run, sp span, before int) (all reading, err error) {
	where, limit := sp.where(), s.PageSize
	if !s.hears() {
		where = span{a: sp.a, b: sp.b}.where()
	}
	switch {
	case s.loose:
		limit = wide
	case !s.TimeFilter:
		limit *= pagesAtOnce
	}
	met := map[string]bool{}
	for first, after := true, (*call.Mark)(nil); first || after != nil; first = false {
		got, err := s.page(ctx, r, where, limit, after)
		if err != nil {
			return reading{}, err
		}
		if first {
			all.at, all.count = got.at, got.count
		}
		for _, l := range got.logs {
			if !met[l.ID.Key] {
				met[l.ID.Key] = true
				all.logs = append(all.logs, l)
			}
		}
		if got.next != nil && after != nil && got.next.Compare(after) <= 0 {
			got.next, got.lost = nil, s.lost("it repeats its pages")
		}
		all.now, all.lost, after = got.now, got.lost, got.next
		if after != nil { // else the window is told of as a whole
			r.ahead = max(r.ahead, (before+len(all.logs))/2)
			r.tell(sp)
		}
	}
	all.seen = len(all.logs)
	return all, nil
}

// A lostError says that a list has more than can be read. It concerns what was
// asked for, not the source.
type lostError struct{ cause *call.Error }

func (e *lostError) Error() string { return e.cause.Error() }
func (e *lostError) Unwrap() error { return e.cause }

func (s *syncer) lost(why string) *lostError {
	return &lostError{&call.Error{Kind: call.Unavailable, Msg: s.Name + " did not show all of its calls: " + why + "."}}
}
