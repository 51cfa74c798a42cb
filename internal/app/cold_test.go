package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	mcpclient "github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	demoapi "call-logs-mcp/client/demo"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/mirror/store"
)

// status answers every request with a status.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"detail":"no"}`, code) }
}

// reset breaks every connection off.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, _ := http.NewResponseController(w).Hijack()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// hang answers when the client is gone.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// faults are upstreams that do not answer, and what is said of each.
func faults() map[string]struct {
	upstream http.HandlerFunc // nil refuses connections
	said     string
} {
	type fault = struct {
		upstream http.HandlerFunc
		said     string
	}
	return map[string]fault{
		"wrong key": {status(401), "refused the key in CEKURA_API_KEY (401)"},
		"forbidden": {status(403), "does not let the key in CEKURA_API_KEY read this (403)"},
		"503":       {status(503), "failing (503)"},
		"reset":     {reset, "broke off the connection"},
		"refused":   {nil, "refuses the connection"},
		"hanging":   {hang, "did not answer in time"},
		"web page":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>log in</html>") }, "a web page"},
	}
}

// served is the address of an upstream; nil is one where nobody listens.
func served(t *testing.T, upstream http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(upstream)
	if upstream == nil {
		s.Close()
	}
	t.Cleanup(s.Close)
	return s.URL
}

// cold is a process that was just started over an upstream, in an empty HOME, and
// its client.
func cold(t *testing.T, url string, at time.Time, flags ...string) (*house, *mcpclient.Client) {
	t.Helper()
	env := map[string]string{"HOME": t.TempDir(), "CEKURA_API_KEY": "secret", "CEKURA_BASE_URL": url}
	cfg, err := config.Parse(client.Providers(), append([]string{"serve"}, flags...), func(name string) string { return env[name] }, io.Discard)
	require.NoError(t, err)
	h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), func() time.Time { return at })
	require.NoError(t, err)
	c, ok := h.base.(*copied)
	if ok {
		t.Cleanup(func() { c.drop(nil) })
	}
	return h, h.client(t)
}

const coldCalls = 60

// wholeCopy is a file with all calls of a demo upstream, as of now.
func wholeCopy(t *testing.T) string {
	t.Helper()
	api := demoapi.New(demoapi.Options{Calls: coldCalls, Seed: 1, Now: now})
	url := served(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now().Format(http.TimeFormat))
		api.ServeHTTP(w, r)
	})
	path := filepath.Join(t.TempDir(), "copy", "calls.db")
	env := map[string]string{"HOME": t.TempDir(), "CEKURA_API_KEY": "secret", "CEKURA_BASE_URL": url}
	cfg, err := config.Parse(client.Providers(), []string{"sync", "--mirror", path}, func(name string) string { return env[name] }, io.Discard)
	require.NoError(t, err)
	h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), now)
	require.NoError(t, err)
	require.NoError(t, h.sync(context.Background(), cfg, io.Discard))
	return path
}

// another is a file like one, in a folder of its own.
func another(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	to := filepath.Join(t.TempDir(), "copy", "calls.db")
	require.NoError(t, os.Mkdir(filepath.Dir(to), 0o700))
	require.NoError(t, os.WriteFile(to, data, 0o600))
	return to
}

// firsts are the questions a process may be asked first, and what is in their
// answers if they are right.
func firsts(id string) map[string]struct{ tool, args, want string } {
	type first = struct{ tool, args, want string }
	return map[string]first{
		"list":     {"list_call_logs", `{"page_size":5}`, "5 calls of an unknown total"},
		"filtered": {"list_call_logs", `{"success":false,"page_size":3}`, "failed"},
		"get":      {"get_call_log", fmt.Sprintf(`{"id":%q}`, id), "agent:"},
		"read":     {"read_transcript", fmt.Sprintf(`{"id":%q}`, id), "caller:"},
		"search":   {"search_transcripts", `{"query":"refund"}`, "«refund»"},
		"newest":   {"search_transcripts", `{"query":"refund","order_by":"newest"}`, "«refund»"},
		"count":    {"aggregate_call_logs", `{"group_by":["topic"]}`, fmt.Sprintf(" | %d | ", coldCalls)},
		"describe": {"describe_fields", `{"field":"topic"}`, fmt.Sprintf("in %d calls", coldCalls)},
		"resource": {"", id, "agent:"},
	}
}

// cells are the questions that are tried with a fault: all of them where SOAK is
// set, else a few, so that each question meets some fault and each fault some.
func cells[T any](fault string, all map[string]T) map[string]T {
	if os.Getenv("SOAK") != "" {
		return all
	}
	some := map[string]T{}
	for i, what := range slices.Sorted(maps.Keys(all)) {
		if fault == "hanging" && what != "list" {
			continue // each waits for 3.5 s
		}
		if fault == "hanging" || (i+len(fault))%3 == 0 {
			some[what] = all[what]
		}
	}
	return some
}

// firstAnswer asks one of firsts and returns what is read, and whether that is an error.
func firstAnswer(t *testing.T, c *mcpclient.Client, tool, args string) (text string, failed bool) {
	t.Helper()
	if tool != "" {
		r := ask(t, c, tool, args)
		return textOf(t, r), r.IsError
	}
	var r mcp.ReadResourceRequest
	r.Params.URI = "call://" + args
	got, err := c.ReadResource(context.Background(), r)
	if err != nil {
		return err.Error(), true
	}
	require.NotEmpty(t, got.Contents)
	return got.Contents[0].(mcp.TextResourceContents).Text, false
}

// The first question of a process is answered from a whole copy, whatever the
// upstream does, with why and as of when.
func TestFirstAnswersFromTheCopy(t *testing.T) {
	whole := wholeCopy(t)
	id := someCall(t, whole)
	for name, fault := range faults() {
		for what, first := range cells(name, firsts(id)) {
			t.Run(name+" "+what, func(t *testing.T) {
				t.Parallel()
				_, c := cold(t, served(t, fault.upstream), now().Add(11*time.Minute), "--mirror", another(t, whole))
				began := time.Now()
				text, failed := firstAnswer(t, c, first.tool, first.args)
				require.False(t, failed, text)
				assert.Contains(t, text, first.want)
				assert.Less(t, time.Since(began), 15*time.Second, "many cells share two cores; 3.5 s of waiting are meant")
				assert.NotContains(t, text, "narrow")
				if !strings.Contains(text, "could not be asked") { // a call that was fully read, long ago, needs no upstream
					assert.Contains(t, []string{"get", "read", "resource"}, what, text)
					return
				}
				assert.Contains(t, text, fault.said)
				assert.Contains(t, text, "as of 2026-11-21 09:12Z")
			})
		}
	}
}

// Where nothing is copied, each first question fails for the upstream's reason:
// nothing is not zero.
func TestFirstAnswersWithoutACopy(t *testing.T) {
	for name, fault := range faults() {
		if name == "hanging" && os.Getenv("SOAK") == "" {
			continue // it takes 40 s
		}
		for what, first := range cells(name, firsts("cekura/77899")) {
			for _, where := range []string{"off", "memory", "file"} {
				t.Run(name+" "+what+" "+where, func(t *testing.T) {
					t.Parallel()
					place := where
					if where == "file" {
						place = filepath.Join(t.TempDir(), "copy", "calls.db")
					}
					_, c := cold(t, served(t, fault.upstream), now(), "--mirror", place)
					text, failed := firstAnswer(t, c, first.tool, first.args)
					assert.True(t, failed, text)
					assert.Contains(t, text, fault.said)
					assert.NotContains(t, text, "No calls")
					assert.NotContains(t, text, "narrow the window")
				})
			}
		}
	}
}

// someCall is the newest call of a copy whose record was not read.
func someCall(t *testing.T, path string) string {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Path: path, Now: now})
	require.NoError(t, err)
	defer db.Close()
	rows, err := db.Rows(t.Context(), "cekura", now().AddDate(0, 0, -90), now(), 0, 0)
	require.NoError(t, err)
	rows = slices.DeleteFunc(rows, func(r store.Row) bool { return r.Detailed })
	require.NotEmpty(t, rows)
	return "cekura/" + rows[len(rows)-1].Key
}

// An upstream that was down for three questions is asked no more, and answers say
// since when.
func TestADeadUpstreamIsLeftAlone(t *testing.T) {
	asked := make(chan struct{}, 100)
	url := served(t, func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		http.Error(w, "no", http.StatusServiceUnavailable)
	})
	at := now().Add(11*time.Minute + 123*time.Nanosecond) // clocks are finer than what a copy tells
	_, c := cold(t, url, at, "--mirror", wholeCopy(t))
	text := ""
	for range 5 {
		text = textOf(t, ask(t, c, "list_call_logs", `{"page_size":2}`))
	}
	requests := len(asked)
	assert.LessOrEqual(t, requests, 9, "three attempts of three questions")
	assert.Regexp(t, `It has been failing since (\d{4}-\d\d-\d\d )?\d\d:\d\d UTC`, text)
	assert.Contains(t, text, "2 calls of an unknown total")
	assert.Contains(t, text, "complete until 09:13 (copy as of 09:12)")
	for tool, args := range map[string]string{"aggregate_call_logs": `{}`, "search_transcripts": `{"query":"refund"}`} {
		assert.Contains(t, textOf(t, ask(t, c, tool, args)), "failing since", tool)
	}
	assert.Len(t, asked, requests)
}

// breaks are ways in which a copy is broken, and what is said of it.
func breaks() map[string]struct {
	how  func(t *testing.T, path string)
	said string
} {
	type damage = struct {
		how  func(t *testing.T, path string)
		said string
	}
	changed := func(change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, change(data), 0o600))
		}
	}
	return map[string]damage{
		"zeroed header": {changed(func(b []byte) []byte { clear(b[:100]); return b }), "was damaged"},
		"truncated":     {changed(func(b []byte) []byte { return b[:len(b)/2] }), "was damaged"},
		"flipped magic": {changed(func(b []byte) []byte { b[3] ^= 0xff; return b }), "was damaged"},
		"flipped pages": {changed(func(b []byte) []byte {
			for at := 8192; at < len(b); at += 8192 {
				for i := range 200 {
					b[at+i] ^= 0xff
				}
			}
			return b
		}), "damaged"},
		"no database": {changed(func([]byte) []byte { return []byte("notes of mine\n") }), "is no database"},
		"newer": {func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			data[63] = 99 // PRAGMA user_version
			require.NoError(t, os.WriteFile(path, data, 0o600))
		}, "newer version"},
		"wrong mode":  {func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o644)) }, "chmod 600"},
		"open folder": {func(t *testing.T, path string) { require.NoError(t, os.Chmod(filepath.Dir(path), 0o755)) }, "chmod 700"},
		"a folder": {func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Mkdir(path, 0o700))
		}, "is a folder"},
		"a folder for its lock": {func(t *testing.T, path string) {
			require.NoError(t, os.RemoveAll(path+".lock"))
			require.NoError(t, os.Mkdir(path+".lock", 0o700))
		}, "a folder is in the place of one of its files"},
		"a folder for its holder": {func(t *testing.T, path string) {
			require.NoError(t, os.Mkdir(path+".holder", 0o700))
		}, "a folder is in the place of one of its files"},
	}
}

// A broken copy silences no question: the upstream answers, and the answer says
// what is wrong and what to do.
func TestABrokenCopySilencesNothing(t *testing.T) {
	whole := wholeCopy(t)
	id := someCall(t, whole)
	api := demoapi.New(demoapi.Options{Calls: coldCalls, Seed: 1, Now: now})
	url := served(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now().Format(http.TimeFormat))
		api.ServeHTTP(w, r)
	})
	broken := breaks()
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		for what, first := range cells(name, firsts(id)) {
			t.Run(name+" "+what, func(t *testing.T) {
				t.Parallel()
				path := another(t, whole)
				broken[name].how(t, path)
				_, c := cold(t, url, now(), "--mirror", path)
				text, failed := firstAnswer(t, c, first.tool, first.args)
				require.False(t, failed, text)
				want := strings.Replace(first.want, "5 calls of an unknown total", fmt.Sprintf("5 of %d calls", coldCalls), 1)
				assert.Contains(t, text, want)
				if !slices.Contains([]string{"get", "read", "resource"}, what) {
					assert.Contains(t, text, broken[name].said)
				}
				text, failed = firstAnswer(t, c, first.tool, first.args)
				assert.False(t, failed, text)
				assert.Contains(t, text, want, "again")
			})
		}
	}
}
