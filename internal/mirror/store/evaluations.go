package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// Calls are evaluated by the same few metrics, so the same patterns of verdicts
// come again and again: the cache keeps for each call which pattern it has.

// evaluationsColumn has a call's verdicts by definition, as in "12:1 13:0 14:".
const evaluationsColumn = `(SELECT group_concat(d.id || ':' || ifnull(m.passed, ''), ' ') FROM definitions d CROSS JOIN metrics m
	ON m.definition = d.id AND m.call = calls.id)`

// maxPatterns bounds the patterns that are told apart, the beginnings of each
// among them. Of more varied verdicts nothing is kept, and SQL counts them.
const maxPatterns = 1 << 15

// An evaluation is a verdict by a definition: 0 unknown, 1 failed, 2 passed.
type evaluation struct {
	definition int64
	passed     uint8
}

// with is the code of the pattern that goes on with e.
func (k *codes) with(pattern uint32, e evaluation) uint32 {
	step := int64(pattern)<<32 | e.definition<<2 | int64(e.passed)
	code, ok := k.ids[step]
	switch {
	case ok || k.varied:
		return code
	case len(k.texts) == maxPatterns || e.definition >= 1<<30:
		k.varied, k.texts, k.ids = true, nil, nil
		return 0
	}
	code = uint32(len(k.texts))
	before, _ := k.texts[pattern].([]evaluation)
	k.texts, k.ids[step] = append(k.texts, append(slices.Clip(before), e)), code
	return code
}

// pattern reads what evaluationsColumn has.
func (k *codes) pattern(column string) (code uint32, err error) {
	for part := range strings.FieldsSeq(column) {
		id, verdict, _ := strings.Cut(part, ":")
		definition, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("store: evaluations: %w", err)
		}
		e := evaluation{definition: definition}
		if verdict != "" {
			e.passed = 1 + verdict[0] - '0'
		}
		code = k.with(code, e)
	}
	return code, nil
}

// loadEvaluations reads the patterns of all calls, one definition after the other.
func (r *rows) loadEvaluations(c *conn) error {
	k := &codes{of: make([]uint32, len(r.ids), cap(r.ids)), ids: map[int64]uint32{}, texts: []any{nil}}
	var definitions []int64
	err := c.each(`SELECT id FROM definitions ORDER BY id`, nil, func(stmt *sqlite3.Stmt) (bool, error) {
		definitions = append(definitions, stmt.ColumnInt64(0))
		return true, nil
	})
	for _, d := range definitions {
		if err != nil || k.varied {
			break
		}
		at := 0
		err = c.each(`SELECT call, passed FROM metrics WHERE definition = ? ORDER BY call, n`, []any{d}, func(stmt *sqlite3.Stmt) (bool, error) {
			if at = r.near(at, stmt.ColumnInt64(0)); at < len(r.ids) && r.ids[at] == stmt.ColumnInt64(0) {
				k.of[at] = k.with(k.of[at], evaluation{d, verdict(stmt, 1)})
			}
			return !k.varied, nil
		})
	}
	if err == nil {
		if k.varied {
			clear(k.of)
		}
		r.coded[evaluationsColumn] = k
	}
	return err
}

// evaluated are the cells of an evaluation in the fields of some groupings, ""
// for none; nil where a pattern does not tell.
func evaluated(by ...call.Grouping) func(metric, name string, passed uint8) []string {
	for _, g := range by {
		if !isMetric(g) || !slices.Contains([]string{"metric.id", "metric.name", "passed"}, strings.TrimPrefix(g.Field, call.Evaluations+".")) {
			return nil
		}
	}
	return func(metric, name string, passed uint8) []string {
		cells := make([]string, len(by))
		for i, g := range by {
			switch strings.TrimPrefix(g.Field, call.Evaluations+".") {
			case "metric.id":
				cells[i] = metric
			case "metric.name":
				cells[i] = name
			default:
				cells[i] = [...]string{"", "false", "true"}[passed]
			}
		}
		return cells
	}
}

// patterns reads levels of evaluations from the cache, and says whether it could.
func (r *rows) patterns(c *conn, v *call.View, l *level, picked []int32, by ...call.Grouping) (known bool, err error) {
	k, cells := r.coded[evaluationsColumn], evaluated(by...)
	if k == nil || k.varied || cells == nil {
		return false, nil
	}
	type definition struct{ metric, name string }
	definitions := map[int64]definition{}
	err = c.each(`SELECT id, metric, name FROM definitions`, nil, func(stmt *sqlite3.Stmt) (bool, error) {
		definitions[stmt.ColumnInt64(0)] = definition{stmt.ColumnText(1), stmt.ColumnText(2)}
		return true, nil
	})
	if err != nil {
		return false, err
	}
	none := []int32{l.code(slices.Repeat([]string{call.Absent}, len(by))...)}
	lists := make([][]int32, len(k.texts))
	for code, pattern := range k.texts {
		evaluations, _ := pattern.([]evaluation)
		for _, e := range evaluations {
			d := definitions[e.definition]
			found := cells(d.metric, d.name, e.passed)
			if len(found) == 1 && found[0] == "" {
				continue
			}
			for i, cell := range found {
				if found[i] = v.Cell(by[i].Field, cell); cell == "" {
					found[i] = call.Absent
				}
			}
			lists[code] = append(lists[code], l.code(found...))
		}
		slices.Sort(lists[code])
		if lists[code] = slices.Compact(lists[code]); len(lists[code]) == 0 {
			lists[code] = none
		}
	}
	l.lists, l.which = lists, func(n int) uint32 { return k.of[picked[n]] }
	return true, nil
}
