package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/cekura"
	demoapi "call-logs-mcp/client/demo"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/serve"
)

// What a team asks of the server: calls a second of several principals at once,
// over a copy of 90 days.
const (
	usualLoad  = 300 // calls a second
	overload   = 10 * usualLoad
	principals = 8
	copiedLogs = 100_000

	connections = 512 // of all clients
)

// BenchmarkHTTP puts the built server under load over HTTP, as a team would:
// make bench-http. Calls are made when they are due, whether or not the ones
// before were answered, and have their time from then on; under ten times the
// load, where connections run out on this side, from when they were sent. The goals are no
// error, p99 at most 100 ms, at most 1 MiB of growth, and under ten times the
// load refusals within 50 ms while who is let in waits at most twice as long.
func BenchmarkHTTP(b *testing.B) {
	long, err := time.ParseDuration(os.Getenv("CALL_LOGS_LOAD"))
	if err != nil {
		b.Skip("CALL_LOGS_LOAD, such as 60s, says for how long; the copy takes minutes to fill")
	}
	bin := built(b)
	path, api := filledCopy(b, copiedLogs)
	upstream := httptest.NewServer(api)
	defer upstream.Close()
	bare := httptest.NewServer(http.HandlerFunc(constant))
	defer bare.Close()
	s := serveCopy(b, bin, path, upstream.URL, "--rate", fmt.Sprint(usualLoad*60/principals*5/4)) // a quarter more than usual
	for b.Loop() {
		floor := s.at(bare.URL).run(usualLoad, 10*time.Second)
		cold := residentKiB(s.pid)
		s.run(usualLoad, long/2) // caches and pools find their size
		warm := residentKiB(s.pid)
		normal := s.run(usualLoad, long)
		end := residentKiB(s.pid)
		over := s.run(overload, 10*time.Second)
		fmt.Printf("floor, a bare handler: %s\n%sall: %s\nten times the load: %s\nresident: %.1f MiB at the start, %.1f warm, %.1f at the end, %.1f after ten times the load\n",
			floor, normal.kinds(), normal, over, mib(cold), mib(warm), mib(end), mib(residentKiB(s.pid)))
		b.ReportMetric(float64(normal.errors), "errors")
		b.ReportMetric(ms(normal.admitted, 99), "p99-ms")
		b.ReportMetric(mib(end)-mib(warm), "MiB-growth")
		b.ReportMetric(ms(over.refused, 99), "refused-p99-ms")
		b.ReportMetric(ms(over.admitted, 99), "overload-p99-ms")
	}
}

func mib(kib int64) float64 { return float64(kib) / 1024 }

// constant answers any call, with as much as a usual answer has.
func constant(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":%q}]}}`, strings.Repeat("word ", 800))
}

// built is the server as a program.
func built(t testing.TB) string {
	bin := filepath.Join(t.TempDir(), "call-logs-mcp")
	out, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, root).CombinedOutput()
	require.NoError(t, err, string(out))
	return bin
}

// freeAddr is an address of loopback that nobody has yet.
func freeAddr(t testing.TB) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().String()
}

// filledCopy is a copy of generated calls in a file, read by the program's own
// engine from the API that has them.
func filledCopy(b *testing.B, calls int) (path string, api *demoapi.API) {
	began := time.Now()
	api = demoapi.New(demoapi.Options{Calls: calls, Days: 90})
	source, err := cekura.New(provider.Options{
		Name: "cekura", BaseURL: "http://127.0.0.1", Credential: func(string) string { return "demo" }, Transport: demoapi.Transport(api),
		Logger: slog.New(slog.DiscardHandler), Now: time.Now, Limits: rest.Limits{Rate: 1e6, Burst: 1e6},
	})
	require.NoError(b, err)
	dir := os.Getenv("BENCH_DIR") // kept between runs
	if dir == "" {
		dir = b.TempDir()
	}
	path = filepath.Join(dir, "served", "calls.db")
	h := &house{configured: []config.SourceConfig{{Name: "cekura", Provider: "cekura"}}, sources: map[string]call.Source{"cekura": source}, logger: slog.New(slog.DiscardHandler)}
	h.tools.Now = time.Now
	engine, db, err := h.engine(b.Context(), config.Copy{Mirror: path})
	require.NoError(b, err)
	report, err := engine.Cycle(b.Context(), nil)
	require.NoError(b, err)
	held, err := db.Calls(b.Context(), "cekura", began.Add(-91*24*time.Hour), time.Now())
	require.NoError(b, err)
	require.NoError(b, db.Close())
	require.GreaterOrEqual(b, held, calls*9/10)
	b.Logf("%d calls read, and %d in the copy after %s", report.Read, held, time.Since(began).Round(time.Second))
	return path, api
}

// A target is a server that is called, and what there is to ask it for.
type target struct {
	pid    int
	url    string
	client *http.Client
	tokens []string
	ids    []string
}

func (t *target) at(url string) *target {
	other := *t
	other.url, other.pid = url, 0
	return &other
}

// serveCopy starts the built server over the copy, for principals, and one more,
// that each have a token and, through a proxy, an address.
func serveCopy(b *testing.B, bin, path, upstream string, flags ...string) *target {
	tokens := filepath.Join(b.TempDir(), "tokens")
	t := &target{client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: connections}}}
	var lines strings.Builder
	for i := range principals + 1 {
		plain, line, err := serve.NewToken(fmt.Sprintf("reviewer%d", i), nil, "", time.Time{})
		require.NoError(b, err)
		t.tokens = append(t.tokens, plain)
		lines.WriteString(line + "\n")
	}
	require.NoError(b, os.WriteFile(tokens, []byte(lines.String()), 0o600))
	addr := freeAddr(b)
	cmd := exec.Command(bin, append([]string{"serve", "--http", addr, "--tokens", tokens, "--mirror", path, "--log-level", "warn",
		"--trusted-proxy", "127.0.0.0/8"}, flags...)...)
	cmd.Env = append(os.Environ(), "CEKURA_API_KEY=demo", "CEKURA_BASE_URL="+upstream)
	cmd.Stderr = os.Stderr
	require.NoError(b, cmd.Start())
	b.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	t.pid, t.url = cmd.Process.Pid, "http://"+addr+"/mcp"
	require.Eventually(b, func() bool {
		r, err := http.Get("http://" + addr + "/readyz")
		return err == nil && r.Body.Close() == nil && r.StatusCode == http.StatusOK
	}, 10*time.Second, 50*time.Millisecond)
	t.learn(b)
	return t
}

// learn walks some pages, for ids to ask for: of failed calls some days old, which
// the copy holds in full. For others the server asks upstream, at the upstream's
// pace.
func (t *target) learn(b *testing.B) {
	args := `{"success":false,"page_size":100,"timestamp_from":"now-89d","timestamp_to":"now-3d","response_format":"json","max_tokens":10000}`
	for args != "" && len(t.ids) < 1000 {
		a := t.call("list_call_logs", args, 0) // a cursor is for who got it
		require.Empty(b, a.wrong)
		var r struct {
			Result struct {
				StructuredContent struct {
					Calls []struct {
						ID    string
						Turns int
					}
					NextCursor string `json:"next_cursor"`
				}
			}
		}
		require.NoError(b, json.Unmarshal(a.body, &r))
		for _, c := range r.Result.StructuredContent.Calls {
			if c.Turns >= 2 {
				t.ids = append(t.ids, c.ID)
			}
		}
		args = ""
		if next := r.Result.StructuredContent.NextCursor; next != "" {
			args = fmt.Sprintf(`{"cursor":%q,"response_format":"json"}`, next)
		}
	}
	require.NotEmpty(b, t.ids)
}

// question draws what somebody might ask about the time until three days ago,
// which the copy answers by itself: what is younger is read again each minute, and
// until then asked of the upstream.
func (t *target) question(r *rand.Rand) (kind, tool, args string) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	window := fmt.Sprintf(`"timestamp_from":%q,"timestamp_to":"now-3d"`, pick("now-4d", "now-10d", "now-33d", "now-89d"))
	id := t.ids[r.IntN(len(t.ids))]
	switch n := r.IntN(100); {
	case n < 35:
		filter := pick(`"success":false`, `"agent_id":"2142"`, `"min_duration":60`, `"topic":"refund status"`, `"order_by":"longest"`)
		return "list", "list_call_logs", fmt.Sprintf(`{%s,%s}`, filter, window)
	case n < 60:
		words := pick("refund", "charged twice", `\"are you still there\"`, "insur*", "card -lost", "passport", "voucher OR upgrade")
		return "search", "search_transcripts", fmt.Sprintf(`{"query":"%s",%s,"order_by":%q}`, words, window, pick("relevance", "newest"))
	case n < 75:
		return "get", "get_call_log", fmt.Sprintf(`{"id":%q}`, id)
	case n < 90:
		return "read", "read_transcript", fmt.Sprintf(`{"id":%q,"from_turn":2}`, id)
	}
	by := pick(`"call_ended_reason"`, `"day"`, `"topic","success"`, `"agent.name"`)
	return "aggregate", "aggregate_call_logs", fmt.Sprintf(`{"group_by":[%s],%s}`, by, window)
}

// An answer is what came of one call.
type answer struct {
	kind   string
	status int
	wrong  string        // "" where it was answered
	took   time.Duration // since it was sent
	waited time.Duration // until then, since it was due
	body   []byte
}

// call asks as the i-th principal.
func (t *target) call(tool, args string, i int) answer {
	return t.post(toolCall(tool, args), i%principals)
}

func toolCall(tool, args string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, args)
}

// post sends a message as a principal.
func (t *target) post(body string, as int) (a answer) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, t.url, strings.NewReader(body))
	if err != nil {
		return answer{wrong: err.Error()}
	}
	h := req.Header
	h.Set("Authorization", "Bearer "+t.tokens[as])
	h.Set("X-Forwarded-For", fmt.Sprintf("10.0.0.%d", 1+as))
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "application/json, text/event-stream")
	h.Set("Mcp-Protocol-Version", "2025-11-25")
	resp, err := t.client.Do(req)
	if err != nil {
		return answer{wrong: err.Error()}
	}
	defer resp.Body.Close()
	a.status = resp.StatusCode
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		a.wrong = err.Error()
	} else if a.status != http.StatusOK || !bytes.Contains(a.body, []byte(`"result"`)) || bytes.Contains(a.body, []byte(`"isError":true`)) {
		a.wrong = fmt.Sprintf("%.200s: %d %.300s", body, a.status, a.body)
	}
	return a
}

// run makes rate calls a second, whether or not the ones before were answered.
func (t *target) run(rate int, long time.Duration) *outcome {
	n := int(long.Seconds() * float64(rate))
	answers := make([]answer, n)
	draw := rand.New(rand.NewPCG(1, 2))
	places := make(chan struct{}, connections)
	used, began := t.cpu(), time.Now()
	var all sync.WaitGroup
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due))
		kind, tool, args := t.question(draw)
		all.Go(func() {
			places <- struct{}{}
			sent := time.Now()
			a := t.call(tool, args, i)
			a.kind, a.took, a.waited, a.body = kind, time.Since(sent), sent.Sub(due), nil
			answers[i] = a
			<-places
		})
	}
	all.Wait()
	o := newOutcome(answers, rate > usualLoad)
	o.cpu = t.cpu() - used
	return o
}

// cpu is the processor time that the server has used, 0 where the system does
// not say.
func (t *target) cpu() time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", t.pid))
	if err != nil {
		return 0
	}
	_, numbers, _ := strings.Cut(string(data), ") ")
	f := strings.Fields(numbers)
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond // ticks of a hundredth
}

// An outcome sums up a run.
type outcome struct {
	admitted, refused []time.Duration // in order
	cpu               time.Duration   // of the server
	errors            int
	first             string // of the errors
	byKind            map[string][]time.Duration
	late              []time.Duration // what calls waited for a connection, in order
}

func newOutcome(answers []answer, hard bool) *outcome {
	o := &outcome{byKind: map[string][]time.Duration{}}
	for _, a := range answers {
		o.late = append(o.late, a.waited)
		switch {
		case a.status == http.StatusTooManyRequests:
			o.refused = append(o.refused, a.took)
		case a.wrong != "":
			if o.errors++; o.first == "" {
				o.first = a.wrong
			}
		default:
			took := a.took
			if !hard {
				took += a.waited
			}
			o.admitted = append(o.admitted, took)
			o.byKind[a.kind] = append(o.byKind[a.kind], took)
		}
	}
	slices.Sort(o.admitted)
	slices.Sort(o.refused)
	slices.Sort(o.late)
	return o
}

// ms is a percentile of times in order.
func ms(times []time.Duration, percent int) float64 {
	if len(times) == 0 {
		return 0
	}
	return float64(times[min(len(times)-1, len(times)*percent/100)].Microseconds()) / 1000
}

func spread(times []time.Duration) string {
	return fmt.Sprintf("p50 %.1f, p95 %.1f, p99 %.1f, most %.1f ms", ms(times, 50), ms(times, 95), ms(times, 99), ms(times, 100))
}

func (o *outcome) String() string {
	s := fmt.Sprintf("%d answered, %s", len(o.admitted), spread(o.admitted))
	if o.cpu > 0 {
		s += fmt.Sprintf(", %.2f ms of processor each", float64(o.cpu.Microseconds())/1000/float64(max(1, len(o.admitted))))
	}
	if len(o.refused) > 0 {
		s += fmt.Sprintf("; %d refused, %s", len(o.refused), spread(o.refused))
	}
	s += fmt.Sprintf("; late by %.1f ms at p99", ms(o.late, 99))
	if s += fmt.Sprintf("; %d errors", o.errors); o.first != "" {
		s += ", the first: " + o.first
	}
	return s
}

// kinds is a line for each kind of question.
func (o *outcome) kinds() (lines string) {
	for _, kind := range []string{"list", "search", "get", "read", "aggregate"} {
		slices.Sort(o.byKind[kind])
		lines += fmt.Sprintf("%s: %d, %s\n", kind, len(o.byKind[kind]), spread(o.byKind[kind]))
	}
	return lines
}
