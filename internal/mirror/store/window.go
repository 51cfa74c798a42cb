package store

import (
	"context"
	"errors"
	"slices"
	"sort"
	"time"
)

// Calls is how many calls of a source began from one time to another, both
// included. It is counted in memory where the columns are there, since each answer
// tells how many calls its window has: to read them for that alone would be most
// of what the first answer of a process takes.
func (s *Store) Calls(ctx context.Context, source string, from, to time.Time) (n int, err error) {
	err = s.read(ctx, s.quick, func(c *conn) error {
		return c.snapshot(func() error {
			shift, err := c.int(`SELECT value FROM meta WHERE name = 'shift'`)
			if err != nil {
				return err
			}
			if !s.columns.ready(map[string]bool{"source": true}) {
				n, err = c.began(source, nanos(from), nanos(to), shift)
				return err
			}
			r, unlock, err := s.current(c, []string{"source"})
			if errors.Is(err, errInUse) {
				n, err = c.began(source, nanos(from), nanos(to), shift)
				return err
			}
			if err != nil {
				return err
			}
			defer unlock()
			n = r.began(source, nanos(from), nanos(to), shift)
			return nil
		})
	})
	return n, err
}

// began counts the calls of a source by their start, in SQL. The index of sources
// holds ids as well, which tell the start of all but those near the bounds.
func (c *conn) began(source string, from, to, shift int64) (int, error) {
	lo, hi := idsBetween(from, to, shift)
	first, last := lo+shift+1, hi-shift-1 // what lies between began between
	const of = ` AND source = (SELECT id FROM sources WHERE name = ?)`
	const near = `SELECT count(*) FROM calls WHERE id BETWEEN ? AND ? AND start BETWEEN ? AND ?` + of
	if first > last {
		n, err := c.int(near, lo, hi, from, to, source)
		return int(n), err
	}
	between, err := c.int(`SELECT count(*) FROM calls INDEXED BY calls_source WHERE id BETWEEN ? AND ?`+of, first, last, source)
	if err != nil {
		return 0, err
	}
	before, err := c.int(near, lo, first-1, from, to, source)
	if err != nil {
		return 0, err
	}
	after, err := c.int(near, last+1, hi, from, to, source)
	return int(before + between + after), err
}

// began counts the rows of a source by their start.
func (r *rows) began(source string, from, to, shift int64) (n int) {
	k := r.coded["source"]
	code := slices.Index(k.texts, any(source))
	if code < 0 {
		return 0
	}
	lo, hi := idsBetween(from, to, shift)
	for i := sort.Search(len(r.ids), func(i int) bool { return r.ids[i] >= lo }); i < len(r.ids) && r.ids[i] <= hi; i++ {
		if k.of[i] == uint32(code) && r.start[i] >= from && r.start[i] <= to {
			n++
		}
	}
	return n
}
