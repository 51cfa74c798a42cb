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
