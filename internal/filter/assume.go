package filter

import "slices"

// Assume replaces the conditions on field by what they say of value, so that e
// is left with what has yet to be asked. ok is false where nothing can match.
func Assume(e Expr, field string, value any) (left Expr, ok bool) {
	switch e := e.(type) {
	case Cond:
		if e.Field == field {
			return nil, Match(e, single{value})
		}
	case And:
		var and And
		for _, x := range e {
			left, ok := Assume(x, field, value)
			if !ok {
				return nil, false
			}
			and = append(and, Conjuncts(left)...)
		}
		return All(and...), true
	case Or:
		var or Or
		for _, x := range e {
			left, ok := Assume(x, field, value)
			if ok && left == nil {
				return nil, true
			}
			if ok {
				or = append(or, left)
			}
		}
		if len(or) == 1 {
			return or[0], true
		}
		return or, len(or) > 0
	}
	return e, true
}

// Mentions reports whether e has a condition on one of fields.
func Mentions(e Expr, fields ...string) bool {
	for c := range Conds(e) {
		if slices.Contains(fields, c.Field) {
			return true
		}
	}
	return false
}

// A single is a row of one value, whatever the field.
type single struct{ value any }

func (s single) Values(string) []any { return []any{s.value} }
func (s single) Rows(string) []Row   { return nil }
