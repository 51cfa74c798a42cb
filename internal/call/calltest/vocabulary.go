package calltest

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// spell puts keys that the logs have in the place of KEY and STAGE.
func (u *universe) spell(field string) []string {
	keys := map[string]bool{}
	prefix, _, _ := strings.Cut(field, ".")
	for _, l := range u.logs {
		switch prefix {
		case "metadata":
			collect(keys, l.Metadata)
		case "dynamic_variables":
			collect(keys, l.DynamicVariables)
		case "latency":
			collect(keys, l.Latency)
		default:
			return []string{field}
		}
	}
	var out []string
	for _, key := range append(slices.Sorted(maps.Keys(keys)), "never") {
		if !strings.Contains(key, ".") && len(out) < 8 {
			out = append(out, strings.NewReplacer("KEY", key, "STAGE", key).Replace(field))
		}
	}
	return out
}

func collect[T any](keys map[string]bool, m map[string]T) {
	for k := range m {
		keys[k] = true
	}
}

// even draws a number below n, each as likely as the others; rapid's own
// ranges and samples prefer the first, so that the last fields of a schema are
// hardly ever asked for.
func even(t *rapid.T, label string, n int) int {
	x := 0
	for _, bit := range rapid.SliceOfN(rapid.Bool(), 12, 12).Draw(t, label) {
		x <<= 1
		if bit {
			x++
		}
	}
	return x % n
}

// filter draws a tree that people could have written: it has been through
// filter.Parse.
func (v *vocabulary) filter(t *rapid.T) filter.Expr {
	written := v.tree(t, 3, "").String()
	e, err := filter.Parse([]byte(written), call.Fields(), filter.Clock{})
	if err != nil {
		t.Fatalf("the suite drew a filter that cannot be asked: %s: %v", written, err)
	}
	return e
}

func (v *vocabulary) tree(t *rapid.T, depth int, relation string) filter.Expr {
	kind := even(t, "kind", 7)
	switch {
	case depth == 0 || kind <= 3:
		return v.cond(t, relation)
	case kind == 4:
		return filter.And(v.trees(t, depth, relation))
	case kind == 5 && relation == "" && v.has(call.Evaluations):
		// Two conditions, or it says nothing of its own; more, and little matches.
		return filter.SameRow{v.cond(t, call.Evaluations), v.tree(t, even(t, "deep", 2), call.Evaluations)}
	}
	return filter.Or(v.trees(t, depth, relation))
}

func (v *vocabulary) trees(t *rapid.T, depth int, relation string) []filter.Expr {
	out := make([]filter.Expr, rapid.IntRange(1, 3).Draw(t, "parts"))
	for i := range out {
		out[i] = v.tree(t, depth-1, relation)
	}
	return out
}

func (v *vocabulary) has(relation string) bool {
	return slices.ContainsFunc(v.fields, func(f filter.Field) bool { return f.Relation == relation })
}

func (v *vocabulary) cond(t *rapid.T, relation string) filter.Expr {
	fields := v.fields
	if relation != "" {
		fields = slices.DeleteFunc(slices.Clone(fields), func(f filter.Field) bool { return f.Relation != relation })
	}
	f := fields[even(t, "field", len(fields))]
	op := f.Can()[even(t, "op", len(f.Can()))]
	if relation != "" && rapid.Bool().Draw(t, "plainly") && len(v.values[f.Name]) > 0 {
		op = filter.Eq
	}
	values := v.values[f.Name]
	if len(values) == 0 || op == filter.IsNull {
		if !slices.Contains(f.Can(), filter.IsNull) {
			return filter.Or{filter.Cond{Field: "success", Op: filter.IsNull, Value: rapid.Bool().Draw(t, "absent")}}
		}
		return filter.Cond{Field: f.Name, Op: filter.IsNull, Value: rapid.Bool().Draw(t, "absent")}
	}
	value := values[even(t, "value", len(values))]
	c := filter.Cond{Field: f.Name, Op: op}
	switch op {
	case filter.Contains, filter.StartsWith, filter.EndsWith:
		c.Value = part(t, op, textOf(value))
	case filter.Regex:
		c.Value = pattern(t, part(t, op, textOf(value)))
	case filter.In:
		c.Value = []any{short(value), short(rapid.SampledFrom(values).Draw(t, "other")), nil}
	case filter.Gt, filter.Gte, filter.Lt, filter.Lte:
		c.Value = near(t, f.Kind, value)
	default:
		c.Value = short(value)
		if s, ok := c.Value.(string); ok && rapid.IntRange(0, 4).Draw(t, "loud") == 0 {
			c.Value = strings.ToUpper(s)
		}
	}
	return c
}

// part is a piece of s from where op looks for it, in the case of s or not.
func part(t *rapid.T, op filter.Op, s string) string {
	runes := []rune(s)
	n := min(len(runes), rapid.IntRange(1, 8).Draw(t, "length"))
	from := 0
	switch op {
	case filter.EndsWith:
		from = len(runes) - n
	case filter.Contains, filter.Regex:
		from = even(t, "from", len(runes)-n+1)
	}
	if s = string(runes[from : from+n]); s == "" {
		return "a"
	}
	if rapid.Bool().Draw(t, "loud") {
		return strings.ToUpper(s)
	}
	return s
}

func pattern(t *rapid.T, s string) *regexp.Regexp {
	s = regexp.QuoteMeta(s)
	return regexp.MustCompile(rapid.SampledFrom([]string{s, "(?i)" + s, "^" + s, s + "|7$"}).Draw(t, "pattern"))
}

// near is value or one beside it, for comparisons.
func near(t *rapid.T, kind filter.Kind, value any) any {
	step := []int{0, -1, 1, 0}[even(t, "step", 4)]
	switch value := value.(type) {
	case time.Time:
		return value.Add(time.Duration(step) * time.Millisecond)
	case float64:
		return math.Round(2000*value+float64(1000*step)) / 2000 // a Dynamic takes 15 digits
	case string:
		if n, err := strconv.ParseFloat(value, 64); kind == filter.Dynamic && err == nil && n < 1e12 {
			return n
		}
	}
	return 1.0 // a text is not compared with
}

// short keeps a filter within its limit of length.
func short(value any) any {
	if s, ok := value.(string); ok && len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "")
	}
	return value
}

func textOf(value any) string {
	if n, ok := value.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// text draws a query of one to three words, phrases, prefixes and exclusions.
func (v *vocabulary) text(t *rapid.T) *call.Text {
	var parts []string
	for i := range rapid.IntRange(1, 3).Draw(t, "terms") {
		term := v.term(t)
		switch even(t, "join", 6) {
		case 0:
			term = "-" + term
		case 1:
			if i > 0 {
				term = "OR " + term
			}
		}
		parts = append(parts, term)
	}
	s := strings.Join(parts, " ")
	text, err := call.ParseText(s)
	if err != nil { // nothing but exclusions, or punctuation
		text, err = call.ParseText(v.spokenWord(t) + " " + s)
	}
	if err != nil {
		t.Skip("no word in " + s)
	}
	return text
}

func (v *vocabulary) term(t *rapid.T) string {
	words := strings.Fields(strings.ReplaceAll(v.spoken[even(t, "said", len(v.spoken))], `"`, " "))
	if len(words) == 0 {
		return "the"
	}
	from := even(t, "from", len(words))
	switch even(t, "term", 4) {
	case 0:
		n := rapid.IntRange(1, min(4, len(words)-from)).Draw(t, "words")
		return `"` + strings.Join(words[from:from+n], " ") + `"`
	case 1:
		runes := []rune(strings.Trim(words[from], "*-"))
		return string(runes[:min(len(runes), rapid.IntRange(1, 5).Draw(t, "letters"))]) + "*"
	case 2:
		return strings.ToUpper(words[from])
	}
	return words[from]
}

func (v *vocabulary) spokenWord(t *rapid.T) string {
	return rapid.SampledFrom(v.spoken).Filter(hasWords).Draw(t, "said")
}
