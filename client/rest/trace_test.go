package rest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// within is ctx in a trace whose spans are kept.
func within(t *testing.T) (ctx context.Context, outer trace.Span, kept *tracetest.InMemoryExporter) {
	kept = tracetest.NewInMemoryExporter()
	p := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept))
	t.Cleanup(func() { _ = p.Shutdown(context.Background()) })
	ctx, outer = p.Tracer("t").Start(t.Context(), "tool")
	return ctx, outer, kept
}

// attributes are those of a span, without the server's address.
func attributes(s tracetest.SpanStub) map[attribute.Key]string {
	all := map[attribute.Key]string{}
	for _, a := range s.Attributes {
		if a.Key != "server.address" {
			all[a.Key] = a.Value.String()
		}
	}
	return all
}

// Each attempt is a span of the question's trace; the upstream hears of none,
// and the span holds no id, number, key or word of the upstream's.
func TestRequestsAreSpans(t *testing.T) {
	var headers []http.Header
	const detail = `{"detail":"` + canary + `"}`
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		headers = append(headers, r.Header.Clone())
		if len(headers) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, detail)
			return
		}
		fmt.Fprint(w, `{"ok":true}`)
	})
	c, _ := open(t, base, quick())
	ctx, outer, kept := within(t)
	_, err := c.Get(ctx, Path("calls", canary), url.Values{"number": {"+14155550123"}}, &answer{})
	require.NoError(t, err)
	outer.End()

	spans := kept.GetSpans()
	require.Len(t, spans, 3)
	for i, want := range []map[attribute.Key]string{
		{"http.response.status_code": "503", "error.type": "503", "http.response.body.size": fmt.Sprint(len(detail))},
		{"http.response.status_code": "200", "http.response.body.size": "11"},
	} {
		want["http.request.method"], want["call_logs.upstream"] = "GET", "Cekura"
		assert.Equal(t, want, attributes(spans[i]))
		assert.Equal(t, "GET Cekura", spans[i].Name)
		assert.Equal(t, trace.SpanKindClient, spans[i].SpanKind)
		assert.Equal(t, outer.SpanContext().SpanID(), spans[i].Parent.SpanID())
	}
	assert.NotContains(t, fmt.Sprintf("%+v", spans), canary)
	assert.NotContains(t, fmt.Sprintf("%+v", spans), "1415")
	require.Len(t, headers, 2)
	for _, h := range headers {
		for _, name := range []string{"Traceparent", "Tracestate", "Baggage"} {
			assert.Empty(t, h.Get(name), "an upstream is told of no trace")
		}
	}
}

func TestFailedRequestsAreSpans(t *testing.T) {
	gone := "http://127.0.0.1:1"
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	dripping := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"ok":`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	limits := quick()
	limits.Attempts = 1
	hasty := limits
	hasty.Exchange = 50 * time.Millisecond
	for _, tt := range []struct {
		base   string
		limits Limits
		leave  time.Duration
		want   string
	}{
		{gone, limits, time.Minute, "connection"},
		{silent, hasty, time.Minute, "timeout"},
		{dripping, limits, time.Minute, "timeout"},
		{silent, limits, 50 * time.Millisecond, "canceled"},
	} {
		c, _ := open(t, tt.base, tt.limits)
		ctx, outer, kept := within(t)
		ctx, cancel := context.WithCancel(ctx)
		leave := time.AfterFunc(tt.leave, cancel)
		_, err := c.Get(ctx, "/x", nil, &answer{})
		require.Error(t, err)
		leave.Stop()
		cancel()
		outer.End()
		spans := kept.GetSpans()
		i := slices.IndexFunc(spans, func(s tracetest.SpanStub) bool { return strings.HasPrefix(s.Name, "GET") })
		require.GreaterOrEqual(t, i, 0, tt.want)
		assert.Equal(t, tt.want, attributes(spans[i])["error.type"])
		assert.Empty(t, spans[i].Events)
		assert.Empty(t, spans[i].Status.Description)
	}
}

func TestNoTraceCostsNoSpan(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"ok":true}`) })
	c, _ := open(t, base, quick())
	remote := trace.ContextWithRemoteSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}}))
	for _, ctx := range []context.Context{t.Context(), remote} {
		_, err := c.Get(ctx, "/x", nil, &answer{})
		require.NoError(t, err)
	}
}
