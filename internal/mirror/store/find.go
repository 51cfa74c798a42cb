package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// Find answers a Query. Orders are exact, as call.Order has them. Page.Total is
// counted with the first page only, where that is cheap or q.Exhaust demands it;
// else a note says how many there are at least.
func (s *Store) Find(ctx context.Context, q call.Query) (p call.Page, err error) {
	if hidden(q.View) && q.View != s.view {
		return call.Page{}, fmt.Errorf("store: it was indexed for another view")
	}
	if q.Text != nil || q.Similar != nil {
		if err := s.awaitIndex(ctx); err != nil {
			return call.Page{}, err
		}
	}
	err = s.answer(ctx, cheap(q), func(c *conn) error {
		return c.snapshot(func() error {
			q := q
			q.Where = s.own(q.Where)
			var err error
			if q.Order == call.Relevance || q.Similar != nil {
				p, err = s.relevant(c, q)
			} else {
				p, err = s.ordered(c, q)
			}
			if err == nil {
				err = c.leftOut(&p)
			}
			return err
		})
	})
	if err != nil {
		return call.Page{}, err
	}
	return p, nil
}

// Ranks says that the Store knows Relevance and Query.Similar.
func (s *Store) Ranks() bool { return true }

// matches is what the condition of a question with a text begins with.
const matches = "words MATCH ? AND "

// A question is a Query on its way through one connection.
type question struct {
	*conn
	q     call.Query
	limit int
	shift int64 // how far an id lies behind its start, at most

	from, to time.Time // bounds of the start time, as the filter has them
	lo, hi   int64     // the ids that they leave
	timeless bool      // calls without a start may match

	sql   string // the conditions on c, and on words where there is a text
	args  []any
	table string
	id    string // the column that is walked along
	swift bool   // sql needs nothing of c: columns in memory answer the filter

	sources map[int64]string // names that were met
}

func (s *Store) question(c *conn, q call.Query, match string) (*question, error) {
	x := &question{conn: c, q: q, limit: q.Limit, sources: map[int64]string{}}
	if x.limit <= 0 {
		x.limit = call.DefaultLimit
	}
	var err error
	if x.shift, err = c.int(`SELECT value FROM meta WHERE name = 'shift'`); err != nil {
		return nil, err
	}
	x.from, x.to, _ = filter.Bounds(q.Where, "timestamp")
	x.timeless = x.from.IsZero() && x.to.IsZero()
	x.lo, x.hi = idsBetween(nanosOr(x.from, math.MinInt64), nanosOr(x.to, math.MaxInt64), x.shift)
	sql, w, err := c.compile(q.Where)
	if err != nil {
		return nil, err
	}
	x.table, x.id, x.sql, x.args = "calls c", "c.id", sql, w.args
	c.asked = w.asked
	if match == "" {
		return x, nil
	}
	x.table, x.id = saidCalls, "words.rowid"
	x.sql, x.args = matches+sql, append([]any{match}, w.args...)
	err = s.recall(c, q.Where, false)
	if x.swift = c.memo.fits != nil; x.swift {
		x.table, x.sql, x.args = "words", matches+swiftly, x.args[:1]
	}
	return x, err
}

// saidCalls are the calls in which something is said.
const saidCalls = "words CROSS JOIN calls c ON c.id = words.rowid"

// idsBetween are the ids that calls can have that begin from one time to
// another, which are in nanoseconds.
func idsBetween(from, to, shift int64) (lo, hi int64) {
	floor := func(n int64) int64 { return idAt(time.Unix(0, n).UnixMilli()) }
	return max(floor(from), noStart+1), floor(to) + shift
}

// nanosOr is t in nanoseconds, or open where it is zero.
func nanosOr(t time.Time, open int64) int64 {
	if t.IsZero() {
		return open
	}
	return nanos(t)
}

// A place is where a call stands in an order.
type place struct {
	id   int64
	mark call.Mark
}

func (s *Store) ordered(c *conn, q call.Query) (call.Page, error) {
	text := ""
	if q.Text != nil {
		text = match(q.Text, q.Role, markOf(q.View))
	}
	x, err := s.question(c, q, text)
	if err != nil {
		return call.Page{}, err
	}
	var places []place
	if q.Order == call.Longest || q.Order == call.Shortest {
		places, err = x.byLength()
	} else {
		places, err = x.byTime()
	}
	if err != nil {
		return call.Page{}, err
	}
	p := call.Page{Window: call.Window{From: x.from, To: x.to}, Coverage: call.Coverage{Complete: true}}
	if err := x.fill(&p, places); err != nil {
		return call.Page{}, err
	}
	if q.After == nil {
		err = x.count(&p, len(places))
	}
	return p, err
}

// fill puts the logs of places into p, of which the one behind the limit says
// that there are more.
func (x *question) fill(p *call.Page, places []place) error {
	shown := places[:min(x.limit, len(places))]
	if len(shown) < len(places) {
		p.Next = &shown[len(shown)-1].mark
	}
	p.Logs, p.Coverage.Searched = make([]*call.Log, len(shown)), len(shown)
	ids := make([]int64, len(shown))
	for i, at := range shown {
		ids[i] = at.id
	}
	if x.q.Text != nil {
		p.Hits = make([]call.Hit, len(shown))
	}
	err := x.loadAll(ids, func(i int, l *call.Log) {
		p.Logs[i] = l
		if x.q.Text != nil {
			p.Hits[i], _ = x.q.Text.Match(x.q.View.Of(l), x.q.Role)
		}
	})
	dropUnread(p)
	return err
}

// within is the condition that ids are within the bounds of the start time.
func (x *question) within() string {
	if x.timeless {
		return ""
	}
	return fmt.Sprintf(" AND %s BETWEEN %d AND %d", x.id, x.lo, x.hi)
}

const placeColumns = "c.id, c.start, c.source, c.key, c.duration"

// walk reads places with a further condition, in the order of SQL.
func (x *question) walk(cond, order string, each func(place) bool) error {
	table := x.table
	if x.swift {
		table = saidCalls
	}
	query := "SELECT " + placeColumns + " FROM " + table + " WHERE " + x.sql + " AND " + cond + order
	return x.each(query, x.args, func(stmt *sqlite3.Stmt) (bool, error) {
		at, err := x.place(stmt)
		return err == nil && each(at), err
	})
}

// place is a row of placeColumns in the order of the question.
func (x *question) place(stmt *sqlite3.Stmt) (at place, err error) {
	source, ok := x.sources[stmt.ColumnInt64(2)]
	if !ok {
		_, err := x.first(`SELECT name FROM sources WHERE id = ?`, []any{stmt.ColumnInt64(2)}, func(s *sqlite3.Stmt) { source = s.ColumnText(0) })
		if err != nil {
			return at, err
		}
		x.sources[stmt.ColumnInt64(2)] = source
	}
	at.id = stmt.ColumnInt64(0)
	at.mark = call.Mark{ID: call.ID{Source: source, Key: plainKey(stmt.ColumnRawBlob(3))}, Value: math.MaxInt64}
	switch {
	case x.byLengths():
		if stmt.ColumnType(4) != sqlite3.NULL {
			at.mark.Value = stmt.ColumnInt64(4)
		}
		if x.q.Order == call.Longest && at.mark.Value != math.MaxInt64 {
			at.mark.Value = -at.mark.Value
		}
	case stmt.ColumnType(1) == sqlite3.NULL:
	case x.q.Order == call.Oldest:
		at.mark.Value = time.Unix(0, stmt.ColumnInt64(1)).UnixMilli()
	default:
		at.mark.Value = -time.Unix(0, stmt.ColumnInt64(1)).UnixMilli()
	}
	return at, nil
}

func (x *question) byLengths() bool { return x.q.Order == call.Longest || x.q.Order == call.Shortest }

// A line puts places in order that arrive nearly so.
type line struct {
	after   *call.Mark
	want    int
	waiting []place // whose place is not sure yet
	done    []place
}

func (l *line) add(at place) {
	if l.after == nil || !l.after.Passed(&at.mark) {
		l.waiting = append(l.waiting, at)
	}
}

// settle moves those to done that nothing can come before any more, and says
// whether that is still not enough.
func (l *line) settle(sure func(place) bool) bool {
	i := slices.IndexFunc(l.waiting, sure)
	if i >= 0 {
		slices.SortFunc(l.waiting, func(a, b place) int { return a.mark.Compare(&b.mark) })
		n := 0
		for n < len(l.waiting) && sure(l.waiting[n]) {
			n++
		}
		l.done = append(l.done, l.waiting[:n]...)
		l.waiting = append(l.waiting[:0], l.waiting[n:]...)
	}
	return len(l.done) < l.want
}

func everyone(place) bool { return true }

// byTime walks along the ids. A call's id is that of its start, or up to shift
// behind it, so a place is sure once the walk has passed by all that may be nearer.
func (x *question) byTime() ([]place, error) {
	l := &line{after: x.q.After, want: x.limit + 1}
	more := true
	if x.q.After == nil || x.q.After.Value != math.MaxInt64 {
		cond, order := x.stretch()
		err := x.walk(cond, order, func(at place) bool {
			l.add(at)
			more = l.settle(func(p place) bool {
				if x.q.Order == call.Oldest {
					return idAt(p.mark.Value) <= at.id-x.shift
				}
				return idAt(-p.mark.Value) >= at.id
			})
			return more
		})
		if err != nil {
			return nil, err
		}
		more = l.settle(everyone)
	}
	if !more || !x.timeless {
		return l.done, nil
	}
	return l.rest(x, fmt.Sprintf("%s <= %d", x.id, noStart))
}

// stretch is the span of ids that a walk in time goes through, and its order.
func (x *question) stretch() (cond, order string) {
	lo, hi := x.lo, x.hi
	order = " ORDER BY " + x.id + " DESC"
	if after := x.q.After; x.q.Order == call.Oldest {
		order = " ORDER BY " + x.id
		if after != nil {
			lo = max(lo, idAt(after.Value))
		}
	} else if after != nil {
		hi = min(hi, idAt(-after.Value)+x.shift)
	}
	return fmt.Sprintf("%s BETWEEN %d AND %d", x.id, lo, hi), order
}

// rest adds the places of calls without the value that is sorted by.
func (l *line) rest(x *question, cond string) ([]place, error) {
	err := x.walk(cond, "", func(at place) bool {
		l.add(at)
		if len(l.waiting) > 4*l.want+1000 { // only the first are wanted
			slices.SortFunc(l.waiting, func(a, b place) int { return a.mark.Compare(&b.mark) })
			l.waiting = l.waiting[:l.want]
		}
		return true
	})
	l.settle(everyone)
	return l.done, err
}

// byLength walks along the durations; those of equal length are put in order
// when the next length is met.
func (x *question) byLength() ([]place, error) {
	if places, ok, err := x.byLengthInMemory(); ok || err != nil {
		return places, err
	}
	l := &line{after: x.q.After, want: x.limit + 1}
	more := true
	if x.q.After == nil || x.q.After.Value != math.MaxInt64 {
		cond, order := "c.duration IS NOT NULL"+x.within(), " ORDER BY c.duration"
		if x.q.Order == call.Longest {
			order += " DESC"
		}
		switch after := x.q.After; {
		case after == nil:
		case x.q.Order == call.Longest:
			cond += fmt.Sprintf(" AND c.duration <= %d", -after.Value)
		default:
			cond += fmt.Sprintf(" AND c.duration >= %d", after.Value)
		}
		err := x.walk(cond, order, func(at place) bool {
			more = l.settle(func(p place) bool { return p.mark.Value < at.mark.Value })
			l.add(at)
			return more
		})
		if err != nil {
			return nil, err
		}
		more = l.settle(everyone)
	}
	if !more {
		return l.done, nil
	}
	return l.rest(x, "c.duration IS NULL"+x.within())
}

// Get returns one log, by its key or else by the provider's own id; of several
// with that one, the newest.
func (s *Store) Get(ctx context.Context, id call.ID) (l *call.Log, err error) {
	err = s.read(ctx, s.quick, func(c *conn) error {
		return c.snapshot(func() error {
			row, err := c.int(`SELECT id FROM calls WHERE key = ? AND source = (SELECT id FROM sources WHERE name = ?)`, sortableKey(id.Key), id.Source)
			if err == nil && row == 0 {
				row, err = c.int(`SELECT id FROM calls WHERE call_id = ? AND source = (SELECT id FROM sources WHERE name = ?) ORDER BY id DESC LIMIT 1`, id.Key, id.Source)
			}
			if err != nil {
				return err
			}
			if row == 0 {
				return &call.Error{Kind: call.NotFound, Msg: fmt.Sprintf("No call %.80q of %s in the local copy.", id.Key, id.Source), Hint: "Ids come from list_call_logs and search_transcripts."}
			}
			l, err = c.load(row)
			return err
		})
	})
	return l, err
}
