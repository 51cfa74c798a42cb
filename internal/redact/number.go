package redact

import "strings"

// number masks what it can of the digits that begin at e.s[from:], together with
// those that stand close behind, and returns where to read on.
func number(e *edit, from int) int {
	if end, n, few := fewDigits(e.s, from); few {
		if joinsBehind(e.s[:from], e.s[from] == '+') {
			return end
		}
		if end < len(e.s) && (kinds[e.s[end]] == letter || strings.IndexByte("?';:", e.s[end]) >= 0) { // words may go on with it
			if end, ok := dictate(e, from); ok && e.done > from {
				return end
			}
		}
		if n < leastCued || joinsAhead(e.s[end:], false) {
			return end
		}
	}
	r := run{s: e.s, e: e}
	r.read(from)
	if r.total < leastCued {
		return r.end
	}
	r.trim()
	rest := r.low
	if r.total >= 12 && r.low < r.high && r.even(r.low, r.high) && r.cue() == cardCue {
		r.cued(e, r.low, r.high)
		return r.end
	}
	for a := r.low; a <= r.high && r.total >= 7; {
		f := r.match(a)
		if f.last < a {
			a++
			continue
		}
		begin := a
		if !r.cued(e, rest, a-1) && rest == r.low && a > rest && r.groups[a].first-r.groups[rest].first <= 3 && r.cue() == phoneCue {
			begin = rest
		}
		e.replace(max(e.done, r.start(begin)), r.groups[f.last].to, f.text, r.tail(f.last, f.keep))
		a = f.last + 1
		rest = a
	}
	r.cued(e, rest, r.high)
	return r.end
}

// leastCued is how many digits an account's number has at least.
const leastCued = 5

// cued masks the groups a to b, which are no number by themselves, where the words
// before say that they are.
func (r *run) cued(e *edit, a, b int) bool {
	for a <= b && !r.opens(a) {
		a++
	}
	for b >= a && !r.closes(b) {
		b--
	}
	if a > b || a != r.low {
		return false // behind a number that was found
	}
	n := 0
	for i := a; i <= b; i++ {
		n += min(r.groups[i].n, maxGroup)
	}
	if n < leastCued || n < 12 && r.dated(a, b) && !r.even(a, b) {
		return false // whatever the words before say
	}
	keep := 4
	switch c := r.cue(); {
	case c == phoneCue && n >= 7 && n <= 15 && !r.dated(a, b):
	case c == cardCue && (n >= 12 && n <= 19 || n >= 8 && r.even(a, b) && r.groups[a].n == 4):
	case c == accountCue && n >= leastCued && n <= 34 && !r.dated(a, b), c == nationalCue && n >= 7 && n <= 18 && !r.dated(a, b):
		if n < 8 {
			keep = 2
		}
	case c == weakCue && n >= 9 && n <= 12 && r.digits[r.groups[a].first] == '0' && !r.dated(a, b):
	default:
		return false
	}
	text := bullets
	if r.cue() == cardCue {
		text = "•••• •••• •••• "
	}
	e.replace(max(e.done, r.start(a)), r.groups[b].to, text, r.tail(b, min(keep, r.groups[b].first+r.groups[b].n)))
	return true
}

// cue is what the words before the run say.
func (r *run) cue() cue {
	if !r.asked {
		r.says, r.asked = r.e.cue(r.groups[0].from), true
	}
	return r.says
}

// dated tells whether the groups a to b are written as a date, or a date and a time.
func (r *run) dated(a, b int) bool {
	if b-a < 2 || r.gaps(a, a+2)&(dash|slash|dot) == 0 || r.gaps(a, a+2)&white != 0 {
		return false
	}
	first, second, third := r.groups[a].n, r.groups[a+1].n, r.groups[a+2].n
	return first == 4 && second <= 2 && third <= 2 || first <= 2 && second <= 2 && (third == 4 || third == 2)
}

// fewDigits tells cheaply that fewer than seven digits stand together at from,
// and where they end.
func fewDigits(s string, from int) (end, digits int, few bool) {
	gap := 0
	for i := from; i < len(s); i++ {
		switch b := s[i]; {
		case b >= '0' && b <= '9':
			if digits++; digits == 7 {
				return 0, digits, false
			}
			gap = 0
		case b >= 0x80:
			return 0, digits, false
		case b == ' ', b == '-', b == '.', b == '(', b == ')', b == '/', b == ',', b == '+':
			if gap++; gap > maxGap {
				return i, digits, true
			}
		case b < ' ':
			return 0, digits, false
		default:
			return i, digits, true
		}
	}
	return len(s), digits, true
}

// A find is what a run of groups was recognised as: it ends with the group last,
// and text and its last keep digits are written instead. There is none where
// last is -1.
type find struct {
	last int
	text string
	keep int
}

var none = find{last: -1}

// match recognises what the groups from a on begin with.
func (r *run) match(a int) find {
	if !r.opens(a) {
		return none
	}
	if f := r.card(a); f.last >= a {
		return f
	}
	if f := r.national(a); f.last >= a {
		return f
	}
	f := r.phone(a)
	if f.last >= a && !r.groups[a].plus && r.bare(a) && r.cue() == otherCue {
		return none
	}
	return f
}

// bare tells whether the group a stands alone, or begins groups that are not
// parted as telephone numbers are.
func (r *run) bare(a int) bool {
	return a == r.high || r.groups[a+1].before&(paren|dash|dot) == 0
}

// opens and closes tell whether a number can begin with a, and end with b.
func (r *run) opens(a int) bool {
	return a == 0 || r.groups[a].plus || r.groups[a].before.loose()
}

func (r *run) closes(b int) bool { return b == r.n-1 || r.opens(b+1) }

// span is the digits of the groups a to b.
func (r *run) span(a, b int) []byte {
	return r.digits[r.groups[a].first : r.groups[b].first+r.groups[b].n]
}

// gaps are the kinds of gaps between the groups a to b.
func (r *run) gaps(a, b int) gap {
	var g gap
	for i := a + 1; i <= b; i++ {
		g |= r.groups[i].before
	}
	return g
}

// shaped tells whether the groups from a on have these numbers of digits.
func (r *run) shaped(a int, sizes ...int) bool {
	if a+len(sizes)-1 > r.high {
		return false
	}
	for i, n := range sizes {
		if r.groups[a+i].n != n || i > 0 && r.groups[a+i].plus {
			return false
		}
	}
	return r.closes(a + len(sizes) - 1)
}

// even tells whether the groups a to b are of one size, the last perhaps smaller.
func (r *run) even(a, b int) bool {
	size := r.groups[a].n
	for i := a + 1; i <= b; i++ {
		if n := r.groups[i].n; n != size && (i < b || n > size) {
			return false
		}
	}
	return true
}

// tail is the last n digits up to group b.
func (r *run) tail(b, n int) string {
	end := r.groups[b].first + r.groups[b].n
	return string(r.digits[end-n : end])
}

// start is where the group a begins in the text, with a ( that its ) is behind.
func (r *run) start(a int) int {
	from := r.groups[a].from
	if from > 0 && r.s[from-1] == '(' && a+1 < r.n && r.groups[a+1].before&paren != 0 {
		return from - 1
	}
	return from
}
