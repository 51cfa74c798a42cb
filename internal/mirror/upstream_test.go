package mirror

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// A sea is an upstream in which everything happens while it is read. Its time
// goes on by a second with each request.
type sea struct {
	name    string // of the source
	prefix  string // of keys; where there is one, they are no numbers
	crash   error  // what a kill -9 looks like
	rng     *rand.Rand
	now     time.Time
	skew    time.Duration // of our clock against its
	calls   map[int64]*float
	all     []*float // the same, in order of their keys
	next    int64
	history map[string]map[int]seen // each version that ever was

	churn, lag, fault, limited, empty float64 // a request, how often
	marks                             float64 // a change: that a call must not be stored, or may be
	clamp                             int
	step                              int64 // from a key to the next, at most
	outrun                            int   // requests, after which calls stop to come: one with each can be faster than pages of eight
	late                              time.Duration
	moves, byKey, dateless, talks     bool
	detailed                          bool // Get knows more than lists
	crashIn                           int
	quietUntil                        time.Time // after a 429
	hidden                            []*float  // calls that have their keys and cannot be seen yet

	changes, requests, tooWide, tooEarly, details int
}

// A float is a call in the sea.
type float struct {
	id       int64
	version  int
	start    time.Time
	made     time.Time // when it got its key
	marked   bool      // must not be stored
	remarked time.Time // when that last changed
	log      *call.Log
	touched  time.Time // when it last changed
	moved    time.Time // when its start last changed
	origin   bool      // never touched since the beginning
}

// seen is what a version was.
type seen struct {
	start  time.Time
	marked bool
}

func newSea(rng *rand.Rand, n int, span time.Duration) *sea {
	s := &sea{
		rng: rng, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), calls: map[int64]*float{}, next: 1,
		history: map[string]map[int]seen{}, clamp: 1000, step: 8, outrun: 3000, name: "sea", crash: errCrash,
	}
	for range n {
		s.insert(s.now.Add(-time.Duration(rng.Int64N(int64(span/time.Second))) * time.Second)).origin = true
	}
	return s
}

func (s *sea) key(f *float) string { return s.prefix + strconv.FormatInt(f.id, 10) }

// float is the call with a key, nil where there is none.
func (s *sea) float(key string) *float {
	id, _ := number(strings.TrimPrefix(key, s.prefix))
	return s.calls[id]
}

// insert makes a call. Keys have gaps, and some are given before their calls can
// be seen, but fewer than an Engine reckons with.
func (s *sea) insert(start time.Time) *float {
	f := &float{id: s.next, start: start, made: start.Add(time.Duration(s.rng.IntN(3600)) * time.Second), marked: s.rng.Float64() < s.marks}
	s.next += 1 + s.rng.Int64N(s.step)
	s.show(f)
	return f
}

func (s *sea) show(f *float) {
	s.calls[f.id] = f
	s.all = append(s.all, f)
	s.touch(f)
}

// arrive is insert for a call that may be seen later.
func (s *sea) arrive(start time.Time) {
	if s.rng.IntN(5) == 0 {
		s.hidden = append(s.hidden, &float{id: s.next, start: start, made: s.now})
		s.next++
		return
	}
	s.insert(start)
}

func (s *sea) touch(f *float) {
	s.changes++
	key := s.key(f)
	f.touched, f.origin = s.now, false
	f.log = &call.Log{
		ID: call.ID{Source: s.name, Key: key}, StartedAt: f.start, CreatedAt: f.made, UpdatedAt: time.Unix(int64(f.version), 0).UTC(),
		Feedback: fmt.Sprintf("v%d", f.version), Sensitive: f.marked,
	}
	if s.talks {
		f.log.Turns = []call.Turn{{Index: 1, Role: call.RoleCaller, Text: "Hello, this is about order " + key + "."}}
	}
	if f.version > 0 || f.id%3 == 0 {
		f.log.Success = new((f.id+int64(f.version))%2 == 0)
	}
	if s.history[key] == nil {
		s.history[key] = map[int]seen{}
	}
	s.history[key][f.version] = seen{f.start, f.marked}
}

func version(l *call.Log) int { return int(l.UpdatedAt.Unix()) }

func (s *sea) pick() *float {
	if len(s.all) == 0 {
		return nil
	}
	return s.all[s.rng.IntN(len(s.all))]
}

// mutate is one thing that happens.
func (s *sea) mutate() {
	if len(s.hidden) > 0 && s.next-s.hidden[0].id > behindIDs/2 {
		s.show(s.hidden[0])
		s.hidden = s.hidden[1:]
	}
	f := s.pick()
	switch x := s.rng.Float64(); {
	case x < 0.55 || f == nil:
		start := s.now.Truncate(time.Second)
		if s.late > 0 && s.rng.Float64() < 0.3 {
			start = start.Add(-time.Duration(s.rng.Int64N(int64(s.late/time.Second))) * time.Second)
		}
		s.arrive(start)
	case x < 0.85:
		f.version++
		if s.moves && s.rng.Float64() < 0.2 {
			f.start = f.start.Add(time.Duration(s.rng.Int64N(7200)-3600) * time.Second)
			f.moved = s.now
		}
		if s.rng.Float64() < s.marks {
			f.remarked = s.now
			f.marked = !f.marked || s.rng.IntN(3) > 0 // seldom taken back
		}
		s.touch(f)
	default:
		s.remove(f)
	}
}

// maybe changes something, as often as p says.
func (s *sea) maybe(p float64) bool {
	happens := s.rng.Float64() < p && s.requests < s.outrun
	if happens {
		s.mutate()
	}
	return happens
}

func (s *sea) remove(f *float) {
	s.changes++
	delete(s.calls, f.id)
	s.all = slices.DeleteFunc(s.all, func(x *float) bool { return x == f })
}

// happens is what every request begins with.
func (s *sea) happens(ctx context.Context) error {
	if s.crashIn > 0 {
		if s.crashIn--; s.crashIn == 0 {
			return s.crash
		}
	}
	if err := ctx.Err(); err != nil {
		return call.Stopped(err)
	}
	s.requests++
	if s.now.Before(s.quietUntil) {
		s.tooEarly++
	}
	s.now = s.now.Add(time.Second)
	s.maybe(s.churn)
	switch x := s.rng.Float64(); {
	case x < s.fault:
		return &call.Error{Kind: call.Unavailable, Msg: "The sea is rough."}
	case x < s.fault+s.limited:
		wait := time.Duration(1+s.rng.IntN(120)) * time.Second
		s.quietUntil = s.now.Add(wait)
		return &limitedError{wait}
	}
	return nil
}

// limitedError is a 429 with a Retry-After.
type limitedError struct{ wait time.Duration }

func (e *limitedError) Error() string { return "later" }
func (e *limitedError) Unwrap() error { return &call.Error{Kind: call.RateLimited, Msg: "Later."} }

func waitFor(err error) time.Duration {
	if e, ok := err.(*limitedError); ok {
		return e.wait
	}
	return 0
}

// Find implements call.Source for what an Engine asks, as Django would: the
// next page is known by the count, which may be of a moment before.
func (s *sea) Find(ctx context.Context, q call.Query) (call.Page, error) {
	if err := s.happens(ctx); err != nil {
		return call.Page{}, err
	}
	from, to, _ := filter.Bounds(q.Where, "timestamp")
	if to.Sub(from) > 33*day {
		s.tooWide++
		return call.Page{}, &call.Error{Kind: call.Invalid, Msg: "The range is wider than 33 days."}
	}
	page := call.Page{Coverage: call.Coverage{Complete: true}}
	if !s.dateless {
		page.Clock = s.now.Truncate(time.Second)
	}
	if s.rng.Float64() < s.empty {
		page.Coverage.Calls = new(int)
		return page, nil
	}
	found := s.matching(q)
	count, size := len(found), min(q.Limit, s.clamp)
	if s.maybe(s.lag) {
		found = s.matching(q)
	}
	more := count > size
	if size < q.Limit {
		more = len(found) > size // how it cuts is not what it tells
	}
	for _, f := range found[:min(size, len(found))] {
		page.Logs = append(page.Logs, f.log)
	}
	page.Coverage.Calls, page.Coverage.Searched = &count, len(page.Logs)
	if more && len(page.Logs) > 0 {
		page.Next = q.Order.Mark(page.Logs[len(page.Logs)-1])
	}
	return page, nil
}

func (s *sea) matching(q call.Query) []*float {
	from, to, rest := filter.Bounds(q.Where, "timestamp")
	idFrom, idTo, keys := asks(q)
	if !keys && !asksForDetails(rest) {
		rest = nil // the bounds of ids are all there is
	}
	var found []*float
	for _, f := range s.all {
		if f.start.Before(from) || f.start.After(to) || f.id < idFrom || idTo > 0 && f.id > idTo || !filter.Match(rest, f.log) {
			continue
		}
		if q.After != nil && q.Order.Mark(f.log).Compare(q.After) <= 0 {
			continue
		}
		found = append(found, f)
	}
	slices.SortFunc(found, func(a, b *float) int {
		if s.byKey && q.After == nil {
			return cmp.Compare(b.id, a.id)
		}
		return q.Order.Compare(a.log, b.log)
	})
	return found
}

// Get implements call.Source.
func (s *sea) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	if err := s.happens(ctx); err != nil {
		return nil, err
	}
	f := s.float(id.Key)
	if f == nil {
		return nil, &call.Error{Kind: call.NotFound, Msg: "No such call."}
	}
	s.details++
	if !s.detailed {
		return f.log, nil
	}
	l := *f.log
	l.Detailed, l.Metadata = true, map[string]any{"vip": "yes"}
	return &l, nil
}
