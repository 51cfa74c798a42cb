package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	demoapi "call-logs-mcp/client/demo"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/serve"
)

// ofAgent is somebody who may see the calls of one agent.
func ofAgent(ctx context.Context, id string) context.Context {
	return serve.As(ctx, serve.Principal{Name: "agent" + id, Scopes: serve.Scopes(), Where: filter.Cond{Field: "agent.id", Op: filter.Eq, Value: id}})
}

// Whether a call is somebody else's or nobody's is told by nothing: neither asks
// the upstream where the copy is whole, and elsewhere both may only a few times.
func TestExistenceIsNotToldByWork(t *testing.T) {
	api := demoapi.New(demoapi.Options{Calls: 120, Seed: 1, Now: now})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now().Format(http.TimeFormat))
		api.ServeHTTP(w, r)
	}))
	defer upstream.Close()
	opened := func(args ...string) (*house, config.Config) {
		cfg, err := config.Parse(client.Providers(), append(args, "--details", "none"), func(name string) string { return map[string]string{"HOME": t.TempDir(), "CEKURA_API_KEY": "k"}[name] }, os.Stderr)
		require.NoError(t, err)
		src, err := client.Open("cekura", client.Options{Name: "cekura", BaseURL: upstream.URL, Credential: func(string) string { return "k" }, Now: now, Limits: rest.Limits{Rate: 1e6, Burst: 1e6}})
		require.NoError(t, err)
		configured := []config.SourceConfig{{Name: "cekura", Provider: "cekura"}}
		h, err := assemble(cfg.Options, "test", slog.New(slog.DiscardHandler), now, configured, map[string]call.Source{"cekura": src})
		require.NoError(t, err)
		return h, cfg
	}
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	h, cfg := opened("sync", "--mirror", path)
	require.NoError(t, h.sync(t.Context(), cfg, io.Discard))
	h, _ = opened("serve", "--mirror", path)
	ids := map[string][]int{}
	page := struct {
		Calls []struct {
			ID    string `json:"id"`
			Agent string `json:"agent_id"`
		} `json:"calls"`
	}{}
	data(t, h.client(t), "list_call_logs", `{"page_size":100,"timestamp_from":"now-60d"}`, &page)
	for _, l := range page.Calls {
		n := 0
		_, err := fmt.Sscanf(l.ID, "cekura/%d", &n)
		require.NoError(t, err)
		ids[l.Agent] = append(ids[l.Agent], n)
	}
	var agents []string
	for agent := range ids {
		agents = append(agents, agent)
	}
	require.Greater(t, len(agents), 1)
	own, foreign := agents[0], ids[agents[1]]

	for _, mirror := range []string{path, "off"} {
		h, _ = opened("serve", "--mirror", mirror)
		s, err := h.server()
		require.NoError(t, err)
		get := func(id int) (answer string, requests int) {
			asked, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{"name": "get_call_log", "arguments": map[string]any{"id": fmt.Sprint(id)}}})
			require.NoError(t, err)
			before := api.Requests()
			b, err := json.Marshal(s.HandleMessage(ofAgent(t.Context(), own), asked))
			require.NoError(t, err)
			return strings.ReplaceAll(string(b), fmt.Sprint(id), "ID"), api.Requests() - before
		}
		answer, _ := get(ids[own][0])
		assert.NotContains(t, answer, "isError\":true")
		if mirror != "off" {
			wrong, asked := get(foreign[0])
			none, askedNone := get(999_999)
			assert.Contains(t, wrong, "No call")
			assert.Equal(t, none, wrong)
			assert.Zero(t, asked+askedNone, "the copy knows")
			continue
		}
		spent, refused := 0, 0
		for i := range 30 {
			_, n := get(999_000 + i)
			spent += n
		}
		for _, id := range []int{foreign[1], 999_999} {
			answer, n := get(id)
			assert.Contains(t, answer, "Too many ids")
			refused += n
		}
		assert.LessOrEqual(t, spent, 60)
		assert.Zero(t, refused)
	}
}
