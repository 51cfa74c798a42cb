package call

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"call-logs-mcp/internal/lazyregexp"
)

// A symbol is what a piece of a query is to its syntax.
type symbol int

const (
	operand symbol = iota // a word or phrase
	opOr                  // OR, or, |, ||
	opAnd                 // AND, and, &&
	opNot                 // NOT, -, !
	opMust                // +
	opOpen
	opClose
)

// A piece is one symbol of a query, with its term where it is an operand.
type piece struct {
	symbol symbol
	term   term
}

// typography is how word processors and other keyboards write what the syntax
// writes in ASCII.
var typography = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`, "＂", `"`, "「", `"`, "」", `"`, "『", `"`, "』", `"`,
	"（", "(", "）", ")", "｜", "|", "！", "!", "∨", " | ", "∧", " && ", "¬", "!")

// What other search engines understand and this one does not is refused by name:
// taken for words, it would have to be spoken.
var (
	expression = lazyregexp.New(`^/(.+?)/[gimsu]*(?:\s|$)`)
	alternates = lazyregexp.New(`^[\pL\pM\pN\s|'’-]+$`)
	proximity  = lazyregexp.New(`^(?:(?:NEAR|AROUND|ADJ|WITHIN|W|PRE)(?:/\d+|\(\d*\)?)|NEAR|AROUND|XOR)$`)
	fuzzy      = lazyregexp.New(`^[\pL\pM\pN]*[~^]\d*(?:\.\d+)?$`)
	fielded    = lazyregexp.New(`^(?i:role|speaker|agent|caller|user|customer|transcript|text|content|tool):[^/\s]`)
	wildcard   = lazyregexp.New(`\*+[^*]|[\pL\pN]\?[\pL\pN]`)
)

// longestExpression bounds how far the end of one is looked for.
const longestExpression = 500

// A lexer cuts a query into pieces.
type lexer struct {
	s     string
	out   []piece
	depth int // parentheses that are open
}

// lex cuts s into pieces. Operators stand at the beginning of a word, so that
// ORD-12, call(s) and AT&T are words.
func lex(s string) ([]piece, error) {
	x := &lexer{s: typography.Replace(s)}
	for i := 0; i < len(x.s); {
		n, err := x.next(x.s[i:])
		if err != nil {
			return nil, err
		}
		i += n
	}
	return joinParts(x.out), nil
}

func (x *lexer) put(symbols ...symbol) {
	for _, k := range symbols {
		x.out = append(x.out, piece{symbol: k})
	}
}

// next reads what rest begins with, and returns its length.
func (x *lexer) next(rest string) (n int, err error) {
	follows := rest[1:]
	glued := follows != "" && !startsBlank(follows)
	switch b := rest[0]; {
	case b == '"':
		return x.phrase(rest)
	case b == '(':
		x.depth++
		x.put(opOpen)
	case b == ')':
		if x.depth > 0 {
			x.depth--
			x.put(opClose)
		}
	case b == '|':
		x.put(opOr)
		return len(rest) - len(strings.TrimLeft(rest, "|")), nil
	case strings.HasPrefix(rest, "&&"):
		x.put(opAnd)
		return 2, nil
	case b == '-' || b == '!':
		alone := b == '!' && len(rest) < len(x.s) && startsBlank(x.s[len(x.s)-len(rest)-1:]) && strings.TrimSpace(follows) != ""
		if glued && follows[0] != '!' && follows[0] != '-' && follows[0] != '=' || !glued && alone {
			x.put(opNot)
		}
	case b == '+':
		if r, _ := utf8.DecodeRuneInString(follows); r == '"' || r == '(' || unicode.IsLetter(r) {
			x.put(opMust)
		}
	case b == '/' && expression.MatchString(rest[:min(len(rest), longestExpression)]):
		return x.expression(rest[:min(len(rest), longestExpression)])
	case startsBlank(rest):
		_, n := utf8.DecodeRuneInString(rest)
		return n, nil
	default:
		return x.word(rest)
	}
	return 1, nil
}

func startsBlank(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(r)
}

// phrase reads to the closing quote, or to the end where that was forgotten.
func (x *lexer) phrase(rest string) (n int, err error) {
	body, behind, closed := strings.Cut(rest[1:], `"`)
	n = len(body) + 1
	if closed {
		n++
		if mark, _, _ := strings.Cut(behind, " "); len(mark) > 1 && mark[0] == '~' && fuzzy.MatchString(mark) {
			return 0, notUnderstood(`"`+body+`"`+mark, "a phrase is its words in a row")
		}
	}
	x.addSpelled(body, term{words: wordsOf(body), quoted: true})
	return n, nil
}

func (x *lexer) add(w term) {
	if len(w.words) == 0 {
		return // punctuation alone
	}
	w.probe = newProbe(w.words)
	x.out = append(x.out, piece{term: w})
}

// word reads to the next blank, quote or operator within.
func (x *lexer) word(rest string) (n int, err error) {
	inner := 0
	n = strings.IndexFunc(rest, func(r rune) bool {
		switch {
		case r == '(':
			inner++
		case r == ')' && inner > 0:
			inner--
		case r == ')':
			return x.depth > 0
		}
		return r == '"' || r == '|' || unicode.IsSpace(r)
	})
	if n < 0 {
		n = len(rest)
	}
	if i := strings.Index(rest[:n], "&&"); i > 0 {
		n = i
	}
	for _, op := range []string{"NOT", "AND", "OR"} {
		if strings.HasPrefix(rest[:n], op+"(") { // NOT(refund)
			n = len(op)
		}
	}
	w := rest[:n]
	words := wordsOf(w)
	switch {
	case strings.EqualFold(w, "and/or"):
		x.put(opOr)
		return n, nil
	case len(words) == 1 && words[0] == "or" && !strings.HasSuffix(w, "*"):
		x.put(opOr)
		return n, nil
	case len(words) == 1 && words[0] == "and" && !strings.HasSuffix(w, "*"):
		x.put(opAnd)
		return n, nil
	case w == "NOT":
		x.put(opNot)
		return n, nil
	case proximity.MatchString(w) && (strings.ContainsAny(w, "/(") || x.s != strings.ToUpper(x.s)):
		return 0, notUnderstood(w, `words in a row are a "phrase"`)
	case len(w) > 1 && fuzzy.MatchString(w):
		return 0, notUnderstood(w, "word* finds longer words")
	case fielded.MatchString(w):
		name, _, _ := strings.Cut(w, ":")
		return 0, notUnderstood(name+":", "the argument role says whose words are searched, filters_v2 has the fields")
	case wildcard.MatchString(w) && len(words) > 0:
		return 0, notUnderstood(w, "* stands at the end of a word")
	}
	x.addSpelled(w, term{words: words, prefix: strings.HasSuffix(w, "*")})
	return n, nil
}

// expression reads /a|b/ as its alternatives. Other regular expressions are
// refused; a path is words.
func (x *lexer) expression(rest string) (n int, err error) {
	m := expression.FindStringSubmatch(rest)
	body := strings.NewReplacer(`\b`, "", "(?i)", "", `\s+`, " ", `\s`, " ").Replace(m[1])
	for strings.HasPrefix(body, "(") && strings.HasSuffix(body, ")") && strings.Count(body, "(") == 1 {
		body = strings.TrimPrefix(body[1:len(body)-1], "?:")
	}
	n = strings.LastIndexByte(m[0], '/') + 1
	n += len(rest[n:]) - len(strings.TrimLeft(rest[n:], "gimsu"))
	switch {
	case alternates.MatchString(body):
		x.put(opOpen)
		for i, part := range strings.Split(body, "|") {
			if i > 0 {
				x.put(opOr)
			}
			words := wordsOf(part)
			x.add(term{words: words, quoted: len(words) > 1})
		}
		x.put(opClose)
		return n, nil
	case strings.ContainsAny(m[1], `|\[](){}^$*+?`), strings.Contains(m[1], ".") && !strings.Contains(m[1], "/"):
		return 0, notUnderstood("/"+m[1]+"/", `a regular expression goes into filters_v2: {"field":"transcript","op":"regex","value":"…"}`)
	}
	x.add(term{words: wordsOf(m[1])})
	return n, nil
}

func notUnderstood(what, instead string) error {
	return fmt.Errorf(`%.60q is not an operator here: %s. Words, "phrases", prefix*, -not, OR and parentheses are understood`, what, instead)
}

// The bounds of a query, far above what people write.
const (
	maxNesting = 20
	maxWanted  = 500 // terms, once the parentheses are gone
)

// A clauses is a query as the conjunction of what is wanted and what is not.
type clauses struct {
	all []clause
	not []term
}

func (c clauses) empty() bool { return len(c.all)+len(c.not) == 0 }

// A grammar reads pieces. OR binds closer than what stands side by side, and an
// AND that is written out closer than OR: a OR b c is (a OR b) c.
type grammar struct {
	rest  []piece
	depth int
}

func (g *grammar) peek() (symbol, bool) {
	if len(g.rest) == 0 {
		return 0, false
	}
	return g.rest[0].symbol, true
}

// accept passes over a symbol, as often as it stands there.
func (g *grammar) accept(s symbol) (met bool) {
	for k, ok := g.peek(); ok && k == s; k, ok = g.peek() {
		g.rest, met = g.rest[1:], true
	}
	return met
}

// sequence reads what stands side by side, to the closing parenthesis or the end.
func (g *grammar) sequence() (clauses, error) {
	var out clauses
	for {
		g.accept(opAnd)
		g.accept(opOr)
		if k, ok := g.peek(); !ok || k == opClose {
			return out, nil
		}
		c, err := g.alternatives()
		if err != nil {
			return out, err
		}
		out.all, out.not = append(out.all, c.all...), append(out.not, c.not...)
	}
}

func (g *grammar) alternatives() (clauses, error) {
	out, err := g.conjunction()
	for err == nil && g.accept(opOr) {
		if k, ok := g.peek(); !ok || k == opClose {
			break
		}
		var next clauses
		if next, err = g.conjunction(); err == nil {
			out, err = either(out, next)
		}
	}
	return out, err
}

// either is the conjunction that means one or the other.
func either(a, b clauses) (clauses, error) {
	switch {
	case a.empty():
		return b, nil
	case b.empty():
		return a, nil
	case len(a.not)+len(b.not) > 0:
		return clauses{}, fmt.Errorf("OR between words of which some shall not be there is not understood. Ask one question for each side")
	}
	var out clauses
	size := 0
	for _, x := range a.all {
		for _, y := range b.all {
			c := append(append(clause(nil), x...), y...)
			if size += len(c); size > maxWanted {
				return clauses{}, fmt.Errorf("these parentheses have too many alternatives; ask one question for each")
			}
			out.all = append(out.all, c)
		}
	}
	return out, nil
}

func (g *grammar) conjunction() (clauses, error) {
	out, err := g.one()
	for err == nil && g.accept(opAnd) {
		if k, ok := g.peek(); !ok || k == opClose || k == opOr {
			break
		}
		var next clauses
		if next, err = g.one(); err == nil {
			out.all, out.not = append(out.all, next.all...), append(out.not, next.not...)
		}
	}
	return out, err
}

// one reads an operand or a group, with what stands before it.
func (g *grammar) one() (clauses, error) {
	k, ok := g.peek()
	if !ok {
		return clauses{}, nil
	}
	switch k {
	case opNot:
		g.accept(opNot)
		c, err := g.one()
		if err != nil {
			return c, err
		}
		return without(c)
	case opMust:
		g.accept(opMust)
		c, err := g.one()
		for _, all := range c.all {
			for i := range all {
				all[i].quoted = all[i].quoted || !all[i].prefix
			}
		}
		return c, err
	case opOpen:
		g.rest = g.rest[1:]
		if g.depth++; g.depth > maxNesting {
			return clauses{}, fmt.Errorf("parentheses nest deeper than %d", maxNesting)
		}
		c, err := g.sequence()
		if k, ok := g.peek(); ok && k == opClose {
			g.rest = g.rest[1:]
		}
		g.depth--
		return c, err
	case operand:
		w := g.rest[0].term
		g.rest = g.rest[1:]
		return clauses{all: []clause{{w}}}, nil
	}
	return clauses{}, nil
}

// without is what means that c does not hold.
func without(c clauses) (clauses, error) {
	switch {
	case len(c.all) == 0:
		out := clauses{}
		if len(c.not) > 0 {
			out.all = []clause{c.not}
		}
		return out, nil
	case len(c.all) == 1 && len(c.not) == 0:
		return clauses{not: c.all[0]}, nil
	}
	return clauses{}, fmt.Errorf(`NOT before parentheses in which several words must be there is not understood. Write -word for each, or -"a phrase"`)
}
