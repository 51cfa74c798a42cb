package zudu

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/client/wire/wiretest"
	"call-logs-mcp/client/zudu/zudutest"
	"call-logs-mcp/internal/call"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func now() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

type upstream = zudutest.API

func stocked(n int) *upstream { return zudutest.New(n, now) }

// fast lifts the pace, which is for real upstreams.
func fast() rest.Limits { return rest.Limits{Rate: 1e6, Burst: 1e6} }

func over(t *testing.T, u *upstream) call.Source {
	s, err := New(provider.Options{
		Credential: wiretest.Credentials(map[string]string{apiKey: zudutest.Key, apiSecret: zudutest.Secret}),
		Transport:  demo.Transport(u), Now: now, Limits: fast(),
	})
	require.NoError(t, err)
	return s
}
