package store_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// figures are what was measured, by name: a median, a 95th percentile and the
// mean of processor time, in milliseconds, or one number.
type figures map[string][]float64

func (f figures) set(name string, values ...float64) { f[name] = values }

func (f figures) most(name string, value float64) {
	if at := f[name]; at == nil || at[0] < value {
		f.set(name, value)
	}
}

// A goal is what one figure has to reach at a million calls on two cores, and
// what others reach: peers were measured once, with the same kind of calls, on
// two busy cores (modernc and C are other builds of SQLite, "plain" is its own
// full-text search without what is done here).
type goal struct {
	name  string
	what  string
	most  float64 // milliseconds at the 95th percentile; 0 for none
	peers string
}

const (
	ranked = "plain ORDER BY rank: 1,850 at 1M; 70 (C), 123 (modernc) at 100k"
	newest = "plain: 0.13 (C), 0.30 (modernc), bare rows; scan in memory 135-550 at 100k"
	counts = "in SQL: 24 a month, 665 all time, at 1M"
)

var goals = []goal{
	{"newest/half", "newest, a word in half of the calls", 3, newest},
	{"newest/half/filtered", "  of one agent, failed", 3, ""},
	{"newest/half/month", "  of 30 days", 3, ""},
	{"newest/common4", "newest, four common words", 3, ""},
	{"newest/mixed", "newest, six words, one very rare", 3, ""},
	{"newest/mixed/filtered", "  five, of one agent, failed", 3, ""},
	{"newest/phrase", "newest, a rare phrase", 3, ""},
	{"newest/changing", "newest, two words, each time others", 3, ""},
	{"newest/changing/filtered", "  of one agent, failed", 3, ""},
	{"relevance/half", "relevance, a word in half of the calls", 20, ranked},
	{"relevance/half/filtered", "  of one agent, failed", 20, ""},
	{"relevance/half/month", "  of 30 days", 20, ""},
	{"relevance/common4", "relevance, four common words", 20, ""},
	{"relevance/mixed", "relevance, six words, one very rare", 20, ""},
	{"relevance/mixed/filtered", "  five, of one agent, failed", 20, ""},
	{"relevance/phrase", "relevance, a rare phrase", 20, ""},
	{"relevance/changing", "relevance, two words, each time others", 20, ""},
	{"relevance/changing/filtered", "  of one agent, failed", 20, ""},
	{"similar", "calls like another", 20, ""},
	{"newest/list", "list, newest", 3, "upstream, paging over loopback: 7,700 at 100k"},
	{"newest/list/filtered", "  of one agent, failed", 3, ""},
	{"count/month/reason", "30 days, by how they ended", 30, counts},
	{"count/month/day,agent", "30 days, by day and agent", 30, ""},
	{"count/month/failed-topic", "30 days, failed, by topic", 30, ""},
	{"count/month/total", "30 days, total", 30, ""},
	{"count/month/metric", "30 days, by metric and verdict", 30, ""},
	{"count/all/reason", "all time, by how they ended", 150, "columns in memory: 2.9 at 1M, bare count"},
	{"count/all/day,agent", "all time, by day and agent", 150, ""},
	{"count/all/failed-topic", "all time, failed, by topic", 150, ""},
	{"count/all/total", "all time, total", 150, ""},
	{"count/all/metric", "all time, by metric and verdict", 150, ""},
	{"get", "one call", 1, ""},
	{"open", "opening", 50, ""},
}

// table says how the figures of n calls stand to the goals.
func (f figures) table(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d calls; milliseconds; goals are for the 95th percentile at a million; %s\n", n, load())
	row := func(what, p50, p95, cpu, goal, met, peers string) {
		line := fmt.Sprintf("%-41s %8s %8s %8s %8s  %-4s %s", what, p50, p95, cpu, goal, met, peers)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	row("", "p50", "p95", "cpu", "goal", "met", "peers and floors")
	for _, g := range goals {
		if at := f[g.name]; at != nil {
			row(g.what, fmt.Sprintf("%.2f", at[0]), fmt.Sprintf("%.2f", at[1]), fmt.Sprintf("%.2f", at[2]), fmt.Sprintf("%.0f", g.most), yes(at[1] <= g.most), g.peers)
		}
	}
	for _, o := range []string{"newest", "relevance"} {
		quiet, busy := f[o+"/half"], f["writing/"+o]
		if quiet != nil && busy != nil {
			row(o+" while calls are written", fmt.Sprintf("%.2f", busy[0]), fmt.Sprintf("%.2f", busy[1]), "", fmt.Sprintf("%.2f", 2*quiet[1]), yes(busy[1] <= 2*quiet[1]), "goal: twice the quiet p95")
		}
	}
	one := func(name, what string, goal float64, least bool, peers string) {
		if at := f[name]; at != nil {
			row(what, fmt.Sprintf("%.0f", at[0]), "", "", fmt.Sprintf("%.0f", goal), yes(at[0] == goal || at[0] > goal == least), peers)
		}
	}
	one("ingest", "written, calls a second", 3000, true, "bare inserts: 6,200-6,700 (C), 4,600-4,900 (modernc), 4,400-4,500 (ncruces)")
	one("bytes a call", "on disk, bytes a call", 4500, false, "6,800 as JSON; 9,600 as JSON with an index, 6,200 compressed without dictionary")
	one("MiB", "resident, MiB at most", 150, false, "")
	return b.String()
}

// load says how busy the machine is with all that runs on it: where more wants
// to run than there are processors, times are mostly of waiting.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "load unknown"
	}
	average, _, _ := strings.Cut(string(b), " ")
	return fmt.Sprintf("load %s on %d processors", average, runtime.NumCPU())
}

func yes(met bool) string {
	if met {
		return "yes"
	}
	return "NO"
}
