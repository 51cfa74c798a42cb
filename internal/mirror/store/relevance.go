package store

import (
	"github.com/ncruces/go-sqlite3/ext/fts5"

	"call-logs-mcp/internal/call"
)

type ranking struct{}
type rankings struct{}


func (c *conn) registerRank(*fts5.API) error { return nil }

func (s *Store) relevant(c *conn, q call.Query) (call.Page, error) { return s.ordered(c, q) }
