package rest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// An exchange is one question: up to Limits.Attempts requests, and what became
// of the last of them.
type exchange struct {
	client *Client
	method string
	path   string // escaped, without the query
	body   []byte // JSON, of a POST
	into   any
	meta   Meta

	tried    int  // attempts that it may take
	hasty    bool // who asks has another answer: see call.Hasten
	deadline time.Time
	secrets  []string
	last     error // of the last attempt; nil once an answer was read
	nonsense int   // answers that were no JSON of the expected shape
}

// A StatusError is an upstream's answer with a status other than 2xx.
type StatusError struct {
	Code       int
	Detail     string         // the upstream's own words, cleaned and at most 200 characters
	RetryAfter *time.Duration // nil where it does not say, longestPause at most
	Asked      time.Duration  // what it said, where that is more
}

// longestPause is the longest Retry-After that is believed: nobody means a year.
const longestPause = 24 * time.Hour

func (e *StatusError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("status %d", e.Code)
	}
	return fmt.Sprintf("status %d: «%s»", e.Code, e.Detail)
}

// Refused is the error of an answer that says itself, under a status of success,
// that something went wrong. Types that answers are read into return it.
type Refused string

func (r Refused) Error() string { return string(r) }

// nonsense is an answer with status 2xx that makes no sense.
type nonsense struct {
	what string // for the model
	err  error
}

func (e *nonsense) Error() string {
	if e.err == nil {
		return e.what
	}
	return e.what + ": " + e.err.Error()
}

var errTooLarge = errors.New("body over the limit")

// run makes the attempts. The retrying is go-retryablehttp's; what is worth a
// retry, and how long to wait, is ours, because as it comes it obeys a
// Retry-After of a day and has no jitter.
func (x *exchange) run(parent context.Context, query url.Values) error {
	b := &x.client.breaker
	tries, most, paused := b.admit(parent, x.client.limits.Attempts)
	if paused != nil {
		return paused
	}
	x.tried, x.hasty = tries, most > 0
	began := time.Now()
	err := x.ask(parent, query, cmp.Or(most, x.client.limits.Total))
	if err == nil {
		b.note(nil, true)
		return nil
	}
	return b.note(x.failure(parent, err), x.isSure(parent, err, time.Since(began)))
}

// ask makes the attempts within most.
func (x *exchange) ask(parent context.Context, query url.Values, most time.Duration) error {
	ctx, cancel := context.WithTimeout(parent, min(most, x.client.limits.Total))
	defer cancel()
	x.deadline, _ = ctx.Deadline()

	req, err := x.request(ctx, query)
	if err != nil {
		return err
	}
	rc := &retryablehttp.Client{
		HTTPClient:   x.client.http,
		RetryMax:     x.tried - 1,
		CheckRetry:   x.again,
		Backoff:      x.backoff,
		ErrorHandler: func(_ *http.Response, err error, _ int) (*http.Response, error) { return nil, err },
		RequestLogHook: func(_ retryablehttp.Logger, _ *http.Request, n int) {
			x.meta.Attempts = n + 1
		},
	}
	_, err = rc.Do(req)
	if x.last != nil {
		err = x.last // what Do says may only be that the time for another attempt ran out
	}
	return err
}

func (x *exchange) request(ctx context.Context, query url.Values) (*retryablehttp.Request, error) {
	u := x.client.base.String() + x.path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	var body any // a nil []byte would be a body of no bytes
	if x.body != nil {
		body = x.body
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, x.method, u, body)
	if err != nil {
		return nil, err
	}
	h := req.Header
	if x.client.o.Secrets != nil {
		x.secrets = x.client.o.Secrets()
	}
	if x.client.o.Header != nil {
		x.client.o.Header(h)
	}
	for _, values := range h {
		for _, v := range values {
			x.secrets = append(x.secrets, v)
			if _, token, ok := strings.Cut(v, " "); ok {
				x.secrets = append(x.secrets, token)
			}
		}
	}
	if x.body != nil {
		h.Set("Content-Type", "application/json")
	}
	h.Set("Accept", "application/json")
	h.Set("User-Agent", "call-logs-mcp/"+x.client.o.Version)
	req.SetResponseHandler(x.read)
	return req, nil
}

// again is the CheckRetry. It is asked twice about an answer: before read, when
// there is nothing to say, and after.
func (x *exchange) again(ctx context.Context, _ *http.Response, err error) (bool, error) {
	if err == nil {
		return false, nil
	}
	if ctx.Err() == nil || x.last == nil {
		x.last = err
	}
	return ctx.Err() == nil && x.retryable(err), nil
}

func (x *exchange) retryable(err error) bool {
	if n := (*nonsense)(nil); errors.As(err, &n) {
		return x.nonsense < 2
	}
	if s := (*StatusError)(nil); errors.As(err, &s) {
		switch s.Code {
		case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return s.RetryAfter == nil ||
				*s.RetryAfter <= x.client.limits.Pause && time.Now().Add(*s.RetryAfter).Before(x.deadline)
		}
		return false
	}
	if x.hasty && errors.Is(err, syscall.ECONNREFUSED) {
		return false
	}
	return isBroken(err)
}

// backoff is full jitter over 0.5 s · 2^n, at most 20 s, and never less than
// the upstream asked for. See "Exponential Backoff And Jitter", AWS 2015.
func (x *exchange) backoff(_, _ time.Duration, n int, _ *http.Response) time.Duration {
	wait := time.Duration(rand.Int64N(int64(min(20*time.Second, 500*time.Millisecond<<min(n, 10)))))
	if s := (*StatusError)(nil); errors.As(x.last, &s) && s.RetryAfter != nil {
		wait = max(wait, *s.RetryAfter)
	}
	x.meta.Waited += wait
	return wait
}

// read is the response handler. It returns an error only where another attempt
// may help; else it leaves the error in x.last, so that the library keeps the
// connection.
func (x *exchange) read(resp *http.Response) error {
	defer resp.Body.Close()
	x.meta.Date, _ = http.ParseTime(resp.Header.Get("Date"))
	x.last = x.decode(resp)
	x.client.o.Logger.Debug("upstream answered", "upstream", x.client.o.Name, "method", x.method, "path", x.path,
		"status", resp.StatusCode, "attempt", x.meta.Attempts, "bytes", x.meta.Bytes)
	if n := (*nonsense)(nil); errors.As(x.last, &n) {
		x.nonsense++
	}
	if x.last != nil && x.retryable(x.last) {
		return x.last
	}
	return nil
}

func (x *exchange) decode(resp *http.Response) error {
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		e := &StatusError{Code: resp.StatusCode, Detail: quote(detail(text), x.secrets), RetryAfter: retryAfter(resp.Header)}
		if e.RetryAfter != nil && *e.RetryAfter > longestPause {
			e.Asked, *e.RetryAfter = *e.RetryAfter, longestPause
		}
		return e
	}
	limit := x.client.limits.Body
	if resp.ContentLength > limit {
		return errTooLarge
	}
	var b bytes.Buffer
	b.Grow(int(max(resp.ContentLength, 0)) + bytes.MinRead)
	_, err := b.ReadFrom(io.LimitReader(resp.Body, limit+1))
	text := b.Bytes()
	x.meta.Bytes = len(text)
	if int64(len(text)) > limit {
		return errTooLarge
	}
	switch {
	case err != nil && isCompression(err):
		return &nonsense{what: "answered with a damaged archive", err: err}
	case err != nil:
		return err
	}
	text = bytes.TrimPrefix(bytes.TrimSpace(text), []byte("\ufeff"))
	switch {
	case len(text) == 0:
		return &nonsense{what: "answered with nothing"}
	case text[0] == '<', strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		return &nonsense{what: "answered with a web page, not JSON"}
	}
	if key, twice := duplicate(text); twice {
		return &nonsense{what: "answered with JSON that has a key twice", err: fmt.Errorf("the key %s", quote(key, x.secrets))}
	}
	if err := unmarshal(text, x.into); err != nil {
		if words := Refused(""); errors.As(err, &words) {
			return &StatusError{Code: resp.StatusCode, Detail: quote(string(words), x.secrets)}
		}
		if !json.Valid(text) {
			return &nonsense{what: "answered with broken JSON", err: err}
		}
		return &nonsense{what: "answered with JSON of an unknown shape", err: err}
	}
	return nil
}

// unmarshal is json.Unmarshal, which reads a text three times before it hands
// it to an Unmarshaler. Lists of transcripts are large, so they get it at once.
func unmarshal(text []byte, v any) error {
	if u, ok := v.(json.Unmarshaler); ok {
		return u.UnmarshalJSON(text)
	}
	return json.Unmarshal(text, v)
}

// retryAfter reads a Retry-After in seconds or as a date (RFC 9110 §10.2.3),
// a date by the upstream's own clock where it tells it. Garbage is nil, and
// what lies behind us is nil too: a server that says so knows nothing.
func retryAfter(h http.Header) *time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(v, 10, 32); err == nil {
		if seconds < 0 {
			return nil
		}
		wait := time.Duration(seconds) * time.Second
		return &wait
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return nil
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	if wait := at.Sub(now); wait > 0 {
		return &wait
	}
	return nil
}
