// Package redact masks personal data in text: card numbers, national ids, e-mail
// addresses and phone numbers, as they are written and as they are spoken.
package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Version changes with what is masked: what was made of masked text is made anew.
const Version = "4"

// A Masker masks text. Any number of goroutines may use it.
type Masker struct{ strict bool }

// New returns a Masker.
func New() *Masker { return &Masker{} }

// Mask returns s with personal data replaced:
//
//   - card numbers of 13 to 19 digits that pass Luhn's check and begin as an
//     issuer's: •••• •••• •••• 1111
//   - US social security numbers (123-45-6789; without dashes only where the
//     words before say so): •••-••-6789; Chinese resident and Brazilian CPF
//     numbers, which have check digits: •••••••1234
//   - phone numbers, international and as written in North America and some
//     other countries: +1•••••••4567, •••••••0100; those behind a + also in
//     names and paths: call-_+1•••••••4567_x7Qp
//   - e-mail addresses: •••@example.com
//   - nine and more digits spoken one by one in English, Spanish, German, French
//     or Portuguese, but for counting: ••• two one
//
// Digits may be of any script and be separated by any white space, also by
// invisible characters. What is none of these stays as it is: order numbers,
// dates, times, amounts, addresses of machines, identifiers with letters.
// Masking twice changes nothing more. Text without anything to mask is returned
// as it is, for about the cost of reading it.
func (m *Masker) Mask(s string) string { return m.mask(s, nil) }

// mask is Mask of s, with what was said before it.
func (m *Masker) mask(s string, before *preceding) string {
	if m.strict {
		s = strictly(s)
	}
	// What a mask leaves over may be read anew without its neighbours. Each round
	// removes digits or letters, so there is a last one.
	for {
		t := mask(s, before)
		if t == s {
			return s
		}
		s = t
	}
}

// mask is one round over s.
func mask(s string, before *preceding) string {
	e := edit{s: s, before: before}
	e.mask()
	return e.String()
}

// mask replaces what is to be masked.
func (e *edit) mask() {
	s := e.s
	for i := 0; i < len(s); {
		b := s[i]
		switch {
		case b >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == '＋' || unicode.IsDigit(r):
				i = number(e, i)
			case r == '＠':
				i = email(e, i, size)
			case unicode.IsLetter(r):
				i = words(e, i)
			default:
				i += size
			}
		case kinds[b] == letter:
			to := i + 1
			for to < len(s) && s[to] < utf8.RuneSelf && kinds[s[to]] == letter {
				to++
			}
			if mayBeOther(s, i, to) {
				if end, ok := e.other(i, to); ok {
					i = end
					continue
				}
			}
			if to < len(s) && (s[to] >= utf8.RuneSelf || mayBeSpoken(s[i], s[i+1], to-i)) { // the last word alone is no number
				to = words(e, i)
			}
			i = to
		case kinds[b] == digit:
			if end, ok := e.codeOf(i); ok {
				i = end
				continue
			}
			i = number(e, i)
		case b == '@':
			i = email(e, i, 1)
		default:
			i++
		}
	}
}

// other masks what begins with the word s[i:to] and is no dictation: a code with
// letters, or the at of a spoken address.
func (e *edit) other(i, to int) (end int, ok bool) {
	if to-i <= 6 && to < len(e.s) && (isDigit(e.s[to]) || to-i == 2 && e.s[to] == ' ' && to+1 < len(e.s) && isDigit(e.s[to+1])) {
		return code(e, i)
	}
	if to-i == 2 && e.s[i]|0x20 == 'a' && e.s[i+1]|0x20 == 't' || to-i >= 6 && to-i <= 12 && mayBeSpoken(e.s[i], e.s[i+1], to-i) && atWords[strings.ToLower(e.s[i:to])] {
		return spokenEmail(e, i, to)
	}
	return 0, false
}

// mayBeOther tells cheaply that other may mask something: digits stand behind the
// word, or it begins as the words for at do.
func mayBeOther(s string, i, to int) bool {
	first := s[i] | 0x20
	return first == 'a' || first == 'c' || first == 'k' || to < len(s) && to-i <= 6 && (isDigit(s[to]) || s[to] == ' ' && to-i == 2)
}

// codeOf masks a code that begins with digits: eight, and a letter.
func (e *edit) codeOf(i int) (end int, ok bool) {
	if i+8 >= len(e.s) || !isDigit(e.s[i+7]) || isDigit(e.s[i+8]) || i > 0 && isDigit(e.s[i-1]) {
		return 0, false
	}
	for k := i; k < i+8; k++ {
		if !isDigit(e.s[k]) {
			return 0, false
		}
	}
	return code(e, i)
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// A kind is what a byte can begin.
type kind uint8

const (
	nothing kind = iota
	letter
	digit // or a + before one
)

var kinds = func() (t [utf8.RuneSelf]kind) {
	for b := byte('a'); b <= 'z'; b++ {
		t[b], t[b-'a'+'A'] = letter, letter
	}
	for b := byte('0'); b <= '9'; b++ {
		t[b] = digit
	}
	t['+'] = digit
	return t
}()

// mayBeSpoken tells by its first two letters and its length that a word may be a
// digit, or the "at" of an address, so that few words are looked up. Of a single
// letter, b is what is behind it.
func mayBeSpoken(a, b byte, n int) bool {
	if n == 1 {
		return letters[a|0x20-'a']
	}
	return starts[a|0x20-'a'][b|0x20-'a']&(1<<n) != 0
}

// starts are the lengths of the words that are looked up, by their first letters.
var starts = func() (t [26][26]uint32) {
	put := func(word string) {
		if len(word) > 1 && word[0] < utf8.RuneSelf && word[1] < utf8.RuneSelf && kinds[word[0]] == letter && kinds[word[1]] == letter {
			t[word[0]-'a'][word[1]-'a'] |= 1 << len(word)
		}
	}
	for word, s := range sayings {
		if s.what != aFiller && s.what != aHundred {
			put(word)
		}
	}
	for word := range atWords {
		put(word)
	}
	return t
}()

// letters are the single letters that say a digit.
var letters = func() (t [26]bool) {
	for b := range t {
		what := sayings[string(rune('a'+b))].what
		t[b] = what != nothingSpoken && what != aFiller && what != aHundred
	}
	return t
}()

// An edit is a text of which parts are replaced from front to back.
type edit struct {
	s      string
	before *preceding // which may say what s is
	out    []byte
	done   int      // out stands for s[:done]
	marks  []change // what was replaced, where that is not nil
}

// A change is text in the place of s[from:to].
type change struct {
	from, to int
	text     string
}

// replace puts text in the place of s[from:to], which begins at done or later.
func (e *edit) replace(from, to int, text ...string) {
	e.out = append(e.out, e.s[e.done:from]...)
	for _, t := range text {
		e.out = append(e.out, t...)
	}
	if e.marks != nil {
		e.marks = append(e.marks, change{from, to, strings.Join(text, "")})
	}
	e.done = to
}

func (e *edit) String() string {
	if e.done == 0 {
		return e.s
	}
	return string(append(e.out, e.s[e.done:]...))
}
