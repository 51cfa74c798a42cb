package mirror

import (
	"context"
	"errors"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror/store"
)

// A pass is what is read, and what it means.
type pass struct {
	leaves bool               // all calls of a span are read, so that absent ones are missing
	late   bool               // what is found arrived behind our back
	mark   func(*state, span) // says in the state that a span is done; may be nil
}

// walk reads spans in their order and writes each down as it is read. One that
// cannot be read whole is left for the next time, which begins with it; those
// behind it are read all the same.
func (s *syncer) walk(ctx context.Context, r *run, p pass, spans []span) error {
	var lost *lostError
	todo := slices.Clone(spans)
	slices.Reverse(todo)
	for len(todo) > 0 {
		sp := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		var parts []span
		err := s.alone(ctx, func() (err error) {
			parts, err = s.visit(ctx, r, p, sp)
			return err
		})
		if errors.As(err, &lost) {
			p.mark = nil
			continue
		}
		if err != nil {
			return err
		}
		slices.Reverse(parts)
		todo = append(todo, parts...)
		r.tell(sp)
	}
	if lost != nil {
		return lost
	}
	return nil
}

// visit reads sp and writes it down, or returns the parts to read instead.
func (s *syncer) visit(ctx context.Context, r *run, p pass, sp span) ([]span, error) {
	for again := false; ; again = true {
		got, err := s.read(ctx, r, sp)
		if errors.Is(err, errDeaf) && p.leaves {
			return []span{{a: sp.a, b: sp.b}}, nil
		}
		if err != nil {
			return nil, err
		}
		if got.stuck {
			return nil, s.salvage(ctx, r, got)
		}
		if got.more {
			if parts := s.divide(p, sp, got); parts != nil {
				return parts, nil
			}
			if got, err = s.gather(ctx, r, sp); err != nil {
				return nil, err
			}
		}
		rows, err := s.o.Ledger.Rows(ctx, s.Name, sp.from(), sp.to(), sp.idFrom, sp.idTo)
		if err != nil {
			return nil, err
		}
		// That everything is gone is not believed the first time.
		had := len(rows) + len(s.st.withheldIn(sp))
		if len(got.logs) == 0 && had > 0 && p.leaves && !again {
			continue
		}
		return nil, s.write(ctx, r, p, sp, got, rows)
	}
}

// divide is how to read sp in parts, nil where it cannot be divided.
func (s *syncer) divide(p pass, sp span, got reading) []span {
	if p.late {
		return sp.idParts(got.count, s.PageSize, max(s.st.Top, highest(got.logs)))
	}
	if !s.TimeFilter {
		return nil
	}
	if parts := sp.parts(got.count, s.PageSize); parts != nil {
		return parts
	}
	if s.hears() {
		return sp.halves(got.logs)
	}
	return nil
}

// rereads is how often a page is read again that does not hold as many calls as
// it counts.
const rereads = 3

// read asks for sp once, and again where its count and its calls disagree.
func (s *syncer) read(ctx context.Context, r *run, sp span) (reading, error) {
	if !s.TimeFilter {
		return s.gather(ctx, r, sp)
	}
	for try := 0; ; try++ {
		got, err := s.page(ctx, r, sp.where(), s.PageSize, nil)
		switch {
		case kind(err) == call.TooLarge && sp.b-sp.a > 1:
			return reading{more: true}, nil
		case err != nil:
			return reading{}, err
		case sp.idFrom > 0 && got.more && got.seen > len(got.logs)+2:
			s.deaf = true // it sent what was not asked for
			return reading{}, errDeaf
		case got.more, got.count < 0, got.count == got.seen, try == rereads:
			return got, nil
		}
	}
}

// errDeaf says that an upstream ignores keys.
var errDeaf = &call.Error{Kind: call.Invalid, Msg: "The upstream does not filter by id."}

// chunk is how many calls a transaction holds.
const chunk = 500

// write puts a reading of sp into the ledger. rows are what it had there.
func (s *syncer) write(ctx context.Context, r *run, p pass, sp span, got reading, rows []store.Row) error {
	next := s.st.clone()
	next.Read, next.Top = got.at, max(next.Top, highest(got.logs))
	known := make(map[string]store.Row, len(rows))
	for _, row := range rows {
		known[row.Key] = row
	}
	put := make([]*call.Log, 0, len(got.logs))
	for _, l := range got.logs {
		row, was := known[l.ID.Key]
		if p.late && !was && !l.Sensitive {
			next.await(l, got.at)
		}
		l, err := s.reconcile(ctx, l, row)
		if err != nil {
			return err
		}
		delete(next.Missing, l.ID.Key)
		delete(known, l.ID.Key)
		put = append(put, l)
	}
	next.Owed = len(s.owed)
	if p.leaves {
		next.recall(sp)
	}
	next.withhold(got.logs)
	change := store.Change{Source: s.Name, ReadAt: got.at}
	if p.leaves {
		for key, row := range known {
			next.miss(key, row.StartedAt)
		}
		r.done, r.ahead = r.done+len(got.logs), 0
		change.Leaf = sp.leaf(got.at, len(got.logs))
		next.reach(sp, got.now)
		if c := next.Cycle; c != nil {
			c.Stored += len(rows)
		}
	}
	if p.mark != nil {
		p.mark(next, sp)
	}
	for len(put) > chunk {
		if err := s.commit(ctx, r, store.Change{Source: s.Name, ReadAt: got.at, Put: put[:chunk]}, s.st.clone()); err != nil {
			return err
		}
		put = put[chunk:]
	}
	change.Put = put
	r.read += len(got.logs)
	return s.commit(ctx, r, change, next)
}

// reach moves the frontier over a span that was read and begins at or before
// it, never past the upstream's own time: calls that begin later are unread.
func (s *state) reach(sp span, now time.Time) {
	if sp.idTo != 0 || sp.from().After(s.Frontier) {
		return
	}
	end := time.Unix(sp.b, 0).UTC()
	if now.Before(end) {
		end = now
	}
	if end.After(s.Frontier) {
		s.Frontier = end
	}
}

// commit writes a change with the state that holds from then on.
func (s *syncer) commit(ctx context.Context, r *run, c store.Change, next *state) error {
	next.Skew, _ = s.clock.off()
	c.Source, c.State = s.Name, next.bytes()
	w, err := s.o.Ledger.Commit(ctx, c)
	if err != nil {
		s.st = nil // it may have been written or not: read it again
		return err
	}
	s.st = next
	r.put += w.Put
	r.gone += w.Gone
	r.purged += w.Purged
	return nil
}
