package store

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/ncruces/go-sqlite3"
)

// The index of words only marks what is deleted: a tombstone hides an entry,
// whose words stay in their segment until it is merged. FTS5 takes a segment's
// tombstones away together with the segment, when a merge that left the hidden
// entries out is done. So words that must go are in the file as long as there
// are tombstones; the database tells so itself, also after a crash.

// buriedIn are the segments that have tombstones: pages of these are rows of
// words_data from segment number 65536 on, each of which has 2^37 ids.
const buriedIn = `SELECT DISTINCT id >> 37 FROM words_data WHERE id >= 65536 << 37`

const (
	mergePages = 500  // that one transaction of a merge writes: some 50 ms
	mergeFrom  = 20   // times that a merge is begun while others write
	promptly   = 2000 // calls up to which a Commit merges the index: a tenth of a second
)

// erase brings what was taken away out of the index, and then out of every file:
// the log beside the database, whose pages are written over, is moved into it and
// emptied. It lets others write between its steps, waits for readers, and gives
// up where they stay. Stopped at any point, the next one goes on.
func (s *Store) erase(ctx context.Context) error {
	if s.path == "" {
		return nil
	}
	if err := s.eraseWords(ctx); err != nil {
		return err
	}
	if err := s.write(ctx, rewriteTerms); err != nil {
		return err
	}
	return s.write(ctx, s.emptyLog)
}

// rewriteTerms writes the vocabulary anew. secure_delete zeroes what is deleted,
// but a page that was rebalanced before may keep an old copy of a word in its
// unallocated space, where nothing finds it but a look at the bytes.
func rewriteTerms(c *conn) error {
	return c.transact(func() error {
		return c.Exec(`
CREATE TABLE rewritten(term TEXT PRIMARY KEY, stem TEXT NOT NULL, calls INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO rewritten SELECT * FROM terms ORDER BY term;
DROP TABLE terms;
ALTER TABLE rewritten RENAME TO terms;
CREATE INDEX terms_stem ON terms(stem);`)
	})
}

// eraseAfter is what a Commit does of erase: where the index is large, its words
// are left to the next Purge, since merging costs some 45 µs for each call.
func (s *Store) eraseAfter(ctx context.Context) error {
	if s.path == "" {
		return nil
	}
	calls := int64(0)
	err := s.write(ctx, func(c *conn) (err error) {
		calls, err = c.int(`SELECT sum(calls) FROM sources`)
		if err == nil && calls > s.prompt {
			err = s.emptyLog(c)
		}
		return err
	})
	if err != nil || calls > s.prompt {
		return err
	}
	return s.erase(ctx)
}

func (s *Store) emptyLog(c *conn) error {
	busy := int64(1)
	_, err := c.first(`PRAGMA wal_checkpoint(TRUNCATE)`, nil, func(stmt *sqlite3.Stmt) { busy = stmt.ColumnInt64(0) })
	if err == nil && busy != 0 {
		err = fmt.Errorf("store: what was taken away is still in %s-wal, since another process reads: it goes when that is done", s.path)
	}
	return err
}

// eraseWords merges all segments of the index into one, step by step, until
// those that have tombstones now are gone.
func (s *Store) eraseWords(ctx context.Context) error {
	var buried map[int64]bool
	for range mergeFrom {
		for begin, moved := true, true; moved; begin = false {
			err := s.write(ctx, func(c *conn) error {
				now, err := c.buried()
				if buried == nil {
					buried = now
				}
				maps.DeleteFunc(buried, func(segment int64, _ bool) bool { return !now[segment] })
				if err == nil && len(buried) > 0 {
					moved, err = c.mergeWords(begin, mergePages)
				}
				return err
			})
			if err != nil || len(buried) == 0 {
				return err
			}
		}
	}
	return errors.New("store: words that were taken away are still in the index, since others write at once: the next purge goes on")
}

func (c *conn) buried() (segments map[int64]bool, err error) {
	segments = map[int64]bool{}
	return segments, c.each(buriedIn, nil, func(stmt *sqlite3.Stmt) (bool, error) {
		segments[stmt.ColumnInt64(0)] = true
		return true, nil
	})
}

// mergeWords writes that many pages of a merge of all segments, which it begins
// or goes on with, and says whether there was something to merge.
func (c *conn) mergeWords(begin bool, pages int) (moved bool, err error) {
	err = c.transact(func() error {
		if begin {
			// A segment that is merged alone goes up one level each time, and FTS5
			// takes an index of 2000 levels for a damaged one; two or more stay
			// below 65. So there is a second, of a row that is not there.
			if err := c.do(`INSERT INTO words(rowid, other) VALUES(0, ?)`, separator); err != nil {
				return err
			}
			if err := c.do(`DELETE FROM words WHERE rowid = 0`); err != nil {
				return err
			}
			pages = -pages
		}
		was := c.TotalChanges()
		err := c.do(`INSERT INTO words(words, rank) VALUES('merge', ?)`, pages)
		moved = c.TotalChanges()-was > 1 // one is the statement's own
		return err
	})
	return moved, err
}
