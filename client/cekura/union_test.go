package cekura

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// leaves are conditions of all kinds: of the API, of its rows, and on metadata,
// which lists do not carry.
var leaves = []string{
	`{"field":"success","op":"eq","value":false}`, `{"field":"turn_count","op":"gt","value":12}`,
	`{"field":"metadata.release","op":"eq","value":"r42"}`, `{"field":"metadata.release","op":"neq","value":"r42"}`,
	`{"field":"metadata.release","op":"startswith","value":"r4"}`, `{"field":"metadata.campaign","op":"isnull","value":false}`,
	`{"field":"metadata.release","op":"in","value":["r41","r42"]}`, `{"field":"topic","op":"endswith","value":"ing"}`,
	`{"field":"duration","op":"gte","value":60}`, `{"field":"call_ended_reason","op":"regex","value":"^customer"}`,
	`{"field":"metric_evaluations.passed","op":"eq","value":false}`, `{"field":"agent.id","op":"in","value":["2142","2143"]}`,
	`{"field":"direction","op":"eq","value":"inbound"}`, `{"field":"summary","op":"isnull","value":true}`,
}

// drawn is a random filter of some depth.
func drawn(rng *rand.Rand, depth int) string {
	if depth == 0 || rng.IntN(3) == 0 {
		return leaves[rng.IntN(len(leaves))]
	}
	parts := ""
	for range 2 + rng.IntN(2) {
		parts += "," + drawn(rng, depth-1)
	}
	return fmt.Sprintf(`{"operator":%q,"conditions":[%s]}`, []string{"and", "or"}[rng.IntN(2)], parts[1:])
}

// No filter of what Cekura or its rows can answer is refused, however its parts
// are joined, and what comes is what matches of all records.
func TestAnyJoinOfFilters(t *testing.T) {
	api := demo.New(demo.Options{Calls: 80, Now: now})
	s := over(t, demo.Transport(api), nil)
	var all []*call.Log
	for _, c := range api.Calls() {
		l, err := s.Get(t.Context(), call.ID{Source: "cekura", Key: strconv.Itoa(c.ID)})
		require.NoError(t, err)
		all = append(all, l)
	}
	n := 14
	if more, err := strconv.Atoi(os.Getenv("SOAK")); err == nil {
		n = more
	}
	split := 0
	for seed := range uint64(n) {
		rng := rand.New(rand.NewPCG(seed, 3))
		text := drawn(rng, 2)
		where, err := filter.Parse([]byte(text), call.Fields(), filter.Clock{Now: now()})
		require.NoError(t, err, text)
		where = filter.All(filter.Within("timestamp", now().Add(-40*day), now()), where)
		order := []call.Order{call.Newest, call.Oldest, call.Longest}[rng.IntN(3)]
		var want []*call.Log
		for _, l := range all {
			if filter.Match(where, l) {
				want = append(want, l)
			}
		}
		slices.SortFunc(want, order.Compare)
		if s.(*source).alternatives(where) != nil {
			split++
		}
		q := call.Query{Where: where, Order: order, Limit: 1 + rng.IntN(40), Count: true}
		var got []string
		for {
			p, err := s.Find(t.Context(), q)
			require.NoError(t, err, text)
			if q.After == nil && p.Total != nil {
				assert.Equal(t, len(want), *p.Total, text)
			}
			got = append(got, keys(p.Logs)...)
			if p.Next == nil {
				break
			}
			q.After = p.Next
		}
		assert.Equal(t, keys(want), got, "%s %s", order, text)
	}
	assert.NotZero(t, split, "some had to be asked in parts")
}

// An or of the assistant, which the API has a parameter for and rows do not tell,
// is each of its parts, and calls that both find are there once.
func TestOrOfAnAssistant(t *testing.T) {
	api := demo.New(demo.Options{Calls: 80, Now: now})
	s := over(t, demo.Transport(api), nil)
	want, both := 0, 0
	for _, c := range api.Calls() {
		billing, failed := c.AssistantID == "asst_billing", c.Success != nil && !*c.Success
		if billing || failed {
			want++
		}
		if billing && failed {
			both++
		}
	}
	require.NotZero(t, both)
	where := parse(t, `{"operator":"or","conditions":[{"field":"assistant_id","op":"eq","value":"asst_billing"},{"field":"success","op":"eq","value":false}]}`)
	where = filter.All(filter.Within("timestamp", now().Add(-40*day), now()), where)
	p, err := s.Find(t.Context(), call.Query{Where: where, Limit: 100, Exhaust: true})
	require.NoError(t, err)
	assert.Len(t, p.Logs, want)
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(keys(p.Logs)))), want)
	assert.Equal(t, want, *p.Total)
}
