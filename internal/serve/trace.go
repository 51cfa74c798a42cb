package serve

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/mark3labs/mcp-go/tracing"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Traced makes a span of each request, over stdio as over HTTP, in the trace of
// the client that asks: the traceparent and tracestate of its _meta (SEP-414),
// or else of its HTTP header (W3C Trace Context). Requests to upstreams are
// spans within it; what upstreams are sent says nothing of any trace.
//
// A span says the method, the tool, how many calls were handed out and how it
// ended, in words from lists of ours, never a value. Attributes are named as in
// OpenTelemetry's conventions for MCP. Baggage, which may hold anything, is not
// read. A nil provider makes no spans.
func Traced(p trace.TracerProvider) []server.ServerOption {
	if p == nil {
		return nil
	}
	t := tracer{p.Tracer("call-logs-mcp/internal/serve")}
	return []server.ServerOption{server.WithTracer(t), server.WithMetaPropagator(carried{}), server.WithPropagator(carried{})}
}

// carried reads the trace that a request belongs to. It writes none: nothing
// is asked of a client.
type carried struct{ w3c propagation.TraceContext }

// ExtractMeta reads _meta.
func (c carried) ExtractMeta(ctx context.Context, meta *mcp.Meta) context.Context {
	if meta == nil {
		return ctx
	}
	from := propagation.MapCarrier{}
	for _, key := range c.w3c.Fields() {
		if v, ok := meta.AdditionalFields[key].(string); ok {
			from[key] = v
		}
	}
	return c.w3c.Extract(ctx, from)
}

// Extract reads HTTP's header where _meta said nothing.
func (c carried) Extract(ctx context.Context, header http.Header) context.Context {
	if trace.SpanContextFromContext(ctx).IsValid() {
		return ctx
	}
	return c.w3c.Extract(ctx, propagation.HeaderCarrier(header))
}

func (carried) InjectMeta(_ context.Context, meta *mcp.Meta) *mcp.Meta { return meta }
func (carried) Inject(context.Context, http.Header)                    {}

// A tracer makes mcp-go's spans, and leaves out what it would put into them: a
// method and a message may be any words of the caller's.
type tracer struct{ trace.Tracer }

const (
	spanOfMethod = "mcp."
	spanOfTool   = "tool."
)

// Start begins a request's span. That of its tool is the same, which now knows
// the tool: mcp-go begins it only for tools that there are.
func (t tracer) Start(ctx context.Context, name string, _ tracing.SpanKind, _ ...tracing.Attribute) (context.Context, tracing.Span) {
	if tool, ok := strings.CutPrefix(name, spanOfTool); ok {
		s, ok := tracing.SpanFromContext(ctx).(*span)
		if !ok {
			return tracing.NoopTracer().Start(ctx, name, tracing.SpanKindInternal)
		}
		s.Span.SetName(toolsCall + " " + tool)
		s.Span.SetAttributes(attribute.String("gen_ai.tool.name", tool), attribute.String("gen_ai.operation.name", "execute_tool"))
		return ctx, inner{s}
	}
	method := methodLabel(strings.TrimPrefix(name, spanOfMethod))
	ctx, made := t.Tracer.Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("mcp.method.name", method)))
	s := &span{Span: made}
	if s.tally, _ = ctx.Value(tallyKey{}).(*tally); s.tally == nil { // over stdio nobody counts yet
		s.tally = &tally{}
		ctx = context.WithValue(ctx, tallyKey{}, s.tally)
	}
	s.cause = func() error { return context.Cause(ctx) }
	return tracing.ContextWithSpan(ctx, s), s
}

// A span is a request's.
type span struct {
	trace.Span
	tally  *tally
	cause  func() error // why it was given up, nil while it was not
	failed atomic.Bool  // the answer is an error
}

// SetAttributes takes none of mcp-go's: they hold the caller's words.
func (s *span) SetAttributes(...tracing.Attribute) {}

// RecordError tells nothing of err, which may say anything.
func (s *span) RecordError(error) {}

// SetStatus keeps that there was an error, and not its words.
func (s *span) SetStatus(code tracing.StatusCode, _ string) {
	if code == tracing.StatusError {
		s.failed.Store(true)
	}
}

// End says how the request ended.
func (s *span) End() {
	s.Span.SetAttributes(attribute.Int64("call_logs.returned", s.tally.logs.Load()))
	why := ""
	switch cause := s.cause(); {
	case errors.Is(cause, errDeadline):
		why = "timeout"
	case cause != nil:
		why = "canceled"
	case s.tally.broken.Load():
		why = "error"
	case s.tally.failed.Load():
		why = "tool_error"
	case s.failed.Load():
		why = "error"
	}
	if why != "" {
		s.Span.SetAttributes(attribute.String("error.type", why))
		s.Span.SetStatus(codes.Error, "")
	}
	s.Span.End()
}

// inner is a tool's share of its request's span: it ends with it.
type inner struct{ *span }

// RecordError notes that the tool could not answer.
func (i inner) RecordError(error) { i.tally.broken.Store(true) }

// SetStatus notes how the tool ended.
func (i inner) SetStatus(code tracing.StatusCode, _ string) {
	if code == tracing.StatusError {
		i.tally.failed.Store(true)
	}
}

// End leaves the end to the request.
func (inner) End() {}
