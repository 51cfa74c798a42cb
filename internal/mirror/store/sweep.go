package store

import "github.com/ncruces/go-sqlite3"

// truncate moves the log beside the database into it, and empties that: what
// was purged may still be written there. It does what it can while others read.
func (s *Store) truncate(c *conn) error {
	if s.path == "" {
		return nil
	}
	return c.do(`PRAGMA wal_checkpoint(TRUNCATE)`)
}

// sweep takes away the texts that no call has any more.
func (s *Store) sweep(c *conn) error {
	s.ids.forget()
	return c.each(`SELECT 1`, nil, func(*sqlite3.Stmt) (bool, error) { return false, nil })
}
