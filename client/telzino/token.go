package telzino

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"call-logs-mcp/client/loose"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
)

// The names that the operator sets, for messages.
const (
	tokenName  = "TELZINO_TOKEN"
	clientName = "TELZINO_CLIENT_ID and TELZINO_CLIENT_SECRET"
)

// audience is what Telzino's tokens are for, whatever the base URL is.
const audience = "https://api.telzino.com/"

// tokens keeps the access token. oauth2 says when it expires; asking is ours,
// since Telzino takes its client credentials as JSON.
type tokens struct {
	keyName string
	ready   func() string // the operator's own token; nil where there is a client

	ask *issuer

	mu    sync.Mutex
	token *oauth2.Token // nil before the first, and where it was given up
	asked *asking       // nil where no token is asked for now
	last  string        // the newest token
	bad   string        // the one that was refused last
}

// An asking is one request for a token, and how many questions wait for it. It
// ends with the last of them.
type asking struct {
	waiting int
	cancel  context.CancelFunc
	done    chan struct{} // closed when token and err are known
	token   *oauth2.Token
	err     error
}

func newTokens(o provider.Options) (*tokens, error) {
	id, secret := o.Secret(clientID), func() string { return o.Secret(clientSecret) }
	if id == "" || secret() == "" {
		if o.Secret(readyToken) == "" {
			return nil, errNoKey
		}
		return &tokens{keyName: cmp.Or(o.KeyName, tokenName), ready: func() string { return o.Secret(readyToken) }}, nil
	}
	name := cmp.Or(o.KeyName, clientName)
	api, err := rest.New(rest.Options{
		Name: "Telzino", BaseURL: o.BaseURL, KeyName: name, BaseName: o.BaseName,
		Secrets:   func() []string { return []string{secret()} },
		Transport: o.Transport, Logger: o.Logger, Version: o.Version, Limits: o.Limits,
	})
	if err != nil {
		return nil, err
	}
	ask := &issuer{api: api, id: id, secret: secret, keyName: name, baseName: o.BaseName}
	return &tokens{keyName: name, ask: ask}, nil
}

// current is the token of the requests that are sent now.
func (t *tokens) current() string {
	if t.ready != nil {
		return t.ready()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// fetch makes current a token that is valid, and returns it. Those who need one
// at the same time share one request; who leaves ends it only for the last.
func (t *tokens) fetch(ctx context.Context) (string, error) {
	if t.ready != nil {
		return t.current(), nil
	}
	t.mu.Lock()
	if t.token.Valid() {
		defer t.mu.Unlock()
		return t.token.AccessToken, nil
	}
	a := t.asked
	if a == nil {
		a = t.start()
	}
	a.waiting++
	t.mu.Unlock()
	select {
	case <-ctx.Done():
		t.leave(a)
		return "", call.Stopped(ctx.Err())
	case <-a.done:
		if a.err != nil {
			return "", a.err
		}
		return a.token.AccessToken, nil
	}
}

// start asks for a token, for all who wait. The caller holds the lock.
func (t *tokens) start() *asking {
	ctx, cancel := context.WithCancel(context.Background()) // of no question alone
	a := &asking{cancel: cancel, done: make(chan struct{})}
	t.asked = a
	go func() {
		defer cancel()
		a.token, a.err = t.ask.token(ctx)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.asked == a {
			t.asked = nil
			if a.err == nil {
				t.token, t.last = a.token, a.token.AccessToken
			}
		}
		close(a.done)
	}()
	return a
}

// leave is one fewer who waits for a.
func (t *tokens) leave(a *asking) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.waiting--; a.waiting == 0 {
		a.cancel()
		if t.asked == a {
			t.asked = nil // who comes now asks anew
		}
	}
}

// drop gives up a token that was refused, unless another has taken its place.
// It returns false where there is no way to get another.
func (t *tokens) drop(refused string) bool {
	if t.ready != nil {
		return t.current() != refused // rotated in the meantime
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == refused && t.bad != refused { // else another question has seen to it
		t.bad, t.token = refused, nil
	}
	return true
}

// issuer is the token endpoint.
type issuer struct {
	api    *rest.Client
	id     string
	secret func() string

	keyName, baseName string
}

// token asks for a token. It counts as expired a tenth of its life early, and
// at most five minutes, so that none expires on its way.
func (i *issuer) token(ctx context.Context) (*oauth2.Token, error) {
	var answer struct {
		AccessToken loose.Text   `json:"access_token"`
		ExpiresIn   loose.Number `json:"expires_in"` // seconds
	}
	asked := time.Now()
	_, err := i.api.Post(ctx, rest.Path("oauth", "token"), map[string]string{
		"client_id": i.id, "client_secret": i.secret(), "audience": audience, "grant_type": "client_credentials",
	}, &answer)
	if err != nil {
		return nil, refused(err, i.keyName)
	}
	if answer.AccessToken == "" {
		return nil, &call.Error{Kind: call.Unavailable, Msg: "Telzino answered without a token; check " + i.baseName + ".", Hint: askOperator}
	}
	token := &oauth2.Token{AccessToken: string(answer.AccessToken)}
	if seconds := answer.ExpiresIn.V; seconds != nil && *seconds > 0 && *seconds < 1e9 {
		life := time.Duration(*seconds * float64(time.Second))
		token.Expiry = asked.Add(life - min(life/10, 5*time.Minute))
	}
	return token, nil
}

const askOperator = "Retrying will not help; ask the person who runs this server to check it."

// refused says of the client credentials what rest says of a key.
func refused(err error, keyName string) error {
	s := (*rest.StatusError)(nil)
	if !errors.As(err, &s) || s.Code != http.StatusBadRequest && s.Code != http.StatusUnauthorized && s.Code != http.StatusForbidden {
		return err
	}
	return &call.Error{
		Kind: call.Unauthorized,
		Msg:  "Telzino refused the client in " + keyName + " (" + strconv.Itoa(s.Code) + ").",
		Hint: askOperator,
		Err:  err,
	}
}

// get asks for a page, from 0, of a list. A token that is refused is dropped
// and the question put once more with another.
func (s *source) get(ctx context.Context, path string, page, size int, v any) (rest.Meta, error) {
	query := url.Values{"page": {strconv.Itoa(page + 1)}, "limit": {strconv.Itoa(size)}}
	for again := true; ; again = false {
		token, err := s.tokens.fetch(ctx)
		if err != nil {
			return rest.Meta{}, err
		}
		meta, err := s.api.Get(ctx, path, query, v)
		var status *rest.StatusError
		if !again || !errors.As(err, &status) || status.Code != http.StatusUnauthorized || !s.tokens.drop(token) {
			return meta, err
		}
	}
}
