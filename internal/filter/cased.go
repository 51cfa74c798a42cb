package filter

import (
	"slices"
	"strings"
)

// Cased is c, where f has AnyCase, so that an operand with capitals also finds
// its value in small letters: "ENDED" is asked for as "ENDED" or "ended".
func (f Field) Cased(c Cond) Cond {
	list, isList := c.Value.([]any)
	switch {
	case !f.AnyCase || c.Op != Eq && c.Op != In:
		return c
	case !isList:
		list = []any{c.Value}
	}
	out := slices.Clone(list)
	for _, x := range list {
		if s, ok := x.(string); ok {
			if small := strings.ToLower(s); !slices.Contains(out, any(small)) {
				out = append(out, small)
			}
		}
	}
	if len(out) == len(list) {
		return c
	}
	return Cond{Field: c.Field, Op: In, Value: out}
}
