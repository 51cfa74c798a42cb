package mirror

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// pass lets time go by at the upstream.
func (d *desk) pass(t time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sea.now = d.sea.now.Add(t)
}

// One who asks a list of what is out of date is answered by the upstream. Of
// many at once, most share one reading, and all have the new call.
func TestManyListsShareAReading(t *testing.T) {
	d, m := newDesk(t, 100, ReadThrough{})
	ctx := context.Background()
	_, err := m.o.Engine.Cycle(ctx, nil)
	require.NoError(t, err)
	d.pass(10 * time.Minute)
	d.mu.Lock()
	d.sea.insert(d.sea.now.Add(-time.Minute).Truncate(time.Second))
	d.mu.Unlock()
	q := d.last(t, 10, "")
	before := d.asked.Load()
	live, err := m.Find(ctx, q)
	require.NoError(t, err)
	assert.EqualValues(t, 1, d.asked.Load()-before, "alone")

	d.takes = 20 * time.Millisecond
	var wait sync.WaitGroup
	before = d.asked.Load()
	for range 200 {
		wait.Go(func() {
			p, err := m.Find(ctx, q)
			if assert.NoError(t, err) && assert.Equal(t, len(live.Logs), len(p.Logs)) {
				assert.Equal(t, live.Logs[0].ID, p.Logs[0].ID, "the new one")
			}
		})
	}
	wait.Wait()
	assert.Less(t, d.asked.Load()-before, int64(60), "not one for each of 200")
}

// While many ask, the copy is read anew before it is out of date, and nobody
// waits for the upstream. Few cause no reading.
func TestACrowdIsReadForAhead(t *testing.T) {
	for _, c := range []struct {
		questions int
		reads     bool
	}{{many - 1, false}, {many, true}} {
		d, m := newDesk(t, 100, ReadThrough{})
		ctx := context.Background()
		_, err := m.o.Engine.Cycle(ctx, nil)
		require.NoError(t, err)
		d.pass(freshFor * 3 / 4)
		before := d.asked.Load()
		for range c.questions {
			p, err := m.Find(ctx, d.last(t, 10, ""))
			require.NoError(t, err)
			require.False(t, p.AsOf.IsZero(), "from the copy")
		}
		settle(t, m)
		assert.Equal(t, c.reads, d.asked.Load() > before)
		if c.reads {
			d.pass(freshFor / 2)
			cover, err := m.o.Engine.Covered(ctx, "sea", call.Window{})
			require.NoError(t, err)
			assert.True(t, cover.Full)
		}
	}
}

// The record of a call that somebody asked for answers the next one who does,
// until the call changes.
func TestARecordThatWasAskedForIsKept(t *testing.T) {
	d, m := newDesk(t, 60, ReadThrough{})
	ctx := context.Background()
	_, err := m.o.Engine.Cycle(ctx, nil)
	require.NoError(t, err)
	d.mu.Lock()
	d.sea.detailed = true
	l := d.sea.all[20].log
	d.mu.Unlock()
	d.pass(time.Second)
	before := d.asked.Load()
	for i := range 5 {
		got, err := m.Get(ctx, l.ID)
		require.NoError(t, err)
		assert.Equal(t, "yes", got.Metadata["vip"])
		if i == 0 {
			require.Eventually(t, func() bool {
				kept, err := m.o.Copy.Get(ctx, l.ID)
				return err == nil && kept.Detailed
			}, 10*time.Second, time.Millisecond)
		}
	}
	assert.EqualValues(t, 1, d.asked.Load()-before)
}

// settle waits for what is done in the background.
func settle(t *testing.T, m *Mirror) {
	t.Helper()
	require.Eventually(t, func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.jobs) == 0
	}, 10*time.Second, time.Millisecond)
}

// The first question about what only records have, over a copy that is empty,
// is answered as the second one is.
func TestFirstQuestionAboutWhatListsLack(t *testing.T) {
	d, m := newDesk(t, 60, ReadThrough{})
	d.mu.Lock()
	for _, f := range d.sea.all[50:] {
		l := *f.log
		l.Metadata = map[string]any{"vip": "yes"}
		f.log = &l
	}
	d.mu.Unlock()
	for range 2 {
		q := d.last(t, 20, "order")
		q.Where = filter.All(q.Where, filter.Cond{Field: "metadata.vip", Op: filter.Eq, Value: "yes"})
		p, err := m.Find(context.Background(), q)
		require.NoError(t, err)
		assert.Len(t, p.Logs, 10)
	}
}

// keptRecord is a desk whose copy has the full record of one call, and is out of
// date while a crowd asks.
func keptRecord(t *testing.T) (*desk, *Mirror, call.ID) {
	d, m := newDesk(t, 0, ReadThrough{})
	ctx := context.Background()
	d.mu.Lock()
	d.sea.detailed = true
	id := d.sea.insert(d.sea.now.Add(-time.Hour).Truncate(time.Second)).log.ID
	d.mu.Unlock()
	_, err := m.o.Engine.Cycle(ctx, nil)
	require.NoError(t, err)
	d.pass(time.Second)
	_, err = m.Get(ctx, id)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		kept, err := m.o.Copy.Get(ctx, id)
		return err == nil && kept.Detailed
	}, 10*time.Second, time.Millisecond)
	d.pass(10 * time.Minute)
	m.crowds["sea"].asking.Store(maxAsking)
	return d, m, id
}

// A call is asked for alone where the copy is out of date, however many ask.
func TestACallIsNotOfASharedReading(t *testing.T) {
	d, m, id := keptRecord(t)
	d.mu.Lock()
	changed := *d.sea.all[0].log
	changed.Topic, changed.UpdatedAt = "changed", d.sea.now
	d.sea.all[0].log = &changed
	d.mu.Unlock()
	got, err := m.Get(context.Background(), id)
	require.NoError(t, err)
	assert.Equal(t, "changed", got.Topic)
}

// A shared reading brings what lists tell; a list about more is asked upstream.
func TestASharedReadingLacksWhatListsLack(t *testing.T) {
	d, m, _ := keptRecord(t)
	d.mu.Lock()
	d.sea.insert(d.sea.now.Add(-time.Minute).Truncate(time.Second))
	d.mu.Unlock()
	q := d.last(t, 20, "")
	q.Where = filter.All(q.Where, filter.Cond{Field: "metadata.vip", Op: filter.Eq, Value: "yes"})
	p, err := m.Find(context.Background(), q)
	require.NoError(t, err)
	assert.True(t, p.AsOf.IsZero(), "not from the copy")
}
