package config

import (
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
)

func TestHTTP(t *testing.T) {
	oauth := "--oauth-issuer https://id.example.com --oauth-audience https://calls.example.com/mcp"
	tests := []struct {
		args string
		want HTTP
	}{
		{"--http 127.0.0.1:8080 --no-auth", HTTP{Addr: "127.0.0.1:8080", NoAuth: true, Auth: AuthNone}},
		{"--http localhost:0 --auth none", HTTP{Addr: "localhost:0", Auth: AuthNone}},
		{"--http [::1]:80 --no-auth --auth none", HTTP{Addr: "[::1]:80", NoAuth: true, Auth: AuthNone}},
		{"--http :80 --tokens t", HTTP{Addr: ":80", Auth: AuthToken, Tokens: "t"}},
		{"--http :80 --auth token --tokens t", HTTP{Addr: ":80", Auth: AuthToken, Tokens: "t"}},
		{"--http 0.0.0.0:80 " + oauth, HTTP{
			Addr: "0.0.0.0:80", Auth: AuthOAuth, OAuthIssuer: "https://id.example.com", OAuthAudience: "https://calls.example.com/mcp",
		}},
		{"--http :80 --oauth-issuer https://id.example.com --oauth-audience calls --oauth-resource https://calls.example.com/mcp " +
			"--oauth-filter-claim call_logs --oauth-algorithm ES256 --oauth-algorithm PS512", HTTP{
			Addr: ":80", Auth: AuthOAuth, OAuthIssuer: "https://id.example.com", OAuthAudience: "calls", OAuthResource: "https://calls.example.com/mcp",
			OAuthFilter: "call_logs", OAuthAlgs: []string{"ES256", "PS512"},
		}},
		{"--http :80 --auth oauth --tokens t " + oauth, HTTP{
			Addr: ":80", Auth: AuthOAuth, Tokens: "t", OAuthIssuer: "https://id.example.com", OAuthAudience: "https://calls.example.com/mcp",
		}},
		{"--http :80 --tokens t --allowed-host a.example.com --allowed-host b:80 --allowed-origin https://a.example.com " +
			"--trusted-proxy 10.1.2.3/8 --trusted-proxy fd00::1 --metrics 127.0.0.1:9090 --tls-cert c --tls-key k", HTTP{
			Addr: ":80", Auth: AuthToken, Tokens: "t", AllowedHosts: []string{"a.example.com", "b:80"}, AllowedOrigins: []string{"https://a.example.com"},
			TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::1/128")},
			Metrics:        "127.0.0.1:9090", TLSCert: "c", TLSKey: "k",
		}},
		{"--http :80 --tokens t --rate 30 --in-flight 8 --in-flight-per-principal 2 --connections-per-address 5 --drain-delay 15s", HTTP{
			Addr: ":80", Auth: AuthToken, Tokens: "t", Rate: 30, InFlight: 8, PerPrincipal: 2, PerAddress: 5, DrainDelay: new(15 * time.Second),
		}},
		{"--http :80 --tokens t --drain-delay 0", HTTP{Addr: ":80", Auth: AuthToken, Tokens: "t", DrainDelay: new(time.Duration(0))}},
	}
	for _, tt := range tests {
		if tt.want.Rate == 0 {
			tt.want.Rate, tt.want.InFlight, tt.want.PerPrincipal, tt.want.PerAddress = 600, 64, 16, 64
		}
		assert.Equal(t, tt.want, parse(t, nil, strings.Fields(tt.args)...).HTTP, tt.args)
	}
}

func TestWhoMayComeInIsSaid(t *testing.T) {
	tests := []struct {
		args, want string
		code       int
	}{
		{"--http :80", "nothing says who may read calls on :80", 78},
		{"--http 192.168.1.2:80", "nothing says who may read calls on 192.168.1.2:80", 78},
		{"--http 127.0.0.1:80", "--no-auth to let in everybody on this machine", 78},
		{"--http :80 --no-auth", "calls are not served without authentication beyond loopback, and :80 is", 78},
		{"--http [::]:80 --auth none", "beyond loopback, and [::]:80 is", 78},
		{"--http localhost.example.com:80 --auth none", "beyond loopback, and localhost.example.com:80 is", 78},
		{"--http :80 --tokens t --metrics :9090", "metrics are served on loopback only", 78},
		{"--http 8080 --no-auth", `--http must be an address and a port, such as 127.0.0.1:8080, not "8080"`, 2},
		{"--http 127.0.0.1:http --no-auth", `--http must be an address and a port`, 2},
		{"--http 127.0.0.1:70000 --no-auth", `--http must be an address and a port`, 2},
		{"--http :80 --auth magic", `--auth must be one of none, token, oauth, not "magic"`, 2},
		{"--http :80 --auth token --no-auth", "--no-auth and --auth token contradict each other", 2},
		{"--http :80 --auth token", "--auth token needs --tokens FILE", 2},
		{"--http :80 --tokens t --oauth-issuer https://x.example.com", "choose with --auth token or --auth oauth", 2},
		{"--http :80 --oauth-issuer https://x.example.com", "--auth oauth needs --oauth-issuer and --oauth-audience", 2},
		{"--http :80 --auth oauth --oauth-audience x", "--auth oauth needs --oauth-issuer and --oauth-audience", 2},
		{"--http :80 --oauth-issuer http://x.example.com --oauth-audience x", "--oauth-issuer must be https", 2},
		{"--http :80 --oauth-issuer https://x.example.com --oauth-audience x", "give the URL of the MCP endpoint by --oauth-resource", 2},
		{"--http :80 --oauth-issuer https://x.example.com --oauth-audience x --oauth-resource http://y.example.com", "--oauth-resource must be https", 2},
		{"--http :80 --oauth-issuer https://x.example.com --oauth-audience https://y.example.com --oauth-algorithm HS256", "--oauth-algorithm must be one of RS256", 2},
		{"--http :80 --oauth-issuer https://x.example.com --oauth-audience https://y.example.com --oauth-algorithm none", "--oauth-algorithm must be one of RS256", 2},
		{"--http :80 --tokens t --allowed-host https://x", "--allowed-host must be a host name", 2},
		{"--http :80 --tokens t --allowed-origin x.example.com", "--allowed-origin must be an origin", 2},
		{"--http :80 --tokens t --allowed-origin https://x.example.com/", "--allowed-origin must be an origin", 2},
		{"--http :80 --tokens t --trusted-proxy here", `--trusted-proxy: must be a network such as 10.0.0.0/8, not "here"`, 2},
		{"--http :80 --tokens t --metrics 9090", "--metrics must be an address and a port", 2},
		{"--http :80 --tokens t --tls-cert c", "--tls-cert and --tls-key need each other", 2},
		{"--http :80 --tokens t --rate 0", "--rate must be from 1 to 1000000 calls, not 0", 2},
		{"--http :80 --tokens t --in-flight=-1", "--in-flight must be from 1 to 1000000 calls, not -1", 2},
		{"--http :80 --tokens t --in-flight-per-principal 0", "--in-flight-per-principal must be from 1", 2},
		{"--http :80 --tokens t --drain-delay soon", `--drain-delay: must be a length of time such as 90d, 12h or 5s, not "soon"`, 2},
		{"--http :80 --tokens t --drain-delay=-5s", "--drain-delay: must be a length of time", 2},
		{"--http :80 --tokens t --drain-delay 1h", "--drain-delay must be at most 10m0s, not 1h0m0s", 2},
		{"--rate 5", "--rate is about HTTP, and stdin is served; add --http ADDR", 2},
		{"--no-auth", "--no-auth is about HTTP, and stdin is served; add --http ADDR", 2},
		{"tool x --http :80", "unknown flag --http", 2},
	}
	for _, tt := range tests {
		_, err := Parse(client.Providers(), strings.Fields(tt.args), env{}.get, io.Discard)
		require.ErrorContains(t, err, tt.want, tt.args)
		assert.Equal(t, tt.code, ExitCode(fmt.Errorf("wrapped: %w", err)), tt.args)
		assert.NotContains(t, err.Error(), "\n", "one sentence")
	}
}

func TestTokens(t *testing.T) {
	c := parse(t, nil, "token", "new", "ana.ipad", "--tokens", "t", "--scope", "calls:read", "--scope", "pii:read", "--filter", `{"field":"success","op":"eq","value":false}`)
	assert.Equal(t, NewToken, c.Command)
	assert.Equal(t, TokenCall{
		Name: "ana.ipad", Scopes: []string{"calls:read", "pii:read"}, Filter: `{"field":"success","op":"eq","value":false}`, Tokens: "t",
	}, c.Token)
	dir := t.TempDir()
	e := env{"HOME": dir, "XDG_CONFIG_HOME": dir, "AppData": dir}
	c = parse(t, e, "token", "new", "ana")
	assert.Equal(t, []string{"calls:read", "transcripts:read"}, c.Token.Scopes)
	assert.True(t, strings.HasPrefix(c.Token.Tokens, dir) && filepath.Base(c.Token.Tokens) == "tokens")
	assert.Equal(t, c.Token.Tokens, parse(t, e, "--http", ":80", "--auth", "token").HTTP.Tokens, "serve looks where token new writes")
	assert.Zero(t, c.Token.Expires)
	assert.Equal(t, 90*24*time.Hour, parse(t, e, "token", "new", "ana", "--expires", "90d").Token.Expires)
	assert.Equal(t, 12*time.Hour, parse(t, e, "token", "new", "ana", "--expires", "12h").Token.Expires)
	for args, want := range map[string]string{
		"token new a --expires 0s":             `--expires: must be at least 1m0s, not "0s"`,
		"token new a --expires 2027":           `--expires: must be a length of time`,
		"token new":                            `expected "<name>"`,
		"token new a/b --tokens t":             "a token's name must begin with",
		"token new a@b.c --tokens t":           "a token's name must begin with",
		"token new a":                          "nothing says where tokens are kept; give --tokens FILE",
		"token new a --tokens t --scope all":   `--scope must be one of "calls:read","transcripts:read","pii:read" but got "all"`,
		"token new a --tokens t --filter []":   "--filter must be a JSON object",
		"token new a --tokens t --filter {}":   "--filter must be a JSON object",
		"token new a --tokens t --filter {\"a": "--filter must be a JSON object",
	} {
		_, err := Parse(client.Providers(), strings.Fields(args), env{}.get, io.Discard)
		require.ErrorContains(t, err, want)
		assert.Equal(t, 2, ExitCode(err))
	}
}

func TestErrorsMayKnowTheirExitCode(t *testing.T) {
	assert.Equal(t, 78, ExitCode(fmt.Errorf("serve: %w", &Exposed{"no"})))
	assert.Equal(t, 2, ExitCode(Mistake("%s", "no")))
}
