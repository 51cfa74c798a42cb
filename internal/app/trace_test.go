package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	demoapi "call-logs-mcp/client/demo"
)

// spansOf is a collector that keeps what it is sent.
func spansOf(t *testing.T) (url string, spans func() []*tracev1.Span) {
	var mu sync.Mutex
	var all []*tracev1.Span
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var got collector.ExportTraceServiceRequest
		if r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &got) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, of := range got.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				all = append(all, scope.Spans...)
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []*tracev1.Span {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// One question over stdio, from the client's traceparent to the requests that
// the upstream got, which it cannot tell from any other.
func TestOneTraceFromClientToUpstream(t *testing.T) {
	to, spans := spansOf(t)
	api := demoapi.New(demoapi.Options{Now: now})
	var headers sync.Map
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			headers.Store(name, true)
		}
		api.ServeHTTP(w, r)
	}))
	defer upstream.Close()
	env := map[string]string{"HOME": t.TempDir(), "CEKURA_API_KEY": "demo", "CEKURA_BASE_URL": upstream.URL, "OTEL_EXPORTER_OTLP_ENDPOINT": to}
	ask := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_call_logs","arguments":{"customer_number":"+14155550123"},` +
		`"_meta":{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","tracestate":"vendor=1"}}}` + "\n"
	var out, errs strings.Builder
	err := run(context.Background(), "test", []string{"--mirror", "off"}, func(name string) string { return env[name] }, strings.NewReader(ask), &out, &errs)
	require.NoError(t, err)
	require.NotContains(t, out.String(), `"isError":true`)

	byID := map[string]*tracev1.Span{}
	requests := 0
	var tool *tracev1.Span
	for _, s := range spans() {
		byID[fmt.Sprintf("%x", s.SpanId)] = s
		assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", fmt.Sprintf("%x", s.TraceId))
		if s.Name == "tools/call list_call_logs" {
			tool = s
		}
	}
	require.NotNil(t, tool, errs.String())
	assert.Equal(t, "00f067aa0ba902b7", fmt.Sprintf("%x", tool.ParentSpanId))
	for _, s := range byID {
		if s.Kind == tracev1.Span_SPAN_KIND_CLIENT {
			requests++
			assert.Equal(t, tool.SpanId, s.ParentSpanId, s.Name)
		}
	}
	assert.Positive(t, requests, "the upstream was asked")
	for _, name := range []string{"Traceparent", "Tracestate", "Baggage", "Authorization"} {
		_, sent := headers.Load(name)
		assert.False(t, sent, name)
	}
	assert.NotContains(t, fmt.Sprint(spans()), "1415", "no value")
}
