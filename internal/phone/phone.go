// Package phone tells whether digits are a telephone number, by the numbering
// plans of all countries. It answers as github.com/nyaruka/phonenumbers does,
// which loads all plans before a program begins; here a plan is read when a
// number first needs it. The plans are those of libphonenumber (Apache License
// 2.0), written to plans.tsv by
//
//	go test ./internal/phone -run Golden -update
package phone

import (
	"slices"
	"strconv"
	"strings"
)

// A Number is digits that can be read as a telephone number. It need not be in use.
type Number struct {
	code     int // of the country
	national string
}

// Shortest and longest national numbers, whatever the plan says.
const (
	shortest = 2
	longest  = 17
)

// Parse reads ASCII digits as they are dialled in a region ("GB"), or where region
// is "" as they stand behind a +: with the country's code.
func Parse(digits, region string) (Number, bool) {
	if len(digits) < shortest || strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) {
		return Number{}, false
	}
	var home *plan // of who dials
	abroad := digits
	if region != "" {
		if home = plans().regions[region]; home == nil {
			return Number{}, false
		}
		to := home.international.prefix(digits)
		if to == 0 || to < len(digits) && digits[to] == '0' {
			return home.read(digits)
		}
		abroad = digits[to:]
	}
	if len(abroad) <= shortest {
		return Number{}, false
	}
	code, national := countryCode(abroad)
	of := plans().codes[code]
	if len(of) == 0 {
		return Number{}, false
	}
	return of[0].number(national)
}

// countryCode parts a number from its country's code, 0 where there is none.
func countryCode(digits string) (code int, national string) {
	if digits[0] == '0' {
		return 0, ""
	}
	for n := 1; n <= 3 && n <= len(digits); n++ {
		code, _ := strconv.Atoi(digits[:n])
		if len(plans().codes[code]) > 0 {
			return code, digits[n:]
		}
	}
	return 0, ""
}

// read reads digits that are dialled in p's region, without an international
// prefix; some write the country's code all the same.
func (p *plan) read(digits string) (Number, bool) {
	if national, ok := strings.CutPrefix(digits, strconv.Itoa(p.code)); ok {
		national = p.stripped(national)
		if !p.general.matches(digits) && p.general.matches(national) || p.length(digits) == tooLong {
			return plans().codes[p.code][0].number(national)
		}
	}
	return p.number(digits)
}

// number is the number that digits behind the country's code are, without the
// prefix that is dialled within the country.
func (p *plan) number(digits string) (Number, bool) {
	if len(digits) < shortest {
		return Number{}, false
	}
	if short := p.stripped(digits); p.length(short) == possible || p.length(short) == tooLong {
		digits = short
	}
	return Number{p.code, digits}, len(digits) >= shortest && len(digits) <= longest
}

// stripped is digits without the prefix that is dialled within the country, if
// what is left is as good a number as before.
func (p *plan) stripped(digits string) string {
	at := p.trunk.find(digits)
	if at == nil {
		return digits
	}
	short := digits[at[1]:]
	if last := len(at) - 2; p.transform != "" && at[last] >= 0 { // the last group, or all where there is none
		short = p.trunk.regexp.ReplaceAllString(digits, p.transform)
	}
	if p.general.matches(digits) && !p.general.matches(short) {
		return digits
	}
	return short
}

// Code is the code of the country, 44 for the United Kingdom.
func (n Number) Code() int { return n.code }

// National is the number as it is known within its country, without a prefix.
func (n Number) National() string { return n.national }

// Possible holds of a number that is as long as those of its country.
func (n Number) Possible() bool {
	switch n.main().length(n.national) {
	case possible, localOnly:
		return true
	}
	return false
}

// Valid holds of a number that its plan gives out.
func (n Number) Valid() bool {
	p := n.plan()
	return p != nil && p.valid(n.national)
}

// MobileIn holds of a mobile number of the region.
func (n Number) MobileIn(region string) bool {
	home, p := plans().regions[region], n.plan()
	return home != nil && home.code == n.code && home.valid(n.national) && p != nil && p.mobile(n.national)
}

// main is the plan of the first region that has n's code.
func (n Number) main() *plan { return plans().codes[n.code][0] }

// plan is that of the region that n belongs to, of those that share its code.
func (n Number) plan() *plan {
	of := plans().codes[n.code]
	if len(of) == 1 {
		return of[0]
	}
	at := slices.IndexFunc(of, func(p *plan) bool {
		if p.leading.pattern != "" {
			return p.leading.prefix(n.national) > 0
		}
		return p.valid(n.national)
	})
	if at < 0 {
		return nil
	}
	return of[at]
}
