package config

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
)

func TestTheEnvironmentGivesOneSourceAProvider(t *testing.T) {
	cekura := SourceConfig{Name: "cekura", Provider: "cekura", BaseURL: "https://api.cekura.ai", Credentials: keys("api_key", "k")}
	telzino := SourceConfig{
		Name: "telzino", Provider: "telzino", BaseURL: "https://t.example.com",
		Credentials: keys("client_id", "c", "client_secret", "s"), AgentIDs: []string{"a", "b"},
	}
	zudu := SourceConfig{Name: "zudu", Provider: "zudu", BaseURL: "https://z.example.com", Credentials: keys("api_key", "k", "api_secret", "s")}
	all := env{
		"CEKURA_API_KEY": "k", "CEKURA_PROJECT_ID": "12", "CEKURA_AGENT_ID": "7, 8", "TELZINO_CLIENT_ID": "c", "TELZINO_CLIENT_SECRET": "s",
		"TELZINO_AGENT_IDS": "a,b", "TELZINO_BASE_URL": "https://t.example.com", "ZUDU_API_KEY": "k", "ZUDU_API_SECRET": "s", "ZUDU_BASE_URL": "https://z.example.com",
	}
	whole := cekura
	whole.ProjectID, whole.AgentIDs = "12", []string{"7", "8"}
	tests := []struct {
		env  env
		args string
		want []SourceConfig
	}{
		{env{"CEKURA_API_KEY": "k"}, "", []SourceConfig{cekura}},
		{all, "", []SourceConfig{whole, telzino, zudu}},
		{all, "--demo", []SourceConfig{{Name: "demo", Provider: "demo"}}},
		{all, "--data config.go", []SourceConfig{whole, {Name: "file", Provider: "file", Files: []string{abs(t, "config.go")}}, telzino, zudu}},
		{env{"TELZINO_TOKEN": "t"}, "", []SourceConfig{{Name: "telzino", Provider: "telzino", BaseURL: "https://api.telzino.com", Credentials: keys("token", "t")}}},
		{
			env{"ZUDU_API_KEY": "k", "ZUDU_API_SECRET": "s"}, "--zudu-base-url https://z.example.com",
			[]SourceConfig{zudu},
		},
	}
	for _, tt := range tests {
		got, err := parse(t, tt.env, strings.Fields(tt.args)...).Configured()
		require.NoError(t, err)
		assert.Equal(t, tt.want, got)
	}
}

func abs(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}

func TestHalfAPairOfCredentialsNamesTheOther(t *testing.T) {
	for have, missing := range map[string]string{
		"TELZINO_CLIENT_ID": "TELZINO_CLIENT_SECRET", "TELZINO_CLIENT_SECRET": "TELZINO_CLIENT_ID",
		"ZUDU_API_KEY": "ZUDU_API_SECRET", "ZUDU_API_SECRET": "ZUDU_API_KEY",
	} {
		_, err := parse(t, env{have: "hunter2", "CEKURA_API_KEY": "k"}).Configured()
		require.ErrorContains(t, err, missing+" is not set, and "+have+" is of no use without it; set both")
		assert.Equal(t, 2, ExitCode(err))
		assert.NotContains(t, err.Error(), "hunter2")
	}
	_, err := parse(t, nil).Configured()
	for _, way := range []string{"CEKURA_API_KEY", "TELZINO_CLIENT_ID", "ZUDU_API_KEY", "--config", "--data", "--demo"} {
		assert.ErrorContains(t, err, way)
	}
}

func TestWhereTheCopyIs(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "cache")
	key := env{"CEKURA_API_KEY": "k", "XDG_CACHE_HOME": cache, "LocalAppData": cache, "HOME": cache}
	with := func(more ...string) env {
		e := env{}
		for name, v := range key {
			e[name] = v
		}
		for i := 0; i < len(more); i += 2 {
			e[more[i]] = more[i+1]
		}
		return e
	}
	usual := parse(t, key).Mirror
	assert.Equal(t, "call-logs-mcp", filepath.Base(filepath.Dir(usual)))
	assert.True(t, strings.HasPrefix(usual, cache), usual)
	assert.Regexp(t, `^[0-9a-f]{16}\.db$`, filepath.Base(usual))
	assert.Equal(t, usual, parse(t, with("CEKURA_API_KEY", "another"), "status").Mirror, "keys change, copies stay")
	assert.Equal(t, usual, parse(t, with("CEKURA_BASE_URL", "https://api.cekura.ai/"), "sync").Mirror)
	for _, other := range []env{
		with("CEKURA_PROJECT_ID", "1"), with("CEKURA_AGENT_ID", "1"), with("CEKURA_BASE_URL", "https://eu.example.com"),
		with("ZUDU_API_KEY", "k", "ZUDU_API_SECRET", "s"),
	} {
		assert.NotEqual(t, usual, parse(t, other).Mirror, other)
	}

	assert.Equal(t, MirrorMemory, parse(t, key, "--demo").Mirror)
	assert.Equal(t, MirrorMemory, parse(t, env{"HOME": cache}, "--data", "config.go").Mirror)
	assert.Equal(t, MirrorMemory, parse(t, env{"CEKURA_API_KEY": "k"}).Mirror, "there is no home")
	assert.Equal(t, MirrorMemory, parse(t, key, "demo").Mirror)
	assert.Equal(t, MirrorOff, parse(t, key, "--mirror", "off").Mirror)
	assert.Equal(t, MirrorMemory, parse(t, key, "--mirror", "memory").Mirror)
	c := parse(t, key, "purge", "--all", "--mirror", "x.db")
	assert.Equal(t, abs(t, "x.db"), c.Mirror)
	assert.True(t, c.Kept())
}

func TestCommandsAboutTheCopy(t *testing.T) {
	c := parse(t, nil, "sync", "--since", "now-3d", "--follow", "--retain", "4w", "--details", "none", "--mirror", "./x.db")
	assert.Equal(t, Sync, c.Command)
	assert.Equal(t, SyncCall{Since: "now-3d", Follow: true}, c.Sync)
	assert.Equal(t, 28*24*time.Hour, c.Retain)
	assert.Equal(t, "none", c.Details)
	assert.Equal(t, SyncCall{Once: true}, parse(t, nil, "sync", "--once", "--mirror", "./x.db").Sync)

	c = parse(t, nil, "purge", "--source", "eu", "--before", "2026-10-01", "--call", "eu/1", "--call", "eu/2,3", "--number", "+4930", "--yes", "--mirror", "./x.db")
	assert.Equal(t, Purge, c.Command)
	assert.Equal(t, PurgeCall{Source: "eu", Before: "2026-10-01", Calls: []string{"eu/1", "eu/2,3"}, Number: "+4930", Yes: true}, c.Purge)
	assert.Equal(t, Status, parse(t, nil, "status", "--mirror", "./x.db").Command)
	assert.Equal(t, Doctor, parse(t, nil, "doctor").Command)

	for args, want := range map[string]string{
		"purge --mirror ./x.db":                      "nothing says what to remove; give --source, --before, --call, --number or --all",
		"purge --all --source eu --mirror ./x.db":    "--all removes everything, and another flag asks for a part",
		"sync --demo":                                "sync is about a copy that is kept, and a copy in memory is gone",
		"status --demo --mirror off":                 "status is about a copy that is kept, and --mirror off keeps none",
		"sync":                                       "no call logs to read: set CEKURA_API_KEY",
		"sync --once --follow":                       "--once and --follow can't be used together",
		"sync --retain 0d":                           `--retain: must be from 1d to 3650d, not "0d"`,
		"sync --retain soon":                         `--retain: must be a number of days such as 90d, not "soon"`,
		"--mirror none":                              `--mirror must be off, memory or a path such as ./calls.db, not "none"`,
		"--mirror postgres://me:hunter2@db.internal": "--mirror must be off, memory or a path: copies in a database server are not supported",
	} {
		_, err := Parse(client.Providers(), strings.Fields(args), env{}.get, io.Discard)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "hunter2")
		assert.Equal(t, 2, ExitCode(err), args)
	}
}

// What the file says of a source means the same whatever the source is called:
// under the name of its provider, which flags and variables speak of too, nothing
// of it is passed over.
func TestEveryKeyOfTheFileIsHeard(t *testing.T) {
	values := map[string]string{"base_url": "http://127.0.0.1:9/x", "project_id": "7", "agent_ids": "[11, 12]"}
	for _, p := range client.Providers() {
		name, lines := p.Name, ""
		if p.Files {
			continue
		}
		for _, key := range p.Keys() {
			value, ok := values[key]
			if !ok {
				value = "secret-of-" + key
			}
			lines += ", " + key + ": " + value
		}
		read := func(as string) SourceConfig {
			path := filepath.Join(t.TempDir(), "config.yaml")
			require.NoError(t, os.WriteFile(path, []byte("sources: {"+as+": {provider: "+name+lines+"}}"), 0o600))
			c, err := Parse(client.Providers(), []string{"--config", path}, func(string) string { return "" }, io.Discard)
			require.NoError(t, err, name)
			got, err := c.Configured()
			require.NoError(t, err)
			require.Len(t, got, 1)
			return got[0]
		}
		want := read("other")
		want.Name = name
		assert.Equal(t, want, read(name))
		assert.Equal(t, []string{"11", "12"}, want.AgentIDs, name)
	}
}
