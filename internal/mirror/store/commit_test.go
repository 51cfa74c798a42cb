package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/mirror/store"
)

func find(t testing.TB, s *store.Store, q call.Query) call.Page {
	t.Helper()
	p, err := s.Find(ctx, q)
	require.NoError(t, err)
	return p
}

func said(t testing.TB, words string) *call.Text {
	t.Helper()
	text, err := call.ParseText(words)
	require.NoError(t, err)
	return text
}

// spoken is a call in which one thing is said.
func spoken(key, words string, at time.Time) *call.Log {
	return &call.Log{
		ID: call.ID{Source: "s", Key: key}, StartedAt: at, Detailed: true,
		Turns: []call.Turn{{Index: 1, Role: call.RoleCaller, Text: words}},
	}
}

func TestWhatIsStoredComesBack(t *testing.T) {
	logs := calltest.Logs("s", 600, 4, end) // enough for a dictionary
	s := filled(t, onDisk(t), logs)
	for _, l := range logs {
		got, err := s.Get(ctx, l.ID)
		require.NoError(t, err)
		require.Equal(t, l, got)
	}
}

func TestUnchangedIsNotWritten(t *testing.T) {
	logs := calltest.Logs("s", 60, 4, end)
	s := filled(t, "", logs)
	assert.Equal(t, store.Written{Same: 60}, commit(t, s, store.Change{Source: "s", Put: logs, ReadAt: end.Add(time.Minute)}))
	changed := *logs[7]
	changed.Topic = "another"
	assert.Equal(t, store.Written{Put: 1, Same: 59}, commit(t, s, store.Change{Source: "s", Put: append(logs[8:], append(logs[:7:7], &changed)...), ReadAt: end.Add(time.Minute)}))
	got, err := s.Get(ctx, changed.ID)
	require.NoError(t, err)
	assert.Equal(t, &changed, got)
}

func TestOldReadingsDoNotReplaceNewOnes(t *testing.T) {
	s := open(t, "")
	late, early := spoken("1", "late", end), spoken("1", "early", end)
	commit(t, s, store.Change{Source: "s", Put: []*call.Log{late}, ReadAt: end.Add(time.Second)})
	assert.Equal(t, store.Written{Same: 1}, commit(t, s, store.Change{Source: "s", Put: []*call.Log{early}}))
	assert.Zero(t, commit(t, s, store.Change{Source: "s", Gone: []string{"1"}}), "gone before it was met")
	assert.Len(t, find(t, s, call.Query{Text: said(t, "late")}).Logs, 1)

	assert.Equal(t, store.Written{Gone: 1}, commit(t, s, store.Change{Source: "s", Gone: []string{"1"}, ReadAt: end.Add(3 * time.Second)}))
	assert.Equal(t, store.Written{Same: 1}, commit(t, s, store.Change{Source: "s", Put: []*call.Log{late}, ReadAt: end.Add(2 * time.Second)}))
	assert.Empty(t, find(t, s, call.Query{}).Logs)
	assert.Equal(t, store.Written{Put: 1}, commit(t, s, store.Change{Source: "s", Put: []*call.Log{late}, ReadAt: end.Add(4 * time.Second)}))
	assert.Zero(t, commit(t, s, store.Change{Source: "s", Gone: []string{"never"}}))
}

func TestSensitiveCallsAreNotStored(t *testing.T) {
	s := open(t, "")
	plain, secret := spoken("1", "my pin is hunter2", end), spoken("1", "my pin is hunter2", end)
	secret.Sensitive = true
	at := end
	put := func(l *call.Log) store.Written {
		at = at.Add(time.Second)
		return commit(t, s, store.Change{Source: "s", Put: []*call.Log{l}, ReadAt: at})
	}
	assert.Equal(t, store.Written{}, put(secret), "never stored")
	assert.Equal(t, store.Written{Same: 1}, put(secret))
	assert.Equal(t, store.Written{Put: 1}, put(plain))
	assert.Equal(t, store.Written{Purged: 1}, put(secret))
	assert.Empty(t, find(t, s, call.Query{Text: said(t, "hunter2")}).Logs)
	rows, err := s.Rows(ctx, "s", end.Add(-time.Hour), end.Add(time.Hour), 0, 0)
	require.NoError(t, err)
	assert.Empty(t, rows)
}

// A list tells less of a call than its record: what only that told stays.
func TestListsDoNotTakeDetailsAway(t *testing.T) {
	whole := spoken("1", "hello", end)
	whole.Metadata = map[string]any{"tier": "gold"}
	whole.Metrics = []call.Metric{{ID: "7", Name: "Greeting", Score: new(5.0), Passed: new(true), Explanation: []string{"at 00:01"}}}
	listed := spoken("1", "hello", end)
	listed.Detailed = false
	listed.Metrics = []call.Metric{{ID: "7", Name: "Greeting", Score: new(5.0)}}
	s := open(t, "")
	put := func(l *call.Log) store.Written {
		return commit(t, s, store.Change{Source: "s", Put: []*call.Log{l}})
	}
	assert.Equal(t, store.Written{Put: 1}, put(listed))
	assert.Equal(t, store.Written{Put: 1}, put(whole))
	assert.Equal(t, store.Written{Same: 1}, put(listed))
	got, err := s.Get(ctx, whole.ID)
	require.NoError(t, err)
	assert.Equal(t, whole, got)

	changed := *listed
	changed.Success = new(false)
	assert.Equal(t, store.Written{Put: 1}, put(&changed))
	want := *whole
	want.Success, want.Detailed = new(false), false
	got, err = s.Get(ctx, whole.ID)
	require.NoError(t, err)
	assert.Equal(t, &want, got, "the details of before, and said to be so")
	assert.Equal(t, store.Written{Same: 1}, put(&changed))
}

func TestRowsAndLeaves(t *testing.T) {
	s := open(t, onDisk(t))
	var logs []*call.Log
	for i, key := range []string{"9", "10", "x", "200"} {
		l := spoken(key, "hello", end.Add(time.Duration(i)*time.Hour))
		l.Detailed = i == 0
		if i == 1 {
			l.Success = new(false)
		}
		logs = append(logs, l)
	}
	leaf := store.Leaf{From: end, To: end.Add(3 * time.Hour), ReadAt: end.Add(time.Minute), Calls: 4}
	commit(t, s, store.Change{Source: "s", Put: logs, Leaf: &leaf, State: []byte("frontier")})
	rows, err := s.Rows(ctx, "s", end, end.Add(2*time.Hour), 0, 0)
	require.NoError(t, err)
	require.Len(t, rows, 3)
	hash, err := store.Hash(logs[1])
	require.NoError(t, err)
	assert.Equal(t, store.Row{Key: "10", StartedAt: end.Add(time.Hour), ReadAt: end, Hash: hash, Evaluated: true}, rows[1])
	assert.True(t, rows[0].Detailed)
	rows, err = s.Rows(ctx, "s", end, end.AddDate(0, 0, 1), 10, 0)
	require.NoError(t, err)
	assert.Len(t, rows, 2, "with numeric keys from 10 on")

	small := store.Leaf{From: end.Add(time.Hour), To: end.Add(2 * time.Hour), IDFrom: 5, IDTo: 20, ReadAt: end, Calls: 1}
	commit(t, s, store.Change{Source: "s", Leaf: &small})
	leaves, err := s.Leaves(ctx, "s", end.Add(time.Hour), end.Add(time.Hour))
	require.NoError(t, err)
	assert.Equal(t, []store.Leaf{leaf, small}, leaves)
	commit(t, s, store.Change{Source: "s", Leaf: &leaf})
	leaves, err = s.Leaves(ctx, "s", end, end.AddDate(0, 0, 1))
	require.NoError(t, err)
	assert.Equal(t, []store.Leaf{leaf}, leaves, "a leaf replaces what it covers")
	state, err := s.State(ctx, "s")
	require.NoError(t, err)
	assert.Equal(t, "frontier", string(state))
}

func TestMovedCalls(t *testing.T) {
	s := open(t, "")
	l := spoken("1", "hello", end)
	commit(t, s, store.Change{Source: "s", Put: []*call.Log{l}})
	for i, at := range []time.Time{end.Add(time.Hour), {}, end.Add(time.Nanosecond), time.Unix(0, 0).UTC(), end} {
		moved := *l
		moved.StartedAt = at
		commit(t, s, store.Change{Source: "s", Put: []*call.Log{&moved}, ReadAt: end.Add(time.Duration(i) * time.Minute)})
		p := find(t, s, call.Query{Text: said(t, "hello")})
		require.Len(t, p.Logs, 1)
		assert.True(t, p.Logs[0].StartedAt.Equal(at))
	}
}

func TestForeignCallsAreRefused(t *testing.T) {
	s := open(t, "")
	_, err := s.Commit(ctx, store.Change{Source: "other", Put: []*call.Log{spoken("1", "", end)}})
	assert.ErrorContains(t, err, "no key of a call of other")
}

// Calls that begin in one millisecond have ids one after the other, and stay in
// the order of their keys.
func TestManyCallsOfOneTime(t *testing.T) {
	s := open(t, "")
	var logs []*call.Log
	for i := range 700 {
		logs = append(logs, spoken(string(rune('a'+i%26))+string(rune('0'+i/26)), "hello", end.Add(time.Duration(i%3)*time.Millisecond)))
	}
	commit(t, s, store.Change{Source: "s", Put: logs})
	var met []*call.Log
	for q := (call.Query{Limit: 40}); ; {
		p := find(t, s, q)
		met = append(met, p.Logs...)
		if q.After = p.Next; p.Next == nil {
			break
		}
	}
	require.Len(t, met, 700)
	for i := 1; i < len(met); i++ {
		assert.Negative(t, call.Newest.Compare(met[i-1], met[i]))
	}
}
