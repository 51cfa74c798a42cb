package store

import (
	"context"
	"errors"
	"slices"
	"sort"
	"time"
)

// Calls is how many calls of a source began from one time to another, both
// included. It is counted in memory, since each answer tells how many calls its
// window has.
func (s *Store) Calls(ctx context.Context, source string, from, to time.Time) (n int, err error) {
	err = s.read(ctx, s.quick, func(c *conn) error {
		return c.snapshot(func() error {
			shift, err := c.int(`SELECT value FROM meta WHERE name = 'shift'`)
			if err != nil {
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

// began counts the calls of a source by their start, in SQL.
func (c *conn) began(source string, from, to, shift int64) (int, error) {
	lo, hi := idsBetween(from, to, shift)
	n, err := c.int(`SELECT count(*) FROM calls WHERE id BETWEEN ? AND ? AND start BETWEEN ? AND ? AND source = (SELECT id FROM sources WHERE name = ?)`,
		lo, hi, from, to, source)
	return int(n), err
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
