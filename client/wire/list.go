package wire

import (
	"context"
	"errors"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
)

// A List is call logs that an upstream hands out in numbered pages, sorted by
// time, and cannot narrow to a window.
type List struct {
	Name  string // unlike that of the source's other lists; for notes too
	Fetch Fetch
	Max   int   // rows of the largest page
	Keys  []Key // what it may be sorted by: at least one of them

	// Other is a name of a call besides its key and CallID, for Charts.Home; nil
	// where there is none.
	Other func(*call.Log) string

	// Reversed reads it from its end, so that a list of the newest first yields
	// the oldest first. The upstream has to count its rows.
	Reversed bool
}

// A Fetch asks for one page of a list: the size rows behind page·size others.
type Fetch func(ctx context.Context, page, size int) (Rows, error)

// Rows are one page, as an upstream answered it.
type Rows struct {
	Logs  []*call.Log // nil in place of what could not be read
	Total *int        // rows of the whole list, where it says so
	Size  int         // rows of a page, where it says so
	More  *bool       // whether there are further pages, where it says so
	Date  time.Time   // the upstream's clock
}

// A Key is what a list may be sorted by. Calls start at most Lag before it, and
// never after.
type Key struct {
	Of  func(*call.Log) time.Time
	Lag time.Duration
}

// ByStart is the order of the calls' own time.
func ByStart() Key { return Key{Of: func(l *call.Log) time.Time { return l.StartedAt }} }

// ByCreation is the order in which records were made, which for most upstreams
// is after the call: those of long calls come before those of short ones that
// started later. No call is expected to last longer than lag.
func ByCreation(lag time.Duration) Key {
	return Key{Of: func(l *call.Log) time.Time { return l.CreatedAt }, Lag: lag}
}

// A run is rows of a list that stand next to each other.
type run struct {
	at    int // the place of the first in the list, from 0
	rows  []*call.Log
	end   bool // none follow
	total int  // -1 if unknown
}

// reader asks for runs of a list by page numbers.
type reader struct {
	List
	total   int // as it was last counted, -1 before
	clock   time.Time
	asked   int // requests
	most    int // rows that a page can have, where that is fewer than was asked for
	heavy   int // rows that were too large to read
	doubted bool
}

var errUncounted = errors.New("wire: the list is not counted, so it cannot be read from its end")

const (
	// patience bounds how long one run is asked for, whatever is tried instead.
	patience = 40 * time.Second
	maxHeavy = 3
)

// run reads the rows from at on: n of them and more, or fewer where no page
// holds so many.
func (r *reader) run(ctx context.Context, at, n int) (run, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if !r.Reversed {
		return r.cover(ctx, func() (int, int) { return fit(at, n, r.Max) })
	}
	if r.total < 0 {
		if _, err := r.cover(ctx, func() (int, int) { return 0, 1 }); err != nil {
			return run{}, err
		}
		if r.total < 0 {
			return run{}, errUncounted
		}
	}
	to := r.total - at
	if to <= 0 {
		return run{at: at, end: true, total: r.total}, nil
	}
	got, err := r.cover(ctx, func() (int, int) { return fitEnd(to, n, r.Max) })
	if err != nil {
		return run{}, err
	}
	rows := slices.Clone(got.rows)
	slices.Reverse(rows)
	return run{at: r.total - got.at - len(rows), rows: rows, end: got.at == 0, total: r.total}, nil
}

// cover asks for the page that choose chooses. Where it is too heavy, r.Max is
// halved, and it has to choose again.
func (r *reader) cover(ctx context.Context, choose func() (page, size int)) (run, error) {
	for {
		page, size := choose()
		rows, err := r.Fetch(ctx, page, size)
		r.asked++
		var e *call.Error
		switch {
		case err == nil:
		case !errors.As(err, &e) || ctx.Err() != nil:
			return run{}, err
		case e.Kind == call.NotFound && page > 0: // rows were deleted: the list ends before
			rows = Rows{Total: rows.Total}
		case e.Kind != call.TooLarge && e.Kind != call.Timeout, e.Kind == call.Timeout && call.Haste(ctx) > 0:
			return run{}, err
		case size > 1:
			r.Max = size / 2
			if e.Kind == call.TooLarge {
				r.most = r.Max
			}
			continue
		case e.Kind == call.TooLarge && r.heavy < maxHeavy:
			r.heavy++
			return run{at: page, rows: []*call.Log{nil}, total: r.total}, nil
		default:
			return run{}, err
		}
		if page == 0 && len(rows.Logs) == 0 && rows.Total != nil && *rows.Total > 0 && !r.doubted {
			r.doubted = true // an empty page that counts rows is asked for once more
			continue
		}
		return r.take(rows, page, size), nil
	}
}

// take learns from a page what it says of its list. Where an upstream cuts
// pages, they begin earlier than was asked for.
func (r *reader) take(rows Rows, page, size int) run {
	n := len(rows.Logs)
	cut := rows.Size
	if more := rows.More != nil && *rows.More; cut == 0 && more {
		cut = n
	}
	if cut > 0 && cut < size {
		size, r.Max, r.most = cut, cut, cut
	}
	r.clock = rows.Date
	out := run{at: page * size, rows: rows.Logs, total: -1}
	switch {
	case rows.Total != nil:
		r.total, out.total = *rows.Total, *rows.Total
		out.end = out.at+n >= r.total
	default:
		out.end = n < size
	}
	if rows.More != nil {
		out.end = !*rows.More
	}
	return out
}

// fit is the page, and the size of pages at which it is one, that holds n rows
// from at on with the fewest others, or else the most of them. Upstreams take
// page numbers only, so a run that begins anywhere is a page of a suitable size.
func fit(at, n, most int) (page, size int) {
	n = max(1, min(n, most))
	size, best := 1, 0
	for s := 1; s <= most && best < n; s++ {
		if gain := min(n, s-at%s); gain > best {
			size, best = s, gain
		}
	}
	return at / size, size
}

// fitEnd is the same for n rows before to.
func fitEnd(to, n, most int) (page, size int) {
	n = max(1, min(n, most, to))
	size, best := 1, 0
	for s := 1; s <= most && best < n; s++ {
		if gain := min(n, (to-1)%s+1); gain > best {
			size, best = s, gain
		}
	}
	return (to - 1) / size, size
}

// gain is how many rows from at on one page can hold.
func (r *reader) gain(at int) int {
	if r.Reversed && r.total > at {
		_, size := fitEnd(r.total-at, r.Max, r.Max)
		return (r.total-at-1)%size + 1
	}
	_, size := fit(at, r.Max, r.Max)
	return size - at%size
}
