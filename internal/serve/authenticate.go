package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/server"
)

// An authenticator knows whose a bearer token is. It answers a denied error
// for nobody's, and errNoKeys where that cannot be told at present.
type authenticator interface {
	authenticate(ctx context.Context, token string) (Principal, error)
}

// denied is why a token is refused, in words that tell a caller with a good
// token how to mend it, and any other nothing.
type denied string

func (d denied) Error() string { return string(d) }

var errNoKeys = errors.New("the keys of the authorization server cannot be fetched")

// longestToken is far over any real one.
const longestToken = 16 << 10

// bearer is the token of r, as RFC 6750 has it in the header; "" where there
// is none. Tokens in a URL or a form end up in logs and are not looked for.
func bearer(r *http.Request) (token string, err error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if len(values) > 1 {
		return "", denied("more than one Authorization header")
	}
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	token = strings.Trim(token, " ")
	if token == "" || len(token) > longestToken || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") != "" {
		return "", denied("malformed token")
	}
	return token, nil
}

// A challenger writes WWW-Authenticate: RFC 6750, with the address of the
// protected resource's metadata as RFC 9728 has it where there is one.
type challenger struct {
	metadata string
}

// missing asks for a token.
func (c challenger) missing(w http.ResponseWriter) {
	c.write(w, "", "", CallsRead, TranscriptsRead)
}

// invalid says that the token was no good, and why.
func (c challenger) invalid(w http.ResponseWriter, why denied) {
	c.write(w, "invalid_token", string(why), CallsRead, TranscriptsRead)
}

// insufficient asks for a token with one more scope.
func (c challenger) insufficient(w http.ResponseWriter, p Principal, scope string) {
	var want []string
	for _, s := range Scopes() {
		if s == scope || s == CallsRead || slices.Contains(p.Scopes, s) {
			want = append(want, s)
		}
	}
	c.write(w, "insufficient_scope", "this needs "+scope, want...)
}

func (c challenger) write(w http.ResponseWriter, code, words string, scopes ...string) {
	params := []string{`realm="call-logs-mcp"`}
	if code != "" {
		params = append(params, fmt.Sprintf(`error="%s", error_description="%s"`, code, words))
	}
	params = append(params, fmt.Sprintf(`scope="%s"`, strings.Join(scopes, " ")))
	if c.metadata != "" {
		params = append(params, fmt.Sprintf(`resource_metadata="%s"`, c.metadata))
	}
	w.Header().Set("WWW-Authenticate", "Bearer "+strings.Join(params, ", "))
}

// wellKnown is the path of the protected resource's metadata (RFC 9728).
const wellKnown = server.WellKnownProtectedResourcePath

// describe is the handler of the metadata and its address.
func describe(o OAuth) (h http.Handler, at string) {
	h = server.NewProtectedResourceMetadataHandler(server.ProtectedResourceMetadataConfig{
		Resource: o.resource(), AuthorizationServers: []string{o.Issuer}, ScopesSupported: Scopes(),
		BearerMethodsSupported: []string{"header"}, ResourceName: "Call logs",
	})
	u, err := url.Parse(o.resource())
	if err != nil {
		return h, ""
	}
	return h, u.Scheme + "://" + u.Host + server.ProtectedResourceMetadataPath(o.resource())
}
