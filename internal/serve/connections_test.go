package serve

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A dialer is one connection of a client's, which sends what it is told.
type dialer struct {
	net.Conn
	in *bufio.Reader
}

func dialed(t *testing.T, h *host) dialer {
	t.Helper()
	var conn net.Conn
	var err error
	if h.site.secure {
		conn, err = tls.Dial("tcp", h.site.at.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	} else {
		conn, err = net.Dial("tcp", h.site.at.Addr().String())
	}
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return dialer{conn, bufio.NewReader(conn)}
}

// ask sends a request and reads its answer; ok is false where the connection is
// closed.
func (l dialer) ask(method, path, body string, header ...string) (resp *http.Response, ok bool) {
	text := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: %d\r\n%s\r\n%s",
		method, path, len(body), strings.Join(append(header, ""), "\r\n"), body)
	_ = l.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(l, text); err != nil {
		return nil, false
	}
	resp, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return nil, false
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp, true
}

// closes says whether the server closes the connection soon.
func (l dialer) closes() bool {
	_ = l.SetDeadline(time.Now().Add(patience))
	_, err := l.in.ReadByte()
	late, isLate := err.(net.Error)
	return err != nil && !(isLate && late.Timeout())
}

const pinged = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

// Whoever opens connections, keeps them and says no more shuts nobody out.
func TestIdleConnectionsShutNobodyOut(t *testing.T) {
	path, plain := tokensOf(t, Principal{Name: "a", Scopes: Scopes()})
	h := serving(t, newBench().server(), HTTPOptions{Auth: ByToken, Tokens: path, Metrics: "127.0.0.1:0", timeouts: timeouts{connections: 20}, Rates: Rates{PerAddress: 200, AddressPerMinute: 100_000}})
	var kept []dialer
	for range 60 {
		l := dialed(t, h)
		_, ok := l.ask("POST", "/mcp", pinged)
		require.True(t, ok)
		kept = append(kept, l)
	}
	known := dialed(t, h)
	resp, ok := known.ask("POST", "/mcp", pinged, "Authorization: Bearer "+plain[0])
	require.True(t, ok, "there is room for one more")
	assert.Equal(t, 200, resp.StatusCode)
	assert.True(t, kept[0].closes(), "the longest idle made it")
	_, ok = kept[59].ask("POST", "/mcp", pinged)
	assert.True(t, ok, "the others are there")
}

func TestConnectionsOfOneAddress(t *testing.T) {
	h := serving(t, newBench().server(), HTTPOptions{Metrics: "127.0.0.1:0", Rates: Rates{PerAddress: 3}})
	first := dialed(t, h)
	for range 3 {
		_, ok := dialed(t, h).ask("POST", "/mcp", pinged)
		require.True(t, ok)
	}
	assert.True(t, first.closes(), "a fourth takes the place of the one that is idle for the longest")
	h.site.at.(*connections).mu.Lock()
	assert.Equal(t, 3, h.site.at.(*connections).open)
	h.site.at.(*connections).mu.Unlock()

	proxied := serving(t, newBench().server(), HTTPOptions{TrustedProxies: []string{"127.0.0.1"}, Rates: Rates{PerAddress: 1}})
	one, other := dialed(t, proxied), dialed(t, proxied)
	for range 2 {
		_, ok := one.ask("POST", "/mcp", pinged)
		assert.True(t, ok, "many clients stand behind a proxy")
		_, ok = other.ask("POST", "/mcp", pinged)
		assert.True(t, ok)
	}
}

// A connection that is being answered on is no idle one: who comes then waits
// until that has answered, and closes.
func TestBusyConnectionsStay(t *testing.T) {
	s := newBench().server()
	s.AddTool(slowTool("work", 300*time.Millisecond))
	h := serving(t, s, HTTPOptions{Metrics: "127.0.0.1:0", Rates: Rates{PerAddress: 1}})
	busy := dialed(t, h)
	answered := make(chan bool)
	go func() {
		_, ok := busy.ask("POST", "/mcp", asks("1", "work", ""))
		answered <- ok
	}()
	require.Eventually(t, func() bool { return h.site.work.Inside() == 1 }, patience, time.Millisecond)
	_, ok := dialed(t, h).ask("POST", "/mcp", pinged)
	assert.True(t, ok)
	assert.True(t, <-answered)
	assert.True(t, busy.closes())
}

// A stranger's connection is closed soon, and one that somebody was known on is
// kept; what asks nobody closes at once.
func TestStrangersConnectionsEnd(t *testing.T) {
	path, plain := tokensOf(t, Principal{Name: "a", Scopes: Scopes()})
	h := serving(t, newBench().server(), HTTPOptions{Auth: ByToken, Tokens: path, timeouts: timeouts{stranger: 100 * time.Millisecond}})
	known, stranger := dialed(t, h), dialed(t, h)
	bearer := "Authorization: Bearer " + plain[0]
	_, ok := known.ask("POST", "/mcp", pinged, bearer)
	require.True(t, ok)
	resp, ok := stranger.ask("POST", "/mcp", pinged)
	require.True(t, ok)
	assert.Equal(t, 401, resp.StatusCode)
	assert.False(t, resp.Close, "it may still say who it is")
	assert.True(t, stranger.closes())
	_, ok = known.ask("POST", "/mcp", pinged, bearer)
	assert.True(t, ok, "it was idle for longer")
	for _, path := range []string{"/healthz", "/readyz", "/", "/nope"} {
		l := dialed(t, h)
		resp, ok := l.ask("GET", path, "")
		require.True(t, ok)
		assert.True(t, resp.Close, path)
		assert.True(t, l.closes(), path)
	}
}
