package serve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"call-logs-mcp/internal/filter"
)

// OAuth says whose access tokens are accepted: OAuth 2.1 with JWTs, as a
// resource server.
type OAuth struct {
	Issuer   string // exact, as tokens and its metadata have it
	Audience string // exact, one of the token's
	// Resource is the address of the MCP endpoint by which clients know it; ""
	// is Audience.
	Resource string
	// Algorithms are what a token may be signed with; none are RS256, PS256,
	// ES256 and EdDSA. Those with a shared secret are never accepted.
	Algorithms []string
	// FilterClaim names the claim that holds the principal's filter, as
	// filters_v2 or as a string of it. A token without it is then refused. ""
	// lets every principal see every call.
	FilterClaim string

	client *http.Client // of tests
	now    func() time.Time
}

func (o OAuth) resource() string {
	if o.Resource != "" {
		return o.Resource
	}
	return o.Audience
}

func (o OAuth) algorithms() []string {
	if len(o.Algorithms) > 0 {
		return o.Algorithms
	}
	return []string{oidc.RS256, oidc.PS256, oidc.ES256, oidc.EdDSA}
}

func (o OAuth) check() error {
	if o.Issuer == "" || o.Audience == "" {
		return wrong("--auth oauth needs --oauth-issuer URL and --oauth-audience URI")
	}
	if !safeURL(o.Issuer) {
		return wrong("--oauth-issuer must be an https URL")
	}
	if !safeURL(o.resource()) {
		return wrong("--oauth-audience must be the https URL of the MCP endpoint, such as https://mcp.example.com/mcp, or --oauth-resource be given")
	}
	for _, a := range o.Algorithms {
		if !slices.Contains([]string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}, a) {
			return wrong("%q is no algorithm that tokens may be signed with", a)
		}
	}
	return nil
}

// safeURL says whether s is https, or http on loopback.
func safeURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && u.User == nil && u.Fragment == "" &&
		(u.Scheme == "https" || u.Scheme == "http" && loopbackHost(u.Hostname()))
}

// leeway is how far clocks may differ.
const leeway = 30 * time.Second

// byOAuth knows callers by the access tokens of an authorization server.
type byOAuth struct {
	OAuth
	keys *keyring
}

func newByOAuth(o OAuth, logger *slog.Logger) *byOAuth {
	if o.now == nil {
		o.now = time.Now
	}
	return &byOAuth{o, newKeyring(o, logger)}
}

// verify checks the signature, first and apart because go-oidc keeps only the
// words of a key set's errors, and then whatever else go-oidc does.
func (b *byOAuth) verify(ctx context.Context, given string) (*oidc.IDToken, error) {
	payload, err := b.keys.verify(ctx, given)
	if err != nil {
		return nil, err
	}
	t, err := oidc.NewVerifier(b.Issuer, checked{given, payload}, &oidc.Config{
		SupportedSigningAlgs: b.algorithms(),
		SkipClientIDCheck:    true, // an access token is for its audience, checked below
		SkipExpiryCheck:      true, // with our leeway
		Now:                  b.now,
	}).Verify(ctx, given)
	if err != nil {
		return nil, errStranger
	}
	return t, nil
}

// checked is the key set of one token whose signature has been checked.
type checked struct {
	token   string
	payload []byte
}

// VerifySignature implements oidc.KeySet.
func (c checked) VerifySignature(_ context.Context, token string) ([]byte, error) {
	if token != c.token {
		return nil, errStranger
	}
	return c.payload, nil
}

// errStranger is the refusal of what is no token of the issuer at all.
const errStranger = denied("the token is not one of this server's issuer")

// claims are those of an access token (RFC 9068).
type claims struct {
	Subject  string          `json:"sub"`
	ClientID string          `json:"client_id"`
	Expires  *float64        `json:"exp"`
	From     *float64        `json:"nbf"`
	Issued   *float64        `json:"iat"`
	Scope    json.RawMessage `json:"scope"`
	Scp      json.RawMessage `json:"scp"`
}

func (b *byOAuth) authenticate(ctx context.Context, given string) (Principal, error) {
	t, err := b.verify(ctx, given)
	if err != nil {
		return Principal{}, err
	}
	var c claims
	if err := t.Claims(&c); err != nil {
		return Principal{}, denied("the claims of the token are malformed")
	}
	who := c.Subject + "\x00" + c.ClientID
	switch at := float64(b.now().Unix()); {
	case t.Issuer != b.Issuer: // the library lets one vendor write it in two ways
		return Principal{}, denied("wrong issuer")
	case !slices.Contains(t.Audience, b.Audience):
		return Principal{}, denied("wrong audience")
	case c.Expires == nil:
		return Principal{}, denied("the token never expires")
	case at >= *c.Expires+leeway.Seconds():
		return Principal{}, denied("the token has expired")
	case c.From != nil && at < *c.From-leeway.Seconds(), c.Issued != nil && at < *c.Issued-leeway.Seconds():
		return Principal{}, denied("the token is not valid yet")
	case c.Subject == "" && c.ClientID == "":
		return Principal{}, denied("the token says not whose it is")
	}
	where, err := b.where(t)
	if err != nil {
		return Principal{}, err
	}
	// A subject may be an address of somebody's, and would stand in every log.
	sum := sha256.Sum256([]byte(b.Issuer + "\x00" + who))
	return Principal{"oauth-" + hex.EncodeToString(sum[:8]), granted(c.Scope, c.Scp), where}, nil
}

// where is the filter in the token.
func (b *byOAuth) where(t *oidc.IDToken) (filter.Expr, error) {
	if b.FilterClaim == "" {
		return nil, nil
	}
	var all map[string]json.RawMessage
	if err := t.Claims(&all); err != nil {
		return nil, denied("the claims of the token are malformed")
	}
	data := []byte(all[b.FilterClaim])
	var text string
	if json.Unmarshal(data, &text) == nil {
		data = []byte(text)
	}
	where, err := lasting(data)
	if err != nil || where == nil {
		return nil, denied(fmt.Sprintf("the claim %s holds no filter", strings.Map(plainWord, b.FilterClaim)))
	}
	return where, nil
}

// plainWord drops what may not stand between quotes in a header.
func plainWord(r rune) rune {
	if r < ' ' || r > '~' || r == '"' || r == '\\' {
		return -1
	}
	return r
}

// granted are our scopes in a claim: a list in words, or one of JSON, under
// the name of the standard or that of some vendors.
func granted(given ...json.RawMessage) (out []string) {
	for _, data := range given {
		var words string
		var list []string
		if json.Unmarshal(data, &words) == nil {
			list = strings.Fields(words)
		} else if json.Unmarshal(data, &list) != nil {
			continue
		}
		for _, s := range Scopes() {
			if slices.Contains(list, s) && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// verify returns what a token says if one of the keys signed it.
func (k *keyring) verify(ctx context.Context, token string) ([]byte, error) {
	algorithms := make([]jose.SignatureAlgorithm, len(k.algorithms))
	for i, a := range k.algorithms {
		algorithms[i] = jose.SignatureAlgorithm(a)
	}
	signed, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, errStranger
	}
	header := signed.Signatures[0].Header
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	if typ != "" && typ != "jwt" && typ != "at+jwt" {
		return nil, denied("the token is of another type")
	}
	keys, err := k.find(ctx, header.KeyID, header.Algorithm)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if payload, err := signed.Verify(key); err == nil {
			return payload, nil
		}
	}
	return nil, denied("the token's signature is not of this server's issuer")
}
