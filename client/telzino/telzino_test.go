package telzino

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/telzino/telzinotest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
	"call-logs-mcp/internal/filter"
)

// Law 4: a source is a source, whichever of its times the lists are sorted by.
func TestSource(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of questions")
	}
	for _, sortBy := range []string{"call_started_at", "created_at"} {
		t.Run(sortBy, func(t *testing.T) {
			u := stocked(60)
			u.SortBy = sortBy
			calltest.TestSource(t, over(t, u), calltest.Options{
				Source:  "telzino",
				Logs:    60,
				Window:  call.Window{From: now().Add(-40 * day), To: now()},
				Mutable: u,
			})
		})
	}
}

func within(d time.Duration) filter.Expr { return filter.Within("timestamp", now().Add(-d), now()) }

// What questions cost.
func TestRequests(t *testing.T) {
	u := stocked(300)
	one, all := over(t, u, telzinotest.AgentID(0)), over(t, u)
	_, err := all.Find(t.Context(), call.Query{Limit: 1}) // lists the agents
	require.NoError(t, err)
	u.Asked()
	for _, x := range []struct {
		name     string
		s        call.Source
		q        call.Query
		requests int
	}{
		{"a page of one agent", one, call.Query{}, 1},
		{"a page of three", all, call.Query{}, 3},
		{"a day", all, call.Query{Where: within(day), Exhaust: true}, 3},
		{"one of three agents", all, call.Query{Where: filter.Cond{Field: "agent.id", Op: filter.Eq, Value: telzinotest.AgentID(2)}}, 1},
		{"an agent by its name", all, call.Query{Where: filter.Cond{Field: "agent.agent_name", Op: filter.Contains, Value: "buchung"}}, 1},
		{"an agent of others", all, call.Query{Where: filter.Cond{Field: "agent.id", Op: filter.Eq, Value: "x"}}, 0},
		{"a month", one, call.Query{Limit: 100, Exhaust: true}, 1},
	} {
		_, err := x.s.Find(t.Context(), x.q)
		require.NoError(t, err, x.name)
		assert.Equal(t, x.requests, u.Asked(), x.name)
	}
}
