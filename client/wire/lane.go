package wire

import (
	"context"
	"errors"
	"math"
	"slices"

	"call-logs-mcp/internal/call"
)

// errLoose says that a list is not sorted by any of its keys.
var errLoose = errors.New("wire: the list is not sorted")

// A lane is one list as a walk reads it, from where the walk begins to where
// the list is behind its end.
//
// A rank is a time as a number that grows in the direction of reading. A key of
// a row bounds the rank of its start, and as the list is sorted by one of the
// keys, that of all rows before and behind it.
type lane struct {
	reader
	w    *Walk
	dead []bool // the keys that the list is not sorted by

	placed  bool // the run that the walk begins with was read
	bare    bool // the next run is asked for without overlap
	pos     int  // rows before it are known
	overlap int  // rows before pos that are asked for again
	count   int  // as the list was counted at pos, -1 if unknown
	back    int  // how far to step back next, if rows slid away
	steps   int  // back, since the walk came further
	last    *call.Log
	seen    map[string]bool

	held     []*call.Log // read, in the window and not handed on
	frontier int64       // unread rows have this rank at least
	done     bool

	patience int          // runs without anything new that are put up with
	read     int          // rows
	broken   map[int]bool // the places of rows that could not be read
	timeless int          // rows without a start
	lost     bool
	notes    []string
}

// maxBarren is how often runs of a list may bring nothing new before it counts
// as one that repeats itself: eight times, or 64 where it changes.
const maxBarren = 64

// maxSteps is how often a walk steps back before it comes further. Four times
// from the end of any list to its beginning are fewer.
const maxSteps = 48

const tooFast = "%s changes faster than its pages can be read; what lies behind them was not read"

func newLane(w *Walk, l List) *lane {
	l.Max = w.charts.most(l.Name, l.Max)
	return &lane{
		reader: reader{List: l, total: -1}, w: w, dead: make([]bool, len(l.Keys)), count: -1,
		seen: map[string]bool{}, broken: map[int]bool{}, frontier: math.MinInt64, patience: maxBarren,
	}
}

// chart is the name of the lane's chart: places count from where reading begins.
func (l *lane) chart() string {
	if l.w.asc {
		return l.Name + " up"
	}
	return l.Name
}

// bounds are the ranks between which the start of row lies if the list is
// sorted by key k.
func (l *lane) bounds(row *call.Log, k Key) (lo, hi int64) {
	if l.w.asc {
		return l.w.rank(k.Of(row).Add(-k.Lag)), l.w.rank(k.Of(row))
	}
	return l.w.rank(k.Of(row)), l.w.rank(k.Of(row).Add(-k.Lag))
}

// sorts says that the list may be sorted by its key i, which row has.
func (l *lane) sorts(i int, row *call.Log) bool { return !l.dead[i] && !l.Keys[i].Of(row).IsZero() }

// before is the latest rank that rows before this one can have.
func (l *lane) before(row *call.Log) int64 {
	rank := int64(math.MinInt64)
	for i, k := range l.Keys {
		if _, hi := l.bounds(row, k); l.sorts(i, row) {
			rank = max(rank, hi)
		}
	}
	return rank
}

// behind is the earliest rank that rows behind this one can have.
func (l *lane) behind(row *call.Log) int64 {
	rank := int64(math.MaxInt64)
	for i, k := range l.Keys {
		if lo, _ := l.bounds(row, k); l.sorts(i, row) {
			rank = min(rank, lo)
		}
	}
	return rank
}

// next reads the next run, and notes what is in the window.
func (l *lane) next(ctx context.Context) error {
	if l.w.charts.isLoose(l.Name) {
		return l.gather(ctx)
	}
	r, err := l.ask(ctx)
	if errors.Is(err, errUncounted) {
		return l.loosen()
	}
	if err != nil {
		return err
	}
	l.read += len(r.rows)
	l.w.charts.cut(l.Name, l.most)
	if !l.joins(r) {
		l.stepBack(r)
		return nil
	}
	return l.accept(ctx, r)
}

// ask reads from where the walk begins, or from the last row that is known and
// those of the same time, which may have changed places: as long as that is met
// again, nothing slid away between the two runs.
func (l *lane) ask(ctx context.Context) (run, error) {
	if !l.placed {
		if l.back == 0 {
			l.pos, _ = l.w.charts.guess(l.chart(), l.w.start)
		}
		return l.run(ctx, l.pos, l.w.first)
	}
	at := max(0, l.pos-min(l.overlap, l.Max/2))
	for l.pos-at < l.Max && at > 0 && l.gain(at) <= l.pos-at {
		at-- // no page goes from there past pos
	}
	if l.bare = at == l.pos || l.gain(at) <= l.pos-at; l.bare {
		at = l.pos // pages of all sizes end there, or hold one row
	}
	return l.run(ctx, at, l.w.size)
}

// joins says that no row lies unread before r.
func (l *lane) joins(r run) bool {
	if r.at <= 0 {
		return true
	}
	first := timed(r.rows)
	switch {
	case !l.placed:
		return first != nil && l.before(first) < l.w.start
	case first != nil && (l.seen[first.ID.Key] || l.earlier(first)):
		return true
	case l.bare && r.at <= l.pos:
		return r.total == l.count
	}
	return first == nil && slices.ContainsFunc(r.rows, l.knows)
}

// further says that row is new, and did not arrive where the walk has been.
func (l *lane) further(row *call.Log) bool {
	return row != nil && !l.seen[row.ID.Key] && !l.earlier(row)
}

func (l *lane) knows(row *call.Log) bool { return row != nil && l.seen[row.ID.Key] }

// earlier says that row comes before the last one that was read.
func (l *lane) earlier(row *call.Log) bool {
	if l.last == nil {
		return false
	}
	for i, k := range l.Keys {
		lo, _ := l.bounds(row, k)
		last, _ := l.bounds(l.last, k)
		if l.sorts(i, row) && l.sorts(i, l.last) && lo >= last {
			return false
		}
	}
	return true
}

// stepBack begins the next run earlier, and has patience with what is read once
// more on the way.
func (l *lane) stepBack(r run) {
	if l.steps++; l.steps > maxSteps {
		l.giveUp(tooFast, l.w.name(l))
		return
	}
	l.back = max(1, 4*l.back)
	l.patience += 8 + 8*min(l.back, l.pos)/max(1, l.Max)
	l.pos = max(0, l.pos-l.back)
	l.barren(r)
}

// barren counts a run without anything new, less where the list has changed. It
// ends the lane where the upstream gives the same rows over and over.
func (l *lane) barren(r run) {
	still := r.total < 0 || r.total == l.count
	if l.patience--; still {
		l.patience -= 7
	}
	switch {
	case l.patience >= 0:
	case !still:
		l.giveUp(tooFast, l.w.name(l))
	default:
		l.giveUp("%s repeats its pages; what lies behind them was not read", l.w.name(l))
	}
}

// giveUp ends the lane before the end of its list, and says why.
func (l *lane) giveUp(why string, args ...any) {
	l.note(why, args...)
	l.lost, l.done = true, true
}

// accept takes the rows of a run that joins those before.
func (l *lane) accept(ctx context.Context, r run) error {
	fresh := slices.ContainsFunc(r.rows, func(row *call.Log) bool { return row != nil && !l.seen[row.ID.Key] })
	if !l.sorted(r) || l.leapt(r) {
		return l.loosen()
	}
	if slices.ContainsFunc(r.rows, l.further) {
		l.steps = 0
	}
	l.learn(r)
	for i, row := range r.rows {
		l.take(row, r.at+i)
	}
	l.pos, l.back, l.placed = r.at+len(r.rows), 0, true
	last := timed(reversed(r.rows))
	if last != nil && (l.last == nil || !l.earlier(last)) {
		l.last = last
		l.frontier = max(l.frontier, l.behind(last))
	}
	l.overlap = max(1, l.tied(r))
	switch {
	case r.end:
		l.done = true
	case l.frontier > l.w.end:
		l.done = true
	case fresh:
		l.patience = maxBarren
	default:
		l.barren(r)
	}
	l.count = r.total
	if !l.done && last != nil && l.before(last) < l.w.start {
		return l.leap(ctx)
	}
	return nil
}

// learn charts the places of a run.
func (l *lane) learn(r run) {
	for i, row := range r.rows {
		if row != nil && !row.StartedAt.IsZero() {
			l.w.charts.put(l.chart(), r.at+i, l.before(row))
			other := ""
			if l.Other != nil {
				other = l.Other(row)
			}
			l.w.charts.met(l.Name, row, other)
		}
	}
}

// take keeps a row that the walk has not passed yet: one that arrived behind
// its back would come twice on the next page.
func (l *lane) take(row *call.Log, at int) {
	switch {
	case row == nil:
		l.broken[at] = true
		return
	case l.seen[row.ID.Key]:
		return
	}
	l.seen[row.ID.Key] = true
	switch {
	case row.StartedAt.IsZero() && !l.w.timeless():
		l.timeless++
	case l.w.within(row) && l.w.rank(row.StartedAt) >= l.w.handed:
		l.held = append(l.held, row)
	}
}

// tied is how many rows at the end of a run share a time.
func (l *lane) tied(r run) int {
	n := 0
	for _, row := range reversed(r.rows) {
		if n > 0 && row != nil && !row.StartedAt.IsZero() && l.last != nil && l.earlier(row) {
			break
		}
		n++
	}
	return n
}

// sorted drops the keys that the rows of a run are not sorted by.
func (l *lane) sorted(r run) bool {
	for i, k := range l.Keys {
		last := int64(math.MinInt64)
		for _, row := range r.rows {
			if l.dead[i] || row == nil || row.StartedAt.IsZero() {
				continue
			}
			lo, hi := l.bounds(row, k)
			start := l.w.rank(row.StartedAt)
			l.dead[i] = k.Of(row).IsZero() || lo < last || start < lo || start > hi
			last = lo
		}
	}
	return slices.Contains(l.dead, false)
}

// leapt reports a run behind others that lies before them all, and so is of no
// sorted list.
func (l *lane) leapt(r run) bool {
	last := timed(reversed(r.rows))
	changed := r.total >= 0 && r.total != l.count // its rows may be new
	further := l.placed && l.back == 0 && r.at > 0 && r.at+len(r.rows) > l.pos
	return further && last != nil && l.earlier(last) && !changed && !slices.ContainsFunc(r.rows, l.knows)
}

func (l *lane) loosen() error {
	l.w.charts.loosen(l.Name)
	return errLoose
}

// probes bounds how many single rows are asked for to find a place.
const probes = 24

// leap looks for the place where the walk begins, as what was read lies before
// it: by halves, a row at a time.
func (l *lane) leap(ctx context.Context) error {
	before, behind := l.w.charts.guess(l.chart(), l.w.start)
	before = max(before, l.pos-1)
	if behind < before {
		behind = max(l.total, -1)
	}
	for n := 0; n < probes && (behind < 0 || behind-before > l.w.size); n++ {
		at := (before + behind) / 2
		if behind < 0 {
			at = before + 64<<n
		}
		r, err := l.run(ctx, at, 1)
		if err != nil {
			return err
		}
		l.read += len(r.rows)
		l.learn(r)
		if row := timed(r.rows); row != nil && l.before(row) < l.w.start {
			before = at
		} else {
			behind = at
		}
	}
	if before >= l.pos {
		l.pos, l.placed, l.last, l.back = before, false, nil, 1
		l.frontier = math.MinInt64
	}
	return nil
}

// timed is the first of rows that has a start.
func timed(rows []*call.Log) *call.Log {
	for _, row := range rows {
		if row != nil && !row.StartedAt.IsZero() {
			return row
		}
	}
	return nil
}

func reversed(rows []*call.Log) []*call.Log {
	rows = slices.Clone(rows)
	slices.Reverse(rows)
	return rows
}
