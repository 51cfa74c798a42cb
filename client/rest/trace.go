package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// traced makes a span of each request, from its waiting for a turn to the end of
// its answer, where its context is in a trace that is recorded. The span names
// the upstream and how it went; not the path, which may hold a call's id, nor
// the query, which may hold a number. The upstream is told of no trace: it is
// another's, and neither needs to know which of our requests belong together
// nor what a tracestate says.
type traced struct {
	base http.RoundTripper
	name string // of the upstream
}

func (t *traced) RoundTrip(req *http.Request) (*http.Response, error) {
	outer := trace.SpanFromContext(req.Context())
	if !outer.IsRecording() {
		return t.base.RoundTrip(req)
	}
	ctx, span := outer.TracerProvider().Tracer("call-logs-mcp/client/rest").Start(req.Context(), req.Method+" "+t.name,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("http.request.method", req.Method), attribute.String("server.address", req.URL.Hostname()),
			attribute.String("call_logs.upstream", t.name)))
	resp, err := t.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		failed(span, kindOf(err))
		span.End()
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	if resp.StatusCode >= http.StatusBadRequest {
		failed(span, fmt.Sprint(resp.StatusCode))
	}
	resp.Body = &read{ReadCloser: resp.Body, span: span}
	return resp, nil
}

// CloseIdleConnections makes http.Client.CloseIdleConnections reach the base.
func (t *traced) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// read is an answer whose span ends with it.
type read struct {
	io.ReadCloser
	span  trace.Span
	bytes int64
	ended sync.Once
}

func (r *read) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.bytes += int64(n)
	if err != nil && err != io.EOF {
		failed(r.span, kindOf(err))
	}
	return n, err
}

func (r *read) Close() error {
	err := r.ReadCloser.Close()
	r.ended.Do(func() {
		r.span.SetAttributes(attribute.Int64("http.response.body.size", r.bytes))
		r.span.End()
	})
	return err
}

// failed says that a request failed, in a word that is none of the upstream's.
func failed(span trace.Span, kind string) {
	span.SetAttributes(attribute.String("error.type", kind))
	span.SetStatus(codes.Error, "")
}

func kindOf(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, errPaced):
		return "paced"
	case errors.Is(err, errExchange), errors.Is(err, errStalled), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "connection"
}
