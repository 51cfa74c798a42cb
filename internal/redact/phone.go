package redact

import (
	"strconv"

	"call-logs-mcp/internal/phone"
)

// bullets stand for the digits of a phone number, whatever their number.
const bullets = "•••••••"

// phone recognises a phone number: international behind a +, North American in
// its usual groups, and those of some other countries that begin with 0.
func (r *run) phone(a int) find {
	if r.groups[a].plus {
		return r.international(a)
	}
	if f := r.northAmerican(a); f.last >= a {
		return f
	}
	return r.trunk(a)
}

// international is the longest number behind a + that exists, or else that could.
func (r *run) international(a int) find {
	valid, possible := none, none
	total := 0
	for b := a; b <= r.high && (b == a || !r.groups[b].plus); b++ {
		if total += r.groups[b].n; total > 15 {
			break
		}
		if total < 7 || !r.closes(b) {
			continue
		}
		n, ok := phone.Parse(string(r.span(a, b)), "")
		if !ok {
			continue
		}
		f := find{last: b, text: "+" + strconv.Itoa(n.Code()) + bullets, keep: kept(total - 2)}
		switch {
		case n.Valid():
			valid = f
		case total >= 8 && n.Possible() && possible.last < 0:
			possible = f
		}
	}
	if valid.last >= a {
		return valid
	}
	return possible
}

// kept is how many of n digits are shown: the last four of a number that keeps
// enough besides.
func kept(n int) int {
	if n < 8 {
		return 2
	}
	return 4
}

// northAmerican is ten digits, or eleven with a 1, in groups that part behind
// the area code or not at all. One that is written as a phone number (555-…)
// needs not be in use; digits alone have to be.
func (r *run) northAmerican(a int) find {
	total, area, exchange := 0, false, false
	long := 0 // 1 with the leading 1
	if r.span(a, a)[0] == '1' {
		long = 1
	}
	for b := a; b <= r.high && total < 10+long && (b == a || !r.groups[b].plus); b++ {
		total += r.groups[b].n
		area = area || total == 3+long
		exchange = exchange || total == 6+long
		if total != 10+long || !r.closes(b) {
			continue
		}
		d := r.span(a, b)[long:]
		if a == b || area && !exchange && r.gaps(a, b)&dot == 0 {
			if (exists(d, "US") || string(d[:3]) == "555" && planned(d)) && !isHour(r.span(a, b)) {
				return american(b, long)
			}
		} else if area && exchange && r.written(a, b, d) {
			return american(b, long)
		}
	}
	return none
}

func american(b, long int) find {
	if long == 1 {
		return find{last: b, text: "1" + bullets, keep: 4}
	}
	return find{last: b, text: bullets, keep: 4}
}

// written tells whether the groups a to b, parted behind the area code and the
// exchange, look like a phone number whose ten digits are d.
func (r *run) written(a, b int, d []byte) bool {
	switch g := r.gaps(a, b); {
	case g&slash != 0:
		return false
	case g&(dash|paren|dot) != 0:
		return d[0] != '0' && b-a <= 3
	default:
		return planned(d)
	}
}

// planned holds of ten digits of the form that the North American Numbering Plan
// gives out: neither the area code nor the exchange begins with 0 or 1.
func planned(d []byte) bool { return d[0] >= '2' && d[3] >= '2' }

// isHour tells whether ten digits are a date and an hour: 2026112014.
func isHour(d []byte) bool {
	s := string(d)
	return len(s) == 10 && s >= "1990" && s < "2040" && s[4:6] >= "01" && s[4:6] <= "12" &&
		s[6:8] >= "01" && s[6:8] <= "31" && s[8:] < "24"
}

// trunk is a number of another country in its national form: with a 0 before
// it, or a Chinese mobile number. As digits alone it is known in few countries,
// for elsewhere nearly any digits are a number.
func (r *run) trunk(a int) find {
	if r.shaped(a, 11) || r.shaped(a, 3, 4, 4) {
		for b := a; b <= r.high; b++ {
			if d := r.span(a, b); len(d) == 11 && d[0] == '1' && d[1] >= '3' && exists(d, "CN") {
				return find{last: b, text: bullets, keep: 4}
			}
		}
	}
	if r.groups[a].n < 2 || r.span(a, a)[0] != '0' {
		return none
	}
	best, total := none, 0
	for b := a; b <= r.high && (b == a || !r.groups[b].plus); b++ {
		if total += r.groups[b].n; total > 13 {
			break
		}
		if total < 9 || !r.closes(b) || r.gaps(a, b)&(dot|comma) != 0 {
			continue
		}
		d := r.span(a, b)
		switch n := r.groups[a].n; {
		case string(d[:2]) == "00":
			if existsAbroad(d[2:]) {
				best = find{last: b, text: bullets, keep: 4}
			}
		case a == b && (existsIn(d, "GB", "FR", "AU") || total >= 10 && isMobile(d)), a != b && n <= 6 && existsIn(d, withTrunk...):
			best = find{last: b, text: bullets, keep: 4}
		}
	}
	return best
}

// withTrunk are countries that dial a 0 before their numbers at home.
var withTrunk = []string{"GB", "FR", "AU", "DE", "IT", "NL", "BE", "JP", "CN", "KR", "IN", "BR", "EG", "TR", "ZA", "SE", "CH", "AT", "ID", "PH", "TH", "VN", "MY", "NG", "KE", "PK", "SA", "AE", "IL", "NZ", "IE", "RO", "UA"}

// isMobile tells whether d is a mobile number of one of these countries.
func isMobile(d []byte) bool {
	for _, region := range withTrunk {
		if n, ok := phone.Parse(string(d), region); ok && n.MobileIn(region) {
			return true
		}
	}
	return false
}

func existsIn(d []byte, regions ...string) bool {
	for _, region := range regions {
		if exists(d, region) {
			return true
		}
	}
	return false
}

// exists tells whether d is a number of the region's plan, as dialled there.
func exists(d []byte, region string) bool {
	n, ok := phone.Parse(string(d), region)
	return ok && n.Valid()
}

// existsAbroad tells whether d is a number behind its country's code.
func existsAbroad(d []byte) bool { return exists(d, "") }
