package filter

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

type condJSON struct {
	Field string `json:"field"`
	Op    Op     `json:"op"`
	Value any    `json:"value"`
	// Viewed tells conditions apart that see different things. Parse refuses it.
	Viewed bool `json:"viewed,omitempty"`
}

func (c Cond) String() string {
	return marshal(condJSON{Field: c.Field, Op: c.Op, Value: wire(c.Value), Viewed: c.View != nil})
}

func (a And) String() string     { return group("and", a) }
func (o Or) String() string      { return group("or", o) }
func (s SameRow) String() string { return group("same_row", s) }

func group(operator string, parts []Expr) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"operator":%q,"conditions":[`, operator)
	for i, p := range parts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(p.String())
	}
	b.WriteString("]}")
	return b.String()
}

// wire is v as filters_v2 writes it.
func wire(v any) any {
	switch v := v.(type) {
	case time.Time, *regexp.Regexp, Phone:
		return text(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = wire(x)
		}
		return out
	}
	return v
}

func marshal(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("filter: a value that Parse never leaves: %v", err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Words says e for people: success = false, (topic = "a" or topic = "b").
func Words(e Expr) string {
	switch e := e.(type) {
	case nil:
		return ""
	case And:
		return list(e, ", ")
	case Or:
		return "(" + list(e, " or ") + ")"
	case SameRow:
		return "one row with (" + list(e, ", ") + ")"
	case Cond:
		return e.words()
	}
	panic(fmt.Sprintf("filter: unknown node %T", e))
}

func list(parts []Expr, sep string) string {
	words := make([]string, len(parts))
	for i, p := range parts {
		words[i] = Words(p)
		if _, ok := p.(And); ok && sep != ", " {
			words[i] = "(" + words[i] + ")"
		}
	}
	return strings.Join(words, sep)
}

func (c Cond) words() string {
	if c.Op == IsNull {
		if c.Value == true {
			return c.Field + " is absent"
		}
		return c.Field + " is present"
	}
	sign := map[Op]string{Eq: "=", Neq: "≠", Gt: ">", Gte: "≥", Lt: "<", Lte: "≤", StartsWith: "starts with", EndsWith: "ends with", Regex: "matches"}[c.Op]
	if sign == "" {
		sign = string(c.Op)
	}
	return c.Field + " " + sign + " " + valueWords(c.Value)
}

func valueWords(v any) string {
	switch v := v.(type) {
	case time.Time:
		return v.Format("2006-01-02 15:04:05Z")
	case []any:
		words := make([]string, 0, len(v))
		for _, x := range v {
			words = append(words, valueWords(x))
		}
		return "(" + strings.Join(words, ", ") + ")"
	}
	return marshal(wire(v))
}
