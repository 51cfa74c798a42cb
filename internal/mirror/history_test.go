package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
)

// history runs one from its birth to the end, where the upstream stands still.
func history(seed uint64, scale int, m mutant) (stats, []string) {
	w := newWorld(seed, scale, m)
	w.become(m.kind)
	w.start()
	for range 4 {
		for _, x := range w.worlds() {
			x.unrest(scale)
		}
		w.cycle()
		if wrongs := w.mistakes(); len(wrongs) > 0 {
			return w.stats, wrongs
		}
	}
	w.quiet()
	w.stats.histories = 1
	for _, x := range w.worlds() {
		w.stats.requests += x.requests
	}
	return w.stats, w.mistakes()
}

// mistakes are the wrongs of all worlds.
func (w *world) mistakes() (wrongs []string) {
	for _, x := range w.worlds() {
		wrongs = append(append(wrongs, x.wrongs...), x.book.wrongs...)
	}
	return wrongs
}

// unrest is what happens before a cycle, and in it.
func (w *world) unrest(scale int) {
	w.crashIn, w.book.crashIn = 0, 0
	switch w.rng.IntN(4) {
	case 0:
		w.crashIn = 1 + w.rng.IntN(60)
	case 1:
		w.book.crashIn, w.book.after = 1+w.rng.IntN(30), w.rng.IntN(2) == 0
	}
	if w.rng.IntN(3) == 0 {
		w.sea.now = w.sea.now.Add(time.Duration(w.rng.IntN(30)) * time.Hour)
		for range w.rng.IntN(scale + 1) {
			w.mutate()
		}
	}
}

// cycle runs one and holds the copies to what is promised of them.
func (w *world) cycle() {
	w.stats.cycles++
	var before []*state
	var began []time.Time
	var finished []int
	for _, x := range w.worlds() {
		st, _ := parseState(x.book.state)
		before, began, finished = append(before, st), append(began, x.sea.now), append(finished, x.book.finished)
	}
	_, err := w.engine.Cycle(context.Background(), nil)
	for _, one := range each(err) {
		if k := kind(one); k != call.Unavailable && k != call.RateLimited && !w.crashed(one) {
			w.wrong("cycle: %v", one)
		}
	}
	for i, x := range w.worlds() {
		completed := x.book.finished > finished[i] && !errors.Is(err, x.crash)
		if err == nil && !completed {
			x.wrong("a cycle ended without an error and is not completed")
		}
		x.check(before[i], began[i], completed)
	}
	if w.crashed(err) {
		w.stats.crashes++
		w.start()
	}
}

func (w *world) crashed(err error) bool {
	return errors.Is(err, w.crash) || w.beside != nil && errors.Is(err, w.beside.crash)
}

// each are the errors that were joined.
func each(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// check is what holds after each cycle, whatever became of it.
func (w *world) check(before *state, began time.Time, completed bool) {
	st, err := parseState(w.book.state)
	if err != nil {
		w.wrong("%v", err)
		return
	}
	w.versions()
	w.frontier(st)
	if w.empty > 0 {
		return
	}
	w.leaves(st)
	if before.Cycle != nil { // it was resumed
		began = before.Cycle.Began.Add(-2 * time.Second)
	}
	if completed {
		w.complete(before, st, began)
	}
}

// versions: a stored call is a version that the upstream really had, and one that
// might be stored.
func (w *world) versions() {
	for key, c := range w.book.calls {
		v, ok := w.history[key][version(c.log)]
		if !ok || !v.start.Equal(c.log.StartedAt) {
			w.wrong("version %s of %s never was", c.log.Feedback, key)
		}
		if v.marked && !c.gone {
			w.wrong("version %s of %s must not be stored, and is", c.log.Feedback, key)
		}
	}
	if w.tooWide > 0 {
		w.wrong("a window of more than 33 days was asked for")
	}
	if w.tooEarly > 0 {
		w.wrong("asked before Retry-After")
	}
}

// frontier: it never passes a call that was not read, nor the upstream's now.
func (w *world) frontier(st *state) {
	if st.Frontier.After(w.sea.now.Add(coarse)) {
		w.wrong("the frontier %s is past now, %s", st.Frontier, w.sea.now)
	}
	if w.empty > 0 {
		return
	}
	for _, f := range w.all {
		if f.origin && f.start.Before(st.Frontier) && w.book.calls[f.log.ID.Key] == nil {
			w.wrong("the frontier %s passed call %d of %s, which was never read", st.Frontier, f.id, f.start)
		}
	}
}

// leaves: what a leaf covers is in the copy, as it was when the leaf was read.
func (w *world) leaves(st *state) {
	newest := newest(w.book.leaves)
	for _, f := range w.all {
		i := slices.IndexFunc(newest, func(l leafOf) bool { return !f.start.Before(l.From) && !f.start.After(l.To) })
		if i < 0 || !f.touched.Before(newest[i].ReadAt.Add(-coarse)) {
			continue
		}
		c := w.book.calls[f.log.ID.Key]
		switch _, told := st.Withheld[f.log.ID.Key]; {
		case f.marked && (!told || c == nil || !c.gone):
			w.wrong("call %d of %s must not be stored, and that is not known (stored: %t)", f.id, f.start, c != nil && !c.gone)
		case !f.marked && (c == nil || c.gone || c.log != f.log):
			w.wrong("call %d of %s is covered as of %s and not in the copy", f.id, f.start, newest[i].ReadAt)
		case !f.marked && told:
			w.wrong("call %d of %s may be stored, and is told of as withheld", f.id, f.start)
		}
	}
}

// complete: what stood unchanged during a completed cycle is in the copy.
func (w *world) complete(before, st *state, began time.Time) {
	full := st.Far.After(before.Far)
	from := time.Unix(w.fromOf(before, st, full), 0)
	for _, f := range w.all {
		if !f.touched.Before(began) || f.start.Before(w.sea.now.Add(day-w.retain)) {
			continue
		}
		// What was moved, once everything had been read, to where nobody looks
		// again is met when that is next read.
		if !full && f.start.Before(from) && !f.remarked.Before(w.lastFull) {
			continue // a mark is noticed when its time is next read
		}
		moved := !f.moved.Before(w.lastFull) && f.id <= before.IDs
		if w.keyless {
			moved = !f.touched.Before(w.lastFull)
		}
		if !full && moved && f.start.Before(from) {
			continue
		}
		c := w.book.calls[f.log.ID.Key]
		if stored := c != nil && !c.gone; stored == f.marked {
			w.wrong("call %d of %s stood still during a cycle; it must not be stored: %t, it is stored: %t", f.id, f.start, f.marked, stored)
		} else if full && c != nil && c.log != f.log && !f.marked {
			w.wrong("call %d of %s stood still while everything was read and is out of date", f.id, f.start)
		}
	}
	if full {
		w.lastFull = began
	}
}

// fromOf is where the windows of the cycle began that led from one state to the
// next, at the latest.
func (w *world) fromOf(before, st *state, full bool) int64 {
	switch {
	case full:
		return 0
	case before.Cycle != nil:
		return before.Cycle.From
	}
	return before.Frontier.Add(-recent).Unix()
}

// quiet: when the upstreams stand still, two full readings make the copies equal
// to them, and a further cycle writes nothing and asks little.
func (w *world) quiet() {
	for _, x := range w.worlds() {
		x.crashIn, x.book.crashIn = 0, 0
		x.churn, x.lag, x.fault, x.limited, x.empty = 0, 0, 0, 0, 0
		for _, f := range x.hidden {
			x.show(f)
		}
	}
	ctx := context.Background()
	var report Report
	for i := range 8 {
		for _, x := range w.worlds() {
			x.sea.now = x.sea.now.Add(8 * day)
			x.retain += 9 * day // the horizon stays behind the first call
		}
		w.start()
		var err error
		if report, err = w.engine.Cycle(ctx, nil); err != nil {
			w.wrong("quiet: %v", err)
			return
		}
		if w.stats.held += len(report.Held); i >= 1 && len(report.Held) == 0 {
			break
		}
	}
	if len(report.Held) > 0 {
		w.wrong("quiet: held: %v", report.Held)
	}
	var writes, asked []int
	for _, x := range w.worlds() {
		x.equal()
		writes, asked = append(writes, x.book.writes), append(asked, x.requests)
	}
	if _, err := w.engine.Cycle(ctx, nil); err != nil {
		w.wrong("quiet: %v", err)
	}
	for i, x := range w.worlds() {
		if x.book.writes != writes[i] {
			x.wrong("quiet: %d writes without a change", x.book.writes-writes[i])
		}
		months, n, page := int(x.retain/(30*day))+2, len(x.recentCalls()), min(x.page, x.clamp)
		if asked := x.requests - asked[i]; !x.keyless && page > behindIDs && asked > 1+months+1+2*(n/page+1) {
			x.wrong("quiet: %d requests for a cycle over %d recent calls and %d months", asked, n, months)
		}
	}
}

// equal: the copy has what the upstream has, but for what must not be stored, of
// which it knows.
func (w *world) equal() {
	live, marked := 0, 0
	for key, c := range w.book.calls {
		if c.gone {
			continue
		}
		live++
		if f := w.float(key); f == nil {
			w.wrong("quiet: call %s is in the copy and not upstream", key)
		} else if f.log != c.log {
			w.wrong("quiet: call %s is out of date: %s", key, c.log.Feedback)
		}
	}
	for _, f := range w.all {
		if f.marked {
			marked++
		}
	}
	st, _ := parseState(w.book.state)
	if live != len(w.all)-marked || len(st.Withheld) != marked {
		w.wrong("quiet: the copy has %d calls and knows of %d more, the upstream has %d, %d of which must not be stored", live, len(st.Withheld), len(w.all), marked)
	}
}

// recentCalls are those that every cycle reads.
func (w *world) recentCalls() (recentOnes []*float) {
	for _, f := range w.all {
		if f.start.After(w.sea.now.Add(-recent - 6*time.Hour)) {
			recentOnes = append(recentOnes, f)
		}
	}
	return recentOnes
}

// say is what went wrong in a history, and how to see it again.
func say(seed uint64, scale int, wrongs []string) string {
	return fmt.Sprintf("seed %d, scale %d:\n%s", seed, scale, strings.Join(wrongs[:min(5, len(wrongs))], "\n"))
}
