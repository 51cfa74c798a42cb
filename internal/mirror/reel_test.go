package mirror

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"call-logs-mcp/client/wire"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// A reel shows a sea as Telzino and Zudu show their calls: as one list in
// numbered pages, newest first, that hears no filter, neither by time nor by
// key. client/wire walks it, as it does for them.
//
// What such a list can promise is less than what Cekura's can. The histories do
// not ask more of it than this:
//   - a call that arrives late, or is moved, to before what every cycle reads is
//     met by the next reading of its time, not by the next cycle: nobody can be
//     asked for new keys. The same holds for a source with times and no keys;
//   - where each call that vanished has to be looked for by itself, those past
//     fifty are gone only after they were missed for days;
//   - in a list by creation, records are made within two hours of their calls: a
//     walk stops at older ones, and never sees that behind them is a newer call;
//   - pages hold as many calls as begin in one second, or few less: client/wire
//     walks in circles where a page is four and a second has sixteen;
//   - a refusal in the midst of a walk ends the page, not the question: the next
//     page is asked for, and only then is Retry-After obeyed;
//   - the number of its requests is that of its pages, twice.
type reel struct {
	*sea
	charts wire.Charts
	size   int    // rows of a page, at most
	by     string // what the list is sorted by: start, creation, or nothing
	counts string // what it tells of its length: total, more, or nothing
	list   []*float
	rounds int  // walks that were ended
	asked  int  // requests of the question at hand
	listed int  // as of how many changes
	named  bool // a call can be asked for by its key, else it is looked for
}

// longest is how long before its record a call may have begun.
const longest = 2 * time.Hour

func drawReel(rng *rand.Rand, s *sea, size int) reel {
	one := func(of ...string) string { return of[rng.IntN(len(of))] }
	return reel{sea: s, size: size, by: one("start", "start", "creation", "nothing"), counts: one("total", "more", "nothing"), named: rng.IntN(2) == 0}
}

// Find implements call.Source.
func (r *reel) Find(ctx context.Context, q call.Query) (call.Page, error) {
	r.asked = 0
	from, to, rest := filter.Bounds(q.Where, "timestamp")
	o := wire.Options{Source: r.name, Lists: []wire.List{r.as()}, Query: q, Window: call.Window{From: from, To: to}, Picky: rest != nil}
	p, _, err := r.charts.Find(o, func(fetch call.Fetch) (call.Page, error) { return call.Collect(ctx, q, rest, fetch) })
	if err == nil {
		r.quietUntil = time.Time{} // the walk kept it to itself
	}
	return p, err
}

func (r *reel) as() wire.List {
	return wire.List{Name: "calls", Fetch: r.rows, Max: 64, Keys: []wire.Key{wire.ByStart(), wire.ByCreation(longest)}}
}

// endless is more requests than any walk needs.
const endless = 2000

// rows is one page as it is at this moment. Its total may be of a moment before.
func (r *reel) rows(ctx context.Context, page, size int) (wire.Rows, error) {
	if err := r.happens(ctx); err != nil {
		return wire.Rows{}, err
	}
	if r.asked++; r.asked > endless {
		// A walk has been seen to go round and round over places that it had
		// charted before the list shifted. A new process would know none.
		r.charts, r.rounds, r.asked = wire.Charts{}, r.rounds+1, 0
		return wire.Rows{}, &call.Error{Kind: call.Unavailable, Msg: "This goes on and on."}
	}
	rows := wire.Rows{Size: min(size, r.size)}
	if !r.dateless {
		rows.Date = r.sea.now.Truncate(time.Second)
	}
	total := len(r.all)
	r.maybe(r.lag)
	if r.rng.Float64() < r.empty {
		return rows, nil
	}
	if r.list == nil || r.listed != r.changes {
		r.list, r.listed = slices.Clone(r.all), r.changes
		slices.SortFunc(r.list, r.order)
	}
	end := min((page+1)*rows.Size, len(r.list))
	for _, f := range r.list[min(page*rows.Size, end):end] {
		rows.Logs = append(rows.Logs, f.log)
	}
	switch r.counts {
	case "total":
		rows.Total = &total
	case "more":
		rows.More = new(end < len(r.list))
	}
	return rows, nil
}

func (r *reel) order(a, b *float) int {
	switch r.by {
	case "start":
		return cmp.Or(b.start.Compare(a.start), cmp.Compare(b.id, a.id))
	case "creation":
		return cmp.Or(b.made.Compare(a.made), cmp.Compare(b.id, a.id))
	}
	return cmp.Compare(a.id*7919%101, b.id*7919%101)
}

// getScan bounds how many rows are looked through for one call.
const getScan = 40

// Get implements call.Source.
func (r *reel) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	if r.named {
		return r.sea.Get(ctx, id)
	}
	o := wire.Options{Source: r.name, Lists: []wire.List{r.as()}, Picky: true}
	p, _, err := r.charts.Find(o, func(fetch call.Fetch) (call.Page, error) { return wire.First(ctx, id.Key, getScan, fetch) })
	if err == nil && len(p.Logs) == 0 {
		return nil, &call.Error{Kind: call.NotFound, Msg: "No such call among the newest."}
	}
	if err != nil {
		return nil, err
	}
	return p.Logs[0], nil
}
