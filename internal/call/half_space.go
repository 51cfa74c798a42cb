package call

import (
	"slices"
	"strings"
	"unicode"
)

// Persian writes parts of a word apart by a half-space (U+200C), by a space or not
// at all: می‌خواهم, می خواهم, میخواهم. The half-space parts no word in the index, so
// a query asks for each of the three.

const halfSpace = '\u200c'

// The parts of words that are written apart, as they are folded.
var (
	apartBefore = folds("می نمی بی")
	apartBehind = folds("ها های هایی هایم هایت هایش هایمان هایتان هایشان ام ات اش ای اند ایم اید مان تان شان تر ترین")
)

func folds(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range wordsOf(words) {
		m[w] = true
	}
	return m
}

// oneWord reports whether two words in a row may be parts of one.
func oneWord(a, b string) bool {
	return (apartBefore[a] || apartBehind[b]) && inArabic(a) && inArabic(b)
}

func inArabic(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.Is(unicode.Arabic, r) }) < 0
}

// joinedWords are words with the parts of one word put together.
func joinedWords(words []string) []string {
	var out []string
	for i, w := range words {
		if i > 0 && oneWord(words[i-1], w) {
			out[len(out)-1] += w
			continue
		}
		out = append(out, w)
	}
	return out
}

// addSpelled adds a term of text, with its other spellings as alternatives.
func (x *lexer) addSpelled(text string, w term) {
	spellings := []term{w}
	also := func(words []string) {
		if !slices.ContainsFunc(spellings, func(t term) bool { return slices.Equal(t.words, words) }) {
			spellings = append(spellings, term{words: words, prefix: w.prefix, quoted: w.quoted || len(words) > 1 && !w.prefix})
		}
	}
	if strings.ContainsRune(text, halfSpace) {
		also(wordsOf(strings.ReplaceAll(text, string(halfSpace), " ")))
	}
	also(joinedWords(w.words))
	if len(spellings) == 1 || len(w.words) == 0 {
		x.add(w)
		return
	}
	x.put(opOpen)
	for i, s := range spellings {
		if i > 0 {
			x.put(opOr)
		}
		x.add(s)
	}
	x.put(opClose)
}

// joinParts lets two words side by side that may be parts of one be found as it.
func joinParts(pieces []piece) []piece {
	var out []piece
	for i := 0; i < len(pieces); i++ {
		if i+1 < len(pieces) && isPlain(pieces[i]) && isPlain(pieces[i+1]) && !pieces[i].term.prefix &&
			oneWord(pieces[i].term.words[0], pieces[i+1].term.words[0]) && (i == 0 || pieces[i-1].symbol != opNot) {
			a, b := pieces[i], pieces[i+1]
			whole := term{words: []string{a.term.words[0] + b.term.words[0]}, prefix: b.term.prefix}
			whole.probe = newProbe(whole.words)
			out = append(out, piece{symbol: opOpen}, a, piece{symbol: opAnd}, b, piece{symbol: opOr}, piece{term: whole}, piece{symbol: opClose})
			i++
			continue
		}
		out = append(out, pieces[i])
	}
	return out
}

// isPlain holds of an operand of one word.
func isPlain(p piece) bool {
	return p.symbol == operand && len(p.term.words) == 1 && !p.term.quoted
}
