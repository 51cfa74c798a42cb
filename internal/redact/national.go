package redact

import "strings"

// national recognises the national ids that can be told from other numbers by
// their form, their check digits or the words before.
func (r *run) national(a int) find {
	switch {
	case r.shaped(a, 3, 2, 4) && isSSN(r.span(a, a+2)):
		if r.gaps(a, a+2) == dash || r.saysSSN(a) {
			return find{last: a + 2, text: "•••-••-", keep: 4}
		}
	case r.shaped(a, 18) && isResident(r.span(a, a)):
		return find{last: a, text: "•••••••", keep: 4}
	case r.shaped(a, 6, 7) && r.gaps(a, a+1) == dash && isKorean(r.span(a, a+1)):
		return find{last: a + 1, text: "•••••••", keep: 2}
	case r.insured(a) >= a:
		return find{last: r.insured(a), text: "•••••••", keep: 2}
	case r.shaped(a, 4, 4, 4) && r.gaps(a, a+2)&^dash == white && r.span(a, a)[0] >= '2' && verhoeff(r.span(a, a+2)) && (r.cue() == nationalCue || r.low == a && r.high == a+2 && r.cue() != otherCue):
		return find{last: a + 2, text: "•••••••", keep: 4}
	case r.shaped(a, 3, 3, 3, 2) && r.gaps(a, a+3) == dot|dash && isCPF(r.span(a, a+3)):
		return find{last: a + 3, text: "•••••••", keep: 2}
	}
	total := 0
	for b := a; b <= r.high && total < 9; b++ {
		if total += r.groups[b].n; total == 9 && r.closes(b) && isSSN(r.span(a, b)) && r.saysSSN(a) {
			return find{last: b, text: "•••-••-", keep: 4}
		}
	}
	return none
}

// insured is the last group of a French social security number from group a on:
// 1 85 05 78 006 084 36, 13 digits and their check modulo 97. -1 is none.
func (r *run) insured(a int) int {
	for b, total := a, 0; b <= r.high && total < 15; b++ {
		if total += r.groups[b].n; total != 15 || !r.closes(b) {
			continue
		}
		d := r.span(a, b)
		if d[0] != '1' && d[0] != '2' || d[3] > '1' || d[3] == '1' && d[4] > '2' || d[3] == '0' && d[4] == '0' {
			return -1
		}
		n := 0
		for _, c := range d[:13] {
			if c > '9' {
				return -1
			}
			n = (n*10 + int(c-'0')) % 97
		}
		if 97-n == int(d[13]-'0')*10+int(d[14]-'0') {
			return b
		}
	}
	return -1
}

// isKorean holds of a resident registration number: a date of birth, and a digit
// for century and sex.
func isKorean(d []byte) bool {
	month, day := string(d[2:4]), string(d[4:6])
	return month >= "01" && month <= "12" && day >= "01" && day <= "31" && d[6] >= '1' && d[6] <= '8'
}

// verhoeff is the check of an Indian Aadhaar number.
func verhoeff(d []byte) bool {
	c := 0
	for i := range d {
		c = dihedral(c, permuted(i%8, int(d[len(d)-1-i]-'0')))
	}
	return c == 0
}

// dihedral multiplies in the dihedral group of order ten.
func dihedral(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return 5 + (a+b)%5
	case b < 5:
		return 5 + (a-b)%5
	}
	return (a - b + 10) % 5
}

// permuted applies Verhoeff's permutation n times.
func permuted(n, digit int) int {
	for range n {
		digit = [...]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}[digit]
	}
	return digit
}

// isSSN holds of nine digits that the US Social Security Administration could
// have given out (20 CFR 422.103: no 000, 666 or 9xx; no group or serial of
// zeros).
func isSSN(d []byte) bool {
	area, serial := string(d[:3]), string(d[5:])
	return area != "000" && area != "666" && d[0] != '9' && string(d[3:5]) != "00" && serial != "0000"
}

// saysSSN tells whether the words before group a speak of such a number.
func (r *run) saysSSN(a int) bool {
	from := r.groups[a].from
	words := strings.ToLower(r.s[max(0, from-48):from])
	return strings.Contains(words, "social") || strings.Contains(words, "ssn") || strings.Contains(words, "s.s.n")
}

// isResident checks a Chinese resident number (GB 11643-1999): a date of birth
// in the middle, and ISO 7064's MOD 11-2 over all.
func isResident(d []byte) bool {
	if y := string(d[6:8]); y != "18" && y != "19" && y != "20" {
		return false
	}
	if m := string(d[10:12]); m < "01" || m > "12" {
		return false
	}
	if day := string(d[12:14]); day < "01" || day > "31" {
		return false
	}
	sum := 0
	for _, c := range d[:17] {
		sum = (sum + int(c-'0')) * 2 % 11
	}
	check := int(d[17] - '0')
	if d[17] == 'X' {
		check = 10
	}
	return (sum+check)%11 == 1
}

// isCPF checks the two check digits of a Brazilian taxpayer's number.
func isCPF(d []byte) bool {
	for n := 9; n <= 10; n++ {
		sum := 0
		for i, c := range d[:n] {
			sum += int(c-'0') * (n + 1 - i)
		}
		if sum*10%11%10 != int(d[n]-'0') {
			return false
		}
	}
	return strings.Trim(string(d), string(d[:1])) != ""
}
