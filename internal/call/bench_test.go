package call_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
)

var end = time.Date(2026, 11, 21, 9, 12, 0, 0, time.UTC)

// talks are n calls with about 2.5 KB of words each, in 30 turns.
func talks(n int) []*call.Log {
	random := rand.New(rand.NewPCG(1, 2))
	vocabulary := strings.Fields("The order was charged twice and I can't find it anywhere so please send a refund to my account " +
		"Okay let me check that for you one moment please your number is 12345678 thank you for calling Support bye yes no uh hmm " +
		"balance bank Monday delivery address street apartment schedule appointment doctor booking table restaurant flight")
	logs := calltest.Logs("bench", n, 3, end)
	for _, l := range logs {
		l.Turns = make([]call.Turn, 30)
		for i := range l.Turns {
			words := make([]string, 16)
			for k := range words {
				words[k] = vocabulary[random.IntN(len(vocabulary))]
			}
			role := call.RoleAgent
			if i%2 == 1 {
				role = call.RoleCaller
			}
			l.Turns[i] = call.Turn{Index: i + 1, Role: role, Text: strings.Join(words, " ") + "."}
		}
		l.Turns[7].Text += " It’s the café, isn’t it?"
		l.Turns[9].Tool = &call.Tool{Name: "lookup_order", Args: `{"order":"ORD-1"}`, Result: strings.Repeat(`{"status":"found"}`, 10)}
	}
	return logs
}

// The aim is 60 ms for 5,000 calls, so that a search over the whole scan limit
// is not what a person waits for.
func BenchmarkScanText(b *testing.B) {
	logs := talks(5000)
	for _, s := range []string{"zebra", "balance", "the", `"charged twice" -refund`, "sched* OR doctor", "café"} {
		text, err := call.ParseText(s)
		require.NoError(b, err)
		b.Run(s, func(b *testing.B) {
			for b.Loop() {
				for _, l := range logs {
					text.Match(l, "")
				}
			}
		})
	}
}

func BenchmarkScanFilter(b *testing.B) {
	logs := talks(5000)
	for _, s := range []string{
		`{"field":"success","op":"eq","value":false}`,
		`[{"field":"success","op":"eq","value":false},{"field":"topic","op":"contains","value":"refund"},{"field":"duration","op":"gte","value":60}]`,
		`{"operator":"same_row","conditions":[{"field":"metric_evaluations.metric.name","op":"eq","value":"Greeting"},{"field":"metric_evaluations.passed","op":"eq","value":false}]}`,
		`{"field":"transcript","op":"contains","value":"charged twice"}`,
	} {
		where, err := filter.Parse([]byte(s), call.Fields(), filter.Clock{})
		require.NoError(b, err)
		b.Run(filter.Words(where), func(b *testing.B) {
			for b.Loop() {
				for _, l := range logs {
					filter.Match(where, l)
				}
			}
		})
	}
}

// A list of what is in memory should cost well under 10 ms.
func BenchmarkSorted(b *testing.B) {
	logs := calltest.Logs("bench", 4000, 3, end)
	for _, o := range []call.Order{call.Newest, call.Longest} {
		b.Run(fmt.Sprint(o), func(b *testing.B) {
			for b.Loop() {
				if _, err := call.Sorted(context.Background(), call.Query{Order: o}, logs); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCursor(b *testing.B) {
	c := typical(b)
	written := c.String()
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			_ = c.String()
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, err := call.ParseCursor(written, c.Tool, sources); err != nil {
				b.Fatal(err)
			}
		}
	})
}
