package filter

import "time"

// Bounds takes the bounds of a time field out of e: nothing that e matches has
// the field outside from and to, both included; a zero bound is open. And with
// the two bounds, rest means e.
func Bounds(e Expr, field string) (from, to time.Time, rest Expr) {
	var keep []Expr
	for _, x := range Conjuncts(e) {
		c, ok := x.(Cond)
		t, isTime := c.Value.(time.Time)
		if !ok || c.Field != field || !isTime {
			keep = append(keep, x)
			continue
		}
		if c.Op == Gt || c.Op == Lt { // the bound itself is outside
			keep = append(keep, x)
		}
		if (c.Op == Gt || c.Op == Gte || c.Op == Eq) && (from.IsZero() || t.After(from)) {
			from = t
		}
		if (c.Op == Lt || c.Op == Lte || c.Op == Eq) && (to.IsZero() || t.Before(to)) {
			to = t
		}
	}
	return from, to, All(keep...)
}

// Within is the filter for a field from one time to another, both included; a
// zero time is open.
func Within(field string, from, to time.Time) Expr {
	var and And
	if !from.IsZero() {
		and = append(and, Cond{Field: field, Op: Gte, Value: from.UTC()})
	}
	if !to.IsZero() {
		and = append(and, Cond{Field: field, Op: Lte, Value: to.UTC()})
	}
	return All(and...)
}
