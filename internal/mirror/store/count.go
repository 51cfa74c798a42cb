package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// How much is done for the number of matches alone.
const (
	maxCount = 1000 // matches of words
	maxSome  = 1000 // calls that a filter is tried on
	// smallCache is up to how many calls columns are read into memory to count;
	// of more, where a question for counts has them there already.
	smallCache = 100_000
)

// count finds the total of a question of whose answer found places are known:
// exactly where that is cheap or demanded.
func (x *question) count(p *call.Page, found int) error {
	n, known, err := int64(found), found <= x.limit, error(nil)
	switch {
	case known:
	case x.q.Exhaust:
		known = true
		n, err = x.int(`SELECT count(*) FROM `+x.table+` WHERE `+x.sql+x.within(), x.args...)
	case x.q.Text == nil && x.q.Where == nil:
		known = true
		n, err = x.int(`SELECT sum(calls) FROM sources`)
	case x.q.Text == nil:
		n, known, err = x.countColumns()
	case x.q.Where == nil: // no need to look at the calls themselves
		n, err = x.int(`SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)`, x.args[0], maxCount+1)
		known = n <= maxCount
	default:
		n, known, err = x.countSome()
	}
	if err != nil {
		return err
	}
	if known {
		p.Total = new(int(n))
	} else {
		p.Notes = append(p.Notes, fmt.Sprintf("at least %d match; they were not all counted", max(n, int64(found))))
	}
	return nil
}

// countColumns counts with the columns in memory, where they are read already
// or soon are.
func (x *question) countColumns() (n int64, known bool, err error) {
	need := map[string]bool{}
	if !tested(x.q.Where, need) {
		return x.countSome()
	}
	calls, err := x.int(`SELECT sum(calls) FROM sources`)
	if err != nil {
		return 0, false, err
	}
	if calls > smallCache && !x.store.columns.ready(need) {
		return x.countSome()
	}
	r, unlock, err := x.store.current(x.conn, keysOf(need))
	if err != nil {
		return 0, false, err
	}
	defer unlock()
	picked, err := r.selected(x.conn, x.q.Where, x.lo, x.hi)
	return int64(len(picked)), true, err
}

// countSome counts among the first maxSome that may match.
func (x *question) countSome() (n int64, known bool, err error) {
	what, from, args := x.sql, x.table, x.args
	cond := "1"
	if x.q.Text != nil {
		what, args = strings.TrimPrefix(x.sql, matches), append(slices.Clone(x.args[1:]), x.args[0])
		cond = "words MATCH ?"
	}
	query := `SELECT count(*), sum(fits) FROM (SELECT ` + what + ` fits FROM ` + from + ` WHERE ` + cond + x.within() + ` ORDER BY ` + x.id + ` DESC LIMIT ?)`
	_, err = x.first(query, append(slices.Clone(args), maxSome), func(stmt *sqlite3.Stmt) {
		known, n = stmt.ColumnInt64(0) < maxSome, stmt.ColumnInt64(1)
	})
	return n, known, err
}
