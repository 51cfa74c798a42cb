package app

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asChild makes a process of this test's binary be the program.
const asChild = "CALL_LOGS_TEST_CHILD"

// A child is the server in a process of its own. Its log is the record of what
// it accepted.
type child struct {
	cmd   *exec.Cmd
	url   string
	ended chan struct{} // the log has been read to its end
	calls int           // requests that it took on, once ended
	bad   []string      // of them, those that it could not answer
}

// serving starts the program over HTTP, for the test named.
func serving(t *testing.T, test string, flags ...string) *child {
	c := &child{cmd: exec.Command(os.Args[0], "-test.run=^"+test+"$"), ended: make(chan struct{})}
	args := append([]string{"serve", "--demo", "--http", "127.0.0.1:0", "--no-auth", "--log-format", "json", "--rate", "1000000"}, flags...)
	c.cmd.Env = append(os.Environ(), asChild+"="+strings.Join(args, " "))
	log, err := c.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	at := make(chan string, 1)
	go func() {
		defer close(c.ended)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			var l struct{ Msg, Address, Outcome string }
			_ = json.Unmarshal(lines.Bytes(), &l)
			switch l.Msg {
			case "serving call logs over HTTP":
				at <- l.Address
			case "call":
				if c.calls++; l.Outcome != "ok" {
					c.bad = append(c.bad, lines.Text())
				}
			}
		}
	}()
	select {
	case addr := <-at:
		c.url = "http://" + addr + "/mcp"
	case <-time.After(20 * time.Second):
		_ = c.cmd.Process.Kill()
		require.FailNow(t, "the server did not start")
	}
	return c
}

// stop sends the signal and waits for the process to end by itself.
func (c *child) stop(t *testing.T) {
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	late := time.AfterFunc(30*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	<-c.ended
	require.NoError(t, c.cmd.Wait(), "it ends with 0")
}

// A signal at any moment under load: every call that the server took on is
// answered to its client, and the process ends well.
func TestStopsLoseNoAnswer(t *testing.T) {
	if args := os.Getenv(asChild); args != "" {
		os.Args = append(os.Args[:1], strings.Fields(args)...)
		Main("test")
	}
	rounds := 20
	if os.Getenv("SOAK") != "" {
		rounds = 100
	}
	answered := 0
	for round := range rounds {
		var flags []string
		if round%2 == 1 {
			flags = []string{"--drain-delay", "30ms"}
		}
		answered += stopped(t, serving(t, "TestStopsLoseNoAnswer", flags...))
	}
	assert.Greater(t, answered, 10*rounds, "under load")
	t.Logf("%d calls were taken on around %d signals, and all were answered", answered, rounds)
}

// stopped stops c somewhere in the middle of calls and says how many it answered.
func stopped(t *testing.T, c *child) int {
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	var answers atomic.Int64
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%d/%d", i, n)
				tool := []string{"describe_fields", "list_call_logs"}[i%2] // fast, and slow
				body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"method":"tools/call","params":{"name":%q,"arguments":{}}}`, id, tool)
				resp, err := client.Post(c.url, "application/json", strings.NewReader(body))
				if err != nil {
					return // it takes no more
				}
				var whole struct {
					ID     string
					Result struct{ Content []any }
				}
				text, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err == nil && json.Unmarshal(text, &whole) == nil && whole.ID == id && len(whole.Result.Content) == 1 {
					answers.Add(1)
				}
			}
		})
	}
	time.Sleep(20*time.Millisecond + rand.N(150*time.Millisecond))
	c.stop(t)
	wait.Wait()
	require.Empty(t, c.bad)
	require.EqualValues(t, c.calls, answers.Load(), "taken on, and answered whole")
	return c.calls
}
