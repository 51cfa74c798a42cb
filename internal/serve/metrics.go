package serve

import (
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/server"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics count what happens. All labels are from lists of ours: a caller's
// words would be values, and without bound.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
	inside   prometheus.Gauge
	limited  *prometheus.CounterVec
	refused  *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "call_logs_mcp_requests_total", Help: "Requests that reached MCP, by outcome: ok, tool_error, canceled, error."}, []string{"method", "tool", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "call_logs_mcp_request_seconds", Help: "How long they took.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 45}}, []string{"method", "tool"}),
		bytes:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "call_logs_mcp_response_bytes_total", Help: "Bytes of their answers."}, []string{"method"}),
		inside:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "call_logs_mcp_requests_in_flight", Help: "Requests being worked on."}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "call_logs_mcp_limited_total", Help: "Requests refused with 429, by limit: address, principal, in_flight, streams; and connections that found no room: connections."}, []string{"limit"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "call_logs_mcp_refused_total", Help: "Requests refused before MCP, by guard: host, origin, method, authentication, scope, body."}, []string{"guard"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.bytes, m.inside, m.limited, m.refused,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(c *record) {
	m.requests.WithLabelValues(c.method, c.tool, c.outcome()).Inc()
	m.seconds.WithLabelValues(c.method, c.tool).Observe(c.took.Seconds())
	m.bytes.WithLabelValues(c.method).Add(float64(c.bytes))
}

// server is the second listener's: metrics alone, for who is on this machine
// and no page in its browser.
func (m *metrics) server() *http.Server {
	show := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !(guard{}).host(r) || r.Header.Get("Origin") != "" {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		show.ServeHTTP(w, r)
	})
	return &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
		WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: headerBytes,
	}
}

// methodLabel is a method of MCP, or "other".
func methodLabel(method string) string {
	switch method {
	case "initialize", "ping", "server/discover", "tools/list", "tools/call", "resources/list", "resources/read",
		"resources/templates/list", "prompts/list", "prompts/get", "completion/complete", subscribe:
		return method
	}
	return "other"
}

// toolLabel is a tool of s, or "other".
func toolLabel(s *server.MCPServer, method, name string) string {
	switch {
	case method != toolsCall:
		return ""
	case s.GetTool(name) == nil:
		return "other"
	}
	return name
}
