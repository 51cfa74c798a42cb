package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// HTTP is how to serve a team. Without Addr, stdin and stdout are served.
type HTTP struct {
	Addr           string         `file:"address" name:"http" placeholder:"ADDR" help:"Serve MCP over HTTP here, such as 127.0.0.1:8080, at /mcp."`
	Auth           string         `file:"auth" placeholder:"HOW" help:"Who may come in: none (on loopback only), token or oauth (default what the other flags ask for)."`
	NoAuth         bool           `file:"" help:"The same as --auth none."`
	Tokens         string         `file:"path" placeholder:"FILE" help:"Tokens made by token new (default tokens beside the configuration file)."`
	OAuthIssuer    string         `file:"url" name:"oauth-issuer" placeholder:"URL" help:"Whose access tokens are accepted."`
	OAuthAudience  string         `file:"" name:"oauth-audience" placeholder:"URL" help:"Whom they must be made for: this server, as its clients know it."`
	OAuthResource  string         `file:"url" name:"oauth-resource" placeholder:"URL" help:"Address of the MCP endpoint by which clients know it, where the audience is no URL (default the audience)."`
	OAuthFilter    string         `file:"" name:"oauth-filter-claim" placeholder:"CLAIM" help:"Claim of the token that holds whose calls its bearer may see, as filters_v2; a token without it is refused (default every call)."`
	OAuthAlgs      []string       `file:"algorithm" name:"oauth-algorithm" placeholder:"ALG" help:"What tokens may be signed with. May be repeated (default RS256, PS256, ES256, EdDSA)."`
	AllowedHosts   []string       `file:"host" name:"allowed-host" placeholder:"HOST" help:"Name by which clients reach it, beside loopback. May be repeated."`
	AllowedOrigins []string       `file:"origin" name:"allowed-origin" placeholder:"ORIGIN" help:"Web page that may call it, such as https://app.example.com. May be repeated."`
	TrustedProxies []netip.Prefix `file:"network" name:"trusted-proxy" placeholder:"CIDR" help:"Proxies whose word on the client's address counts. May be repeated."`
	Rate           int            `file:"calls" default:"600" placeholder:"CALLS" help:"Calls a minute of one principal; of one address twice as many (default ${default})."`
	InFlight       int            `file:"calls" default:"64" placeholder:"CALLS" help:"Calls worked on at once (default ${default})."`
	PerPrincipal   int            `file:"calls" name:"in-flight-per-principal" default:"16" placeholder:"CALLS" help:"Of them for one principal (default ${default})."`
	PerAddress     int            `file:"connections" name:"connections-per-address" default:"64" placeholder:"N" help:"Connections of one address; those of a trusted proxy are not counted (default ${default})."`
	DrainDelay     *time.Duration `file:"span" type:"span" placeholder:"TIME" help:"How long calls are still taken after the signal to stop, while /readyz says no (default 5s, 0 on loopback)."`
	Metrics        string         `file:"address" placeholder:"ADDR" help:"Serve Prometheus metrics on this loopback address."`
	TLSCert        string         `file:"path" name:"tls-cert" placeholder:"FILE" help:"Certificate, read again when it changes."`
	TLSKey         string         `file:"path" name:"tls-key" placeholder:"FILE" help:"Its key."`
}

// The values of HTTP.Auth. Parse leaves it "" only where Addr is.
const (
	AuthNone  = "none"
	AuthToken = "token"
	AuthOAuth = "oauth"
)

// settle finds what is wrong with h and says who may come in.
func (h *HTTP) settle(parsed *kong.Context, env func(string) string) error {
	if h.Addr == "" {
		return nil
	}
	if err := checkFlags(parsed, true); err != nil {
		return err
	}
	for _, check := range []func() error{h.settleAuth, h.checkOAuth, h.checkDrain, h.checkMetrics} {
		if err := check(); err != nil {
			return err
		}
	}
	if (h.TLSCert == "") != (h.TLSKey == "") {
		return Mistake("--tls-cert and --tls-key need each other")
	}
	if h.Auth == AuthToken && h.Tokens == "" {
		if h.Tokens = beside(env, "tokens"); h.Tokens == "" {
			return Mistake("--auth token needs --tokens FILE")
		}
	}
	return nil
}

func (h *HTTP) settleAuth() error {
	switch {
	case h.NoAuth && h.Auth != "" && h.Auth != AuthNone:
		return Mistake("--no-auth and --auth %s contradict each other", h.Auth)
	case h.NoAuth:
		h.Auth = AuthNone
	case h.Auth == "" && h.Tokens != "" && h.OAuthIssuer != "":
		return Mistake("--tokens and --oauth-issuer are both given; choose with --auth token or --auth oauth")
	case h.Auth == "" && h.Tokens != "":
		h.Auth = AuthToken
	case h.Auth == "" && h.OAuthIssuer != "":
		h.Auth = AuthOAuth
	}
	switch local := loopbackAddr(h.Addr); {
	case h.Auth == AuthNone && !local:
		return &Exposed{fmt.Sprintf("calls are not served without authentication beyond loopback, and %s is; "+
			"give --tokens FILE (see token new) or --oauth-issuer, or listen on 127.0.0.1", h.Addr)}
	case h.Auth == "" && !local:
		return &Exposed{fmt.Sprintf("nothing says who may read calls on %s; give --tokens FILE (see token new) or --oauth-issuer", h.Addr)}
	case h.Auth == "":
		return &Exposed{"nothing says who may read calls over HTTP; give --tokens FILE (see token new), --oauth-issuer, " +
			"or --no-auth to let in everybody on this machine"}
	}
	return nil
}

func (h *HTTP) checkOAuth() error {
	if h.Auth != AuthOAuth {
		return nil
	}
	if h.OAuthIssuer == "" || h.OAuthAudience == "" {
		return Mistake("--auth oauth needs --oauth-issuer and --oauth-audience")
	}
	if h.OAuthResource == "" {
		if err := checkURL(h.OAuthAudience); err != nil {
			return Mistake("--oauth-audience %v; where tokens are made for another name, give the URL of the MCP endpoint by --oauth-resource", err)
		}
	}
	return nil
}

// checkAlgorithm allows what an authorization server signs with alone: one with a
// shared secret would let this server make tokens, too.
func checkAlgorithm(alg string) error {
	return among("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")(alg)
}

// longestDrain is more than any supervisor waits between its signal and its kill.
const longestDrain = 10 * time.Minute

func (h *HTTP) checkDrain() error {
	if h.DrainDelay != nil && *h.DrainDelay > longestDrain {
		return Mistake("--drain-delay must be at most %s, not %s", longestDrain, *h.DrainDelay)
	}
	return nil
}

func checkConnections(n int) error {
	if n < 1 || n > 1_000_000 {
		return fmt.Errorf("must be from 1 to 1000000, not %d", n)
	}
	return nil
}

func checkLimit(n int) error {
	if n < 1 || n > 1_000_000 {
		return fmt.Errorf("must be from 1 to 1000000 calls, not %d", n)
	}
	return nil
}

// checkMetrics keeps them on loopback, where nobody has to be asked who they are.
func (h *HTTP) checkMetrics() error {
	if h.Metrics == "" {
		return nil
	}
	if !loopbackAddr(h.Metrics) {
		return &Exposed{fmt.Sprintf("metrics are served on loopback only, such as 127.0.0.1:9090, and %s is beyond", h.Metrics)}
	}
	return nil
}

// checkAddr wants a host, which may be empty for all addresses, and a port.
func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if n, convErr := strconv.Atoi(port); err != nil || convErr != nil || n < 0 || n > 65535 {
		return fmt.Errorf("must be an address and a port, such as 127.0.0.1:8080, not %q", addr)
	}
	return nil
}

func loopbackAddr(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && loopback(host)
}

func checkHost(host string) error {
	if host == "" || strings.ContainsAny(host, "/*@ ,") {
		return fmt.Errorf("must be a host name such as calls.example.com, not %q", host)
	}
	return nil
}

func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin || strings.Contains(origin, ",") {
		return fmt.Errorf("must be an origin such as https://app.example.com, not %q", origin)
	}
	return nil
}

// prefix reads a CIDR, or an address as the network of itself.
func prefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("must be a network such as 10.0.0.0/8, not %q", s)
	}
	return p.Masked(), nil
}

func decodePrefix(ctx *kong.DecodeContext, target reflect.Value) error {
	var s string
	if err := ctx.Scan.PopValueInto("network", &s); err != nil {
		return err
	}
	p, err := prefix(s)
	if err != nil {
		return err
	}
	target.Set(reflect.ValueOf(p))
	return nil
}
