package render

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"call-logs-mcp/internal/filter"
)

// Clean makes a stranger's text safe to print on one line beside our own: what
// a person would not see is gone, and what a client would act upon is disarmed.
//
//   - Control characters, terminal escape sequences, zero-width, bidirectional,
//     tag and other invisible characters and variation selectors are removed, but
//     for joiners that shape what stands on both sides of them: between emoji,
//     Arabic letters, and behind the virama of Indian scripts; more than four
//     combining marks on one character are removed too.
//   - White space of any kind and number becomes one space, none at the ends.
//   - A byte that is no UTF-8 becomes "?".
//   - ⟦ and ⟧ become [ and ], so that no text can hold the mark of a Fence.
//   - Markdown and HTML lose what makes a client fetch something: http: is
//     written hxxp:, ![ is !(, ]( is "] ", and < before a tag is (. What
//     reference pages write for a value, such as <string>, is no tag and stays.
//
// Cleaning twice changes nothing more, and no text gets longer.
func Clean(s string) string {
	i := firstDirt(s)
	if i == len(s) {
		return s
	}
	c := cleaner{out: make([]byte, i, len(s))}
	copy(c.out, s)
	for i < len(s) {
		if b := s[i]; b >= ' ' && b < 0x7f {
			c.put(b)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if n := escape(s[i:], r, size); n > 0 {
			i += n
			continue
		}
		if filter.Joins(c.out, r, s[i+size:]) {
			c.out, c.marks = append(c.out, s[i:i+size]...), 0
		} else {
			c.rune(r, s[i:i+size])
		}
		i += size
	}
	if n := len(c.out); n > 0 && c.out[n-1] == ' ' {
		c.out = c.out[:n-1]
	}
	return string(c.out)
}

// firstDirt is a position up to which s is clean as it stands, len(s) where all
// of it is. It is the fast path: it allocates nothing.
func firstDirt(s string) int {
	for i := 0; i < len(s); {
		b := s[i]
		switch {
		case b >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 || classOf(r) != plain {
				return i
			}
			i += size
			continue
		case b < ' ', b == 0x7f:
			return i
		case !suspects[b]:
		case b == ' ':
			if i == 0 || s[i-1] == ' ' || i == len(s)-1 {
				return i
			}
		case
			b == '[' && i > 0 && s[i-1] == '!',
			b == '(' && i > 0 && s[i-1] == ']',
			b == ':' && endsInHTTP(s[:i]) > 0,
			b == '<' && i+1 < len(s) && opensTag(s[i+1]):
			return i
		}
		i++
	}
	return len(s)
}

// suspects are the printable ASCII characters that firstDirt looks at twice.
var suspects = [256]bool{' ': true, '[': true, '(': true, ':': true, '<': true}

// A cleaner appends to out, which is clean at any time but for one space at its
// end. Looking back at what it has written, not at the input, it needs no
// second pass when a removed character brings two others together.
type cleaner struct {
	out   []byte
	marks int // combining marks at the end of out
	tag   int // behind the last < that became (
}

// put appends one printable ASCII character.
func (c *cleaner) put(b byte) {
	c.marks = 0
	n := len(c.out)
	var last byte
	if n > 0 {
		last = c.out[n-1]
	}
	switch {
	case b == ' ' && (n == 0 || last == ' '):
		return
	case b == '[' && last == '!':
		b = '('
	case b == '(' && last == ']':
		b = ' '
	case b == ':':
		if i := endsInHTTP(string(c.out[max(0, n-5):])); i > 0 {
			x := c.out[n-i : n-i+4]
			x[1], x[2] = x[1]^'t'^'x', x[2]^'t'^'x' // keeps the case
		}
	case last == '<' && opensTag(b):
		c.out[n-1], c.tag = '(', n
		if n > 1 && c.out[n-2] == ']' {
			c.out[n-1], c.tag = ' ', 0
		}
	case b == '>' && c.tag > 0:
		if slices.Contains(placeholders, strings.ToLower(string(c.out[c.tag:]))) {
			c.out[c.tag-1] = '<'
		}
		c.tag = 0
	}
	c.out = append(c.out, b)
}

// placeholders are the names of types and formats that stand for a value where
// they are in angle brackets. None is an element of HTML.
var placeholders = []string{
	"string", "str", "number", "integer", "int", "int32", "int64", "long", "float", "double", "boolean", "bool", "array", "list", "any", "null", "none",
	"date", "date-time", "datetime", "timestamp", "uuid", "uri", "url", "email", "phone", "id", "name", "value", "api-key", "token", "unknown", "redacted",
}

// rune appends what is not printable ASCII, or what it stands for.
func (c *cleaner) rune(r rune, raw string) {
	if r == utf8.RuneError && len(raw) == 1 {
		c.put('?')
		return
	}
	switch classOf(r) {
	case space:
		c.put(' ')
	case hidden:
	case mark:
		if c.marks++; c.marks <= 4 {
			c.out = append(c.out, raw...)
		}
	case opening:
		c.put('[')
	case closing:
		c.put(']')
	default:
		c.marks = 0
		c.out = append(c.out, raw...)
	}
}

// endsInHTTP is the length of the "http" or "https" that s ends in, or 0.
func endsInHTTP(s string) int {
	n := len(s)
	switch {
	case n < 4 || s[n-1]|0x20 != 'p' && s[n-1]|0x20 != 's':
		return 0
	case strings.EqualFold(s[n-4:], "http"):
		return 4
	case n >= 5 && strings.EqualFold(s[n-5:], "https"):
		return 5
	}
	return 0
}

// opensTag tells whether b behind a < makes HTML of it.
func opensTag(b byte) bool {
	return isLetter(b) || b == '/' || b == '!' || b == '?'
}

// A class says what Clean does with a character.
type class int

const (
	plain class = iota
	space
	hidden
	mark
	opening
	closing
)

// classOf is the class of a character that is not printable ASCII.
func classOf(r rune) class {
	switch {
	case r >= 0x3041 && r <= 0x318e && r != 0x3164, r >= 0x4e00 && r <= 0x9fff, r >= 0xac00 && r <= 0xd7a3:
		return plain // most of East Asian text, ahead of the slower questions; kana marks are letters here
	case r == '⟦', r == '〚':
		return opening
	case r == '⟧', r == '〛':
		return closing
	case r == '\t', r == '\n', r == '\v', r == '\f', r == '\r', r == 0x85, r > 0x7f && unicode.Is(unicode.Z, r):
		return space
	case r < 0xc0:
		if r == 0xad || unicode.IsControl(r) {
			return hidden
		}
		return plain
	case r < 0x300:
		return plain
	case filter.Unseen(r):
		return hidden
	case unicode.Is(unicode.M, r):
		return mark
	}
	return plain
}

// escape is the length of the terminal escape sequence that s begins with, or
// 0 (ECMA-48, 5.4 and 5.6). An unfinished one is its introducer alone.
func escape(s string, r rune, size int) int {
	kind := r
	switch {
	case r == 0x1b && len(s) > 1:
		kind, size = rune(s[1]), 2
		if kind < ' ' || kind > '~' {
			return 1
		}
	case r >= 0x80 && r <= 0x9f:
		kind = r - 0x40 // the one-character form
	default:
		return 0
	}
	switch kind {
	case '[':
		for i := size; i < len(s); i++ {
			if b := s[i]; b >= '@' && b <= '~' {
				return i + 1
			} else if b < ' ' || b > '~' {
				return i
			}
		}
		return len(s)
	case ']', 'P', 'X', '^', '_': // strings, up to BEL or ST
		for i := size; i < min(len(s), 512); i++ {
			switch {
			case s[i] == 0x07:
				return i + 1
			case strings.HasPrefix(s[i:], "\x1b\\"), strings.HasPrefix(s[i:], "\u009c"):
				return i + 2
			}
		}
	}
	return size
}
