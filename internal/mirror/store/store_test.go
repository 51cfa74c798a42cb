package store_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/mirror/store"
)

var (
	ctx = context.Background()
	end = time.Date(2026, 11, 21, 9, 12, 0, 0, time.UTC)
)

func open(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(ctx, store.Options{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// onDisk is a path for a database of this test.
func onDisk(t testing.TB) string { return filepath.Join(t.TempDir(), "copy", "calls.db") }

func commit(t testing.TB, s *store.Store, ch store.Change) store.Written {
	t.Helper()
	if ch.ReadAt.IsZero() {
		ch.ReadAt = end
	}
	w, err := s.Commit(ctx, ch)
	require.NoError(t, err)
	return w
}

// filled is a store of logs, of whichever sources they are.
func filled(t testing.TB, path string, logs []*call.Log) *store.Store {
	t.Helper()
	s := open(t, path)
	bySource := map[string][]*call.Log{}
	for _, l := range logs {
		bySource[l.ID.Source] = append(bySource[l.ID.Source], l)
	}
	for _, name := range slices.Sorted(maps.Keys(bySource)) {
		for part := range slices.Chunk(bySource[name], 50) {
			w := commit(t, s, store.Change{Source: name, Put: part})
			require.Equal(t, store.Written{Put: len(part)}, w)
		}
	}
	return s
}

// A hand changes a store as calltest asks.
type hand struct {
	t    testing.TB
	s    *store.Store
	made int
}

func (h *hand) Insert(like call.ID, at time.Time) {
	l, err := h.s.Get(ctx, like)
	if err != nil {
		return
	}
	h.made++
	l.ID.Key, l.CallID, l.StartedAt = fmt.Sprintf("new-%d", h.made), "", at
	if l.Duration != nil {
		l.EndedAt = at.Add(*l.Duration)
	}
	commit(h.t, h.s, store.Change{Source: like.Source, Put: []*call.Log{l}})
}

func (h *hand) Delete(id call.ID) {
	commit(h.t, h.s, store.Change{Source: id.Source, Gone: []string{id.Key}})
}

// Law 4: a store is a source.
func TestContract(t *testing.T) {
	logs := calltest.Logs("memory", 200, 1, end)
	t.Run("memory", func(t *testing.T) {
		s := filled(t, "", logs)
		calltest.TestSource(t, s, calltest.Options{Source: "memory", Logs: 200, Mutable: &hand{t: t, s: s}})
	})
	t.Run("disk", func(t *testing.T) {
		s := filled(t, onDisk(t), logs)
		calltest.TestSource(t, s, calltest.Options{Source: "memory", Logs: 200, Mutable: &hand{t: t, s: s}})
	})
}

func TestContractOfSeveralSources(t *testing.T) {
	logs := append(calltest.Logs("b", 80, 3, end), calltest.Logs("a", 80, 3, end)...) // at the same times
	for _, l := range logs[:40] {
		l.StartedAt, l.EndedAt = time.Time{}, time.Time{}
	}
	for _, l := range logs[100:130] { // in one millisecond
		l.StartedAt, l.EndedAt = end.Add(-5*time.Hour), time.Time{}
	}
	s := filled(t, onDisk(t), logs)
	calltest.TestSource(t, s, calltest.Options{Logs: 160})
	w := call.Window{From: end.AddDate(0, 0, -40), To: end}
	calltest.TestSource(t, s, calltest.Options{Logs: 120, Window: w})
}

func TestEmpty(t *testing.T) {
	calltest.TestSource(t, open(t, ""), calltest.Options{Source: "none"})
}
