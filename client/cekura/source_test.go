package cekura

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
)

// hand changes what the demo holds.
type hand struct{ *demo.API }

func (h hand) Insert(like call.ID, at time.Time) {
	for _, c := range h.Calls() {
		if strconv.Itoa(c.ID) == like.Key {
			c.ID, c.CallID, c.Timestamp = 0, c.CallID+"x", at
			h.API.Insert(c)
			return
		}
	}
}

func (h hand) Delete(id call.ID) {
	if n, err := strconv.Atoi(id.Key); err == nil {
		h.API.Delete(n)
	}
}

// Law 4: a source is a source.
func TestSource(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of questions")
	}
	api := demo.New(demo.Options{Calls: 80, Now: now})
	s, err := New(provider.Options{Credential: func(string) string { return "k" }, ProjectID: "1376", Transport: demo.Transport(api), Now: now, Limits: fast()})
	require.NoError(t, err)
	calltest.TestSource(t, s, calltest.Options{
		Source:     "cekura",
		Logs:       80,
		Window:     call.Window{From: now().Add(-31 * day), To: now()},
		Unanswered: []string{"dynamic_variables.KEY", "metadata.KEY", "assistant_id"},
		Mutable:    hand{api},
	})
}
