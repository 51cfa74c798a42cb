package rest

import (
	"cmp"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"call-logs-mcp/internal/call"
)

// The ways out that several failures share.
const (
	askOperator = "Retrying will not help; ask the person who runs this server to check it."
	later       = "Try again in a few minutes."
	askLess     = "Try again later; where many calls were asked for, ask for fewer or a narrower window."
)

// failure names err for its three readers.
func (x *exchange) failure(parent context.Context, err error) *call.Error {
	e := x.explain(parent, err)
	sent := x.meta.Attempts
	if errors.Is(err, errPaced) { // the last of them was not
		sent--
	}
	e.Err = fmt.Errorf("%s: %s %s: %d sent: %w", x.client.o.Name, x.method, x.path, max(0, sent), bare(err, x.secrets))
	return e
}

func (x *exchange) explain(parent context.Context, err error) *call.Error {
	name := x.client.o.Name
	switch cause := parent.Err(); {
	case errors.Is(cause, context.Canceled):
		return &call.Error{Kind: call.Canceled, Msg: "The question to " + name + " was canceled."}
	case cause != nil:
		return &call.Error{Kind: call.Timeout, Msg: name + " did not answer in the time there was.", Hint: askLess}
	}
	if s := (*StatusError)(nil); errors.As(err, &s) {
		return x.status(s)
	}
	if n := (*nonsense)(nil); errors.As(err, &n) {
		if strings.Contains(n.what, "web page") {
			return &call.Error{Kind: call.Unavailable, Msg: fmt.Sprintf("%s %s; check %s.", name, n.what, x.baseName()), Hint: askOperator}
		}
		return &call.Error{Kind: call.Unavailable, Msg: fmt.Sprintf("%s %s, %s.", name, n.what, x.tries()), Hint: later}
	}
	switch {
	case errors.Is(err, errTooLarge):
		return &call.Error{
			Kind: call.TooLarge,
			Msg:  fmt.Sprintf("%s answered with more than %d MiB.", name, x.client.limits.Body>>20),
			Hint: askLess,
		}
	case errors.Is(err, errElsewhere):
		return &call.Error{
			Kind: call.Unavailable,
			Msg:  fmt.Sprintf("%s sends us to another host, where its key must not go; check %s.", name, x.baseName()),
			Hint: askOperator,
		}
	case errors.Is(err, errRedirects):
		return &call.Error{Kind: call.Unavailable, Msg: fmt.Sprintf("%s sends us in circles; check %s.", name, x.baseName()), Hint: askOperator}
	case errors.Is(err, errPaced):
		return &call.Error{
			Kind: call.RateLimited,
			Msg:  fmt.Sprintf("Too many questions to %s are waiting for their turn.", name),
			Hint: "Wait for the answers under way, then ask again.",
		}
	case errors.Is(err, errStalled):
		return &call.Error{Kind: call.Timeout, Msg: name + " began to answer and then stalled.", Hint: askLess}
	}
	return x.network(err)
}

// status explains an answer with an error status.
func (x *exchange) status(s *StatusError) *call.Error {
	name, said := x.client.o.Name, "."
	if s.Detail != "" {
		said = ": «" + s.Detail + "»."
	}
	key := cmp.Or(x.client.o.KeyName, "its key")
	switch code := s.Code; {
	case code < 300 && strings.Contains(strings.ToLower(s.Detail), "not found"):
		return &call.Error{Kind: call.NotFound, Msg: name + " has nothing there" + said}
	case code < 300:
		return &call.Error{Kind: call.Unavailable, Msg: name + " answered with an error" + said, Hint: later}
	case code == http.StatusUnauthorized:
		return &call.Error{Kind: call.Unauthorized, Msg: fmt.Sprintf("%s refused the key in %s (401).", name, key), Hint: askOperator}
	case code == http.StatusForbidden:
		return &call.Error{Kind: call.Forbidden, Msg: fmt.Sprintf("%s does not let the key in %s read this (403)%s", name, key, said), Hint: askOperator}
	case code == http.StatusNotFound, code == http.StatusGone:
		return &call.Error{Kind: call.NotFound, Msg: fmt.Sprintf("%s has nothing there (%d)%s", name, code, said)}
	case code == http.StatusRequestTimeout:
		return &call.Error{Kind: call.Timeout, Msg: name + " did not answer in time (408).", Hint: askLess}
	case code == http.StatusRequestEntityTooLarge:
		return &call.Error{Kind: call.TooLarge, Msg: fmt.Sprintf("%s finds the question too large (%d).", name, code), Hint: askLess}
	case code == http.StatusTooManyRequests:
		return x.limited(s)
	case code >= 500:
		msg := fmt.Sprintf("%s is failing (%d), %s.", name, code, x.tries())
		if s.RetryAfter != nil {
			if s.Asked > 0 {
				return &call.Error{Kind: call.Unavailable, Msg: msg, Hint: "It asks to be tried again in " + seconds(s.Asked) + ", which is more than is believed; try again in " + seconds(*s.RetryAfter) + "."}
			}
			return &call.Error{Kind: call.Unavailable, Msg: msg, Hint: "It asks to be tried again in " + seconds(*s.RetryAfter) + "."}
		}
		return &call.Error{Kind: call.Unavailable, Msg: msg, Hint: later}
	case code >= 400:
		return &call.Error{
			Kind: call.Invalid,
			Msg:  fmt.Sprintf("%s refused the question (%d)%s", name, code, said),
			Hint: "Ask differently; the same question will be refused again.",
		}
	}
	return &call.Error{Kind: call.Unavailable, Msg: fmt.Sprintf("%s answered with status %d, which makes no sense here.", name, s.Code), Hint: later}
}

// limited explains a 429 that was not waited for, or not for long enough.
func (x *exchange) limited(s *StatusError) *call.Error {
	msg := x.client.o.Name + " asks for fewer requests (429)"
	if x.meta.Waited > 0 {
		msg += ", after waiting " + seconds(x.meta.Waited)
	}
	if s.RetryAfter == nil {
		return &call.Error{Kind: call.RateLimited, Msg: msg + ".", Hint: "It does not say for how long; try again in a minute."}
	}
	left := seconds(*s.RetryAfter)
	if s.Asked > 0 {
		msg += ", and to wait for " + seconds(s.Asked) + ", which is more than is believed"
	}
	return &call.Error{
		Kind: call.RateLimited,
		Msg:  fmt.Sprintf("%s; it allows the next request in %s.", msg, left),
		Hint: "Try again in " + left + ".",
	}
}

// network explains why no answer came at all.
func (x *exchange) network(err error) *call.Error {
	name, host := x.client.o.Name, x.client.base.Hostname()
	unavailable := func(hint, format string, args ...any) *call.Error {
		return &call.Error{Kind: call.Unavailable, Msg: fmt.Sprintf(format, args...), Hint: hint}
	}
	var (
		dns     *net.DNSError
		op      *net.OpError
		timeout net.Error
	)
	slow := errors.Is(err, errExchange) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
	switch {
	case errors.As(err, &dns):
		return unavailable(later, "%s cannot be reached: the name %s is not found (DNS); check %s and the network.", name, host, x.baseName())
	case isCertificate(err):
		return unavailable(askOperator, "%s cannot be trusted: the certificate of %s %s.", name, host, certificate(err))
	case isPlain(err):
		return unavailable(askOperator, "%s does not speak TLS at %s; check %s.", name, x.client.base.Host, x.baseName())
	case errors.As(err, &op) && op.Op == "dial" && slow:
		return unavailable(later, "%s cannot be reached: no connection to %s in time.", name, host)
	case slow:
		return &call.Error{Kind: call.Timeout, Msg: name + " did not answer in time.", Hint: askLess}
	case errors.Is(err, syscall.ECONNREFUSED):
		return unavailable(later, "%s cannot be reached: %s refuses the connection.", name, host)
	case isHeader(err):
		return &call.Error{
			Kind: call.Unauthorized,
			Msg:  fmt.Sprintf("The key in %s holds characters that no header can carry, such as a line break.", cmp.Or(x.client.o.KeyName, "use")),
			Hint: askOperator,
		}
	}
	return unavailable(later, "%s broke off the connection, %s.", name, x.tries())
}

func (x *exchange) baseName() string { return cmp.Or(x.client.o.BaseName, "its base URL") }

func (x *exchange) tries() string {
	if x.meta.Attempts < 2 {
		return "at the first try"
	}
	return fmt.Sprintf("%d times", x.meta.Attempts)
}

// seconds rounds up, so that who waits so long has waited enough.
func seconds(d time.Duration) string {
	return fmt.Sprintf("%d s", (d+time.Second-1)/time.Second)
}

// isBroken reports whether err is a connection that failed in a way that the
// next one may not. What took its time already is not tried again: the caller
// does better to ask for less.
func isBroken(err error) bool {
	for _, no := range []error{
		errElsewhere, errRedirects, errPaced, errExchange, errStalled, errTooLarge,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, no) {
			return false
		}
	}
	var (
		timeout net.Error
		dns     *net.DNSError
	)
	switch {
	case errors.As(err, &timeout) && timeout.Timeout(), errors.As(err, &dns) && dns.IsNotFound:
		return false
	case isCertificate(err), isPlain(err), isHeader(err):
		return false
	}
	return true
}

func isCertificate(err error) bool { return certificate(err) != "" }

// certificate says what is wrong with the certificate that err is about.
func certificate(err error) string {
	var (
		invalid *x509.CertificateInvalidError
		byValue x509.CertificateInvalidError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
		other   *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired, errors.As(err, &byValue) && byValue.Reason == x509.Expired:
		return "has expired or is not valid yet"
	case errors.As(err, &host):
		return "was issued for another name"
	case errors.As(err, &unknown):
		return "was issued by an authority that this machine does not know"
	case errors.As(err, &other), errors.As(err, &byValue):
		return "is not valid"
	}
	return ""
}

// isPlain reports a server that talks plain HTTP where TLS is due. net/http has
// no type for one of the two ways to notice.
func isPlain(err error) bool {
	var record tls.RecordHeaderError
	return errors.As(err, &record) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// isHeader reports a key that cannot be sent; net/http has no type for it.
func isHeader(err error) bool { return strings.Contains(err.Error(), "invalid header field value") }

// isCompression reports an answer that is not compressed as it says.
func isCompression(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt)
}

// bare is err without the URL that net/http puts before it, whose query may
// hold phone numbers, and without secrets.
func bare(err error, secrets []string) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	if text := err.Error(); blot(text, secrets) != text {
		return errors.New(blot(text, secrets))
	}
	return err
}
