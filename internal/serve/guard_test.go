package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// arriving is a request as it comes to a server at a local address.
func arriving(method, target, local, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	at := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(local))
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(at)))
}

// The whole of DNS rebinding and cross-site requests: 8 hosts × 8 origins × 5
// methods, on a loopback address as on that of a container.
func TestHostAndOriginMatrix(t *testing.T) {
	hosts := map[string]string{ // host: where it is served, * for everywhere
		"localhost:8080": "*", "127.0.0.1:8080": "*", "[::1]:8080": "*", "mcp.example.com": "*",
		"10.1.2.3:8080": "10.1.2.3:8080", "evil.example:8080": "", "localhost.evil.example": "", "169.254.169.254": "",
	}
	origins := map[string]bool{ // besides the server's own
		"": true, "https://app.example.com": true, "https://evil.example": false, "null": false,
		"http://app.example.com": false, "https://app.example.com.evil.example": false, "http://localhost:6274": false, "file://": false,
	}
	methods := []string{"POST", "GET", "DELETE", "OPTIONS", "PUT"}
	cases := 0
	for _, local := range []string{"127.0.0.1:8080", "10.1.2.3:8080"} {
		f, err := newFront(newBench().server(), HTTPOptions{
			Auth: ByNothing, AllowedHosts: []string{"mcp.example.com"}, AllowedOrigins: []string{"https://app.example.com"}, Rates: generous(),
		}.withDefaults(), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		h := f.handler()
		for host, served := range hosts {
			for origin, from := range origins {
				for _, method := range methods {
					r := arriving(method, "http://x/mcp", local, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
					r.Host = host
					r.Header.Set("Content-Type", "application/json")
					if origin != "" {
						r.Header.Set("Origin", origin)
					}
					if method == "OPTIONS" {
						r.Header.Set("Access-Control-Request-Method", "POST")
					}
					w := httptest.NewRecorder()
					h.ServeHTTP(w, r)
					want := map[string]int{"POST": 200, "GET": 405, "DELETE": 405, "OPTIONS": 405, "PUT": 405}[method]
					if method == "OPTIONS" && origin != "" {
						want = 204
					}
					if served != "*" && served != local || !from {
						want = 403
					}
					assert.Equal(t, want, w.Code, "%s at %s, Host %q, Origin %q", method, local, host, origin)
					assert.Equal(t, want != 403 && origin != "", w.Header().Get("Access-Control-Allow-Origin") != "")
					cases++
				}
			}
		}
	}
	assert.Equal(t, 2*320, cases)
}

func TestOwnOriginMayAsk(t *testing.T) {
	var g guard
	for origin, want := range map[string]bool{
		"http://localhost:8080": true, "HTTP://LOCALHOST:8080": true, "http://localhost:8081": false, "http://localhost": false,
		"ftp://localhost:8080": false, "http://me@localhost:8080": false, "http://localhost:8080/x": false, "//localhost:8080": false,
	} {
		r := httptest.NewRequest("POST", "http://localhost:8080/mcp", nil)
		r.Header.Set("Origin", origin)
		assert.Equal(t, want, g.origin(r), origin)
	}
	r := httptest.NewRequest("POST", "http://localhost:8080/mcp", nil)
	r.Header["Origin"] = []string{"http://localhost:8080", "https://evil.example"}
	assert.False(t, g.origin(r))
}

func TestStrangeHosts(t *testing.T) {
	g, err := newGuard([]string{"MCP.example.com", "b.example.com:8443"}, nil)
	require.NoError(t, err)
	for host, want := range map[string]bool{
		"mcp.EXAMPLE.com:99": true, "b.example.com:8443": true, "b.example.com": false, "b.example.com:1": false,
		"": false, "mcp.example.com.": false, "127.0.0.1": true, "127.0.0.1:evil": false, "127.1": false, "2130706433": false,
		"[::ffff:127.0.0.1]:1": true, "0.0.0.0": false, "localhost@evil.example": false,
	} {
		r := arriving("POST", "http://x/mcp", "127.0.0.1:8080", "")
		r.Host = host
		assert.Equal(t, want, g.host(r), "%q", host)
	}
	for _, bad := range []string{"", "*", "https://x", "a b"} {
		_, err := newGuard([]string{bad}, nil)
		assert.Error(t, err, bad)
	}
	for _, bad := range []string{"", "*", "x.example", "https://x/path", "ftp://x", "https://u@x"} {
		_, err := newGuard(nil, []string{bad})
		assert.Error(t, err, bad)
	}
}

// Without authentication only this machine may come in, whatever spelling the
// address has.
func TestBindMatrix(t *testing.T) {
	tests := []struct {
		addr string
		ok   bool
	}{
		{"127.0.0.1:0", true}, {"127.0.0.2:0", true}, {"localhost:0", true}, {"LOCALHOST:0", true}, {"[::1]:0", true},
		{"[::ffff:127.0.0.1]:0", true},
		{":0", false}, {"0:0", false}, {"0.0.0.0:0", false}, {"[::]:0", false}, {"[::ffff:0.0.0.0]:0", false},
		{"10.1.2.3:0", false}, {"192.168.0.1:0", false}, {"[fe80::1]:0", false}, {"example.com:0", false},
		{"localhost.example.com:0", false}, {"127.1:0", false}, {"2130706433:0", false}, {"0x7f000001:0", false}, {"*:0", false},
		{"unix:/tmp/x", false}, {"8080", false}, {"", false}, {"127.0.0.1", false},
	}
	for _, tt := range tests {
		at, err := open(t.Context(), newBench().server(), HTTPOptions{Addr: tt.addr, Auth: ByNothing}, slog.New(slog.DiscardHandler))
		if tt.ok {
			if err != nil && strings.Contains(tt.addr, "::1") {
				continue // a machine without IPv6
			}
			if assert.NoError(t, err, tt.addr) {
				assert.True(t, at.at.Addr().(*net.TCPAddr).IP.IsLoopback())
				at.at.Close()
			}
			continue
		}
		refused := new(ConfigError)
		if assert.ErrorAs(t, err, &refused, tt.addr) {
			assert.Equal(t, 78, refused.ExitCode())
			assert.NotContains(t, refused.Error(), "\n")
		}
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	tokens, _ := tokensOf(t, Principal{Name: "a", Scopes: Scopes()})
	base := HTTPOptions{Addr: "127.0.0.1:0", Auth: ByNothing}
	tests := map[string]func(*HTTPOptions){
		"--http needs to know who may call":       func(o *HTTPOptions) { o.Auth = "" },
		"--tokens FILE":                           func(o *HTTPOptions) { o.Auth = ByToken },
		"no such file":                            func(o *HTTPOptions) { o.Auth, o.Tokens = ByToken, dir+"/none" },
		"--metrics 0.0.0.0:0 can be reached":      func(o *HTTPOptions) { o.Metrics = "0.0.0.0:0" },
		"go together":                             func(o *HTTPOptions) { o.TLSCert = "x" },
		"--tls-cert and --tls-key: open":          func(o *HTTPOptions) { o.TLSCert, o.TLSKey = dir+"/x", dir+"/y" },
		"--trusted-proxy \"x\" is no network":     func(o *HTTPOptions) { o.TrustedProxies = []string{"x"} },
		"--oauth-issuer URL and --oauth-audience": func(o *HTTPOptions) { o.Auth = ByOAuth },
		"--oauth-issuer must be an https URL": func(o *HTTPOptions) {
			o.Auth, o.OAuth = ByOAuth, OAuth{Issuer: "http://a.example", Audience: "https://b/mcp"}
		},
		"must be the https URL of the MCP endpoint": func(o *HTTPOptions) { o.Auth, o.OAuth = ByOAuth, OAuth{Issuer: "https://a.example", Audience: "api"} },
		"is no algorithm that tokens may be signed": func(o *HTTPOptions) {
			o.Auth, o.OAuth = ByOAuth, OAuth{Issuer: "https://a", Audience: "https://b", Algorithms: []string{"HS256"}}
		},
		"--allowed-host \"*\" is no host name":       func(o *HTTPOptions) { o.AllowedHosts = []string{"*"} },
		"--allowed-origin \"*\" is no origin":        func(o *HTTPOptions) { o.AllowedOrigins = []string{"*"} },
		"0.0.0.0:0 can be reached from other machin": func(o *HTTPOptions) { o.Addr = "0.0.0.0:0" },
	}
	for want, change := range tests {
		o := base
		o.Tokens = ""
		change(&o)
		err := HTTP(t.Context(), newBench().server(), o, slog.New(slog.DiscardHandler))
		assert.ErrorContains(t, err, want)
		assert.ErrorAs(t, err, new(*ConfigError))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := HTTPOptions{Addr: "0.0.0.0:0", Auth: ByToken, Tokens: tokens, DrainDelay: -1}
	assert.NoError(t, HTTP(ctx, newBench().server(), o, slog.New(slog.DiscardHandler)), "with tokens it may be anywhere")
}

func TestCallersAddress(t *testing.T) {
	trusted, err := networks([]string{"10.0.0.0/8", "127.0.0.1", "fd00::/8"})
	require.NoError(t, err)
	tests := []struct {
		remote string
		header []string
		want   string
	}{
		{"203.0.113.7:1", nil, "203.0.113.7"},
		{"203.0.113.7:1", []string{"1.1.1.1"}, "203.0.113.7"}, // no proxy of ours
		{"10.0.0.1:1", []string{"1.1.1.1"}, "1.1.1.1"},
		{"10.0.0.1:1", []string{"6.6.6.6, 1.1.1.1, 10.0.0.9"}, "1.1.1.1"}, // what the client wrote itself is before
		{"10.0.0.1:1", []string{"6.6.6.6", "1.1.1.1"}, "1.1.1.1"},
		{"10.0.0.1:1", []string{"1.1.1.1, unknown"}, "10.0.0.1"},
		{"10.0.0.1:1", nil, "10.0.0.1"},
		{"[::ffff:10.0.0.1]:1", []string{"1.1.1.1"}, "1.1.1.1"},
		{"[2001:db8:1:2:3::4]:1", nil, "2001:db8:1:2::"},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("POST", "http://x/mcp", nil)
		r.RemoteAddr = tt.remote
		r.Header["X-Forwarded-For"] = tt.header
		assert.Equal(t, tt.want, caller(r, trusted).String(), fmt.Sprint(tt))
	}
}
