package redact

// number masks what it can of the digits that begin at e.s[from:], together with
// those that stand close behind, and returns where to read on.
func number(e *edit, from int) int {
	if end, few := fewDigits(e.s, from); few {
		return end
	}
	r := run{s: e.s}
	r.read(from)
	if r.total < 7 {
		return r.end
	}
	r.trim()
	for a := r.low; a <= r.high; {
		f := r.match(a)
		if f.last < a {
			a++
			continue
		}
		e.replace(max(e.done, r.start(a)), r.groups[f.last].to, f.text, r.tail(f.last, f.keep))
		a = f.last + 1
	}
	return r.end
}

// fewDigits tells cheaply that fewer than seven digits stand together at from,
// and where they end.
func fewDigits(s string, from int) (end int, few bool) {
	digits, gap := 0, 0
	for i := from; i < len(s); i++ {
		switch b := s[i]; {
		case b >= '0' && b <= '9':
			if digits++; digits == 7 {
				return 0, false
			}
			gap = 0
		case b >= 0x80:
			return 0, false
		case b == ' ', b == '-', b == '.', b == '(', b == ')', b == '/', b == ',', b == '+':
			if gap++; gap > maxGap {
				return i, true
			}
		case b < ' ':
			return 0, false
		default:
			return i, true
		}
	}
	return len(s), true
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
	return r.phone(a)
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
