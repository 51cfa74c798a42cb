package config

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
)

// written is a configuration file that holds words and nobody else can read.
func written(t *testing.T, words string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(words), 0o600))
	return path
}

func TestFileNamesSources(t *testing.T) {
	path := written(t, `
# Two projects of one vendor, and two more vendors.
sources:
  eu:
    provider: cekura
    base_url: https://eu.example.com
    project_id: 12
    agent_ids: [7, 8]
    api_key: env:EU_KEY
  us: {provider: cekura, api_key: "file:us.key", agent_ids: 9}
  phones: {provider: telzino, client_id: c-1, client_secret: s-1, agent_ids: "a, b"}
  ready: {provider: telzino, token: t-1}
  zudu: {api_key: k-2, api_secret: s-2}
  export: {provider: file, files: [a.jsonl]}
`)
	dir := filepath.Dir(path)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "us.key"), []byte("k-us\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.jsonl"), nil, 0o600))
	c := parse(t, env{"EU_KEY": "k-eu\n"}, "--config", path)
	got, err := c.Configured()
	require.NoError(t, err)
	assert.Equal(t, []SourceConfig{
		{Name: "eu", Provider: "cekura", BaseURL: "https://eu.example.com", Credentials: keys("api_key", "k-eu"), ProjectID: "12", AgentIDs: []string{"7", "8"}},
		{Name: "export", Provider: "file", Files: []string{filepath.Join(dir, "a.jsonl")}},
		{
			Name: "phones", Provider: "telzino", BaseURL: "https://api.telzino.com",
			Credentials: keys("client_id", "c-1", "client_secret", "s-1"), AgentIDs: []string{"a", "b"},
		},
		{Name: "ready", Provider: "telzino", BaseURL: "https://api.telzino.com", Credentials: keys("token", "t-1")},
		{Name: "us", Provider: "cekura", BaseURL: "https://api.cekura.ai", Credentials: keys("api_key", "k-us"), AgentIDs: []string{"9"}},
		{Name: "zudu", Provider: "zudu", BaseURL: "https://api.zudu.ai", Credentials: keys("api_key", "k-2", "api_secret", "s-2")},
	}, got)
}

func TestFlagsGoBeforeTheEnvironmentAndThatBeforeTheFile(t *testing.T) {
	path := written(t, `
sources:
  cekura: {base_url: https://file.example.com, project_id: 1, agent_ids: 1, api_key: k-file}
  telzino: {agent_ids: [f], token: t-file}
time_zone: Asia/Tokyo
pii: show
budget: 1000
max_fetch: 10
structured: true
retain: 30
details: none
log_level: warn
log_format: json
`)
	read := func(e env, args ...string) Config { return parse(t, e, append(args, "--config", path)...) }
	vars := env{
		"CEKURA_BASE_URL": "https://env.example.com", "CEKURA_PROJECT_ID": "2", "CEKURA_AGENT_ID": "2", "CEKURA_API_KEY": "k-env",
		"TELZINO_AGENT_IDS": "e,v",
	}
	flags := []string{
		"--cekura-base-url", "https://flag.example.com", "--cekura-project-id", "3", "--cekura-agent-id", "3", "--telzino-agent-ids", "g",
		"--time-zone", "Asia/Seoul", "--pii", "mask", "--budget", "2000", "--max-fetch", "20", "--retain", "20d", "--details", "all",
		"--log-level", "debug", "--log-format", "text",
	}
	values := func(c Config) []any {
		cekura, telzino := configured(t, c)[0], configured(t, c)[1]
		return []any{
			cekura.BaseURL, cekura.ProjectID, strings.Join(cekura.AgentIDs, ","), cekura.Credentials["api_key"].Reveal(), telzino.AgentIDs, telzino.Credentials["token"].Reveal(),
			c.TimeZone.String(), c.PII, c.Budget, c.MaxFetch, c.Structured, c.Retain, c.Details, c.Log.Level, c.Log.Format,
		}
	}
	day := 24 * time.Hour
	rest := []any{"Asia/Tokyo", "show", 1000, 10, true, 30 * day, "none", "warn", "json"}
	assert.Equal(t, append([]any{"https://file.example.com", "1", "1", "k-file", []string{"f"}, "t-file"}, rest...), values(read(nil)))
	assert.Equal(t, append([]any{"https://env.example.com", "2", "2", "k-env", []string{"e", "v"}, "t-file"}, rest...), values(read(vars)))
	assert.Equal(t, []any{
		"https://flag.example.com", "3", "3", "k-env", []string{"g"}, "t-file",
		"Asia/Seoul", "mask", 2000, 20, true, 20 * day, "all", "debug", "text",
	}, values(read(vars, flags...)))
	assert.Equal(t, "warn", read(nil, "doctor").Log.Level, "commands take what they know")
}

func TestFileServesHTTP(t *testing.T) {
	path := written(t, `
http: 0.0.0.0:8080
tokens: tokens.json
allowed_host: [calls.example.com]
allowed_origin: https://app.example.com
trusted_proxy: [10.0.0.0/8, 192.168.1.1]
metrics: 127.0.0.1:9090
rate: 1200
in_flight: 8
in_flight_per_principal: 2
drain_delay: 10s
otlp_endpoint: http://collector:4318
`)
	c := parse(t, nil, "serve", "--config", path)
	h := c.HTTP
	assert.Equal(t, []int{1200, 8, 2}, []int{h.Rate, h.InFlight, h.PerPrincipal})
	assert.Equal(t, 10*time.Second, *h.DrainDelay)
	assert.Equal(t, "http://collector:4318/v1/traces", c.Traces.Endpoint)
	assert.Equal(t, "0.0.0.0:8080", h.Addr)
	assert.Equal(t, AuthToken, h.Auth)
	assert.Equal(t, filepath.Join(filepath.Dir(path), "tokens.json"), h.Tokens)
	assert.Equal(t, []string{"calls.example.com"}, h.AllowedHosts)
	assert.Equal(t, []string{"https://app.example.com"}, h.AllowedOrigins)
	require.Len(t, h.TrustedProxies, 2)
	assert.Equal(t, "10.0.0.0/8 192.168.1.1/32", h.TrustedProxies[0].String()+" "+h.TrustedProxies[1].String())
	assert.Equal(t, h.Tokens, parse(t, nil, "token", "new", "me", "--config", path).Token.Tokens)
}

func TestFileInItsDefaultPlace(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("the test knows where it is on Linux")
	}
	home := t.TempDir()
	e := env{"HOME": home}
	assert.Equal(t, 4000, parse(t, e).Budget, "it need not be there")
	for dir, at := range map[string]env{
		filepath.Join(home, ".config"): e,
		filepath.Join(home, "xdg"):     {"HOME": home, "XDG_CONFIG_HOME": filepath.Join(home, "xdg")},
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "call-logs-mcp"), 0o700))
		path := filepath.Join(dir, "call-logs-mcp", "config.yaml")
		require.NoError(t, os.WriteFile(path, []byte("budget: 700"), 0o644))
		assert.Equal(t, 700, parse(t, at).Budget)
		assert.Equal(t, 4000, parse(t, at, "demo").Budget, "the walk is the same everywhere")
		assert.Equal(t, 4000, parse(t, at, "--config", written(t, "")).Budget, "another file stands instead of it")
		require.NoError(t, os.WriteFile(path, []byte("budgets: 700"), 0o644))
		_, err := Parse(client.Providers(), nil, at.get, io.Discard)
		require.ErrorContains(t, err, path+":1: budgets is unknown; did you mean budget?")
		for _, args := range []string{"--help", "version", "demo", "--version"} {
			_, err := Parse(client.Providers(), []string{args}, at.get, io.Discard)
			assert.NoError(t, err, args)
		}
	}
}

func TestVariablesOfTheFileAreNoSourceBesideIt(t *testing.T) {
	path := written(t, "sources: {eu: {provider: cekura, api_key: env:CEKURA_API_KEY}}")
	names := func(e env) (names []string) {
		got, err := parse(t, e, "--config", path).Configured()
		require.NoError(t, err)
		for _, s := range got {
			names = append(names, s.Name)
		}
		return names
	}
	assert.Equal(t, []string{"eu"}, names(env{"CEKURA_API_KEY": "k"}))
	assert.Equal(t, []string{"eu", "zudu"}, names(env{"CEKURA_API_KEY": "k", "ZUDU_API_KEY": "k", "ZUDU_API_SECRET": "s"}))
}

func TestKeysThatAreNotThereMatterToWhoReadsCalls(t *testing.T) {
	for source, want := range map[string]string{
		"{provider: cekura, api_key: env:EU_KEY}":             "config.yaml:1: sources.eu.api_key is in the variable EU_KEY, which is not set",
		"{provider: zudu, api_key: k, api_secret: file:none}": "config.yaml:1: sources.eu.api_secret cannot be read: open ",
	} {
		path := written(t, "sources: {eu: "+source+"}")
		_, err := parse(t, nil, "--config", path).Configured()
		require.ErrorContains(t, err, want)
		assert.Equal(t, 2, ExitCode(err))
		_, err = parse(t, nil, "--config", path, "--demo").Configured()
		assert.NoError(t, err)
	}
}

func TestMistakesInTheFile(t *testing.T) {
	var names []string
	for _, p := range client.Providers() {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	tests := []struct{ words, want string }{
		{"bugdet: 5000", "1: bugdet is unknown; did you mean budget?"},
		{"\ntime-zone: UTC", "2: time-zone is unknown; did you mean time_zone?"},
		{"log: {level: info}", "1: log is unknown; did you mean log_format?"},
		{"frobnicate: 1", "1: frobnicate is unknown; a configuration has allowed_host, "},
		{"budget: 5000\nbudget: 5000", `2: has "budget" twice`},
		{"budget: lots", "1: budget must be a whole number, not text"},
		{"budget: 5.5", "1: budget must be a whole number, not a number"},
		{"budget:", "1: budget must be a whole number, not empty"},
		{"budget: [1]", "1: budget must be a whole number, not a list"},
		{"\n\nbudget: 1", "3: budget must be from 500 to 10000 tokens, not 1"},
		{"max_fetch: 0", "1: max_fetch must be at least 1, not 0"},
		{"structured: yes", "1: structured must be true or false, not text"},
		{"pii: true", "1: pii must be text, not true or false"},
		{"pii: hide", `1: pii must be one of mask, strict, show, not "hide"`},
		{"time_zone: Mars/Base", `1: time_zone is the unknown time zone "Mars/Base"`},
		{"retain: 90x", `1: retain must be a number of days such as 90d, not "90x"`},
		{"retain: 0", `1: retain must be from 1d to 3650d`},
		{"mirror: none", `1: mirror must be off, memory or a path such as ./calls.db, not "none"`},
		{"details: some", `1: details must be one of failed, all, none`},
		{"allowed_host: {a: b}", "1: allowed_host must be a list, not keys and values"},
		{"allowed_host: [a, [b]]", "1: allowed_host.2 must be text, not a list"},
		{"trusted_proxy: here", `1: trusted_proxy must be a network such as 10.0.0.0/8, not "here"`},
		{"rate: 0", "1: rate must be from 1 to 1000000 calls, not 0"},
		{"drain_delay: soon", `1: drain_delay must be a length of time`},
		{"otlp_endpoint: collector", "1: otlp_endpoint is not a URL"},
		{"- a", "1: must be keys and values, not a list"},
		{"a: b: c", " is no YAML: "},
		{"sources: {eu: {provider: cekura, api_key: *hunter2}}", " is no YAML: unknown anchor"},
		{"a: 1\n---\nb: 2", " holds more than one document"},
		{"sources: [a]", "1: sources must be keys and values, not a list"},
		{"sources:\n  eu:", "2: sources.eu must be keys and values, not empty"},
		{"sources: {Eu: {provider: cekura}}", "1: sources.Eu is no name for a source"},
		{"sources: {" + strings.Repeat("a", 33) + ": {provider: cekura}}", "is no name for a source"},
		{"sources: {demo: {provider: cekura}}", "1: sources.demo is the name of the sample calls"},
		{"sources: {eu: {api_key: k}}", "1: sources.eu needs a provider: " + strings.Join(names, ", ")},
		{"sources: {eu: {provider: cecura}}", "1: sources.eu.provider is unknown; did you mean cekura?"},
		{"sources: {zudu: {provider: cekura, api_key: k}}", "1: sources.zudu.provider is not zudu, so the source needs another name"},
		{"sources:\n  eu:\n    provider: cekura\n    base_ulr: x", "4: sources.eu.base_ulr is unknown; did you mean base_url?"},
		{"sources: {eu: {provider: cekura, token: x}}", "1: sources.eu.token is unknown; a source of cekura has provider, base_url, project_id, agent_ids, api_key"},
		{"sources: {eu: {provider: cekura}}", "1: sources.eu needs api_key"},
		{"sources: {cekura: {project_id: 1}}", "1: sources.cekura needs api_key"},
		{"sources: {eu: {provider: zudu, api_key: k}}", "1: sources.eu has api_key without api_secret; give both"},
		{"sources: {eu: {provider: telzino, client_secret: k}}", "1: sources.eu has client_secret without client_id; give both"},
		{"sources: {eu: {provider: telzino}}", "1: sources.eu needs client_id and client_secret, or token"},
		{"sources: {eu: {provider: cekura, api_key: hunter2 x}}", "1: sources.eu.api_key holds a character that no key has"},
		{"sources: {eu: {provider: cekura, api_key: '${hunter2}'}}", "1: sources.eu.api_key holds the name of a variable"},
		{"sources: {eu: {provider: cekura, api_key: ''}}", "1: sources.eu.api_key is an empty key"},
		{"sources: {eu: {provider: cekura, api_key: [hunter2]}}", "1: sources.eu.api_key must be text, not a list"},
		{"sources: {eu: {provider: cekura, base_url: 'http://hunter2.example.com'}}", "1: sources.eu.base_url must be https"},
		{"sources: {eu: {provider: file, files: [nope.jsonl]}}", "nope.jsonl, which is no file"},
		{"sources: {file: {}}", "1: sources.file needs files"},
		{strings.Repeat("# hunter2\n", 1<<17), "larger than 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			path := written(t, tt.words)
			_, err := Parse(client.Providers(), []string{"--config", path}, env{}.get, io.Discard)
			require.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, path)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.Equal(t, 2, ExitCode(err))
		})
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "none.yaml"), t.TempDir()} {
		_, err := Parse(client.Providers(), []string{"--config", path}, env{}.get, io.Discard)
		assert.ErrorContains(t, err, "the configuration cannot be read: ")
	}
}

func TestFlagsOfNoSourceAreRefused(t *testing.T) {
	path := written(t, "sources: {eu: {provider: cekura, api_key: k}}")
	_, err := Parse(client.Providers(), []string{"--config", path, "--cekura-project-id", "1"}, env{}.get, io.Discard)
	require.ErrorContains(t, err, "--cekura-project-id is about a source named cekura, and those in the file have other names; say it there")
	c := parse(t, env{"CEKURA_API_KEY": "k"}, "--config", path, "--cekura-project-id", "1")
	got, err := c.Configured()
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, "1", got[0].ProjectID)
	assert.Empty(t, got[1].ProjectID)
}

func TestKeysInAFileThatOthersCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows guards files by other means")
	}
	tests := []struct {
		mode    os.FileMode
		source  string
		refused bool
	}{
		{0o600, "{provider: cekura, api_key: hunter2}", false},
		{0o400, "{provider: cekura, api_key: hunter2}", false},
		{0o640, "{provider: cekura, api_key: hunter2}", true},
		{0o604, "{provider: cekura, api_key: hunter2}", true},
		{0o620, "{provider: cekura, api_key: hunter2}", true},
		{0o644, "{provider: telzino, client_id: c, client_secret: hunter2}", true},
		{0o644, "{provider: telzino, client_id: c, client_secret: env:K}", false},
		{0o644, "{provider: telzino, token: hunter2}", true},
		{0o644, "{provider: zudu, api_key: env:K, api_secret: hunter2}", true},
		{0o644, "{provider: cekura, api_key: env:K}", false},
	}
	for _, tt := range tests {
		path := written(t, "sources:\n  eu: "+tt.source)
		require.NoError(t, os.Chmod(path, tt.mode))
		_, err := Parse(client.Providers(), []string{"--config", path}, env{"K": "k"}.get, io.Discard)
		if !tt.refused {
			assert.NoError(t, err, "%o %s", tt.mode, tt.source)
			continue
		}
		require.ErrorContains(t, err, "is a key in a file that others can read; run: chmod 600 "+path)
		assert.ErrorContains(t, err, path+":2: sources.eu.")
		assert.NotContains(t, err.Error(), "hunter2")
	}
	assert.Equal(t, `'/a b/c'\''d'`, quoted("/a b/c'd"))
}

func FuzzFile(f *testing.F) {
	cmds := new(commands)
	parser, err := newParser(cmds, cmds.places(), client.Providers())
	require.NoError(f, err)
	options := optionsOf(parser.Model)
	f.Add("sources: {eu: {provider: cekura, api_key: hunter2}}\nbudget: 5000")
	f.Add("a: &a {b: *a}\n? [x]\n: y")
	f.Fuzz(func(t *testing.T, words string) {
		root, err := read("config.yaml", strings.NewReader(words))
		if err != nil || root == nil {
			return
		}
		l := &loader{providers: client.Providers(), options: options, env: env{}.get, exposed: true}
		if _, err := l.file(*root); err != nil {
			assert.Equal(t, 2, ExitCode(err))
		}
	})
}
