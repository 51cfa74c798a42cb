package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// row writes e, in the place of old where there is one.
func (b *batch) row(e *entry, old *stored, dictionary int64) error {
	c, l := b.conn, e.log
	b.rev++
	moved := old == nil || timeOr(l.StartedAt) != old.start
	var id int64
	var err error
	switch {
	case old == nil:
		b.added++
	case moved:
		if err := b.remove(old.id); err != nil {
			return err
		}
		b.added++
		old = nil
	default:
		id = old.id
		if err := b.clear(id); err != nil {
			return err
		}
	}
	if moved {
		if id, err = b.place(l); err != nil {
			return err
		}
	}
	if old == nil || old.words != e.words {
		if old != nil {
			b.erased = true
			b.unindex(id)
		}
		b.index[id] = e
	}
	if err := c.do(`REPLACE INTO records(id, dictionary, body) VALUES(?, ?, ?)`, id, dictionary, e.body); err != nil {
		return err
	}
	if err := b.columns(id, e); err != nil {
		return err
	}
	return b.related(id, l)
}

const putCall = `REPLACE INTO calls(id, rev, source, key, knum, call_id, start, created, updated, duration,
	success, reviewed, cost, turns, metrics, customer, hash, light, said, read_at, detailed,
	agent, agent_name, project, assistant, status, feedback, reason, dropoff, topic, direction, call_type, sentiment, error)
	VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func (b *batch) columns(id int64, e *entry) error {
	l := e.log
	known := fromList
	switch {
	case l.Detailed:
		known = detailed
	case l.Metadata != nil || l.DynamicVariables != nil:
		known = kept
	}
	var turns any
	if l.Turns != nil {
		turns = len(l.Turns)
	}
	args := []any{
		id, b.rev, b.source, sortableKey(l.ID.Key), oddNumber(l.ID.Key), textOr(l.CallID),
		timeOr(l.StartedAt), timeOr(l.CreatedAt), timeOr(l.UpdatedAt), lengthOr(l.Duration),
		boolOr(l.Success), boolOr(l.Reviewed), float(l.Cost), turns, len(l.Metrics), textOr(l.Customer),
		e.hash, e.light, e.words, nanos(b.change.ReadAt), known,
	}
	for _, col := range codedTexts {
		code, err := b.code(col.text(l))
		if err != nil {
			return err
		}
		args = append(args, code)
	}
	return b.conn.do(putCall, args...)
}

// code is the id of a string; nil for none that is seen.
func (b *batch) code(s string) (any, error) {
	if filter.Blank(s) {
		return nil, nil
	}
	return b.store.ids.id(b.conn, "strings", "value", s)
}

// related writes what lies in tables of its own.
func (b *batch) related(id int64, l *call.Log) error {
	c, ids := b.conn, &b.store.ids
	for n := range l.Metrics {
		m := &l.Metrics[n]
		definition, err := ids.definition(c, m)
		if err != nil {
			return err
		}
		var value any
		if m.Score == nil {
			if value, err = b.code(m.Value); err != nil {
				return err
			}
		}
		err = c.do(`INSERT INTO metrics(definition, call, n, score, value, passed) VALUES(?, ?, ?, ?, ?, ?)`, definition, id, n, float(m.Score), value, boolOr(m.Passed))
		if err != nil {
			return err
		}
	}
	for prefix, object := range map[string]map[string]any{"m.": l.Metadata, "d.": l.DynamicVariables} {
		for _, key := range keysOf(object) {
			value := (&call.Log{Metadata: object}).Values("metadata." + key)[0]
			text, ok := value.(string)
			if !ok {
				continue // null
			}
			name, err := ids.id(c, "names", "name", prefix+key)
			if err != nil {
				return err
			}
			if err := c.do(`REPLACE INTO extras(name, call, value) VALUES(?, ?, ?)`, name, id, text); err != nil {
				return err
			}
		}
	}
	for _, stage := range keysOf(l.Latency) {
		name, err := ids.id(c, "names", "name", "l."+stage)
		if err != nil {
			return err
		}
		p := l.Latency[stage]
		if err := c.do(`INSERT INTO latencies(stage, call, p50, p95) VALUES(?, ?, ?, ?)`, name, id, lengthOr(p.P50), lengthOr(p.P95)); err != nil {
			return err
		}
	}
	return nil
}

// place finds the id of a new call: that of its start, or else the end of the
// row of ids that are taken from there on.
func (b *batch) place(l *call.Log) (int64, error) {
	c := b.conn
	if l.StartedAt.IsZero() {
		least, err := c.int(`SELECT min(id) FROM calls`)
		return min(least, noStart+1) - 1, err
	}
	base := idAt(l.StartedAt.UnixMilli())
	taken := func(id int64) (bool, error) {
		n, err := c.int(`SELECT count(*) FROM calls WHERE id = ?`, id)
		return n > 0 || id == 0, err // no call is number 0
	}
	// Thousands of calls may share a time: double the step until an id is free,
	// then halve it back to where the taken ones end.
	lo, hi, step := base-1, base, int64(1)
	for {
		is, err := taken(hi)
		if err != nil {
			return 0, err
		}
		if !is {
			break
		}
		lo, hi = hi, hi+step
		step *= 2
	}
	for lo >= base && hi-lo > 1 {
		mid := lo + (hi-lo)/2
		is, err := taken(mid)
		if err != nil {
			return 0, err
		}
		if is {
			lo = mid
		} else {
			hi = mid
		}
	}
	b.shift = max(b.shift, hi-base)
	return hi, nil
}

// remove takes a call out of every table.
func (b *batch) remove(id int64) error {
	b.erased = true
	if err := b.clear(id); err != nil {
		return err
	}
	b.rev++
	b.added--
	b.unindex(id)
	for _, query := range []string{`DELETE FROM records WHERE id = ?`, `DELETE FROM calls WHERE id = ?`} {
		if err := b.conn.do(query, id); err != nil {
			return err
		}
	}
	return b.conn.do(`INSERT INTO removed(rev, id) VALUES(?, ?)`, b.rev, id)
}

// unindex takes the words of a call out of the index, at the end of the batch.
func (b *batch) unindex(id int64) {
	if b.index[id] != nil {
		delete(b.index, id)
		return
	}
	b.drop = append(b.drop, id)
}

// reindex brings the full-text index up to date. It comes last: statements on
// other tables that open a savepoint make FTS5 write a segment for every call.
func (b *batch) reindex() error {
	for _, id := range b.drop {
		if err := b.conn.do(`DELETE FROM words WHERE rowid = ?`, id); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.index)) {
		t := &b.index[id].texts
		err := b.conn.do(`INSERT INTO words(rowid, agent, caller, tool, payload, system, other) VALUES(?, ?, ?, ?, ?, ?, ?)`,
			id, t[0], t[1], t[2], t[3], t[4], t[5])
		if err != nil {
			return err
		}
	}
	return nil
}

// clear takes away what a call has in tables of its own.
func (b *batch) clear(id int64) error {
	old, err := b.conn.load(id)
	if errors.Is(err, errDamaged) {
		return b.clearUnread(id)
	}
	if err != nil {
		return err
	}
	b.traces.note(old)
	for _, query := range []string{
		`DELETE FROM metrics WHERE call = ? AND definition IN (SELECT id FROM definitions)`,
		`DELETE FROM latencies WHERE call = ? AND stage IN (SELECT id FROM names WHERE name LIKE 'l.%')`,
	} {
		if err := b.conn.do(query, id); err != nil {
			return err
		}
	}
	for prefix, object := range map[string]map[string]any{"m.": old.Metadata, "d.": old.DynamicVariables} {
		for key := range object {
			if err := b.conn.do(`DELETE FROM extras WHERE call = ? AND name = (SELECT id FROM names WHERE name = ?)`, id, prefix+key); err != nil {
				return err
			}
		}
	}
	return nil
}

// clearUnread is clear for a call whose record cannot be read: what it had is
// looked for everywhere.
func (b *batch) clearUnread(id int64) error {
	for _, query := range []string{`DELETE FROM metrics WHERE call = ?`, `DELETE FROM latencies WHERE call = ?`, `DELETE FROM extras WHERE call = ?`} {
		if err := b.conn.do(query, id); err != nil {
			return err
		}
	}
	return nil
}

// load decodes the record of one call.
func (c *conn) load(id int64) (l *call.Log, err error) {
	found := false
	err = c.each(`SELECT dictionary, body FROM records WHERE id = ?`, []any{id}, func(stmt *sqlite3.Stmt) (bool, error) {
		found = true
		var err error
		l, err = c.store.codec.decode(c, stmt.ColumnInt64(0), stmt.ColumnRawBlob(1))
		return false, err
	})
	if err == nil && !found {
		err = fmt.Errorf("%w: call %d has none", errDamaged, id)
	}
	return l, err
}

// readable is load, with nil for a record that is damaged, which is counted.
func (c *conn) readable(id int64) (*call.Log, error) {
	l, err := c.load(id)
	if errors.Is(err, errDamaged) {
		c.damaged.add(id)
		return nil, nil
	}
	return l, err
}

// loadAll decodes the records of some calls, on all processors, and hands each
// to use, from several goroutines at once, but for damaged ones, which are counted.
func (c *conn) loadAll(ids []int64, use func(i int, l *call.Log)) error {
	type packed struct {
		dict *dictionary
		body []byte
	}
	records, errs := make([]packed, len(ids)), make([]error, len(ids))
	for i, id := range ids {
		err := c.each(`SELECT dictionary, body FROM records WHERE id = ?`, []any{id}, func(stmt *sqlite3.Stmt) (bool, error) {
			dict, err := c.store.codec.dictionary(c, stmt.ColumnInt64(0))
			records[i] = packed{dict, stmt.ColumnBlob(1, nil)}
			return false, err
		})
		if err != nil && !errors.Is(err, errDamaged) {
			return err
		}
	}
	parallel(len(ids), func(i int) {
		if records[i].dict == nil {
			c.damaged.add(ids[i])
			return
		}
		l, err := records[i].dict.decode(records[i].body)
		switch {
		case errors.Is(err, errDamaged):
			c.damaged.add(ids[i])
		case err != nil:
			errs[i] = err
		default:
			use(i, l)
		}
	})
	return errors.Join(errs...)
}

// number is a key as the id that it writes.
func number(key string) (int64, bool) {
	n, err := strconv.ParseInt(key, 10, 64)
	return n, err == nil
}

// oddNumber is the number that a key reads as, where it is not written as that
// number usually is: 5.0 or -0. Nil for others.
func oddNumber(key string) any {
	n, err := strconv.ParseFloat(key, 64)
	if err != nil || usual(n) == key || !readsAs(key, n) {
		return nil
	}
	return n
}

// usual is how n is written; there is no -0.
func usual(n float64) string { return strconv.FormatFloat(n+0, 'f', -1, 64) }

// readsAs reports whether a filter takes key for n.
func readsAs(key string, n float64) bool {
	return filter.Match(filter.Cond{Op: filter.Eq, Value: n}, one{[]any{key}})
}
