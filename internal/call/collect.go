package call

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"call-logs-mcp/internal/filter"
)

// A Batch is what one request to an upstream brought.
type Batch struct {
	Logs []*Log
	More bool // there are further logs behind these
	// Open lets a page end with the last of Logs, although others of its time may
	// follow. Ties says that those were seen to come in the order of their ids.
	Open, Ties bool
	Calls      *int // how many the upstream counts in all, where it does
}

// Fetch returns the next batch. Batches come in the direction of Query.Order's
// time, newest first unless it is Oldest; what they share with the batch before
// is met once. A source whose walk is not in that order has to sort it first.
type Fetch func(ctx context.Context) (Batch, error)

// Collect pulls batches until q.Limit logs behind q.After match rest and
// q.Text, or q.Scan logs were read. A source that pushes all of a filter passes
// a nil rest. It leaves Page.Window to the source.
//
// A failure behind the first logs ends the page early, with a note, a Next and
// as its Cut.
//
// Matching ends with a failure where it takes more than SpendTime.
func Collect(ctx context.Context, q Query, rest filter.Expr, fetch Fetch) (Page, error) {
	return collect(ctx, q, rest, fetch, SpendTime)
}

func collect(ctx context.Context, q Query, rest filter.Expr, fetch Fetch, spend time.Duration) (Page, error) {
	c := collector{q: q, rest: rest, limit: q.limit(), scan: q.scan(), met: map[ID]bool{}, outside: map[string]int{}, spend: spend}
	for more := true; more && !c.full(); {
		if err := ctx.Err(); err != nil { // fetch may read from memory and never notice
			return Page{}, Stopped(err)
		}
		batch, err := fetch(ctx)
		if err != nil {
			if !c.certain() || ctx.Err() != nil {
				return Page{}, err
			}
			c.failed(err)
			break
		}
		if c.calls == nil {
			c.calls = batch.Calls
		}
		c.mayOpen, c.ties = batch.Open, batch.Ties
		if err := c.takeAll(ctx, batch.Logs); err != nil {
			return Page{}, err
		}
		if more = batch.More; !more {
			c.reopen()
		}
		c.end = !more
	}
	return c.page(), nil
}

func (q Query) limit() int {
	if q.Limit <= 0 {
		return DefaultLimit
	}
	return q.Limit
}

func (q Query) scan() int {
	if q.Scan <= 0 {
		return DefaultScan
	}
	return q.Scan
}

type collector struct {
	q           Query
	rest        filter.Expr
	limit, scan int
	spend       time.Duration // what is left for matching

	met     map[ID]bool
	outside map[string]int // logs outside of q.Within, by source
	read    int            // logs behind q.After
	calls   *int
	end     bool // the upstream has no more
	// mayOpen and ties are Open and Ties of the last batch.
	mayOpen, ties bool
	notes         []string
	cut           error
	tie           []*Log // the last logs read, all of one start time, not yet in order
	// resumed are logs of the time of an open q.After, as they came.
	resumed []*Log
	found   []match
	last    *Mark // of the last log that was put in order
}

type match struct {
	log *Log
	hit Hit
}

// byTime says whether logs arrive in the order that was asked for.
func (c *collector) byTime() bool { return c.q.Order != Longest && c.q.Order != Shortest }

// maxTie is how far a scan may be overdrawn for calls of one start time.
const maxTie = 1000

// full says whether reading may stop: the page and one more are found, or the
// scan is used up. A walk can only go on behind a whole tie, so that one which
// is longer than the scan is read to its end.
func (c *collector) full() bool {
	if c.open() {
		return true
	}
	read := c.read
	for _, n := range c.outside {
		read += n
	}
	if read >= c.scan {
		return c.certain() || read >= c.scan+maxTie
	}
	if !c.byTime() || c.q.Exhaust {
		return false
	}
	return len(c.found) > c.limit || len(c.found) == c.limit && slices.ContainsFunc(c.tie, c.matches)
}

// open says whether the last log read completes the page, although others of its
// time may follow: an upstream is asked for no more than is shown.
func (c *collector) open() bool {
	if !c.mayOpen || c.end || !c.byTime() || c.q.Exhaust || len(c.tie) != 1 || len(c.found) != c.limit-1 {
		return false
	}
	l := c.tie[0]
	return (c.q.After == nil || c.q.After.Value != c.q.Order.value(l)) && c.matches(l)
}

func (c *collector) matches(l *Log) bool {
	if !filter.Match(c.rest, l) {
		return false
	}
	if c.q.Text == nil {
		return true
	}
	_, ok := c.q.Text.Match(l, c.q.Role)
	return ok
}

// certain says whether some of what was read has its place in the order,
// whatever is read later.
func (c *collector) certain() bool {
	if !c.byTime() {
		return c.read > 0
	}
	return c.last != nil
}

// takeAll reads the logs of a batch, as long as the question may go on.
func (c *collector) takeAll(ctx context.Context, logs []*Log) error {
	began := time.Now()
	for i, l := range logs {
		c.take(l)
		if i%32 != 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return Stopped(err)
		}
		if time.Since(began) > c.spend {
			return Spent(fmt.Sprintf("the %s of computing", SpendTime), nil)
		}
	}
	c.spend -= time.Since(began)
	return nil
}

// take reads one log. Logs of equal start time are held until the next one, so
// that ids break the tie whatever order the upstream has them in.
func (c *collector) take(l *Log) {
	if c.met[l.ID] {
		return
	}
	c.met[l.ID] = true
	if !filter.Match(c.q.Within, l) {
		c.outside[l.ID.Source]++
		return
	}
	if c.byTime() {
		if c.q.After != nil && c.q.After.Open && c.q.After.Value == c.q.Order.value(l) {
			c.resumed = append(c.resumed, l)
			c.read++
			return
		}
		c.reopen()
		if c.q.After != nil && c.q.After.Passed(c.q.Order.Mark(l)) {
			return
		}
		if len(c.tie) > 0 && c.q.Order.value(l) != c.q.Order.value(c.tie[0]) {
			c.settle()
		}
	}
	c.read++
	c.tie = append(c.tie, l)
}

// reopen goes on behind an open mark. Where the upstream has logs of one time in
// the order of ids, those before the mark arrived since; else they may be ones
// that it had not told of, and are not to be lost.
func (c *collector) reopen() {
	tie := c.resumed
	if tie == nil {
		return
	}
	at := *c.q.After
	at.Open = !c.ties || !slices.IsSortedFunc(tie, c.q.Order.Compare)
	c.resumed = nil
	c.tie = append(c.tie, slices.DeleteFunc(tie, func(l *Log) bool { return at.Passed(c.q.Order.Mark(l)) })...)
}

// settle puts the logs that were held in order and keeps those that match.
func (c *collector) settle() {
	slices.SortFunc(c.tie, c.q.Order.Compare)
	for _, l := range c.tie {
		c.last = c.q.Order.Mark(l)
		if !filter.Match(c.rest, l) {
			continue
		}
		m := match{log: l}
		if c.q.Text != nil {
			var ok bool
			if m.hit, ok = c.q.Text.Match(c.q.View.Of(l), c.q.Role); !ok {
				continue
			}
		}
		c.found = append(c.found, m)
	}
	c.tie = c.tie[:0]
}

func (c *collector) failed(err error) {
	msg := "reading stopped early"
	var e *Error
	if errors.As(err, &e) {
		msg += ": " + e.Error()
	}
	c.notes, c.cut = append(c.notes, msg), err
}

func (c *collector) page() Page {
	// Where reading broke off inside a tie, its rest is unknown: it is left to
	// the next page, unless it is longer than one ever is.
	if c.last == nil {
		c.reopen()
	}
	open := c.open()
	if c.end || !c.byTime() || c.last == nil || open {
		c.settle()
	}
	total := len(c.found)
	if !c.byTime() {
		c.found = slices.DeleteFunc(c.found, func(m match) bool {
			return c.q.After != nil && c.q.After.Passed(c.q.Order.Mark(m.log))
		})
	}
	for source, n := range c.outside {
		c.notes, c.calls = append(c.notes, outside(source, n, c.q.Within)), nil // it counts those, too
	}
	p := Page{Notes: c.notes, Cut: c.cut, Coverage: Coverage{Calls: c.calls, Searched: c.read, Stuck: c.cut != nil}}
	// A full page is all that had to be looked at where the rest is counted: by
	// the upstream, or with the first page of the walk.
	counted := c.rest == nil && c.q.Text == nil || c.q.After != nil
	p.Coverage.Complete = c.end || c.byTime() && !c.q.Exhaust && len(c.found) >= c.limit && counted
	if !p.Coverage.Complete && c.last != nil && c.byTime() {
		p.Coverage.Back = c.q.Order.Time(c.last)
	}
	switch {
	case c.q.After != nil && c.byTime(): // only the rest was counted
	case c.end:
		p.Total = &total
	case c.rest == nil && c.q.Text == nil:
		p.Total = c.calls
	}
	c.share(&p)
	if open {
		p.Next.Open = true
	}
	return p
}

// share fills the page with its part of what was found.
func (c *collector) share(p *Page) {
	shown := c.found[:min(c.limit, len(c.found))]
	switch {
	case len(shown) < len(c.found):
		p.Next = c.q.Order.Mark(shown[len(shown)-1].log)
	case !c.end && c.byTime():
		p.Next = c.last
	}
	p.Logs = make([]*Log, len(shown))
	for i, m := range shown {
		p.Logs[i] = m.log
		if c.q.Text != nil {
			p.Hits = append(p.Hits, m.hit)
		}
	}
}

// Sorted finds in logs that are all in memory, in any order. The page's window
// is the time bounds of q, and only the logs in it are read. Sorting costs
// n log n, or n where they already are in the order of q or its reverse.
func Sorted(ctx context.Context, q Query, logs []*Log) (Page, error) {
	from, to, rest := filter.Bounds(q.Where, "timestamp")
	if within := filter.Within("timestamp", from, to); within != nil {
		logs = slices.DeleteFunc(slices.Clone(logs), func(l *Log) bool { return !filter.Match(within, l) })
	}
	sorted := slices.SortedFunc(slices.Values(logs), q.Order.Compare)
	q.Scan, q.Exhaust = max(q.scan(), len(logs)+1), q.Exhaust || q.Count
	p, err := Collect(ctx, q, rest, func(context.Context) (Batch, error) {
		return Batch{Logs: sorted, Calls: new(len(logs))}, nil
	})
	p.Window = Window{from, to}
	return p, err
}

// Span is the time from the first to the last start of logs.
func Span(logs []*Log) Window {
	var w Window
	for _, l := range logs {
		if t := l.StartedAt; !t.IsZero() {
			if w.From.IsZero() || t.Before(w.From) {
				w.From = t
			}
			if w.To.IsZero() || t.After(w.To) {
				w.To = t
			}
		}
	}
	return w
}
