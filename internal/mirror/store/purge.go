package store

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// Purge removes calls, without a trace: no byte of what was said in them is left
// in the files when it returns without an error. It returns how many it removed,
// also with an error where only their traces are left: of these, and of those that
// Commits left, the next Purge rids the files, whatever it selects. Each rewrites
// the index of words, 5 s for 100,000 calls, while others read and write. What the
// upstream still has comes back with the next sync.
func (s *Store) Purge(ctx context.Context, sel Selection) (removed int, err error) {
	return s.purgeAll(ctx, sel, func(call.ID, string) {})
}

// purgeAll is Purge; found hears of the calls that are forgotten.
func (s *Store) purgeAll(ctx context.Context, sel Selection, found func(id call.ID, callID string)) (removed int, err error) {
	if where, _ := sel.where(nil); where == "" {
		return 0, nil
	}
	err = s.write(ctx, func(c *conn) error {
		err := c.transact(func() error {
			removed = 0
			where, args, err := c.whereOf(sel)
			if err == nil && sel.forget {
				err = c.remember(sel, where, args, found)
			}
			if err != nil {
				return err
			}
			return s.purge(c, where, args, &removed)
		})
		if err != nil {
			removed = 0
			s.ids.forget()
			s.terms.forget()
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return removed, s.erase(ctx)
}

// whereOf is the condition that sel stands for.
func (c *conn) whereOf(sel Selection) (sql string, args []any, err error) {
	var numbers []string
	if sel.Number != "" {
		if numbers, err = c.spellings(sel.Number); err != nil {
			return "", nil, err
		}
	}
	sql, args = sel.where(numbers)
	return sql, args, nil
}

// where is the condition that sel stands for, "" for no call; numbers are the
// spellings of its number.
func (sel Selection) where(numbers []string) (sql string, args []any) {
	var parts []string
	add := func(part string, values ...any) {
		parts, args = append(parts, part), append(args, values...)
	}
	if sel.Source != "" {
		add(`source = (SELECT id FROM sources WHERE name = ?)`, sel.Source)
	}
	if !sel.Before.IsZero() {
		add(`start < ?`, nanos(sel.Before))
	}
	if sel.Number != "" {
		values := make([]any, len(numbers))
		for i, n := range numbers {
			values[i] = n
		}
		add(`customer IN (`+strings.TrimSuffix(strings.Repeat(`?,`, len(values)), ",")+`)`, values...)
	}
	if len(sel.IDs) > 0 {
		var ids []string
		for _, id := range sel.IDs {
			ids = append(ids, `((key = ? OR call_id = ?) AND source = (SELECT id FROM sources WHERE name = ?))`)
			args = append(args, sortableKey(id.Key), id.Key, id.Source)
		}
		parts = append(parts, "("+strings.Join(ids, " OR ")+")")
	}
	if len(parts) == 0 && sel.All {
		return "1", nil
	}
	return strings.Join(parts, " AND "), args
}

func (s *Store) purge(c *conn, where string, args []any, removed *int) error {
	rev, err := c.int(`SELECT value FROM meta WHERE name = 'rev'`)
	if err != nil {
		return err
	}
	var ids []int64
	bySource := map[int64]int64{}
	err = c.each(`SELECT id, source FROM calls WHERE `+where, args, func(stmt *sqlite3.Stmt) (bool, error) {
		ids = append(ids, stmt.ColumnInt64(0))
		bySource[stmt.ColumnInt64(1)]++
		return true, nil
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	b := &batch{store: s, conn: c, rev: rev, index: map[int64]*entry{}}
	for _, id := range ids {
		if err := b.remove(id); err != nil {
			return err
		}
	}
	for source, n := range bySource {
		if err := c.do(`UPDATE sources SET calls = calls - ? WHERE id = ?`, n, source); err != nil {
			return err
		}
	}
	if err := c.do(`UPDATE meta SET value = ? WHERE name = 'rev'`, b.rev); err != nil {
		return err
	}
	// Leaves say what was read, and what is gone has to be read again.
	if err := dropLeaves(c, bySource, ids); err != nil {
		return err
	}
	if err := b.reindex(); err != nil {
		return err
	}
	*removed = len(ids)
	return s.sweep(c, &b.traces)
}

// dropLeaves takes away the leaves that held one of ids.
func dropLeaves(c *conn, sources map[int64]int64, ids []int64) error {
	from, to := slices.Min(ids), slices.Max(ids)
	for source := range sources {
		err := c.do(`DELETE FROM leaves WHERE source = ? AND since <= ? AND until >= ?`, source, nanos(time.UnixMilli((to+1)<<tick)), nanos(time.UnixMilli(from<<tick).Add(-time.Hour)))
		if err != nil {
			return err
		}
	}
	return nil
}

// A SourceStats says what is stored of one source.
type SourceStats struct {
	Name           string
	Calls          int
	Oldest, Newest time.Time // starts; zero where no call has one
	Gone           int       // tombstones
	Committed      time.Time // the last commit; zero where there was none
}

// Stats say what is stored.
type Stats struct {
	Path    string // "" in memory
	Bytes   int64  // of all files
	Sources []SourceStats
}

// Stats reads what is stored, by source.
func (s *Store) Stats(ctx context.Context) (out Stats, err error) {
	err = s.read(ctx, s.readers, func(c *conn) error {
		out = Stats{Path: s.path}
		return c.snapshot(func() error {
			return c.each(`SELECT s.name, s.calls, s.committed,
				(SELECT start FROM calls WHERE source = s.id AND id > ?1 ORDER BY id LIMIT 1),
				(SELECT start FROM calls WHERE source = s.id AND id > ?1 ORDER BY id DESC LIMIT 1),
				(SELECT count(*) FROM tombs WHERE source = s.id) FROM sources s ORDER BY s.name`, []any{noStart}, func(stmt *sqlite3.Stmt) (bool, error) {
				at := func(col int) time.Time {
					if stmt.ColumnType(col) == sqlite3.NULL {
						return time.Time{}
					}
					return instantOf(stmt.ColumnInt64(col))
				}
				out.Sources = append(out.Sources, SourceStats{
					Name: stmt.ColumnText(0), Calls: stmt.ColumnInt(1), Committed: at(2), Oldest: at(3), Newest: at(4), Gone: stmt.ColumnInt(5),
				})
				return true, nil
			})
		})
	})
	if err != nil || s.path == "" {
		return out, err
	}
	for _, name := range []string{s.path, s.path + "-wal", s.path + "-shm"} {
		info, err := os.Stat(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return out, &call.Error{Kind: call.Unavailable, Msg: "The size of the local copy is unknown.", Err: err}
		}
		out.Bytes += info.Size()
	}
	return out, nil
}
