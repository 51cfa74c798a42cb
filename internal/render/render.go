// Package render turns calls into text that fits a budget of tokens, and keeps
// callers' and agents' speech apart from everything else in it.
package render

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// At writes a position in a call, floored to the second: 03:41, and 1:03:41
// from one hour on. Before the start is 00:00.
func At(d time.Duration) string {
	h, m, s := clock(d)
	if h > 0 {
		return fmt.Sprintf("%d:%02d:%02d", h, m, s)
	}
	return fmt.Sprintf("%02d:%02d", m, s)
}

// Length writes how long something took, floored to the second: 0:05, 1:10,
// 1:02:03. Unlike At it has no leading zero.
func Length(d time.Duration) string {
	h, m, s := clock(d)
	if h > 0 {
		return fmt.Sprintf("%d:%02d:%02d", h, m, s)
	}
	return fmt.Sprintf("%d:%02d", m, s)
}

// Seconds writes a short span: 0.4 s, 1.4 s, 11 s. From ten seconds on the
// tenths say nothing and are left out.
func Seconds(d time.Duration) string {
	if d < 10*time.Second {
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 0, 64) + " s"
}

func clock(d time.Duration) (h, m, s int) {
	n := max(0, int(d/time.Second))
	return n / 3600, n / 60 % 60, n % 60
}

// Paragraphs is Clip of a text that keeps its lines, each of them cleaned: lists
// and headings of Markdown are read by them.
func Paragraphs(s string, n int) string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = Clean(line); line != "" {
			lines = append(lines, line)
		}
	}
	return Clip(strings.Join(lines, "\n"), n)
}

// Clip shortens s to at most n characters, between words where one ends in the
// last third, and ends it with … where something is gone.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	last, count := 0, 0
	for i := range s {
		if count == n-1 {
			last = i
		}
		if count == n {
			return strings.TrimRight(between(s[:last]), " ,;:") + "…"
		}
		count++
	}
	return s
}

// between cuts the torn last word off s, unless that takes more than a third.
func between(s string) string {
	if i := strings.LastIndexByte(s, ' '); i >= len(s)*2/3 {
		return s[:i]
	}
	return s
}
