package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
)

// A mutant breaks the sync in one way: by standing between the engine and the
// upstream, or between the engine and its ledger.
type mutant struct {
	name   string
	source func(w *world, s call.Source) call.Source
	ledger func(w *world, l ledger) ledger
	window time.Duration // the widest it believes to be allowed
	page   int           // the size of a page as it believes
}

// A world is a random history of an upstream and of the copy that follows it.
type world struct {
	*sea
	book   *book
	mutant mutant
	page   int
	retain time.Duration
	wants  Details

	keyless, timeless bool // what cannot be asked for

	engine   *Engine
	lastFull time.Time // when the last completed reading of everything began
	stats    stats
	wrongs   []string
}

type stats struct{ histories, cycles, crashes, requests, held int }

func (w *world) wrong(format string, args ...any) {
	w.wrongs = append(w.wrongs, fmt.Sprintf(format, args...))
}

// newWorld draws a world. scale bounds how many calls there are.
func newWorld(seed uint64, scale int, m mutant) *world {
	rng := rand.New(rand.NewPCG(seed, 7))
	of := func(p ...float64) float64 { return p[rng.IntN(len(p))] }
	span := []time.Duration{time.Hour, day, 20 * day, 90 * day}[rng.IntN(4)]
	s := newSea(rng, rng.IntN(scale+1), span)
	if rng.IntN(3) == 0 { // many calls in the same second
		at := s.now.Add(-span / 2).Truncate(time.Second)
		for range rng.IntN(scale/2 + 1) {
			s.insert(at).origin = true
		}
	}
	for _, f := range s.all {
		f.origin, f.touched, f.moved = true, time.Time{}, time.Time{}
	}
	s.churn, s.lag = of(0, 0.1, 0.5, 1), of(0, 0.05, 0.3)
	s.fault, s.limited, s.empty = of(0, 0.1, 0.3, 0.6), of(0, 0, 0.05), of(0, 0, 0.05)
	s.moves, s.byKey, s.dateless = rng.IntN(2) == 0, rng.IntN(2) == 0, rng.IntN(4) == 0
	s.late = []time.Duration{0, time.Hour, 10 * day}[rng.IntN(3)]
	if !s.dateless {
		s.skew = []time.Duration{0, time.Hour, -time.Hour, day, -day}[rng.IntN(5)]
	}
	w := &world{sea: s, book: newBook(), mutant: m, page: []int{8, 12, 20, 64}[rng.IntN(4)], retain: span + 12*day}
	if rng.IntN(4) == 0 {
		s.clamp = w.page/2 + rng.IntN(w.page/2)
	}
	w.book.exists = w.inScope
	return w
}

// inScope reports whether a call exists where the copy is to have it.
func (w *world) inScope(key string) bool {
	id, _ := number(key)
	f := w.calls[id]
	return f != nil && f.start.After(w.sea.now.Add(day-w.retain)) && f.start.Before(w.sea.now.Add(ahead))
}

// start makes an engine, as a new process would.
func (w *world) start() {
	var source call.Source = w.sea
	if w.mutant.source != nil {
		source = w.mutant.source(w, source)
	}
	var l ledger = w.book
	if w.mutant.ledger != nil {
		l = w.mutant.ledger(w, l)
	}
	wide := max(w.mutant.window, 30*day)
	e, err := New(Options{
		Origins: []Origin{{
			Name: "sea", Source: source, Wait: waitFor,
			Abilities: Abilities{TimeFilter: !w.timeless, IDFilter: !w.keyless, MaxWindow: wide, PageSize: cmp.Or(w.mutant.page, w.page)},
		}},
		Ledger: l, Details: cmp.Or(w.wants, None), Stored: w.book.Stored, Retain: w.retain,
		Now: func() time.Time { return w.sea.now.Add(w.skew) },
	})
	if err != nil {
		panic(err)
	}
	e.sources["sea"].sleep = func(ctx context.Context, d time.Duration) error {
		w.sea.now = w.sea.now.Add(d)
		return ctx.Err()
	}
	e.sources["sea"].rng = w.rng
	w.engine = e
}

// history runs one from its birth to the end, where the upstream stands still.
func history(seed uint64, scale int, m mutant) (stats, []string) {
	w := newWorld(seed, scale, m)
	w.start()
	for range 4 {
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
		w.cycle()
		if w.wrongs = append(w.wrongs, w.book.wrongs...); len(w.wrongs) > 0 {
			return w.stats, w.wrongs
		}
	}
	w.crashIn, w.book.crashIn = 0, 0
	w.quiet()
	w.stats.histories, w.stats.requests = 1, w.requests
	return w.stats, append(w.wrongs, w.book.wrongs...)
}

// cycle runs one and holds the copy to what is promised of it.
func (w *world) cycle() {
	w.stats.cycles++
	before, _ := parseState(w.book.state)
	began := w.sea.now
	_, err := w.engine.Cycle(context.Background(), nil)
	st, perr := parseState(w.book.state)
	if perr != nil {
		w.wrong("%v", perr)
		return
	}
	w.versions()
	w.frontier(st)
	if w.empty == 0 {
		w.leaves(st)
	}
	switch {
	case errors.Is(err, errCrash):
		w.stats.crashes++
		w.start()
		return
	case err != nil && kind(err) != call.Unavailable && kind(err) != call.RateLimited:
		w.wrong("cycle: %v", err)
		return
	case err != nil:
		return
	}
	if before.Cycle != nil { // it was resumed
		began = before.Cycle.Began.Add(-2 * time.Second)
	}
	if w.empty == 0 {
		w.complete(before, st, began)
	}
}

// versions: a stored call is a version that the upstream really had.
func (w *world) versions() {
	for key, c := range w.book.calls {
		if start, ok := w.history[key][version(c.log)]; !ok || !start.Equal(c.log.StartedAt) {
			w.wrong("version %s of %s never was", c.log.Feedback, key)
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
		if c := w.book.calls[f.log.ID.Key]; c == nil || c.gone || c.log != f.log {
			w.wrong("call %d of %s is covered as of %s and not in the copy", f.id, f.start, newest[i].ReadAt)
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
		if !full && !f.moved.Before(w.lastFull) && f.id <= before.IDs && f.start.Before(from) {
			continue
		}
		c := w.book.calls[f.log.ID.Key]
		if c == nil || c.gone {
			w.wrong("call %d of %s stood still during a cycle and is not in the copy", f.id, f.start)
		} else if full && c.log != f.log {
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

// quiet: when the upstream stands still, two full readings make the copy equal
// to it, and a further cycle writes nothing and asks little.
func (w *world) quiet() {
	w.churn, w.lag, w.fault, w.limited, w.empty = 0, 0, 0, 0, 0
	for _, f := range w.hidden {
		w.show(f)
	}
	ctx := context.Background()
	var report Report
	for i := range 8 {
		w.sea.now = w.sea.now.Add(8 * day)
		w.retain += 9 * day // the horizon stays behind the first call
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
	live := 0
	for key, c := range w.book.calls {
		if c.gone {
			continue
		}
		live++
		if id, _ := number(key); w.calls[id] == nil {
			w.wrong("quiet: call %s is in the copy and not upstream", key)
		} else if w.calls[id].log != c.log {
			w.wrong("quiet: call %s is out of date: %s", key, c.log.Feedback)
		}
	}
	if live != len(w.all) || len(report.Held) > 0 {
		w.wrong("quiet: the copy has %d calls, the upstream %d, held %v", live, len(w.all), report.Held)
	}
	writes, asked := w.book.writes, w.requests
	if _, err := w.engine.Cycle(ctx, nil); err != nil {
		w.wrong("quiet: %v", err)
	}
	if w.book.writes != writes {
		w.wrong("quiet: %d writes without a change", w.book.writes-writes)
	}
	months, n, page := int(w.retain/(30*day))+2, len(w.recentCalls()), min(w.page, w.clamp)
	if asked := w.requests - asked; page > behindIDs && asked > 1+months+1+2*(n/page+1) {
		w.wrong("quiet: %d requests for a cycle over %d recent calls and %d months", asked, n, months)
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
