package redact

import "strings"

// code masks an account number or a national id that has letters: IBAN, British
// national insurance, Spanish and Italian tax, Indian PAN. It returns where to
// read on; ok is false where none begins at e.s[from:].
func code(e *edit, from int) (end int, ok bool) {
	if from > 0 && (kinds8(e.s[from-1]) == letter || e.s[from-1] >= '0' && e.s[from-1] <= '9' || e.s[from-1] == '_') {
		return 0, false
	}
	if end, ok := iban(e, from); ok {
		return end, true
	}
	token := from
	for token < len(e.s) && token-from < 20 && isCode(e.s[token]) {
		token++
	}
	if end, ok := nino(e, from); ok {
		return end, true
	}
	if token < len(e.s) && kinds8(e.s[token]) == letter {
		return 0, false
	}
	word := e.s[from:token]
	if token-from < 6 || !mixedCode(word) && len(word) != 16 && len(word) != 10 {
		return 0, false
	}
	if len(word) > 10 && len(word) != 16 && e.cue(from) != nationalCue {
		return 0, false
	}
	if word[0] > '9' && word[len(word)-1] > '9' && len(word) == 16 && word[6] > '9' {
		return 0, false // hexadecimal
	}
	upper := strings.ToUpper(word)
	cued := func() bool { c := e.cue(from); return c == nationalCue || c == accountCue }
	switch shape(upper) {
	case "LLLLLLDDLDDLDDDL": // codice fiscale
		e.replace(from, token, hidden, upper[12:])
		return token, true
	case "LLLLLDDDDL": // PAN
		if word == upper && strings.IndexByte("ABCFGHLJPT", upper[3]) >= 0 || cued() {
			e.replace(from, token, hidden, upper[8:])
			return token, true
		}
	case "DDDDDDDDL", "LDDDDDDDL": // DNI, NIE
		if isDNI(upper) || cued() {
			e.replace(from, token, hidden, upper[6:])
			return token, true
		}
	case "DDDDDDDD":
		// 12345678-Z
		if token+1 < len(e.s) && (e.s[token] == '-' || e.s[token] == ' ') && kinds8(e.s[token+1]) == letter &&
			(token+2 == len(e.s) || kinds8(e.s[token+2]) != letter) && isDNI(upper+strings.ToUpper(e.s[token+1:token+2])) && (e.s[token] == '-' || cued()) {
			e.replace(from, token+2, hidden, upper[6:], e.s[token:token+2])
			return token + 2, true
		}
	}
	if len(word) >= 6 && strings.ContainsAny(word, "0123456789") && strings.IndexFunc(word, func(r rune) bool { return r < '0' || r > '9' }) >= 0 && mixedCode(upper) && e.cue(from) == nationalCue {
		e.replace(from, token, hidden, upper[len(upper)-2:])
		return token, true
	}
	return 0, false
}

// mixedCode holds of what has at least as many digits as letters, and four.
func mixedCode(s string) bool {
	digits := 0
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			digits++
		}
	}
	return digits >= 5 && 2*digits >= len(s)
}

func isCode(b byte) bool {
	return b < 0x80 && (kinds[b] == letter || b >= '0' && b <= '9')
}

// shape writes a code with L for letters and D for digits.
func shape(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] <= '9' {
			b[i] = 'D'
		} else {
			b[i] = 'L'
		}
	}
	return string(b)
}

// isDNI checks the letter of a Spanish identity number, or a foreigner's.
func isDNI(s string) bool {
	if i := strings.IndexByte("XYZ", s[0]); i >= 0 {
		s = string(rune('0'+i)) + s[1:]
	}
	n := 0
	for i := range 8 {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		n = n*10 + int(s[i]-'0')
	}
	return "TRWAGMYFPDXBNJZSQVHLCKE"[n%23] == s[8]
}

// nino masks a British national insurance number: QQ 12 34 56 C.
func nino(e *edit, from int) (end int, ok bool) {
	const form = "LLDDDDDDL"
	i := from
	for k := range len(form) {
		if k > 1 && i < len(e.s) && (e.s[i] == ' ' || e.s[i] == '-') {
			i++
		}
		if i >= len(e.s) || !isCode(e.s[i]) || (e.s[i] > '9') != (form[k] == 'L') {
			return 0, false
		}
		i++
	}
	letters := strings.ToUpper(e.s[from : from+2])
	last := e.s[i-1] &^ 0x20
	if i < len(e.s) && kinds8(e.s[i]) == letter || strings.ContainsAny(letters[:1], "DFIQUV") && e.cue(from) != nationalCue || last < 'A' || last > 'D' {
		return 0, false
	}
	if e.s[from:from+2] != letters && e.cue(from) != nationalCue {
		return 0, false
	}
	e.replace(from, i, hidden, e.s[i-1:i])
	return i, true
}

// iban masks an International Bank Account Number (ISO 13616): by its check
// digits, or by its form behind a cue.
func iban(e *edit, from int) (end int, ok bool) {
	s := e.s[from:]
	if len(s) < 15 || kinds8(s[0]) != letter || kinds8(s[1]) != letter {
		return 0, false
	}
	var b []byte
	best, i := 0, 0
	for i < len(s) && len(b) < 34 {
		c := s[i]
		switch {
		case isCode(c):
			if c >= 'a' {
				c -= 'a' - 'A'
			}
			b = append(b, c)
			i++
			continue
		case (c == ' ' || c == '-') && i+1 < len(s) && isCode(s[i+1]) && len(b) > 1:
			if ibanEnds(b) {
				best = i
			}
			i++
			continue
		}
		break
	}
	if (i == len(s) || !isCode(s[i]) && s[i] < 0x80) && ibanEnds(b) {
		best = i
	}
	if len(b) < 4 || b[2] > '9' || b[3] > '9' || b[0] <= '9' || b[1] <= '9' {
		return 0, false
	}
	if best == 0 { // wrong check digits, as it was heard
		if want := ibanLengths[s[:2]]; want == 0 || len(b) < want-2 || e.cue(from) != accountCue {
			return 0, false
		}
		if best = ibanForm(s); best == 0 {
			return 0, false
		}
	}
	tail := strings.ReplaceAll(strings.ReplaceAll(s[:best], " ", ""), "-", "")
	e.replace(from, from+best, hidden, tail[len(tail)-4:])
	return from + best, true
}

// ibanLengths are the lengths of the IBANs of each country (ISO 13616 registry).
var ibanLengths = func() map[string]int {
	m := map[string]int{}
	for n, countries := range map[int]string{
		15: "NO", 16: "BE", 18: "DK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN", 21: "CH CR HR LI LV", 22: "BG BH DE GB GE IE ME RS VA",
		23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM",
		28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC", 33: "RU",
	} {
		for c := range strings.FieldsSeq(countries) {
			m[c] = n
		}
	}
	return m
}()

// ibanForm is where groups of an IBAN's form end: those with digits.
func ibanForm(s string) (end int) {
	at, total := 0, 0
	for at < len(s) {
		to := at
		digits := 0
		for to < len(s) && isCode(s[to]) {
			if s[to] <= '9' {
				digits++
			}
			to++
		}
		if to == at || digits == 0 && at > 0 && to-at != 4 {
			break
		}
		total += to - at
		if digits > 0 {
			end = to
		}
		if to == len(s) || s[to] != ' ' && s[to] != '-' {
			break
		}
		at = to + 1
	}
	if total < 15 || total > 36 {
		return 0
	}
	return end
}

// ibanEnds checks the MOD 97-10 of ISO 7064 over b.
func ibanEnds(b []byte) bool {
	if len(b) < 15 || ibanLengths[string(b[:2])] != len(b) || b[2] > '9' || b[3] > '9' || b[0] <= '9' || b[1] <= '9' {
		return false
	}
	mod := 0
	for i := range b {
		c := b[(i+4)%len(b)]
		if c <= '9' {
			mod = (mod*10 + int(c-'0')) % 97
		} else {
			mod = (mod*100 + int(c-'A') + 10) % 97
		}
	}
	return mod == 1
}
