package render

import "unicode/utf8"

// Tokens estimates how many tokens of o200k (GPT-4o and later) s takes, on the
// high side, in one pass and without a vocabulary.
//
// The rule, in tenths of a token: 30 for a text, and
//
//   - a word of Latin letters: 9, plus pairCost of each two letters that follow
//     each other, which is high for pairs that o200k seldom has inside one token,
//     plus 5 for each letter from the 12th on, plus 3 for each capital but the
//     first. A small letter before a capital ends a word, as in o200k. Endings
//     like 's and 'll are free.
//   - digits: 10 for each three begun, plus 10 where a space stands before them.
//   - other ASCII: 10, but 8 behind another of its kind and 1 in the pairs that
//     JSON is made of; a line end 10; one space nothing, several 20.
//   - any other character by its script: runeCost.
//
// The numbers were fitted on English dialogue, tables, JSON, code, base64,
// digits, 30 languages and random characters, so that the estimate stays above
// the count of text that people or programs write. Of transcripts and tables in
// English it is 1.05 to 1.25 times the count, of single lines up to 1.6, in other
// languages 1.5 to 2.3 times.
func Tokens(s string) int {
	return min((weight(s)+39)/10, len(s))
}

// lineTokens is what s and a newline add to a longer text. The Tokens of lines
// joined by newlines is at most the sum of their lineTokens, plus textTokens.
func lineTokens(s string) int { return (weight(s) + 19) / 10 }

// textTokens is what Tokens has for a text as a whole.
const textTokens = 3

// weight is the estimate in tenths of a token, but for the 30 per text. A newline
// forgets what stood before it.
func weight(s string) int {
	var m meter
	for i := 0; i < len(s); {
		b := s[i]
		switch letter := b | 0x20; {
		case letter >= 'a' && letter <= 'z':
			m.letter(b)
		case b >= '0' && b <= '9':
			m.digit(b)
		case b >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			m.rune(r, b)
			i += size
			continue
		case b == '\'' && isLetter(m.last) && ending(s[i+1:]) > 0:
			i += ending(s[i+1:])
		default:
			m.other(b)
		}
		i++
	}
	return m.sum
}

// A meter adds up the weight of a text, byte by byte.
type meter struct {
	sum     int
	last    byte // what came before, 0 at the start of a line
	run     int  // letters or digits in the word or number so far
	capital bool // the word has had a capital
	spaces  bool // last is one of several spaces
	beyond  rune // the last character beyond ASCII
}

func (m *meter) letter(b byte) {
	upper := b < 'a'
	if !isLetter(m.last) || upper && m.last >= 'a' {
		m.sum += 9
		m.run, m.capital = 0, false
	} else {
		m.sum += int(pairCost[int(m.last|0x20-'a')*26+int(b|0x20-'a')] - '0')
	}
	if m.run++; m.run > 11 {
		m.sum += 5
	}
	if upper {
		if m.capital {
			m.sum += 3
		}
		m.capital = true
	}
	m.last = b
}

func (m *meter) digit(b byte) {
	if !isDigit(m.last) {
		m.run = 0
		if m.last == ' ' {
			m.sum += 10
		}
	}
	if m.run%3 == 0 {
		m.sum += 10
	}
	m.run++
	m.last = b
}

// other is white space, a control or punctuation.
func (m *meter) other(b byte) {
	switch {
	case b == '\n':
		*m = meter{sum: m.sum + 10}
		return
	case b == ' ', b == '\t':
		if m.last == ' ' && !m.spaces {
			m.sum += 20
		}
		m.spaces = m.last == ' '
		m.last = ' '
		return
	case m.last <= ' ', m.last >= 0x7f, isLetter(m.last), isDigit(m.last), b < ' ', b == 0x7f:
		m.sum += 10
	case isJSONPair(m.last, b):
		m.sum++
	default:
		m.sum += 8
	}
	m.last = b
}

// rune is a character beyond ASCII that begins with the byte b.
func (m *meter) rune(r rune, b byte) {
	last := m.beyond
	if m.last < utf8.RuneSelf {
		last = 0
	}
	cost := runeCost(r, last)
	if cost >= 30 && m.last == ' ' {
		cost += 10
	}
	m.sum += cost
	m.last, m.beyond = b, r
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
func isDigit(b byte) bool  { return b >= '0' && b <= '9' }

// ending is the length of the s, t, d, m, re, ve or ll that s begins with, if
// the word ends there.
func ending(s string) int {
	n := 0
	for n < len(s) && n < 3 && isLetter(s[n]) {
		n++
	}
	switch {
	case n == 1:
		switch s[0] | 0x20 {
		case 's', 't', 'd', 'm':
			return 1
		}
	case n == 2:
		a, b := s[0]|0x20, s[1]|0x20
		if b == 'e' && (a == 'r' || a == 'v') || a == 'l' && b == 'l' {
			return 2
		}
	}
	return 0
}

// isJSONPair holds of two characters that stand together between the keys and
// values of compact JSON; o200k has tokens for most such runs.
func isJSONPair(a, b byte) bool {
	switch a {
	case '"':
		return b == ':' || b == ',' || b == '}' || b == ']'
	case ':':
		return b == '"' || b == '{' || b == '['
	case ',':
		return b == '"' || b == '{'
	case '{':
		return b == '"'
	case '[':
		return b == '"' || b == '{'
	case '}':
		return b == ',' || b == '}' || b == ']'
	case ']':
		return b == ',' || b == '}'
	}
	return false
}

// A script is characters of one cost that follow each other in words.
type script struct {
	from, to rune // both included
	cost     int
}

// scripts are in the order of their characters. Their cost is above the count of
// any text that people write; letters at random would take up to twice as much.
var scripts = [...]script{
	{0xc0, 0xff, 20}, // Latin, behind another: 13
	{0x100, 0x17f, 16},
	{0x180, 0x24f, 20},
	{0x370, 0x3a9, 14}, // Greek capitals
	{0x3aa, 0x3ff, 7},
	{0x400, 0x42f, 12}, // Cyrillic capitals
	{0x430, 0x52f, 6},
	{0x590, 0x5ff, 7},      // Hebrew
	{0x600, 0x6ff, 6},      // Arabic
	{0x900, 0xdff, 7},      // the scripts of India
	{0xe00, 0xe7f, 9},      // Thai
	{0x1ea0, 0x1eff, 10},   // Vietnamese
	{0x3000, 0x302f, 10},   // East Asian punctuation
	{0x3040, 0x30ff, 13},   // kana
	{0x4e00, 0x9fff, 16},   // Han
	{0xac00, 0xd7a3, 14},   // Hangul
	{0xff00, 0xffef, 17},   // full width
	{0x1f000, 0x1faff, 26}, // emoji
	{0x1fb00, 0x10ffff, 40},
}

// runeCost is the cost of a character beyond ASCII behind another, or behind 0.
// A change of script, which words do not have, costs 10 more.
func runeCost(r, last rune) int {
	switch {
	case r >= 0x2010 && r <= 0x2026, r == '→', r == '✓', r == '€', r == 0xd7, r == 0xf7, r == utf8.RuneError, r >= 0xa0 && r < 0xc0:
		return 10
	case r < 0xa0:
		return 15
	case r >= 0x2000 && r < 0x2070:
		return 20
	}
	s := scriptOf(r)
	switch {
	case s.cost == 0 && r > 0xffff:
		return 40
	case s.cost == 0:
		return 31
	case last == 0 || s.from <= last && last <= s.to:
		if s.from == 0xc0 && last != 0 {
			return 13
		}
		return s.cost
	case isEastAsian(r) && isEastAsian(last), s.to <= 0x52f && last <= 0x52f, s.cost >= 20:
		return s.cost // kana and Han stand in one word, and so do capitals and others
	}
	return s.cost + 10
}

// isEastAsian holds of Han and of what stands among it.
func isEastAsian(r rune) bool {
	return r >= 0x3000 && r < 0x3100 || r >= 0x4e00 && r < 0xa000 || r >= 0xff00 && r < 0xfff0
}

// scriptOf is the script of r, without a cost where it is in none.
func scriptOf(r rune) script {
	for _, s := range scripts {
		if r <= s.to {
			if r >= s.from {
				return s
			}
			break
		}
	}
	return script{}
}

// pairCost is what two letters in a row cost, in tenths of a token: a row for
// the first, a column for the second, from a to z.
const pairCost = "90349901293300809100409209" +
	"29992999840059209502102609" +
	"29190992390209099070699433" +
	"36920919309202264106969909" +
	"09000189699103900000931039" +
	"99993499003049097090290909" +
	"99990980299999099003999249" +
	"05990993299680099340999039" +
	"83005009990100069000819195" +
	"99799099999999592999200999" +
	"89290999299690999909959299" +
	"39001995390098109904995909" +
	"70990099599989169909290909" +
	"29102009990096299800099909" +
	"93000078490900049072020909" +
	"39000930999000079090999909" +
	"99999999589499999999099999" +
	"29000429391940469202900809" +
	"55920092396567249900033909" +
	"48090940069019093003390909" +
	"00090961999000908000999919" +
	"29900999099999938999999099" +
	"19091990099992019099999999" +
	"99092039099999609990999090" +
	"91990919399839009050990999" +
	"97992999997999919979999930"
