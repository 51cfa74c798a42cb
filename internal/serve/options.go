package serve

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Auth names how it is known who asks.
type Auth string

// The ways. ByNothing lets everybody in who can reach a loopback address, and
// is refused on any other.
const (
	ByNothing Auth = "none"
	ByToken   Auth = "token"
	ByOAuth   Auth = "oauth"
)

// HTTPOptions say where to serve and for whom. Addr and Auth are needed, and
// what Auth needs; the rest may be zero.
type HTTPOptions struct {
	Addr   string // host:port; port 0 takes a free one
	Auth   Auth
	Tokens string // the file of ByToken, made of lines of NewToken
	OAuth  OAuth  // of ByOAuth

	// AllowedHosts are the names by which clients reach the server, with or
	// without a port. The loopback names and the address that a connection
	// came to always are.
	AllowedHosts []string
	// AllowedOrigins are web pages that may ask from a browser, such as
	// https://app.example.com. The server's own origin may.
	AllowedOrigins []string
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []string

	Metrics         string // loopback host:port of a second listener; "" for none
	TLSCert, TLSKey string // PEM files, read again when they change

	Rates Rates
	// Deadline ends a call that takes longer; 0 is 45 s.
	Deadline time.Duration
	// DrainDelay is for how long the server still takes calls when told to
	// stop, while /readyz says that it will: as long as a load balancer needs
	// to notice. 0 is 5 s, or none on loopback; below 0 is none.
	DrainDelay time.Duration
	// Grace is how long calls under way may then take; 0 is 25 s.
	Grace time.Duration
	// Ready is asked by /readyz: nil, or an error for the log. It has 2 s.
	Ready func(context.Context) error

	timeouts timeouts
}

// Rates bound what is taken on. Zeros are the defaults; more is refused with
// 429 after Wait, which is 25 ms by default.
type Rates struct {
	PerMinute        int // requests of one principal, 600
	Burst            int // of them at once, a tenth of PerMinute
	AddressPerMinute int // requests of one address, twice PerMinute; a tenth of them at once
	PerAddress       int // connections of one address, 64; behind a trusted proxy as many as there may be
	InFlight         int // requests worked on at once, 64
	PerPrincipal     int // of them for one principal, 16
	Streams          int // subscriptions open at once, 32
	Wait             time.Duration
}

// timeouts are of connections. Only tests shorten them.
type timeouts struct {
	header, read, idle, write time.Duration
	stranger                  time.Duration // idle, for a connection that never authenticated
	connections               int
}

func (o HTTPOptions) withDefaults() HTTPOptions {
	r := &o.Rates
	r.PerMinute = cmp.Or(r.PerMinute, 600)
	r.Burst, r.AddressPerMinute = cmp.Or(r.Burst, max(1, r.PerMinute/10)), cmp.Or(r.AddressPerMinute, 2*r.PerMinute)
	r.InFlight, r.PerPrincipal, r.Streams = cmp.Or(r.InFlight, 64), cmp.Or(r.PerPrincipal, 16), cmp.Or(r.Streams, 32)
	r.Wait, r.PerAddress = cmp.Or(r.Wait, 25*time.Millisecond), cmp.Or(r.PerAddress, 64)
	o.Deadline, o.Grace = cmp.Or(o.Deadline, 45*time.Second), cmp.Or(o.Grace, 25*time.Second)
	if o.DrainDelay == 0 && !onLoopback(o.Addr) {
		o.DrainDelay = 5 * time.Second
	}
	t := &o.timeouts
	t.header, t.read = cmp.Or(t.header, 5*time.Second), cmp.Or(t.read, 15*time.Second)
	t.idle, t.write = cmp.Or(t.idle, 2*time.Minute), cmp.Or(t.write, 30*time.Second)
	t.stranger, t.connections = cmp.Or(t.stranger, 10*time.Second), cmp.Or(t.connections, 1000)
	return o
}

// A ConfigError is why the server does not start as it was told to: one
// sentence for the operator.
type ConfigError struct{ msg string }

// Error is what the operator reads.
func (e *ConfigError) Error() string { return e.msg }

// ExitCode is what the process ends with: EX_CONFIG of sysexits.h.
func (e *ConfigError) ExitCode() int { return 78 }

func wrong(format string, args ...any) error { return &ConfigError{fmt.Sprintf(format, args...)} }

// check finds what is unsafe or missing.
func (o HTTPOptions) check() error {
	if _, _, err := net.SplitHostPort(o.Addr); err != nil {
		return wrong("--http %q is not host:port, such as 127.0.0.1:8080", o.Addr)
	}
	switch o.Auth {
	case ByNothing:
		if !onLoopback(o.Addr) {
			return wrong("--http %s can be reached from other machines, so callers must be known: give --tokens FILE or --oauth-issuer URL, or listen on 127.0.0.1", o.Addr)
		}
	case ByToken:
		if o.Tokens == "" {
			return wrong("--auth token needs --tokens FILE; call-logs-mcp token new NAME makes its lines")
		}
	case ByOAuth:
		if err := o.OAuth.check(); err != nil {
			return err
		}
	default:
		return wrong("--http needs to know who may call: --tokens FILE, --oauth-issuer URL, or on loopback --no-auth")
	}
	if o.Metrics != "" && !onLoopback(o.Metrics) {
		return wrong("--metrics %s can be reached from other machines; it must be a loopback address such as 127.0.0.1:9090", o.Metrics)
	}
	if (o.TLSCert == "") != (o.TLSKey == "") {
		return wrong("--tls-cert and --tls-key go together")
	}
	return nil
}

// onLoopback says whether addr surely is this machine's alone: an address of
// the loopback, or localhost. Where that leads is looked at once it is bound.
func onLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && loopbackHost(host)
}

func loopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

// listen binds addr. With local it refuses to stay where others could come.
func listen(ctx context.Context, addr string, local bool) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	if tcp, ok := ln.Addr().(*net.TCPAddr); local && (!ok || !tcp.IP.IsLoopback()) {
		ln.Close()
		return nil, wrong("%s is %s here, which is no loopback address", addr, ln.Addr())
	}
	return ln, nil
}

// networks reads CIDRs; a single address is one, too.
func networks(cidrs []string) (out []netip.Prefix, err error) {
	for _, s := range cidrs {
		p, err := netip.ParsePrefix(s)
		if ip, ipErr := netip.ParseAddr(s); ipErr == nil {
			p, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		if err != nil {
			return nil, wrong("--trusted-proxy %q is no network such as 10.0.0.0/8", s)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// caller is the address that r comes from: the connection's, or the last that
// a trusted proxy says it did not come from itself. An address of IPv6 stands
// for its network, as one machine has all of a /64.
func caller(r *http.Request, trusted []netip.Prefix) netip.Addr {
	at, _ := netip.ParseAddrPort(r.RemoteAddr)
	ip := at.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && among(trusted, ip); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break // what is before a hop without a name cannot be believed
		}
		ip = hop.Unmap()
	}
	return network(ip)
}

// network is what stands for an address where clients are counted.
func network(ip netip.Addr) netip.Addr {
	if ip.Is6() {
		p, _ := ip.WithZone("").Prefix(64)
		return p.Addr()
	}
	return ip
}

func among(nets []netip.Prefix, ip netip.Addr) bool {
	for _, n := range nets {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}
