package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror/store"
)

// secretive makes calls that each hold one word of their own in every place
// that has text, among what all of them say, and returns the ends of the words:
// FTS5 leaves out what a word shares with the one before it.
func secretive(n int) (logs []*call.Log, secrets []string) {
	for i := range n {
		r := rand.New(rand.NewPCG(uint64(i), 7))
		var letters [18]byte
		for k := range letters {
			letters[k] = byte('a' + r.IntN(26))
		}
		secret := string(letters[:])
		l := spoken(fmt.Sprint(i), "thank you for calling, my word is "+secret+", is it not?", end.Add(time.Duration(i)*time.Minute))
		l.Summary, l.Topic, l.Feedback, l.ErrorMessage, l.Customer = "about "+secret, "topic "+secret, secret, secret, "+"+secret
		l.Metadata = map[string]any{"note": secret, "release": "r1"}
		l.Metrics = []call.Metric{{ID: "1", Name: "Greeting", Value: secret, Explanation: []string{secret}}}
		l.Turns = append(l.Turns, call.Turn{Index: 2, Role: call.RoleTool, Tool: &call.Tool{Name: "look", Args: `{"q":"` + secret + `"}`, Result: secret}})
		for k := range 12 {
			l.Turns = append(l.Turns, call.Turn{Index: 3 + k, Role: call.RoleAgent, Text: fmt.Sprintf("I am sorry to hear that, this is sentence number %d of the script.", k)})
		}
		logs, secrets = append(logs, l), append(secrets, secret[8:])
	}
	return logs, secrets
}

// left are the secrets that some file beside path still holds.
func left(t *testing.T, path string, secrets []string) (found []string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), f.Name()))
		require.NoError(t, err)
		b = bytes.ToLower(b)
		for _, s := range secrets {
			if bytes.Contains(b, []byte(s)) {
				found = append(found, f.Name()+": "+s)
			}
		}
	}
	return found
}

func TestPurgeLeavesNoByte(t *testing.T) {
	path := onDisk(t)
	s := open(t, path)
	logs, secrets := secretive(600)
	for i := 0; i < len(logs); i += 20 { // many segments of the index, merged and freed
		commit(t, s, store.Change{Source: "s", Put: logs[i : i+20]})
	}
	require.GreaterOrEqual(t, len(left(t, path, secrets)), len(secrets), "the test sees what is there")
	purge := func(want int, sel store.Selection) {
		t.Helper()
		n, err := s.Purge(ctx, sel)
		require.NoError(t, err)
		assert.Equal(t, want, n)
	}
	purge(100, store.Selection{Source: "s", Before: logs[100].StartedAt})
	assert.Empty(t, left(t, path, secrets[:100]))
	purge(1, store.Selection{IDs: []call.ID{logs[200].ID, {Source: "s", Key: "none"}}})
	assert.Empty(t, left(t, path, secrets[200:201]))
	purge(1, store.Selection{Number: logs[300].Customer})
	assert.Empty(t, left(t, path, secrets[300:301]))
	for _, prompt := range []int{1000, 0} {
		s.Prompt(prompt)
		at := 400
		if prompt == 0 {
			at = 401
		}
		hidden, changed := *logs[at], *logs[at+150]
		hidden.Sensitive = true
		changed.Turns, changed.Metrics, changed.Metadata = changed.Turns[2:], nil, nil
		changed.Summary, changed.Topic, changed.Feedback, changed.ErrorMessage, changed.Customer = "", "", "", "", ""
		w := commit(t, s, store.Change{Source: "s", Put: []*call.Log{&hidden, &changed}, Gone: []string{fmt.Sprint(at + 100)}, ReadAt: end.Add(time.Hour)})
		assert.Equal(t, store.Written{Put: 1, Gone: 1, Purged: 1}, w)
		gone := []string{secrets[at], secrets[at+100], secrets[at+150]}
		if prompt == 0 {
			assert.Len(t, left(t, path, gone), 3, "a large index keeps them")
			purge(0, store.Selection{Before: time.Unix(0, 0)})
		}
		assert.Empty(t, left(t, path, gone))
	}

	assert.NotEmpty(t, left(t, path, secrets[101:102]), "the others are still there")
	stats, err := s.Stats(ctx)
	require.NoError(t, err)
	assert.Equal(t, 600-106, stats.Sources[0].Calls)
	for _, l := range logs[101:200] {
		got, err := s.Get(ctx, l.ID)
		require.NoError(t, err)
		require.Equal(t, l, got)
	}
}

// Each purge moves the index up one level; FTS5 takes one of 2000 for damaged.
func TestManyPurges(t *testing.T) {
	path := onDisk(t)
	s := open(t, path)
	logs, secrets := secretive(150)
	commit(t, s, store.Change{Source: "s", Put: logs})
	for _, l := range logs[:140] {
		_, err := s.Purge(ctx, store.Selection{IDs: []call.ID{l.ID}})
		require.NoError(t, err)
	}
	assert.Empty(t, left(t, path, secrets[:140]))
	assert.Less(t, s.Levels(t), 70)
	assert.Len(t, find(t, s, call.Query{Text: said(t, "sentence")}).Logs, 10)
}

// Calls come and go while a purge merges the index.
func TestPurgeWhileOthersWrite(t *testing.T) {
	path := onDisk(t)
	s := open(t, path)
	s.Prompt(0)
	logs, secrets := secretive(1500)
	commit(t, s, store.Change{Source: "s", Put: logs[:1000]})
	var others sync.WaitGroup
	others.Go(func() {
		for i := 1000; i < 1500; i += 10 {
			commit(t, s, store.Change{Source: "s", Put: logs[i : i+10], Gone: []string{fmt.Sprint(i - 500)}})
		}
	})
	for i := range 10 {
		_, err := s.Purge(ctx, store.Selection{IDs: []call.ID{logs[i].ID}})
		require.NoError(t, err)
		assert.Empty(t, left(t, path, secrets[i:i+1]))
	}
	others.Wait()
	var gone []string
	for i := 500; i < 1000; i += 10 {
		gone = append(gone, secrets[i])
	}
	_, err := s.Purge(ctx, store.Selection{Before: time.Unix(0, 0)})
	require.NoError(t, err)
	assert.Empty(t, left(t, path, gone))
	stats, err := s.Stats(ctx)
	require.NoError(t, err)
	assert.Equal(t, 1500-60, stats.Sources[0].Calls)
}

// What all calls said goes with the last of them, out of the dictionary too.
func TestPurgeAll(t *testing.T) {
	path := onDisk(t)
	s := open(t, path)
	logs, secrets := secretive(500)
	other := spoken("1", "quite another call", end)
	other.ID.Source = "t"
	commit(t, s, store.Change{Source: "s", Put: logs})
	commit(t, s, store.Change{Source: "t", Put: []*call.Log{other}})
	require.NotEmpty(t, left(t, path, []string{"sorry to hear"}), "the dictionary knows it")
	n, err := s.Purge(ctx, store.Selection{})
	require.NoError(t, err)
	assert.Zero(t, n, "the zero selection names none")
	n, err = s.Purge(ctx, store.Selection{Source: "s"})
	require.NoError(t, err)
	assert.Equal(t, 500, n)
	assert.Empty(t, left(t, path, append(secrets, "sorry to hear", "sentence number", "greeting", "release")))
	got, err := s.Get(ctx, other.ID)
	require.NoError(t, err)
	assert.Equal(t, other, got)
	n, err = s.Purge(ctx, store.Selection{All: true})
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	a, err := s.Aggregate(ctx, call.Aggregation{})
	require.NoError(t, err)
	assert.Zero(t, a.Total.Stats.Calls)
}

func TestLock(t *testing.T) {
	path := onDisk(t)
	a, b := open(t, path), open(t, path)
	_, held := a.Holder()
	assert.False(t, held)
	unlock, err := a.Lock(ctx)
	require.NoError(t, err)
	_, err = b.Lock(ctx)
	var other *store.HeldError
	require.True(t, errors.As(err, &other))
	assert.Equal(t, os.Getpid(), other.PID)
	assert.ErrorContains(t, err, fmt.Sprintf("process %d syncs this copy since 20", os.Getpid()))
	h, held := b.Holder()
	assert.True(t, held)
	assert.Equal(t, other.Holder, h)
	unlock()
	unlock, err = b.Lock(ctx)
	require.NoError(t, err)
	unlock()
}

func TestOthersMayNotRead(t *testing.T) {
	path := onDisk(t)
	s, err := store.Open(ctx, store.Options{Path: path})
	require.NoError(t, err)
	commit(t, s, store.Change{Source: "s", Put: []*call.Log{spoken("1", "hello", end)}})
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(files), 2)
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f.Name())
	}
	require.NoError(t, s.Close())
	refused := func(name string, mode os.FileMode, words string) {
		was, err := os.Stat(name)
		require.NoError(t, err)
		require.NoError(t, os.Chmod(name, mode))
		_, err = store.Open(ctx, store.Options{Path: path})
		assert.ErrorContains(t, err, words)
		require.NoError(t, os.Chmod(name, was.Mode().Perm()))
	}
	refused(path, 0o644, "chmod 600 "+path)
	refused(filepath.Dir(path), 0o755, "chmod 700 "+filepath.Dir(path))
	if os.Getuid() == 0 {
		require.NoError(t, os.Chown(path, 12345, -1))
		_, err = store.Open(ctx, store.Options{Path: path})
		assert.ErrorContains(t, err, "belongs to another user")
	}
}

func TestCancelledOpen(t *testing.T) {
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	_, err := store.Open(stopped, store.Options{})
	assert.ErrorIs(t, err, context.Canceled)
}
