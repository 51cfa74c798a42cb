package call

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A token is a word and where it stands. Of a word with letters beyond ASCII it
// holds the folded form; others are folded when they are compared, since most
// are compared with nothing.
type token struct {
	word     string
	from, to int
}

func wordsOf(s string) []string {
	var words []string
	for _, t := range tokenize(s) {
		words = append(words, strings.ToLower(t.word))
	}
	return words
}

func tokenize(s string) []token { return appendTokens(make([]token, 0, len(s)/5+1), s) }

// appendTokens splits s into runs of letters, digits and their marks, as
// SQLite's unicode61 does, but with each ideograph on its own: Chinese and
// Japanese set no spaces between words.
func appendTokens(tokens []token, s string) []token {
	start, plain := -1, true
	flush := func(end int) {
		if start >= 0 {
			word := s[start:end]
			if !plain {
				word = foldWord(word)
			}
			tokens = append(tokens, token{word, start, end})
		}
		start, plain = -1, true
	}
	for i := 0; i < len(s); {
		if b := s[i]; b < utf8.RuneSelf {
			if isWord[b] && start < 0 {
				start = i
			} else if !isWord[b] && start >= 0 {
				flush(i)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			flush(i)
			start, plain = i, unicode.Is(unicode.Unified_Ideograph, r)
			flush(i + n)
		case unicode.IsLetter(r), unicode.IsNumber(r), start >= 0 && unicode.IsMark(r):
			if start < 0 {
				start = i
			}
			plain = false
		default:
			flush(i)
		}
		i += n
	}
	flush(len(s))
	return tokens
}

// isWord are the bytes of ASCII that words are made of.
var isWord = func() (is [utf8.RuneSelf]bool) {
	for b := range is {
		is[b] = 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
	}
	return is
}()

// foldWord takes case and accents away. Accents are what stands over and under
// Latin, Greek and Cyrillic letters; the vowel signs of Hindi and Thai and the
// voicing marks of Japanese make other words.
func foldWord(s string) string {
	plain := strings.Map(func(r rune) rune {
		if 0x300 <= r && r <= 0x36f {
			return -1
		}
		return r
	}, norm.NFD.String(s))
	return norm.NFC.String(strings.ToLower(plain))
}

// lower folds a byte of ASCII.
func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// begins reports whether s begins with the folded word; s is folded, or ASCII.
func begins(s, word string) bool {
	if len(s) < len(word) {
		return false
	}
	for i := range len(word) {
		if lower(s[i]) != word[i] {
			return false
		}
	}
	return true
}

// A probe finds out cheaply that a text cannot hold a word, by looking for the
// word's rarest byte. Without it, nearly all of a search is splitting turns
// that have nothing to do with it.
type probe struct {
	word  string
	at    int  // the rarest byte of word
	ascii bool // of word
}

// rarity has the letters and digits of speech, the commonest first.
const rarity = "etaoinshrdlucmywfgpbvk0123456789xjqz"

// newProbe is for the word of words that is looked for fastest.
func newProbe(words []string) probe {
	p := probe{}
	rarest := -1
	for _, word := range words {
		if i := strings.IndexFunc(word, func(r rune) bool { return r >= utf8.RuneSelf }); i >= 0 {
			return probe{word: word}
		}
		for i := range len(word) {
			if n := strings.IndexByte(rarity, word[i]); n > rarest {
				rarest, p = n, probe{word, i, true}
			}
		}
	}
	return p
}

// may is false where s surely does not hold the word. latin says that s has no
// letters beyond ASCII, so that what is written in it is what is compared.
func (p probe) may(s string, latin bool) bool {
	switch {
	case !latin:
		return true
	case !p.ascii:
		return false
	}
	b := p.word[p.at]
	if p.sees(s, b) {
		return true
	}
	return 'a' <= b && b <= 'z' && p.sees(s, b-'a'+'A')
}

// sees reports whether s holds the word with its rarest byte written as b.
func (p probe) sees(s string, b byte) bool {
	for i := p.at; i < len(s); i++ {
		k := strings.IndexByte(s[i:], b)
		if k < 0 {
			return false
		}
		i += k
		if begins(s[i-p.at:], p.word) {
			return true
		}
	}
	return false
}

// isLatin reports whether s has nothing beyond ASCII but the dashes and quotes
// of U+2000 to U+203F, which no word holds.
func isLatin(s string) bool {
	for i := 0; i < len(s); i++ {
		for i+8 <= len(s) && (s[i]|s[i+1]|s[i+2]|s[i+3]|s[i+4]|s[i+5]|s[i+6]|s[i+7]) < utf8.RuneSelf {
			i += 8
		}
		if i < len(s) && s[i] >= utf8.RuneSelf {
			if !strings.HasPrefix(s[i:], "\xe2\x80") {
				return false
			}
			i += 2
		}
	}
	return true
}
