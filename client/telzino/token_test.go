package telzino

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client/demo"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/telzino/telzinotest"
	"call-logs-mcp/client/wire/wiretest"
	"call-logs-mcp/internal/call"
)

// endpoint is a token endpoint that answers after a while, and gives up with
// who asks.
type endpoint struct {
	to    http.RoundTripper
	takes time.Duration
	asked atomic.Int32
	left  atomic.Int32 // requests that were given up
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/oauth/token" {
		e.asked.Add(1)
		select {
		case <-time.After(e.takes):
		case <-r.Context().Done():
			e.left.Add(1)
			return nil, r.Context().Err()
		}
	}
	return e.to.RoundTrip(r)
}

// behind is a source whose tokens come from e.
func behind(t *testing.T, e *endpoint) call.Source {
	s, err := New(provider.Options{
		Credential: wiretest.Credentials(map[string]string{clientID: telzinotest.ClientID, clientSecret: telzinotest.Secret}), Now: now, Limits: fast(),
		AgentIDs: []string{telzinotest.AgentID(0)}, Transport: e,
	})
	require.NoError(t, err)
	return s
}

// Who waits for a token may leave at once; the request for it goes on for those
// who stay, and ends with the last of them.
func TestLeavingWhileATokenIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{to: demo.Transport(stocked(30)), takes: 5 * time.Second}
		s := behind(t, e)
		begun := time.Now()
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		stays := make(chan error, 3)
		for range cap(stays) {
			go func() {
				_, err := s.Find(t.Context(), call.Query{})
				stays <- err
			}()
		}
		_, err := s.Find(hasty, call.Query{})
		wiretest.Fails(t, err, call.Timeout, "no answer in the time")
		assert.Equal(t, time.Second, time.Since(begun))
		for range cap(stays) {
			require.NoError(t, <-stays)
		}
		assert.Equal(t, 5*time.Second, time.Since(begun))
		assert.EqualValues(t, 1, e.asked.Load())
		assert.Zero(t, e.left.Load())
	})
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{to: demo.Transport(stocked(30)), takes: time.Hour}
		s := behind(t, e)
		begun := time.Now()
		for n := range int32(2) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			_, err := s.Find(ctx, call.Query{})
			wiretest.Fails(t, err, call.Canceled, "canceled")
			synctest.Wait()
			assert.Equal(t, n+1, e.left.Load(), "nobody waits for it")
		}
		assert.Equal(t, 2*time.Second, time.Since(begun))
		e.takes = 0
		_, err := s.Find(t.Context(), call.Query{})
		require.NoError(t, err)
	})
}
