package calltest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"call-logs-mcp/internal/call"
)

// Logs returns n random logs of the source called name, the same for the same
// arguments, over the month before end. They hold what real ones surprise with:
// missing values everywhere but in the start time, equal times, keys of
// different lengths, tool turns, accents, ideographs, metrics without scores,
// nested metadata, empty and absent transcripts, and unlike kinds of status.
func Logs(name string, n int, seed uint64, end time.Time) []*call.Log {
	d := dice{rand.New(rand.NewPCG(seed, 1))}
	logs := make([]*call.Log, n)
	at := end.UTC().Truncate(time.Microsecond)
	step := 30 * 24 * time.Hour / time.Duration(max(n, 1))
	for i := range logs {
		if !d.one(8) { // else it starts with the call before
			at = at.Add(-time.Duration(d.Int64N(int64(2*step)/1000)) * time.Microsecond)
		}
		logs[i] = d.log(call.ID{Source: name, Key: strconv.Itoa(95 + 7*(n-i))}, at)
	}
	d.Shuffle(n, func(i, j int) { logs[i], logs[j] = logs[j], logs[i] })
	return logs
}

type dice struct{ *rand.Rand }

// one is true in one of n throws.
func (d dice) one(n int) bool { return d.IntN(n) == 0 }

// of returns one of words, and in one of five throws none.
func (d dice) of(words ...string) string {
	if d.one(5) {
		return ""
	}
	return words[d.IntN(len(words))]
}

func maybe[T any](d dice, v T) *T {
	if d.one(5) {
		return nil
	}
	return &v
}

func (d dice) log(id call.ID, at time.Time) *call.Log {
	l := &call.Log{
		ID: id, CallID: d.of(fmt.Sprintf("call_%08x", d.Uint32())), StartedAt: at,
		AgentID: d.of("2142", "2143", "9"), AgentName: d.of("Support EN", "Buchung DE", "予約"),
		ProjectID: d.of("17", "18"), AssistantID: d.of("asst_1", "asst_2"),
		CreatedAt: at.Add(time.Minute), UpdatedAt: at.Add(time.Duration(1+d.IntN(48)) * time.Hour),
		Duration: maybe(d, time.Duration(d.IntN(900_000))*time.Millisecond),
		Success:  maybe(d, !d.one(3)), Reviewed: maybe(d, d.one(2)),
		Status:   d.of("success", "failure", "reviewed_failure", "ENDED"),
		Feedback: d.of("agent was rude", "très bien"), EndedReason: d.of("silence-timed-out", "customer-ended-call", "assistant-error"),
		Topic: d.of("refund status", "Card Replacement", "café réservé", "退款"), DropoffPoint: d.of("while waiting", "at the menu"),
		ErrorMessage: d.of("", "tool timed out", "LLM: 50% of tokens_used"), Summary: d.of("The caller asked for a refund.", "Ärger über die Rechnung."),
		Sentiment: d.of("positive", "negative", "neutral"), Customer: d.of("+14155550123", "+493012345", "anonymous"),
		Direction: d.of("inbound", "outbound"), CallType: d.of("phone_call", "web_call"),
		Cost:    maybe(d, float64(d.IntN(400))/1000),
		TraceID: d.of("4bf92f3577b34da6"), Detailed: true,
	}
	if l.Duration != nil {
		l.EndedAt = at.Add(*l.Duration)
	}
	if !d.one(4) {
		l.Latency = map[string]call.Latency{"e2e": d.latency(), "llm": d.latency()}
	}
	for range d.IntN(4) {
		l.Metrics = append(l.Metrics, d.metric())
	}
	l.Metadata, l.DynamicVariables = d.metadata(), d.metadata()
	l.Turns = d.turns()
	return l
}

func (d dice) latency() call.Latency {
	p50 := time.Duration(200+d.IntN(1500)) * time.Millisecond
	return call.Latency{P50: maybe(d, p50), P95: maybe(d, 3*p50)}
}

func (d dice) metric() call.Metric {
	m := call.Metric{ID: strconv.Itoa(d.IntN(5)), Name: d.of("Greeting", "Instruction Follow", "Talk ratio", "Stimmung"), Type: "continuous"}
	switch d.IntN(4) {
	case 0: // scored, not judged
		m.Score = new(float64(d.IntN(100)) / 100)
	case 1:
		m.Type, m.Value = "enum", d.of("angry", "calm", "5")
	case 2: // not evaluated yet
	default:
		passed := d.one(2)
		m.Type, m.Passed, m.Score = "binary", &passed, new(0.0)
		if passed {
			m.Score = new(5.0)
		}
		m.Explanation = []string{"The agent said so at 00:12.", "Siehe auch 01:03."}
	}
	return m
}

func (d dice) metadata() map[string]any {
	if d.one(4) {
		return nil
	}
	return map[string]any{
		"release": d.of("r41", "r42", "R42"),
		"attempt": float64(d.IntN(4)),
		"vip":     d.one(2),
		"city":    d.of("Zürich", "zürich", "São Paulo"),
		"nothing": nil,
		"tags":    []any{"a", float64(d.IntN(3))},
	}
}

var sentences = []string{
	"Thanks for calling, how can I help?", "hi yes I was charged twice for my order and nobody called me back",
	"I'm sorry to hear that, let me check the order.", "My number is ORD-12345678.", "Könnten Sie das bitte wiederholen?",
	"Don’t you see it? I'd like a refund!", "我想退款，谢谢", "Are you still there?", "One moment, please…", "Ça fait déjà 3 fois que j'appelle.",
	"it's 50% off — isn't it?", "OK 👍", "no", "the agent_id is 42", "Straße 5, Αθήνα", "[inaudible]",
}

func (d dice) turns() []call.Turn {
	if d.one(10) {
		return nil
	}
	turns := make([]call.Turn, d.IntN(12))
	var at time.Duration
	for i := range turns {
		at += time.Duration(500+d.IntN(9000)) * time.Millisecond
		t := call.Turn{Index: i + 1, Role: call.RoleAgent, Text: sentences[d.IntN(len(sentences))], Start: maybe(d, at), End: maybe(d, at+time.Second)}
		switch d.IntN(5) {
		case 0, 1:
			t.Role = call.RoleCaller
		case 2:
			t.Role, t.Text, t.Tool = call.RoleTool, "", d.tool()
		}
		turns[i] = t
	}
	return turns
}

func (d dice) tool() *call.Tool {
	args, _ := json.Marshal(map[string]any{"order": "ORD-" + strconv.Itoa(d.IntN(100)), "deep": []int{1, 2}}) // cannot fail
	t := &call.Tool{Name: d.of("lookup_order", "bookTable"), Args: string(args), Result: `{"status":"found"}`}
	if d.one(3) {
		t.Result, t.Failed = "error: timeout after 8 s", true
	}
	return t
}
