package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"call-logs-mcp/internal/lazyregexp"
)

// Unseen holds of the characters that take no room on the page, so that answers
// leave them out: Unicode's Default_Ignorable_Code_Point and its other format
// characters (Cf).
func Unseen(r rune) bool {
	return r == 0xad || r > 0x300 && (unicode.Is(unicode.Cf, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) ||
		unicode.Is(unicode.Variation_Selector, r) ||
		r >= 0xe0000 && r <= 0xe0fff)
}

const (
	nonJoiner = 0x200c // between two letters, the half-space of Persian
	joiner    = 0x200d
	emojiForm = 0xfe0f
)

// Joins tells whether r, which is unseen itself, shapes what stands before it in
// out and behind it in rest: taken away, a family falls apart, and two words of
// Persian become another.
func Joins(out []byte, r rune, rest string) bool {
	if r != joiner && r != nonJoiner && r != emojiForm {
		return false
	}
	before, _ := utf8.DecodeLastRune(out)
	behind, n := utf8.DecodeRuneInString(rest)
	switch {
	case r == emojiForm:
		next, _ := utf8.DecodeRuneInString(rest[n:])
		return pictured(before) && behind == joiner && pictured(next)
	case !unicode.IsLetter(behind):
		return r == joiner && (pictured(before) || before == emojiForm) && pictured(behind)
	case r == nonJoiner && unicode.Is(unicode.Arabic, behind):
		return unicode.Is(unicode.Arabic, before) || unicode.IsMark(before)
	}
	return 0x900 <= behind && behind < 0xe00 && 0x900 <= before && before < 0xe00 && unicode.IsMark(before)
}

// pictured holds of emoji and the symbols that stand among them.
func pictured(r rune) bool {
	return 0x1f000 <= r && r <= 0x1faff || 0x2600 <= r && r <= 0x27bf || 0x2190 <= r && r <= 0x21ff || 0x2b00 <= r && r <= 0x2bff
}

// escapes are the sequences that terminals act upon.
var escapes = lazyregexp.New(`\x1b(?:\[[ -?]*[@-~]|[ -Z\\-~])`)

// Tidy is s as a name is shown: composed (NFC), without what is not seen but for
// what joins letters and emoji, with one space for white space of any kind and
// number, and none at the ends. A name of nothing else is empty.
func Tidy(s string) string { return strings.TrimSpace(spaced(s)) }

// Blank reports whether nothing of s is seen.
func Blank(s string) bool { return s == "" || (s[0] <= ' ' || s[0] >= utf8.RuneSelf) && Tidy(s) == "" }

// spaced is Tidy, with the spaces at the ends.
func spaced(s string) string {
	if tidy(s) {
		return s
	}
	s = norm.NFC.String(escapes.ReplaceAllString(s, ""))
	b := make([]byte, 0, len(s))
	space := false
	for i, r := range s {
		switch {
		case !space && Joins(b, r, s[i+utf8.RuneLen(r):]):
		case unicode.IsSpace(r):
			space = true
			continue
		case unicode.IsControl(r), Unseen(r):
			continue
		}
		if space {
			b = append(b, ' ')
		}
		space = false
		b = utf8.AppendRune(b, r)
	}
	if space {
		b = append(b, ' ')
	}
	return string(b)
}

// tidy is true of printable ASCII without two spaces in a row.
func tidy(s string) bool {
	for i := range len(s) {
		if b := s[i]; b < ' ' || b >= 0x7f || b == ' ' && i > 0 && s[i-1] == ' ' {
			return false
		}
	}
	return true
}

// alike is what two texts have in common that answers show alike: tables write |
// as /, and brackets and schemes that a client would act upon are written
// otherwise.
func alike(s string) string {
	s = Tidy(s)
	if strings.ContainsAny(s, "|[(<⟦⟧〚〛") || strings.Contains(strings.ToLower(s), "http") {
		s = disarmed.Replace(s)
	}
	return s
}

var disarmed = strings.NewReplacer("|", "/", "](", "] ", "![", "!(", "⟦", "[", "⟧", "]", "〚", "[", "〛", "]", "<", "(",
	"http:", "hxxp:", "https:", "hxxps:", "HTTP:", "HXXP:", "HTTPS:", "HXXPS:", "Http:", "Hxxp:", "Https:", "Hxxps:")

// minCut is the least, in bytes, that answers leave of a value that they cut.
const minCut = 20

// Same reports whether two texts are the same or shown alike, so that b, a name
// copied from an answer, finds its calls. It may be in the quotes that answers put
// around values, and without its end where they cut it.
func Same(a, b string) bool {
	if a == b {
		return true
	}
	if a, b = alike(a), alike(b); a == b {
		return true
	}
	if head, cut := strings.CutSuffix(b, "…"); cut && len(head) >= minCut && strings.HasPrefix(a, strings.TrimSpace(head)) {
		return true
	}
	inner, quoted := strings.CutPrefix(b, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	return quoted && closed && strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(inner) == a
}

// composed is s as parts of texts are compared: in NFC, without what is not seen.
func composed(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.Map(func(r rune) rune {
				if Unseen(r) {
					return -1
				}
				return r
			}, norm.NFC.String(s))
		}
	}
	return s
}

// Names reports whether a field holds what people call things, which is compared
// as it is shown. Identifiers are compared as they are.
func Names(field string) bool {
	switch field {
	case "id", "call_id", "source", "agent.id", "project_id", "assistant_id", "customer_number", "metric_evaluations.metric.id":
		return false
	}
	return true
}
