package redact

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How many digits make a number of a person's where they are dictated. Without
// a cue an id has nine, a phone number ten, a card thirteen and more.
const (
	minSpoken   = 9
	minCued     = 7
	minAccount  = 6
	maxFillers  = 4  // words in a row that say no digit
	maxNumerals = 12 // digits of a group within a dictation
	maxDictated = 40 // digits of a dictation, so that no text costs its square
)

// words reads the word at e.s[from:] and, where it is a digit, all digits that
// are spoken after it: see dictation. It returns where to read on.
func words(e *edit, from int) int {
	to := wordEnd(e.s, from)
	if e.s[from] >= utf8.RuneSelf {
		if at := digitsWithin(e.s[from:to]); at > 0 {
			from += at
		}
	}
	if end, ok := dictate(e, from); ok {
		return max(end, to)
	}
	return to
}

// A dictation is digits spoken one after the other, in any mixture of words and
// numerals, with fillers and corrections between.
type dictation struct {
	first, end int    // in the text, end behind the last digit
	last       [2]add // the later one second
	n          int    // digits
	singles    int    // of them, spoken one by one
	spoken     int    // words among what was added
	step       int    // whether all so far count up or down
	nonzero    bool   // some digit is not 0: "oh oh oh" is none
	numerals   int    // where the first numerals behind its first word are, or 0
}

// An add is what one saying adds to a dictation.
type add struct {
	saying
	at, digits, value int
}

// unset is the step of a dictation whose digits do not follow upon each other.
const (
	unset = iota
	up
	down
	mixed
)

// dictate reads the dictation that begins at from, and masks it if it is a number
// of a person's. ok is false where none begins there.
func dictate(e *edit, from int) (end int, ok bool) {
	s, to := sayingAt(e.s, from)
	if s.what == nothingSpoken || s.what == aFiller || s.what == aHundred {
		return from, false
	}
	d := dictation{first: from, end: to}
	fillers := 0
	factor, factorAt := 0, 0
	for at := from; ; {
		switch {
		case s.what == aFactor && factor == 0:
			factor, factorAt = s.n, at
		case s.what == aFiller && factor == 0 && fillers < maxFillers:
			fillers++
		case s.what == aDigit && factor > 0 && len(s.d) == 1:
			d.add(add{saying: s, at: factorAt, digits: factor, value: -1}, to)
			factor, fillers = 0, 0
		case factor > 0, s.what == nothingSpoken, s.what == aFiller, d.n >= maxDictated, !d.take(s, at, to, fillers):
			return d.mask(e), true
		default:
			fillers = 0
			if s.numeral && at > from && d.numerals == 0 {
				d.numerals = at
			}
		}
		next := skipGap(e.s, to)
		if next == to && (next == len(e.s) || !unspacedStart(e.s[next:])) {
			return d.mask(e), true
		}
		at = next
		s, to = sayingAt(e.s, at)
	}
}

// take adds a saying that is no factor. false ends the dictation.
func (d *dictation) take(s saying, at, to, fillers int) bool {
	was := &d.last[1]
	beside := d.n > 0 && fillers <= 1
	switch s.what {
	case aDigit:
		if len(s.d) == 1 && beside && d.completes(s) {
			was.what, was.value, d.end = aTeen, was.value+s.n, to
			return true
		}
		d.add(add{saying: s, at: at, digits: len(s.d), value: s.n}, to)
	case aTen:
		if beside && fillers == 0 && was.what == aDigit && was.d == "4" && s.n == 20 && s.d == french { // quatre-vingt
			was.saying, was.digits, was.value, d.end = saying{what: aTen, n: 80, d: french}, 2, 80, to
			d.n, d.singles = d.n+1, d.singles-1
			return true
		}
		d.add(add{saying: s, at: at, digits: 2, value: s.n}, to)
	case aTeen:
		if beside && was.what == aTen && was.d == french && (was.n == 60 || was.n == 80) && s.n < 20 { // soixante-dix
			was.what, was.value, d.end = aTeen, was.value+s.n, to
			was.n = s.n
			return true
		}
		d.add(add{saying: s, at: at, digits: 2, value: s.n}, to)
	case aHundred:
		if !beside || was.what != aDigit || was.digits != 1 {
			return false
		}
		d.n, d.end, was.what, was.digits = d.n+2, to, aTeen, 3
	default:
		return false
	}
	return true
}

// completes tells whether a digit goes with the ten before it: twenty one, and
// in French dix-sept.
func (d *dictation) completes(s saying) bool {
	was := d.last[1]
	return s.n > 0 && (was.what == aTen || was.what == aTeen && was.n == 10 && s.n >= 7)
}

func (d *dictation) add(a add, end int) {
	step, was := mixed, d.last[1]
	switch {
	case d.n == 0 && a.value >= 0:
		step = unset
	case a.value >= 0 && was.value >= 0 && a.value == was.value+1, a.value == 0 && was.value == 9:
		step = up
	case a.value >= 0 && was.value >= 0 && a.value == was.value-1, a.value == 9 && was.value == 0:
		step = down
	}
	if d.last[0].digits == 0 && d.step == unset {
		d.step = step
	} else if d.step != step {
		d.step = mixed
	}
	d.n += a.digits
	if a.digits == 1 || a.what == aDigit {
		d.singles += a.digits
	}
	if !a.numeral {
		d.spoken += max(1, a.digits)
	}
	if a.what == aDigit && len(a.d) > 2 {
		d.step = mixed
	}
	d.nonzero = d.nonzero || strings.Trim(a.d, "0") != "" || a.what != aDigit
	d.last = [2]add{d.last[1], a}
	d.end = end
}

// mask replaces a dictation that is a number of a person's, and returns where to
// read on: behind it, or, where it is none, at the numerals in it, which may be
// one as they are written ("the white one, it is 415-555-2671").
func (d *dictation) mask(e *edit) int {
	if d.n < minAccount || !d.nonzero || d.spoken < 2 || !d.isNumber(e.cue(d.first)) {
		return cmp.Or(d.numerals, d.end)
	}
	from := max(d.first, e.done)
	keep := d.last[0].at
	switch {
	case d.last[1].digits > 4:
		e.replace(from, d.end, hidden)
		return d.end
	case d.last[0].digits+d.last[1].digits > 4:
		keep = d.last[1].at
	}
	if keep > from {
		e.replace(from, keep, hidden, " ")
	}
	return d.end
}

func (d *dictation) isNumber(c cue) bool {
	switch c {
	case otherCue:
		return false
	case phoneCue:
		return d.n >= minCued
	case cardCue, accountCue, nationalCue:
		return d.n >= minAccount
	}
	return d.n >= minSpoken && d.step == mixed && (2*d.singles >= d.n || d.n >= 10 && d.n <= 16)
}

// sayingAt reads the word or the numerals at s[at:].
func sayingAt(s string, at int) (saying, int) {
	if at >= len(s) {
		return saying{}, at
	}
	if s[at] >= utf8.RuneSelf {
		if d, to := unspaced(s, at); to > at {
			return saying{what: aDigit, n: -1, d: d}, to
		}
	}
	if b := s[at]; b >= '0' && b <= '9' {
		to := at
		for to < len(s) && s[to] >= '0' && s[to] <= '9' {
			to++
		}
		if to-at > maxNumerals || to < len(s) && (kinds8(s[to]) == letter || s[to] == '%') {
			return saying{}, to
		}
		return saying{what: aDigit, n: int(s[to-1] - '0'), d: s[at:to], numeral: true}, to
	}
	to := wordEnd(s, at)
	if to == at {
		return saying{}, at
	}
	return sayingOf(s[at:to]), to
}

func kinds8(b byte) kind {
	if b < utf8.RuneSelf {
		return kinds[b]
	}
	return letter
}

// unspaced reads digits of a script that sets no spaces at s[at:].
func unspaced(s string, at int) (digits string, to int) {
	var d []byte
	to = at
	for to < len(s) {
		r, size := utf8.DecodeRuneInString(s[to:])
		if i := strings.IndexRune(unspacedDigits, r); i >= 0 {
			d = append(d, byte('0'+utf8.RuneCountInString(unspacedDigits[:i])%10))
			to += size
			continue
		}
		n := 0
		if r >= 0x0e00 && unicode.In(r, unicode.Thai, unicode.Katakana, unicode.Hiragana) {
			for digit, words := range unspacedWords {
				for _, w := range words {
					if len(w) > n && strings.HasPrefix(s[to:], w) {
						d, n = append(d[:len(d):len(d)], byte('0'+digit)), len(w)
					}
				}
			}
		}
		if n == 0 {
			break
		}
		to += n
	}
	next, _ := utf8.DecodeRuneInString(s[to:])
	if len(d) < 3 && to < len(s) && unicode.IsLetter(next) {
		return "", at // a word that begins like digits
	}
	return string(d), to
}

// unspacedStart tells whether s begins with such a digit.
func unspacedStart(s string) bool {
	return s[0] >= utf8.RuneSelf && func() bool { _, to := unspaced(s, 0); return to > 0 }()
}

// digitsWithin is where three and more digits of such a script begin in a word, -1
// for nowhere.
func digitsWithin(word string) int {
	for i, r := range word {
		if r < 0x0e00 {
			return -1
		}
		if !unicode.In(r, unicode.Han, unicode.Hangul, unicode.Thai, unicode.Hiragana, unicode.Katakana) {
			return -1
		}
		if d, _ := unspaced(word, i); len(d) >= 3 {
			return i
		}
	}
	return -1
}

// wordEnd is where the letters, or the digits, at s[from:] end.
func wordEnd(s string, from int) int {
	for i := from; i < len(s); {
		if b := s[i]; b < utf8.RuneSelf {
			if kinds[b] == letter || from == i && b >= '0' && b <= '9' {
				i++
				if kinds[b] != letter {
					return i
				}
				continue
			}
			return i
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) {
			return i
		}
		i += size
	}
	return len(s)
}

// skipGap is where the next spoken word may begin, or from.
func skipGap(s string, from int) int {
	i := from
	for n := 0; i < len(s) && n < maxGap; n++ {
		r, size := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsSpace(r) && !invisible(r) && !strings.ContainsRune(",.-–—…、，。()?'’;:/", r) {
			return i
		}
		i += size
	}
	return i
}
