package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A cue is what the words before a number say that it is.
type cue uint8

const (
	noCue cue = iota
	phoneCue
	cardCue
	accountCue
	nationalCue
	mailCue
	weakCue  // a number, without a word whose or of what
	otherCue // an order, a parcel, a flight: a number of nobody
)

// How far back the words before a number are looked at.
const (
	cueBytes = 72
	cueWords = 9
)

// cue reads the words before s[at:], the nearest first. Where they are few, those
// that were said before s count, too.
func (e *edit) cue(at int) cue {
	from := max(0, at-cueBytes)
	for from > 0 && !utf8.RuneStart(e.s[from]) {
		from++
	}
	before := e.s[from:at]
	c, words := readCue(before, cueWords)
	if c == noCue && from == 0 && words < cueWords {
		asked := e.before.last()
		c, _ = readCue(asked[max(0, len(asked)-cueBytes):], cueWords-words)
	}
	return c
}

// readCue reads at most n words from the end of s, and says how many it read.
func readCue(s string, n int) (c cue, words int) {
	if strings.ContainsFunc(s, isUnspaced) {
		if c := unspacedCue(s); c != noCue {
			return c, 0
		}
	}
	next := "" // the word behind the one that is read
	for words < n {
		end := len(s)
		for end > 0 {
			r, size := utf8.DecodeLastRuneInString(s[:end])
			if unicode.IsLetter(r) || unicode.Is(unicode.M, r) {
				break
			}
			if (r == '.' || r == '!' || r == ';') && next != "" && end < len(s) && s[end] == ' ' {
				return noCue, n // another sentence
			}
			end -= size
		}
		if end == 0 {
			return noCue, words
		}
		from := end
		for from > 0 {
			r, size := utf8.DecodeLastRuneInString(s[:from])
			if !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) {
				break
			}
			from -= size
		}
		word := s[from:end]
		words++
		switch c := wordCue(word); {
		case c == verbCue:
			if words <= 4 && addressed[strings.ToLower(next)] {
				return phoneCue, words
			}
		case c == numberCue:
			return generic(s[:from], strings.ToLower(next)), words
		case c != noCue:
			return c, words
		}
		next, s = word, s[:from]
	}
	return noCue, words
}

// Further cues, which words beside decide.
const (
	numberCue cue = iota + 100
	verbCue
)

// generic is what "number" behind s means, with next behind it.
func generic(s, next string) cue {
	if next == "of" || next == "one" {
		return noCue
	}
	own := false
	for range 3 {
		s = strings.TrimRightFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) })
		at := strings.LastIndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) })
		word := s[at+1:]
		if word == "" {
			break
		}
		if c := wordCue(word); c != noCue && c < numberCue {
			return c
		}
		if possessive[strings.ToLower(word)] {
			own = true
			break
		}
		s = s[:at+1]
	}
	if own || possessive[next] {
		return phoneCue
	}
	return weakCue
}

// lowered is word in small letters, written into room, which has place for word:
// so that looking a word up allocates nothing. Nil is one that grew beyond it.
func lowered(room []byte, word string) []byte {
	for i := range len(word) {
		if room[i] = word[i]; word[i] >= utf8.RuneSelf {
			if word = strings.ToLower(word); len(word) > len(room) {
				return nil
			}
			return room[:copy(room, word)]
		}
		if 'A' <= word[i] && word[i] <= 'Z' {
			room[i] |= 0x20
		}
	}
	return room[:len(word)]
}

// wordCue is what one word says.
func wordCue(word string) cue {
	var low [32]byte
	if len(word) > len(low) {
		return noCue
	}
	if c, ok := cueOf[string(lowered(low[:], word))]; ok {
		return c
	}
	for _, article := range [...]string{"ال", "ה"} {
		if bare, ok := strings.CutPrefix(word, article); ok {
			return cueOf[bare]
		}
	}
	if len(word) < 7 {
		return noCue
	}
	for _, tail := range [...]string{"nummer", "nummeret", "numret", "numero", "nro"} {
		if strings.HasSuffix(word, tail) {
			return headCue(strings.ToLower(strings.TrimSuffix(word, tail)))
		}
	}
	return noCue
}

// headCue is what the first part of a German, Dutch, Scandinavian or Finnish
// compound says.
func headCue(head string) cue {
	for c, heads := range compoundHeads {
		for _, h := range heads {
			if strings.HasPrefix(head, h) {
				return c
			}
		}
	}
	if head == "" {
		return numberCue
	}
	return otherCue
}

var compoundHeads = map[cue][]string{
	phoneCue:    {"telefon", "handy", "mobil", "ruf", "rückruf", "festnetz", "privat", "telefoon", "puhelin", "matkapuhelin"},
	cardCue:     {"karten", "kreditkarten", "kaart", "kort", "kortti"},
	accountCue:  {"konto", "bankkonto", "rekening", "tili"},
	nationalCue: {"steuer", "identifikations", "sozialversicherungs", "rentenversicherungs", "ausweis", "personal", "reisepass", "person", "burgerservice", "henkilö"},
}

// isUnspaced holds of scripts that set no spaces between words.
func isUnspaced(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}

// unspacedCue is the cue in s that ends last.
func unspacedCue(s string) cue {
	best, end, length := noCue, -1, 0
	for _, x := range unspacedCues {
		if i := strings.LastIndex(s, x.text); i >= 0 && (i+len(x.text) > end || i+len(x.text) == end && len(x.text) > length) {
			best, end, length = x.cue, i+len(x.text), len(x.text)
		}
	}
	return best
}
