// Package filter is the query language of the server: the boolean tree that
// callers write as filters_v2 JSON and that every backend reads.
//
// The package owns what a filter means. Match is that meaning, executed on one
// row in memory. A compiler to SQL or to an upstream's parameters lives beside
// the machine it targets and must agree with Match.
//
// The language has no negation, on purpose: a comparison with a missing value
// is false, neq included, and only isnull asks for absence. That keeps two
// truth values where SQL has three, so that all backends can agree.
package filter

import (
	"fmt"
	"slices"
	"strings"
)

// An Expr is a filter: a Cond, or an And, Or or SameRow of filters.
// The nil Expr matches every row.
type Expr interface {
	// String is the canonical filters_v2 JSON of the tree. Parse reads it back
	// to the same meaning.
	String() string
	expr()
}

type (
	// A Cond compares one field with one value. The value is a string, float64,
	// bool or time.Time, as the field's Kind demands, a []any of these for In,
	// or nil for JSON's null, with which nothing compares true.
	Cond struct {
		Field string
		Op    Op
		Value any
		// View says what the condition sees of a row; nil for all of it. One with a
		// View is for Match alone: no upstream can be asked it.
		View View
	}
	// And holds where all of its parts hold, so the empty And always does.
	And []Expr
	// Or holds where one of its parts holds, so the empty Or never does.
	Or []Expr
	// SameRow holds where one and the same related row (one metric evaluation)
	// satisfies all of its parts, which are Conds on one relation, or Ands and
	// Ors of such.
	SameRow []Expr
)

func (Cond) expr()    {}
func (And) expr()     {}
func (Or) expr()      {}
func (SameRow) expr() {}

// An Op names a comparison, spelled as filters_v2 spells it.
type Op string

// The twelve operators. Eq, Neq and In mind case, Contains, StartsWith and
// EndsWith do not. Regex is RE2, unanchored.
const (
	Eq         Op = "eq"
	Neq        Op = "neq"
	Gt         Op = "gt"
	Gte        Op = "gte"
	Lt         Op = "lt"
	Lte        Op = "lte"
	Contains   Op = "contains"
	StartsWith Op = "startswith"
	EndsWith   Op = "endswith"
	In         Op = "in"
	IsNull     Op = "isnull"
	Regex      Op = "regex"
)

// A Row is anything a filter can be put to.
type Row interface {
	// Values returns the values of a field: one where the field is the row's
	// own, one for each related row where it is theirs. A nil element, like no
	// element at all, is a missing value. Values are of the type that the
	// field's Kind demands.
	Values(field string) []any
	// Rows returns the related rows, such as "metric_evaluations".
	Rows(relation string) []Row
}

// Match reports whether e holds of r.
func Match(e Expr, r Row) bool {
	switch e := e.(type) {
	case nil:
		return true
	case And:
		return !slices.ContainsFunc(e, func(x Expr) bool { return !Match(x, r) })
	case Or:
		return slices.ContainsFunc(e, func(x Expr) bool { return Match(x, r) })
	case SameRow:
		relation, ok := e.Relation()
		return ok && slices.ContainsFunc(r.Rows(relation), func(row Row) bool { return Match(And(e), row) })
	case Cond:
		if e.View != nil {
			r = e.View.Row(r)
		}
		return e.holds(r.Values(e.Field))
	}
	panic(fmt.Sprintf("filter: unknown node %T", e))
}

// A View shows rows otherwise than they are, such as with texts masked.
type View interface{ Row(Row) Row }

// Map is e with each of its conditions replaced.
func Map(e Expr, change func(Cond) Expr) Expr {
	each := func(parts []Expr) []Expr {
		out := make([]Expr, len(parts))
		for i, x := range parts {
			out[i] = Map(x, change)
		}
		return out
	}
	switch e := e.(type) {
	case Cond:
		return change(e)
	case And:
		return And(each(e))
	case Or:
		return Or(each(e))
	case SameRow:
		return SameRow(each(e))
	}
	return e
}

// Split divides e into the part that a backend can run and the rest, so that
// And{push, rest} means e. It asks can about each conjunct of e, whole.
func Split(e Expr, can func(Expr) bool) (push, rest Expr) {
	var yes, no []Expr
	for _, x := range Conjuncts(e) {
		if can(x) {
			yes = append(yes, x)
		} else {
			no = append(no, x)
		}
	}
	return All(yes...), All(no...)
}

// All joins filters into the one that holds where each of them does. Nils are
// dropped and nested Ands flattened; All of nothing is nil.
func All(exprs ...Expr) Expr {
	var and And
	for _, e := range exprs {
		and = append(and, Conjuncts(e)...)
	}
	switch len(and) {
	case 0:
		return nil
	case 1:
		return and[0]
	}
	return and
}

// Conjuncts are the parts of e that all have to hold, nested Ands flattened.
func Conjuncts(e Expr) []Expr {
	switch e := e.(type) {
	case nil:
		return nil
	case And:
		var out []Expr
		for _, x := range e {
			out = append(out, Conjuncts(x)...)
		}
		return out
	}
	return []Expr{e}
}

// Conds yields every comparison in e, from left to right.
func Conds(e Expr) func(yield func(Cond) bool) {
	return func(yield func(Cond) bool) { walk(e, yield) }
}

func walk(e Expr, yield func(Cond) bool) bool {
	var parts []Expr
	switch e := e.(type) {
	case nil:
		return true
	case Cond:
		return yield(e)
	case And:
		parts = e
	case Or:
		parts = e
	case SameRow:
		parts = e
	}
	for _, x := range parts {
		if !walk(x, yield) {
			return false
		}
	}
	return true
}

// Relation is the related rows that s speaks of, as in "metric_evaluations";
// ok is false where it names none, or more than one.
func (s SameRow) Relation() (relation string, ok bool) {
	for c := range Conds(s) {
		r, _, _ := strings.Cut(c.Field, ".")
		if relation != "" && r != relation {
			return "", false
		}
		relation = r
	}
	return relation, relation != ""
}
