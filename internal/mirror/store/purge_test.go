package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror/store"
)

// secretive makes calls that each hold one word of their own in every place
// that has text, among what all of them say.
func secretive(n int) (logs []*call.Log, secrets []string) {
	for i := range n {
		secret := "zq" + strings.Repeat(string(rune('a'+i%26)), 3) + strings.Repeat(string(rune('a'+i/26)), 4) + "x"
		l := spoken(fmt.Sprint(i), "thank you for calling, my word is "+secret+", is it not?", end.Add(time.Duration(i)*time.Minute))
		l.Summary, l.Topic, l.Feedback, l.ErrorMessage, l.Customer = "about "+secret, "topic "+secret, secret, secret, "+"+secret
		l.Metadata = map[string]any{"note": secret, "release": "r1"}
		l.Metrics = []call.Metric{{ID: "1", Name: "Greeting", Value: secret, Explanation: []string{secret}}}
		l.Turns = append(l.Turns, call.Turn{Index: 2, Role: call.RoleTool, Tool: &call.Tool{Name: "look", Args: `{"q":"` + secret + `"}`, Result: secret}})
		for k := range 12 {
			l.Turns = append(l.Turns, call.Turn{Index: 3 + k, Role: call.RoleAgent, Text: fmt.Sprintf("I am sorry to hear that, this is sentence number %d of the script.", k)})
		}
		logs, secrets = append(logs, l), append(secrets, secret)
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
		for _, s := range secrets {
			if bytes.Contains(bytes.ToLower(b), []byte(s)) {
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
	require.NotEmpty(t, left(t, path, secrets[100:101]), "the test sees what is there")

	n, err := s.Purge(ctx, store.Selection{Source: "s", Before: logs[100].StartedAt})
	require.NoError(t, err)
	assert.Equal(t, 100, n)
	n, err = s.Purge(ctx, store.Selection{IDs: []call.ID{logs[200].ID, {Source: "s", Key: "none"}}})
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	n, err = s.Purge(ctx, store.Selection{Number: logs[300].Customer})
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	hidden := *logs[400]
	hidden.Sensitive = true
	assert.Equal(t, store.Written{Gone: 1, Purged: 1}, commit(t, s, store.Change{Source: "s", Put: []*call.Log{&hidden}, Gone: []string{"500"}, ReadAt: end.Add(time.Hour)}))
	changed := *logs[550]
	changed.Turns, changed.Metrics, changed.Metadata = changed.Turns[2:], nil, nil
	changed.Summary, changed.Topic, changed.Feedback, changed.ErrorMessage, changed.Customer = "", "", "", "", ""
	commit(t, s, store.Change{Source: "s", Put: []*call.Log{&changed}, ReadAt: end.Add(time.Hour)})

	gone := append(secrets[:100:100], secrets[200], secrets[300], secrets[400], secrets[500], secrets[550])
	assert.Empty(t, left(t, path, gone))
	assert.Len(t, left(t, path, secrets[101:102]), 1, "the others are still there")
	stats, err := s.Stats(ctx)
	require.NoError(t, err)
	assert.Equal(t, 600-104, stats.Sources[0].Calls)
	for _, l := range logs[101:200] {
		got, err := s.Get(ctx, l.ID)
		require.NoError(t, err)
		require.Equal(t, l, got)
	}
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
