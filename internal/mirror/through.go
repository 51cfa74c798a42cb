package mirror

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// ReadThrough are the parts of a Mirror. Engine and Copy are required.
type ReadThrough struct {
	Engine *Engine
	Copy   call.Aggregator // over the Engine's ledger

	MaxFetch int           // calls that are fetched while a question waits, 0 is 5,000
	Patience time.Duration // how long it waits, 0 is 20 s
	Hasty    time.Duration // how long an upstream is asked where the copy has an answer, too; 0 is 3.5 s
	ReadOnly bool          // another process syncs: this one fetches nothing
}

// A Mirror answers from the copy what the copy covers, and says as of when.
//
// Lists and single calls that it does not cover are asked of the upstream.
// Searches and counts need the copy: what is missing there is fetched first
// where it is little, and else while the answer says what it leaves out. When
// an upstream is down, the copy answers alone.
type Mirror struct {
	o ReadThrough

	ctx  context.Context // of what is fetched in the background
	stop context.CancelFunc
	work sync.WaitGroup

	mu     sync.Mutex
	jobs   map[string]*job
	crowds map[string]*crowd // by source
}

// Open returns a Mirror, which also expires what is too old for the copy, unless
// it is ReadOnly. Close it, so that nothing is fetched any more.
func Open(o ReadThrough) *Mirror {
	o.MaxFetch = cmp.Or(o.MaxFetch, 5000)
	o.Patience = cmp.Or(o.Patience, 20*time.Second)
	o.Hasty = cmp.Or(o.Hasty, 3500*time.Millisecond)
	m := &Mirror{o: o, jobs: map[string]*job{}, crowds: map[string]*crowd{}}
	for _, name := range o.Engine.names {
		m.crowds[name] = &crowd{}
	}
	m.ctx, m.stop = context.WithCancel(context.Background())
	if !o.ReadOnly {
		m.work.Go(func() { o.Engine.keepExpired(m.ctx) })
	}
	return m
}

// Close ends what is fetched in the background and waits for that.
func (m *Mirror) Close() {
	m.stop()
	m.work.Wait()
}

// Ranks implements call.Ranker.
func (m *Mirror) Ranks() bool { return call.Ranks(m.o.Copy) }

// Get implements call.Source: the copy answers where it has the full record of a
// call and has read it lately, and where the upstream does not answer. A record
// that was asked for completes what the copy has of the call.
func (m *Mirror) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	s, err := m.o.Engine.source(id.Source)
	if err != nil {
		return nil, err
	}
	copied, err := m.o.Copy.Get(ctx, id)
	if b := store.Broken(err); b != nil && b.Damaged {
		return nil, err
	}
	if err == nil && copied.Detailed {
		at := call.Window{From: copied.StartedAt, To: copied.StartedAt}
		if c, err := m.o.Engine.Covered(ctx, id.Source, at); err == nil && c.Full {
			return copied, nil
		}
	}
	sent := s.clock.now()
	asking := ctx
	if err == nil {
		asking = call.Hasten(ctx, m.o.Hasty)
	}
	live, lost := s.Source.Get(asking, id)
	switch {
	case err == nil && isDown(ctx, lost):
		return m.dated(ctx, s, copied, lost), nil
	case err == nil && lost == nil && (live.Detailed || live.Sensitive) && !m.o.ReadOnly:
		m.work.Go(func() { m.o.Engine.keep(m.ctx, s, sent, live) })
	}
	return live, lost
}

// dated is a call as the copy has it, with why and as of when.
func (m *Mirror) dated(ctx context.Context, s *syncer, copied *call.Log, lost error) *call.Log {
	at := ""
	if c, err := m.o.Engine.Covered(ctx, s.Name, call.Window{From: copied.StartedAt, To: copied.StartedAt}); err == nil {
		at = since(c.AsOf)
	}
	out := *copied
	out.Notes = append(slices.Clone(copied.Notes), fmt.Sprintf("%s could not be asked. %s This is from the copy%s.", s.Name, reason(lost), at))
	return &out
}

// Find implements call.Source.
func (m *Mirror) Find(ctx context.Context, q call.Query) (call.Page, error) {
	parts, err := m.parts(ctx, q.Where)
	if err != nil {
		return call.Page{}, err
	}
	if q.Text == nil && q.Similar == nil && q.Order != call.Relevance {
		return m.list(ctx, q, parts)
	}
	if err := m.prepare(ctx, parts, q.Progress); err != nil {
		return call.Page{}, err
	}
	q.Where = rewritten(parts, q.Where)
	p, err := m.o.Copy.Find(ctx, q)
	if err != nil {
		return call.Page{}, err
	}
	m.vouch(ctx, parts, &p)
	return p, nil
}

// nothing is the failure of the upstreams where the copy has nothing at all to
// answer with; nil where it has.
func nothing(parts []*part) error {
	var first error // it is asked behind measure
	for _, p := range parts {
		if !p.isLost() {
			return nil
		}
		if first == nil {
			first = p.down
		}
	}
	return first
}

// isLost holds where the upstream is down and nothing was ever copied of what is
// asked for.
func (p *part) isLost() bool { return p.down != nil && p.cover.AsOf.IsZero() && p.have == 0 }

// Aggregate implements call.Aggregator.
func (m *Mirror) Aggregate(ctx context.Context, a call.Aggregation) (call.Aggregate, error) {
	from, to, _ := filter.Bounds(a.Where, "timestamp")
	if to.IsZero() {
		to = m.o.Engine.now()
	}
	asked := a.Where
	if a.Previous && !from.IsZero() { // the window before is counted as well
		asked = widened(a.Where, from.Add(from.Sub(to)), to)
	}
	parts, err := m.parts(ctx, asked)
	if err != nil {
		return call.Aggregate{}, err
	}
	if err := m.prepare(ctx, parts, a.Progress); err != nil {
		return call.Aggregate{}, err
	}
	a.Where = rewritten(parts, a.Where)
	out, err := m.o.Copy.Aggregate(ctx, a)
	if err != nil {
		return call.Aggregate{}, err
	}
	p := call.Page{Coverage: out.Coverage, Notes: out.Notes, AsOf: out.AsOf}
	m.vouch(ctx, parts, &p)
	out.Coverage, out.Notes, out.AsOf = p.Coverage, p.Notes, p.AsOf
	if out.Window.From.IsZero() {
		out.Window = windowOf(parts)
	}
	return out, nil
}

// widened is where with other bounds of the start time.
func widened(where filter.Expr, from, to time.Time) filter.Expr {
	_, _, rest := filter.Bounds(where, "timestamp")
	return filter.All(filter.Within("timestamp", from, to), rest)
}

// A part is what a question asks of one source.
type part struct {
	*syncer
	where  filter.Expr // for this source, without the field source
	window call.Window
	cover  Coverage
	lacks  bool // it asks about fields that the copy does not have of all calls

	unjudged int // calls whose verdicts by rubric it asks about, and the copy does not know

	ids     []string      // instead of where: the calls that the upstream found
	partial bool          // those are not all
	asked   []call.Window // what was missing and counted
	counted int           // calls that the upstream has there; -1 for unknown
	filling bool
	down    error // the upstream did not answer

	have, whole int // calls that the copy has in the window, and that there are; -1 for unknown
}

// parts are the sources that a filter leaves in, and how they are covered.
func (m *Mirror) parts(ctx context.Context, where filter.Expr) ([]*part, error) {
	var parts []*part
	for _, name := range m.o.Engine.names {
		own, ok := filter.Assume(where, "source", name)
		if !ok {
			continue
		}
		p := &part{syncer: m.o.Engine.sources[name], where: own, counted: -1}
		p.window.From, p.window.To, _ = filter.Bounds(own, "timestamp")
		var err error
		if p.cover, err = m.o.Engine.Covered(ctx, name, p.window); err != nil {
			return nil, err
		}
		if err := p.lack(ctx); err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// lack finds out whether the filter asks about what lists leave out, and the
// copy has calls from lists alone.
func (p *part) lack(ctx context.Context) error {
	details, verdicts := asksForDetails(p.where), filter.Mentions(p.where, "metric_evaluations.passed")
	if !details && !verdicts {
		return nil
	}
	rows, err := p.o.Ledger.Rows(ctx, p.Name, p.cover.Window.From, p.cover.Window.To, 0, 0)
	listed := 0
	for _, row := range rows {
		if !row.Detailed {
			listed++
		}
	}
	// Nothing is known of calls that are on their way.
	p.lacks = details && (listed > 0 || len(rows) == 0 && !p.cover.Full)
	if verdicts {
		p.unjudged = listed
	}
	return err
}

// list answers by the copy for sources that it covers, and by the others live.
func (m *Mirror) list(ctx context.Context, q call.Query, parts []*part) (call.Page, error) {
	sources := map[string]call.Source{}
	answers := make([]*answerer, len(parts))
	fromCopy := true
	for i, p := range parts {
		answers[i] = &answerer{m: m, part: p, live: p.lacks || p.cover.Withheld.Any() || !m.isFresh(ctx, p)}
		sources[p.Name] = answers[i]
		fromCopy = fromCopy && !answers[i].live
	}
	if fromCopy {
		if err := m.measure(ctx, parts); err != nil {
			return call.Page{}, err
		}
		page, err := m.o.Copy.Find(ctx, q)
		if err == nil {
			m.vouch(ctx, parts, &page)
		}
		return page, err
	}
	page, err := call.Merge(sources, 0).Find(ctx, q)
	for _, a := range answers {
		if a.broken != nil {
			return call.Page{}, a.broken
		}
	}
	if err != nil {
		return call.Page{}, err
	}
	page.AsOf = time.Time{}
	var copied []*part
	for _, a := range answers {
		if !a.live {
			copied = append(copied, a.part)
		}
	}
	if len(copied) == len(parts) {
		page.AsOf = asOf(copied)
		return page, nil
	}
	for _, p := range copied {
		page.Notes = append(page.Notes, p.Name+" was answered from the copy, as of "+stamp(p.cover.AsOf)+".")
	}
	return page, nil
}

// An answerer lists the calls of one source, live or from the copy.
type answerer struct {
	m    *Mirror
	part *part
	live bool // set to false where the copy had to stand in

	broken error // of the copy, which is no failure of the source
}

// Get is never asked for by Merge.Find.
func (a *answerer) Get(ctx context.Context, id call.ID) (*call.Log, error) { return a.m.Get(ctx, id) }

// Find implements call.Source.
func (a *answerer) Find(ctx context.Context, q call.Query) (call.Page, error) {
	if a.live {
		p, err := a.ask(ctx, q)
		if !a.part.canStandIn() || !isDown(ctx, err) {
			return p, err
		}
		a.live, a.part.down = false, err
	}
	q.Where = filter.All(filter.Cond{Field: "source", Op: filter.Eq, Value: a.part.Name}, q.Where)
	err := a.m.measure(ctx, []*part{a.part})
	var p call.Page
	if err == nil {
		p, err = a.m.o.Copy.Find(ctx, q)
	}
	if store.Broken(err) != nil {
		a.broken = err
	}
	if err == nil {
		a.m.vouch(ctx, []*part{a.part}, &p)
	}
	return p, err
}

// reserve is the time that is kept for an answer from the copy.
const reserve = 3 * time.Second

// ask asks the upstream, and leaves time to do without it.
func (a *answerer) ask(ctx context.Context, q call.Query) (call.Page, error) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-reserve))
		defer cancel()
	}
	if a.part.canStandIn() {
		ctx = call.Hasten(ctx, a.m.o.Hasty)
	}
	c := a.m.crowds[a.part.Name]
	c.asking.Add(1)
	defer c.asking.Add(-1)
	return a.part.Source.Find(ctx, q)
}

// canStandIn holds where the copy can answer for an upstream that does not.
func (p *part) canStandIn() bool { return !p.lacks && !p.cover.AsOf.IsZero() }

// isDown reports an upstream that does not answer, though it was asked rightly.
func isDown(ctx context.Context, err error) bool {
	if store.Broken(err) != nil {
		return false
	}
	down := []call.Kind{call.Unavailable, call.Timeout, call.RateLimited, call.Unauthorized, call.Forbidden}
	return err != nil && ctx.Err() == nil && slices.Contains(down, kind(err))
}

var _ interface {
	call.Ranker
	call.Aggregator
} = (*Mirror)(nil)
