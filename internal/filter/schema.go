package filter

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// A Kind is the type of a field's values.
type Kind string

// The kinds. Text takes numbers and booleans as their JSON text. Dynamic
// compares as numbers where both sides are numbers or read as one, and as text
// otherwise.
const (
	Text    Kind = "text"
	Number  Kind = "number"
	Bool    Kind = "boolean"
	Time    Kind = "time"
	Dynamic Kind = "text or number"
)

// Ops lists the operators that a kind has by default.
func (k Kind) Ops() []Op {
	switch k {
	case Text:
		return []Op{Eq, Neq, Contains, StartsWith, EndsWith, In, IsNull, Regex}
	case Number:
		return []Op{Eq, Neq, Gt, Gte, Lt, Lte, In, IsNull}
	case Bool:
		return []Op{Eq, Neq, IsNull}
	case Time:
		return []Op{Eq, Gt, Gte, Lt, Lte, IsNull}
	}
	return []Op{Eq, Neq, Gt, Gte, Lt, Lte, Contains, StartsWith, EndsWith, In, IsNull, Regex}
}

// A Field is a name that callers may filter on, and what they may ask of it.
// A part of the name in capitals, as in "metadata.KEY", stands for any one key.
type Field struct {
	Name     string
	Kind     Kind
	Ops      []Op     // nil for all that Kind has
	Doc      string   // what the field is, for people
	Example  string   // a value, as JSON; "" for one of the Kind
	Relation string   // the related rows that hold it; "" for the row itself
	Aliases  []string // other names that callers use for it
	AnyCase  bool     // its values are of a few, which upstreams write in small letters and in capitals
	Phone    bool     // it holds telephone numbers, which are compared by their digits
}

// Can lists the operators of f.
func (f Field) Can() []Op {
	if f.Ops != nil {
		return f.Ops
	}
	return f.Kind.Ops()
}

// A Schema lists the fields of a row. It checks filters, and documents them.
type Schema []Field

// Field returns the field that name means, under its own name: an alias is
// resolved, and a capital part replaced by the key that name has there.
func (s Schema) Field(name string) (Field, bool) {
	for _, f := range s {
		if f.Name == name || slices.Contains(f.Aliases, name) {
			return f, !strings.ContainsFunc(f.Name, isCapital)
		}
		if fits(f.Name, name) {
			f.Name = name
			return f, true
		}
	}
	return Field{}, false
}

// fits reports whether name is pattern with a key in each capital part.
func fits(pattern, name string) bool {
	if !strings.ContainsFunc(pattern, isCapital) {
		return false
	}
	want, got := strings.Split(pattern, "."), strings.Split(name, ".")
	return len(want) == len(got) && !slices.ContainsFunc(want, func(w string) bool {
		g := got[0]
		got = got[1:]
		return g == "" || g != w && !isCapital(rune(w[0]))
	})
}

func isCapital(r rune) bool { return r >= 'A' && r <= 'Z' }

// Names lists the fields' own names, in the schema's order.
func (s Schema) Names() []string {
	names := make([]string, len(s))
	for i, f := range s {
		names[i] = f.Name
	}
	return names
}

// longestName is how long a word may be that Closest looks at.
const longestName = 100

// Closest returns the one of names that word is most likely a slip for, or "".
// A third of its letters may be wrong; a part of a name counts as the name.
func Closest(word string, names []string) string {
	if len(word) > longestName {
		return "" // no slip of the pen, and each comparison takes its length
	}
	best, least := "", max(1, (len(word)+1)/3)+1
	low := strings.ToLower(word)
	for _, name := range names {
		d := 2 * levenshtein.ComputeDistance(low, strings.ToLower(name))
		for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '_' }) {
			d = min(d, 2*levenshtein.ComputeDistance(low, part)+1) // the whole name is the better guess
		}
		if d < 2*least {
			best, least = name, (d+1)/2
		}
	}
	return best
}
