package loose

import (
	"html"
	"strings"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/lazyregexp"
)

// What a time looks like in a text, and two of them as a range. A bare number is
// a time only within brackets.
const (
	stampForm = `(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|\s?[+-]\d\d:?\d\d|\s?UTC)?|\d{1,3}:\d\d(?::\d\d)?(?:[.,]\d+)?(?:\s?[AaPp]\.?[Mm]\.?)?|\d+(?:[.,]\d+)?\s?s(?:ec)?)`
	rangeForm = stampForm + `(?:\s*(?:-->|->|→|[-–—~]|to)\s*` + stampForm + `)?`
	looseForm = `\d+(?:\.\d+)?(?:\s*(?:-->|->|→|[-–—~]|to)\s*\d+(?:\.\d+)?)?`
)

var (
	bullet    = lazyregexp.New(`^\s*(?:(?:[-•]|>{1,3})\s+|\d{1,3}[.)]\s+)?`)
	inFront   = lazyregexp.New(`^[\s*_` + "`" + `]*(?:[\[({<]\s*(` + rangeForm + `|` + looseForm + `)\s*[\])}>]|(` + rangeForm + `)(?:\s|[:|–—-]\s|$))[\s*_` + "`" + `:|–—-]*(.*)$`)
	behind    = lazyregexp.New(`^(.*?)\s*[\[(]\s*(` + rangeForm + `)\s*[\])]\s*$`)
	named     = lazyregexp.New(`^[\s*_#~"` + "`" + `]*([^:：\[\]()|*<>"]{1,60}?)[\s*_~"` + "`" + `]*(?:[\[(]([^\])]{1,60})[\])]|\s[–—-]?\s?(` + rangeForm + `))?[\s*_~"` + "`" + `]*(?:[:：|]|>)[\s*_~` + "`" + `]*(.*)$`)
	inBracket = lazyregexp.New(`^[\s*_#]*[\[(<{]\s*(?:v\s+)?([^\])>}:]{1,40})[\])>}][\s*_]*[:：-]?\s*(.*)$`)
	dashed    = lazyregexp.New(`^[\s*_#]*([\pL\d _.-]{1,40}?)[*_]*(?:\s+[–—-]+\s+|\t+)(.*)$`)
	alone     = lazyregexp.New(`^[\s*_#~]*([\pL\d _.()-]{1,40}?)[*_~]*(?:\s*[\[(]?(` + rangeForm + `)[\])]?)?[\s*_~:]*$`)
	twoStamps = lazyregexp.New(`^(` + stampForm + `|\d+(?:\.\d+)?)(?:\s*(?:-->|->|→|[-–—~]|to)\s*(` + stampForm + `|\d+(?:\.\d+)?))?$`)
)

// A line is what one line of a transcript says of itself.
type line struct {
	name     string // "" where none is given
	from, to moment
	words    string
}

// Lines reads a transcript in text: lines with names and times in any common
// form, or captions. Lines that begin no turn go on with the one before; a text
// without any is one turn of nobody's.
func Lines(s string, h Hint) []call.Turn {
	s = strings.TrimSpace(lineEnds(strings.TrimPrefix(s, "\ufeff")))
	if s == "" {
		return nil
	}
	if cueTime.MatchString(s) {
		if entries := captions(s); len(entries) > 0 {
			return turnsOf(entries, h)
		}
	}
	return turnsOf(lineEntries(strings.Split(s, "\n")), h)
}

// lineEntries makes entries of lines.
func lineEntries(lines []string) []entry {
	trusted := trustedNames(lines)
	stamped := allStamped(lines)
	var out []entry
	var ahead line // a time on a line of its own, ahead of a turn
	for _, text := range lines {
		text = strings.TrimRight(text, "\r \t")
		l, ok := parseLine(text)
		switch {
		case l.from.form != never && l.name == "" && l.words == "" && !stamped:
			ahead = l
			continue
		case l.from.form == never && ahead.from.form != never && text != "":
			l.from, l.to, ok = ahead.from, ahead.to, true
		}
		headed := ahead.from.form != never && text != ""
		if text != "" {
			ahead = line{}
		}
		_, known := partOf(l.name)
		known = known || callees[plainName(l.name)]
		begins := ok && (known || headed || l.from.form != never && (l.name != "" || stamped) || trusted[l.name])
		switch {
		case begins:
			out = append(out, entry{speaker: l.name, kind: said, words: l.words, start: l.from, end: l.to})
		case len(out) > 0:
			last := &out[len(out)-1]
			last.words = strings.TrimSpace(last.words + "\n" + strings.TrimSpace(text))
		case strings.TrimSpace(text) != "":
			out = append(out, entry{kind: said, words: strings.TrimSpace(text)})
		}
	}
	for i := range out {
		if p, ok := partOf(out[i].speaker); ok {
			out[i].role = p.role
			if p.kind == event {
				out[i].kind, out[i].role = event, call.RoleSystem
			}
		}
	}
	return asTools(out)
}

// asTools makes lines of tools into their calls and results.
func asTools(entries []entry) []entry {
	for i := range entries {
		e := &entries[i]
		if p, _ := partOf(e.speaker); p.role != call.RoleTool {
			continue
		} else if e.kind = p.kind; e.kind == toolResult {
			e.result, e.words = e.words, ""
		} else if e.kind = toolCall; !bareName.MatchString(e.words) {
			if m := invocation.FindStringSubmatch(e.words); m != nil {
				e.name, e.args, e.words = m[1], m[2], ""
			}
		}
	}
	return entries
}

// invocation is the call of a function as a text: name({…}), name {…}.
var invocation = lazyregexp.New(`(?s)^([\w.-]+)\s*\(?\s*(\{.*\})\s*\)?$`)

// parseLine reads a line, and says whether it could begin a turn.
func parseLine(text string) (l line, ok bool) {
	text = bullet.ReplaceAllString(text, "")
	if m := inFront.FindStringSubmatch(text); m != nil {
		l.setTime(m[1] + m[2])
		text, ok = m[3], true
	}
	if m := numberFirst.FindStringSubmatch(text); m != nil && l.from.form == never {
		if numbered := (&line{}); numbered.begin(m[2]) && isKnown(numbered.name) {
			l.setTime(m[1])
			text = m[2]
		}
	}
	l.words = text
	ok = l.begin(text) || ok
	if m := inFront.FindStringSubmatch(l.words); m != nil && m[1] != "" && l.from.form == never && l.name != "" {
		l.setTime(m[1])
		l.words = m[3]
	}
	if m := behind.FindStringSubmatch(l.words); m != nil && l.from.form == never && l.name != "" {
		l.setTime(m[2])
		l.words = m[1]
	}
	l.words = strings.TrimSpace(strings.TrimSuffix(l.words, "</v>"))
	return l, ok
}

// begin reads the name that a line begins with, and says whether there is one.
func (l *line) begin(text string) bool {
	if m := alone.FindStringSubmatch(text); m != nil && isKnown(m[1]) {
		l.name, l.words = strings.TrimSpace(m[1]), ""
		l.setTime(m[2])
		return true
	}
	head := named.FindStringSubmatch(text)
	if head != nil && isKnown(head[1]) && l.setName(head[1], head[2], head[3]) {
		l.words = head[4]
		return true
	}
	for _, form := range []*lazyregexp.Regexp{inBracket, dashed} {
		if m := form.FindStringSubmatch(text); m != nil && isKnown(m[1]) {
			l.name, l.words = strings.TrimSpace(m[1]), m[2]
			return true
		}
	}
	if head != nil && l.setName(head[1], head[2], head[3]) {
		l.words = head[4]
		return true
	}
	return false
}

// lineEnds gives each turn a line of its own where a text has other ends of lines:
// those of old Macs, of HTML, of JSON that was encoded twice, or none.
func lineEnds(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(s)
	if markupEnd.MatchString(s) {
		s = html.UnescapeString(markup.ReplaceAllString(markupEnd.ReplaceAllString(s, "\n"), ""))
	}
	s = strings.TrimSpace(s)
	if strings.Contains(s, "\n") {
		return s
	}
	if strings.Contains(s, `\n`) {
		return strings.ReplaceAll(s, `\n`, "\n")
	}
	if l, _ := parseLine(s); !isKnown(l.name) {
		return s
	}
	return inLine.ReplaceAllStringFunc(s, func(head string) string {
		if name := strings.TrimSpace(inLine.FindStringSubmatch(head)[2]); !isKnown(name) {
			return head
		}
		return "\n" + strings.TrimSpace(head) + " "
	})
}

var (
	markupEnd = lazyregexp.New(`(?i)<br\s*/?>|</(?:p|div|li|tr|h\d)>`)
	markup    = lazyregexp.New(`(?i)</?(?:p|div|li|ul|ol|span|b|strong|i|em|u|tr|td|th|table|tbody|h\d|html|body)(?:\s[^>]*)?>`)
	// inLine is a name in the midst of a line, with a time in brackets before it.
	inLine = lazyregexp.New(`\s+([\[(]` + rangeForm + `[\])]\s*)?((?:\p{Lu}[\pL-]*)(?: \p{Lu}[\pL-]*)?(?: \d{1,2})?):\s+`)
	// numberFirst is a time as a bare number, which a name behind it tells from a count.
	numberFirst = lazyregexp.New(`^\s*(\d+\.\d+|\d{10}(?:\.\d+)?|\d{13})\s+(.*)$`)
)

func isKnown(name string) bool {
	p, ok := partOf(strings.TrimSpace(name))
	return ok && p.role != "" && p.kind != event || callees[plainName(name)]
}

// setName takes a name with what stands in brackets behind it: a time, or more of
// the name. A time is no name.
func (l *line) setName(name, bracket, stamp string) bool {
	name = strings.TrimSpace(decoration.ReplaceAllString(name, ""))
	switch {
	case name == "" || strings.HasPrefix(name, "http") || !strings.ContainsFunc(name, isNameRune):
		return false
	case bracket != "" && !twoStamps.MatchString(strings.TrimSpace(bracket)):
		name += " (" + bracket + ")"
	case bracket != "":
		stamp = bracket
	}
	l.name = name
	if stamp != "" && l.from.form == never {
		l.setTime(stamp)
	}
	return true
}

func isNameRune(r rune) bool { return r == '_' || r >= 'A' }

// setTime takes a time, or a range.
func (l *line) setTime(s string) {
	m := twoStamps.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return
	}
	l.from = stampOf(m[1])
	if m[2] != "" {
		l.to = stampOf(m[2])
	}
}

// stampOf reads a time of a text, where numbers are seconds.
func stampOf(s string) moment {
	s = strings.TrimSuffix(strings.TrimSpace(s), "ec")
	s = strings.ReplaceAll(s, "/", "-")
	m := momentIn(strings.ReplaceAll(s, " s", "s"), 0)
	return m
}

// trustedNames are names of no known role that nonetheless head lines: where no
// known role does, those of a text half of whose lines begin with one of a few,
// else those that are written as names and come again, or are the only other side.
func trustedNames(lines []string) map[string]bool {
	counts, filled, headed := map[string]int{}, 0, 0
	sides := map[call.Role]bool{}
	for _, text := range lines {
		if strings.TrimSpace(text) == "" {
			continue
		}
		filled++
		l, ok := parseLine(text)
		if !ok || l.name == "" {
			continue
		}
		if isKnown(l.name) {
			p, _ := partOf(l.name)
			sides[p.role] = true
			continue
		}
		headed++
		counts[l.name]++
	}
	if len(sides) > 0 {
		return otherNames(counts, sides[call.RoleAgent] && sides[call.RoleCaller])
	}
	if headed < 2 || 2*headed < filled || len(counts) > 8 || len(counts) == headed && headed > 2 {
		return nil
	}
	trusted := map[string]bool{}
	for name := range counts {
		trusted[name] = true
	}
	return trusted
}

// otherNames are those of counts that are names of people beside known roles.
func otherNames(counts map[string]int, both bool) map[string]bool {
	trusted := map[string]bool{}
	for name, n := range counts {
		if properName.MatchString(name) && (n > 1 || !both && len(counts) == 1) {
			trusted[name] = true
		}
	}
	return trusted
}

// properName is a name of a person, each word of it with a capital, or of a role in
// a script that has none.
var properName = lazyregexp.New(`^(?:[\p{Lu}\p{Lo}][\pL\pM'’.-]*|\d{1,3})(?: (?:[\p{Lu}\p{Lo}][\pL\pM'’.-]*|\d{1,3})){0,3}(?: \(.{1,40}\))?$`)

// allStamped says that each line begins with a time.
func allStamped(lines []string) bool {
	n := 0
	for _, text := range lines {
		if strings.TrimSpace(text) == "" {
			continue
		}
		if l, _ := parseLine(text); l.from.form == never {
			if inFront.MatchString(text) {
				continue
			}
			return false
		}
		n++
	}
	return n > 0
}
