package app

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The figures of peers, measured once on one busy machine, for scale: a tool
// that does nothing costs mcp-go 57 µs of CPU over stdio and the TypeScript SDK
// 73 µs; from start to the answer of initialize 9 ms and 373 ms; resident memory
// 11 to 16 MiB and 88 to 311 MiB; the vendor's own page of 20 calls is 26,000
// tokens to a model.
const peers = "peers: no-op tool over stdio 57 µs CPU (mcp-go), 73 µs (TypeScript SDK); start to initialize 9 ms, 373 ms; resident 11–16 MiB, 88–311 MiB"

// BenchmarkList20 is our own cost of a page of 20 calls: the upstream answers in
// this process, and its time, measured by itself, is reported beside it.
func BenchmarkList20(b *testing.B) {
	_, c := demo(b)
	b.Log(peers)
	args := `{"success":false,"timestamp_from":"now-30d","page_size":20}`
	ask(b, c, "list_call_logs", args)
	b.ReportAllocs()
	before := cpu()
	for b.Loop() {
		ask(b, c, "list_call_logs", args)
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "CPU-µs/op")
}

// BenchmarkGetLongest is one call of over 100 turns, trimmed to 4,000 tokens.
func BenchmarkGetLongest(b *testing.B) {
	_, c := demo(b)
	text := ask(b, c, "list_call_logs", `{"order_by":"longest","page_size":1,"response_format":"json"}`)
	data, err := json.Marshal(text.StructuredContent)
	require.NoError(b, err)
	var page struct{ Calls []struct{ ID string } }
	require.NoError(b, json.Unmarshal(data, &page))
	args := `{"id":"` + page.Calls[0].ID + `"}`
	b.ReportAllocs()
	for b.Loop() {
		ask(b, c, "get_call_log", args)
	}
}

// BenchmarkSearchWalk is a search without a copy: all 600 calls are read.
func BenchmarkSearchWalk(b *testing.B) {
	_, c := demo(b)
	for b.Loop() {
		ask(b, c, "search_transcripts", `{"query":"\"are you still there\"","timestamp_from":"now-30d"}`)
	}
}

// BenchmarkProcess starts the built binary: the time until initialize is
// answered, and the resident memory after 1,000 lists.
func BenchmarkProcess(b *testing.B) {
	bin := built(b)
	var started time.Duration
	var resident int64
	for b.Loop() {
		began := time.Now()
		p := start(b, bin)
		p.send(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`)
		p.receive()
		started += time.Since(began)
		for range 1000 {
			p.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_call_logs","arguments":{"success":false,"timestamp_from":"now-30d"}}}`)
			p.receive()
		}
		resident = max(resident, residentKiB(p.cmd.Process.Pid))
		p.stop()
	}
	b.ReportMetric(float64(started.Milliseconds())/float64(b.N), "ms-to-initialize")
	b.ReportMetric(float64(resident)/1024, "MiB-after-1000-lists")
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// residentKiB is what the kernel says a process holds, 0 where it does not say.
func residentKiB(pid int) int64 {
	if runtime.GOOS != "linux" {
		return 0
	}
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(data), "\n") {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n
		}
	}
	return 0
}

// A process is the built server over stdio.
type process struct {
	b   testing.TB
	cmd *exec.Cmd
	in  *json.Encoder
	out *json.Decoder
	end func()
}

func start(b testing.TB, bin string) *process {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, bin, "serve", "--demo", "--log-level", "error")
	in, err := cmd.StdinPipe()
	require.NoError(b, err)
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	return &process{b, cmd, json.NewEncoder(in), json.NewDecoder(out), func() { in.Close(); cmd.Wait(); cancel() }}
}

func (p *process) send(line string) { require.NoError(p.b, p.in.Encode(json.RawMessage(line))) }

func (p *process) receive() {
	var m struct{ Result, Error json.RawMessage }
	require.NoError(p.b, p.out.Decode(&m))
	require.Nil(p.b, m.Error, string(m.Error))
}

func (p *process) stop() { p.end() }
