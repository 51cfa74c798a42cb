package store

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// A level says for some rows of the cache which cells of a grouping they have.
type level struct {
	cells  [][]string // of each code; a pair has two
	orders []int64    // where buckets of time lie in its order
	codes  []int32    // of the rows, one after the other
	from   []int32    // where those of the n-th row begin; nil where each has one
	known  map[string]int32

	// Where rows share their codes: which of lists each has.
	lists [][]int32
	which func(n int) uint32
}

func newLevel(n int) *level {
	return &level{known: map[string]int32{}, codes: make([]int32, 0, n)}
}

func (l *level) code(cells ...string) int32 {
	key := strings.Join(cells, "\x00")
	code, ok := l.known[key]
	if !ok {
		code = int32(len(l.cells))
		l.known[key], l.cells, l.orders = code, append(l.cells, cells), append(l.orders, 0)
	}
	return code
}

// of are the codes of the n-th row.
func (l *level) of(n int) []int32 {
	if l.lists != nil {
		return l.lists[l.which(n)]
	}
	if l.from == nil {
		return l.codes[n : n+1]
	}
	return l.codes[l.from[n]:l.from[n+1]]
}

// single says whether each row has one code.
func (l *level) single() bool { return l.from == nil && l.lists == nil }

// level reads one level for the rows that are picked, in their order. shift
// moves times, as call.Unit.Bucket has it.
func (r *rows) level(c *conn, v *call.View, g call.Grouping, zone *time.Location, shift time.Duration, picked []int32) (*level, error) {
	l := newLevel(len(picked))
	if g.Unit != "" {
		r.buckets(l, g.Unit, zone, shift, picked)
		return l, nil
	}
	col, ok := columns[g.Field]
	switch {
	case ok && (col.kind == coded || col.kind == named):
		k := r.coded[col.name]
		codeOf := make([]int32, len(k.texts))
		for i, text := range k.texts {
			codeOf[i] = l.code(v.Cell(g.Field, call.Cell(text)))
		}
		for _, i := range picked {
			l.codes = append(l.codes, codeOf[k.of[i]])
		}
		return l, nil
	case ok && col.kind == truthful:
		codeOf := []int32{l.code(call.Absent), l.code("false"), l.code("true")}
		of := r.success
		if col.name == "reviewed" {
			of = r.review
		}
		for _, i := range picked {
			l.codes = append(l.codes, codeOf[of[i]])
		}
		return l, nil
	}
	if known, err := r.patterns(c, v, l, picked, g); known || err != nil {
		return l, err
	}
	return l, r.asked(c, v, l, g.Field, picked)
}

func (r *rows) buckets(l *level, unit call.Unit, zone *time.Location, shift time.Duration, picked []int32) {
	from, until := int64(1), int64(0) // of the bucket that was met last
	var code int32
	for _, i := range picked {
		at := r.start[i]
		if at == none {
			b := unit.Bucket(time.Time{}, shift, zone)
			absent := l.code(b.Key)
			l.orders[absent] = b.Order
			l.codes = append(l.codes, absent)
			continue
		}
		if at < from || at >= until {
			b := unit.Bucket(instantOf(at), shift, zone)
			from, until = b.From.UnixNano(), b.Until.UnixNano()
			code = l.code(b.Key)
			l.orders[code] = b.Order
		}
		l.codes = append(l.codes, code)
	}
}

// asked reads from the database what the cache does not hold: several cells of
// a row at a time, in the order of ids.
func (r *rows) asked(c *conn, v *call.View, l *level, field string, picked []int32) error {
	query, args := cellQuery(field)
	if query == "" || field == "call_id" && hidden(v) { // it is seen by the number of the call's customer
		return r.decoded(c, l, picked, func(log *call.Log) [][]string {
			var cells [][]string
			for _, cell := range call.Cells(v.Values(log, field)) {
				cells = append(cells, []string{cell})
			}
			return cells
		})
	}
	return r.gather(c, l, picked, query, args, func(stmt *sqlite3.Stmt) int32 { return l.code(v.Cell(field, cellOf(stmt, 1))) }, l.code(call.Absent))
}

// gather reads the codes of rows from a query that gives ids, ascending in
// stretches, and what code makes a code of. Rows without one have absent.
func (r *rows) gather(c *conn, l *level, picked []int32, query string, args []any, code func(*sqlite3.Stmt) int32, absent int32) error {
	type met struct{ n, code int32 }
	var found []met
	count := make([]int32, len(picked)+1)
	if len(picked) > 0 {
		n := 0
		last := int64(math.MinInt64)
		args = append(args, r.ids[picked[0]], r.ids[picked[len(picked)-1]])
		err := c.each(query, args, func(stmt *sqlite3.Stmt) (bool, error) {
			id := stmt.ColumnInt64(0)
			if id < last {
				n = 0 // the next stretch
			}
			last = id
			for n < len(picked) && r.ids[picked[n]] < id {
				n++
			}
			if n < len(picked) && r.ids[picked[n]] == id {
				found = append(found, met{int32(n), code(stmt)})
				count[n]++
			}
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	// The codes of each row side by side, each once.
	from := make([]int32, len(picked)+1)
	for n := range picked {
		from[n+1] = from[n] + count[n]
	}
	codes, filled := make([]int32, len(found)), slices.Clone(from)
	for _, m := range found {
		codes[filled[m.n]] = m.code
		filled[m.n]++
	}
	l.from = make([]int32, 1, len(picked)+1)
	for n := range picked {
		mine := codes[from[n]:from[n+1]]
		if len(mine) == 0 {
			l.codes = append(l.codes, absent)
		}
		slices.Sort(mine)
		for k, code := range mine {
			if k == 0 || mine[k-1] != code {
				l.codes = append(l.codes, code)
			}
		}
		l.from = append(l.from, int32(len(l.codes)))
	}
	return nil
}

func (r *rows) several(l *level, picked []int32, of func(int32) []int32) {
	l.from = make([]int32, 1, len(picked)+1)
	for _, i := range picked {
		l.codes = append(l.codes, of(i)...)
		l.from = append(l.from, int32(len(l.codes)))
	}
}

// cellQuery asks for the cells of a field by the id of the call, for those
// between two ids; "" where only the record has them.
func cellQuery(field string) (query string, args []any) {
	const between = " BETWEEN ? AND ?"
	if rest, ok := strings.CutPrefix(field, call.Evaluations+"."); ok {
		col := map[string]string{
			"metric.id": "nullif(d.metric, '')", "metric.name": "nullif(d.name, '')", "passed": "CASE m.passed WHEN 1 THEN 'true' WHEN 0 THEN 'false' END",
			"value": "coalesce(m.score, (SELECT value FROM strings WHERE id = m.value))",
		}[rest]
		if col == "" {
			return "", nil
		}
		return `SELECT m.call, ` + col + ` x FROM definitions d CROSS JOIN metrics m ON m.definition = d.id WHERE x IS NOT NULL AND m.call` + between, nil
	}
	switch prefix, key, _ := strings.Cut(field, "."); prefix {
	case "metadata", "dynamic_variables":
		return `SELECT call, value FROM extras WHERE name = (SELECT id FROM names WHERE name = ?) AND call` + between, []any{prefix[:1] + "." + key}
	}
	if col, ok := columns[field]; ok && (col.kind == textual || col.kind == numeric) {
		return `SELECT id, ` + col.name + ` x FROM calls WHERE x IS NOT NULL AND id` + between, nil
	}
	return "", nil
}

func cellOf(stmt *sqlite3.Stmt, col int) string {
	switch stmt.ColumnType(col) {
	case sqlite3.FLOAT, sqlite3.INTEGER:
		return call.Cell(stmt.ColumnFloat(col))
	}
	return call.Cell(stmt.ColumnText(col))
}

// decoded reads cells from the records: slow, for what is hardly asked.
func (r *rows) decoded(c *conn, l *level, picked []int32, cells func(*call.Log) [][]string) error {
	var failed error
	r.several(l, picked, func(i int32) []int32 {
		log, err := c.readable(r.ids[i])
		if err != nil {
			failed = err
			return nil
		}
		if log == nil {
			log = &call.Log{}
		}
		var out []int32
		for _, cell := range cells(log) {
			out = append(out, l.code(cell...))
		}
		return out
	})
	return failed
}

// pairs reads two fields of the metrics as one level, whose cells are of one
// and the same metric.
func (r *rows) pairs(c *conn, v *call.View, by []call.Grouping, picked []int32) (*level, error) {
	l := newLevel(len(picked))
	if known, err := r.patterns(c, v, l, picked, by...); known || err != nil {
		return l, err
	}
	first, _ := cellQuery(by[0].Field)
	second, _ := cellQuery(by[1].Field)
	cut := func(query string) string {
		col, _, _ := strings.Cut(strings.TrimPrefix(query, "SELECT m.call, "), " x FROM ")
		if col == "" {
			return "NULL"
		}
		return col
	}
	query := `SELECT m.call, ` + cut(first) + `, ` + cut(second) + ` FROM definitions d CROSS JOIN metrics m ON m.definition = d.id WHERE m.call BETWEEN ? AND ?`
	return l, r.gather(c, l, picked, query, nil, func(stmt *sqlite3.Stmt) int32 {
		cells := [2]string{call.Absent, call.Absent}
		for k := range cells {
			if stmt.ColumnType(k+1) != sqlite3.NULL {
				cells[k] = v.Cell(by[k].Field, cellOf(stmt, k+1))
			}
		}
		return l.code(cells[0], cells[1])
	}, l.code(call.Absent, call.Absent))
}
