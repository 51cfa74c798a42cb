package store_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// empties is what an upstream leaves out, and the nanoseconds that it does not have.
var empties = regexp.MustCompile(`"[A-Za-z]+":(""|null|false|"0001-01-01T00:00:00Z"),?|000000\b`)

func TestGeneratorIsAsPromised(t *testing.T) {
	g := newGenerator(1000)
	size, words := 0, 0
	for i := range 50 {
		l := g.log(i)
		b, err := json.Marshal(l)
		require.NoError(t, err)
		size += len(empties.ReplaceAll(b, nil))
		for _, turn := range l.Turns {
			words += len(turn.Text)
		}
	}
	t.Logf("%d bytes of JSON, %d of words a call", size/50, words/50)
	assert.InDelta(t, 2500, words/50, 200)
	assert.InDelta(t, 6800, size/50, 300)
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

// resident is the memory of this process, in MiB.
func resident() float64 {
	b, _ := os.ReadFile("/proc/self/status") // elsewhere it is 0
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.ParseFloat(kib, 64)
	return n / 1024
}

// sizes are the numbers of calls that benchmarks run on: 10,000, and what
// CALL_LOGS_BENCH says, as in 100000,1000000. A million takes a quarter of an
// hour and 6 GB; CALL_LOGS_BENCH_DIR keeps the databases for the next run.
func sizes() []int {
	out := []int{10_000}
	for part := range strings.SplitSeq(os.Getenv("CALL_LOGS_BENCH"), ",") {
		if n, err := strconv.Atoi(part); err == nil && n > 0 {
			out = append(out, n)
		}
	}
	return out
}

func BenchmarkStore(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkSize(b, newGenerator(n)) })
	}
}

// prepared is a database of the calls of g.
func prepared(b *testing.B, g *generator) string {
	path := onDisk(b)
	if dir := os.Getenv("CALL_LOGS_BENCH_DIR"); dir != "" {
		path = filepath.Join(dir, strconv.Itoa(g.n), "calls.db")
	}
	if _, err := os.Stat(path); err == nil {
		return path
	}
	b.Run("ingest", func(b *testing.B) {
		s, err := store.Open(ctx, store.Options{Path: path})
		require.NoError(b, err)
		used := cpu()
		busy := fill(b, s, g)
		used = cpu() - used
		require.NoError(b, s.Close())
		for b.Loop() { // once is enough
		}
		b.ReportMetric(float64(used.Microseconds())/float64(g.n), "µs-cpu/call")
		b.ReportMetric(float64(g.n)/busy.Seconds(), "calls/s")
		b.ReportMetric(float64(bytesIn(b, filepath.Dir(path)))/float64(g.n), "B/call")
		b.ReportMetric(resident(), "MiB")
		b.ReportMetric(0, "ns/op")
	})
	return path
}

// each times f again and again, and reports the median and the 95th percentile.
func each(b *testing.B, name string, f func(i int)) {
	b.Run(name, func(b *testing.B) {
		f(-1) // the first is not counted: caches are filled once
		var took []time.Duration
		for i := 0; b.Loop(); i++ {
			begin := time.Now()
			f(i)
			took = append(took, time.Since(begin))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		b.ReportMetric(0, "ns/op")
	})
}

func benchmarkSize(b *testing.B, g *generator) {
	path := prepared(b, g)
	each(b, "open", func(int) {
		s, err := store.Open(ctx, store.Options{Path: path})
		require.NoError(b, err)
		require.NoError(b, s.Close())
	})
	s := open(b, path)
	each(b, "get", func(i int) {
		_, err := s.Get(ctx, call.ID{Source: "cekura", Key: fmt.Sprint(1_000_000 + (i*7919+7919)%g.n)})
		require.NoError(b, err)
	})
	month := filter.Within("timestamp", g.end.AddDate(0, 0, -30), g.end)
	agent := filter.All(filter.Cond{Field: "agent.id", Op: filter.Eq, Value: "2107"}, filter.Cond{Field: "success", Op: filter.Eq, Value: false})
	common := strings.Join(g.words[:4], " ")
	for _, q := range []struct {
		name, text string
		where      filter.Expr
	}{
		{"list", "", nil}, {"list/filtered", "", agent}, {"list/month", "", month},
		{"half", commonWord, nil}, {"half/filtered", commonWord, agent}, {"half/month", commonWord, month},
		{"fair", fairWord, nil}, {"rare", rareWord, nil}, {"phrase", `"an exact phrase"`, nil},
		{"common4", common, nil}, {"mixed", common + " " + fairWord + " " + rareWord, nil}, {"mixed/filtered", common + " " + fairWord, agent},
		{"two", commonWord + " " + fairWord, nil},
	} {
		for _, o := range []call.Order{call.Newest, call.Relevance} {
			if q.text == "" && o == call.Relevance {
				continue
			}
			each(b, string(o)+"/"+q.name, func(int) {
				ask := call.Query{Where: q.where, Order: o}
				if q.text != "" {
					ask.Text = said(b, q.text)
				}
				find(b, s, ask)
			})
		}
	}
	each(b, "similar", func(i int) {
		find(b, s, call.Query{Order: call.Relevance, Similar: &call.ID{Source: "cekura", Key: fmt.Sprint(1_000_000 + (i*7919+7919)%g.n)}})
	})
	benchmarkCounts(b, s, month)
	benchmarkWriting(b, s, g)
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(resident(), "MiB")
		b.ReportMetric(0, "ns/op")
	})
}

func benchmarkCounts(b *testing.B, s *store.Store, month filter.Expr) {
	failed := filter.Cond{Field: "success", Op: filter.Eq, Value: false}
	for _, a := range []struct {
		name string
		by   []call.Grouping
		call.Aggregation
	}{
		{name: "reason", by: []call.Grouping{{Field: "call_ended_reason"}}},
		{name: "day,agent", by: []call.Grouping{{Unit: call.Day}, {Field: "agent.id"}}},
		{name: "failed-topic", by: []call.Grouping{{Field: "topic"}}, Aggregation: call.Aggregation{Where: failed}},
		{name: "total"},
		{name: "metric", by: []call.Grouping{{Field: "metric_evaluations.metric.name"}, {Field: "metric_evaluations.passed"}}},
	} {
		for name, within := range map[string]filter.Expr{"month": month, "all": nil} {
			each(b, "count/"+name+"/"+a.name, func(int) {
				a.By, a.Previous = a.by, within != nil
				ask := a.Aggregation
				ask.Where = filter.All(within, a.Where)
				_, err := s.Aggregate(ctx, ask)
				require.NoError(b, err)
			})
		}
	}
}

// benchmarkWriting reads while calls arrive.
func benchmarkWriting(b *testing.B, s *store.Store, g *generator) {
	var stop atomic.Bool
	done := make(chan struct{})
	more := newGenerator(g.n)
	go func() {
		defer close(done)
		for i := 0; !stop.Load(); i += 100 {
			var logs []*call.Log
			for k := range 100 {
				l := more.log((i + k) % more.n)
				l.Summary = fmt.Sprint("written ", time.Now().UnixNano()) // so that it is
				logs = append(logs, l)
			}
			s.Commit(ctx, store.Change{Source: "cekura", Put: logs, ReadAt: time.Now()})
		}
	}()
	each(b, "writing/newest", func(int) { find(b, s, call.Query{Text: said(b, commonWord)}) })
	each(b, "writing/relevance", func(int) { find(b, s, call.Query{Text: said(b, commonWord), Order: call.Relevance}) })
	stop.Store(true)
	<-done
}
