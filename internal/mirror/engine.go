package mirror

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"call-logs-mcp/internal/call"
)

// Progress is how far the reading of one source has come.
type Progress struct {
	Source   string
	Done     int         // calls read
	Total    int         // calls to read, 0 where it is not known
	Requests int         // questions asked; one that a client answers in several exchanges is one
	Rate     float64     // calls read a second
	Window   call.Window // what was read last

	// Full records that lists leave out parts of are fetched one by one, once the
	// windows are read: how many were, and of how many.
	Records, AllRecords int
}

// A Report is what a reading came to.
type Report struct {
	Read     int // calls, each time one was read
	Put      int // new or changed calls that were written
	Gone     int // calls that the upstream no longer has
	Purged   int // calls that were stored, and must not be any more
	Requests int
	Held     []Hold // calls that vanished in a way that is not believed yet
}

// A run is one reading of one source, and what it came to.
type run struct {
	source   string
	progress func(Progress) // may be nil
	began    time.Time
	now      func() time.Time

	read, put, gone, purged, requests int

	done, total int // calls of windows that are read
	ahead       int // the same of the one that is being read
}

func (r *run) tell(sp span) {
	if r.progress == nil {
		return
	}
	p := Progress{Source: r.source, Done: r.done + r.ahead, Requests: r.requests, Window: sp.window()}
	if r.total > 0 {
		p.Total = max(r.total, p.Done)
	}
	if took := r.now().Sub(r.began).Seconds(); took > 0 {
		p.Rate = float64(p.Done) / took
	}
	r.progress(p)
}

// tellRecords says how many full records were fetched.
func (r *run) tellRecords(n, all int) {
	if r.progress != nil {
		r.progress(Progress{Source: r.source, Done: r.done, Total: r.done, Requests: r.requests, Records: n, AllRecords: all})
	}
}

func (s *syncer) run(progress func(Progress)) *run {
	return &run{source: s.Name, progress: progress, began: s.o.Now(), now: s.o.Now}
}

// Cycle brings every source up to date: the first one reads everything back to
// Options.Retain, later ones what is new, was late or may have changed. One that
// was broken off goes on where it was. progress, which may be nil, hears of
// each window from one goroutine at a time. The Report is true with an error,
// too: what was read until then is written.
func (e *Engine) Cycle(ctx context.Context, progress func(Progress)) (Report, error) {
	var mu sync.Mutex
	var report Report
	errs := make([]error, len(e.names))
	var wait sync.WaitGroup
	for i, name := range e.names {
		wait.Go(func() {
			s := e.sources[name]
			r := s.run(oneAtATime(&mu, progress))
			errs[i] = s.cycle(ctx, r, 0)
			hold := s.held(ctx)
			mu.Lock()
			defer mu.Unlock()
			report.add(r, hold)
		})
	}
	wait.Wait()
	e.scrub(ctx, report)
	slices.SortFunc(report.Held, func(a, b Hold) int { return cmp.Compare(a.Source, b.Source) })
	return report, errors.Join(errs...)
}

func oneAtATime(mu *sync.Mutex, progress func(Progress)) func(Progress) {
	if progress == nil {
		return nil
	}
	return func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		progress(p)
	}
}

func (r *Report) add(run *run, hold *Hold) {
	r.Read += run.read
	r.Put += run.put
	r.Gone += run.gone
	r.Purged += run.purged
	r.Requests += run.requests
	if hold != nil {
		r.Held = append(r.Held, *hold)
	}
}

// Fill reads one window of a source now, whatever is known of it, as far back
// as the copy goes. It may be called while a Cycle runs.
func (e *Engine) Fill(ctx context.Context, source string, w call.Window, progress func(Progress)) (Report, error) {
	s, err := e.source(source)
	if err != nil {
		return Report{}, err
	}
	r := s.run(progress)
	err = s.fill(ctx, r, w)
	var report Report
	report.add(r, s.held(ctx))
	e.scrub(ctx, report)
	return report, err
}

// Release says that calls which vanished, and are held, may be believed gone.
// The next Cycle looks for them once more and lets go of those it cannot find.
func (e *Engine) Release(ctx context.Context, source string) error {
	s, err := e.source(source)
	if err != nil {
		return err
	}
	return s.release(ctx)
}

// Held lists what is held of a source; nil where nothing is.
func (e *Engine) Held(ctx context.Context, source string) *Hold {
	if s := e.sources[source]; s != nil {
		return s.held(ctx)
	}
	return nil
}

// The pace of Follow.
const (
	every       = time.Minute
	maxBackOff  = 15 * time.Minute
	detailsEach = 100 // details fetched in a cycle, so that the next one comes in time
)

// Follow runs a cycle of each source every minute until ctx ends, which it
// returns nothing about, and expires what is too old. A source that fails is
// left alone for a minute, then two, four, and at most a quarter of an hour.
// told, which may be nil, hears how each cycle went, from one goroutine at a
// time.
func (e *Engine) Follow(ctx context.Context, told func(source string, r Report, err error)) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	wait.Go(func() { e.keepExpired(ctx) })
	for _, name := range e.names {
		wait.Go(func() {
			s := e.sources[name]
			for failed := 0; ctx.Err() == nil; {
				began := s.o.Now()
				r := s.run(nil)
				err := s.cycle(call.Background(ctx), r, detailsEach)
				if ctx.Err() != nil {
					return
				}
				var report Report
				report.add(r, s.held(ctx))
				e.scrub(ctx, report)
				if told != nil {
					mu.Lock()
					told(name, report, err)
					mu.Unlock()
				}
				pause := max(every-s.o.Now().Sub(began), time.Second)
				if failed++; err == nil {
					failed = 0
				} else {
					pause = min(every<<min(failed-1, 10), maxBackOff)
				}
				if s.sleep(ctx, pause) != nil {
					return
				}
			}
		})
	}
	wait.Wait()
}

// now is our time, as the Engine is told it.
func (e *Engine) now() time.Time { return e.sources[e.names[0]].o.Now() }
