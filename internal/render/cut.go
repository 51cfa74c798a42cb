package render

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"call-logs-mcp/internal/call"
)

// cut shortens s to limit tokens by leaving out its middle, 0 being no bound:
// "so yesterday I … 812 words left out … and that was it".
func cut(s string, limit int) string {
	if limit <= 0 || Tokens(s) <= limit {
		return s
	}
	room := limit - Tokens(" … 8888888 characters left out … ")
	if room < 4 {
		return s[:prefix(s, max(0, limit-Tokens("…")))] + "…"
	}
	head := strings.TrimRight(s[:prefix(s, room/2)], " ")
	tail := strings.TrimLeft(s[suffix(s, room-room/2):], " ")
	lost := s[len(head) : len(s)-len(tail)]
	return fmt.Sprintf("%s … %s left out … %s", head, count(lost), tail)
}

// cutAbout is cut, leaving out what stands around the first that about finds: a
// text that is cut keeps what it was looked up for.
func cutAbout(s string, limit int, about *call.Text) string {
	if about == nil || limit <= 0 || Tokens(s) <= limit {
		return cut(s, limit)
	}
	spans := about.Spans(s)
	room := limit - 2*Tokens(" … 8888888 characters left out … ")
	if len(spans) == 0 || room < 8 {
		return cut(s, limit)
	}
	from := suffix(s[:spans[0][0]], room/3)
	to := from + prefix(s[from:], room)
	if from == 0 || to <= spans[0][0] {
		return cut(s, limit)
	}
	out := fmt.Sprintf("… %s left out … %s", count(s[:from]), strings.TrimSpace(s[from:to]))
	if to < len(s) {
		out += fmt.Sprintf(" … %s left out …", count(s[to:]))
	}
	return out
}

// count tells how much s is, in words where it has any.
func count(s string) string {
	words, characters := len(strings.Fields(s)), utf8.RuneCountInString(s)
	if words*16 < characters {
		return fmt.Sprintf("%d characters", characters)
	}
	return fmt.Sprintf("%d words", words)
}

// longestToken bounds how many bytes of cleaned text one token of the estimate
// stands for, so that long texts are not measured whole.
const longestToken = 32

// prefix is how much of the beginning of s takes at most limit tokens, up to
// the end of a word where one is near.
func prefix(s string, limit int) int {
	low, high := 0, min(len(s), limit*longestToken) // s[:low] fits
	for low < high {
		mid := (low + high + 1) / 2
		if Tokens(s[:mid]) <= limit {
			low = mid
		} else {
			high = mid - 1
		}
	}
	for low > 0 && low < len(s) && !utf8.RuneStart(s[low]) {
		low--
	}
	if low == len(s) {
		return low
	}
	if i := strings.LastIndexByte(s[:low], ' '); i >= low*2/3 {
		return i
	}
	return low
}

// suffix is where the end of s begins that takes at most limit tokens.
func suffix(s string, limit int) int {
	low, high := max(0, len(s)-limit*longestToken), len(s) // s[high:] fits
	for low < high {
		mid := (low + high) / 2
		if Tokens(s[mid:]) <= limit {
			high = mid
		} else {
			low = mid + 1
		}
	}
	for high < len(s) && !utf8.RuneStart(s[high]) {
		high++
	}
	if high == 0 {
		return high
	}
	if i := strings.IndexByte(s[high:], ' '); i >= 0 && i <= (len(s)-high)/3 {
		return high + i
	}
	return high
}
