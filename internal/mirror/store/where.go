package store

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// A where is a filter as SQL over the table calls, named c. Values are bound,
// never written. A condition that SQL cannot say exactly goes through the
// functions of a conn, which is why asked has to be set there.
type where struct {
	conn  *conn
	args  []any
	asked []*asked
	err   error
}

// compile writes e, all of it: no filter is beyond the store.
func (c *conn) compile(e filter.Expr) (sql string, w *where, err error) {
	w = &where{conn: c}
	sql = w.expr(e)
	return sql, w, w.err
}

func (w *where) expr(e filter.Expr) string {
	switch e := e.(type) {
	case nil:
		return "1"
	case filter.And:
		return w.join(e, " AND ", "1", w.expr)
	case filter.Or:
		return w.join(e, " OR ", "0", w.expr)
	case filter.SameRow:
		if relation, ok := e.Relation(); !ok || relation != call.Evaluations {
			return "0"
		}
		return w.someMetric(w.join(filter.And(e), " AND ", "1", w.ofMetric))
	case filter.Cond:
		return w.cond(e)
	}
	panic(fmt.Sprintf("store: unknown node %T", e))
}

func (w *where) join(parts []filter.Expr, with, none string, each func(filter.Expr) string) string {
	if len(parts) == 0 {
		return none
	}
	sql := make([]string, len(parts))
	for i, p := range parts {
		sql[i] = each(p)
	}
	return "(" + strings.Join(sql, with) + ")"
}

// bind returns the mark that stands for v.
func (w *where) bind(v any) string {
	w.args = append(w.args, v)
	return "?"
}

// ask returns SQL for what only filter.Match can say of a value. It is a subquery
// because SQLite puts those to a row after all else, in the order in which they
// stand: what comes first in a filter, such as the calls that one may see, has
// then left few rows.
func (w *where) ask(c filter.Cond, k kind, value string) string {
	w.asked = append(w.asked, &asked{c, k})
	return fmt.Sprintf("(SELECT holds(%d, %s))", len(w.asked)-1, value)
}

func (w *where) cond(c filter.Cond) string {
	if rest, ok := strings.CutPrefix(c.Field, call.Evaluations+"."); ok {
		if c.Op != filter.IsNull {
			return w.someMetric(w.metricCond(c, rest))
		}
		some := w.someMetric(w.metricCond(c, rest))
		if c.Value == true {
			return "(c.metrics = 0 OR " + some + ")"
		}
		return some
	}
	if c.Field == "call_id" && c.View != nil { // it is seen by the number of the call's customer
		return w.record(c)
	}
	if col, ok := columns[c.Field]; ok {
		return w.column(c, col.kind, "c."+col.name)
	}
	prefix, key, _ := strings.Cut(c.Field, ".")
	switch prefix {
	case "metadata":
		return w.extra(c, "m."+key)
	case "dynamic_variables":
		return w.extra(c, "d."+key)
	case "latency":
		return w.latency(c, key)
	}
	switch {
	case c.Field == "transcript" && c.Op == filter.IsNull:
		return w.isNull(c, "c.turns")
	case inRecord(c.Field):
		return w.record(c)
	case c.Op == filter.IsNull && c.Value == true: // a field that no call has
		return "1"
	}
	return "0"
}

// inRecord says that only the record has the field: it is long, or seldom asked
// for.
func inRecord(field string) bool {
	return slices.Contains([]string{"transcript", "summary", "evaluation", "trace_id"}, field)
}

// record asks the record itself.
func (w *where) record(c filter.Cond) string {
	if c.Op != filter.IsNull && c.Value == nil {
		return "0"
	}
	w.asked = append(w.asked, &asked{c, recorded})
	return fmt.Sprintf("(SELECT holds_record(%d, r.id, r.dictionary, r.body) FROM records r WHERE r.id = c.id)", len(w.asked)-1)
}

func (w *where) isNull(c filter.Cond, col string) string {
	switch c.Value {
	case true:
		return col + " IS NULL"
	case false:
		return col + " IS NOT NULL"
	}
	return "0"
}

// column compares a column of kind k.
func (w *where) column(c filter.Cond, k kind, col string) string {
	if c.Op == filter.IsNull {
		return w.isNull(c, col)
	}
	if c.Value == nil {
		return "0"
	}
	switch k {
	case coded:
		return w.among(c, col, "strings", "value")
	case named:
		return w.among(c, col, "sources", "name")
	case numeric:
		if f, ok := c.Value.(float64); ok && !math.IsNaN(f) {
			if op := sign(c.Op); op != "" {
				return fmt.Sprintf("%s %s %s", col, op, w.bind(f))
			}
		}
	case lasting:
		if f, ok := c.Value.(float64); ok {
			if sql := w.seconds(c.Op, f, col); sql != "" {
				return sql
			}
		}
	case dated:
		if t, ok := c.Value.(time.Time); ok {
			if op := sign(c.Op); op != "" {
				return fmt.Sprintf("%s %s %s", col, op, w.bind(nanos(t)))
			}
		}
	case truthful:
		if b, ok := c.Value.(bool); ok && (c.Op == filter.Eq || c.Op == filter.Neq) {
			return fmt.Sprintf("%s %s %s", col, sign(c.Op), w.bind(b))
		}
	case textual:
		if c.View != nil {
			break
		}
		if s, ok := c.Value.(string); ok && (c.Op == filter.Eq || c.Op == filter.Neq) {
			return fmt.Sprintf("%s %s %s", col, sign(c.Op), w.bind(s))
		}
		if list, ok := texts(c); ok {
			return col + " IN " + w.list(list)
		}
	case keyed:
		if sql := w.key(c, col); sql != "" {
			return sql
		}
	}
	return fmt.Sprintf("(%s IS NOT NULL AND %s)", col, w.ask(c, k, col))
}

// texts is the list of c, if c asks for one of some texts.
func texts(c filter.Cond) (list []string, ok bool) {
	values, isList := c.Value.([]any)
	if c.Op != filter.In || !isList {
		return nil, false
	}
	for _, v := range values {
		switch v := v.(type) {
		case nil:
		case string:
			list = append(list, v)
		default:
			return nil, false
		}
	}
	return list, true
}

func (w *where) list(values []string) string {
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = w.bind(v)
	}
	return "(" + strings.Join(marks, ",") + ")"
}

// key compares the key of a call, which is text or a number.
func (w *where) key(c filter.Cond, col string) string {
	var values []any
	switch {
	case c.Op == filter.Eq:
		values = []any{c.Value}
	case c.Op == filter.In:
		values, _ = c.Value.([]any)
	}
	if values == nil || slices.ContainsFunc(values, func(v any) bool { return !isScalar(v) }) {
		return ""
	}
	parts := []string{"0"}
	for _, v := range values {
		switch v := v.(type) {
		case nil:
		case string:
			parts = append(parts, col+" = "+w.bind(sortableKey(v)))
		case float64: // some keys read as this number without being written as it: 5.0
			if s := usual(v); readsAs(s, v) {
				parts = append(parts, col+" = "+w.bind(sortableKey(s)), "c.knum = "+w.bind(v))
			}
		}
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// isScalar reports whether v is a text, a number or null.
func isScalar(v any) bool {
	switch v.(type) {
	case nil, string, float64:
		return true
	}
	return false
}

// seconds compares a length, held in nanoseconds, with seconds: exactly as the
// seconds of a time.Duration compare, but in whole numbers, which have an index.
func (w *where) seconds(op filter.Op, want float64, col string) string {
	if math.IsNaN(want) || math.Abs(want) > 9e9 {
		return ""
	}
	from, behind := leastNanos(want), leastNanos(math.Nextafter(want, math.Inf(1)))
	switch op {
	case filter.Eq:
		return fmt.Sprintf("(%s >= %s AND %s < %s)", col, w.bind(from), col, w.bind(behind))
	case filter.Neq:
		return fmt.Sprintf("(%s < %s OR %s >= %s)", col, w.bind(from), col, w.bind(behind))
	case filter.Gt:
		return fmt.Sprintf("%s >= %s", col, w.bind(behind))
	case filter.Gte:
		return fmt.Sprintf("%s >= %s", col, w.bind(from))
	case filter.Lt:
		return fmt.Sprintf("%s < %s", col, w.bind(from))
	case filter.Lte:
		return fmt.Sprintf("%s < %s", col, w.bind(behind))
	}
	return ""
}

// leastNanos is the shortest duration of at least that many seconds.
func leastNanos(seconds float64) int64 {
	n := int64(math.Ceil(seconds * 1e9))
	for time.Duration(n-1).Seconds() >= seconds {
		n--
	}
	for time.Duration(n).Seconds() < seconds {
		n++
	}
	return n
}

// extra compares one key of metadata or of the dynamic variables.
func (w *where) extra(c filter.Cond, name string) string {
	const some = "EXISTS (SELECT 1 FROM extras e WHERE e.name = (SELECT id FROM names WHERE name = %s) AND e.call = c.id%s)"
	switch {
	case c.Op == filter.IsNull && c.Value == true:
		return "NOT " + fmt.Sprintf(some, w.bind(name), "")
	case c.Op == filter.IsNull && c.Value == false:
		return fmt.Sprintf(some, w.bind(name), "")
	case c.Op == filter.IsNull || c.Value == nil:
		return "0"
	}
	if s, ok := c.Value.(string); ok && c.View == nil && (c.Op == filter.Eq || c.Op == filter.Neq) {
		return fmt.Sprintf(some, w.bind(name), fmt.Sprintf(" AND e.value %s %s", sign(c.Op), w.bind(s)))
	}
	mark := w.bind(name)
	return fmt.Sprintf(some, mark, " AND "+w.ask(c, textual, "e.value"))
}

func (w *where) latency(c filter.Cond, key string) string {
	stage, quantile, _ := strings.Cut(key, ".")
	col := "l.p95"
	if quantile == "p50" {
		col = "l.p50"
	}
	const some = "EXISTS (SELECT 1 FROM latencies l WHERE l.stage = (SELECT id FROM names WHERE name = %s) AND l.call = c.id AND %s)"
	mark := w.bind("l." + stage)
	if c.Op == filter.IsNull && c.Value == true {
		return "NOT " + fmt.Sprintf(some, mark, col+" IS NOT NULL")
	}
	return fmt.Sprintf(some, mark, w.column(c, lasting, col))
}

// someMetric holds where one of the call's metrics, named m, is as sql says.
func (w *where) someMetric(sql string) string {
	return "EXISTS (SELECT 1 FROM metrics m WHERE m.definition IN (SELECT id FROM definitions) AND m.call = c.id AND " + sql + ")"
}

// ofMetric is expr for one metric.
func (w *where) ofMetric(e filter.Expr) string {
	switch e := e.(type) {
	case nil:
		return "1"
	case filter.And:
		return w.join(e, " AND ", "1", w.ofMetric)
	case filter.Or:
		return w.join(e, " OR ", "0", w.ofMetric)
	case filter.Cond:
		return w.metricCond(e, strings.TrimPrefix(e.Field, call.Evaluations+"."))
	}
	return "0" // a metric has no related rows
}

// metricCond compares one field of a metric.
func (w *where) metricCond(c filter.Cond, field string) string {
	switch field {
	case "metric.id":
		return w.definition(c, "metric")
	case "metric.name":
		return w.definition(c, "name")
	case "passed":
		return w.column(c, truthful, "m.passed")
	case "value":
		if c.Op == filter.IsNull {
			return "(" + w.isNull(c, "coalesce(m.score, m.value)") + ")"
		}
		return "(" + w.column(c, numeric, "m.score") + " OR " + w.column(c, coded, "m.value") + ")"
	}
	if c.Op == filter.IsNull && c.Value == true {
		return "1"
	}
	return "0"
}

func (w *where) definition(c filter.Cond, col string) string {
	const among = "m.definition IN (SELECT id FROM definitions WHERE %s)"
	switch {
	case c.Op == filter.IsNull && c.Value == true:
		return fmt.Sprintf(among, col+" = ''")
	case c.Op == filter.IsNull && c.Value == false:
		return fmt.Sprintf(among, col+" <> ''")
	case c.Op == filter.IsNull || c.Value == nil:
		return "0"
	}
	return fmt.Sprintf(among, col+" <> '' AND "+w.ask(c, textual, col))
}

// nanos is t as a column has it; times outside of 1678 to 2262 become the
// first and the last.
func nanos(t time.Time) int64 {
	switch y := t.Year(); {
	case y < 1678:
		return math.MinInt64 + 1 // the least itself stands for no time
	case y > 2261:
		return math.MaxInt64
	}
	return t.UnixNano()
}
