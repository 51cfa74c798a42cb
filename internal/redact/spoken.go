package redact

import (
	"unicode"
	"unicode/utf8"
)

// minSpoken is how many digits spoken one by one are taken for a number of a
// person's: an id has nine, a phone number ten, a card thirteen and more.
const minSpoken = 9

// words reads the word at e.s[from:] and, where it is a digit, all digits that
// are spoken after it. If they are many and not counted, it masks all but the
// last two. It returns where to read on.
func words(e *edit, from int) int {
	to := wordEnd(e.s, from)
	what, n := spoken(e.s[from:to])
	if what != aDigit && what != aFactor {
		return to
	}
	d := dictation{first: from, end: to, step: unset}
	for at, factor := from, 0; ; {
		switch {
		case what == aDigit && factor > 0:
			d.end = to // at stays where the factor is
			d.add(at, n, factor)
			factor = 0
		case what == aDigit:
			d.end, at = to, from
			d.add(at, n, 1)
		case what == aFactor && factor == 0:
			factor, at = n, from
		case what == aFiller && factor == 0:
		default:
			return d.mask(e)
		}
		if from = skipGap(e.s, to); from == to {
			return d.mask(e)
		}
		to = wordEnd(e.s, from)
		what, n = spoken(e.s[from:to])
	}
}

// unset is the step of a dictation whose digits do not follow upon each other.
const (
	unset = iota
	up
	down
	mixed
)

// A dictation is digits spoken one after the other.
type dictation struct {
	first, end int    // in the text, end behind the last digit
	starts     [2]int // of the last two digits, the later one second
	n          int
	last       int
	step       int  // whether all digits so far count up or down
	nonzero    bool // some digit is not 0: "oh oh oh" is none
}

func (d *dictation) add(at, digit, times int) {
	step := mixed
	switch {
	case d.n == 0 && times == 1:
		step = unset
	case times == 1 && digit == (d.last+1)%10:
		step = up
	case times == 1 && d.last == (digit+1)%10:
		step = down
	}
	if d.n <= 1 && d.step == unset {
		d.step = step
	} else if d.step != step {
		d.step = mixed
	}
	d.n += times
	d.last = digit
	d.nonzero = d.nonzero || digit != 0
	d.starts = [2]int{d.starts[1], at}
}

// mask replaces a dictation that is long enough, and returns its end.
func (d *dictation) mask(e *edit) int {
	if d.n >= minSpoken && d.step == mixed && d.nonzero && d.starts[0] > d.first {
		e.replace(max(d.first, e.done), d.starts[0], hidden, " ")
	}
	return d.end
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
		if !unicode.IsSpace(r) && !invisible(r) && r != ',' && r != '.' && r != '-' && r != '–' && r != '…' {
			return i
		}
		i += size
	}
	return i
}

// What a spoken word is to a dictation.
const (
	nothingSpoken = iota
	aDigit
	aFactor // double, triple
	aFiller
)

// spoken tells what a word is, and the digit or factor it means: in English,
// Spanish, German, French and Portuguese.
func spoken(word string) (what, n int) {
	var low [8]byte
	if len(word) > len(low) {
		return nothingSpoken, 0
	}
	for i := range len(word) {
		b := word[i]
		if b >= 'A' && b <= 'Z' {
			b |= 0x20
		}
		low[i] = b
	}
	switch string(low[:len(word)]) {
	case "0", "zero", "oh", "o", "cero", "null", "zéro":
		return aDigit, 0
	case "1", "one", "uno", "una", "eins", "un":
		return aDigit, 1
	case "2", "two", "dos", "zwei", "zwo", "deux", "dois", "duas":
		return aDigit, 2
	case "3", "three", "tres", "drei", "trois", "três":
		return aDigit, 3
	case "4", "four", "cuatro", "vier", "quatre", "quatro":
		return aDigit, 4
	case "5", "five", "cinco", "fünf", "cinq":
		return aDigit, 5
	case "6", "six", "seis", "sechs", "meia":
		return aDigit, 6
	case "7", "seven", "siete", "sieben", "sept", "sete":
		return aDigit, 7
	case "8", "eight", "ocho", "acht", "huit", "oito":
		return aDigit, 8
	case "9", "nine", "niner", "nueve", "neun", "neuf", "nove":
		return aDigit, 9
	case "double":
		return aFactor, 2
	case "triple":
		return aFactor, 3
	case "uh", "um", "er", "erm", "dash", "hyphen", "space":
		return aFiller, 0
	}
	return nothingSpoken, 0
}
