package store

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
)

// What is forgotten does not come back with the next sync, however its number is
// written, and neither its number nor its keys are in any file.
func TestForgottenCallsStayAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	s, err := Open(t.Context(), Options{Path: path})
	require.NoError(t, err)
	defer s.Close()
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	logs := func() (out []*call.Log) {
		for i, customer := range []string{"+1 415 555-0100", "+14155550100", "+14155550111", "+14155550122"} {
			out = append(out, &call.Log{
				ID: call.ID{Source: "cekura", Key: []string{"9000001", "9000002", "9000003", "9000004"}[i]}, CallID: []string{"vapi-aaa-1", "vapi-aaa-2", "vapi-aaa-3", "vapi-aaa-4"}[i],
				StartedAt: start.Add(time.Duration(i) * time.Minute), Customer: customer, Topic: "refund",
				Turns: []call.Turn{{Index: 1, Role: call.RoleCaller, Text: "my secret is swordfish"}},
			})
		}
		return out
	}
	commit := func(at time.Time) {
		_, err := s.Commit(t.Context(), Change{Source: "cekura", ReadAt: at, Put: logs()})
		require.NoError(t, err)
	}
	keys := func() (out []string) {
		rows, err := s.Rows(t.Context(), "cekura", start, start.Add(time.Hour), 0, 0)
		require.NoError(t, err)
		for _, r := range rows {
			out = append(out, r.Key)
		}
		return out
	}
	commit(start)
	require.Len(t, keys(), 4)

	out, err := s.Forget(t.Context(), Selection{Number: "+1 (415) 555 0100"})
	require.NoError(t, err)
	assert.Len(t, out.Removed, 2)
	assert.Empty(t, out.Residue)
	assert.Contains(t, out.Places, path)
	out, err = s.Forget(t.Context(), Selection{IDs: []call.ID{{Source: "cekura", Key: "vapi-aaa-3"}}})
	require.NoError(t, err)
	assert.Equal(t, []call.ID{{Source: "cekura", Key: "9000003"}}, out.Removed)
	assert.Empty(t, out.Residue)

	commit(start.Add(time.Hour))
	assert.Equal(t, []string{"9000004"}, keys(), "of the same calls, read again")
	require.NoError(t, s.write(t.Context(), s.emptyLog))
	for _, file := range []string{path, path + "-wal"} {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, trace := range []string{"14155550100", "415 555-0100", "vapi-aaa-1", "vapi-aaa-2", "vapi-aaa-3", "9000001", "9000003"} {
			assert.Falsef(t, bytes.Contains(data, []byte(trace)), "%s in %s", trace, file)
		}
	}
	_, err = s.Forget(t.Context(), Selection{All: true})
	assert.Error(t, err, "only calls and numbers")
}

// A damaged record costs its call, whatever is asked, and its call is still
// counted, removed and read anew.
func TestADamagedRecordCostsItself(t *testing.T) {
	s := filled(t, 40)
	defer s.Close()
	require.NoError(t, s.write(t.Context(), func(c *conn) error {
		return c.do(`UPDATE records SET body = x'00112233' WHERE id IN (SELECT id FROM calls ORDER BY id DESC LIMIT 2)`)
	}))
	p, err := s.Find(t.Context(), call.Query{Limit: 40})
	require.NoError(t, err)
	assert.Len(t, p.Logs, 38)
	assert.NotContains(t, p.Logs, (*call.Log)(nil))
	require.Len(t, p.Notes, 1)
	assert.Contains(t, p.Notes[0], "2 records of the local copy are damaged")
	assert.False(t, p.Coverage.Complete)
	text, err := call.ParseText("refund")
	require.NoError(t, err)
	for _, order := range []call.Order{call.Newest, call.Relevance} {
		p, err = s.Find(t.Context(), call.Query{Text: text, Order: order, Limit: 40})
		require.NoError(t, err, order)
		assert.Equal(t, len(p.Logs), len(p.Hits))
		assert.NotContains(t, p.Logs, (*call.Log)(nil))
		assert.NotEmpty(t, p.Logs)
	}
	removed, err := s.Purge(t.Context(), Selection{All: true})
	require.NoError(t, err)
	assert.Equal(t, 40, removed)
}

// Where no record can be read, the database is damaged.
func TestRecordsThatAreAllDamaged(t *testing.T) {
	s := filled(t, 40)
	defer s.Close()
	require.NoError(t, s.write(t.Context(), func(c *conn) error { return c.do(`UPDATE records SET body = x'00112233'`) }))
	_, err := s.Find(t.Context(), call.Query{Limit: 20})
	require.NotNil(t, Broken(err))
	assert.True(t, Broken(err).Damaged)
}

// Many that open a new file at once wait for each other.
func TestManyOpenANewFile(t *testing.T) {
	for range 2 {
		path := filepath.Join(t.TempDir(), "copy", "calls.db")
		errs := make(chan error)
		for range 16 {
			go func() {
				s, err := Open(context.Background(), Options{Path: path})
				if err == nil {
					err = s.Close()
				}
				errs <- err
			}()
		}
		for range 16 {
			assert.NoError(t, <-errs)
		}
	}
}

// A damaged file is found by Check, set aside whole, and a new one is made.
func TestSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	s, err := Open(t.Context(), Options{Path: path})
	require.NoError(t, err)
	whole, err := s.Check(t.Context())
	require.NoError(t, err)
	assert.True(t, whole)
	require.NoError(t, s.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	clear(data[:50])
	require.NoError(t, os.WriteFile(path, data, 0o600))
	_, err = Open(t.Context(), Options{Path: path})
	require.True(t, Broken(err) != nil && Broken(err).Damaged, err)

	at := time.Date(2026, 11, 21, 9, 12, 0, 0, time.UTC)
	require.NoError(t, os.Chmod(path, 0o400))
	_, err = SetAside(path, at)
	require.ErrorContains(t, err, "read-only")
	require.NoError(t, os.Chmod(path, 0o600))
	aside, err := SetAside(path, at)
	require.NoError(t, err)
	assert.Equal(t, path+".damaged-20261121-091200", aside)
	assert.Equal(t, []string{aside}, Aside(path))
	kept, err := os.ReadFile(aside)
	require.NoError(t, err)
	assert.Equal(t, data, kept)
	s, err = Open(t.Context(), Options{Path: path})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

// filled is a store in memory with so many calls.
func filled(t *testing.T, calls int) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{})
	require.NoError(t, err)
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	var logs []*call.Log
	for i := range calls {
		logs = append(logs, &call.Log{
			ID: call.ID{Source: "cekura", Key: strconv.Itoa(1000 + i)}, StartedAt: start.Add(time.Duration(i) * time.Minute),
			Turns: []call.Turn{{Index: 1, Role: call.RoleCaller, Text: "hello, I want my refund of " + strconv.Itoa(i)}},
		})
	}
	_, err = s.Commit(t.Context(), Change{Source: "cekura", ReadAt: start.Add(24 * time.Hour), Put: logs})
	require.NoError(t, err)
	return s
}
