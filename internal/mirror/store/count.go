package store

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// How much is done for the number of matches alone.
const (
	maxCount = 1000   // matches of words
	maxSome  = 1000   // calls that a filter is tried on
	maxRead  = 40_000 // entries of the index that are read to find them
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
	case x.q.Exhaust, x.q.Count:
		known = true
		if sources, ok := x.windowOf(); ok && !x.store.columns.ready(map[string]bool{"source": true}) {
			n, err = x.beganOf(sources)
			break
		}
		if in, unlock, ok, e := x.inMemory(); e != nil {
			return e
		} else if ok {
			n = int64(len(in.picked))
			unlock()
			break
		}
		n, err = x.int(`SELECT count(*) FROM `+x.table+` WHERE `+x.sql+x.within(), x.args...)
	case x.q.Text == nil && x.q.Where == nil:
		known = true
		n, err = x.int(`SELECT sum(calls) FROM sources`)
	case x.q.Text == nil:
		n, known, err = x.countColumns()
	default:
		n, known, err = x.countSaid()
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

// windowOf are the sources of a question for all of their calls in a window.
func (x *question) windowOf() (sources []string, ok bool) {
	if x.q.Text != nil || x.timeless {
		return nil, false
	}
	_, _, rest := filter.Bounds(x.q.Where, "timestamp")
	ok = true
	err := x.each(`SELECT name FROM sources`, nil, func(stmt *sqlite3.Stmt) (bool, error) {
		name := stmt.ColumnText(0)
		own, asked := filter.Assume(rest, "source", name)
		if asked {
			sources, ok = append(sources, name), ok && own == nil
		}
		return ok, nil
	})
	return sources, ok && err == nil
}

// beganOf counts the calls of sources in the window of the question.
func (x *question) beganOf(sources []string) (sum int64, err error) {
	for _, name := range sources {
		n, err := x.began(name, nanosOr(x.from, math.MinInt64), nanosOr(x.to, math.MaxInt64), x.shift)
		if err != nil {
			return 0, err
		}
		sum += int64(n)
	}
	return sum, nil
}

// countColumns counts with the columns in memory, where they are read already
// or soon are.
func (x *question) countColumns() (n int64, known bool, err error) {
	need := map[string]bool{}
	if !tested(x.q.Where, need) {
		return x.countSome(maxSome)
	}
	calls, err := x.int(`SELECT sum(calls) FROM sources`)
	if err != nil {
		return 0, false, err
	}
	if calls > x.store.small && !x.store.columns.ready(need) {
		return x.countSome(maxSome)
	}
	r, unlock, err := x.store.current(x.conn, keysOf(need))
	if errors.Is(err, errInUse) {
		return x.countSome(maxSome)
	}
	if err != nil {
		return 0, false, err
	}
	defer unlock()
	// Of very many calls the newest are tried, half as many as a small store has.
	lo, known := x.lo, true
	if past := r.near(len(r.ids), x.hi+1) - int(x.store.small)/2; calls > x.store.small && past > 0 && r.ids[past-1] >= lo {
		lo, known = r.ids[past], false
	}
	picked, err := r.selected(x.conn, x.q.Where, lo, x.hi)
	return int64(len(picked)), known, err
}

// countSaid counts the matches of a text, if they are few.
func (x *question) countSaid() (n int64, known bool, err error) {
	most, err := x.countable()
	if err != nil || most == 0 {
		return 0, false, err
	}
	if x.q.Where != nil {
		return x.countSome(min(most, maxSome))
	}
	// No need to look at the calls themselves.
	n, err = x.int(`SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)`, x.args[0], most+1)
	return n, n <= most, err
}

// countable is how many matches of a text are likely found when maxRead entries
// of the index are read: a rare word among common ones makes the index pass by
// all of theirs.
func (x *question) countable() (int64, error) {
	calls, err := x.int(`SELECT sum(calls) FROM sources`)
	if err != nil || calls <= maxRead/2 {
		return maxCount, err
	}
	all, _ := x.q.Text.Terms()
	read, found := 0.0, float64(calls)
	for _, group := range all {
		likely := 0.0
		for _, t := range group {
			entries, rarest := 0.0, float64(calls)
			for _, word := range t.Words {
				n, err := x.int(`SELECT calls FROM terms WHERE term = ?`, word)
				if err != nil {
					return 0, err
				}
				entries, rarest = entries+float64(n+1), min(rarest, float64(n+1))
			}
			if len(t.Words) > 1 {
				rarest /= 10 // a phrase is rarer than its words
			}
			read, likely = read+entries, likely+rarest
		}
		found *= min(1, likely/float64(calls))
	}
	return int64(min(maxCount, maxRead*found/max(1, read))), nil
}

// countSome counts among the first that may match, most of them.
func (x *question) countSome(most int64) (n int64, known bool, err error) {
	what, from, args := x.sql, x.table, x.args
	cond := "1"
	if x.q.Text != nil {
		what, args = strings.TrimPrefix(x.sql, matches), append(slices.Clone(x.args[1:]), x.args[0])
		cond = "words MATCH ?"
	}
	query := `SELECT count(*), sum(fits) FROM (SELECT ` + what + ` fits FROM ` + from + ` WHERE ` + cond + x.within() + ` ORDER BY ` + x.id + ` DESC LIMIT ?)`
	_, err = x.first(query, append(slices.Clone(args), most), func(stmt *sqlite3.Stmt) {
		known, n = stmt.ColumnInt64(0) < most, stmt.ColumnInt64(1)
	})
	return n, known, err
}
