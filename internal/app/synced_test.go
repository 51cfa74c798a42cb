package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	demoapi "call-logs-mcp/client/demo"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/mirror/store"
)

// The same investigation before a sync, when it was stopped halfway, and after
// it, by a server that only reads the copy, since another process writes it:
// what is not covered yet is said in each answer, word for word.
func TestGoldenAnswersWhileTheCopyFills(t *testing.T) {
	api := demoapi.New(demoapi.Options{Now: now})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now().Format(http.TimeFormat))
		api.ServeHTTP(w, r)
	}))
	defer upstream.Close()
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	opened := func(args ...string) (*house, config.Config) {
		env := map[string]string{"HOME": t.TempDir(), "CEKURA_API_KEY": "secret", "CEKURA_BASE_URL": upstream.URL}
		cfg, err := config.Parse(client.Providers(), append(args, "--mirror", path, "--details", "none"), func(name string) string { return env[name] }, os.Stderr)
		require.NoError(t, err)
		h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), now)
		require.NoError(t, err)
		return h, cfg
	}
	var b strings.Builder
	investigate := func(when string) {
		writer, err := store.Open(t.Context(), store.Options{Path: path, Now: now})
		require.NoError(t, err)
		defer writer.Close()
		unlock, err := writer.Lock(context.Background())
		require.NoError(t, err)
		defer unlock()
		h, _ := opened("serve")
		c := h.client(t)
		b.WriteString("# " + when + "\n")
		for _, q := range []struct{ tool, args string }{
			{"aggregate_call_logs", `{"group_by":["call_ended_reason"],"timestamp_from":"now-20d","limit":2}`},
			{"search_transcripts", `{"query":"\"are you still there\"","timestamp_from":"now-20d","page_size":1,"context_turns":0}`},
			{"describe_fields", `{"field":"topic","max_tokens":300}`},
			{"list_call_logs", `{"success":false,"timestamp_from":"now-20d","page_size":1}`},
		} {
			b.WriteString("\n> " + q.tool + " " + q.args + "\n" + settled(textOf(t, ask(t, c, q.tool, q.args))) + "\n")
		}
		b.WriteString("\n")
	}
	synced := func(args ...string) {
		h, cfg := opened(append([]string{"sync"}, args...)...)
		require.NoError(t, h.sync(context.Background(), cfg, io.Discard))
	}
	investigate("Before the first sync.")
	synced("--since", "now-8d")
	investigate("After a sync of the last eight days.")
	synced()
	investigate("After a sync of all.")
	golden(t, filepath.Join("sessions", "synced.golden"), b.String())
}
