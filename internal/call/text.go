package call

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A Text is a full-text query over the turns of a call: words and "phrases",
// all of which must occur, prefix*, -not, and OR between two of them. Case,
// accents and punctuation do not count. Words may lie in different turns of a
// call, a phrase stays within one.
type Text struct {
	all []clause
	not []term
}

// A clause holds where one of its terms does.
type clause []term

// A term is a word, or the words of a phrase in a row.
type term struct {
	words  []string
	prefix bool // the last word may go on
	quoted bool
}

// ParseText reads a query. Its errors are for the one who wrote it.
func ParseText(s string) (*Text, error) {
	t := &Text{}
	or := false
	for _, p := range pieces(s) {
		switch {
		case p.text == "OR" && !p.quoted:
			or = len(t.all) > 0
			continue
		case p.text == "AND" && !p.quoted:
			continue
		}
		body, not := strings.CutPrefix(p.text, "-")
		not = not && !p.quoted || p.not
		w := term{words: wordsOf(body), quoted: p.quoted, prefix: strings.HasSuffix(body, "*") && !p.quoted}
		switch {
		case len(w.words) == 0:
			continue // punctuation alone
		case not:
			t.not = append(t.not, w)
		case or:
			t.all[len(t.all)-1] = append(t.all[len(t.all)-1], w)
		default:
			t.all = append(t.all, clause{w})
		}
		or = false
	}
	if len(t.all) == 0 {
		return nil, fmt.Errorf(`nothing to look for in %q. Give words, or a "phrase"; prefix*, -not and OR are understood`, s)
	}
	return t, nil
}

// A piece is what stands between spaces, or between quotes.
type piece struct {
	text        string
	quoted, not bool
}

func pieces(s string) (out []piece) {
	s = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`).Replace(s)
	for i, part := range strings.Split(s, `"`) {
		if i%2 == 1 {
			n := len(out)
			not := n > 0 && out[n-1].text == "-"
			out = append(out, piece{text: part, quoted: true, not: not})
			continue
		}
		for _, w := range strings.Fields(part) {
			out = append(out, piece{text: w})
		}
	}
	return out
}

// String is the query in its own language; ParseText reads it back.
func (t *Text) String() string {
	var parts []string
	for _, c := range t.all {
		words := make([]string, len(c))
		for i, w := range c {
			words[i] = w.String()
		}
		parts = append(parts, strings.Join(words, " OR "))
	}
	for _, w := range t.not {
		parts = append(parts, "-"+w.String())
	}
	return strings.Join(parts, " ")
}

func (w term) String() string {
	s := strings.Join(w.words, " ")
	switch {
	case w.prefix && len(w.words) == 1:
		return s + "*"
	case w.prefix:
		return strings.Join(w.words, "-") + "*"
	case w.quoted || len(w.words) > 1:
		return `"` + s + `"`
	}
	return s
}

// Match reports whether the turns of l that role spoke hold what t asks for,
// and which of them do. The empty role stands for everybody.
func (t *Text) Match(l *Log, role Role) (Hit, bool) {
	var hit Hit
	found := make([]bool, len(t.all))
	for i := range l.Turns {
		turn := &l.Turns[i]
		if role != "" && turn.Role != role {
			continue
		}
		matches := false
		for _, part := range turn.spoken() {
			tokens := tokenize(part)
			if slices.ContainsFunc(t.not, func(w term) bool { return w.in(tokens) >= 0 }) {
				return Hit{}, false
			}
			for k, c := range t.all {
				if slices.ContainsFunc(c, func(w term) bool { return w.in(tokens) >= 0 }) {
					found[k], matches = true, true
				}
			}
		}
		if matches {
			hit.Turns = append(hit.Turns, turn.Index)
		}
	}
	return hit, !slices.Contains(found, false)
}

// Spans returns the parts of s, as byte offsets, that t looks for.
func (t *Text) Spans(s string) (spans [][2]int) {
	tokens := tokenize(s)
	for i := 0; i < len(tokens); {
		n := 0
		for _, c := range t.all {
			for _, w := range c {
				if w.at(tokens, i) {
					n = max(n, len(w.words))
				}
			}
		}
		if n > 0 {
			spans = append(spans, [2]int{tokens[i].from, tokens[i+n-1].to})
		}
		i += max(n, 1)
	}
	return spans
}

// Worth is how many of the things that t looks for a text holds.
func (t *Text) Worth(s string) (n int) {
	tokens := tokenize(s)
	for _, c := range t.all {
		if slices.ContainsFunc(c, func(w term) bool { return w.in(tokens) >= 0 }) {
			n++
		}
	}
	return n
}

// in returns where w begins in tokens, or -1.
func (w term) in(tokens []token) int {
	for i := range tokens {
		if w.at(tokens, i) {
			return i
		}
	}
	return -1
}

func (w term) at(tokens []token, i int) bool {
	if i+len(w.words) > len(tokens) {
		return false
	}
	for k, word := range w.words {
		got := tokens[i+k].word
		if got != word && !(w.prefix && k == len(w.words)-1 && strings.HasPrefix(got, word)) {
			return false
		}
	}
	return true
}

// spoken is what can be searched in a turn. The parts of a tool call are apart,
// so that no phrase spans them.
func (t *Turn) spoken() []string {
	if t.Tool == nil {
		return []string{t.Text}
	}
	return []string{nameWords(t.Tool.Name), t.Tool.Args, t.Tool.Result, t.Text}
}

// nameWords splits lookupOrder as lookup_order is split by its underscore.
func nameWords(name string) string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		if lower && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
		b.WriteRune(r)
	}
	return b.String()
}

// A token is a folded word and where it stands.
type token struct {
	word     string
	from, to int
}

func wordsOf(s string) []string {
	var words []string
	for _, t := range tokenize(s) {
		words = append(words, t.word)
	}
	return words
}

// tokenize splits s into runs of letters, digits and their marks, as SQLite's
// unicode61 does, but with each ideograph on its own: Chinese and Japanese set
// no spaces between words.
func tokenize(s string) []token {
	tokens := make([]token, 0, len(s)/5+1)
	start := -1
	flush := func(end int) {
		if start >= 0 {
			tokens = append(tokens, token{foldWord(s[start:end]), start, end})
			start = -1
		}
	}
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case r < utf8.RuneSelf && !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'):
			flush(i)
		case r >= utf8.RuneSelf && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			flush(i)
			start = i
			flush(i + n)
		case r < utf8.RuneSelf, unicode.IsLetter(r), unicode.IsNumber(r), start >= 0 && unicode.IsMark(r):
			if start < 0 {
				start = i
			}
		default:
			flush(i)
		}
		i += n
	}
	flush(len(s))
	return tokens
}

// foldWord takes case and accents away.
func foldWord(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		ascii = ascii && s[i] < utf8.RuneSelf
	}
	if ascii {
		return strings.ToLower(s)
	}
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
	return norm.NFC.String(strings.ToLower(plain))
}
