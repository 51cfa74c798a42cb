package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words of addresses as they are said.
var (
	atWords  = setOf("at arroba arobase chiocciola klammeraffe ät arobas apenstaartje")
	dotWords = setOf("dot punkt punto point ponto punt piste точка")
	joiners  = setOf("dot punkt punto point ponto punt underscore unterstrich dash hyphen minus plus guion bajo tiret trattino")
	// topLevel ends a domain that is said; others are taken for words.
	topLevel = setOf("com net org edu gov io co uk de fr es it nl be ch at eu in br cn kr jp au ca us me info biz app dev ai pt pl se no dk fi cz ru tr mx ar za ie nz online example test")
	freemail = setOf("gmail googlemail yahoo hotmail outlook icloud aol proton protonmail gmx web live msn qq naver yandex libero orange wanadoo terra uol bol rediffmail mail me mac zoho fastmail comcast verizon hey tuta")
	// leads stand before an address and are no part of it.
	leads = setOf("is it's its it email e mail address to me my as on the that this yes yeah sure okay ok so um uh please send write reach contact use using was be would by name or and for we you i him her them us have got at from via " +
		"ist lautet meine mein es un una la el le il con correo dirección adresse indirizzo è é mi mon à au zu an bei und y e et user username account login look looking go visit see check found bought order buy shop saw find live located arrive meet stay here there " +
		"a hello hi thanks right well actually sorry no not said says")
)

// maxLocal is how many words of a spoken address stand before the at.
const maxLocal = 24

// spokenEmail masks the local part of the address whose at is the word at
// e.s[from:to], if it is one, and returns where to read on.
func spokenEmail(e *edit, from, to int) (end int, ok bool) {
	end, first, dotted := spokenDomain(e.s, to)
	if end == 0 {
		return 0, false
	}
	if sayingOf(first).what != nothingSpoken && e.cue(from) != mailCue { // at one point
		return 0, false
	}
	at, sure := localBefore(e, from)
	if at == from {
		return 0, false
	}
	if !sure && !freemail[first] && (dotted || e.cue(at) != mailCue) && e.cue(at) != mailCue {
		return 0, false
	}
	keep := from
	for keep > at && isGap(e.s[keep-1]) {
		keep--
	}
	e.replace(max(at, e.done), keep, hidden)
	return end, true
}

// spokenDomain is where the domain behind s[at:] ends, 0 for none, and its first
// label. dotted says that it has real dots.
func spokenDomain(s string, at int) (end int, first string, dotted bool) {
	labels := 0
	for {
		i := at
		for i < len(s) && i-at < maxGap && isGap(s[i]) {
			i++
		}
		to := i
		for to < len(s) && (kinds8(s[to]) == letter || s[to] >= '0' && s[to] <= '9' || s[to] == '-' && to > i) {
			to++
		}
		label := strings.ToLower(s[i:to])
		if label == "" || dotWords[label] {
			return end, first, dotted
		}
		if labels++; labels == 1 {
			first = label
		} else if topLevel[label] {
			end = to
		}
		if labels > 5 {
			return end, first, dotted
		}
		// the dot
		if to+1 < len(s) && s[to] == '.' && kinds8(s[to+1]) == letter {
			at, dotted = to+1, true
			continue
		}
		i = to
		for i < len(s) && i-to < maxGap && isGap(s[i]) {
			i++
		}
		dot := wordEnd(s, i)
		if i == dot || !dotWords[strings.ToLower(s[i:dot])] {
			return end, first, dotted
		}
		at = dot
	}
}

// isGap holds of what stands between the parts of a spoken address.
func isGap(b byte) bool { return strings.IndexByte(" ()[]<>\t\n", b) >= 0 }

// localBefore is where the local part begins that ends before e.s[at:]. sure says
// that its form alone makes it one.
func localBefore(e *edit, at int) (from int, sure bool) {
	from = at
	joined, plain := true, 0 // the next token back belongs to it
	for range maxLocal {
		end := from
		for end > e.done && isGap(e.s[end-1]) {
			end--
		}
		tight := end == from && from < at // no space between
		begin := end
		for begin > e.done {
			r, size := utf8.DecodeLastRuneInString(e.s[e.done:begin])
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && r != '\'' {
				break
			}
			begin -= size
		}
		if begin == end { // a real . - _ within, or punctuation
			if end > e.done && strings.IndexByte("._-+", e.s[end-1]) >= 0 && end-1 > e.done && end == from {
				from, joined, sure = end-1, true, true
				continue
			}
			return from, sure
		}
		token := strings.ToLower(e.s[begin:end])
		s := sayingOf(token)
		switch {
		case joiners[token]:
			joined, sure = true, true
		case utf8.RuneCountInString(token) == 1 && token != "a" && token != "i" || strings.Trim(token, "0123456789") == "" || s.what == aDigit || s.what == aTen || s.what == aTeen || s.what == aFactor:
			if !joined && !tight {
				sure = true
			}
			joined = true
		case leads[token] && !joined:
			return from, sure
		case leads[token] && from == at:
			return from, false
		case joined || tight:
			joined = false
		case plain < 1:
			plain++
		default:
			return from, sure
		}
		from = begin
	}
	return from, sure
}
