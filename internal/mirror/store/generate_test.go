package store_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
)

// A generator makes calls like those of a busy voice agent, one at a time: 34
// turns, some 2.5 KB of words that are spread as in speech (Zipf), about 6.8 KB
// as JSON, 6 metrics, 5 keys of metadata. The i-th of n calls is always the same.
type generator struct {
	n       int
	end     time.Time
	span    time.Duration
	words   []string
	phrases []string // of two to five words, as people have them ready
}

func newGenerator(n int) *generator {
	g := &generator{n: n, end: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), span: 365 * 24 * time.Hour}
	r := rand.New(rand.NewPCG(7, 7))
	syllables := strings.Fields("ba be bi bo ca ce co da de di do fa fe fi fo ga ge go ha he hi ho ka ke ki la le li lo ma me mi mo na ne ni no pa pe pi po ra re ri ro sa se si so ta te ti to va ve vi wa we za ent ing er st nd al on an")
	for len(g.words) < 30_000 {
		var b strings.Builder
		for range 1 + r.IntN(2) + min(2, len(g.words)/200) {
			b.WriteString(syllables[r.IntN(len(syllables))])
		}
		g.words = append(g.words, b.String())
	}
	copy(g.words[20:], []string{"order", "calling", "please", "number", "account", "refund", "appointment", "cancel", "insurance", "doctor", "upgrade", "voucher", "passport"})
	for range 6000 {
		phrase := g.words[g.zipf(r)]
		for range 1 + r.IntN(4) {
			phrase += " " + g.words[g.zipf(r)]
		}
		g.phrases = append(g.phrases, phrase)
	}
	return g
}

// zipf draws a word, the n-th with a chance of one in n.
func (g *generator) zipf(r *rand.Rand) int { return rank(r, len(g.words)) }

func rank(r *rand.Rand, n int) int { return min(n-1, int(math.Pow(float64(n), r.Float64()))-1) }

// commonWord is in about half of the calls; fairWord in some percent, rareWord
// in one of some thousand.
const commonWord, fairWord, rareWord = "half", "insurance", "zaphod"

func (g *generator) log(i int) *call.Log {
	r := rand.New(rand.NewPCG(uint64(i), 42))
	step := g.span / time.Duration(g.n)
	at := g.end.Add(-g.span + time.Duration(i)*step + time.Duration(r.Int64N(int64(step)))).Truncate(time.Microsecond)
	length := time.Duration(60_000+r.IntN(500_000)) * time.Millisecond
	l := &call.Log{
		ID: call.ID{Source: "cekura", Key: fmt.Sprint(1_000_000 + i)}, CallID: fmt.Sprintf("call_%016x", r.Uint64()),
		AgentID: fmt.Sprint(2100 + r.IntN(20)), ProjectID: "17", StartedAt: at, EndedAt: at.Add(length), Duration: &length,
		CreatedAt: at.Add(length + time.Second), UpdatedAt: at.Add(length + 2*time.Minute), Success: new(r.IntN(4) > 0),
		Status: "success", EndedReason: reasons[min(r.IntN(len(reasons)), r.IntN(len(reasons)))], Topic: "topic " + fmt.Sprint(min(r.IntN(40), r.IntN(40))),
		Customer: fmt.Sprintf("+1415555%04d", r.IntN(10000)), Direction: "inbound", CallType: "phone_call", Sentiment: "neutral",
		Summary: g.sentence(12, r), Cost: new(float64(r.IntN(400)) / 1000), Detailed: true,
		Latency:      map[string]call.Latency{"e2e": {P50: new(time.Duration(600+r.IntN(900)) * time.Millisecond), P95: new(time.Duration(1500+r.IntN(900)) * time.Millisecond)}},
		DashboardURL: fmt.Sprintf("https://dashboard.example.com/calls/%d", 1_000_000+i),
	}
	l.AgentName = "Agent " + l.AgentID
	if !*l.Success {
		l.Status = "failure"
	}
	g.turns(l, i, r)
	for k := range 6 {
		m := call.Metric{ID: fmt.Sprint(70 + k), Name: metricNames[k], Type: "binary", Score: new(float64(5 * min(1, r.IntN(5)))), Explanation: []string{"At 00:12 the agent " + g.sentence(4, r)}}
		m.Passed = new(*m.Score > 0)
		l.Metrics = append(l.Metrics, m)
	}
	l.Metadata = map[string]any{
		"release": fmt.Sprintf("r%d", i*12/g.n), "tier": []string{"gold", "silver", "basic"}[r.IntN(3)], "region": []string{"eu", "us", "ap"}[r.IntN(3)],
		"order_id": fmt.Sprintf("ORD-%08d", r.IntN(1e8)), "attempt": float64(r.IntN(4)),
	}
	return l
}

func (g *generator) turns(l *call.Log, i int, r *rand.Rand) {
	at := time.Second
	for k := range 34 {
		t := call.Turn{Index: k + 1, Role: call.RoleAgent, Start: new(at)}
		switch {
		case k == 0:
			t.Text = "Thank you for calling, my name is Ava, how can I help you today?"
		case k%12 == 7:
			args, _ := json.Marshal(map[string]string{"order_id": fmt.Sprintf("ORD-%08d", r.IntN(1e8))})
			t.Role, t.Tool = call.RoleTool, &call.Tool{Name: "lookup_order", Args: string(args), Result: `{"status":"found","total":` + fmt.Sprint(r.IntN(300)) + `,"currency":"EUR","items":[]}`}
		case k%2 == 1:
			t.Role, t.Text = call.RoleCaller, g.sentence(10, r)
		default:
			t.Text = g.sentence(15, r)
		}
		if k == 9 && i%2 == 0 {
			t.Text += " " + commonWord
		}
		if k == 13 && i%3000 == 7 {
			t.Text += " " + rareWord + ", an exact phrase"
		}
		at += time.Duration(1500+r.IntN(9000)) * time.Millisecond
		t.End = new(at - 700*time.Millisecond)
		l.Turns = append(l.Turns, t)
	}
}

// sentence has n words, about half of them in phrases.
func (g *generator) sentence(n int, r *rand.Rand) string {
	var parts []string
	for n > 0 {
		if n > 4 && r.IntN(4) == 0 {
			parts = append(parts, g.phrases[rank(r, len(g.phrases))])
			n -= 3
			continue
		}
		parts = append(parts, g.words[g.zipf(r)])
		n--
	}
	return strings.Join(parts, " ") + "."
}

var reasons = []string{"customer-ended-call", "assistant-ended-call", "silence-timed-out", "assistant-error", "voicemail", "transferred", "no-answer", "busy"}

var metricNames = []string{"Instruction Follow", "Greeting", "Talk ratio", "Interruptions", "Sentiment", "Task Completion"}
