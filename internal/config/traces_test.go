package config

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
)

func TestTracesGoNowhereUnlessSomebodySaysWhere(t *testing.T) {
	for _, tt := range []struct {
		args string
		env  env
		want string
	}{
		{"", nil, ""},
		{"--otlp-endpoint http://127.0.0.1:4318/", nil, "http://127.0.0.1:4318/v1/traces"},
		{"", env{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "http://collector:4318/v1/traces"},
		{"", env{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otlp.example.com/otlp"}, "https://otlp.example.com/otlp/v1/traces"},
		{"", env{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b/in"}, "http://b/in"},
		{"--otlp-endpoint http://c", env{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b/in"}, "http://c/v1/traces"},
		{"", env{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_SDK_DISABLED": "true"}, ""},
		{"", env{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a", "OTEL_TRACES_EXPORTER": "none"}, ""},
		{"tool x", env{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, ""},
	} {
		assert.Equal(t, tt.want, parse(t, tt.env, strings.Fields(tt.args)...).Traces.Endpoint, "%s %v", tt.args, tt.env)
	}
	for _, tt := range []struct {
		args string
		env  env
		want string
	}{
		{"--otlp-endpoint collector:4318", nil, "--otlp-endpoint (OTEL_EXPORTER_OTLP_ENDPOINT) is not a URL such as http://127.0.0.1:4318"},
		{"--otlp-endpoint https://me:hunter2@a", nil, "must not hold a user"},
		{"", env{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "hunter2"}, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is not a URL"},
	} {
		_, err := Parse(client.Providers(), strings.Fields(tt.args), tt.env.get, io.Discard)
		require.ErrorContains(t, err, tt.want)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}
