package call

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
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
	probe  probe
}

// longestText bounds a query as String writes it: each word costs a look-up.
const longestText = 2000

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
		w.probe = newProbe(w.words)
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
		return nil, fmt.Errorf(`nothing to look for in %.60q. Give words, or a "phrase"; prefix*, -not and OR are understood`, s)
	}
	if n := len(t.String()); n > longestText {
		return nil, fmt.Errorf("%d characters of words are too many to look for. Give at most %d: the rarest words, or one phrase", n, longestText)
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
	var not bool // the quote begins behind a dash
	for i, part := range strings.Split(s, `"`) {
		if i%2 == 1 {
			out = append(out, piece{text: part, quoted: true, not: not})
			continue
		}
		not = false
		for _, w := range strings.Fields(part) {
			out = append(out, piece{text: w})
			not = w == "-" && strings.HasSuffix(part, "-")
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
			spans = append(spans, [2]int{tokens[i].from, tokens[i+n-1].to})
		}
		i += max(n, 1)
	}
	return spans
}

// Worth is how many of the things that t looks for a turn holds, alternatives
// each on their own.
func (t *Text) Worth(turn *Turn) (n int) {
	parts := turn.spoken()
	tokens := make([][]token, len(parts))
	for i, part := range parts {
		tokens[i] = tokenize(part)
	}
	for _, c := range t.all {
		for _, w := range c {
			if slices.ContainsFunc(tokens, func(in []token) bool { return w.in(in) >= 0 }) {
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
