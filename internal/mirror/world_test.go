package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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
		x.engine, x.quietUntil = e, time.Time{} // a new process was told nothing
		s := e.sources[x.name]
		s.o.Now, s.o.Retain, s.rng = func() time.Time { return x.sea.now.Add(x.skew) }, x.retain, x.rng
		s.clock.now = s.o.Now
		s.sleep = func(ctx context.Context, d time.Duration) error {
			x.sea.now = x.sea.now.Add(d)
			return ctx.Err()
		}
	}
}
