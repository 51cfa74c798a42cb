package filter

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// holds is the one table of what the operators mean: c holds where it holds of
// any of the values, and of a missing value only IsNull ever holds.
func (c Cond) holds(values []any) bool {
	if c.Op == IsNull {
		if len(values) == 0 {
			return c.Value == true
		}
		return slices.ContainsFunc(values, func(v any) bool { return (v == nil) == c.Value })
	}
	return slices.ContainsFunc(values, func(v any) bool { return v != nil && c.Value != nil && c.holdsOf(v) })
}

func (c Cond) holdsOf(v any) bool {
	equal := equal
	if Names(c.Field) {
		equal = shownEqual
	}
	switch c.Op {
	case Eq:
		return equal(v, c.Value)
	case Neq:
		return !equal(v, c.Value)
	case Gt, Gte, Lt, Lte:
		d, ok := compare(v, c.Value)
		return ok && (c.Op == Gt && d > 0 || c.Op == Gte && d >= 0 || c.Op == Lt && d < 0 || c.Op == Lte && d <= 0)
	case In:
		list, _ := c.Value.([]any)
		return slices.ContainsFunc(list, func(w any) bool { return w != nil && equal(v, w) })
	case Contains:
		return strings.Contains(fold(v), fold(c.Value))
	case StartsWith:
		return strings.HasPrefix(fold(v), fold(c.Value))
	case EndsWith:
		return strings.HasSuffix(fold(v), fold(c.Value))
	case Regex:
		re, ok := c.Value.(*regexp.Regexp)
		return ok && re.MatchString(composed(text(v)))
	}
	return false
}

// equal compares as the type of the wanted value says: a number with what is
// or reads as a number, an instant as an instant, all else as text.
func equal(v, want any) bool {
	switch want := want.(type) {
	case float64, time.Time:
		d, ok := compare(v, want)
		return ok && d == 0
	case bool:
		return v == want
	case Phone:
		return want.is(text(v))
	}
	return text(v) == text(want)
}

// shownEqual is equal, for texts as they are shown.
func shownEqual(v, want any) bool {
	a, ok := v.(string)
	b, text := want.(string)
	if ok && text {
		return Same(a, b)
	}
	return equal(v, want)
}

// compare orders v against want; ok is false where they have no order.
func compare(v, want any) (order int, ok bool) {
	switch want := want.(type) {
	case float64:
		if n, ok := number(v); ok {
			return cmp.Compare(n, want), true
		}
	case time.Time:
		if t, ok := v.(time.Time); ok {
			return t.Compare(want), true
		}
	}
	return 0, false
}

// decimal is what reads as a number: no leading zeros, no exponent, so that
// identifiers such as 007 and 1e5 stay text.
func decimal(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, fraction, dot := strings.Cut(s, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (whole == "0" || whole[0] != '0') && (!dot || digits(fraction)) && len(s) <= 15
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		if decimal(v) {
			n, err := strconv.ParseFloat(v, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// text is v as Text and Dynamic compare it.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case Phone:
		return string(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case *regexp.Regexp:
		return v.String()
	}
	return ""
}

func fold(v any) string { return strings.ToLower(composed(text(v))) }
