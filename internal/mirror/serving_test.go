package mirror

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// caller is the number of the call that began so many days ago.
func caller(days int) string { return fmt.Sprintf("+4930%04d77", days) }

// aged is a copy in a file with a call of each of 100 days, read as one leaf of
// each of two sources, one of which is configured no more.
func aged(t *testing.T) (path string, db *store.Store, e *Engine) {
	ctx := context.Background()
	path = filepath.Join(t.TempDir(), "copy", "calls.db")
	db, err := store.Open(ctx, store.Options{Path: path, Now: time.Now})
	require.NoError(t, err)
	now := time.Now()
	for i, source := range []string{"sea", "dry"} {
		var logs []*call.Log
		for days := range 100 {
			logs = append(logs, &call.Log{
				ID: call.ID{Source: source, Key: fmt.Sprint(1 + days)}, StartedAt: now.Add(-time.Duration(days)*day - time.Hour).UTC(),
				Customer: caller(1000*i + days), Turns: []call.Turn{{Index: 1, Role: call.RoleCaller, Text: "Hello."}},
			})
		}
		leaf := store.Leaf{From: now.Add(-100 * day), To: now.Add(-time.Second), ReadAt: now, Calls: len(logs)}
		_, err := db.Commit(ctx, store.Change{Source: source, ReadAt: now, Put: logs, Leaf: &leaf})
		require.NoError(t, err)
	}
	e, err = New(Options{
		Origins: []Origin{{Name: "sea", Source: &timed{}, Abilities: Abilities{TimeFilter: true, IDFilter: true}}},
		Ledger:  db, Stored: db.Get, Retain: 30 * day, Now: time.Now,
	})
	require.NoError(t, err)
	return path, db, e
}

// kept is of how many days each source has calls, by the numbers in the files
// and by what is found.
func kept(t *testing.T, path string, db *store.Store) (bytesOf, found [2]int) {
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	var all []byte
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), f.Name()))
		require.NoError(t, err)
		all = append(all, b...)
	}
	for i, source := range []string{"sea", "dry"} {
		for days := range 100 {
			if bytes.Contains(all, []byte(caller(1000*i+days))) {
				bytesOf[i]++
			}
		}
		p, err := db.Find(context.Background(), call.Query{Where: filter.Cond{Field: "source", Op: filter.Eq, Value: source}, Limit: 200})
		require.NoError(t, err)
		found[i] = len(p.Logs)
	}
	return bytesOf, found
}

// Who may write removes what is too old while it serves, now and every hour;
// what is known of the rest stays known. Who only reads removes nothing.
func TestExpiresWhileServing(t *testing.T) {
	for _, readOnly := range []bool{true, false} {
		t.Run(fmt.Sprint("read only: ", readOnly), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path, db, e := aged(t)
				defer db.Close()
				m := Open(ReadThrough{Engine: e, Copy: db, ReadOnly: readOnly})
				defer m.Close()
				time.Sleep(time.Second)
				synctest.Wait()
				for later := range 3 {
					bytesOf, found := kept(t, path, db)
					want := 100
					if !readOnly {
						want = 30 - later // the clock of a test begins at midnight
					}
					assert.Equal(t, [2]int{want, want}, found)
					assert.Equal(t, [2]int{want, want}, bytesOf)
					c, err := e.Covered(t.Context(), "sea", call.Window{From: time.Now().Add(-20 * day), To: time.Now().Add(-time.Duration(later)*day - time.Minute)})
					require.NoError(t, err)
					assert.Empty(t, c.Unread, "what is left is covered as before")
					time.Sleep(day)
					synctest.Wait()
				}
			})
		})
	}
}

// sealed is a ledger that nobody may write to.
type sealed struct {
	ledger
	t *testing.T
}

func (s sealed) Commit(context.Context, store.Change) (store.Written, error) {
	s.t.Error("something was written")
	return store.Written{}, nil
}

func (s sealed) Purge(context.Context, store.Selection) (int, error) {
	s.t.Error("something was purged")
	return 0, nil
}

// A second process has no lock: it answers from what is there, says who fetches
// the rest, and writes nothing.
func TestSecondProcess(t *testing.T) {
	ctx := context.Background()
	d, _ := newDesk(t, 100, ReadThrough{})
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	engine := func(l ledger) *Engine {
		e, err := New(Options{
			Origins: []Origin{{Name: "sea", Source: d, Abilities: Abilities{TimeFilter: true, IDFilter: true, PageSize: 20}}},
			Ledger:  l, Details: None, Now: d.now,
		})
		require.NoError(t, err)
		return e
	}
	first, err := store.Open(ctx, store.Options{Path: path, Now: d.now})
	require.NoError(t, err)
	defer first.Close()
	unlock, err := first.Lock(ctx)
	require.NoError(t, err)
	defer unlock()
	_, err = engine(first).Cycle(ctx, nil)
	require.NoError(t, err)

	second, err := store.Open(ctx, store.Options{Path: path, Now: d.now})
	require.NoError(t, err)
	defer second.Close()
	_, err = second.Lock(ctx)
	var held *store.HeldError
	require.ErrorAs(t, err, &held)
	assert.Equal(t, os.Getpid(), held.PID)
	m := Open(ReadThrough{Engine: engine(sealed{second, t}), Copy: second, ReadOnly: true})
	defer m.Close()
	p, err := m.Find(ctx, d.last(t, 10, "order"))
	require.NoError(t, err)
	assert.InDelta(t, 50, len(p.Logs), 1)
	assert.True(t, p.Coverage.Complete)

	d.mu.Lock()
	d.sea.now = d.sea.now.Add(5 * time.Hour)
	d.sea.insert(d.sea.now.Add(-time.Hour))
	d.mu.Unlock()
	p, err = m.Find(ctx, d.last(t, 10, "order"))
	require.NoError(t, err)
	assert.False(t, p.Coverage.Complete)
	require.Len(t, p.Notes, 1)
	assert.Contains(t, p.Notes[0], "another process fetches the rest")
	_, err = m.Find(ctx, d.last(t, 10, "")) // a list is live
	require.NoError(t, err)
}

// An upstream that fails in the midst of a fill: the answer is of what came, and
// says so.
func TestUpstreamDiesMidFill(t *testing.T) {
	for _, timeless := range []bool{false, true} {
		d, m := newDesk(t, 300, ReadThrough{})
		m.o.Engine.sources["sea"].TimeFilter = !timeless
		d.dies = 8
		if timeless {
			d.dies = 3
		}
		ctx := context.Background()
		p, err := m.Find(ctx, d.last(t, 20, "order"))
		if timeless { // a walk that broke off covers nothing, and nothing is not zero
			require.ErrorContains(t, err, "The sea is closed.")
			c, err := m.o.Engine.Covered(ctx, "sea", call.Window{})
			require.NoError(t, err)
			assert.True(t, c.AsOf.IsZero())
			continue
		}
		require.NoError(t, err)
		assert.False(t, p.Coverage.Complete)
		assert.Less(t, len(p.Logs), 300)
		assert.Equal(t, len(p.Logs), p.Coverage.Searched)
		assert.Nil(t, p.Total)
		require.NotEmpty(t, p.Notes)
		assert.Contains(t, p.Notes[0], "sea could not be asked. The sea is closed.")
		assert.Contains(t, p.Notes[0], "it has nothing of ")
		covered := 0
		c, err := m.o.Engine.Covered(ctx, "sea", p.Window)
		require.NoError(t, err)
		for _, f := range d.sea.all {
			inside := true
			for _, gap := range c.Unread {
				inside = inside && (f.start.Before(gap.From) || f.start.After(gap.To))
			}
			if inside && !f.start.Before(p.Window.From) {
				covered++
				assert.NotNil(t, d.book.calls[f.log.ID.Key])
			}
		}
		assert.Positive(t, covered)
	}
}

// Verdicts that lists do not show are not silently false.
func TestVerdictsThatTheCopyLacks(t *testing.T) {
	d, m := newDesk(t, 60, ReadThrough{})
	ctx := context.Background()
	_, err := m.o.Engine.Cycle(ctx, nil)
	require.NoError(t, err)
	q := d.last(t, 20, "order")
	q.Where = filter.All(q.Where, filter.Cond{Field: "metric_evaluations.passed", Op: filter.Eq, Value: false})
	p, err := m.Find(ctx, q)
	require.NoError(t, err)
	assert.Empty(t, p.Logs)
	require.Len(t, p.Notes, 1)
	assert.Regexp(t, `^Of \d+ calls of sea the copy has what lists show: verdicts by rubric are missing there`, p.Notes[0])
}
