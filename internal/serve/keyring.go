package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The pace of fetching keys. They are fetched anew every refresh, and for a
// key id that is unknown, but never more often than the pause: tokens are
// anybody's to make up. Where that fails the last ones hold for the outage.
const (
	keyRefresh = time.Hour
	keyPause   = 30 * time.Second
	keyOutage  = 24 * time.Hour
	keyTimeout = 5 * time.Second
	keyBytes   = 1 << 20
)

// A keyring holds the public keys of an authorization server.
type keyring struct {
	issuer     string
	algorithms []string
	client     *http.Client
	now        func() time.Time
	logger     *slog.Logger

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time     // when keys came
	tried   time.Time     // when they were last asked for
	under   chan struct{} // closed when the fetch under way is over; nil without one
}

func newKeyring(o OAuth, logger *slog.Logger) *keyring {
	k := &keyring{issuer: o.Issuer, algorithms: o.algorithms(), client: o.client, now: o.now, logger: logger}
	if k.client == nil {
		k.client = &http.Client{
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: keyTimeout},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return k
}

// find returns the keys with an id, or where the token names none, all, that
// sign by the algorithm.
func (k *keyring) find(ctx context.Context, id, algorithm string) ([]jose.JSONWebKey, error) {
	keys, under := k.have(id, algorithm)
	if len(keys) == 0 && under != nil {
		select {
		case <-under:
		case <-ctx.Done():
			return nil, errNoKeys
		}
		keys, _ = k.have(id, algorithm)
	}
	if len(keys) > 0 {
		return keys, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stale() {
		return nil, errNoKeys
	}
	return nil, denied("the token's key is unknown")
}

// have looks among the keys that are here, and begins to fetch others where
// that is due. It returns the end of the fetch under way.
func (k *keyring) have(id, algorithm string) (found []jose.JSONWebKey, under chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.stale() {
		for _, key := range k.keys {
			if (id == "" || key.KeyID == id) && (key.Algorithm == "" || key.Algorithm == algorithm) {
				found = append(found, key)
			}
		}
	}
	now := k.now()
	due := len(found) == 0 || now.Sub(k.fetched) >= keyRefresh
	if due && k.under == nil && (k.tried.IsZero() || now.Sub(k.tried) >= keyPause) {
		k.tried = now
		k.under = make(chan struct{})
		go k.fetch()
	}
	return found, k.under
}

// stale says whether the keys are too old to be believed, or none ever came.
func (k *keyring) stale() bool { return k.fetched.IsZero() || k.now().Sub(k.fetched) > keyOutage }

// fetch replaces the keys. It belongs to no request: others wait for it, too.
func (k *keyring) fetch() {
	ctx, cancel := context.WithTimeout(context.Background(), keyTimeout)
	defer cancel()
	keys, err := k.download(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.logger.Error("the authorization server's keys cannot be fetched; the last ones hold for a day", "since", k.fetched, "err", err)
	} else {
		k.keys, k.fetched = keys, k.now()
	}
	close(k.under)
	k.under = nil
}

// download reads the issuer's metadata, of OpenID Connect or of RFC 8414, and
// the keys it points to.
func (k *keyring) download(ctx context.Context) (keys []jose.JSONWebKey, err error) {
	var meta struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	for _, at := range metadataURLs(k.issuer) {
		if err = k.get(ctx, at, &meta); err == nil {
			break
		}
	}
	switch {
	case err != nil:
		return nil, err
	case meta.Issuer != k.issuer:
		return nil, fmt.Errorf("oauth: the metadata of %s is of another issuer, %q", k.issuer, meta.Issuer)
	case !safeURL(meta.Keys):
		return nil, fmt.Errorf("oauth: the keys of %s are not at an https URL", k.issuer)
	}
	var set jose.JSONWebKeySet
	if err := k.get(ctx, meta.Keys, &set); err != nil {
		return nil, err
	}
	for _, key := range set.Keys {
		if key.Valid() && key.IsPublic() && (key.Use == "" || key.Use == "sig") {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("oauth: %s holds no key to check signatures with", meta.Keys)
	}
	return keys, nil
}

func metadataURLs(issuer string) []string {
	urls := []string{strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"}
	if u, err := url.Parse(issuer); err == nil {
		u.Path = "/.well-known/oauth-authorization-server" + strings.TrimSuffix(u.Path, "/")
		urls = append(urls, u.String())
	}
	return urls
}

func (k *keyring) get(ctx context.Context, at string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return fmt.Errorf("oauth: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := k.client.Do(req)
	if err != nil {
		return fmt.Errorf("oauth: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("oauth: %s: %s", at, resp.Status)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, keyBytes)).Decode(into); err != nil {
		return fmt.Errorf("oauth: %s: %w", at, err)
	}
	return nil
}
