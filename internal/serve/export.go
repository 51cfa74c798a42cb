package serve

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

const (
	exportTimeout = 5 * time.Second
	// lastExport is how long the process stays for its last spans.
	lastExport = time.Second
)

// Export sends spans to a collector by OTLP over HTTP, in batches beside the
// calls. endpoint is the URL of traces, such as http://127.0.0.1:4318/v1/traces;
// what else OpenTelemetry's variables say, of headers, sampling or the resource,
// holds as well. A collector that does not answer costs spans and nothing else:
// it is told once, until it answers again. stop sends what is left, for at most
// a second.
func Export(ctx context.Context, endpoint, version string, logger *slog.Logger) (p *sdktrace.TracerProvider, stop func(), err error) {
	otlp, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint), otlptracehttp.WithTimeout(exportTimeout))
	if err != nil {
		return nil, nil, fmt.Errorf("serve: traces: %w", err)
	}
	of, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "call-logs-mcp"), attribute.String("service.version", version)),
		resource.WithFromEnv()) // the last that knows a value wins
	if err != nil {
		return nil, nil, fmt.Errorf("serve: traces: %w", err)
	}
	p = sdktrace.NewTracerProvider(sdktrace.WithResource(of), sdktrace.WithBatcher(&told{SpanExporter: otlp, logger: logger}))
	return p, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastExport)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			logger.Warn("the last traces were not exported", "err", err)
		}
	}, nil
}

// told is an exporter whose failures are in our log, rather than in the global
// one of OpenTelemetry.
type told struct {
	sdktrace.SpanExporter
	logger *slog.Logger
	down   atomic.Bool
}

// ExportSpans tells the first of several failures.
func (t *told) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := t.SpanExporter.ExportSpans(ctx, spans)
	if down := err != nil; t.down.Swap(down) != down {
		if down {
			t.logger.Warn("traces cannot be exported", "err", err)
		} else {
			t.logger.Info("traces are exported again")
		}
	}
	return nil
}
