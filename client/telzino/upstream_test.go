package telzino

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/client/telzino/telzinotest"
	"call-logs-mcp/client/wire/wiretest"
	"call-logs-mcp/internal/call"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func now() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

type (
	upstream = telzinotest.API
	row      = telzinotest.Row
	answer   = telzinotest.Answer
)

func stocked(n int) *upstream { return telzinotest.New(n, now) }

// fast lifts the pace, which is for real upstreams.
func fast() rest.Limits { return rest.Limits{Rate: 1e6, Burst: 1e6} }

// over is a source over u, its agents listed unless some are named.
func over(t *testing.T, u *upstream, agents ...string) call.Source {
	s, err := New(provider.Options{
		Credential: wiretest.Credentials(map[string]string{clientID: telzinotest.ClientID, clientSecret: telzinotest.Secret}), AgentIDs: agents,
		Transport: demo.Transport(u), Now: now, Limits: fast(),
	})
	require.NoError(t, err)
	return s
}
