package store

import (
	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// indexedAs sees to it that the index of the whole database was made as version
// says: what words are, and which of them a View hides. It reads every call once
// where the version is another, and goes on where it was interrupted.
func (s *Store) indexedAs(c *conn, version string) error {
	was := ""
	_, err := c.first(`SELECT value FROM meta WHERE name = 'index'`, nil, func(stmt *sqlite3.Stmt) { was = stmt.ColumnText(0) })
	if err != nil || was == version {
		return err
	}
	if err := c.transact(func() error { return c.do(`DELETE FROM terms`) }); err != nil {
		return err
	}
	for last, more := int64(-1<<63), true; more; {
		err := c.transact(func() (err error) {
			last, more, err = s.indexSome(c, last)
			return err
		})
		if err != nil {
			s.terms.forget()
			return err
		}
	}
	return c.transact(func() error {
		if err := s.terms.write(c); err != nil {
			return err
		}
		return c.do(`REPLACE INTO meta VALUES('index', ?)`, version)
	})
}

// indexedAtOnce is how many calls are indexed anew in one transaction.
const indexedAtOnce = 500

// indexSome indexes the calls behind the id after, and returns the last of them.
func (s *Store) indexSome(c *conn, after int64) (last int64, more bool, err error) {
	var ids, words []int64
	err = c.each(`SELECT id, said FROM calls WHERE id > ? ORDER BY id LIMIT ?`, []any{after, indexedAtOnce}, func(stmt *sqlite3.Stmt) (bool, error) {
		ids, words = append(ids, stmt.ColumnInt64(0)), append(words, stmt.ColumnInt64(1))
		return true, nil
	})
	if err != nil || len(ids) == 0 {
		return after, false, err
	}
	entries, said := make([]*entry, len(ids)), make([]tally, len(ids))
	err = c.loadAll(ids, func(i int, l *call.Log) {
		entries[i], said[i] = &entry{log: l}, tally{}
		entries[i].split(said[i], s.view)
	})
	if err != nil {
		return after, false, err
	}
	b := &batch{store: s, conn: c, index: map[int64]*entry{}}
	for i, e := range entries {
		if e.words != words[i] {
			b.drop, b.index[ids[i]] = append(b.drop, ids[i]), e
			if err := c.do(`UPDATE calls SET said = ? WHERE id = ?`, e.words, ids[i]); err != nil {
				return after, false, err
			}
		}
	}
	if err := s.countTerms(c, said, len(ids)); err != nil {
		return after, false, err
	}
	return ids[len(ids)-1], len(ids) == indexedAtOnce, b.reindex()
}
