package call

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"call-logs-mcp/internal/filter"
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

// appendTokens splits s into runs of letters and digits with their marks, each
// character of an unspaced script on its own. What takes no room on the page
// parts no word. Words with letters beyond ASCII are folded.
func appendTokens(tokens []token, s string) []token {
	start := -1
	for i := 0; i < len(s); {
		if b := s[i]; b < utf8.RuneSelf {
			if isWord[b] && start < 0 {
				start = i
			} else if !isWord[b] && start >= 0 {
				tokens = append(tokens, token{s[start:i], start, i})
				start = -1
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if alone := common(r) && bare(s[i+n:]); alone || punctuation(r) {
			if start >= 0 {
				tokens = append(tokens, token{s[start:i], start, i})
				start = -1
			}
			if alone {
				tokens = append(tokens, token{s[i : i+n], i, i + n})
			}
			i += n
			continue
		}
		w := splitter{s: s, tokens: tokens, from: start, to: i}
		if start >= 0 {
			w.word = appendLower(w.room[:0], s[start:i])
		}
		i, start = w.run(i), -1
		tokens = w.tokens
	}
	if start >= 0 {
		tokens = append(tokens, token{s[start:], start, len(s)})
	}
	return tokens
}

// punctuation holds for some of what parts words, ahead of slower questions.
func punctuation(r rune) bool {
	return 0x2010 <= r && r <= 0x2027 || 0x3000 <= r && r <= 0x3004 || 0x3008 <= r && r <= 0x3020 || 0xff01 <= r && r <= 0xff0f
}

// bare is true where s begins with no mark that belongs to what stands before it.
func bare(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s == "" || s[0] < utf8.RuneSelf || common(r) || punctuation(r)
}

// A splitter splits what has letters beyond ASCII, up to where a word ends.
type splitter struct {
	s        string
	tokens   []token
	from, to int    // of the word that is being read; from is -1 where there is none
	word     []byte // folded as far as it was read
	alone    bool   // it is a character of an unspaced script
	runes    int    // that it was made of
	room     [64]byte
}

// run reads from s[i], which is beyond ASCII, to the end of the word there or of
// the unspaced run, and returns where it ended.
func (w *splitter) run(i int) int {
	for i < len(w.s) {
		b := w.s[i]
		if b < utf8.RuneSelf {
			if !isWord[b] || w.alone {
				w.end()
				return i
			}
			w.add(letter, rune(b), i, i+1)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(w.s[i:])
		if r == utf8.RuneError && n == 1 {
			w.end()
			return i + n
		}
		w.read(r, i, i+n)
		i += n
		if w.from < 0 {
			return i
		}
	}
	w.end()
	return i
}

// read adds the rune at s[from:to], or what it is decomposed into.
func (w *splitter) read(r rune, from, to int) {
	class := classOf(r)
	if class == parting && 0x3200 <= r && r < 0x3400 { // ㈱ and ㎏ are words, ™ is none
		w.end()
		w.parts(r, from, to)
		w.end()
		return
	}
	if class == letter && (r >= 0x250 || strings.ContainsRune("¼½¾Ŀŀŉ", r)) || class == single && !common(r) {
		w.parts(r, from, to)
		return
	}
	w.add(class, r, from, to)
}

// parts adds what a compatibility form stands for, which may be several words:
// ½ is 1 and 2.
func (w *splitter) parts(r rune, from, to int) {
	whole := norm.NFKD.PropertiesString(w.s[from:to]).Decomposition()
	if whole == nil {
		w.add(classOf(r), r, from, to)
		return
	}
	for len(whole) > 0 {
		part, n := utf8.DecodeRune(whole)
		whole = whole[n:]
		class := parting
		switch {
		case part >= utf8.RuneSelf:
			class = classOf(part)
		case isWord[byte(part)]:
			class = letter
		}
		w.add(class, part, from, to)
	}
}

func (w *splitter) add(class runeClass, r rune, from, to int) {
	switch class {
	case parting:
		w.end()
		return
	case unseen:
		return
	case joined:
		if w.from < 0 {
			return
		}
	case single:
		w.end()
	case letter:
		if w.alone {
			w.end()
		}
	}
	if w.from < 0 {
		w.from, w.word, w.alone, w.runes = from, w.room[:0], class == single, 0
	}
	w.word, w.to, w.runes = appendFolded(w.word, r), to, w.runes+1
}

// end finishes the word that is being read, if there is one.
func (w *splitter) end() {
	if w.from >= 0 && len(w.word) > 0 {
		word := w.s[w.from:w.to]
		if string(w.word) != word || w.runes > 1 {
			word = norm.NFC.String(string(w.word))
		}
		w.tokens = append(w.tokens, token{word, w.from, w.to})
	}
	w.from, w.alone = -1, false
}

// isWord are the bytes of ASCII that words are made of.
var isWord = func() (is [utf8.RuneSelf]bool) {
	for b := range is {
		is[b] = 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
	}
	return is
}()

func appendLower(b []byte, s string) []byte {
	for i := range len(s) {
		b = append(b, lower(s[i]))
	}
	return b
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

// isLatin reports whether s has nothing beyond ASCII but the spaces, dashes and
// quotes of U+2000 to U+203F, which no word holds.
func isLatin(s string) bool {
	for i := 0; i < len(s); i++ {
		for i+8 <= len(s) && (s[i]|s[i+1]|s[i+2]|s[i+3]|s[i+4]|s[i+5]|s[i+6]|s[i+7]) < utf8.RuneSelf {
			i += 8
		}
		if i < len(s) && s[i] >= utf8.RuneSelf {
			if !strings.HasPrefix(s[i:], "\xe2\x80") || i+2 >= len(s) || filter.Unseen(0x2000+rune(s[i+2]&0x3f)) {
				return false
			}
			i += 2
		}
	}
	return true
}
