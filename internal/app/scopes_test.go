package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/mirror/store"
)

// filled writes calls into a copy, as a process that is configured for a project
// and reads them from a source.
func filled(t *testing.T, db *store.Store, source, project, word string) {
	t.Helper()
	_, err := db.Claim(t.Context(), map[string]string{source: call.Confinement{Project: project}.String()})
	require.NoError(t, err)
	var logs []*call.Log
	for i := range 30 {
		logs = append(logs, &call.Log{
			ID: call.ID{Source: source, Key: fmt.Sprint(5500 + i)}, ProjectID: project, AgentID: word + "agent", AgentName: word, Topic: word, Detailed: true,
			StartedAt: now().Add(-time.Duration(i) * time.Hour), Turns: []call.Turn{{Index: 1, Role: call.RoleCaller, Text: "refund " + word}},
		})
	}
	change := store.Change{Source: source, ReadAt: now(), Put: logs, Leaf: &store.Leaf{From: now().AddDate(0, 0, -100), To: now(), ReadAt: now()}}
	_, err = db.Commit(t.Context(), change)
	require.NoError(t, err)
}

// tells asks for whatever a copy may tell, and returns it.
func tells(t *testing.T, s *server.MCPServer) string {
	t.Helper()
	var b strings.Builder
	for _, q := range []struct {
		tool string
		args map[string]any
	}{
		{"describe_fields", map[string]any{}}, {"describe_fields", map[string]any{"field": "topic"}}, {"describe_fields", map[string]any{"field": "agent.id"}},
		{"list_call_logs", map[string]any{}}, {"search_transcripts", map[string]any{"query": "refund"}}, {"aggregate_call_logs", map[string]any{"group_by": []string{"topic"}}},
		{"get_call_log", map[string]any{"id": "calls/5503"}}, {"read_transcript", map[string]any{"id": "calls/5503"}},
	} {
		b.WriteString(answeredBy(t, s, q.tool, q.args))
	}
	return b.String()
}

// A copy tells nothing of what it was filled with for another project: while the
// other process has it, when it is taken over, and when the other takes it over.
func TestACopyOfAnotherProjectTellsNothing(t *testing.T) {
	own := careless{provider: "cekura", calls: tenants(20), told: true} // of the projects 1 and 2
	opened := func(path string) *store.Store {
		db, err := store.Open(t.Context(), store.Options{Path: path, Now: now})
		require.NoError(t, err)
		return db
	}
	t.Run("held", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "copy", "calls.db")
		db := opened(path)
		defer db.Close()
		unlock, err := db.Lock(t.Context())
		require.NoError(t, err)
		defer unlock()
		filled(t, db, "calls", "77", "foreignword")
		text := tells(t, confinedTo(t, own, path, call.Confinement{Project: "1"}))
		assert.NotContains(t, text, "foreignword")
		assert.Contains(t, text, "zq", "what is its own is found")
		assert.NotContains(t, text, "another process fetches the rest", "which it never does")
	})
	t.Run("taken over", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "copy", "calls.db")
		db := opened(path)
		filled(t, db, "calls", "77", "foreignword")
		filled(t, db, "others", "78", "othersword")
		require.NoError(t, db.Close())
		text := tells(t, confinedTo(t, own, path, call.Confinement{Project: "1"}))
		assert.NotContains(t, text, "foreignword")
		assert.NotContains(t, text, "othersword", "of a source that is not configured")
		assert.Contains(t, text, "zq")
		for _, file := range []string{path, path + "-wal"} {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.False(t, bytes.Contains(data, []byte("foreignword")), "what it was filled with is gone from %s", file)
		}
	})
	t.Run("lost", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "copy", "calls.db")
		db := opened(path)
		defer db.Close()
		unlock, err := db.Lock(t.Context())
		require.NoError(t, err)
		filled(t, db, "calls", "1", "ownword")
		s := confinedTo(t, own, path, call.Confinement{Project: "1"})
		assert.Contains(t, tells(t, s), "ownword")
		unlock()
		filled(t, db, "calls", "77", "foreignword")
		text := tells(t, s)
		assert.NotContains(t, text, "foreignword")
		assert.Contains(t, text, "zq", "the upstream answers")
	})
}

// What status says of a copy is of what is configured.
func TestStatusIsOfWhatIsConfigured(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	db, err := store.Open(t.Context(), store.Options{Path: path, Now: now})
	require.NoError(t, err)
	filled(t, db, "cekura", "77", "foreignword")
	filled(t, db, "others", "77", "othersword")
	require.NoError(t, db.Close())
	said := func(project string) string {
		env := map[string]string{"HOME": t.TempDir(), "CEKURA_API_KEY": "k", "CEKURA_PROJECT_ID": project}
		cfg, err := config.Parse(client.Providers(), []string{"status", "--mirror", path}, func(name string) string { return env[name] }, os.Stderr)
		require.NoError(t, err)
		h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), now)
		require.NoError(t, err)
		var out strings.Builder
		require.NoError(t, h.status(t.Context(), cfg, &out))
		return out.String()
	}
	assert.Contains(t, said("77"), "cekura: 30 calls")
	assert.NotContains(t, said("77"), "others")
	assert.Equal(t, "The copy at "+path+" was filled for other projects or agents; call-logs-mcp sync fills it anew for these.\n", said("1"))
}
