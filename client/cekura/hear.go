package cekura

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// operators is what filters_v2 can compare a field with, by the table in the
// vendor's pages; nil where it does not know the field.
//
// Left out on purpose: neq of a related row, as one backend takes it for "some
// evaluation differs" and another for "no evaluation equals".
func operators(field string) []filter.Op {
	words := []filter.Op{filter.Eq, filter.Neq, filter.Contains, filter.StartsWith, filter.In}
	order := []filter.Op{filter.Eq, filter.Gt, filter.Gte, filter.Lt, filter.Lte}
	switch field {
	case "id":
		return append(order, filter.In)
	case "call_id", "customer_number", "agent.agent_name":
		return words
	case "success":
		return []filter.Op{filter.Eq, filter.Neq, filter.IsNull}
	case "is_reviewed":
		return []filter.Op{filter.Eq}
	case "duration", "timestamp", "created_at":
		return order
	case "call_ended_reason":
		return []filter.Op{filter.Eq, filter.Neq, filter.Contains, filter.In}
	case "dropoff_point", "topic":
		return []filter.Op{filter.Eq, filter.Neq, filter.Contains, filter.In, filter.IsNull}
	case "agent.id", "metric_evaluations.metric.id":
		return []filter.Op{filter.Eq, filter.In}
	case "metric_evaluations.metric.name":
		return []filter.Op{filter.Eq, filter.Contains, filter.StartsWith, filter.In}
	case "metric_evaluations.value":
		return append(order, filter.In)
	}
	if strings.HasPrefix(field, "metadata.") {
		return append(words, filter.IsNull)
	}
	return nil
}

// hear returns e as the API has to be told it, and false where it cannot be
// told all of it.
func hear(e filter.Expr) (filter.Expr, bool) {
	switch e := e.(type) {
	case filter.Cond:
		return hearCond(e)
	case filter.And:
		parts, ok := hearAll(e)
		return filter.And(parts), ok
	case filter.Or:
		parts, ok := hearAll(e)
		return filter.Or(parts), ok
	case filter.SameRow:
		parts, ok := hearAll(e)
		return filter.SameRow(parts), ok
	}
	return nil, false
}

func hearAll(parts []filter.Expr) ([]filter.Expr, bool) {
	told := make([]filter.Expr, len(parts))
	for i, x := range parts {
		var ok bool
		if told[i], ok = hear(x); !ok {
			return nil, false
		}
	}
	return told, len(parts) > 0
}

func hearCond(c filter.Cond) (filter.Expr, bool) {
	if c.Value == nil || c.View != nil || !slices.Contains(operators(c.Field), c.Op) {
		return nil, false
	}
	values := operands(c)
	for i, v := range values {
		if _, isPhone := v.(filter.Phone); isPhone {
			return nil, false // it equals more than the API would find: see wider
		}
		if _, isWord := v.(string); isWord && slices.Contains([]filter.Op{filter.Gt, filter.Gte, filter.Lt, filter.Lte}, c.Op) {
			return nil, false // to us words have no order
		}
		// To us an empty text is a missing one; to the API it may be a value.
		if plain(v) == "" {
			return nil, false
		}
		if isKey(c.Field) {
			n, err := strconv.ParseInt(plain(v), 10, 64)
			if err != nil {
				return nil, false
			}
			values[i] = float64(n)
		}
	}
	switch {
	case c.Op == filter.In:
		c.Value = values
	case isKey(c.Field):
		c.Value = values[0]
	}
	switch {
	case strings.HasPrefix(c.Field, "metadata."):
		return hedge(c), true
	case c.Op == filter.Neq && isText(c.Field):
		return filter.And{c, filter.Cond{Field: c.Field, Op: filter.Neq, Value: ""}}, true
	case c.Op == filter.IsNull && isText(c.Field) && c.Value == true:
		return filter.Or{c, filter.Cond{Field: c.Field, Op: filter.Eq, Value: ""}}, true
	case c.Op == filter.IsNull && isText(c.Field):
		return filter.And{c, filter.Cond{Field: c.Field, Op: filter.Neq, Value: ""}}, true
	}
	return c, true
}

// wider is what the API can be asked in place of x where it compares as text what
// is a telephone number to us, in any spelling: its last two digits stand
// together however the others are parted.
func wider(x filter.Expr) (filter.Expr, bool) {
	c, ok := x.(filter.Cond)
	number, isPhone := c.Value.(filter.Phone)
	if !ok || !isPhone || c.Op != filter.Eq {
		return nil, false
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, string(number))
	if len(digits) < 2 {
		return nil, false
	}
	return filter.Cond{Field: c.Field, Op: filter.Contains, Value: digits[len(digits)-2:]}, true
}

// hedge asks for a metadata value in both of the types it may have there: to us
// it is text, there it is whatever JSON was sent.
func hedge(c filter.Cond) filter.Expr {
	if c.Op != filter.Eq && c.Op != filter.In {
		return c
	}
	all := slices.Clone(operands(c))
	for _, v := range operands(c) {
		s := plain(v)
		if n, err := strconv.ParseFloat(s, 64); err == nil && fmt.Sprint(n) == s {
			all = append(all, n)
		} else if s == "true" || s == "false" {
			all = append(all, s == "true")
		}
	}
	if len(all) == len(operands(c)) {
		return c
	}
	return filter.Cond{Field: c.Field, Op: filter.In, Value: all}
}

// isKey reports the fields that are integers to the API.
func isKey(field string) bool {
	return field == "id" || field == "agent.id" || field == "metric_evaluations.metric.id"
}

func isText(field string) bool {
	f, ok := call.Fields().Field(field)
	return ok && f.Kind == filter.Text && !isKey(field)
}

// lacking is the first field of x that rows of a list do not carry, or "".
func (s *source) lacking(x filter.Expr) string {
	for c := range filter.Conds(x) {
		switch prefix, _, _ := strings.Cut(c.Field, "."); {
		case prefix == "metadata", prefix == "dynamic_variables", prefix == "assistant_id":
			return c.Field
		case prefix == "project_id" && s.o.ProjectID == "":
			return c.Field
		}
	}
	return ""
}

// constant decides conditions that are the same for all calls of the source:
// on its name, on what Cekura does not tell, and on ids that no call of
// Cekura's can have.
func (s *source) constant(c filter.Cond, p *plan) (value, ok bool) {
	prefix, _, _ := strings.Cut(c.Field, ".")
	note := func(text string) {
		if !slices.Contains(p.notes, text) {
			p.notes = append(p.notes, text)
		}
	}
	switch {
	case c.Field == "source":
		return filter.Match(c, &call.Log{ID: call.ID{Source: s.name}}), true
	case slices.Contains([]string{"direction", "call_type", "summary", "sentiment", "cost", "latency"}, prefix):
		note(s.name + " does not tell " + c.Field)
		return filter.Match(c, &call.Log{}), true
	case (c.Field == "id" || c.Field == "agent.id") && (c.Op == filter.Eq || c.Op == filter.In):
		if !slices.ContainsFunc(operands(c), func(v any) bool { return isInteger(plain(v)) }) {
			note(c.Field + " is an integer at " + s.name)
			return false, true
		}
	}
	return false, false
}

// fold replaces the conditions that decide knows by what they come to. The
// result is nil where e always holds and an empty Or where it never does.
func fold(e filter.Expr, decide func(filter.Cond) (value, ok bool)) filter.Expr {
	never := filter.Or{}
	switch e := e.(type) {
	case filter.Cond:
		switch value, ok := decide(e); {
		case !ok:
			return e
		case value:
			return nil
		}
		return never
	case filter.And:
		var parts []filter.Expr
		for _, x := range e {
			x = fold(x, decide)
			if or, ok := x.(filter.Or); ok && len(or) == 0 {
				return never
			}
			parts = append(parts, x)
		}
		return filter.All(parts...)
	case filter.Or:
		parts := never
		for _, x := range e {
			x = fold(x, decide)
			if x == nil {
				return nil
			}
			if or, ok := x.(filter.Or); !ok || len(or) > 0 {
				parts = append(parts, x)
			}
		}
		if len(parts) == 1 {
			return parts[0]
		}
		return parts
	}
	return e
}

// operands are the values that c compares with.
func operands(c filter.Cond) []any {
	if list, ok := c.Value.([]any); ok {
		return slices.Clone(list)
	}
	return []any{c.Value}
}

// plain is a value as text, "" for null.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
