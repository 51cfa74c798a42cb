package mirror

import (
	"context"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // histories are many and small
	goleak.VerifyTestMain(m)
}

// A desk is a book and a sea that many may use at once: an engine's ledger, the
// copy over it, and its upstream.
type desk struct {
	mu    sync.Mutex
	book  *book
	sea   *sea
	dead  atomic.Bool
	asked atomic.Int64
	slow  chan struct{} // each request takes one; nil for no waiting
	takes time.Duration // a request
	dies  int64         // after so many requests; 0 for never
}

type deskCopy struct{ *desk }

func (d *desk) State(ctx context.Context, source string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.book.State(ctx, source)
}

func (d *desk) Rows(ctx context.Context, source string, from, to time.Time, idFrom, idTo int64) ([]store.Row, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.book.Rows(ctx, source, from, to, idFrom, idTo)
}

func (d *desk) Calls(ctx context.Context, source string, from, to time.Time) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.book.Calls(ctx, source, from, to)
}

func (d *desk) Leaves(ctx context.Context, source string, from, to time.Time) ([]store.Leaf, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.book.Leaves(ctx, source, from, to)
}

func (d *desk) Commit(ctx context.Context, c store.Change) (store.Written, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.book.Commit(ctx, c)
}

func (d *desk) Purge(ctx context.Context, sel store.Selection) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.book.Purge(ctx, sel)
}

func (d *desk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sea.now
}

// request is what happens before the upstream answers.
func (d *desk) request(ctx context.Context) error {
	if n := d.asked.Add(1); d.dies > 0 && n > d.dies {
		d.dead.Store(true)
	}
	if d.slow != nil {
		select {
		case <-d.slow:
		case <-ctx.Done():
			return call.Stopped(ctx.Err())
		}
	}
	time.Sleep(d.takes)
	if d.dead.Load() {
		return &call.Error{Kind: call.Unavailable, Msg: "The sea is closed."}
	}
	return nil
}

// Find and Get are those of the upstream.
func (d *desk) Find(ctx context.Context, q call.Query) (call.Page, error) {
	if err := d.request(ctx); err != nil {
		return call.Page{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sea.Find(ctx, q)
}

func (d *desk) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	if err := d.request(ctx); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sea.Get(ctx, id)
}

func (d deskCopy) logs() (logs []*call.Log) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.book.calls {
		if !c.gone {
			logs = append(logs, c.log)
		}
	}
	return logs
}

func (d deskCopy) Find(ctx context.Context, q call.Query) (call.Page, error) {
	return call.Sorted(ctx, q, d.logs())
}

func (d deskCopy) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.book.Stored(ctx, id)
}

func (d deskCopy) Aggregate(ctx context.Context, a call.Aggregation) (call.Aggregate, error) {
	p, err := call.Sorted(ctx, call.Query{Where: a.Where, Limit: 1, Exhaust: true}, d.logs())
	if err != nil {
		return call.Aggregate{}, err
	}
	return call.Aggregate{Total: call.Group{Stats: call.Stats{Calls: *p.Total}}, Coverage: call.Coverage{Complete: true}}, nil
}

// newDesk has n calls over 20 days, and a Mirror over them.
func newDesk(t *testing.T, n int, o ReadThrough) (*desk, *Mirror) {
	d := &desk{book: newBook(), sea: newSea(rand.New(rand.NewPCG(1, 1)), 0, day)}
	d.sea.talks = true
	for i := range n {
		d.sea.insert(d.sea.now.Add(time.Duration(i-n) * (20 * day / time.Duration(n))).Truncate(time.Second))
	}
	e, err := New(Options{
		Origins: []Origin{{Name: "sea", Source: d, Abilities: Abilities{TimeFilter: true, IDFilter: true, PageSize: 20}}},
		Ledger:  d, Details: None, Now: d.now,
	})
	require.NoError(t, err)
	e.sources["sea"].sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	o.Engine, o.Copy = e, deskCopy{d}
	m := Open(o)
	t.Cleanup(m.Close)
	return d, m
}

// last is a search in the last days.
func (d *desk) last(t *testing.T, days int, text string) call.Query {
	now := d.now()
	q := call.Query{Where: filter.Within("timestamp", now.Add(-time.Duration(days)*day), now), Limit: 1000, Exhaust: true}
	if text != "" {
		var err error
		q.Text, err = call.ParseText(text)
		require.NoError(t, err)
	}
	return q
}

// A search over a little that is missing fetches it first.
func TestSearchFetchesALittle(t *testing.T) {
	d, m := newDesk(t, 300, ReadThrough{MaxFetch: 100})
	ctx := context.Background()
	p, err := m.Find(ctx, d.last(t, 3, "order"))
	require.NoError(t, err)
	assert.Equal(t, 45, len(p.Logs))
	assert.True(t, p.Coverage.Complete)
	assert.WithinDuration(t, d.now(), p.AsOf, time.Minute)
	assert.Empty(t, p.Notes)

	asked := d.asked.Load()
	p, err = m.Find(ctx, d.last(t, 3, "order"))
	require.NoError(t, err)
	assert.InDelta(t, 45, len(p.Logs), 1)
	assert.Equal(t, asked, d.asked.Load(), "what is covered and fresh is asked of nobody")
}

// Before, during and after: an answer never says to cover what it does not.
func TestSearchBeforeDuringAndAfter(t *testing.T) {
	d, m := newDesk(t, 300, ReadThrough{MaxFetch: 100})
	d.slow = make(chan struct{}, 1000)
	ctx := context.Background()
	for range 4 { // a probe, a count and little more
		d.slow <- struct{}{}
	}
	p, err := m.Find(ctx, d.last(t, 20, "order"))
	require.NoError(t, err)
	assert.False(t, p.Coverage.Complete)
	assert.Less(t, len(p.Logs), 300)
	require.NotNil(t, p.Coverage.Calls)
	assert.InDelta(t, 300, *p.Coverage.Calls, 20, "about: it fills at this moment")
	require.NotEmpty(t, p.Notes)
	assert.Regexp(t, `^The copy holds \d+ of about \d+ calls of sea in this window \(\d+ %\)`, p.Notes[0])
	assert.Contains(t, p.Notes[0], "being fetched")
	t.Logf("before: %s", strings.Join(p.Notes, " "))

	var fed sync.WaitGroup
	fed.Go(func() {
		for range 200 {
			d.slow <- struct{}{}
			time.Sleep(time.Millisecond)
		}
	})
	for range 5 {
		p, err = m.Find(ctx, d.last(t, 20, "order"))
		require.NoError(t, err)
		if p.Coverage.Complete {
			assert.InDelta(t, 299, len(p.Logs), 1)
			break
		}
		assert.LessOrEqual(t, p.Coverage.Searched, len(p.Logs), "no more than was searched")
		t.Logf("during: %s", strings.Join(p.Notes, " "))
		time.Sleep(10 * time.Millisecond)
	}
	fed.Wait()
	close(d.slow)
	require.Eventually(t, func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.jobs) == 0
	}, 10*time.Second, time.Millisecond)
	p, err = m.Find(ctx, d.last(t, 20, "order"))
	require.NoError(t, err)
	assert.True(t, p.Coverage.Complete)
	assert.InDelta(t, 299, len(p.Logs), 1)
	assert.Empty(t, p.Notes)
}

// A list is live until the copy covers it; then it costs no request.
func TestListIsLiveUntilCovered(t *testing.T) {
	d, m := newDesk(t, 100, ReadThrough{})
	ctx := context.Background()
	q := d.last(t, 10, "")
	p, err := m.Find(ctx, q)
	require.NoError(t, err)
	assert.Equal(t, 50, len(p.Logs))
	assert.Zero(t, p.AsOf)

	_, err = m.o.Engine.Cycle(ctx, nil)
	require.NoError(t, err)
	asked := d.asked.Load()
	p, err = m.Find(ctx, q)
	require.NoError(t, err)
	assert.Equal(t, 50, len(p.Logs))
	assert.NotZero(t, p.AsOf)
	assert.Equal(t, asked, d.asked.Load())

	a, err := m.Aggregate(ctx, call.Aggregation{Where: q.Where})
	require.NoError(t, err)
	assert.Equal(t, 50, a.Total.Stats.Calls)
	assert.NotZero(t, a.AsOf)
	assert.Equal(t, asked, d.asked.Load())
}

// When the upstream dies, the copy answers, and says since when and what gap.
func TestUpstreamDies(t *testing.T) {
	d, m := newDesk(t, 100, ReadThrough{})
	ctx := context.Background()
	d.dead.Store(true)
	_, err := m.Find(ctx, d.last(t, 10, ""))
	assert.Equal(t, call.Unavailable, kind(err), "without a copy there is no answer")

	d.dead.Store(false)
	_, err = m.o.Engine.Cycle(ctx, nil)
	require.NoError(t, err)
	d.dead.Store(true)
	read := d.now()
	d.mu.Lock()
	d.sea.now = d.sea.now.Add(5 * time.Hour)
	d.mu.Unlock()
	for _, text := range []string{"", "order"} {
		p, err := m.Find(ctx, d.last(t, 10, text))
		require.NoError(t, err)
		assert.NotEmpty(t, p.Logs)
		assert.WithinDuration(t, read, p.AsOf, time.Minute)
		assert.False(t, p.Coverage.Complete, "five hours were never read")
		require.Len(t, p.Notes, 1)
		assert.Contains(t, p.Notes[0], "sea could not be asked. The sea is closed. Its calls are from the copy, as of 2026-11-21 09:00Z; it has nothing of 2026-11-21 09:0")
		assert.Contains(t, p.Notes[0], "to 2026-11-21 14:00Z.")
	}
	l, err := m.Get(ctx, call.ID{Source: "sea", Key: d.sea.all[0].log.ID.Key})
	require.NoError(t, err)
	want := *d.sea.all[0].log
	want.Notes = []string{"sea could not be asked. The sea is closed. This is from the copy, as of 2026-11-21 09:00Z."}
	assert.Equal(t, &want, l)
	_, err = m.Get(ctx, call.ID{Source: "sea", Key: "999999"})
	assert.Equal(t, call.Unavailable, kind(err))
}

// What the copy lacks is asked of the upstream, never silently false.
func TestFilterOnWhatTheCopyLacks(t *testing.T) {
	d, m := newDesk(t, 60, ReadThrough{})
	ctx := context.Background()
	_, err := m.o.Engine.Cycle(ctx, nil)
	require.NoError(t, err)
	d.mu.Lock()
	for _, f := range d.sea.all[50:] { // known upstream, and not on lists
		l := *f.log
		l.Metadata = map[string]any{"vip": "yes"}
		f.log = &l
	}
	d.mu.Unlock()
	for _, text := range []string{"", "order"} {
		q := d.last(t, 20, text)
		q.Where = filter.All(q.Where, filter.Cond{Field: "metadata.vip", Op: filter.Eq, Value: "yes"})
		p, err := m.Find(ctx, q)
		require.NoError(t, err)
		assert.Equal(t, 10, len(p.Logs), "text %q", text)
	}
	d.dead.Store(true)
	q := d.last(t, 20, "order")
	q.Where = filter.All(q.Where, filter.Cond{Field: "metadata.vip", Op: filter.Eq, Value: "yes"})
	_, err = m.Find(ctx, q)
	assert.Equal(t, call.Unavailable, kind(err))
}

// Many ask while a sync runs and the copy fills.
func TestConcurrentQuestions(t *testing.T) {
	d, m := newDesk(t, 200, ReadThrough{MaxFetch: 60, Patience: 50 * time.Millisecond})
	d.sea.churn = 0.2
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() {
		for ctx.Err() == nil {
			_, _ = m.o.Engine.Cycle(ctx, nil)
		}
	})
	for i := range 8 {
		wait.Go(func() {
			for k := range 10 {
				p, err := m.Find(ctx, d.last(t, 1+(i*k)%20, []string{"", "order"}[k%2]))
				if assert.NoError(t, err) && !p.Coverage.Complete {
					assert.NotEmpty(t, p.Notes, "an answer with gaps says so")
				}
			}
		})
	}
	time.AfterFunc(time.Second, cancel)
	wait.Wait()
}
