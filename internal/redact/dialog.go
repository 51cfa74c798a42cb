package redact

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Turns masks the first n of what is said in turn, texts by the speakers of the
// same places. It sees digits that one speaker dictates over several turns, also
// with a short word of another between and beyond n, and takes the question before
// for a cue.
func (m *Masker) Turns(texts, speakers []string, n int) []string {
	out := slices.Clone(texts)
	before := &preceding{texts: texts}
	for i, text := range texts[:n] {
		before.n = i
		out[i] = m.mask(text, before)
	}
	for i := 0; i < n; {
		run := dictatedFrom(texts, speakers, i)
		if len(run) < 2 {
			i++
			continue
		}
		m.join(texts, out, run)
		i = run[len(run)-1]
	}
	return out[:n]
}

// preceding is what was said before a turn.
type preceding struct {
	texts []string
	n     int // how many
	asked string
	known int // asked is the last of so many
}

// last is what was said last, by anybody, but for backchannels. Few turns hold
// what it has to be known for, so that it is looked for only then.
func (s *preceding) last() string {
	if s == nil {
		return ""
	}
	for i := s.n - 1; i >= s.known; i-- {
		if s.texts[i] != "" && !isBackchannel(s.texts[i]) {
			s.asked = s.texts[i]
			break
		}
	}
	s.known = max(s.known, s.n)
	return s.asked
}

// maxRun bounds the turns that are looked at as one.
const maxRun = 12

// dictatedFrom are the turns of one speaker, from i on, of which each ends in
// digits and the next goes on with some.
func dictatedFrom(texts, speakers []string, i int) (run []int) {
	if !endsInDigits(texts[i]) {
		return nil
	}
	run = []int{i}
	for k := i + 1; k < len(texts) && len(run) < maxRun; k++ {
		switch {
		case speakers[k] == speakers[i]:
			if !beginsWithDigits(texts[k]) {
				if isBackchannel(texts[k]) && !hasDigits(texts[k]) && !endsInDigits(texts[k]) {
					continue
				}
				return run // digits behind words begin a number of their own
			}
			run = append(run, k)
			if !endsInDigits(texts[k]) {
				return run
			}
		case texts[k] != "" && !isBackchannel(texts[k]):
			return run
		}
	}
	return run
}

// join masks the turns of a run as one text, and parts what it makes of them.
func (m *Masker) join(texts, out []string, run []int) {
	var b strings.Builder
	ends := make([]int, len(run)) // of each turn in the joined text
	for k, i := range run {
		if k > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strings.TrimRightFunc(texts[i], isTrail))
		ends[k] = b.Len()
	}
	whole := edit{s: b.String()}
	if run[0] > 0 {
		whole.before = &preceding{asked: texts[run[0]-1]}
	}
	whole.marks = []change{}
	whole.mask()
	for _, c := range whole.marks {
		first, _ := slices.BinarySearch(ends, c.from+1)
		last, _ := slices.BinarySearch(ends, c.to)
		if first == last {
			continue // found within a turn, too
		}
		for k := first; k <= last; k++ {
			begin := 0
			if k > 0 {
				begin = ends[k-1] + 1
			}
			text := texts[run[k]]
			from, to := max(0, c.from-begin), min(len(text), c.to-begin)
			if k < last {
				out[run[k]] = m.Mask(text[:from]) + hidden + text[min(len(text), ends[k]-begin):]
			} else {
				out[run[k]] = c.text + m.Mask(text[to:])
			}
		}
	}
}

// isTrail holds of what stands behind the last word of a turn.
func isTrail(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) && r != ')' }

func hasDigits(s string) bool {
	return strings.ContainsFunc(s, unicode.IsDigit)
}

// endsInDigits and beginsWithDigits tell whether a turn may be part of a dictation
// that goes on in the next, or began in the one before.
func endsInDigits(s string) bool {
	s = strings.TrimRightFunc(s, func(r rune) bool { return isTrail(r) || r == ')' })
	for range 3 { // fillers
		r, _ := utf8.DecodeLastRuneInString(s)
		if unicode.IsDigit(r) {
			return true
		}
		at := strings.LastIndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) }) + 1
		said := sayingOf(s[at:])
		if said.what != aFiller {
			return at < len(s) && said.what != nothingSpoken
		}
		s = strings.TrimRightFunc(s[:at], isTrail)
	}
	return false
}

func beginsWithDigits(s string) bool {
	for range 4 {
		s = strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) })
		said, to := sayingAt(s, 0)
		if s == "" || said.what == nothingSpoken {
			r, _ := utf8.DecodeRuneInString(s)
			return unicode.IsDigit(r)
		}
		if said.what != aFiller {
			return true
		}
		s = s[to:]
	}
	return false
}

// asks are words of a turn that asks for something else.
var asks = setOf("your what when where who which why how pin name date address email order")

// isBackchannel tells a turn that only says that one listens: okay, go on, or
// digits that are repeated.
func isBackchannel(s string) bool {
	all, unknown := 0, 0
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) && r != '\'' }) {
		if said := sayingOf(w); said.what == nothingSpoken {
			unknown++
		}
		if all++; all > 14 || unknown > 3 || asks[strings.ToLower(w)] {
			return false
		}
	}
	return true
}
