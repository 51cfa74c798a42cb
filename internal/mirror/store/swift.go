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

// A memo is what the running question reads from the columns in memory.
type memo struct {
	fits    func(id int64) bool    // whether the filter lets a call through; nil where SQL has to say
	length  func(id int64) float32 // of a call in words; nil where the index has to say
	release func()                 // unlocks the columns; nil where none are locked
}

// recall prepares c's memo, if the columns that are asked for are in memory:
// those of few calls are read, those of many are on their way for the questions
// that follow.
func (s *Store) recall(c *conn, where filter.Expr, lengths bool) error {
	need := map[string]bool{}
	tests := where != nil && tested(where, need)
	if !tests {
		clear(need)
	}
	if lengths {
		need[lengthColumn] = true
	}
	if len(need) == 0 && !tests {
		return nil
	}
	if ok, err := s.atHand(c, need); err != nil || !ok {
		return err
	}
	r, unlock, err := s.current(c, keysOf(need))
	if err != nil {
		return err
	}
	c.memo.release = unlock
	if at := len(r.ids); tests {
		fits := compileTest(where, r)
		c.memo.fits = func(id int64) bool {
			at = r.near(at, id)
			return at < len(r.ids) && r.ids[at] == id && fits(r, at)
		}
	}
	if at := len(r.ids); lengths {
		of := r.coded[lengthColumn].of
		c.memo.length = func(id int64) float32 {
			if at = r.near(at, id); at < len(r.ids) && r.ids[at] == id {
				return float32(of[at])
			}
			return 0
		}
	}
	return nil
}

// lengthColumn has how many words of each call the index knows, by column.
const lengthColumn = "(SELECT sz FROM words_docsize WHERE id = calls.id)"

// lengthOf is the length of a call from the sizes of its columns, which stand
// one after the other in SQLite's variable-length numbers. What tools are told
// and answer makes no call long.
func lengthOf(sizes []byte) (words uint32) {
	n, col := uint32(0), 0
	for _, b := range sizes {
		n = n<<7 | uint32(b&0x7f)
		if b < 0x80 {
			if col != payloadWords {
				words += n
			}
			n, col = 0, col+1
		}
	}
	return words
}

// atHand reports whether columns are in memory or, of few calls, soon read. Those
// of many are on their way then, for the questions that follow.
func (s *Store) atHand(c *conn, need map[string]bool) (bool, error) {
	if s.columns.ready(need) {
		return true, nil
	}
	calls, err := c.int(`SELECT sum(calls) FROM sources`)
	if err != nil || calls <= s.small {
		return err == nil, err
	}
	s.warm(keysOf(need))
	return false, nil
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
		s.read(ctx, s.readers, func(c *conn) error { // if it fails, the next question is as slow
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
		ctx.ResultBool(c.memo.fits(arg[0].Int64()))
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}
