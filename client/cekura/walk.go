package cekura

import (
	"context"
	"slices"
	"sync"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// The sizes of a walk.
const (
	widestSpan = 33 * day // the API refuses wider windows
	narrowSpan = 30 * day // and an older one these
	maxSlices  = 60       // windows that one question reads, five years
	maxCounts  = 24       // windows that are counted
	fullSize   = 500      // rows of the largest page
)

func (s *source) span() time.Duration {
	if s.narrow.Load() {
		return narrowSpan
	}
	return widestSpan
}

// A span is a window that the API accepts, both ends included.
type span struct{ from, to time.Time }

// A walk reads the calls of a plan in the order of their time, a page at a
// time, and knows what the API did not do as it should.
type walk struct {
	s    *source
	plan *plan
	q    call.Query

	all    []span // of the whole window, newest first
	slices []span // still to read, in the order of reading
	seen   map[string]bool
	last   *int64      // the time of the last log that was handed on, in ms
	late   []*call.Log // logs without a time, which come last

	at, lo     time.Time // the unread part of slices[0] ends, or begins, here
	page, size int
	limit      int  // no page is larger
	matched    int  // rows that fit the filter
	byNumber   bool // the API ignores timestamp_to
	left       int  // rows of an Oldest slice that are unread; -1 if unknown

	read, skipped, heavy int // rows
	asked                int // rows that are among the ids asked for
	doubted, entered     bool
	lost                 bool  // pages could not be read
	stray, repeating     bool  // rows came from outside of the window; the same page came twice
	before               asked // the last page
	uncounted            bool  // the API does not say how many there are
	ignored              bool  // rows came that the filter should have kept away
	notes                []string
	clock                time.Time // the API's, of its last answer

	counts   []*int // of all, where known; written in the background once underway
	counting sync.WaitGroup
	underway bool
}

func (s *source) walk(p *plan, q call.Query) *walk {
	w := &walk{s: s, plan: p, q: q, seen: map[string]bool{}, limit: fullSize}
	for to := p.to; ; to = w.all[len(w.all)-1].from {
		from := to.Add(-s.span())
		if !from.After(p.from) {
			w.all = append(w.all, span{p.from, to})
			break
		}
		w.all = append(w.all, span{from, to})
	}
	w.counts = make([]*int, len(w.all))
	w.slices = slices.Clone(w.all)
	if q.Order == call.Oldest {
		slices.Reverse(w.slices)
	}
	w.resume()
	w.enter()
	w.q.Exhaust = q.Exhaust && w.filters() // else the API counts, as far as is known yet
	w.size = w.first()
	return w
}

// widest is the widest window that the walk asks for.
func (w *walk) widest() (d time.Duration) {
	for _, s := range w.all {
		d = max(d, s.to.Sub(s.from))
	}
	return d
}

// resume leaves out what lies before q.After.
func (w *walk) resume() {
	if w.q.After == nil || !w.byTime() {
		return
	}
	mark := w.q.Order.Time(w.q.After)
	if mark.IsZero() {
		return // behind all that have a time
	}
	for len(w.slices) > 1 {
		if s := w.slices[0]; w.q.Order == call.Oldest && !s.to.Before(mark) || w.q.Order != call.Oldest && !s.from.After(mark) {
			break
		}
		w.slices = w.slices[1:]
	}
	if w.q.Order == call.Oldest {
		w.slices[0].from = later(w.slices[0].from, mark.Truncate(time.Second))
	} else {
		w.slices[0].to = earlier(w.slices[0].to, after(mark))
	}
}

// after is the end of the second of t. Whole seconds hold whatever the API
// rounds, and whether it takes an end as included or not.
func after(t time.Time) time.Time { return t.Truncate(time.Second).Add(time.Second) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (w *walk) byTime() bool { return w.q.Order != call.Longest && w.q.Order != call.Shortest }

// whole says that all rows are wanted, whatever the page shows.
func (w *walk) whole() bool { return w.q.Exhaust || !w.byTime() }

// shown is how many calls the page of the answer has.
func (w *walk) shown() int {
	if w.q.Limit <= 0 {
		return call.DefaultLimit
	}
	return w.q.Limit
}

// guess is how many rows are read for one match of a residual filter, while
// nothing is known of it.
const guess = 3

// first is the size of the first page: what makes one request suffice. A page of
// a walk that goes on begins with a row that is known already.
func (w *walk) first() int {
	scan := w.q.Scan
	if scan <= 0 {
		scan = call.DefaultScan
	}
	rows := w.shown()
	switch {
	case w.whole():
		return min(fullSize, scan+1)
	case w.q.Order == call.Oldest: // its pages overlap
		rows += 2
	case w.q.Text != nil:
		rows = min(fullSize/5, scan+1)
	case w.plan.rest != nil:
		rows = min(max(guess*rows, 20), max(rows+1, fullSize/5), scan+1)
	}
	if w.q.After != nil {
		rows++
	}
	return min(rows, fullSize)
}

// grow is the size of the pages after the first: what the rows that came let
// expect to be enough, and never less than twice what was not enough.
func (w *walk) grow() {
	if w.page != 1 || w.byNumber {
		return
	}
	size := fullSize
	if w.q.Order == call.Oldest {
		size /= 5
	} else if missing := w.shown() + 1 - w.matched; !w.whole() && w.q.Text == nil && missing > 0 {
		size = 4 * w.size
		if w.matched > 0 {
			size = max(2*w.size, missing*w.read*5/(4*w.matched))
		}
	}
	w.size = min(max(w.size, size), w.limit)
}

// enter begins slices[0].
func (w *walk) enter() {
	w.page, w.left, w.doubted, w.entered = 1, -1, false, true
	if len(w.slices) > 0 {
		w.at, w.lo = w.slices[0].to, w.slices[0].from
	}
}

// fetch is a call.Fetch but for the pointer.
func (w *walk) fetch(ctx context.Context) (*call.Batch, error) {
	if !w.entered {
		w.skipEmpty()
		w.enter()
	}
	if len(w.slices) == 0 {
		return &call.Batch{Logs: w.late}, nil
	}
	read := w.newest
	if w.q.Order == call.Oldest {
		read = w.oldest
	}
	logs, more, err := read(ctx)
	if err != nil {
		return nil, err
	}
	switch all := w.plan.ids > 0 && w.asked >= w.plan.ids; {
	case all, w.repeating:
		w.slices, w.entered = nil, false
	case !more:
		w.slices, w.page, w.entered = w.slices[1:], 1, false
	}
	for _, l := range logs {
		if filter.Match(w.plan.rest, l) && filter.Match(w.plan.check, l) && filter.Match(w.q.Within, l) {
			w.matched++
		}
	}
	w.grow()
	// Where rows are left out here, reading on tells whether more will match.
	b := &call.Batch{Logs: logs, More: len(w.slices) > 0, Open: w.q.Order != call.Oldest && !w.filters(), Ties: w.s.ties.inOrder()}
	if !b.More {
		b.Logs = append(b.Logs, w.late...)
	}
	return b, nil
}

// skipEmpty leaves out the slices that are known to hold nothing. It waits for
// the counts, which are asked for once the first page has come.
func (w *walk) skipEmpty() {
	w.counting.Wait()
	for len(w.slices) > 0 {
		i := slices.Index(w.all, w.slices[0])
		if i < 0 || w.counts[i] == nil || *w.counts[i] > 0 {
			break
		}
		w.slices = w.slices[1:]
	}
}

// newest reads the next page of slices[0], newest first. It continues by time:
// calls that arrive push others to the next page number, but not past their
// own time.
func (w *walk) newest(ctx context.Context) (logs []*call.Log, more bool, err error) {
	p, err := w.ask(ctx, w.lo, w.at)
	if err != nil {
		if w.page > 1 && isStatus(err, status404) { // rows were deleted: that was the end
			return nil, false, nil
		}
		return nil, false, err
	}
	w.learn(p, w.lo, w.at)
	if !descending(p.logs) {
		return w.sorted(ctx)
	}
	oldest := time.Time{}
	for _, l := range p.logs {
		if !l.StartedAt.IsZero() {
			oldest = l.StartedAt
			w.byNumber = w.byNumber || l.StartedAt.After(after(w.at))
		}
	}
	more = p.next && p.raw > 0
	to := after(oldest)
	outside := !oldest.IsZero() && to.Before(w.lo)
	if more && outside && !w.byNumber { // it does not keep to the window: the next page tells whether it pages at all
		w.byNumber, w.stray = true, true
	} else if outside {
		more = more && p.again
	}
	if more && !oldest.IsZero() && !w.byNumber && !to.Before(w.at) {
		return w.crowd(ctx, oldest.Truncate(time.Second))
	}
	logs, fresh := w.fresh(p.logs)
	switch {
	case !more:
	case !oldest.IsZero() && !w.byNumber:
		w.at, w.page = to, 1
	case p.again, w.page > 1 && !fresh:
		w.giveUp()
		more = false
	default:
		w.page++
	}
	return logs, more, nil
}

// giveUp ends a walk through an API that repeats its pages.
func (w *walk) giveUp() {
	w.note("%s repeats its pages: each has the same calls; what lies behind them was not read", w.s.name)
	w.lost, w.repeating = true, true
}

// learn keeps the count of a whole slice, and whether pages are cut.
func (w *walk) learn(p *page, from, to time.Time) {
	if i := slices.Index(w.all, span{from, to}); i >= 0 && !w.underway && w.q.After == nil {
		w.counts[i] = p.count
	}
	w.s.ties.learn(p.logs)
	w.uncounted = w.uncounted || p.count == nil
	if p.next && p.raw > 0 && p.raw < w.size && w.page == 1 {
		w.limit = p.raw
		w.size = p.raw
	}
}

// fresh is what of logs was not handed on yet, in the order of the walk, and
// whether there was any. What arrived behind our back, before the place where
// the walk is, is left out: it would come twice on the next page.
func (w *walk) fresh(logs []*call.Log) (out []*call.Log, any bool) {
	for _, l := range logs {
		if w.seen[l.ID.Key] {
			continue
		}
		w.seen[l.ID.Key], any = true, true
		if w.plan.ids > 0 && filter.Match(w.plan.check, l) {
			w.asked++
		}
		ms := l.StartedAt.UnixMilli()
		switch {
		case l.StartedAt.IsZero():
			w.late = append(w.late, l)
			continue
		case w.last != nil && w.q.Order == call.Oldest && ms < *w.last, w.last != nil && w.q.Order != call.Oldest && ms > *w.last:
			continue
		}
		w.last = &ms
		out = append(out, l)
	}
	return out, any
}

// descending reports whether logs come newest first; those without a time do
// not count.
func descending(logs []*call.Log) bool {
	var last time.Time
	for _, l := range logs {
		if l.StartedAt.IsZero() {
			continue
		}
		if !last.IsZero() && l.StartedAt.After(last) {
			return false
		}
		last = l.StartedAt
	}
	return true
}

// audit notices rows that what was asked should have kept away.
func (w *walk) audit(logs []*call.Log) {
	for _, l := range logs {
		w.ignored = w.ignored || !filter.Match(w.plan.check, l) || !filter.Match(w.plan.within(), l)
	}
}
