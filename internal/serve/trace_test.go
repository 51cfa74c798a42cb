package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/call/calltest"
)

const (
	clientTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	clientSpan  = "00f067aa0ba902b7"
	traceparent = "00-" + clientTrace + "-" + clientSpan + "-01"
)

// recorded is a server whose spans are kept, with a tool that reads calls.
func recorded(t *testing.T, b *bench) (*server.MCPServer, *tracetest.InMemoryExporter) {
	kept := tracetest.NewInMemoryExporter()
	p := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept))
	t.Cleanup(func() { _ = p.Shutdown(context.Background()) })
	s := b.server(Traced(p)...)
	src := Scope(calltest.Memory("memory", calltest.Logs("memory", 60, 9, newest)))
	s.AddTool(mcp.NewTool("list_call_logs"), func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		p, err := src.Find(ctx, call.Query{Limit: 7})
		return mcp.NewToolResultText(fmt.Sprint(len(p.Logs))), err
	})
	s.AddTool(mcp.NewTool("refuses"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultError("no call of +14155550123"), nil
	})
	s.AddTool(mcp.NewTool("breaks"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, fmt.Errorf("no call of +14155550123")
	})
	return s, kept
}

// said is all that a span tells: its name, its attributes and its status.
func said(s tracetest.SpanStub) string {
	var all []string
	for _, a := range s.Attributes {
		all = append(all, fmt.Sprintf("%s=%s", a.Key, a.Value.String()))
	}
	if s.Status.Code == codes.Error {
		all = append(all, "failed "+s.Status.Description)
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %s", s.Name, strings.Join(all, " ")))
}

// Over either transport a request is one span in its client's trace, and tells
// what kind of question it was, never which.
func TestRequestsAreSpansOfTheirClientsTrace(t *testing.T) {
	tests := []struct{ method, params, want string }{
		{"tools/call", `"name":"list_call_logs","arguments":{"customer_number":"+14155550123"}`,
			"tools/call list_call_logs: mcp.method.name=tools/call gen_ai.tool.name=list_call_logs gen_ai.operation.name=execute_tool call_logs.returned=7"},
		{"tools/call", `"name":"refuses","arguments":{"x":"+14155550123"}`,
			"tools/call refuses: mcp.method.name=tools/call gen_ai.tool.name=refuses gen_ai.operation.name=execute_tool call_logs.returned=0 error.type=tool_error failed"},
		{"tools/call", `"name":"breaks"`,
			"tools/call breaks: mcp.method.name=tools/call gen_ai.tool.name=breaks gen_ai.operation.name=execute_tool call_logs.returned=0 error.type=error failed"},
		{"tools/call", `"name":"+14155550123"`, "tools/call: mcp.method.name=tools/call call_logs.returned=0 error.type=error failed"},
		{"+14155550123", ``, "other: mcp.method.name=other call_logs.returned=0 error.type=error failed"},
		{"tools/list", ``, "tools/list: mcp.method.name=tools/list call_logs.returned=0"},
	}
	message := func(method, params string) string {
		if params != "" {
			params = "," + params
		}
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{"_meta":{"traceparent":%q,"tracestate":"vendor=1","baggage":"number=+14155550123"}%s}}`, method, traceparent, params)
	}
	check := func(t *testing.T, kept *tracetest.InMemoryExporter, want string) {
		require.Eventually(t, func() bool { return len(kept.GetSpans()) == 1 }, patience, time.Millisecond, want)
		s := kept.GetSpans()[0]
		kept.Reset()
		assert.Equal(t, want, said(s))
		assert.Equal(t, clientTrace, s.SpanContext.TraceID().String())
		assert.Equal(t, clientSpan, s.Parent.SpanID().String())
		assert.Equal(t, "vendor=1", s.SpanContext.TraceState().String())
		assert.Equal(t, trace.SpanKindServer, s.SpanKind)
		assert.Empty(t, s.Events)
	}
	t.Run("HTTP", func(t *testing.T) {
		s, kept := recorded(t, newBench())
		h := serving(t, s, HTTPOptions{})
		for _, tt := range tests {
			h.post(message(tt.method, tt.params))
			check(t, kept, tt.want)
		}
	})
	t.Run("stdio", func(t *testing.T) {
		s, kept := recorded(t, newBench())
		c := dial(t, s, stdioLimits())
		for _, tt := range tests {
			c.send(message(tt.method, tt.params))
			c.next()
			check(t, kept, tt.want)
		}
	})
}

// _meta says which trace a request is of, then the header; else it is one of its
// own, as it is where they say nonsense.
func TestWhichTraceARequestIsOf(t *testing.T) {
	s, kept := recorded(t, newBench())
	h := serving(t, s, HTTPOptions{})
	other := strings.Replace(traceparent, "4bf9", "1111", 1)
	with := func(meta string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{%s}}}`, meta)
	}
	for _, tt := range []struct{ body, header, want string }{
		{with(`"traceparent":"` + traceparent + `"`), other, clientTrace},
		{with(``), traceparent, clientTrace},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, traceparent, clientTrace},
		{with(`"traceparent":7`), "", ""},
		{with(`"traceparent":"00-` + strings.Repeat("0", 32) + `-00f067aa0ba902b7-01"`), "", ""},
		{with(`"traceparent":"` + strings.Repeat("a", 1000) + `"`), "garbage", ""},
		{with(``), "", ""},
	} {
		var header []string
		if tt.header != "" {
			header = []string{"Traceparent", tt.header}
		}
		require.Equal(t, 200, h.post(tt.body, header...).status, tt.body)
		require.Eventually(t, func() bool { return len(kept.GetSpans()) == 1 }, patience, time.Millisecond)
		span := kept.GetSpans()[0]
		kept.Reset()
		if tt.want == "" {
			assert.False(t, span.Parent.IsValid(), tt.body)
			continue
		}
		assert.Equal(t, tt.want, span.SpanContext.TraceID().String(), tt.body)
	}
	// A client that does not want its trace kept is not recorded.
	h.post(with(`"traceparent":"` + strings.TrimSuffix(traceparent, "1") + `0"`))
	assert.Never(t, func() bool { return len(kept.GetSpans()) > 0 }, 50*time.Millisecond, 10*time.Millisecond)
}

func TestSpansOfCallsThatWereGivenUp(t *testing.T) {
	b := newBench()
	s, kept := recorded(t, b)
	h := serving(t, s, HTTPOptions{Deadline: 50 * time.Millisecond})
	h.post(asks("1", "slow", "late"))
	c := dial(t, s, stdioLimits())
	within(t, b.started, "the first")
	c.send(asks("2", "slow", "left"))
	within(t, b.started, "the second")
	c.send(cancelled("2"))
	require.Eventually(t, func() bool { return len(kept.GetSpans()) == 2 }, patience, time.Millisecond)
	assert.Contains(t, said(kept.GetSpans()[0]), "error.type=timeout failed")
	assert.Contains(t, said(kept.GetSpans()[1]), "error.type=canceled failed")
}

func TestNoProviderMakesNoSpans(t *testing.T) { assert.Empty(t, Traced(nil)) }

// received is a collector of OTLP over HTTP.
type received struct {
	mu    sync.Mutex
	spans []string
	fail  bool
}

func (r *received) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	var got collector.ExportTraceServiceRequest
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail || req.URL.Path != "/v1/traces" || proto.Unmarshal(body, &got) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, of := range got.ResourceSpans {
		name := ""
		for _, a := range of.Resource.Attributes {
			if a.Key == "service.name" || a.Key == "service.version" {
				name += a.Value.GetStringValue() + " "
			}
		}
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				r.spans = append(r.spans, name+s.Name)
			}
		}
	}
}

func (r *received) set(fail bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = fail
}

func TestSpansReachACollector(t *testing.T) {
	r := &received{}
	at := httptest.NewServer(r)
	defer at.Close()
	logs := &lockedBuffer{}
	logger := slog.New(slog.NewJSONHandler(logs, nil))
	p, stop, err := Export(t.Context(), at.URL+"/v1/traces", "1.2.3", logger)
	require.NoError(t, err)
	h := serving(t, newBench().server(Traced(p)...), HTTPOptions{})
	h.post(asks("1", "echo", "first"))
	require.NoError(t, p.ForceFlush(t.Context()))
	assert.Equal(t, []string{"call-logs-mcp 1.2.3 tools/call echo"}, r.spans)

	r.set(true)
	for range 3 {
		require.Equal(t, "on", h.post(asks("1", "echo", "on")).text(), "calls go on without it")
		require.NoError(t, p.ForceFlush(t.Context()))
	}
	r.set(false)
	h.post(asks("1", "echo", "last"))
	stop()
	assert.Len(t, r.spans, 2, "what is left is sent at the end")
	var levels []string
	for line := range strings.Lines(logs.String()) {
		var l struct{ Level, Msg string }
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		levels = append(levels, l.Level+" "+l.Msg)
	}
	assert.Equal(t, []string{"WARN traces cannot be exported", "INFO traces are exported again"}, levels, "once")

	// One that takes the connection and says nothing does not keep the process.
	silent := make(chan struct{})
	stuck := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-silent }))
	defer stuck.Close()
	defer close(silent)
	p, stop, err = Export(t.Context(), stuck.URL, "1", logger)
	require.NoError(t, err)
	_, span := p.Tracer("t").Start(t.Context(), "left")
	span.End()
	assert.Less(t, timed(stop), 3*time.Second)
}
