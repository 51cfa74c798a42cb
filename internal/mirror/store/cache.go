package store

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
)

// A cache holds some columns of calls in memory, in the order of ids: counting
// a million calls takes milliseconds there, and most of a second in SQL. It is
// read when it is first needed, and brought up to date by what changed since.
// A call takes some 25 bytes, and two to four for each further column in use.
type cache struct {
	mu     sync.RWMutex
	loaded bool
	epoch  int64
	rev    int64
	rows   rows

	warming atomic.Bool // it is being read for questions to come
}

// rows are the columns. All slices are as long as ids.
type rows struct {
	ids     []int64
	start   []int64 // nanoseconds; none where the call has no start
	length  []int64 // nanoseconds; none where nobody knows
	success []uint8 // 0 unknown, 1 false, 2 true; so is reviewed
	review  []uint8
	coded   map[string]*codes // by the name of the column
}

// none is the absent value of start and length.
const none = math.MinInt64

// codes is a column of strings, for each row which of texts it has; or of
// lengths; or of patterns of evaluations.
type codes struct {
	of     []uint32
	ids    map[int64]uint32 // of strings, to the place in texts
	texts  []any            // string, or nil for none
	varied bool             // there were too many to tell apart, and of says nothing
}

// current returns the cache as of now, with the coded columns that are asked
// for, locked for reading. unlock has to be called.
func (s *Store) current(c *conn, columns []string) (r *rows, unlock func(), err error) {
	k := &s.columns
	for {
		epoch, err := c.int(`SELECT value FROM meta WHERE name = 'epoch'`)
		if err != nil {
			return nil, nil, err
		}
		rev, err := c.int(`SELECT value FROM meta WHERE name = 'rev'`)
		if err != nil {
			return nil, nil, err
		}
		if !c.quick {
			k.mu.RLock()
		} else if !k.mu.TryRLock() {
			return nil, nil, errInUse
		}
		// A reader may stand at an older moment than the cache: that is as good.
		if k.loaded && k.epoch == epoch && k.rev >= rev && !slices.ContainsFunc(columns, func(name string) bool { return k.rows.coded[name] == nil }) {
			return &k.rows, k.mu.RUnlock, nil
		}
		k.mu.RUnlock()
		if err := k.refresh(c, epoch, rev, columns); err != nil {
			return nil, nil, err
		}
	}
}

// ready says whether the columns are in memory, and not just being read.
func (k *cache) ready(columns map[string]bool) bool {
	if !k.mu.TryRLock() {
		return false
	}
	defer k.mu.RUnlock()
	for name := range columns {
		if k.rows.coded[name] == nil {
			return false
		}
	}
	return k.loaded
}

// errInUse says that the columns are held by a question that may take long, which
// one that takes little does not wait for.
var errInUse = errors.New("store: the columns in memory are in use")

func (k *cache) refresh(c *conn, epoch, rev int64, columns []string) error {
	if !c.quick {
		k.mu.Lock()
	} else if !k.mu.TryLock() {
		return errInUse
	}
	defer k.mu.Unlock()
	var err error
	switch {
	case !k.loaded || k.epoch != epoch:
		k.loaded = false
		k.rows = rows{coded: map[string]*codes{}}
		if err = k.rows.load(c); err != nil {
			return err
		}
		k.loaded, k.epoch, k.rev = true, epoch, rev
	case k.rev < rev:
		if err = k.rows.update(c, k.rev); err != nil {
			k.loaded = false
			return err
		}
		k.rev = rev
	}
	for _, name := range columns {
		if k.rows.coded[name] == nil {
			if k.rev > rev { // the column would be older than the rows
				k.loaded = false
				return nil
			}
			if err := k.rows.loadColumn(c, name); err != nil {
				return err
			}
		}
	}
	return nil
}

const rowColumns = `id, start, duration, success, reviewed`

func orNone(stmt *sqlite3.Stmt, col int) int64 {
	if stmt.ColumnType(col) == sqlite3.NULL {
		return none
	}
	return stmt.ColumnInt64(col)
}

func verdict(stmt *sqlite3.Stmt, col int) uint8 {
	if stmt.ColumnType(col) == sqlite3.NULL {
		return 0
	}
	return uint8(1 + stmt.ColumnInt64(col))
}

func (r *rows) add(stmt *sqlite3.Stmt) {
	r.ids = append(r.ids, stmt.ColumnInt64(0))
	r.start = append(r.start, orNone(stmt, 1))
	r.length = append(r.length, orNone(stmt, 2))
	r.success = append(r.success, verdict(stmt, 3))
	r.review = append(r.review, verdict(stmt, 4))
}

func (r *rows) load(c *conn) error {
	n, err := c.int(`SELECT sum(calls) FROM sources`)
	if err != nil {
		return err
	}
	r.ids, r.start, r.length = make([]int64, 0, n+n/16), make([]int64, 0, n+n/16), make([]int64, 0, n+n/16)
	r.success, r.review = make([]uint8, 0, n+n/16), make([]uint8, 0, n+n/16)
	return c.each(`SELECT `+rowColumns+` FROM calls ORDER BY id`, nil, func(stmt *sqlite3.Stmt) (bool, error) {
		r.add(stmt)
		return true, nil
	})
}

// loadColumn reads a column of codes for every row.
func (r *rows) loadColumn(c *conn, name string) error {
	if name == evaluationsColumn {
		return r.loadEvaluations(c)
	}
	k := &codes{of: make([]uint32, 0, cap(r.ids)), ids: map[int64]uint32{}}
	query := `SELECT ` + name + ` FROM calls ORDER BY id`
	if name == lengthColumn {
		query = `SELECT sz FROM words_docsize ORDER BY id` // of each call there is one
	} else if _, err := k.code(c, name, none); err != nil {
		return err
	}
	err := c.each(query, nil, func(stmt *sqlite3.Stmt) (bool, error) {
		code, err := k.read(c, name, stmt, 0)
		k.of = append(k.of, code)
		return true, err
	})
	if err == nil && len(k.of) != len(r.ids) {
		err = fmt.Errorf("store: %d rows of %s, want %d", len(k.of), name, len(r.ids))
	}
	if err == nil {
		r.coded[name] = k
	}
	return err
}

// read is what a row has in a column: the code of a string, or a length.
func (k *codes) read(c *conn, name string, stmt *sqlite3.Stmt, col int) (uint32, error) {
	switch name {
	case lengthColumn:
		return lengthOf(stmt.ColumnRawBlob(col)), nil
	case evaluationsColumn:
		return k.pattern(stmt.ColumnText(col))
	}
	return k.code(c, name, orNone(stmt, col))
}

// code is the place of a string, which is read when it is first met.
func (k *codes) code(c *conn, column string, id int64) (uint32, error) {
	if code, ok := k.ids[id]; ok {
		return code, nil
	}
	var text any
	if id != none {
		query := `SELECT value FROM strings WHERE id = ?`
		if column == "source" {
			query = `SELECT name FROM sources WHERE id = ?`
		}
		if _, err := c.first(query, []any{id}, func(stmt *sqlite3.Stmt) { text = stmt.ColumnText(0) }); err != nil {
			return 0, err
		}
	}
	code := uint32(len(k.texts))
	k.texts, k.ids[id] = append(k.texts, text), code
	return code, nil
}

// update applies what changed behind rev.
func (r *rows) update(c *conn, rev int64) error {
	gone := map[int64]bool{}
	err := c.each(`SELECT id FROM removed WHERE rev > ?`, []any{rev}, func(stmt *sqlite3.Stmt) (bool, error) {
		gone[stmt.ColumnInt64(0)] = true
		return true, nil
	})
	if err != nil {
		return err
	}
	names := make([]string, 0, len(r.coded))
	query := `SELECT ` + rowColumns
	for name := range r.coded {
		names = append(names, name)
		query += ", " + name
	}
	fresh := rows{coded: map[string]*codes{}}
	for _, name := range names {
		fresh.coded[name] = &codes{}
	}
	err = c.each(query+` FROM calls WHERE rev > ?`, []any{rev}, func(stmt *sqlite3.Stmt) (bool, error) {
		fresh.add(stmt)
		for i, name := range names {
			code, err := r.coded[name].read(c, name, stmt, 5+i)
			if err != nil {
				return false, err
			}
			fresh.coded[name].of = append(fresh.coded[name].of, code)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, id := range fresh.ids {
		delete(gone, id) // another call has the place
	}
	r.merge(&fresh, gone)
	return nil
}

// merge puts the rows of fresh, which are in any order, in their places, and
// takes away those that are gone. Columns change where they lie: a sync that
// fills in older calls shifts all behind them with each commit.
func (r *rows) merge(fresh *rows, gone map[int64]bool) {
	var away []int
	for id := range gone {
		if at, known := slices.BinarySearch(r.ids, id); known {
			away = append(away, at)
		}
	}
	slices.Sort(away)
	r.reshape(func(col []int64) []int64 { return cut(col, away) }, func(col []uint32) []uint32 { return cut(col, away) }, func(col []uint8) []uint8 { return cut(col, away) })
	order := make([]int, len(fresh.ids))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(fresh.ids[a], fresh.ids[b]) })
	var added, before []int // the new rows, and what each comes before
	for _, i := range order {
		at, known := slices.BinarySearch(r.ids, fresh.ids[i])
		if known {
			r.set(at, fresh, i)
			continue
		}
		added, before = append(added, i), append(before, at)
	}
	r.reshape(func(col []int64) []int64 { return spread(col, before) }, func(col []uint32) []uint32 { return spread(col, before) }, func(col []uint8) []uint8 { return spread(col, before) })
	for n, i := range added {
		r.set(before[n]+n, fresh, i)
	}
}

// set copies row i of from to row at.
func (r *rows) set(at int, from *rows, i int) {
	r.ids[at], r.start[at], r.length[at], r.success[at], r.review[at] = from.ids[i], from.start[i], from.length[i], from.success[i], from.review[i]
	for name, k := range r.coded {
		k.of[at] = from.coded[name].of[i]
	}
}

// reshape puts a function to every column.
func (r *rows) reshape(long func([]int64) []int64, code func([]uint32) []uint32, short func([]uint8) []uint8) {
	r.ids, r.start, r.length = long(r.ids), long(r.start), long(r.length)
	r.success, r.review = short(r.success), short(r.review)
	for _, k := range r.coded {
		k.of = code(k.of)
	}
}

// cut takes the elements at some places, ascending, out of a column.
func cut[T any](col []T, away []int) []T {
	if len(away) == 0 {
		return col
	}
	end := away[0]
	for n, at := range away {
		next := len(col)
		if n+1 < len(away) {
			next = away[n+1]
		}
		end += copy(col[end:], col[at+1:next])
	}
	return col[:end]
}

// spread makes room in a column before some of its places, ascending: that for
// the n-th lies n further.
func spread[T any](col []T, before []int) []T {
	end := len(col)
	col = append(col, make([]T, len(before))...)
	for n := len(before) - 1; n >= 0; n-- {
		copy(col[before[n]+n+1:], col[before[n]:end])
		end = before[n]
	}
	return col
}
