package store_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
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

// resident is the memory of this process in MiB, the generator's among it.
func resident() float64 {
	b, _ := os.ReadFile("/proc/self/status") // elsewhere it is 0
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.ParseFloat(kib, 64)
	return n / 1024
}

// sizes are the numbers of calls that benchmarks run on: 10,000 and 100,000, or
// what BENCH_CALLS says, as in 1000000. A million takes a quarter of an hour and
// 5 GB; BENCH_DIR keeps the databases for the next run.
func sizes(b *testing.B) (out []int) {
	asked := os.Getenv("BENCH_CALLS")
	if asked == "" {
		asked = "10000,100000"
	}
	for part := range strings.SplitSeq(asked, ",") {
		n, err := strconv.Atoi(part)
		require.NoError(b, err, "BENCH_CALLS")
		out = append(out, n)
	}
	return out
}

func BenchmarkStore(b *testing.B) {
	debug.SetGCPercent(50) // as main does
	var tables []string
	for _, n := range sizes(b) {
		f := figures{}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := &measuring{B: b, g: newGenerator(n), into: f}
			m.prepare()
			m.reading()
			m.counting()
			m.writing()
		})
		tables = append(tables, f.table(n))
	}
	fmt.Print("\n" + strings.Join(tables, "\n"))
}

// A measuring is a run of the benchmarks over the calls of one generator.
type measuring struct {
	*testing.B
	g    *generator
	path string
	s    *store.Store
	into figures
}

// prepare fills the database, or finds it filled, and opens it again and again.
func (m *measuring) prepare() {
	m.path = onDisk(m)
	if dir := os.Getenv("BENCH_DIR"); dir != "" {
		m.path = filepath.Join(dir, strconv.Itoa(m.g.n), "calls.db")
	}
	if _, err := os.Stat(m.path); err != nil {
		m.Run("ingest", m.ingest)
	}
	m.into.set("bytes a call", float64(bytesIn(m, filepath.Dir(m.path)))/float64(m.g.n))
	m.each("open", func(int) {
		s, err := store.Open(ctx, store.Options{Path: m.path})
		require.NoError(m, err)
		require.NoError(m, s.Close())
	})
	m.s = open(m, m.path)
	m.each("get", func(i int) {
		_, err := m.s.Get(ctx, m.some(i))
		require.NoError(m, err)
	})
}

func (m *measuring) some(i int) call.ID {
	return call.ID{Source: "cekura", Key: fmt.Sprint(1_000_000 + (i*7919+7919)%m.g.n)}
}

func (m *measuring) ingest(b *testing.B) {
	s, err := store.Open(ctx, store.Options{Path: m.path})
	require.NoError(b, err)
	used := cpu()
	busy := fill(b, s, m.g)
	used = cpu() - used
	require.NoError(b, s.Close())
	for b.Loop() { // once is enough
	}
	m.into.set("ingest", float64(m.g.n)/busy.Seconds())
	m.into.most("MiB", resident())
	b.ReportMetric(float64(used.Microseconds())/float64(m.g.n), "µs-cpu/call")
	b.ReportMetric(float64(m.g.n)/busy.Seconds(), "calls/s")
	b.ReportMetric(resident(), "MiB")
	b.ReportMetric(0, "ns/op")
}

// each times f again and again, and reports the median and the 95th percentile.
func (m *measuring) each(name string, f func(i int)) {
	m.Run(name, func(b *testing.B) {
		f(-1) // the first is not counted: caches are filled once
		var took []time.Duration
		used := cpu()
		for i := 0; b.Loop(); i++ {
			begin := time.Now()
			f(i)
			took = append(took, time.Since(begin))
		}
		slices.Sort(took)
		p50, p95 := float64(took[len(took)/2].Microseconds())/1000, float64(took[len(took)*95/100].Microseconds())/1000
		spent := float64((cpu() - used).Microseconds()) / 1000 / float64(len(took))
		m.into.set(name, p50, p95, spent)
		m.into.most("MiB", resident())
		b.ReportMetric(p50, "p50-ms")
		b.ReportMetric(p95, "p95-ms")
		b.ReportMetric(spent, "cpu-ms")
		b.ReportMetric(0, "ns/op")
	})
}

func (m *measuring) month() filter.Expr {
	return filter.Within("timestamp", m.g.end.AddDate(0, 0, -30), m.g.end)
}

func (m *measuring) reading() {
	agent := filter.All(filter.Cond{Field: "agent.id", Op: filter.Eq, Value: "2107"}, filter.Cond{Field: "success", Op: filter.Eq, Value: false})
	common := strings.Join(m.g.words[:4], " ")
	// The first questions are slower: they make the store read columns into memory.
	find(m, m.s, call.Query{Where: agent, Order: call.Relevance, Text: said(m, commonWord)})
	time.Sleep(time.Duration(m.g.n) * 10 * time.Microsecond)
	for _, q := range []struct {
		name, text string
		where      filter.Expr
	}{
		{"list", "", nil}, {"list/filtered", "", agent}, {"list/month", "", m.month()},
		{"half", commonWord, nil}, {"half/filtered", commonWord, agent}, {"half/month", commonWord, m.month()},
		{"fair", fairWord, nil}, {"rare", rareWord, nil}, {"phrase", `"an exact phrase"`, nil},
		{"common4", common, nil}, {"mixed", common + " " + fairWord + " " + rareWord, nil}, {"mixed/filtered", common + " " + fairWord, agent},
		{"two", commonWord + " " + fairWord, nil}, {"changing", "", nil}, {"changing/filtered", "", agent},
	} {
		for _, o := range []call.Order{call.Newest, call.Relevance} {
			changing := strings.HasPrefix(q.name, "changing")
			if q.text == "" && !changing && o == call.Relevance {
				continue
			}
			m.each(string(o)+"/"+q.name, func(i int) {
				text := q.text
				if changing { // a common word and a fairly rare one, each time others
					text = m.g.words[(i+1)*7%100] + " " + m.g.words[100+(i+1)*131%3000]
				}
				ask := call.Query{Where: q.where, Order: o}
				if text != "" {
					ask.Text = said(m, text)
				}
				find(m, m.s, ask)
			})
		}
	}
	m.each("similar", func(i int) {
		find(m, m.s, call.Query{Order: call.Relevance, Similar: new(m.some(i))})
	})
}

func (m *measuring) counting() {
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
		for _, name := range []string{"month", "all"} {
			var within filter.Expr
			if name == "month" {
				within = m.month()
			}
			m.each("count/"+name+"/"+a.name, func(int) {
				a.By, a.Previous = a.by, within != nil
				ask := a.Aggregation
				ask.Where = filter.All(within, a.Where)
				_, err := m.s.Aggregate(ctx, ask)
				require.NoError(m, err)
			})
		}
	}
}

// writing reads while the store writes as fast as it can, which no sync does for
// long. Calls are changed, not added, so that the database stays as large.
func (m *measuring) writing() {
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; !stop.Load(); i += 100 {
			var logs []*call.Log
			for k := range 100 {
				l := m.g.log((i + k) % m.g.n)
				l.Summary = fmt.Sprint("written ", time.Now().UnixNano()) // so that it is
				logs = append(logs, l)
			}
			_, err := m.s.Commit(ctx, store.Change{Source: "cekura", Put: logs, ReadAt: time.Now()})
			assert.NoError(m, err)
		}
	}()
	m.each("writing/newest", func(int) { find(m, m.s, call.Query{Text: said(m, commonWord)}) })
	m.each("writing/relevance", func(int) { find(m, m.s, call.Query{Text: said(m, commonWord), Order: call.Relevance}) })
	stop.Store(true)
	<-done
}
