package phone

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"call-logs-mcp/internal/lazyregexp"
)

// A plan is how the numbers of one region are written.
type plan struct {
	code          int
	region        string // "001" for numbers of no country
	international rule   // the prefix before numbers of other countries
	trunk         rule   // the prefix before one's own
	transform     string // what trunk is replaced by, as in regexp.Expand
	leading       rule   // tells regions of the same code, where it is not empty
	general       rule
	local         []int // lengths of numbers that are dialled within a town alone
	sameMobile    bool  // mobile numbers look as all others
	fixed, cell   rule
	others        []rule // numbers of other uses, such as free of charge
}

// A rule is a pattern of digits, and how many there may be; nil for any number.
type rule struct {
	pattern string // "" matches nothing
	lengths []int
	regexp  *lazyregexp.Regexp // of pattern, at the beginning or for all of a number
}

// find is where r matches at the beginning of digits, with its groups.
func (r rule) find(digits string) []int {
	if r.pattern == "" || digits == "" {
		return nil
	}
	return r.regexp.FindStringSubmatchIndex(digits)
}

// prefix is the length of the match of r that digits begin with, 0 for none.
func (r rule) prefix(digits string) int {
	if at := r.find(digits); at != nil {
		return at[1]
	}
	return 0
}

// matches holds where r matches all of digits.
func (r rule) matches(digits string) bool { return r.pattern != "" && r.regexp.MatchString(digits) }

// allows is matches, of numbers of the lengths that r names.
func (r rule) allows(digits string) bool {
	return (r.lengths == nil || slices.Contains(r.lengths, len(digits))) && r.matches(digits)
}

// valid holds of a number that is given out.
func (p *plan) valid(national string) bool {
	return p.general.allows(national) && (p.fixed.allows(national) || !p.sameMobile && p.cell.allows(national) ||
		slices.ContainsFunc(p.others, func(r rule) bool { return r.allows(national) }))
}

// mobile holds of a valid number that can be nothing but a mobile's.
func (p *plan) mobile(national string) bool {
	return p.general.allows(national) && !p.sameMobile && p.cell.allows(national) && !p.fixed.allows(national) &&
		!slices.ContainsFunc(p.others, func(r rule) bool { return r.allows(national) })
}

// A length says how the length of a number fits its plan.
type length int

const (
	impossible length = iota
	possible
	localOnly
	tooLong
)

func (p *plan) length(national string) length {
	n := len(national)
	switch {
	case slices.Contains(p.local, n):
		return localOnly
	case slices.Contains(p.general.lengths, n):
		return possible
	case n > p.general.lengths[len(p.general.lengths)-1]:
		return tooLong
	}
	return impossible
}

// all is every plan, by region and by the code of the country, where the main
// region comes first.
type all struct {
	regions map[string]*plan
	codes   map[int][]*plan
}

//go:embed plans.tsv
var table string

var plans = sync.OnceValue(func() all {
	a := all{map[string]*plan{}, map[int][]*plan{}}
	for line := range strings.Lines(table) {
		p := parsePlan(strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		if a.codes[p.code] = append(a.codes[p.code], p); p.region != "001" {
			a.regions[p.region] = p
		}
	}
	return a
})

// The columns of the table; those from others on are as many as a plan has.
const (
	codeColumn = iota
	regionColumn
	internationalColumn
	trunkColumn
	transformColumn
	leadingColumn
	localColumn
	sameColumn
	generalColumn
	fixedColumn
	cellColumn
	othersColumn
)

func parsePlan(c []string) *plan {
	p := &plan{
		region: c[regionColumn], international: newRule(c[internationalColumn], ""), trunk: newRule(c[trunkColumn], ""), transform: c[transformColumn],
		leading: newRule(c[leadingColumn], ""), local: parseLengths(c[localColumn]), sameMobile: c[sameColumn] == "same",
		general: parseRule(c[generalColumn]), fixed: parseRule(c[fixedColumn]), cell: parseRule(c[cellColumn]),
	}
	p.code, _ = strconv.Atoi(c[codeColumn])
	for _, text := range c[othersColumn:] {
		p.others = append(p.others, parseRule(text))
	}
	return p
}

// newRule is a pattern that ends in end.
func newRule(pattern, end string) rule {
	return rule{pattern: pattern, regexp: lazyregexp.New("^(?:" + pattern + ")" + end)}
}

// parseRule reads lengths and the pattern of a whole number: 7,9 [2-8]\d{6}(?:\d\d)?
func parseRule(text string) rule {
	lengths, pattern, _ := strings.Cut(text, " ")
	r := newRule(pattern, "$")
	r.lengths = parseLengths(lengths)
	return r
}

func parseLengths(text string) (lengths []int) {
	for s := range strings.SplitSeq(text, ",") {
		if n, err := strconv.Atoi(s); err == nil {
			lengths = append(lengths, n)
		}
	}
	return lengths
}
