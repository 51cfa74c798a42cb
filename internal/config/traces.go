package config

import (
	"errors"
	"net/url"
	"strings"
)

// Traces is where spans of calls go: nowhere by default.
type Traces struct {
	// Endpoint is, after Parse, the URL that spans are sent to, or "".
	Endpoint string `file:"collector" name:"otlp-endpoint" from:"OTEL_EXPORTER_OTLP_ENDPOINT" placeholder:"URL" help:"Send OpenTelemetry traces to this collector by OTLP over HTTP, such as http://127.0.0.1:4318 ($$OTEL_EXPORTER_OTLP_ENDPOINT)."`
}

// settle follows OpenTelemetry's variables: the one for traces names the whole
// URL, and the one for everything, like the flag, what /v1/traces is added to.
func (t *Traces) settle(flagged bool, env func(string) string) error {
	off := strings.EqualFold(strings.TrimSpace(env("OTEL_SDK_DISABLED")), "true") || strings.TrimSpace(env("OTEL_TRACES_EXPORTER")) == "none"
	own := strings.TrimSpace(env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
	switch {
	case off && !flagged:
		t.Endpoint = ""
		return nil
	case own != "" && !flagged:
		t.Endpoint = own
		if err := checkCollector(own); err != nil {
			return Mistake("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT %v", err)
		}
		return nil
	case t.Endpoint == "":
		return nil
	}
	if err := checkCollector(t.Endpoint); err != nil {
		return Mistake("--otlp-endpoint (OTEL_EXPORTER_OTLP_ENDPOINT) %v", err)
	}
	t.Endpoint = strings.TrimRight(t.Endpoint, "/") + "/v1/traces"
	return nil
}

// checkCollector allows plain http: a span holds no key and no word of a call,
// and collectors stand beside what they collect from.
func checkCollector(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return errors.New("is not a URL such as http://127.0.0.1:4318")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return errors.New("must not hold a user, a query or a fragment")
	}
	return nil
}
