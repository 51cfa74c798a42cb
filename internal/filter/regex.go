package filter

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// The limits of regular expressions. RE2 takes time in proportion to the text and
// to the instructions that an expression compiles to, and memory to the latter.
// Nested repeats multiply them: (.{0,30}){0,30} has 16 characters and 1,900.
const (
	maxPattern  = 4000 // bytes of one expression, which bounds what parsing takes
	maxProgram  = 500  // instructions of one expression
	maxPrograms = 1000 // of all expressions of a filter
)

// pattern compiles an RE2 expression within the limits, or says what is wrong.
func (p *parser) pattern(v any) (*regexp.Regexp, string) {
	s, ok := v.(string)
	if !ok || s == "" {
		return nil, "regex takes an RE2 expression, got " + show(v)
	}
	if len(s) > maxPattern {
		return nil, fmt.Sprintf("an RE2 expression has at most %d bytes, this one %d", maxPattern, len(s))
	}
	s = norm.NFC.String(s) // as texts are compared
	tree, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		return nil, "not an RE2 expression: " + clip(strings.TrimPrefix(err.Error(), "error parsing regexp: "), 100)
	}
	size := instructions(tree)
	if size > maxProgram {
		return nil, fmt.Sprintf("this RE2 expression is too costly: it compiles to %d instructions, and %d are allowed. Repeats count as often as they repeat, nested ones multiply; write * or + for {0,30}, or use contains", size, maxProgram)
	}
	if p.programs += size; p.programs > maxPrograms {
		return nil, fmt.Sprintf("the RE2 expressions of this filter compile to more than %d instructions in all", maxPrograms)
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, "not an RE2 expression: " + clip(err.Error(), 100)
	}
	return re, ""
}

// instructions is about how many re compiles to, without compiling it. It counts
// no further than enough to know that there are too many.
func instructions(re *syntax.Regexp) int {
	sum := 0
	for _, sub := range re.Sub {
		if sum += instructions(sub); sum > 1<<20 {
			return sum
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpConcat:
		return max(1, sum)
	case syntax.OpAlternate:
		return sum + len(re.Sub) - 1
	case syntax.OpCapture:
		return sum + 2
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest:
		return sum + 1
	case syntax.OpRepeat:
		times := min(re.Min, 1<<10) * sum // Parse allows no more repeats
		if re.Max < 0 {
			return times + sum + 1
		}
		return times + (re.Max-re.Min)*(sum+1)
	}
	return 1
}
