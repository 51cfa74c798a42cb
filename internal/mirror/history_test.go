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

	"call-logs-mcp/client/wire"
	"call-logs-mcp/internal/call"
)

// A mutant breaks the sync in one way: by standing between the engine and the
// upstream, or between the engine and its ledger.
type mutant struct {
	name   string
	kind   string // of the worlds that it lives in
	source func(w *world, s call.Source) call.Source
	ledger func(w *world, l ledger) ledger
	window time.Duration // the widest it believes to be allowed
	page   int           // the size of a page as it believes
	gets   bool          // believes that Get finds whatever there is
}

// A world is a random history of an upstream and of the copy that follows it.
type world struct {
	*sea
	book   *book
	mutant mutant
	page   int
	retain time.Duration
	wants  Details

	keyless, timeless bool   // what cannot be asked for
	reel              *reel  // how a timeless one is read; nil for as a whole
	beside            *world // another source of the same engine; nil for none

	engine   *Engine
	lastFull time.Time // when the last completed reading of everything began
	stats    stats
	wrongs   []string
}

type stats struct{ histories, cycles, crashes, requests, held int }

func (w *world) wrong(format string, args ...any) {
	w.wrongs = append(w.wrongs, w.name+": "+fmt.Sprintf(format, args...))
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
	s.churn, s.lag = of(0, 0.1, 0.5, 1), of(0, 0.05, 0.3)
	s.fault, s.limited, s.empty = of(0, 0.1, 0.3, 0.6), of(0, 0, 0.05), of(0, 0, 0.05)
	s.moves, s.byKey, s.dateless = rng.IntN(2) == 0, rng.IntN(2) == 0, rng.IntN(4) == 0
	s.step = []int64{8, 20}[rng.IntN(2)]
	s.marks = of(0, 0, 0.1, 0.4)
	for _, f := range s.all {
		f.marked = rng.Float64() < s.marks
		s.touch(f)
		f.origin, f.touched = true, time.Time{}
	}
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

// become makes a world of another kind: one where calls arrive as fast as they
// are read and long after they were, one without keys, one that hears no filter
// at all, and one of any of these beside one of Cekura's.
func (w *world) become(kind string) {
	switch kind {
	case "late":
		w.churn, w.lag, w.fault, w.limited, w.empty = 1, 0.3, 0.3, 0, 0
		w.late, w.step, w.page, w.retain, w.outrun = 60*day, 20, 8, max(w.retain, 80*day), 900
	case "times":
		w.keyless, w.byKey = true, false
	case "pages":
		w.keyless, w.timeless, w.outrun = true, true, 500
		r := drawReel(w.rng, w.sea, max(12, min(w.page, w.clamp)))
		if w.reel = &r; r.by == "creation" {
			w.late, w.moves = min(w.late, time.Hour), false
		}
	case "beside":
		w.become([]string{"", "times", "pages"}[w.rng.IntN(3)])
		w.beside = newWorld(w.rng.Uint64(), 12, mutant{})
		w.beside.rename("lake", "")
	}
	if w.keyless {
		w.rename("pond", "p")
	}
}

// rename gives a world another name, and what its keys begin with.
func (w *world) rename(name, prefix string) {
	w.name, w.prefix, w.crash = name, prefix, errors.New("kill -9 of "+name)
	w.book.crash = w.crash
	clear(w.sea.history)
	for _, f := range w.all {
		touched, origin := f.touched, f.origin
		w.touch(f)
		f.touched, f.origin = touched, origin
	}
}

// worlds are w and the one beside it.
func (w *world) worlds() []*world {
	if w.beside == nil {
		return []*world{w}
	}
	return []*world{w, w.beside}
}

// inScope reports whether a call exists where the copy is to have it.
func (w *world) inScope(key string) bool {
	f := w.float(key)
	return f != nil && f.start.After(w.sea.now.Add(day-w.retain)) && f.start.Before(w.sea.now.Add(ahead))
}

// origin is w as an engine is told of it by a new process.
func (w *world) origin() Origin {
	var source call.Source = w.sea
	if w.reel != nil {
		w.reel.charts = wire.Charts{}
		source = w.reel
	}
	if w.mutant.source != nil {
		source = w.mutant.source(w, source)
	}
	wide := max(w.mutant.window, 30*day)
	return Origin{
		Name: w.name, Source: source, Wait: waitFor,
		Abilities: Abilities{TimeFilter: !w.timeless, IDFilter: !w.keyless, Gets: w.mutant.gets || w.reel == nil || w.reel.named, MaxWindow: wide, PageSize: cmp.Or(w.mutant.page, w.page)},
	}
}

// start makes an engine over w and the world beside it, as a new process would.
func (w *world) start() {
	books := shelf{}
	o := Options{Ledger: books, Details: cmp.Or(w.wants, None), Stored: books.Stored}
	for _, x := range w.worlds() {
		o.Origins = append(o.Origins, x.origin())
		books[x.name] = volume{x.book, x.book}
		if x.mutant.ledger != nil {
			books[x.name] = volume{x.mutant.ledger(x, x.book), x.book}
		}
	}
	e, err := New(o)
	if err != nil {
		panic(err)
	}
	for _, x := range w.worlds() {
		x.engine = e
		s := e.sources[x.name]
		s.o.Now, s.o.Retain, s.rng = func() time.Time { return x.sea.now.Add(x.skew) }, x.retain, x.rng
		s.clock.now = s.o.Now
		s.sleep = func(ctx context.Context, d time.Duration) error {
			x.sea.now = x.sea.now.Add(d)
			return ctx.Err()
		}
	}
}

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
