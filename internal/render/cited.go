package render

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/lazyregexp"
)

// Cited lists the turns that the explanations of l's failed metrics point to,
// in the order of their mention: by time (00:31, 1:02:03), by number (turn 12)
// or by words in quotation marks.
func Cited(l *call.Log) []int {
	var list []int
	add := func(number int) {
		if number > 0 && !slices.Contains(list, number) {
			list = append(list, number)
		}
	}
	for _, m := range l.Metrics {
		if m.Passed == nil || *m.Passed {
			continue
		}
		for _, text := range m.Explanation {
			for _, found := range clockTime.FindAllStringSubmatch(text, -1) {
				add(turnAt(l.Turns, found[1:]))
			}
			for _, found := range turnNumber.FindAllStringSubmatch(text, -1) {
				n, _ := strconv.Atoi(found[1])
				if i := position(l.Turns, n); i < len(l.Turns) && l.Turns[i].Index == n {
					add(n)
				}
			}
			for _, found := range quotation.FindAllStringSubmatch(text, -1) {
				for _, n := range quoting(l.Turns, found[1]) {
					add(n)
				}
			}
		}
	}
	return list
}

var (
	clockTime  = lazyregexp.New(`\b(?:(\d):)?(\d{1,2}):([0-5]\d)\b`)
	turnNumber = lazyregexp.New(`(?i)\bturns? #?(\d{1,5})\b`)
	quotation  = lazyregexp.New(`["“”«'‘]([^"“”«»‘’]{6,200}?)["“”»'’](?:\W|$)`)
)

// turnAt is the number of the turn that is running at a time of hours, minutes
// and seconds, 0 where there is none.
func turnAt(turns []call.Turn, parts []string) int {
	seconds := 0
	for _, p := range parts {
		n, _ := strconv.Atoi(p)
		seconds = seconds*60 + n
	}
	at, number := time.Duration(seconds)*time.Second, 0
	for i := range turns {
		t := &turns[i]
		if t.Start == nil {
			continue
		}
		if t.Start.Truncate(time.Second) > at {
			return number
		}
		number = t.Index
		if i == len(turns)-1 && at > *t.Start+time.Minute {
			return 0 // behind the end: no time of this call
		}
	}
	return number
}

// quoting lists the first three turns that hold the words of quote, whatever
// their case and punctuation. Fewer than two words prove nothing.
func quoting(turns []call.Turn, quote string) []int {
	want := plainWords(quote)
	if strings.Count(want, " ") < 3 { // one at each end
		return nil
	}
	var list []int
	for i := range turns {
		if strings.Contains(plainWords(turns[i].Text), want) {
			if list = append(list, turns[i].Index); len(list) == 3 {
				break
			}
		}
	}
	return list
}

// plainWords is the words of s in lower case, with one space around each.
func plainWords(s string) string {
	s = strings.ToLower(strings.ReplaceAll(s, "’", "'"))
	words := strings.FieldsFunc(s, func(r rune) bool {
		return r != '\'' && !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	return " " + strings.Join(words, " ") + " "
}
