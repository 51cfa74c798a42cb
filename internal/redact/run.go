package redact

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of what is looked at as one number and its neighbours. What goes
// on behind them is looked at on its own.
const (
	maxGroups = 40
	maxGroup  = 19 // digits; a longer group is no number of anybody's
	maxGap    = 4  // characters
)

// A gap is what stands between two groups of digits.
type gap uint8

const (
	white gap = 1 << iota
	dash
	dot
	slash
	paren
	comma // and white space
)

// loose holds of a gap where a number can end: not within 1-2 or 1.2.
func (g gap) loose() bool { return g&(white|paren|comma) != 0 }

// A group is digits without a gap.
type group struct {
	from, to int // in the text, with the + but without a (
	first, n int // in the digits; n is maxGroup+1 where there are more
	before   gap
	plus     bool
}

// A run is groups of digits that stand close together in s.
type run struct {
	s         string
	e         *edit
	says      cue // of the words before, once asked
	asked     bool
	groups    [maxGroups]group
	n         int
	low, high int // the groups that can be part of a number
	digits    [maxGroups * (maxGroup + 1)]byte
	total     int
	end       int // in s
}

// read takes the run that begins at from, where a digit or a + is.
func (r *run) read(from int) {
	r.end = from
	i, before := from, gap(0)
	for r.n < maxGroups {
		g := group{from: i, first: r.total, before: before}
		if c, size := utf8.DecodeRuneInString(r.s[i:]); c == '+' || c == '＋' {
			g.plus = true
			i += size
			if strings.HasPrefix(r.s[i:], " ") || strings.HasPrefix(r.s[i:], "(") {
				i++
			}
		}
		if i = r.readDigits(&g, i); g.n == 0 {
			r.end = max(r.end, min(i, len(r.s)), from+1)
			break
		}
		g.to = i
		r.groups[r.n] = g
		r.n++
		r.end = i
		if i, before = readGap(r.s, i); before == 0 {
			break
		}
	}
	r.high = r.n - 1
}

// readDigits takes the digits at i, and what is invisible between them. An X
// behind 17 digits is one too, as the last of a Chinese resident number.
func (r *run) readDigits(g *group, i int) int {
	for to := i; i < len(r.s); {
		c, size := utf8.DecodeRuneInString(r.s[i:])
		d, ok := digitOf(c)
		switch {
		case ok:
		case g.n == 17 && (c == 'X' || c == 'x'):
			d = 'X'
		case g.n > 0 && invisible(c):
			i += size
			continue
		default:
			return to
		}
		i += size
		to = i
		if g.n <= maxGroup {
			r.digits[r.total] = d
			r.total++
			g.n++
		}
		if i == len(r.s) {
			return i
		}
	}
	return i
}

// digitOf is the ASCII digit that c means.
func digitOf(c rune) (byte, bool) {
	if c < utf8.RuneSelf {
		return byte(c), c >= '0' && c <= '9'
	}
	if !unicode.IsDigit(c) {
		return 0, false
	}
	// Decimal digits stand in Unicode in rows of ten, and tables list whole rows.
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= c && c <= rune(t.Hi) {
			return byte('0' + (c-rune(t.Lo))%10), true
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= c && c <= rune(t.Hi) {
			return byte('0' + (c-rune(t.Lo))%10), true
		}
	}
	return 0, false
}

// invisible holds of characters that take no room of their own.
func invisible(c rune) bool {
	return c == 0xad || c >= 0x300 && (unicode.Is(unicode.Cf, c) || unicode.Is(unicode.M, c))
}

// readGap takes the gap at i, behind which a group has to follow; else the gap
// is 0.
func readGap(s string, i int) (int, gap) {
	var g gap
	for n := 0; i < len(s) && n <= maxGap; n++ {
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case unicode.IsSpace(c):
			g |= white
		case c == '-', c >= 0x2010 && c <= 0x2015, c == 0x2212, c == '－':
			g |= dash
		case c == '.', c == '．':
			g |= dot
		case c == '/', c == '／':
			g |= slash
		case c == '(', c == ')', c == '（', c == '）':
			g |= paren
		case c == ',' && i+1 < len(s) && s[i+1] == ' ', c == '，', c == '、':
			g |= comma
		case invisible(c):
		case c == '+', c == '＋':
			return i, g
		default:
			if _, ok := digitOf(c); ok {
				return i, g
			}
			return i, 0
		}
		i += size
	}
	return i, 0
}

// trim leaves out the groups that belong to a word, a path, an amount or a time
// around the run, and digits that a mask has left.
func (r *run) trim() {
	before, after := r.s[:r.groups[0].from], r.s[r.end:]
	switch {
	case strings.HasSuffix(before, "•"), strings.HasSuffix(before, "• "), strings.HasSuffix(before, "•-"):
		r.low = 1
	case joinsBehind(before, r.groups[0].plus):
		r.low = 1
		for r.low <= r.high && !r.opens(r.low) {
			r.low++
		}
	}
	if joinsAhead(after, slices.ContainsFunc(r.groups[:r.n], func(g group) bool { return g.plus })) {
		r.high--
		for r.high >= r.low && !r.opens(r.high+1) {
			r.high--
		}
	}
}

// joinsBehind tells whether digits behind s are part of what s ends in. A + sets
// off what is behind it but in a word: call-_+14155550100_x7Qp holds a number.
func joinsBehind(s string, plus bool) bool {
	c, size := utf8.DecodeLastRuneInString(s)
	if plus && setsOff(c) {
		return false
	}
	switch c {
	case '#', '%', '№':
		return true
	case '-', '/', '.', ':', ',', '\\':
		last, _ := utf8.DecodeLastRuneInString(s[:len(s)-size])
		if c == ':' || c == ',' {
			return unicode.IsDigit(last)
		}
		return wordly(last)
	}
	return wordly(c) || unicode.Is(unicode.Sc, c)
}

// joinsAhead tells whether digits before s are part of what s begins with.
func joinsAhead(s string, plus bool) bool {
	c, size := utf8.DecodeRuneInString(s)
	if plus && setsOff(c) {
		return false
	}
	switch c {
	case '%', '°', '•':
		return true
	case '-', '/':
		next, _ := utf8.DecodeRuneInString(s[size:])
		return wordly(next)
	case ':', ',':
		next, _ := utf8.DecodeRuneInString(s[size:])
		return unicode.IsDigit(next)
	case 'x', 'e': // an extension: 555-0100x12, 555-0100ext. 12
		return !(c == 'x' && len(s) > 1 && s[1] >= '0' && s[1] <= '9') && !strings.HasPrefix(s, "ext")
	}
	return wordly(c) || unicode.Is(unicode.Sc, c)
}

// setsOff holds of what stands between the parts of an identifier or a path.
func setsOff(c rune) bool { return c == '_' || c == '-' || c == '/' || c == '.' || c == '\\' }

// wordly holds of what identifiers are made of. Han, kana and others that are
// written without spaces are words beside digits, not part of them.
func wordly(c rune) bool {
	return c == '_' || unicode.IsDigit(c) || unicode.IsLetter(c) && c < 0x0e00
}
