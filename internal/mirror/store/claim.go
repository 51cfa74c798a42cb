package store

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/filter"
)

// A scope is what of a source the copy is filled with, in words that are the same
// for the same calls. The file keeps the scope of each source, and counts under
// claimCount how often they changed.
const (
	scopePrefix = "scope/"
	claimCount  = "claims"
)

// ErrScope says that the file was filled for other sources, projects or agents
// than the ones that were claimed.
var ErrScope = &BrokenError{
	Reason: "it was filled for other projects or agents", Remedy: "Give this server a file of its own by --mirror PATH.",
	Err: errors.New("store: the copy is of other projects or agents than are configured"),
}

// A claim is what a Store answers for.
type claim struct {
	scopes map[string]string
	count  int64 // of the file, when its scopes were these
	only   []any // the names of scopes, where the file has other sources, too
}

// Claim says what each source is filled with from now on, and removes what it was
// filled with for another scope, without a trace: calls, tombstones and what is
// covered. It is for who holds the Lock. What it does not name stays in the file
// and is not answered.
func (s *Store) Claim(ctx context.Context, scopes map[string]string) (removed int, err error) {
	err = s.write(ctx, func(c *conn) error {
		err := c.transact(func() error {
			removed = 0
			changed := false
			for _, name := range slices.Sorted(maps.Keys(scopes)) {
				is, found, err := c.scope(name)
				if err != nil {
					return err
				}
				if found && is == scopes[name] {
					continue
				}
				n, err := s.clear(c, name)
				if err != nil {
					return err
				}
				removed, changed = removed+n, true
				if err := c.do(`INSERT INTO meta VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2`, scopePrefix+name, scopes[name]); err != nil {
					return err
				}
			}
			if !changed {
				return nil
			}
			return c.do(`INSERT INTO meta VALUES(?, 1) ON CONFLICT(name) DO UPDATE SET value = value + 1`, claimCount)
		})
		if err != nil {
			s.ids.forget()
			s.terms.forget()
			return err
		}
		return s.remember(c, scopes)
	})
	if err != nil || removed == 0 {
		return 0, err
	}
	return removed, s.erase(ctx)
}

// Expect makes what is read be of these scopes: it returns ErrScope where the
// file was filled for others, and so does every later question once it is.
func (s *Store) Expect(ctx context.Context, scopes map[string]string) error {
	return s.read(ctx, s.quick, func(c *conn) error { return s.expect(c, scopes) })
}

func (s *Store) expect(c *conn, scopes map[string]string) error {
	return c.snapshot(func() error {
		for name, want := range scopes {
			is, found, err := c.scope(name)
			if err != nil {
				return err
			}
			if found && is != want {
				return ErrScope
			}
		}
		return s.remember(c, scopes)
	})
}

// scope is what a source is filled with, as far as anybody said. What was filled
// before scopes were kept is of everything.
func (c *conn) scope(name string) (scope string, found bool, err error) {
	found, err = c.first(`SELECT value FROM meta WHERE name = ?`, []any{scopePrefix + name}, func(stmt *sqlite3.Stmt) { scope = stmt.ColumnText(0) })
	if err != nil || found {
		return scope, found, err
	}
	found, err = c.first(`SELECT 1 FROM sources WHERE name = ?`, []any{name}, func(*sqlite3.Stmt) {})
	return "", found, err
}

// clear removes all of a source.
func (s *Store) clear(c *conn, name string) (removed int, err error) {
	id, err := c.int(`SELECT ifnull((SELECT id FROM sources WHERE name = ?), -1)`, name)
	if err != nil || id < 0 {
		return 0, err
	}
	if err := s.purge(c, `source = ?`, []any{id}, &removed); err != nil {
		return 0, err
	}
	for _, sql := range []string{`DELETE FROM leaves WHERE source = ?`, `DELETE FROM tombs WHERE source = ?`, `UPDATE sources SET state = NULL WHERE id = ?`} {
		if err := c.do(sql, id); err != nil {
			return 0, err
		}
	}
	return removed, nil
}

func (s *Store) remember(c *conn, scopes map[string]string) error {
	own := claim{scopes: scopes}
	var err error
	if own.count, err = c.claims(); err != nil {
		return err
	}
	others := false
	err = c.each(`SELECT name FROM sources`, nil, func(stmt *sqlite3.Stmt) (bool, error) {
		_, known := scopes[stmt.ColumnText(0)]
		others = others || !known
		return true, nil
	})
	if err != nil {
		return err
	}
	if others {
		for _, name := range slices.Sorted(maps.Keys(scopes)) {
			own.only = append(own.only, name)
		}
	}
	s.claimed.Store(&own)
	return nil
}

// own is where for the sources that were claimed.
func (s *Store) own(where filter.Expr) filter.Expr {
	if own := s.claimed.Load(); own != nil && own.only != nil {
		return filter.All(filter.Cond{Field: "source", Op: filter.In, Value: own.only}, where)
	}
	return where
}

// claims is how often the scopes of the file changed.
func (c *conn) claims() (int64, error) {
	return c.int(`SELECT ifnull((SELECT value FROM meta WHERE name = ?), 0)`, claimCount)
}

// still runs f while the file is of the scopes that were claimed: an answer during
// which another process filled it for others is lost, and f asked again.
func (s *Store) still(c *conn, f func(*conn) error) error {
	for range 3 {
		own := s.claimed.Load()
		if own == nil || s.path == "" {
			return f(c)
		}
		count, err := c.claims()
		if err != nil {
			return err
		}
		if count != own.count {
			if err := s.expect(c, own.scopes); err != nil {
				return err
			}
			continue
		}
		if err := f(c); err != nil {
			return err
		}
		if count, err = c.claims(); err != nil || count == own.count {
			return err
		}
	}
	return ErrScope
}
