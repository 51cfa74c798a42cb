package serve

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBothErasAreServed(t *testing.T) {
	h := serving(t, newBench().server(), HTTPOptions{})
	old := h.post(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	assert.Equal(t, 200, old.status)
	assert.Contains(t, old.body, `"protocolVersion":"2025-11-25"`)
	assert.Empty(t, old.header.Get("Mcp-Session-Id"))
	assert.Equal(t, 202, h.post(`{"jsonrpc":"2.0","method":"notifications/initialized"}`, "Mcp-Protocol-Version", "2025-11-25").status)
	assert.Equal(t, "hello", h.post(asks("2", "echo", "hello"), "Mcp-Protocol-Version", "2025-11-25").text())

	message, header := modern(`"d"`, "server/discover", "")
	found := h.post(message, header...)
	assert.Equal(t, 200, found.status, found.body)
	assert.Contains(t, found.body, "2026-07-28")
	message, header = modern(`"c"`, "tools/call", `"name":"echo","arguments":{"text":"new"}`)
	answer := h.post(message, append(header, "Mcp-Name", "echo")...)
	assert.Equal(t, "new", answer.text(), answer.body)
	assert.Equal(t, `"c"`, string(answer.ID))
	assert.Equal(t, "no", answer.header.Get("X-Accel-Buffering"))
}

func TestProgressIsStreamed(t *testing.T) {
	h := serving(t, newBench().server(), HTTPOptions{})
	g := h.post(asks("1", "progress", "p"))
	assert.Equal(t, "text/event-stream", g.header.Get("Content-Type"))
	assert.Contains(t, g.body, "notifications/progress")
	assert.Equal(t, "p", g.text())
}

func TestHealth(t *testing.T) {
	broken := fmt.Errorf("the copy does not open")
	var ready error
	h := serving(t, newBench().server(), HTTPOptions{Ready: func(context.Context) error { return ready }})
	assert.Equal(t, 200, h.get("/healthz").status)
	assert.Equal(t, 200, h.get("/readyz").status)
	ready = broken
	assert.Equal(t, 503, h.get("/readyz").status)
	assert.Contains(t, h.logs.String(), "the copy does not open")
	assert.Equal(t, 404, h.get("/metrics").status)
	assert.Equal(t, 404, h.get("/.well-known/oauth-protected-resource").status)
	assert.Equal(t, 405, h.get("/mcp").status)
}

func TestTwoHundredClientsWithTheSameIds(t *testing.T) {
	const clients, each = 200, 10
	b := newBench()
	h := serving(t, b.server(), HTTPOptions{Rates: generous()})
	var wait sync.WaitGroup
	errs := make(chan error, clients*each)
	for c := range clients {
		wait.Go(func() {
			for i := range each {
				if c%5 == 0 { // some cancel what is not theirs, in all spellings
					for _, id := range []string{"", `"id":null,`} {
						_, err := h.try(fmt.Sprintf(`{"jsonrpc":"2.0",%s"method":"notifications/cancelled","params":{"requestId":%d}}`, id, i))
						if err != nil {
							errs <- err
						}
					}
				}
				text := fmt.Sprintf("client %d call %d", c, i)
				g, err := h.try(asks(fmt.Sprint(i), "echo", text))
				if err != nil || g.text() != text || string(g.ID) != fmt.Sprint(i) {
					errs <- fmt.Errorf("%s: %q %v", text, g.body, err)
				}
			}
		})
	}
	wait.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
}

func TestNobodyCancelsTheCallOfAnother(t *testing.T) {
	b := newBench()
	h := serving(t, b.server(), HTTPOptions{})
	answers := make(chan got, 1)
	go func() { answers <- h.post(asks("1", "slow", "mine")) }()
	within(t, b.started, "the call to begin")
	assert.Equal(t, 202, h.post(cancelled("1")).status)
	assert.Equal(t, 400, h.post(strings.Replace(cancelled("1"), `{"jsonrpc"`, `{"id":null,"jsonrpc"`, 1)).status)
	assert.Equal(t, 202, h.post(`{"jsonrpc":"2.0","id":1,"result":{}}`).status)
	close(b.release)
	assert.Equal(t, "mine", within(t, answers, "the answer").text())
}

func TestCallEndsWhenItsClientLeaves(t *testing.T) {
	b := newBench()
	h := serving(t, b.server(), HTTPOptions{})
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/mcp", strings.NewReader(asks("1", "slow", "left")))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	go func() { _, _ = h.send(req) }()
	within(t, b.started, "the call to begin")
	began := time.Now()
	leave()
	assert.Equal(t, "left", within(t, b.stopped, "the call to be cancelled"))
	assert.Less(t, time.Since(began), 100*time.Millisecond)
	require.Eventually(t, func() bool { return strings.Contains(h.logs.String(), `"outcome":"canceled"`) }, patience, time.Millisecond)
}

func TestDeadlineReachesTheHandler(t *testing.T) {
	b := newBench()
	h := serving(t, b.server(), HTTPOptions{Deadline: 50 * time.Millisecond})
	g := h.post(asks("7", "slow", "late"))
	assert.Equal(t, "late", within(t, b.stopped, "the call to be cancelled"))
	assert.Equal(t, 504, g.status)
	assert.Equal(t, "7", string(g.ID))
	assert.Contains(t, g.Error.Message, "too long")
}

// The time to read a request is no bound for its answer.
func TestCallMayTakeLongerThanReading(t *testing.T) {
	b := newBench()
	h := serving(t, b.server(), HTTPOptions{timeouts: timeouts{header: 50 * time.Millisecond, read: 100 * time.Millisecond}})
	time.AfterFunc(400*time.Millisecond, func() { close(b.release) })
	assert.Equal(t, "late", h.post(asks("1", "slow", "late")).text())
}

func TestHandlersThatFailOverHTTP(t *testing.T) {
	h := serving(t, newBench().server(), HTTPOptions{})
	for _, tool := range []string{"panics", "unencodable"} {
		g := h.post(asks("1", tool, ""))
		require.NotNil(t, g.Error, g.body)
		assert.Equal(t, mcp.INTERNAL_ERROR, g.Error.Code)
		assert.NotContains(t, g.body, "a secret")
	}
	assert.Equal(t, "well", h.post(asks("1", "echo", "well")).text())
}

func TestHalfOpenConnectionsAreGone(t *testing.T) {
	t.Parallel() // it waits more than it works
	limits, gone, kinds := timeouts{header: 300 * time.Millisecond, read: 600 * time.Millisecond}, 800*time.Millisecond, 3
	if soak(0, 1) > 0 { // as they are served; a body then has 15 s
		limits, gone, kinds = timeouts{}, 6*time.Second, 2
	}
	h := serving(t, newBench().server(), HTTPOptions{timeouts: limits})
	var conns []net.Conn
	for i := range 200 {
		c, err := net.Dial("tcp", h.site.at.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		switch i % kinds { // nothing, half a header, half a body
		case 1:
			fmt.Fprint(c, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-A: ")
		case 2:
			fmt.Fprint(c, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
		}
		conns = append(conns, c)
	}
	time.Sleep(gone)
	held := 0
	for _, c := range conns {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(300*time.Millisecond)))
		var err error
		for buf := make([]byte, 1024); err == nil; {
			_, err = c.Read(buf)
		}
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			held++
		}
	}
	assert.Zero(t, held, "of 200")
	assert.Equal(t, "well", h.post(asks("1", "echo", "well")).text())
}

func TestDrain(t *testing.T) {
	b := newBench()
	h := serving(t, b.server(), HTTPOptions{DrainDelay: 200 * time.Millisecond, Grace: patience})
	answers := make(chan got, 1)
	go func() { answers <- h.post(asks("1", "slow", "under way")) }()
	within(t, b.started, "the call to begin")
	h.stop()
	require.Eventually(t, func() bool { return h.get("/readyz").status == 503 }, patience, 5*time.Millisecond)
	assert.Equal(t, 200, h.get("/healthz").status)
	assert.Equal(t, "taken", h.post(asks("2", "echo", "taken")).text(), "until the balancer has noticed")
	time.Sleep(300 * time.Millisecond)
	_, err := h.try(asks("3", "echo", "late"))
	require.Error(t, err)
	close(b.release)
	assert.Equal(t, "under way", within(t, answers, "the answer").text())
	assert.NoError(t, within(t, h.done, "the end"))
}

func TestDrainCancelsWhatOutlivesTheGrace(t *testing.T) {
	b := newBench()
	h := serving(t, b.server(), HTTPOptions{Grace: 50 * time.Millisecond})
	go func() { _, _ = h.try(asks("1", "slow", "too long")) }()
	within(t, b.started, "the call to begin")
	h.stop()
	assert.Equal(t, "too long", within(t, b.stopped, "the call to be cancelled"))
	assert.NoError(t, within(t, h.done, "the end"))
}

// A call that was accepted is answered, whenever the stop falls.
func TestDrainUnderLoadLosesNoAnswer(t *testing.T) {
	answered := 0
	for round := range 20 {
		var began sync.Map
		s := server.NewMCPServer("noting", "1", server.WithToolCapabilities(false))
		s.AddTool(mcp.NewTool("echo"), func(_ context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			began.Store(req.GetString("text", ""), true)
			time.Sleep(2 * time.Millisecond)
			return mcp.NewToolResultText(req.GetString("text", "")), nil
		})
		h := serving(t, s, HTTPOptions{Rates: generous(), DrainDelay: 20 * time.Millisecond})
		var wait sync.WaitGroup
		lost, got := make(chan error, 100), make(chan int, 100)
		for c := range 8 {
			wait.Go(func() {
				for i := 0; ; i++ {
					text := fmt.Sprintf("%d/%d", c, i)
					g, err := h.try(asks("1", "echo", text))
					if _, ok := began.Load(text); ok && g.text() != text {
						lost <- fmt.Errorf("round %d: %s was accepted and lost: %q %w", round, text, g.body, err)
					}
					if err != nil {
						got <- i
						return
					}
				}
			})
		}
		time.Sleep(time.Duration(10+2*round) * time.Millisecond)
		h.stop()
		wait.Wait()
		require.NoError(t, within(t, h.done, "the end"))
		close(lost)
		close(got)
		for err := range lost {
			require.NoError(t, err)
		}
		for n := range got {
			answered += n
		}
	}
	assert.Greater(t, answered, 400)
	t.Logf("%d calls were answered around 20 stops", answered)
}

func TestStreamsAreFewAndEndWithTheServer(t *testing.T) {
	rates := generous()
	rates.Streams, rates.Wait = 2, 5*time.Millisecond
	s := server.NewMCPServer("changing", "1", server.WithToolCapabilities(true)) // without, a stream ends at once
	s.AddTool(slowTool("work", 0))
	h := serving(t, s, HTTPOptions{Rates: rates, Deadline: 20 * time.Millisecond, Metrics: "127.0.0.1:0"})
	message, header := modern("1", "subscriptions/listen", `"notifications":{"toolsListChanged":true}`)
	ended := make(chan got, 2)
	for range 2 {
		go func() { g, _ := h.try(message, header...); ended <- g }()
	}
	require.Eventually(t, func() bool { return h.site.streams.Inside() == 2 }, patience, time.Millisecond)
	assert.Equal(t, 429, h.post(message, header...).status)
	assert.Equal(t, "done", h.post(asks("1", "work", "")).text(), "calls have places of their own")
	assert.Contains(t, h.metrics(), `call_logs_mcp_limited_total{limit="streams"} 1`)
	time.Sleep(50 * time.Millisecond)
	assert.Empty(t, ended, "a stream has no deadline")
	h.stop()
	for range 2 {
		assert.Equal(t, "text/event-stream", within(t, ended, "the stream to end").header.Get("Content-Type"))
	}
	assert.NoError(t, within(t, h.done, "the end"))
}
