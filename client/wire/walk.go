// Package wire reads lists of calls in numbered pages that shift while they are
// read, as if each were one answer in the order of time.
package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"call-logs-mcp/internal/call"
)

// A Walk reads the calls of a window from one or more lists as if they were
// one, in the order of their time.
//
// Rows slide to other pages while calls arrive and vanish. So each page is asked
// for with the last row of the one before: where that is not met again, the walk
// steps back until the pages join.
type Walk struct {
	o      Options
	charts *Charts
	asc    bool
	lanes  []*lane
	scan   int

	start, end int64 // the ranks of the window, start behind Query.After
	first      int   // rows of a list's first run, and of the others
	size       int
	handed     int64 // the rank up to which calls were handed on
	loose      bool
	missing    []string
	failed     error // of the first list that may not be read
}

// Options say what to walk through.
type Options struct {
	Source string // of the notes
	Lists  []List
	Query  call.Query
	Window call.Window // only calls that start in it; both ends are included
	Picky  bool        // calls will be left out, so that more than a page of the answer is read
}

// inFlight is how many lists are asked at the same time.
const inFlight = 4

// walk sends nothing yet.
func (c *Charts) walk(o Options) *Walk {
	w := &Walk{
		o: o, charts: c, asc: o.Query.Order == call.Oldest, scan: cmp.Or(max(o.Query.Scan, 0), call.DefaultScan),
		start: math.MinInt64, end: math.MaxInt64, handed: math.MinInt64,
	}
	start, end := o.Window.To, o.Window.From
	if w.asc {
		start, end = end, start
	}
	if !start.IsZero() {
		w.start = w.rank(start)
	}
	if !end.IsZero() {
		w.end = w.rank(end)
	}
	byTime := o.Query.Order != call.Longest && o.Query.Order != call.Shortest
	if mark := o.Query.After; mark != nil && byTime {
		at := o.Query.Order.Time(mark) // to the millisecond, which ends after it
		if !w.asc {
			at = at.Add(time.Millisecond)
		}
		w.start = max(w.start, w.rank(at))
	}
	w.sizes(byTime)
	for _, l := range o.Lists {
		w.lanes = append(w.lanes, newLane(w, l))
	}
	return w
}

// full is the largest page: whole transcripts come with each row.
const full = 100

// guess is how many rows are read for one match, while nothing is known of a
// filter that is applied here.
const guess = 3

// margin is how many rows more than are shown a list is asked for where its
// order may not be that of the calls' time, so that one request mostly suffices:
// fewer of a short first page.
const margin = 8

// sizes sets how many rows are asked for: first what makes one request suffice.
// Where the walk goes on, the row before that place proves that it is the place,
// and those of one time with it come again.
func (w *Walk) sizes(byTime bool) {
	limit := cmp.Or(max(w.o.Query.Limit, 0), call.DefaultLimit)
	switch {
	case w.o.Query.Exhaust || !byTime || w.o.Query.Text != nil:
		limit = full
	case w.o.Picky:
		limit = max(guess*limit, full/5)
	}
	more := min(margin, 1+limit/5)
	if w.o.Query.After != nil {
		limit, more = limit+4, margin
	}
	if slices.ContainsFunc(w.o.Lists, func(l List) bool { return len(l.Keys) > 1 }) {
		limit += more
	}
	if limit < full {
		limit++ // shows that more follows, and that the last has its place
	}
	w.first = min(limit, full, w.scan+1)
	w.size = min(full, w.scan+1)
}

// rank is t as a number that grows in the direction of reading.
func (w *Walk) rank(t time.Time) int64 {
	if w.asc {
		return t.UnixMicro()
	}
	return -t.UnixMicro()
}

func (w *Walk) within(l *call.Log) bool {
	from, to := w.o.Window.From, w.o.Window.To
	return !l.StartedAt.Before(from) && (to.IsZero() || !l.StartedAt.After(to))
}

// timeless says that calls without a start belong to the walk: they come last,
// and are in no window.
func (w *Walk) timeless() bool { return !w.asc && w.o.Window == call.Window{} }

func (w *Walk) name(l *lane) string {
	if len(w.o.Lists) == 1 {
		return w.o.Source
	}
	return l.Name + " of " + w.o.Source
}

// fetch is a call.Fetch. Lists are asked side by side, only those whose calls
// that come next are not known. One that may not be read is left out, unless
// that is all of them.
func (w *Walk) fetch(ctx context.Context) (call.Batch, error) {
	if w.loose {
		return call.Batch{}, nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	errs := make([]error, len(w.lanes))
	for i, l := range w.lanes {
		if l.done || slices.ContainsFunc(l.held, func(row *call.Log) bool { return w.rank(row.StartedAt) <= l.frontier }) {
			continue
		}
		group.Go(func() error {
			errs[i] = l.next(ctx)
			return fatal(errs[i])
		})
	}
	err := group.Wait()
	if errors.Is(err, errLoose) {
		w.loose = true
		return call.Batch{}, nil
	}
	if err != nil {
		return call.Batch{}, err
	}
	w.leaveOut(errs)
	if len(w.lanes) == 0 && w.failed != nil {
		return call.Batch{}, w.failed
	}
	return w.merge(), nil
}

// fatal is err, unless it is about one list alone.
func fatal(err error) error {
	var e *call.Error
	if errors.As(err, &e) && (e.Kind == call.Forbidden || e.Kind == call.NotFound) {
		return nil
	}
	return err
}

func (w *Walk) leaveOut(errs []error) {
	var left []*lane
	for i, l := range w.lanes {
		if errs[i] == nil {
			left = append(left, l)
			continue
		}
		w.failed = cmp.Or(w.failed, errs[i])
		w.missing = append(w.missing, fmt.Sprintf("calls of %s are missing: %s", w.name(l), errs[i]))
	}
	w.lanes = left
}

// merge hands on what no unread row can come before.
func (w *Walk) merge() call.Batch {
	frontier, more := int64(math.MaxInt64), false
	for _, l := range w.lanes {
		if !l.done {
			frontier, more = min(frontier, l.frontier), true
		}
	}
	var logs []*call.Log
	for _, l := range w.lanes {
		l.held = slices.DeleteFunc(l.held, func(row *call.Log) bool {
			ready := w.rank(row.StartedAt) <= frontier
			if ready {
				logs = append(logs, row)
			}
			return ready
		})
	}
	w.handed = max(w.handed, frontier)
	order := call.Newest
	if w.asc {
		order = call.Oldest
	}
	slices.SortFunc(logs, order.Compare)
	return call.Batch{Logs: logs, More: more, Open: w.first == full && !w.o.Picky}
}

// Find walks and collects, and walks again where a list is not sorted as it
// seemed.
func (c *Charts) Find(o Options, collect func(call.Fetch) (call.Page, error)) (call.Page, *Walk, error) {
	for {
		w := c.walk(o)
		page, err := collect(w.fetch)
		if w.loose {
			continue // now it is known, and the lists are gathered
		}
		if err != nil {
			return call.Page{}, w, err
		}
		w.finish(&page)
		return page, w, nil
	}
}

// First collects the one call that has this key or CallID, if it is among the
// first scan calls that fetch brings.
func First(ctx context.Context, key string, scan int, fetch call.Fetch) (call.Page, error) {
	return Seek(ctx, func(l *call.Log) bool { return l.ID.Key == key || l.CallID == key }, scan, fetch)
}

// Seek is First for the call of which is holds.
func Seek(ctx context.Context, is func(*call.Log) bool, scan int, fetch call.Fetch) (call.Page, error) {
	for read := 0; read < scan; {
		batch, err := fetch(ctx)
		if err != nil {
			return call.Page{}, err
		}
		for _, l := range batch.Logs {
			if is(l) {
				return call.Page{Logs: []*call.Log{l}}, nil
			}
		}
		if !batch.More {
			break
		}
		read += len(batch.Logs)
	}
	return call.Page{}, nil
}

// finish says on the page what the walk has learned.
func (w *Walk) finish(p *call.Page) {
	p.Window = w.o.Window
	p.Notes = append(w.missing, p.Notes...)
	lost, broken, heavy, timeless := len(w.missing) > 0, 0, 0, 0
	for _, l := range w.lanes {
		p.Notes = append(p.Notes, l.notes...)
		if l.clock.After(p.Clock) {
			p.Clock = l.clock
		}
		lost = lost || l.lost || l.heavy > 0
		broken, heavy, timeless = broken+len(l.broken), heavy+l.heavy, timeless+l.timeless
	}
	for _, x := range []struct {
		n    int
		what string
	}{
		{broken - heavy, "that could not be read"},
		{heavy, "larger than one answer may be, left out"},
		{timeless, "without a start time, left out"},
	} {
		if x.n > 0 {
			p.Notes = append(p.Notes, fmt.Sprintf("records of %s %s: %d", w.o.Source, x.what, x.n))
		}
	}
	if lost {
		p.Coverage.Complete, p.Total = false, nil
	}
	if all := p.Coverage.Searched; p.Coverage.Complete && p.Next == nil && w.o.Query.After == nil {
		p.Coverage.Calls = &all // the upstream does not count a window, but all of it was read
	}
}

// Cost is what the walk took: requests, rows read, and how far back it went.
func (w *Walk) Cost() (requests, rows int, back time.Time) {
	for _, l := range w.lanes {
		requests, rows = requests+l.asked, rows+l.read
		if l.last != nil && (back.IsZero() || l.last.StartedAt.Before(back)) {
			back = l.last.StartedAt
		}
	}
	return requests, rows, back
}

// Pinned is w with absolute bounds, so that a walk over several pages is about
// the same calls: to now, and from span before that.
func Pinned(w call.Window, now time.Time, span time.Duration) call.Window {
	if w.To.IsZero() {
		w.To = now.UTC().Add(time.Second - 1).Truncate(time.Second)
	}
	if w.From.IsZero() {
		w.From = w.To.Add(-span)
	}
	return w
}
