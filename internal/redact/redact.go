// Package redact masks personal data in text: card numbers, national ids, e-mail
// addresses and phone numbers, as they are written and as they are spoken.
package redact

import (
	"unicode"
	"unicode/utf8"
)

// Version changes with what is masked: what was made of masked text is made anew.
const Version = "2"

// A Masker masks text. It holds nothing, and any number of goroutines may use it.
type Masker struct{}

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
func (m *Masker) Mask(s string) string {
	// What a mask leaves over may be read anew without its neighbours. Each round
	// removes digits or letters, so there is a last one.
	for {
		t := mask(s)
		if t == s {
			return s
		}
		s = t
	}
}

// mask is one round over s.
func mask(s string) string {
	e := edit{s: s}
	for i := 0; i < len(s); {
		b := s[i]
		switch {
		case b >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == '＋' || unicode.IsDigit(r):
				i = number(&e, i)
			case r == '＠':
				i = email(&e, i, size)
			case unicode.IsLetter(r):
				i = words(&e, i)
			default:
				i += size
			}
		case kinds[b] == letter:
			to := i + 1
			for to < len(s) && s[to] < utf8.RuneSelf && kinds[s[to]] == letter {
				to++
			}
			if to == i+1 || to == len(s) || s[to] >= utf8.RuneSelf || mayBeSpoken(s[i], s[i+1]) {
				to = words(&e, i)
			}
			i = to
		case kinds[b] == digit:
			i = number(&e, i)
		case b == '@':
			i = email(&e, i, 1)
		default:
			i++
		}
	}
	return e.String()
}

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

// mayBeSpoken tells by its first two letters that a word may be a digit, so that
// few words are looked up.
func mayBeSpoken(a, b byte) bool {
	return seconds[a|0x20-'a']&(1<<(b|0x20-'a')) != 0
}

// seconds are the second letters of the words in spoken, by the first.
var seconds = func() (t [26]uint32) {
	const starts = "ze oh ce nu on un ei tw do zw de du th tr dr fo cu vi qu fi ci se si me ac hu oi oc ni ne no"
	for i := 0; i < len(starts); i += 3 {
		t[starts[i]-'a'] |= 1 << (starts[i+1] - 'a')
	}
	return t
}()

// An edit is a text of which parts are replaced from front to back.
type edit struct {
	s    string
	out  []byte
	done int // out stands for s[:done]
}

// replace puts text in the place of s[from:to], which begins at done or later.
func (e *edit) replace(from, to int, text ...string) {
	e.out = append(e.out, e.s[e.done:from]...)
	for _, t := range text {
		e.out = append(e.out, t...)
	}
	e.done = to
}

func (e *edit) String() string {
	if e.done == 0 {
		return e.s
	}
	return string(append(e.out, e.s[e.done:]...))
}
