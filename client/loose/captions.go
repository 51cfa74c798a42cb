package loose

import (
	"html"
	"strings"
	"time"

	"call-logs-mcp/internal/lazyregexp"
)

// Captions: WebVTT and SubRip.
var (
	cueTime   = lazyregexp.New(`(?m)^\s*((?:\d+:)?\d\d:\d\d[.,]\d{1,3})\s+-->\s+((?:\d+:)?\d\d:\d\d[.,]\d{1,3})(?:[ \t]+[A-Za-z]\w*:\S+)*[ \t]*\r?$`)
	voice     = lazyregexp.New(`<v(?:\.[\w.]+)?\s+([^>]+)>`)
	tag       = lazyregexp.New(`</?[a-zA-Z0-9:.]+(?:\s[^>]*)?>|\{\\[^}]*\}`)
	blankLine = lazyregexp.New(`\r?\n[ \t]*\r?\n`)
	dash      = lazyregexp.New(`^\s*[-–—]\s*`)
)

// joined is how near captions of one speaker are to be one turn.
const joined = time.Second

// captions makes entries of cues: those of one speaker that follow each other
// are one, and lines that are repeated, as rolling captions do, are said once.
func captions(s string) (out []entry) {
	blocks := blankLine.Split(strings.ReplaceAll(s, "\r\n", "\n"), -1)
	for _, block := range blocks {
		m := cueTime.FindStringSubmatchIndex(block)
		if m == nil {
			continue // the head of the file, a note or a style
		}
		from, to := stampOf(strings.Replace(block[m[2]:m[3]], ",", ".", 1)), stampOf(strings.Replace(block[m[4]:m[5]], ",", ".", 1))
		from.ofClock, to.ofClock = false, false
		for _, l := range cueLines(block[m[1]:]) {
			e := entry{speaker: l.name, kind: said, words: l.words, start: from, end: to}
			if p, ok := partOf(l.name); ok {
				e.role = p.role
			}
			if len(out) > 0 && follows(&out[len(out)-1], &e) {
				continue
			}
			out = append(out, e)
		}
	}
	return out
}

// follows joins e to the caption before, where it goes on with it.
func follows(last, e *entry) bool {
	near := e.start.number-last.end.number < joined.Seconds()
	switch {
	case !near || e.speaker != "" && e.speaker != last.speaker:
		return false
	case e.words == last.words || strings.HasSuffix(last.words, "\n"+e.words):
	case e.speaker == "" && last.speaker == "":
		return false
	default:
		last.words += " " + e.words
	}
	last.end = e.end
	return true
}

// cueLines are the voices of one cue.
func cueLines(payload string) (out []line) {
	for _, text := range strings.Split(strings.TrimSpace(payload), "\n") {
		for _, part := range voices(text) {
			l := line{name: part.name, words: strings.TrimSpace(html.UnescapeString(tag.ReplaceAllString(part.words, "")))}
			if l.name == "" {
				spoken := dash.MatchString(l.words)
				l.words = dash.ReplaceAllString(l.words, "")
				if m, ok := parseLine(l.words); ok && m.name != "" && (isKnown(m.name) || len(strings.Fields(m.name)) <= 2) {
					l.name, l.words = m.name, m.words
				} else if len(out) > 0 && !spoken { // a second line of the same voice
					out[len(out)-1].words += " " + l.words
					continue
				}
			}
			if l.words != "" {
				out = append(out, l)
			}
		}
	}
	return out
}

// voices are the parts of a line that begin with the tag of a voice.
func voices(text string) (out []line) {
	at := voice.FindAllStringSubmatchIndex(text, -1)
	if len(at) == 0 {
		return []line{{words: text}}
	}
	if head := strings.TrimSpace(text[:at[0][0]]); head != "" {
		out = append(out, line{words: head})
	}
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		out = append(out, line{name: strings.TrimSpace(text[m[2]:m[3]]), words: text[m[1]:end]})
	}
	return out
}
