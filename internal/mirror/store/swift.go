package store

import (
	"context"
	"fmt"
	"sort"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/filter"
)

// swiftly is the condition on words that columns in memory answer. Looking a
// call up in its table for each match of a common word takes ten times longer.
const swiftly = "fits(words.rowid)"

// swift prepares the function fits(id) for the running question, if the columns
// that its filter asks for are in memory: those of few calls are read, those of
// many are on their way for the questions that follow.
func (s *Store) swift(c *conn, where filter.Expr) (bool, error) {
	if c.fits != nil {
		return true, nil
	}
	need := map[string]bool{}
	if where == nil || !tested(where, need) {
		return false, nil
	}
	if !s.columns.ready(need) {
		calls, err := c.int(`SELECT sum(calls) FROM sources`)
		if err != nil {
			return false, err
		}
		if calls > smallCache {
			s.warm(keysOf(need))
			return false, nil
		}
	}
	r, unlock, err := s.current(c, keysOf(need))
	if err != nil {
		return false, err
	}
	fits, at := compileTest(where, r), len(r.ids)
	c.release, c.fits = unlock, func(id int64) bool {
		at = r.near(at, id)
		return at < len(r.ids) && r.ids[at] == id && fits(r, at)
	}
	return true, nil
}

// warm reads columns into memory while others go on.
func (s *Store) warm(columns []string) {
	if !s.columns.warming.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer s.columns.warming.Store(false)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			select {
			case <-s.closed:
				cancel()
			case <-ctx.Done():
			}
		}()
		s.read(ctx, func(c *conn) error { // if it fails, the next question is as slow
			return c.snapshot(func() error {
				_, unlock, err := s.current(c, columns)
				if err == nil {
					unlock()
				}
				return err
			})
		})
	}()
}

// near is the place of id among the ids, or of the next larger one. It looks
// from at on outward: most are asked for in their order.
func (r *rows) near(at int, id int64) int {
	lo, hi, step := at, at, 1
	for lo > 0 && r.ids[lo-1] >= id {
		lo, hi = max(0, lo-step), lo
		step *= 2
	}
	for hi < len(r.ids) && r.ids[hi] < id {
		lo, hi = hi+1, min(len(r.ids), hi+step)
		step *= 2
	}
	return lo + sort.Search(hi-lo, func(i int) bool { return r.ids[lo+i] >= id })
}

func (c *conn) registerFits() error {
	err := c.CreateFunction("fits", 1, sqlite3.DIRECTONLY, func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		ctx.ResultBool(c.fits(arg[0].Int64()))
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}
