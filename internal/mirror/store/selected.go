package store

import (
	"slices"
	"sort"
	"time"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/filter"
)

// A test says whether a row of the cache fits.
type test func(r *rows, i int) bool

// tested says which columns of codes a filter needs, and whether the cache can
// answer it at all.
func tested(e filter.Expr, need map[string]bool) bool {
	switch e := e.(type) {
	case nil:
		return true
	case filter.And:
		return !slices.ContainsFunc(e, func(x filter.Expr) bool { return !tested(x, need) })
	case filter.Or:
		return !slices.ContainsFunc(e, func(x filter.Expr) bool { return !tested(x, need) })
	case filter.Cond:
		col, ok := columns[e.Field]
		if !ok {
			return false
		}
		switch col.kind {
		case coded, named:
			need[col.name] = true
			return true
		case truthful, dated:
			return col.name != "created" && col.name != "updated"
		case lasting:
			return true
		}
	}
	return false
}

// compileTest makes the test of a filter that the cache can answer. It decides
// by filter.Match: once for each text, and for a number where it is asked.
func compileTest(e filter.Expr, r *rows) test {
	switch e := e.(type) {
	case nil:
		return func(*rows, int) bool { return true }
	case filter.And:
		parts := compileTests(e, r)
		return func(r *rows, i int) bool {
			for _, p := range parts {
				if !p(r, i) {
					return false
				}
			}
			return true
		}
	case filter.Or:
		parts := compileTests(e, r)
		return func(r *rows, i int) bool {
			for _, p := range parts {
				if p(r, i) {
					return true
				}
			}
			return false
		}
	}
	return compileCond(e.(filter.Cond), r)
}

func compileTests(parts []filter.Expr, r *rows) []test {
	tests := make([]test, len(parts))
	for i, p := range parts {
		tests[i] = compileTest(p, r)
	}
	return tests
}

func compileCond(c filter.Cond, r *rows) test {
	holds := (&asked{cond: c}).holds
	switch col := columns[c.Field]; col.kind {
	case truthful:
		fits := [3]bool{holds(nil), holds(false), holds(true)}
		if col.name == "reviewed" {
			return func(r *rows, i int) bool { return fits[r.review[i]] }
		}
		return func(r *rows, i int) bool { return fits[r.success[i]] }
	case lasting:
		if v, ok := c.Value.(float64); ok {
			if fits := lastsUntil(c.Op, v); fits != nil {
				return fits
			}
		}
		return func(r *rows, i int) bool {
			if r.length[i] == none {
				return holds(nil)
			}
			return holds(time.Duration(r.length[i]).Seconds())
		}
	case dated:
		if t, ok := c.Value.(time.Time); ok {
			if fits := sinceUntil(c.Op, nanos(t)); fits != nil {
				return fits
			}
		}
		return func(r *rows, i int) bool {
			if r.start[i] == none {
				return holds(nil)
			}
			return holds(instantOf(r.start[i]))
		}
	default:
		name := col.name
		fits := make([]bool, len(r.coded[name].texts))
		for code, text := range r.coded[name].texts {
			fits[code] = holds(text)
		}
		return func(r *rows, i int) bool { return fits[r.coded[name].of[i]] }
	}
}

// sinceUntil is the test for the bounds that most questions have.
func sinceUntil(op filter.Op, at int64) test {
	switch op {
	case filter.Gte:
		return func(r *rows, i int) bool { return r.start[i] >= at && r.start[i] != none }
	case filter.Lte:
		return func(r *rows, i int) bool { return r.start[i] <= at && r.start[i] != none }
	}
	return nil
}

// lastsUntil is the test for the bounds of a length in seconds.
func lastsUntil(op filter.Op, seconds float64) test {
	fits := map[filter.Op]func(float64) bool{
		filter.Gt:  func(s float64) bool { return s > seconds },
		filter.Gte: func(s float64) bool { return s >= seconds },
		filter.Lt:  func(s float64) bool { return s < seconds },
		filter.Lte: func(s float64) bool { return s <= seconds },
	}[op]
	if fits == nil {
		return nil
	}
	return func(r *rows, i int) bool { return r.length[i] != none && fits(time.Duration(r.length[i]).Seconds()) }
}

// selected returns the rows that fit a filter, ascending, of those between two
// ids. What the cache cannot answer is asked in SQL.
func (r *rows) selected(c *conn, e filter.Expr, lo, hi int64) ([]int32, error) {
	from := sort.Search(len(r.ids), func(i int) bool { return r.ids[i] >= lo })
	to := sort.Search(len(r.ids), func(i int) bool { return r.ids[i] > hi })
	push, rest := filter.Split(e, func(x filter.Expr) bool { return tested(x, map[string]bool{}) })
	fits := compileTest(push, r)
	var out []int32
	if rest == nil {
		out = make([]int32, 0, max(0, to-from))
		for i := from; i < to; i++ {
			if fits(r, i) {
				out = append(out, int32(i))
			}
		}
		return out, nil
	}
	sql, w, err := c.compile(rest)
	if err != nil {
		return nil, err
	}
	c.asked = w.asked
	// The columns are asked first: what they leave out costs SQL nothing.
	at := from
	c.memo.fits = func(id int64) bool {
		at = r.near(at, id)
		return at < to && r.ids[at] == id && fits(r, at)
	}
	err = c.each(`SELECT c.id FROM calls c WHERE c.id BETWEEN ? AND ? AND CASE WHEN fits(c.id) THEN `+sql+` END ORDER BY c.id`, append([]any{lo, hi}, w.args...), func(*sqlite3.Stmt) (bool, error) {
		out = append(out, int32(at)) // fits was asked of this row last
		return true, nil
	})
	return out, err
}
