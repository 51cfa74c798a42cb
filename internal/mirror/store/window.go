package store

import (
	"context"
	"slices"
	"sort"
	"time"
)

// Calls is how many calls of a source began from one time to another, both
// included. It is counted in memory, since each answer tells how many calls its
// window has.
func (s *Store) Calls(ctx context.Context, source string, from, to time.Time) (n int, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.snapshot(func() error {
			shift, err := c.int(`SELECT value FROM meta WHERE name = 'shift'`)
			if err != nil {
				return err
			}
			r, unlock, err := s.current(c, []string{"source"})
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
