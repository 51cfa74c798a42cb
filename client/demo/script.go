package demo

import (
	"bufio"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// The scripts are plain text, meant to be read and extended: scripts/README.md
// explains their few words.
//
//go:embed scripts/*.txt
var scripts embed.FS

// A verb is what one line of a script does.
type verb uint8

const (
	agent  verb = iota // the agent speaks
	caller             // the caller speaks
	over               // the caller speaks before the agent has ended
	tool               // the agent calls a tool, which answers
	broken             // the agent calls a tool, which answers an error
	quiet              // nobody speaks for n seconds
	mood               // how the caller sounds in the last thing said
	fault              // a metric that fails on the last thing said
	do                 // one way of a block, by weight
	some               // n to m ways of a block, none twice
)

// asBefore is the chance of a step that happens if the step before has.
const asBefore = -1

// A step is one line of a script.
type step struct {
	verb   verb
	chance int      // in percent, or as the step before
	name   string   // of the tool, metric, mood or block
	texts  []phrase // one is said; of a tool its arguments and its answer
	n, m   int
}

// A way is one course that a block can take.
type way struct {
	weight int
	steps  []step
}

// A course is how a call of some kind can go.
type course struct {
	name, reason string
	ok           bool
	weight       int
	outbound     bool
	sum, drop    phrase // the evaluation in a sentence; where the caller was lost
	failure      string // the error message of the call
	steps        []step
}

// A kind is one kind of call: a file of scripts.
type kind struct {
	topic   string
	weights map[int]int // by agent
	lists   map[string]list
	blocks  map[string][]way
	courses []course
	without []string // the shared courses that make no sense here
}

// A list is what a slot can become. A fact is the same throughout a call.
type list struct {
	fact    bool
	phrases []phrase
}

// library is all scripts, parsed.
type library struct {
	shared kind // blocks, courses and lists that all kinds have
	kinds  []kind
	deaf   course   // how the bad release loses a call
	broken []course // what follows when lookup_order fails
}

func newLibrary() (*library, error) {
	l := &library{}
	names, err := fs.Glob(scripts, "scripts/*.txt")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		data, err := scripts.ReadFile(name)
		if err != nil {
			return nil, err
		}
		k, err := parseKind(string(data))
		if err != nil {
			return nil, fmt.Errorf("demo: %s: %w", name, err)
		}
		if k.topic == "" {
			l.shared.add(k)
		} else {
			l.kinds = append(l.kinds, k)
		}
	}
	l.share()
	return l, nil
}

// share hands the shared courses to the kinds, but for those of the incidents.
func (l *library) share() {
	for _, c := range l.shared.courses {
		switch {
		case c.name == "deaf":
			l.deaf = c
		case strings.HasPrefix(c.name, "lookup-"):
			l.broken = append(l.broken, c)
		default:
			for i := range l.kinds {
				if k := &l.kinds[i]; !slices.Contains(k.without, c.name) {
					k.courses = append(k.courses, c)
				}
			}
		}
	}
}

// add merges the scripts without topic, which all kinds share.
func (k *kind) add(o kind) {
	if k.lists == nil {
		*k = o
		return
	}
	for name, v := range o.lists {
		k.lists[name] = v
	}
	for name, v := range o.blocks {
		k.blocks[name] = v
	}
	k.courses = append(k.courses, o.courses...)
}

// A reader parses one script. Steps go to the open block or course.
type reader struct {
	kind  kind
	block string  // the open block, or ""
	at    *course // the open course, or nil
}

func parseKind(text string) (kind, error) {
	r := reader{kind: kind{weights: map[int]int{}, lists: map[string]list{}, blocks: map[string][]way{}}}
	sc := bufio.NewScanner(strings.NewReader(text))
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		if err := r.line(line); err != nil {
			return kind{}, fmt.Errorf("line %d: %w", n, err)
		}
	}
	r.close()
	return r.kind, sc.Err()
}

func (r *reader) close() {
	if r.at != nil {
		r.kind.courses = append(r.kind.courses, *r.at)
	}
	r.block, r.at = "", nil
}

func (r *reader) line(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "topic":
		r.kind.topic = rest
	case "calls":
		for f := range strings.FieldsSeq(rest) {
			id, weight, _ := strings.Cut(f, ":")
			r.kind.weights[atoi(id)] = atoi(weight)
		}
	case "without":
		r.kind.without = strings.Fields(rest)
	case "fact", "say":
		name, values, ok := strings.Cut(rest, " = ")
		if !ok {
			return fmt.Errorf("%q has no \" = \"", line)
		}
		r.kind.lists[name] = list{fact: word == "fact", phrases: parsePhrases(values)}
	case "block":
		r.close()
		r.block = rest
		r.kind.blocks[rest] = []way{{weight: 1}}
	case "--":
		r.kind.blocks[r.block] = append(r.kind.blocks[r.block], way{weight: max(1, atoi(rest))})
	case "course":
		r.close()
		f := strings.Fields(rest)
		if len(f) < 4 || f[1] != "ok" && f[1] != "fail" {
			return fmt.Errorf("%q is not: course NAME ok|fail REASON WEIGHT [outbound]", line)
		}
		r.at = &course{name: f[0], ok: f[1] == "ok", reason: f[2], weight: atoi(f[3]), outbound: len(f) > 4}
	case "sum", "drop", "error":
		if r.at == nil {
			return fmt.Errorf("%q stands outside a course", line)
		}
		switch word {
		case "sum":
			r.at.sum = parsePhrase(rest)
		case "drop":
			r.at.drop = parsePhrase(rest)
		case "error":
			r.at.failure = rest
		}
	default:
		return r.step(line)
	}
	return nil
}

func (r *reader) step(line string) error {
	s, err := parseStep(line)
	if err != nil {
		return err
	}
	if ways := r.kind.blocks[r.block]; r.block != "" {
		last := &ways[len(ways)-1]
		last.steps = append(last.steps, s)
		return nil
	}
	if r.at == nil {
		return fmt.Errorf("%q stands outside a block and a course", line)
	}
	r.at.steps = append(r.at.steps, s)
	return nil
}

func parseStep(line string) (step, error) {
	s := step{chance: 100}
	if strings.HasPrefix(line, "?") {
		chance, rest, _ := strings.Cut(line[1:], " ")
		s.chance, line = atoi(chance), rest
		if chance == "+" {
			s.chance = asBefore
		}
	}
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "agent:", "caller:", "over:":
		s.verb = map[string]verb{"agent:": agent, "caller:": caller, "over:": over}[word]
		s.texts = parsePhrases(rest)
	case "tool":
		return parseTool(s, rest)
	case "quiet":
		s.verb, s.n = quiet, atoi(rest)
	case "mood":
		s.verb, s.name = mood, rest
	case "fault":
		name, text, _ := strings.Cut(rest, ": ")
		s.verb, s.name, s.texts = fault, name, []phrase{parsePhrase(text)}
	case "do":
		s.verb, s.name = do, rest
	case "some":
		f := strings.Fields(rest)
		if len(f) != 3 {
			return s, fmt.Errorf("%q is not: some BLOCK MIN MAX", line)
		}
		s.verb, s.name, s.n, s.m = some, f[0], atoi(f[1]), atoi(f[2])
	default:
		return s, fmt.Errorf("no such word: %q", word)
	}
	return s, nil
}

// parseTool reads NAME[~SECONDS] ARGUMENTS => ANSWER, or =! ERROR.
func parseTool(s step, rest string) (step, error) {
	name, rest, _ := strings.Cut(rest, " ")
	name, seconds, _ := strings.Cut(name, "~")
	args, result, ok := strings.Cut(rest, " => ")
	s.verb = tool
	if !ok {
		args, result, ok = strings.Cut(rest, " =! ")
		s.verb = broken
	}
	if !ok {
		return s, fmt.Errorf("tool %s has no => answer", name)
	}
	s.name, s.n = name, atoi(seconds)
	s.texts = []phrase{parsePhrase(args), parsePhrase(result)}
	return s, nil
}

// A phrase is a text with slots.
type phrase []part

// A part is words, or the name of a slot.
type part struct {
	words string
	slot  bool
}

func parsePhrases(s string) (out []phrase) {
	for one := range strings.SplitSeq(s, " | ") {
		out = append(out, parsePhrase(strings.TrimSpace(one)))
	}
	return out
}

// parsePhrase takes {lower_case} for a slot, so that JSON may stand in a phrase.
func parsePhrase(s string) (p phrase) {
	from := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '{' {
			continue
		}
		n := strings.IndexFunc(s[i+1:], func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
		if n <= 0 || s[i+1+n] != '}' {
			continue
		}
		if i > from {
			p = append(p, part{words: s[from:i]})
		}
		p = append(p, part{words: s[i+1 : i+1+n], slot: true})
		i += n + 1
		from = i + 1
	}
	if from < len(s) {
		p = append(p, part{words: s[from:]})
	}
	return p
}

// atoi reads a number of a script; what is none is 0.
func atoi(s string) int {
	n, _ := strconv.Atoi(strings.TrimSpace(s))
	return n
}
