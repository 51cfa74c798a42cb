package store_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror/store"
)

func TestGeneratorIsAsPromised(t *testing.T) {
	g := newGenerator(1000)
	size, words := 0, 0
	for i := range 50 {
		l := g.log(i)
		b, err := json.Marshal(l)
		require.NoError(t, err)
		size += len(b)
		for _, turn := range l.Turns {
			words += len(turn.Text)
		}
	}
	t.Logf("%d bytes of JSON, %d of words a call", size/50, words/50)
}

// fill writes the calls of g, as a sync does, and returns how long the store took.
func fill(t testing.TB, s *store.Store, g *generator) (busy time.Duration) {
	const batch = 500
	for i := 0; i < g.n; i += batch {
		var logs []*call.Log
		for k := i; k < min(g.n, i+batch); k++ {
			logs = append(logs, g.log(k))
		}
		start := time.Now()
		commit(t, s, store.Change{Source: "cekura", Put: logs, ReadAt: g.end})
		busy += time.Since(start)
	}
	return busy
}

func bytesIn(t testing.TB, folder string) (n int64) {
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		n += info.Size()
	}
	return n
}

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkIngest(b *testing.B) {
	for b.Loop() {
		path := onDisk(b)
		s := open(b, path)
		g := newGenerator(10_000)
		used := cpu()
		busy := fill(b, s, g)
		b.ReportMetric(float64((cpu()-used).Microseconds())/float64(g.n), "µs-cpu/call")
		b.ReportMetric(float64(g.n)/busy.Seconds(), "calls/s")
		require.NoError(b, s.Close())
		b.ReportMetric(float64(bytesIn(b, filepath.Dir(path)))/float64(g.n), "B/call")
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
}
