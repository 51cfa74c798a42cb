// Package rest asks upstreams for JSON over HTTP, gently and safely.
//
// A Client paces its requests, limits how many are in flight, retries what may
// succeed when tried again, and gives up in time: whatever an upstream does,
// its failure is known within Limits.Total. Each failure is a *call.Error whose
// Msg tells the model in plain words what happened and whose Hint what to do.
// Err is for the operator and names method and path, never the query, which may
// hold phone numbers, and never a secret.
package rest

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// Options say whom to ask and how. Name and BaseURL are required.
type Options struct {
	Name    string // of the upstream in messages: "Cekura"
	BaseURL string // https, or http on loopback

	// KeyName and BaseName are what the operator set, for messages:
	// "CEKURA_API_KEY", "CEKURA_BASE_URL".
	KeyName  string
	BaseName string

	// Header adds the credentials to each request. It is called once a question,
	// so a rotated key is picked up. What it adds is a secret: it goes to the
	// host of BaseURL alone and is blotted out of every text.
	Header func(http.Header)
	// Secrets are what Post sends in a body and is blotted out likewise.
	Secrets func() []string

	Transport http.RoundTripper // nil dials BaseURL
	Logger    *slog.Logger      // nil is silent
	Version   string            // of this program, for the User-Agent
	Limits    Limits
}

// Limits bound what a Client spends on an upstream. Zero fields are defaults.
type Limits struct {
	Attempts int           // of one question, 3; never more than 10
	Total    time.Duration // from question to answer or failure, 40 s
	Exchange time.Duration // of one attempt, 30 s
	Header   time.Duration // until an answer begins, 15 s
	Dial     time.Duration // and as long for the TLS handshake, 5 s
	Pause    time.Duration // the longest Retry-After that is waited for, 10 s
	Stall    time.Duration // a body slower than 1 KiB/s for so long is given up, 10 s
	Body     int64         // bytes of one answer, decompressed, 32 MiB
	Rate     rate.Limit    // requests a second to begin with, 5; it adapts between 2 and Most
	Most     rate.Limit    // 25
	Burst    int           // requests at once before Rate holds, 10
	InFlight int           // requests at the same time, 4
}

const maxAttempts = 10

func (l Limits) withDefaults() Limits {
	return Limits{
		Attempts: min(cmp.Or(l.Attempts, 3), maxAttempts),
		Total:    cmp.Or(l.Total, 40*time.Second),
		Exchange: cmp.Or(l.Exchange, 30*time.Second),
		Header:   cmp.Or(l.Header, 15*time.Second),
		Dial:     cmp.Or(l.Dial, 5*time.Second),
		Pause:    cmp.Or(l.Pause, 10*time.Second),
		Stall:    cmp.Or(l.Stall, 10*time.Second),
		Body:     cmp.Or(l.Body, 32<<20),
		Rate:     cmp.Or(l.Rate, min(5, cmp.Or(l.Most, 5))),
		Most:     cmp.Or(l.Most, 25),
		Burst:    cmp.Or(l.Burst, 10),
		InFlight: cmp.Or(l.InFlight, 4),
	}
}

// A Client asks one upstream. It is safe for concurrent use.
type Client struct {
	o      Options
	limits Limits
	base   *url.URL
	http   *http.Client

	breaker breaker
}

// Meta is what an answer says besides its body.
type Meta struct {
	Date     time.Time // the upstream's clock; zero where it does not say
	Attempts int
	Waited   time.Duration // between attempts
	Bytes    int           // of the body, decompressed
}

// New returns a Client for o. Its errors are for the operator.
func New(o Options) (*Client, error) {
	base, err := parseBase(o)
	if err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	limits := o.Limits.withDefaults()
	transport := o.Transport
	if transport == nil {
		transport = dialer(limits)
	}
	return &Client{
		o:      o,
		limits: limits,
		base:   base,
		http: &http.Client{
			Transport: &traced{name: o.Name, base: &paced{
				base:   transport,
				limits: limits,
				flight: semaphore.NewWeighted(int64(limits.InFlight)),
				pace:   newPace(limits),
			}},
			CheckRedirect: sameHost,
		},
	}, nil
}

// parseBase insists on https, because a key travels with each request; plain
// http is for tests and sidecars on loopback.
func parseBase(o Options) (*url.URL, error) {
	name := cmp.Or(o.BaseName, "the base URL")
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(o.BaseURL), "/"))
	switch {
	case err != nil:
		// The text of err would repeat the URL, and with it a password.
		return nil, fmt.Errorf("%s is not a URL", name)
	case u.Host == "":
		return nil, fmt.Errorf("%s has no host; it should look like https://api.example.com", name)
	case u.User != nil:
		return nil, fmt.Errorf("%s holds a user or password; keys have variables of their own", name)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s must end with the path: no query, no fragment", name)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	case u.Scheme == "http":
		return nil, fmt.Errorf("%s is plain http, which is for loopback only: use https://%s", name, u.Host)
	}
	return nil, fmt.Errorf("%s has the scheme %q; use https", name, u.Scheme)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func dialer(l Limits) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: l.Dial, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    l.Dial,
		ResponseHeaderTimeout:  l.Header,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    l.InFlight,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}
}

// Path joins segments to an absolute path, each escaped, so that an id can
// never name another endpoint. A last segment "" gives a trailing slash.
func Path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		if s == "." || s == ".." {
			b.WriteString(strings.ReplaceAll(s, ".", "%2E"))
			continue
		}
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// Get asks for path, as Path builds it, under the base URL and decodes the JSON
// answer into v. Its errors are *call.Error; where the upstream answered with an
// error status, errors.As finds a *StatusError in them. Meta is filled in
// either case.
func (c *Client) Get(ctx context.Context, path string, query url.Values, v any) (Meta, error) {
	x := &exchange{client: c, method: http.MethodGet, path: path, into: v}
	err := x.run(ctx, query)
	return x.meta, err
}

// Post is Get with a body, which is sent as JSON. It is tried again like Get, so
// it is for questions alone, and for what may be asked twice.
func (c *Client) Post(ctx context.Context, path string, body, v any) (Meta, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return Meta{}, err
	}
	x := &exchange{client: c, method: http.MethodPost, path: path, body: text, into: v}
	err = x.run(ctx, nil)
	return x.meta, err
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }
