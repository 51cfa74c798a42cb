package call

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Text is a full-text query over the turns of a call: words and "phrases",
// all of which must occur, prefix*, -not, OR between two of them, parentheses,
// and these operators as other search engines write them. Case, accents and
// punctuation do not count. Words may lie in different turns of a call, a phrase
// stays within one.
type Text struct {
	all []clause
	not []term
}

// A clause holds where one of its terms does.
type clause []term

// distinct is c without what it says twice.
func (c clause) distinct() (out clause) {
	for _, w := range c {
		if !slices.ContainsFunc(out, func(o term) bool { return o.prefix == w.prefix && slices.Equal(o.words, w.words) }) {
			out = append(out, w)
		}
	}
	return out
}

// A term is a word, or the words of a phrase in a row.
type term struct {
	words  []string
	prefix bool // the last word may go on
	quoted bool
	probe  probe
}

// longestText bounds a query as String writes it: each word costs a look-up.
const longestText = 2000

// ParseText reads a query. Its errors are for the one who wrote it.
func ParseText(s string) (*Text, error) {
	pieces, err := lex(s)
	if err != nil {
		return nil, err
	}
	read, err := (&grammar{rest: pieces}).sequence()
	if err != nil {
		return nil, err
	}
	t := &Text{all: read.all, not: read.not}
	for i, c := range t.all {
		t.all[i] = c.distinct()
	}
	if words := wordsOf(s); read.empty() && len(words) == 1 && s != strings.ToUpper(s) { // "or" alone
		t.all = []clause{{term{words: words, quoted: true, probe: newProbe(words)}}}
	}
	if len(t.all) == 0 {
		return nil, fmt.Errorf(`nothing to look for in %.60q. Give words, or a "phrase"; prefix*, -not and OR are understood`, s)
	}
	if n := len(t.String()); n > longestText {
		return nil, fmt.Errorf("%d characters of words are too many to look for. Give at most %d: the rarest words, or one phrase", n, longestText)
	}
	if err := t.fewPrefixes(); err != nil {
		return nil, err
	}
	return t, nil
}

// The limits of prefixes. Each is a merge of all that is known of the words that
// begin so, which an index does in one go: of one letter that is a large part of it.
const (
	maxPrefixes      = 24
	maxShortPrefixes = 3 // of one letter or two
)

func (t *Text) fewPrefixes() error {
	all, short := 0, 0
	for _, c := range append(slices.Clone(t.all), t.not) {
		for _, w := range c {
			if !w.prefix {
				continue
			}
			all++
			if last := w.words[len(w.words)-1]; utf8.RuneCountInString(last) <= 2 {
				short++
			}
		}
	}
	switch {
	case all > maxPrefixes:
		return fmt.Errorf("%d words with a * are too many to look for. Give at most %d", all, maxPrefixes)
	case short > maxShortPrefixes:
		return fmt.Errorf("%d beginnings of one letter or two match too many words. Give at most %d, or longer ones", short, maxShortPrefixes)
	}
	return nil
}

// String is the query in its own language; ParseText reads it back.
func (t *Text) String() string {
	var parts []string
	for _, c := range t.all {
		words := make([]string, len(c))
		for i, w := range c {
			words[i] = w.String()
		}
		part := strings.Join(words, " OR ")
		if len(words) > 1 && len(t.all)+len(t.not) > 1 {
			part = "(" + part + ")"
		}
		parts = append(parts, part)
	}
	for _, w := range t.not {
		parts = append(parts, "-"+w.String())
	}
	return strings.Join(parts, " ")
}

func (w term) String() string {
	switch s := w.run(); {
	case w.prefix:
		return strings.ReplaceAll(s, " ", "-") + "*"
	case w.quoted || strings.Contains(s, " "):
		return `"` + s + `"`
	default:
		return s
	}
}

// run is the words in a row, without spaces where their script sets none.
func (w term) run() string {
	var b strings.Builder
	apart := false
	for i, word := range w.words {
		first, _ := utf8.DecodeRuneInString(word)
		alone := first >= utf8.RuneSelf && classOf(first) == single
		if i > 0 && apart && !alone {
			b.WriteByte(' ')
		}
		b.WriteString(word)
		apart = !alone
	}
	return b.String()
}

// Match reports whether the turns of l that role spoke hold what t asks for,
// and which of them do. The empty role stands for everybody.
func (t *Text) Match(l *Log, role Role) (Hit, bool) {
	hit := Hit{Text: t}
	var tokens []token
	found := make([]bool, len(t.all))
	for i := range l.Turns {
		turn := &l.Turns[i]
		if !role.Hears(turn.Role) {
			continue
		}
		matches := false
		for _, part := range turn.spoken() {
			if !t.may(part) {
				continue
			}
			if tokens == nil {
				tokens = make([]token, 0, 64)
			}
			tokens = appendTokens(tokens[:0], part)
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

// may is false where s surely holds nothing of t.
func (t *Text) may(s string) bool {
	if s == "" {
		return false
	}
	latin := isLatin(s)
	may := func(w term) bool { return w.probe.may(s, latin) }
	return slices.ContainsFunc(t.not, may) ||
		slices.ContainsFunc(t.all, func(c clause) bool { return slices.ContainsFunc(c, may) })
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
			from, to := tokens[i].from, tokens[i+n-1].to
			if k := len(spans) - 1; k >= 0 && from < spans[k][1] { // two words of one character, such as ½
				spans[k][1] = max(to, spans[k][1])
			} else {
				spans = append(spans, [2]int{from, to})
			}
		}
		i += max(n, 1)
	}
	return spans
}

// Worth is how many of the things that t looks for a turn holds, alternatives
// each on their own; none where it holds what t leaves out.
func (t *Text) Worth(turn *Turn) (n int) {
	parts := turn.spoken()
	tokens := make([][]token, len(parts))
	for i, part := range parts {
		tokens[i] = tokenize(part)
	}
	holds := func(w term) bool {
		return slices.ContainsFunc(tokens, func(in []token) bool { return w.in(in) >= 0 })
	}
	if slices.ContainsFunc(t.not, holds) {
		return 0
	}
	for _, c := range t.all {
		for _, w := range c {
			if holds(w) {
				n++
			}
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
		if !begins(got, word) || len(got) > len(word) && !(w.prefix && k == len(w.words)-1) {
			return false
		}
	}
	return true
}

// spoken is what can be searched in a turn. The parts of a tool call are apart,
// so that no phrase spans them.
func (t *Turn) spoken() [4]string {
	if t.Tool == nil {
		return [4]string{t.Text}
	}
	return [4]string{nameWords(t.Tool.Name), t.Tool.Args, t.Tool.Result, t.Text}
}

// nameWords adds to lookupOrder the words that the underscore of lookup_order
// makes of that.
func nameWords(name string) string {
	if !strings.ContainsFunc(name, unicode.IsUpper) {
		return name
	}
	var b strings.Builder
	b.WriteString(name + " ")
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
