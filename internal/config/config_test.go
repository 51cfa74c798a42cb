package config

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
)

// env is an environment without a process.
type env map[string]string

func (e env) get(name string) string { return e[name] }

func parse(t *testing.T, e env, args ...string) Config {
	t.Helper()
	c, err := Parse(client.Providers(), args, e.get, io.Discard)
	require.NoError(t, err)
	return c
}

func configured(t *testing.T, c Config) []SourceConfig {
	t.Helper()
	got, err := c.Configured()
	require.NoError(t, err)
	return got
}

// keys are credentials, by their keys in the file.
func keys(pairs ...string) map[string]Secret {
	all := map[string]Secret{}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = NewSecret(pairs[i+1])
	}
	return all
}

func TestDefaults(t *testing.T) {
	for _, args := range [][]string{nil, {"serve"}, {"tool", "list_call_logs"}} {
		c := parse(t, nil, args...)
		assert.Equal(t, Options{
			MaxFetch: 5000, MaxRate: 25, Budget: 4000, PII: "mask",
			Place: Place{
				TimeZone: time.UTC,
				Log:      Log{Level: "info", Format: "text"},
				Copy:     Copy{Mirror: "memory", Retain: 90 * 24 * time.Hour, Details: "failed"},
				lost:     nowhere(client.Providers()),
			},
		}, c.Options)
		assert.Empty(t, c.HTTP.Addr)
		assert.True(t, c.Mask())
	}
}

func TestCommands(t *testing.T) {
	tests := []struct {
		args string
		want Command
	}{
		{"", Serve}, {"serve", Serve}, {"--demo", Serve}, {"serve --demo", Serve}, {"--budget 5000", Serve},
		{"demo", Demo}, {"tool x", Tool}, {"version", Version}, {"--version", Version}, {"--help", Help}, {"tool --help", Help}, {"-h", Help},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, parse(t, nil, strings.Fields(tt.args)...).Command, tt.args)
	}
}

func TestToolTakesItsArguments(t *testing.T) {
	c := parse(t, nil, "tool", "list_call_logs", `{"success":false}`, "--demo", "--pii=show")
	assert.Equal(t, ToolCall{Name: "list_call_logs", JSON: `{"success":false}`}, c.Tool)
	assert.True(t, c.Options.Demo)
	assert.False(t, c.Mask())
	assert.Equal(t, "{}", parse(t, nil, "tool", "list_call_logs").Tool.JSON)
}

func TestDemoHasTheDefaultsOverSampleCalls(t *testing.T) {
	want := parse(t, nil, "serve").Options
	want.Demo = true
	assert.Equal(t, want, parse(t, env{"CEKURA_API_KEY": "k", "CEKURA_BASE_URL": "nonsense"}, "demo").Options)
}

func TestFlagsGoBeforeTheEnvironment(t *testing.T) {
	e := env{"CEKURA_API_KEY": " k-1\n", "CEKURA_BASE_URL": "https://eu.example.com", "CEKURA_PROJECT_ID": "12", "CEKURA_AGENT_ID": ""}
	for _, args := range [][]string{{"serve"}, {"tool", "x"}} {
		c := parse(t, e, append(args, "--cekura-project-id", "13")...)
		assert.Equal(t, []SourceConfig{{Name: "cekura", Provider: "cekura", Credentials: keys("api_key", "k-1"), BaseURL: "https://eu.example.com", ProjectID: "13"}}, configured(t, c))
	}
	shared := strings.Repeat("s", 32)
	assert.Equal(t, shared, parse(t, env{"CALL_LOGS_CURSOR_SECRET": shared}, "--demo").CursorSecret.Reveal())
	t.Setenv("CEKURA_PROJECT_ID", "of the process")
	assert.Empty(t, configured(t, parse(t, env{"CEKURA_API_KEY": "k"}))[0].ProjectID, "the environment is what Parse is given")
}

func TestDataMayBeRepeated(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a,1.jsonl"), filepath.Join(dir, "b.jsonl.gz")
	for _, file := range []string{a, b} {
		require.NoError(t, os.WriteFile(file, nil, 0o600))
	}
	assert.Equal(t, []string{a, b}, parse(t, nil, "--data", a, "--data", b).Data)
}

func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		args string
		env  env
		want string
	}{
		{args: "--dem", want: `unknown flag --dem, did you mean "--demo"?`},
		{args: "serv", want: `unexpected argument serv`},
		{args: "tool", want: `expected "<name>`},
		{args: "demo --budget 5", want: `unknown flag --budget`},
		{args: "--cekura-api-key x", want: `unknown flag --cekura-api-key`},
		{args: "--time-zone Mars/Base", want: `--time-zone: unknown time zone "Mars/Base"; use a name such as UTC or Europe/Berlin`},
		{args: "--max-fetch 0", want: `--max-fetch must be at least 1, not 0`},
		{args: "--max-fetch many", want: `--max-fetch: expected a valid 64 bit int but got "many"`},
		{args: "--budget 499", want: `--budget must be from 500 to 10000 tokens, not 499`},
		{args: "--budget 10001", want: `--budget must be from 500 to 10000 tokens, not 10001`},
		{args: "--pii hide", want: `--pii must be one of "mask","strict","show" but got "hide"`},
		{args: "--log-level loud", want: `--log-level must be one of "debug","info","warn","error" but got "loud"`},
		{args: "--data " + filepath.Join(dir, "none.jsonl"), want: `no such file`},
		{args: "--data " + dir, want: `is a directory`},
		{args: "--data -", want: `--data cannot be stdin`},
		{args: "--demo --data -", want: `--demo and --data can't be used together`},
		{args: "--cekura-base-url api.cekura.ai", want: `is not a URL such as https://`},
		{args: "--cekura-base-url ftp://api.cekura.ai", want: `is not a URL such as https://`},
		{env: env{"CEKURA_BASE_URL": "http://api.cekura.ai"}, want: `--cekura-base-url (CEKURA_BASE_URL) must be https`},
		{env: env{"CEKURA_BASE_URL": "http://localhost.example.com"}, want: `must be https`},
		{env: env{"CEKURA_BASE_URL": "https://me:hunter2@api.cekura.ai"}, want: `must not hold a user`},
		{env: env{"CEKURA_BASE_URL": "https://me:hunter2@api\x7f"}, want: `is not a URL`},
		{env: env{"CEKURA_API_KEY": "${CEKURA_API_KEY}"}, want: `CEKURA_API_KEY holds the name of a variable`},
		{env: env{"CALL_LOGS_CURSOR_SECRET": "hunter2"}, want: `CALL_LOGS_CURSOR_SECRET has 7 characters; give it at least 32`},
		{env: env{"CEKURA_API_KEY": "hunter2 hunter2"}, want: `CEKURA_API_KEY holds a character that no key has`},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.args, tt.env), func(t *testing.T) {
			var out bytes.Buffer
			_, err := Parse(client.Providers(), strings.Fields(tt.args), tt.env.get, &out)
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, 2, ExitCode(fmt.Errorf("wrapped: %w", err)))
			assert.NotContains(t, err.Error(), "hunter2")
			assert.Empty(t, out.String())
		})
	}
}

func TestPlainHTTPOnLoopback(t *testing.T) {
	for _, base := range []string{"http://localhost:8080", "http://127.0.0.1", "http://[::1]:9/api", "https://api.cekura.ai/"} {
		assert.Equal(t, base, configured(t, parse(t, env{"CEKURA_API_KEY": "k", "CEKURA_BASE_URL": base}))[0].BaseURL)
	}
}

func TestSources(t *testing.T) {
	key := env{"CEKURA_API_KEY": "k"}
	tests := []struct {
		env  env
		args []string
		want []string
	}{
		{nil, []string{"--demo"}, []string{"demo"}},
		{key, []string{"--demo"}, []string{"demo"}},
		{key, nil, []string{"cekura"}},
		{nil, []string{"--data", "config.go"}, []string{"file"}},
		{key, []string{"--data", "config.go"}, []string{"cekura", "file"}},
	}
	for _, tt := range tests {
		var names []string
		for _, s := range configured(t, parse(t, tt.env, tt.args...)) {
			names = append(names, s.Name)
		}
		assert.Equal(t, tt.want, names)
	}
	_, err := parse(t, nil).Configured()
	require.Error(t, err)
	assert.Equal(t, 2, ExitCode(err))
	for _, way := range []string{"CEKURA_API_KEY", "--data", "--demo"} {
		assert.ErrorContains(t, err, way)
	}
}

func TestHelpNamesEverything(t *testing.T) {
	var out bytes.Buffer
	_, err := Parse(client.Providers(), []string{"--help"}, env{"CEKURA_API_KEY": "hunter2", "CEKURA_PROJECT_ID": "hunter2"}.get, &out)
	require.NoError(t, err)
	for _, word := range []string{"serve", "demo", "tool", "sync", "purge", "status", "doctor", "token new", "version", "CEKURA_API_KEY"} {
		assert.Contains(t, out.String(), word)
	}
	out.Reset()
	_, err = Parse(client.Providers(), []string{"serve", "--help"}, env{}.get, &out)
	require.NoError(t, err)
	for _, word := range []string{"--demo", "--data=FILE", "--max-fetch", "default 5000", "at most 10000", "--time-zone", "--pii",
		"mask,strict,show", "--structured", "--log-level", "--log-format", "$CEKURA_BASE_URL", "$CEKURA_PROJECT_ID", "$CEKURA_AGENT_ID",
		"--config=FILE", "--mirror=WHERE", "--retain=DAYS", "default 90d", "--details", "--telzino-agent-ids=ID", "$TELZINO_BASE_URL", "$ZUDU_BASE_URL",
		"--http=ADDR", "--auth=HOW", "--no-auth", "--tokens=FILE", "--oauth-issuer", "--oauth-audience", "--oauth-resource", "--oauth-filter-claim", "--oauth-algorithm", "--zudu-agent-ids=ID", "--allowed-host", "--allowed-origin",
		"--trusted-proxy=CIDR", "--rate", "default 600", "--in-flight=", "--in-flight-per-principal", "--drain-delay", "CALL_LOGS_CURSOR_SECRET", "--metrics=ADDR", "--tls-cert", "--tls-key", "--otlp-endpoint=URL", "$OTEL_EXPORTER_OTLP_ENDPOINT"} {
		assert.Contains(t, out.String(), word)
	}
	assert.NotContains(t, out.String(), "hunter2")
}

func TestSecretsDoNotPrint(t *testing.T) {
	const key = "hunter2"
	c := Config{Options: Options{CursorSecret: NewSecret(key), Place: Place{sources: []SourceConfig{{Credentials: keys("api_key", key)}}}}}
	s := c.sources[0].Credentials["api_key"]
	said := []string{s.String(), s.GoString(), fmt.Sprint(c), fmt.Sprint(&s)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s", "%T %[1]v"} {
		said = append(said, fmt.Sprintf(verb, s), fmt.Sprintf(verb, c), fmt.Sprintf(verb, []any{s, &c, c.sources, map[Secret]Secret{s: s}}))
	}
	encoded, err := json.Marshal(map[string]any{"value": c, "keys": map[Secret]int{s: 1}})
	require.NoError(t, err)
	said = append(said, string(encoded))
	for _, format := range []string{"text", "json"} {
		var b bytes.Buffer
		logger := Log{Level: "debug", Format: format}.Logger(&b)
		logger.Debug("config", "key", s, "config", c, "pointer", &s, "err", fmt.Errorf("with %v", s))
		said = append(said, b.String())
	}
	for _, words := range said {
		assert.NotContains(t, words, key)
		assert.NotContains(t, words, fmt.Sprintf("%x", key))
	}
	assert.Contains(t, fmt.Sprintf("%+v", c.sources), redacted)
	assert.Equal(t, key, s.Reveal())
	assert.True(t, s.IsSet())
	assert.False(t, Secret{}.IsSet())
}

func TestLoggerKeepsItsLevelAndFormat(t *testing.T) {
	var b bytes.Buffer
	Log{Level: "warn", Format: "json"}.Logger(&b).Info("no")
	assert.Empty(t, b.String())
	Log{Level: "warn", Format: "json"}.Logger(&b).Warn("yes")
	assert.True(t, json.Valid(b.Bytes()))
	b.Reset()
	logger := Log{}.Logger(&b)
	assert.True(t, logger.Enabled(context.Background(), slog.LevelInfo))
	assert.False(t, logger.Enabled(context.Background(), slog.LevelDebug))
	logger.Info("plain")
	assert.NotContains(t, b.String(), "\x1b", "no colours where there is no terminal")
}

func TestExitCode(t *testing.T) {
	assert.Equal(t, 0, ExitCode(nil))
	assert.Equal(t, 1, ExitCode(errors.New("other")))
}
