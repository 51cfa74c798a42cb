package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"call-logs-mcp/internal/redact"
)

// maxQuote bounds how many characters of an upstream's words a model reads.
const maxQuote = 200

// detail finds the words of an error answer: a detail, message or error, or
// the field errors of Django REST framework, {"field": ["what is wrong"]}. A
// web page has none.
func detail(text []byte) string {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] == '<' {
		return ""
	}
	var v any
	if json.Unmarshal(text, &v) != nil {
		return string(text)
	}
	return words(v)
}

func words(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		var parts []string
		for _, x := range v {
			parts = append(parts, words(x))
		}
		return strings.Join(parts, " ")
	case map[string]any:
		for _, key := range []string{"detail", "message", "error"} {
			if w, ok := v[key]; ok && words(w) != "" {
				return words(w)
			}
		}
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, key+": "+words(v[key]))
		}
		return strings.Join(parts, "; ")
	}
	return fmt.Sprint(v)
}

// quote makes an upstream's words safe to stand between « and », in answers and
// in logs: no secret, no personal data (whoever may see that reads it in calls),
// no control or invisible character, no quote that ends the fence, at most
// maxQuote characters.
func quote(s string, secrets []string) string {
	s = strings.ToValidUTF8(blot(s, secrets), "")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '«':
			return '‹'
		case r == '»':
			return '›'
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r): // controls, bidirectional marks, zero width, tags
			return -1
		}
		return r
	}, s)
	s = redact.New().Mask(strings.Join(strings.Fields(s), " ")) // before the cut, which could leave half a number
	if utf8.RuneCountInString(s) > maxQuote {
		s = string([]rune(s)[:maxQuote-1]) + "…"
	}
	return s
}

// blot replaces secrets. Very short ones are left: they would blot out words,
// and nobody's key is three letters.
func blot(s string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) > 3 {
			s = strings.ReplaceAll(s, secret, "[redacted]")
		}
	}
	return s
}
