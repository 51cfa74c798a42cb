package store

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// wordsVersion counts the ways in which package call has split and folded words.
const wordsVersion = "2"

// An indexing makes the index of words anew where it was made as another version
// says: what words are, and which of them a View hides. It goes through the calls
// by id, some at a time, each lot with the mark of how far it came in one
// transaction, so that it goes on where it was stopped, in any process. Questions
// about words wait for it, and are refused where it takes long: half an index
// would answer with too little.
type indexing struct {
	version string
	done    atomic.Bool
	work    sync.WaitGroup
	mu      sync.Mutex
	err     error // of the last lot
}

const (
	indexedAtOnce = 500                   // calls
	indexPatience = 20 * time.Second      // of a question
	indexLook     = 25 * time.Millisecond // between two looks whether it is done
	indexRest     = time.Second           // after a failure
)

// What meta says of the index: as which version it is, and while it is made anew
// as which and up to which call.
const (
	indexIs   = "index"
	indexTo   = "indexing"
	indexUpTo = "indexed"
)

func (c *conn) meta(name string) (value string, err error) {
	_, err = c.first(`SELECT value FROM meta WHERE name = ?`, []any{name}, func(stmt *sqlite3.Stmt) { value = stmt.ColumnText(0) })
	return value, err
}

func (c *conn) setMeta(name string, value any) error {
	return c.do(`REPLACE INTO meta VALUES(?, ?)`, name, value)
}

// indexedAs notes what the index is to be made as, if it is not.
func (s *Store) indexedAs(c *conn) error {
	is, err := c.meta(indexIs)
	if err != nil || is == s.index.version {
		s.index.done.Store(err == nil)
		return err
	}
	return c.transact(func() error {
		calls, err := c.int(`SELECT count(*) FROM calls`)
		if err != nil {
			return err
		}
		if calls == 0 {
			s.index.done.Store(true)
			return c.setMeta(indexIs, s.index.version)
		}
		if to, err := c.meta(indexTo); err != nil || to == s.index.version {
			return err // it goes on
		}
		if err := c.do(`DELETE FROM terms`); err != nil {
			return err
		}
		if err := c.setMeta(indexTo, s.index.version); err != nil {
			return err
		}
		return c.setMeta(indexUpTo, int64(math.MinInt64))
	})
}

// indexOn goes on with the index in the background, if it is not made.
func (s *Store) indexOn() {
	if s.index.done.Load() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.index.work.Go(func() {
		select {
		case <-s.closed:
			cancel()
		case <-ctx.Done():
		}
	})
	s.index.work.Go(func() {
		defer cancel()
		for {
			more, err := s.indexSome(ctx)
			s.index.mu.Lock()
			s.index.err = err
			s.index.mu.Unlock()
			if err == nil && !more {
				return
			}
			rest := time.Duration(0)
			if err != nil {
				rest = indexRest
			}
			select {
			case <-s.closed:
				return
			case <-time.After(rest):
			}
		}
	})
}

// indexSome indexes some calls, and says whether there may be more.
func (s *Store) indexSome(ctx context.Context) (more bool, err error) {
	err = s.write(ctx, func(c *conn) error {
		err := c.transact(func() error {
			to, err := c.meta(indexTo)
			if more = to == s.index.version; err != nil || !more {
				return err // it is made, or another process makes it otherwise
			}
			last, err := c.int(`SELECT value FROM meta WHERE name = ?`, indexUpTo)
			if err != nil {
				return err
			}
			if last, more, err = s.indexBehind(c, last); err != nil {
				return err
			}
			if more {
				return c.setMeta(indexUpTo, last)
			}
			if err := s.terms.write(c); err != nil {
				return err
			}
			if err := c.do(`DELETE FROM meta WHERE name IN (?, ?)`, indexTo, indexUpTo); err != nil {
				return err
			}
			return c.setMeta(indexIs, s.index.version)
		})
		if err != nil {
			s.terms.forget()
		}
		return err
	})
	return more, err
}

// indexBehind indexes the first calls behind an id, and returns the last of them.
func (s *Store) indexBehind(c *conn, id int64) (last int64, more bool, err error) {
	var ids, words []int64
	err = c.each(`SELECT id, said FROM calls WHERE id > ? ORDER BY id LIMIT ?`, []any{id, indexedAtOnce}, func(stmt *sqlite3.Stmt) (bool, error) {
		ids, words = append(ids, stmt.ColumnInt64(0)), append(words, stmt.ColumnInt64(1))
		return true, nil
	})
	if err != nil || len(ids) == 0 {
		return id, false, err
	}
	entries := make([]*entry, len(ids))
	if err := c.loadAll(ids, func(i int, l *call.Log) { entries[i] = &entry{log: l} }); err != nil {
		return id, false, err
	}
	said := make([]tally, runtime.GOMAXPROCS(0)) // of each worker
	for worker := range said {
		said[worker] = tally{}
	}
	ahead(len(entries), func(worker, i int) { entries[i].split(said[worker], s.view) })()
	b := &batch{store: s, conn: c, index: map[int64]*entry{}}
	for i, e := range entries {
		if e.words != words[i] {
			b.drop, b.index[ids[i]] = append(b.drop, ids[i]), e
			if err := c.do(`UPDATE calls SET said = ? WHERE id = ?`, e.words, ids[i]); err != nil {
				return id, false, err
			}
		}
	}
	if err := s.countTerms(c, said, len(ids)); err != nil {
		return id, false, err
	}
	return ids[len(ids)-1], true, b.reindex()
}

// awaitIndex waits until the index of words is made.
func (s *Store) awaitIndex(ctx context.Context) error {
	patience := time.After(s.patience)
	for !s.index.done.Load() {
		err := s.read(ctx, s.quick, func(c *conn) error {
			is, err := c.meta(indexIs)
			s.index.done.Store(err == nil && is == s.index.version)
			return err
		})
		if err != nil || s.index.done.Load() {
			return err
		}
		select {
		case <-time.After(indexLook):
		case <-ctx.Done():
			return call.Stopped(ctx.Err())
		case <-patience:
			return s.unindexed(ctx)
		}
	}
	return nil
}

// unindexed refuses a question about words, and says how much of the index is made.
func (s *Store) unindexed(ctx context.Context) error {
	share := int64(0)
	err := s.read(ctx, s.quick, func(c *conn) (err error) {
		share, err = c.int(`SELECT (SELECT count(*) FROM calls WHERE id <= value) * 100 / max(1, (SELECT count(*) FROM calls)) FROM meta WHERE name = ?`, indexUpTo)
		return err
	})
	if err != nil {
		return err
	}
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	return &call.Error{
		Kind: call.Unavailable, Err: s.index.err,
		Msg:  fmt.Sprintf("After an update the index of what was said is made anew: %d %% are done.", share),
		Hint: "Ask again in a minute. Lists, filters and read_transcript answer meanwhile.",
	}
}
