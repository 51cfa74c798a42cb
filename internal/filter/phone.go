package filter

import (
	"strings"
	"unicode"

	"call-logs-mcp/internal/phone"
)

// A Phone is an operand of Eq, Neq and In that equals every spelling of one
// telephone number: 415-555-2671, 0014155552671 and +14155552671 are one.
type Phone string

// minPhone is how many digits a text needs to be compared as a number.
const minPhone = 5

// Operand is s as an operand of a field of telephone numbers: a Phone where it
// is written as one, else the text itself.
func Operand(s string) any {
	if digits, ok := phoneDigits(s); ok && len(digits) >= minPhone {
		return Phone(s)
	}
	return s
}

// is reports whether s spells the number p: with the same digits, or one
// with the country's code and the other as dialled at home.
func (p Phone) is(s string) bool {
	if string(p) == s {
		return true
	}
	want, _ := phoneDigits(string(p))
	got, ok := phoneDigits(s)
	if !ok || len(got) < minPhone {
		return false
	}
	long, short := got, want
	if len(short) > len(long) {
		long, short = short, long
	}
	switch {
	case long == short:
		return true
	case long[len(long)-minPhone:] != short[len(short)-minPhone:]:
		return false // parsing is dear
	case strings.TrimPrefix(long, "0") == short: // with and without the trunk prefix
		return true
	}
	return national(long, short) || len(short) == len(long)-1 && national(short, long)
}

// national reports whether short is the number that begins with its country's
// code in long, as it is dialled within the country.
func national(long, short string) bool {
	n, ok := phone.Parse(long, "")
	return ok && n.Possible() && (n.National() == short || "0"+n.National() == short)
}

// phoneDigits are the digits of a telephone number in any script and with any of
// the usual separators, without an international prefix. ok is false for a text that
// holds anything else.
func phoneDigits(s string) (digits string, ok bool) {
	s = strings.TrimSpace(s)
	for _, scheme := range []string{"tel:", "sip:", "sips:", "whatsapp:", "callto:"} {
		if len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			s, _, _ = strings.Cut(s[len(scheme):], "@")
		}
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9':
			b.WriteRune(r)
		case unicode.IsDigit(r):
			b.WriteByte(byte('0' + decimalOf(r)))
		case strings.ContainsRune(" +-.()/\u00a0\u2010\u2011\u2012\u2013\u202f＋", r), unicode.Is(unicode.Cf, r):
		default:
			return "", false
		}
	}
	return strings.TrimPrefix(b.String(), "00"), b.Len() > 0
}

// decimalOf is the value of a digit of any script: they stand in rows of ten.
func decimalOf(r rune) int {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return int(r-rune(t.Lo)) % 10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return int(r-rune(t.Lo)) % 10
		}
	}
	return 0
}
