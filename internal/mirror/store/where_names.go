package store

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/filter"
)

// among compares a column that holds ids of a table of texts. The table is
// small: it is asked which of its texts fit, and the column which it has.
func (w *where) among(c filter.Cond, col, table, value string) string {
	if table == "strings" && filter.Names(c.Field) && (c.Op == filter.Eq || c.Op == filter.In) {
		return w.named(c, col)
	}
	if s, ok := c.Value.(string); ok && c.Op == filter.Eq && c.View == nil {
		return fmt.Sprintf("%s = (SELECT id FROM %s WHERE %s = %s)", col, table, value, w.bind(s))
	}
	// The + keeps SQLite from the column's index, whose order is not that of time.
	if list, ok := texts(c); ok && c.View == nil {
		return fmt.Sprintf("+%s IN (SELECT id FROM %s WHERE %s IN %s)", col, table, value, w.list(list))
	}
	return fmt.Sprintf("+%s IN (SELECT id FROM %s WHERE %s)", col, table, w.ask(c, textual, value))
}

// named compares a column of names, which are equal where they are shown alike.
// Most names have one spelling: its id is compared, by the column's index.
func (w *where) named(c filter.Cond, col string) string {
	fits := asked{cond: c}
	var ids []string
	err := w.conn.each(`SELECT id, value FROM strings`, nil, func(stmt *sqlite3.Stmt) (bool, error) {
		if fits.holds(stmt.ColumnText(1)) {
			ids = append(ids, stmt.ColumnText(0))
		}
		return true, nil
	})
	w.err = cmp.Or(w.err, err)
	switch len(ids) {
	case 0:
		return "0"
	case 1:
		return col + " = " + ids[0]
	}
	return "+" + col + " IN (" + strings.Join(ids, ",") + ")" // see among
}
