package store

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// dictionaryIDs remembers the ids of strings that were written lately, for the
// connection that writes. What it knows ends with a transaction that fails, or
// with a change by another process.
type dictionaryIDs struct {
	rev   int64
	known map[string]int64
}

// maxKnown bounds it; most strings of a copy are a few hundred.
const maxKnown = 50_000

func (d *dictionaryIDs) forget() { d.known, d.rev = nil, -1 }

// begin is told the count of changes that the database is at.
func (d *dictionaryIDs) begin(c *conn, rev int64) error {
	epoch, err := c.int(`SELECT value FROM meta WHERE name = 'epoch'`)
	if err != nil {
		return err
	}
	if d.known == nil || d.rev != rev || len(d.known) > maxKnown || d.known["epoch"] != epoch {
		d.known = map[string]int64{"epoch": epoch}
	}
	d.rev = rev
	return nil
}

// id is the id of value in a table of texts, which it enters if it has to.
func (d *dictionaryIDs) id(c *conn, table, column, value string) (int64, error) {
	return d.lookup(c, table+"\x00"+value,
		fmt.Sprintf(`SELECT id FROM %s WHERE %s = ?`, table, column),
		fmt.Sprintf(`INSERT INTO %s(%s) VALUES(?)`, table, column), value)
}

func (d *dictionaryIDs) definition(c *conn, m *call.Metric) (int64, error) {
	return d.lookup(c, "definitions\x00"+m.ID+"\x00"+m.Name+"\x00"+m.Type,
		`SELECT id FROM definitions WHERE metric = ? AND name = ? AND type = ?`,
		`INSERT INTO definitions(metric, name, type) VALUES(?, ?, ?)`, m.ID, m.Name, m.Type)
}

func (d *dictionaryIDs) lookup(c *conn, name, find, insert string, args ...any) (int64, error) {
	if id, ok := d.known[name]; ok {
		return id, nil
	}
	var id int64
	found, err := c.first(find, args, func(stmt *sqlite3.Stmt) { id = stmt.ColumnInt64(0) })
	if err == nil && !found {
		if err = c.do(insert, args...); err == nil {
			id = c.LastInsertRowID()
		}
	}
	if err == nil {
		d.known[name] = id
	}
	return id, err
}
