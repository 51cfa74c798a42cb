package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	demoapi "call-logs-mcp/client/demo"
)

// A wire is the program as a client starts it: lines in, lines out.
type wire struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

// started runs serve over stdin and stdout, with an upstream that takes its time.
func started(t *testing.T, flags ...string) wire {
	api := demoapi.New(demoapi.Options{MaxPageSize: 100})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(200 * time.Millisecond)
		api.ServeHTTP(w, r)
	}))
	env := map[string]string{"HOME": t.TempDir(), "CEKURA_API_KEY": "secret", "CEKURA_BASE_URL": slow.URL}
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(context.Background(), "test", append([]string{"serve", "--mirror", "memory"}, flags...), func(name string) string { return env[name] }, in, out, io.Discard)
		out.Close()
		ended <- err
	}()
	t.Cleanup(func() {
		toServer.Close()
		go io.Copy(io.Discard, fromServer)
		assert.NoError(t, <-ended)
		slow.Close()
	})
	w := wire{t, toServer, bufio.NewScanner(fromServer)}
	w.out.Buffer(nil, 1<<20)
	w.send(`{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	w.until("hello")
	w.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return w
}

func (w wire) send(line string) {
	_, err := io.WriteString(w.in, line+"\n")
	require.NoError(w.t, err)
}

// A step is a notification of progress.
type step struct {
	ProgressToken   any
	Progress, Total float64
	Message         string
}

// until reads up to the answer to id, and returns the progress before it.
func (w wire) until(id string) (heard []step) {
	w.t.Helper()
	for w.out.Scan() {
		var m struct {
			ID     any
			Method string
			Params step
			Error  any
			Result struct{ IsError bool }
		}
		require.NoError(w.t, json.Unmarshal(w.out.Bytes(), &m))
		switch {
		case m.Method == "notifications/progress":
			heard = append(heard, m.Params)
		case m.ID == id:
			require.Nil(w.t, m.Error, w.out.Text())
			assert.False(w.t, m.Result.IsError, w.out.Text())
			return heard
		default:
			require.Fail(w.t, "neither progress nor the answer", w.out.Text())
		}
	}
	require.Fail(w.t, "the server ended")
	return nil
}

// A client that asks for it hears how far the filling of the copy is that its
// question waits for: more each time, before the answer, and nothing behind it.
func TestProgressArrivesBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	for tool, args := range map[string]string{
		"search_transcripts":  `{"query":"refund"}`,
		"aggregate_call_logs": `{"group_by":["topic"],"compare_to":"previous","timestamp_from":"now-14d"}`,
		"describe_fields":     `{"field":"topic"}`,
	} {
		t.Run(tool, func(t *testing.T) {
			t.Parallel()
			w := started(t)
			ask := `{"jsonrpc":"2.0","id":%q,"method":"tools/call","params":{"name":%q,"arguments":%s,"_meta":{"progressToken":%s}}}`
			w.send(fmt.Sprintf(ask, "first", tool, args, `"tok-7"`))
			heard := w.until("first")
			require.GreaterOrEqual(t, len(heard), 2)
			for i, h := range heard {
				assert.Equal(t, "tok-7", h.ProgressToken)
				assert.Equal(t, "fetching calls of cekura", h.Message)
				assert.LessOrEqual(t, h.Progress, h.Total)
				assert.True(t, i == 0 || h.Progress > heard[i-1].Progress, "%v", heard)
			}
			assert.Positive(t, heard[len(heard)-1].Progress)
			w.send(fmt.Sprintf(ask, "again", tool, args, "8"))
			assert.Empty(t, w.until("again"), "what is there is not waited for")
			w.send(`{"jsonrpc":"2.0","id":"ping","method":"ping"}`)
			assert.Empty(t, w.until("ping"))
		})
	}
}

func TestNoProgressUnasked(t *testing.T) {
	t.Parallel()
	w := started(t)
	w.send(`{"jsonrpc":"2.0","id":"first","method":"tools/call","params":{"name":"search_transcripts","arguments":{"query":"refund","timestamp_from":"now-12d"}}}`)
	assert.Empty(t, w.until("first"))
}
