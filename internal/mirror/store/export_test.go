package store

import (
	"context"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"
)

// Small sets up to how many calls a store counts as small, for tests of how it
// behaves with many.
func (s *Store) Small(calls int) { s.small = int64(calls) }

// Prompt sets up to how many calls a Commit merges the index of words.
func (s *Store) Prompt(calls int) { s.prompt = int64(calls) }

// Levels is how many levels the index of words has, below 128.
func (s *Store) Levels(t testing.TB) (n int) {
	require.NoError(t, s.write(context.Background(), func(c *conn) error {
		_, err := c.first(`SELECT substr(block, 9, 1) FROM words_data WHERE id = 10`, nil, func(stmt *sqlite3.Stmt) { n = int(stmt.ColumnRawBlob(0)[0]) })
		return err
	}))
	return n
}

// Spend is what a question may take from now on.
func (s *Store) Spend(d time.Duration) { s.spend = d }

// Age gives the copy an index that split words otherwise.
func (s *Store) Age(t testing.TB) {
	require.NoError(t, s.write(context.Background(), func(c *conn) error {
		return c.transact(func() error {
			return c.Exec(`INSERT INTO words(words) VALUES('delete-all'); DELETE FROM terms; DELETE FROM meta WHERE name = 'index';
				INSERT INTO words(rowid, agent, caller, tool, payload, system, other) SELECT id, 'otherwise', '', '', '', '', '' FROM calls;
				UPDATE calls SET said = 0`)
		})
	}))
}

// Impatient makes questions about words wait for a new index no longer than this.
func (s *Store) Impatient(patience time.Duration) { s.patience = patience }

// IndexSome makes a part of the index anew, and says whether there is more.
func (s *Store) IndexSome(t testing.TB) bool {
	more, err := s.indexSome(context.Background())
	require.NoError(t, err)
	return more
}

// OpenIdle opens a store that does not make its index anew in the background.
func OpenIdle(t testing.TB, path string) *Store {
	s, err := open(context.Background(), Options{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}
