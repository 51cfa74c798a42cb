package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPipelinedRequestsAreAllAnswered(t *testing.T) {
	for name, lim := range map[string]limits{"as served": stdioLimits(), "with little room": {line: 1 << 20, open: 4, running: 2, drain: patience, grace: time.Second, stuck: patience}} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, newBench().server(), lim)
			want := map[string]string{}
			var lines []string
			for i := range 500 {
				id := fmt.Sprint(i)
				want[id] = "text " + id
				lines = append(lines, asks(id, "echo", want[id]), `{"jsonrpc":"2.0","id":"p`+id+`","method":"ping"}`)
			}
			c.send(lines...)
			got, pings := map[string]string{}, 0
			for range 1000 {
				a := c.next()
				require.Nil(t, a.Error)
				if a.ID[0] == '"' {
					pings++
					continue
				}
				got[string(a.ID)] = a.text()
			}
			assert.Equal(t, want, got)
			assert.Equal(t, 500, pings)
		})
	}
}

func TestEndOfInputStillGetsTheAnswer(t *testing.T) {
	for name, last := range map[string]string{"after a newline": "\n", "without a newline": "", "after a carriage return": "\r\n"} {
		t.Run(name, func(t *testing.T) {
			b := newBench()
			var out bytes.Buffer
			done := make(chan error, 1)
			in := strings.NewReader(asks("1", "slow", "late") + last)
			go func() { done <- Stdio(t.Context(), b.server(), in, &out, slog.New(slog.DiscardHandler)) }()
			within(t, b.started, "the call to begin")
			close(b.release)
			require.NoError(t, within(t, done, "Stdio to return"))
			assert.Contains(t, out.String(), "late")
			assert.True(t, strings.HasSuffix(out.String(), "}\n"))
		})
	}
}

func TestEndOfInputWaitsOnlySoLong(t *testing.T) {
	b, lim := newBench(), stdioLimits()
	lim.drain = 50 * time.Millisecond
	c := dial(t, b.server(), lim)
	c.send(asks("1", "slow", "s"))
	within(t, b.started, "the call to begin")
	require.NoError(t, c.in.Close())
	rest := c.rest()
	require.Len(t, rest, 1, "a call that heeds its context can still say so")
	assert.True(t, rest[0].Result.IsError)
	assert.NoError(t, c.wait())
	assert.Equal(t, "s", within(t, b.stopped, "the call to stop"))
}

func TestLinesThatAreNoMessage(t *testing.T) {
	tests := []struct {
		name, line, id string
		code           int
	}{
		{"garbage", `hello`, `null`, mcp.PARSE_ERROR},
		{"half a message", `{"jsonrpc":"2.0","id":7,`, `null`, mcp.PARSE_ERROR},
		{"two on a line", `{"jsonrpc":"2.0","id":7,"method":"ping"}{}`, `null`, mcp.PARSE_ERROR},
		{"control characters", "\x00\x1b[31m", `null`, mcp.PARSE_ERROR},
		{"not UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\",\"x\":\"\xff\xfe\"}", `7`, mcp.PARSE_ERROR},
		{"an id that is not UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"ping\"}", `null`, mcp.PARSE_ERROR},
		{"Latin-1 garbage", "caf\xe9", `null`, mcp.PARSE_ERROR},
		{"a batch", `[{"jsonrpc":"2.0","id":7,"method":"ping"}]`, `null`, mcp.INVALID_REQUEST},
		{"a number", `5`, `null`, mcp.INVALID_REQUEST},
		{"null", `null`, `null`, mcp.INVALID_REQUEST},
		{"no method", `{"jsonrpc":"2.0","id":"a"}`, `"a"`, mcp.INVALID_REQUEST},
		{"a null id", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, `null`, mcp.INVALID_REQUEST},
		{"an object for an id", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, `null`, mcp.INVALID_REQUEST},
		{"a number for a method", `{"jsonrpc":"2.0","id":7,"method":5}`, `7`, mcp.INVALID_REQUEST},
		{"an old version", `{"jsonrpc":"1.0","id":7,"method":"ping"}`, `7`, mcp.INVALID_REQUEST},
		{"an unknown method", `{"jsonrpc":"2.0","id":7,"method":"nope"}`, `7`, mcp.METHOD_NOT_FOUND},
		{"too deep", strings.Repeat("[", 20_000), `null`, mcp.PARSE_ERROR},
	}
	c := dial(t, newBench().server(), stdioLimits())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c.send(tt.line)
			a := c.next()
			require.NotNil(t, a.Error)
			assert.Equal(t, tt.code, a.Error.Code)
			assert.JSONEq(t, tt.id, string(a.ID))
			c.send("", "  ", asks(`"next"`, "echo", "still here"))
			assert.Equal(t, "still here", c.next().text())
		})
	}
}

func TestLongLines(t *testing.T) {
	b := newBench()
	lim := stdioLimits()
	c := dial(t, b.server(), lim)

	longest := asks("1", "echo", strings.Repeat("x", lim.line-len(asks("1", "echo", ""))))
	require.Len(t, longest, 4<<20)
	c.send(longest)
	assert.Len(t, c.next().text(), lim.line-len(asks("1", "echo", "")))

	for _, line := range []string{longest + " ", strings.Repeat("x", 9<<20)} {
		c.send(line, asks("2", "echo", "next"))
		got := map[string]answer{}
		for range 2 {
			a := c.next()
			got[string(a.ID)] = a
		}
		require.NotNil(t, got["null"].Error)
		assert.Equal(t, "a message may have at most 4194304 bytes", got["null"].Error.Message)
		assert.Equal(t, "next", got["2"].text())
	}
	require.NoError(t, c.in.Close())
	assert.NoError(t, c.wait())
}

func TestCancelledCalls(t *testing.T) {
	t.Run("under way", func(t *testing.T) {
		b := newBench()
		c := dial(t, b.server(), stdioLimits())
		c.send(asks(`"a"`, "slow", "a"))
		within(t, b.started, "the call to begin")
		c.send(cancelled(`"a"`), asks("2", "echo", "next"))
		assert.Equal(t, "a", within(t, b.stopped, "the call to be cancelled"))
		assert.Equal(t, "next", c.next().text())
		require.NoError(t, c.in.Close())
		assert.Empty(t, c.rest(), "nothing answers a cancelled call")
	})
	t.Run("on the very next line", func(t *testing.T) {
		for range 50 {
			c := dial(t, newBench().server(), stdioLimits())
			c.send(asks("1", "slow", "a"), cancelled("1"))
			c.send(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
			assert.Equal(t, "2", string(c.next().ID))
			require.NoError(t, c.in.Close())
			assert.Empty(t, c.rest())
			require.NoError(t, c.wait())
		}
	})
	t.Run("while it waits for its turn", func(t *testing.T) {
		b, lim := newBench(), stdioLimits()
		lim.running = 1
		c := dial(t, b.server(), lim)
		c.send(asks("1", "slow", "first"))
		within(t, b.started, "the call to begin")
		c.send(asks("2", "slow", "second"), cancelled("2"), `{"jsonrpc":"2.0","id":3}`)
		require.NotNil(t, c.next().Error, "by now the cancellation has been read")
		close(b.release)
		assert.Equal(t, "first", c.next().text())
		require.NoError(t, c.in.Close())
		assert.Empty(t, c.rest())
		assert.Empty(t, b.started, "it never ran")
	})
	t.Run("only the one meant", func(t *testing.T) {
		b := newBench()
		c := dial(t, b.server(), stdioLimits())
		c.send(asks("5", "slow", "number"), asks(`"5"`, "slow", "string"))
		within(t, b.started, "a call to begin")
		within(t, b.started, "a call to begin")
		c.send(cancelled("5"), cancelled("99"), cancelled("{}"), `{"jsonrpc":"2.0","method":"notifications/cancelled"}`)
		assert.Equal(t, "number", within(t, b.stopped, "the call to be cancelled"))
		close(b.release)
		a := c.next()
		assert.Equal(t, "string", a.text())
		assert.Equal(t, `"5"`, string(a.ID))
	})
}

func TestStopsWithinASecond(t *testing.T) {
	for _, tool := range []string{"slow", "deaf"} {
		t.Run("with a "+tool+" call in flight", func(t *testing.T) {
			b := newBench()
			defer close(b.release)
			c := dial(t, b.server(), stdioLimits())
			c.send(asks("1", tool, tool))
			within(t, b.started, "the call to begin")
			begin := time.Now()
			c.stop()
			assert.NoError(t, c.wait())
			assert.Less(t, time.Since(begin), time.Second)
		})
	}
	t.Run("while draining", func(t *testing.T) {
		b := newBench()
		defer close(b.release)
		c := dial(t, b.server(), stdioLimits())
		c.send(asks("1", "deaf", ""))
		within(t, b.started, "the call to begin")
		require.NoError(t, c.in.Close())
		begin := time.Now()
		c.stop()
		assert.NoError(t, c.wait())
		assert.Less(t, time.Since(begin), time.Second)
	})
	t.Run("while nobody reads", func(t *testing.T) {
		c := dial(t, newBench().server(), stdioLimits())
		c.send(asks("1", "echo", "unread"), asks("2", "echo", "unread"))
		_, err := c.side.Read(make([]byte, 1))
		require.NoError(t, err, "from here on a write is blocked")
		begin := time.Now()
		c.stop()
		assert.NoError(t, c.wait())
		assert.Less(t, time.Since(begin), time.Second)
	})
	t.Run("with an answer almost there", func(t *testing.T) {
		b := newBench()
		c := dial(t, b.server(), stdioLimits())
		c.send(asks("1", "slow", "in time"))
		within(t, b.started, "the call to begin")
		c.stop()
		close(b.release)
		assert.Equal(t, "in time", c.next().text())
		assert.NoError(t, c.wait())
	})
}

func TestClosedOutputEndsIt(t *testing.T) {
	b := newBench()
	c := dial(t, b.server(), stdioLimits())
	c.send(asks("1", "slow", "left behind"))
	within(t, b.started, "the call to begin")
	require.NoError(t, c.side.Close())
	c.send(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	assert.NoError(t, c.wait(), "a client that leaves is no failure")
	assert.Equal(t, "left behind", within(t, b.stopped, "the call to be cancelled"))
}

func TestOutputThatNobodyReadsEndsIt(t *testing.T) {
	lim := stdioLimits()
	lim.stuck = 50 * time.Millisecond
	c := dial(t, newBench().server(), lim)
	c.send(asks("1", "echo", "unread"))
	assert.ErrorIs(t, c.wait(), errStuck)
}

func TestReadFailureIsAnError(t *testing.T) {
	c := dial(t, newBench().server(), stdioLimits())
	require.NoError(t, c.in.CloseWithError(fmt.Errorf("the disk is gone")))
	assert.EqualError(t, c.wait(), "serve: stdio: read: the disk is gone")
}

func TestHandlersThatFailAreAnsweredInPlainWords(t *testing.T) {
	for _, tool := range []string{"panics", "unencodable"} {
		t.Run(tool, func(t *testing.T) {
			c := dial(t, newBench().server(), stdioLimits())
			c.send(asks("1", tool, ""))
			a := c.next()
			assert.Equal(t, "1", string(a.ID))
			require.NotNil(t, a.Error)
			assert.Equal(t, mcp.INTERNAL_ERROR, a.Error.Code)
			assert.Equal(t, "internal error", a.Error.Message)
			assert.Contains(t, c.logs.String(), "stdio: ", "the operator is told")
		})
	}
}

func TestProgressPrecedesItsAnswer(t *testing.T) {
	c := dial(t, newBench().server(), stdioLimits())
	c.send(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	require.Equal(t, "0", string(c.next().ID))
	c.send(asks("1", "progress", "p"))
	for i := range 50 {
		a := c.next()
		require.Equal(t, "notifications/progress", a.Method)
		require.Equal(t, i, a.Params.Progress)
	}
	assert.Equal(t, "p", c.next().text())
}

func TestIdsComeBackAsTheyWere(t *testing.T) {
	c := dial(t, newBench().server(), stdioLimits())
	for _, id := range []string{`0`, `-1`, `9007199254740993`, `1.50`, `""`, `"é\u0041"`} {
		c.send(asks(id, "echo", "x"))
		assert.JSONEq(t, id, string(c.next().ID))
		c.send(`{"jsonrpc":"2.0","id":` + id + `,"method":"nope"}`)
		a := c.next()
		assert.Equal(t, mcp.METHOD_NOT_FOUND, a.Error.Code)
	}
	c.send(asks("9007199254740993", "echo", "x"))
	assert.Equal(t, "9007199254740993", string(c.next().ID))
	c.send(`{"jsonrpc":"2.0","id":1,"result":{}}`, asks("2", "echo", "an answer to nothing is ignored"))
	assert.Equal(t, "2", string(c.next().ID))
}

// Whatever comes before it, a request gets its answer, and what comes out is
// JSON-RPC.
func FuzzStdio(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	f.Add([]byte("\xef\xbb\xbf{}\n[[[\n\"\n{\"id\":1,\"method\":\"ping\"}"))
	f.Add([]byte(cancelled("1") + "\n" + asks("1", "echo", "x") + "\r\n" + cancelled("1")))
	f.Fuzz(func(t *testing.T, noise []byte) {
		lim := stdioLimits()
		lim.line = 1 << 10
		var out bytes.Buffer
		in := io.MultiReader(bytes.NewReader(noise), strings.NewReader("\n"+`{"jsonrpc":"2.0","id":"the last one","method":"ping"}`))
		require.NoError(t, stdio(t.Context(), newBench().server(), in, &out, slog.New(slog.DiscardHandler), lim))
		found := false
		for line := range bytes.Lines(out.Bytes()) {
			var a struct {
				JSONRPC string
				ID      any
			}
			require.NoError(t, json.Unmarshal(line, &a))
			require.Equal(t, "2.0", a.JSONRPC)
			found = found || a.ID == "the last one"
		}
		assert.True(t, found)
	})
}
