package redact

import (
	"strings"
	"unicode"
)

// Number masks the value of a field that holds a telephone number by definition,
// whatever it looks like: all digits but the last, and what Mask masks. Words
// such as anonymous and other identifiers stay.
func (m *Masker) Number(s string) string {
	digits := digitCount(s)
	if masked := m.Mask(s); masked != s && digitCount(masked) <= 7 {
		return masked
	}
	if digits == 0 || strings.Contains(s, "•") || isIdentifier(s) {
		return s
	}
	show, n := keptOf(digits), 0
	var b strings.Builder
	b.WriteString(bullets)
	for _, r := range s {
		if d, ok := digitOf(r); ok {
			if n++; n > digits-show {
				b.WriteByte(d)
			}
		}
	}
	return b.String()
}

// keptOf is how many of n digits of a number are shown.
func keptOf(n int) int {
	switch {
	case n >= 8:
		return 4
	case n >= 5:
		return 2
	}
	return 0
}

func digitCount(s string) (n int) {
	for _, r := range s {
		if _, ok := digitOf(r); ok {
			n++
		}
	}
	return n
}

// isIdentifier tells a text with words or codes, which is no telephone number,
// from one with a scheme or an extension.
func isIdentifier(s string) bool {
	letters, longest, run := 0, 0, 0
	for _, r := range s {
		switch {
		case unicode.IsLetter(r):
			letters++
			run = 0
		case unicode.IsDigit(r):
			run++
			longest = max(longest, run)
		}
	}
	return letters > 0 && longest < 5
}
