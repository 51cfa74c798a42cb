package store

import (
	"context"
	"time"

	"github.com/ncruces/go-sqlite3"
)

func (b *batch) leaf(l Leaf) error {
	from, to := nanos(l.From), nanos(l.To)
	err := b.conn.do(`DELETE FROM leaves WHERE source = ?1 AND since >= ?2 AND until <= ?3
		AND (?4 = 0 OR id_from >= ?4) AND (?5 = 0 OR id_to <> 0 AND id_to <= ?5)`, b.source, from, to, l.IDFrom, l.IDTo)
	if err != nil {
		return err
	}
	return b.conn.do(`INSERT INTO leaves(source, since, until, id_from, id_to, read_at, calls) VALUES(?, ?, ?, ?, ?, ?, ?)`,
		b.source, from, to, l.IDFrom, l.IDTo, nanos(l.ReadAt), l.Calls)
}

// Leaves returns the leaves of a source that touch a span of time, by From.
func (s *Store) Leaves(ctx context.Context, source string, from, to time.Time) (leaves []Leaf, err error) {
	err = s.read(ctx, s.quick, func(c *conn) error {
		leaves = nil
		return c.each(`SELECT since, until, id_from, id_to, read_at, calls FROM leaves
			WHERE source = (SELECT id FROM sources WHERE name = ?) AND since <= ? AND until >= ? ORDER BY since, until, id_from`,
			[]any{source, nanos(to), nanos(from)}, func(stmt *sqlite3.Stmt) (bool, error) {
				leaves = append(leaves, Leaf{
					From: instantOf(stmt.ColumnInt64(0)), To: instantOf(stmt.ColumnInt64(1)), IDFrom: stmt.ColumnInt64(2), IDTo: stmt.ColumnInt64(3),
					ReadAt: instantOf(stmt.ColumnInt64(4)), Calls: stmt.ColumnInt(5),
				})
				return true, nil
			})
	})
	return leaves, err
}
