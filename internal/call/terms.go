package call

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A Term is one thing that a Text looks for: words in a row, folded as Words
// folds them.
type Term struct {
	Words  []string
	Prefix bool // the last word may go on
	Quoted bool // it was written as a phrase
}

// Terms is what t looks for: one of each group of all, and none of not. An
// index that is built from Words and Parts finds by it what Match matches.
func (t *Text) Terms() (all [][]Term, not []Term) {
	for _, c := range t.all {
		all = append(all, termsOf(c))
	}
	return all, termsOf(t.not)
}

func termsOf(in []term) []Term {
	out := make([]Term, len(in))
	for i, w := range in {
		out[i] = Term{Words: slices.Clone(w.words), Prefix: w.prefix, Quoted: w.quoted}
	}
	return out
}

// TextOf is the Text that looks for terms, such as those of another, widened.
// Terms without words are dropped, and groups without terms too.
func TextOf(all [][]Term, not []Term) *Text {
	t := &Text{not: clauseOf(not)}
	for _, group := range all {
		if c := clauseOf(group); len(c) > 0 {
			t.all = append(t.all, c)
		}
	}
	return t
}

func clauseOf(terms []Term) clause {
	var c clause
	for _, w := range terms {
		if len(w.Words) > 0 {
			c = append(c, term{words: w.Words, prefix: w.Prefix, quoted: w.Quoted, probe: newProbe(w.Words)})
		}
	}
	return c
}

// Words yields the words of s, folded, as Text compares them.
func Words(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		var tokens []token
		start, upper := -1, false
		for i := 0; i < len(s); i++ {
			switch b := s[i]; {
			case b >= utf8.RuneSelf: // split what stands between characters of ASCII that are no part of words
				from, to := i, i+1
				if start >= 0 {
					from, start = start, -1
				}
				for to < len(s) && (s[to] >= utf8.RuneSelf || isWord[s[to]]) {
					to++
				}
				tokens = appendTokens(tokens[:0], s[from:to])
				for _, t := range tokens {
					if !yield(strings.ToLower(t.word)) {
						return
					}
				}
				i, upper = to-1, false
			case isWord[b]:
				if start < 0 {
					start = i
				}
				upper = upper || b <= 'Z' && b >= 'A'
			case start >= 0:
				word := s[start:i]
				if upper {
					word, upper = strings.ToLower(word), false
				}
				if !yield(word) {
					return
				}
				start = -1
			}
		}
		if start >= 0 {
			yield(strings.ToLower(s[start:]))
		}
	}
}

// Parts are the texts of a turn that are searched, some of them empty. No
// phrase spans two.
func (t *Turn) Parts() [4]string { return t.spoken() }
