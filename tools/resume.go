package tools

import (
	"fmt"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// pinned is d at one instant, by which relative times are resolved.
func (d Deps) pinned(at time.Time) Deps {
	if !at.IsZero() {
		d.Now = func() time.Time { return at }
	}
	return d
}

// same refuses a selection beside a cursor that is not that of the cursor's
// question. Relative times mean what they meant when that was asked.
func (q question) same(d Deps, s selection, c call.Cursor) error {
	where, err := s.where(d.pinned(c.At))
	if err != nil {
		return err
	}
	from, to, _ := filter.Bounds(where, "timestamp")
	asked := c.Asked
	if asked.From.IsZero() {
		asked.From = c.Window.From
	}
	if asked.To.IsZero() {
		asked.To = c.Window.To
	}
	switch {
	case s.TimestampFrom != "" && !sameTime(from, asked.From):
		return q.another("timestamp_from", s.TimestampFrom, instant(asked.From))
	case s.TimestampTo != "" && !sameTime(to, asked.To):
		return q.another("timestamp_to", s.TimestampTo, instant(asked.To))
	case s.Source != "" && (len(q.sources) != 1 || q.sources[0] != s.Source):
		return q.another("source", s.Source, q.scope(80))
	}
	if other := (question{query: call.Query{Where: where}}).filters(); other != nil && other.String() != text(q.filters()) {
		return &call.Error{
			Kind: call.Invalid,
			Msg:  fmt.Sprintf("That cursor goes on with another question: %s; not %s.", q.scope(200), clip(filter.Words(other))),
			Hint: askAnew,
		}
	}
	return nil
}

const askAnew = "Give the cursor alone, or the new question without it."

// another says that an argument beside a cursor is not that of its question.
func (q question) another(argument, given, held string) error {
	return &call.Error{
		Kind: call.Invalid, Msg: fmt.Sprintf("That cursor goes on with another question: its %s is %s, not %s.", argument, clip(held), clip(given)),
		Hint: askAnew,
	}
}

// sameTime compares to the millisecond above, which is what a cursor keeps of an end.
func sameTime(a, b time.Time) bool {
	up := func(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }
	return a.UnixMilli() == b.UnixMilli() || up(a) == up(b)
}

func instant(t time.Time) string {
	if t.IsZero() {
		return "open"
	}
	return t.UTC().Format(time.RFC3339)
}

// sameOrder refuses an order beside a cursor that is not that of its question.
func (q question) sameOrder(given string) error {
	held := q.query.Order
	if held == "" {
		held = call.Newest
	}
	if given != "" && call.Order(given) != held {
		return q.another("order_by", given, string(held))
	}
	return nil
}

// same refuses what is asked for beside a cursor of another search.
func (in searchArgs) same(d Deps, q question) error {
	if in.Query != "" {
		t, err := call.ParseText(in.Query)
		if err != nil {
			return &call.Error{Kind: call.Invalid, Msg: "query: " + err.Error() + "."}
		}
		if q.query.Text == nil || q.query.Text.String() != t.String() {
			held := "none"
			if q.query.Text != nil {
				held = q.query.Text.String()
			}
			return q.another("query", in.Query, held)
		}
	}
	if in.Role != "" && call.Role(in.Role) != q.query.Role {
		held := string(q.query.Role)
		if held == "" {
			held = "everybody"
		}
		return q.another("role", in.Role, held)
	}
	if in.SimilarTo != "" {
		id, err := call.ParseID(in.SimilarTo, d.Sources)
		if err != nil {
			return err
		}
		if q.query.Similar == nil || *q.query.Similar != id {
			held := "none"
			if q.query.Similar != nil {
				held = q.query.Similar.String()
			}
			return q.another("similar_to", in.SimilarTo, held)
		}
	}
	return q.sameOrder(in.OrderBy)
}
