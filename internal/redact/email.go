package redact

import (
	"unicode"
	"unicode/utf8"
)

// hidden is what stands for the part of something that is not shown.
const hidden = "•••"

// email masks the local part of the address whose @ is at s[at:at+size], if it
// is one, and returns where to read on.
func email(e *edit, at, size int) int {
	from := at
	for from > e.done && at-from < 64 {
		r, n := utf8.DecodeLastRuneInString(e.s[e.done:from])
		if !isLocal(r) {
			break
		}
		from -= n
	}
	end := domain(e.s[at+size:])
	if from == at || end == 0 {
		return at + size
	}
	e.replace(from, at, hidden)
	return at + size + end
}

// isLocal holds of what the part before the @ is commonly made of (RFC 5322,
// atext, without what only programs write).
func isLocal(r rune) bool {
	switch r {
	case '.', '_', '%', '+', '-', '\'', '&', '~', '#', '=':
		return true
	case utf8.RuneError:
		return false
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// domain is the length of the domain name that s begins with: labels and a dot
// at the least, and letters after the last. 0 is none.
func domain(s string) int {
	length, label, letters := 0, 0, false
	dots := false
	for i, r := range s {
		switch {
		case unicode.IsLetter(r):
			label++
			letters = letters || label == 1
		case unicode.IsDigit(r) || r == '-' && label > 0:
			label++
			letters = false
		case r == '.' && label > 0:
			label, dots = 0, true
			continue
		default:
			return length
		}
		if dots && letters && label >= 2 {
			length = i + utf8.RuneLen(r)
		}
	}
	return length
}
