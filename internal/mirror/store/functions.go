package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// An asked condition is one that SQL hands back to filter.Match, value by
// value, so that it means here what it means everywhere.
type asked struct {
	cond filter.Cond
	kind kind
}

// A kind says what a column holds for filter.Match.
type kind int

const (
	textual  kind = iota
	coded         // the id of one of strings
	keyed         // the key of a call, as sortableKey has it
	numeric       // a number as it is
	lasting       // nanoseconds, compared as seconds
	dated         // nanoseconds since 1970
	truthful      // 0 or 1
	recorded      // only the record has it
	named         // the id of one of sources
)

// one is a filter.Row of a single value.
type one struct{ v []any }

func (o one) Values(string) []any      { return o.v }
func (o one) Rows(string) []filter.Row { return nil }

func (a *asked) holds(v any) bool { return filter.Match(a.cond, one{[]any{v}}) }

// registerFunctions gives SQL the functions holds(n, value), of the condition
// with that number, and holds_record(n, id, dictionary, body).
func (c *conn) registerFunctions() error {
	err := c.CreateFunction("holds", 2, 0, func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if c.stopped() != nil { // SQLite looks each 1,000 of its instructions, of which this is one
			ctx.ResultError(sqlite3.INTERRUPT)
			return
		}
		a := c.asked[arg[0].Int()]
		if arg[1].Type() == sqlite3.NULL {
			ctx.ResultBool(a.holds(nil))
			return
		}
		ctx.ResultBool(a.holds(a.value(arg[1])))
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	err = c.CreateFunction("holds_record", 4, 0, func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if c.stopped() != nil {
			ctx.ResultError(sqlite3.INTERRUPT)
			return
		}
		l, err := c.record(arg[1].Int64(), arg[2].Int64(), arg[3].RawBlob())
		if err != nil {
			ctx.ResultError(err)
			return
		}
		ctx.ResultBool(filter.Match(c.asked[arg[0].Int()].cond, l))
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

func (a *asked) value(v sqlite3.Value) any {
	switch a.kind {
	case keyed:
		return plainKey(v.RawBlob())
	case numeric:
		return v.Float()
	case lasting:
		return time.Duration(v.Int64()).Seconds()
	case dated:
		return time.Unix(0, v.Int64()).UTC()
	case truthful:
		return v.Bool()
	}
	if t := v.Type(); t == sqlite3.FLOAT || t == sqlite3.INTEGER { // the score of a metric
		return v.Float()
	}
	return v.Text()
}

// decoded is the last record that a question looked into: several conditions
// on one call decode it once.
type decoded struct {
	id  int64
	log *call.Log
}

func (c *conn) record(id, dictionary int64, body []byte) (*call.Log, error) {
	if c.last.log != nil && c.last.id == id {
		return c.last.log, nil
	}
	l, err := c.store.codec.decode(c, dictionary, body)
	if errors.Is(err, errDamaged) {
		c.damaged.add(id)
		l, err = &call.Log{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store: call %d: %w", id, err)
	}
	c.last = decoded{id, l}
	return l, nil
}

// sortableKey writes a key so that bytes sort as call.Order breaks ties: digits
// by their number, before all others.
func sortableKey(key string) []byte {
	if !digits(key) {
		return append([]byte{2}, key...)
	}
	return append([]byte{1, byte(len(key) >> 8), byte(len(key))}, key...)
}

func plainKey(b []byte) string {
	switch {
	case len(b) > 3 && b[0] == 1:
		return string(b[3:])
	case len(b) > 1:
		return string(b[1:])
	}
	return ""
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) < 1<<16
}
