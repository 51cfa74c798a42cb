package redact

// card recognises a payment card's number: as one group, in groups as printed,
// or in any groups if they stand alone.
func (r *run) card(a int) find {
	best := none
	total := 0
	for b := a; b <= r.high && total <= 19; b++ {
		if b > a && r.groups[b].plus {
			break
		}
		if total += r.groups[b].n; total < 13 || total > 19 || !r.closes(b) {
			continue
		}
		alone := a == r.low && b == r.high
		if !alone && a != b && !r.even(a, b) && !r.shaped(a, 4, 6, 5) && !r.shaped(a, 4, 6, 4) {
			continue
		}
		if d := r.span(a, b); issued(d) && luhn(d) {
			best = find{last: b, text: "•••• •••• •••• ", keep: 4}
			if total >= 16 {
				break // 17 to 19 are rare; more digits behind 16 are a date or a code
			}
		}
	}
	return best
}

// issued tells whether an issuer's cards begin and are as long as d (ISO/IEC
// 7812 ranges as published by the networks).
func issued(d []byte) bool {
	n, six := len(d), 0
	for _, c := range d[:6] {
		if c > '9' {
			return false
		}
		six = six*10 + int(c-'0')
	}
	four, two := six/100, six/10000
	switch {
	case d[0] == '4':
		return n == 16 || n == 13 || n == 19 // Visa
	case two >= 51 && two <= 55, four >= 2221 && four <= 2720:
		return n == 16 // Mastercard
	case two == 34, two == 37:
		return n == 15 // American Express
	case two == 36, two == 38, two == 39, four >= 3000 && four <= 3059, four == 3095:
		return n == 14 || n == 16 // Diners Club
	case four == 6011, four >= 6440 && four <= 6599, two == 62, two == 81:
		return n >= 16 // Discover, UnionPay
	case four >= 3528 && four <= 3589:
		return n >= 16 // JCB
	case four >= 2200 && four <= 2204, four == 9792, two == 60, two == 82, four/10 == 508:
		return n == 16 // Mir, Troy, RuPay
	case four == 5018, four == 5020, four == 5038, four == 5893, four == 6304, four == 6759, four >= 6761 && four <= 6763:
		return true // Maestro
	}
	return false
}

// luhn is the check of ISO/IEC 7812-1, annex B.
func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		c := d[len(d)-1-i]
		if c > '9' {
			return false
		}
		n := int(c - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}
