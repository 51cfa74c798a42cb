package render

import "strings"

// A Writer collects the lines of an answer under a budget of tokens. What is
// held back for the tail (a cursor, the next call) always fits.
type Writer struct {
	b       strings.Builder
	left    int
	reserve int
}

// NewWriter has room for budget tokens, of which reserve are for Tail alone.
func NewWriter(budget, reserve int) *Writer {
	return &Writer{left: budget - textTokens, reserve: reserve}
}

// Left is how many tokens Line may still write.
func (w *Writer) Left() int { return max(0, w.left-w.reserve) }

// Line appends the line or lines of s if they fit whole, and says whether they did.
func (w *Writer) Line(s string) bool { return w.write(s, w.reserve) }

// Tail appends s if it fits, out of the reserve too, and says whether it did.
func (w *Writer) Tail(s string) bool { return w.write(s, 0) }

func (w *Writer) write(s string, reserve int) bool {
	cost := lineTokens(s)
	if w.left-cost < reserve {
		return false
	}
	w.left -= cost
	w.b.WriteString(s)
	w.b.WriteByte('\n')
	return true
}

// String is all lines so far, without the last newline.
func (w *Writer) String() string { return strings.TrimSuffix(w.b.String(), "\n") }
