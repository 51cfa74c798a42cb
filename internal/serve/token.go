package serve

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// tokenPrefix lets secret scanners know a token where it does not belong.
const tokenPrefix = "clm_"

// A tokenLine is one line of a token file. The token itself is not in it: 32
// random bytes need no slow hash.
type tokenLine struct {
	Name    string          `json:"name"`
	SHA256  string          `json:"sha256"`
	Scopes  []string        `json:"scopes"`
	Filter  json.RawMessage `json:"filter,omitempty"`
	Expires *time.Time      `json:"expires,omitempty"`
}

// token is a tokenLine that was checked.
type token struct {
	hash    [sha256.Size]byte
	who     Principal
	expires time.Time // zero for never
}

// NewToken makes a token called name: plain is for the caller, to be shown
// once, and line for the file of tokens. No scopes are CallsRead and
// TranscriptsRead. where is filters_v2 that narrows what may be seen, or "". A
// zero expiry is none.
func NewToken(name string, scopes []string, where string, expires time.Time) (plain, line string, err error) {
	if len(scopes) == 0 {
		scopes = []string{CallsRead, TranscriptsRead}
	}
	plain = tokenPrefix + base64.RawURLEncoding.EncodeToString(random(32))
	hash := sha256.Sum256([]byte(plain))
	l := tokenLine{Name: name, SHA256: hex.EncodeToString(hash[:]), Scopes: scopes, Filter: json.RawMessage(where)}
	if !expires.IsZero() {
		l.Expires = new(expires.UTC())
	}
	if _, err := l.check(); err != nil {
		return "", "", &ConfigError{err.Error()}
	}
	data, err := json.Marshal(l)
	return plain, string(data), err
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (l tokenLine) check() (t token, err error) {
	if !namePattern.MatchString(l.Name) {
		return t, fmt.Errorf("the name %q is not made of letters, digits, dots and dashes", l.Name)
	}
	hash, err := hex.DecodeString(l.SHA256)
	if err != nil || len(hash) != sha256.Size {
		return t, fmt.Errorf("sha256 of %s is not 64 hexadecimal digits", l.Name)
	}
	copy(t.hash[:], hash)
	for _, s := range l.Scopes {
		if !slices.Contains(Scopes(), s) {
			return t, fmt.Errorf("%s has the scope %q; scopes are %s", l.Name, s, strings.Join(Scopes(), ", "))
		}
	}
	if len(l.Scopes) == 0 {
		return t, fmt.Errorf("%s has no scopes; scopes are %s", l.Name, strings.Join(Scopes(), ", "))
	}
	where, err := lasting(l.Filter)
	if err != nil {
		return t, fmt.Errorf("the filter of %s: %w", l.Name, err)
	}
	if l.Expires != nil {
		t.expires = *l.Expires
	}
	t.who = Principal{Name: l.Name, Scopes: l.Scopes, Where: where}
	return t, nil
}

// lasting reads a filter that means the same whenever it is read. One on
// "the last 7 days" would be frozen on the day it was loaded.
func lasting(data []byte) (filter.Expr, error) {
	now := time.Now()
	where, err := filter.Parse(data, call.Fields(), filter.Clock{Now: now})
	if err != nil || where == nil {
		return nil, err
	}
	later, err := filter.Parse(data, call.Fields(), filter.Clock{Now: now.AddDate(1, 1, 1)})
	if err != nil || later.String() != where.String() {
		return nil, fmt.Errorf("relative times are not allowed here; give dates")
	}
	return where, nil
}

// readTokens reads a token file: one JSON object a line; empty lines and those
// that begin with # are skipped.
func readTokens(path string) ([]token, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var tokens []token
	names := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		var l tokenLine
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&l); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		t, err := l.check()
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if names[l.Name] {
			return nil, fmt.Errorf("line %d: a second token is named %s", n, l.Name)
		}
		names[l.Name] = true
		tokens = append(tokens, t)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(tokens) == 0 {
		return nil, errNoTokens
	}
	return tokens, nil
}

// byToken knows callers by the tokens of a file.
type byToken struct {
	tokens *watched[[]token]
	now    func() time.Time
}

// tokenGrace is for how long the last good tokens hold while their file cannot
// be read or makes no sense: what an editor saves by halves, or a mistake that
// somebody is mending. A revoked token must not outlive it.
const tokenGrace = 10 * time.Minute

// errNoTokens is a file that lets nobody in.
var errNoTokens = errors.New("there is no token in it; call-logs-mcp token new NAME makes one")

func newByToken(path string, logger *slog.Logger) (*byToken, error) {
	lasts := func(err error) time.Duration {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoTokens) {
			return 0 // whoever takes the tokens away means it
		}
		return tokenGrace
	}
	bad := func(err error, kept bool) {
		if kept {
			logger.Error("the tokens cannot be read again; the last ones hold for ten minutes", "err", err)
		} else {
			logger.Error("there are no tokens; nobody is let in", "err", err)
		}
	}
	w, err := watch(func() ([]token, error) { return readTokens(path) }, lasts, bad, path)
	if err != nil {
		return nil, wrong("--tokens %s: %v", path, err)
	}
	return &byToken{w, time.Now}, nil
}

// authenticate compares with every token, in time that tells nothing of them.
func (b *byToken) authenticate(_ context.Context, given string) (Principal, error) {
	hash := sha256.Sum256([]byte(given))
	var found *token
	tokens := b.tokens.get()
	for i := range tokens {
		if subtle.ConstantTimeCompare(hash[:], tokens[i].hash[:]) == 1 {
			found = &tokens[i]
		}
	}
	switch {
	case found == nil:
		return Principal{}, denied("unknown token")
	case !found.expires.IsZero() && !b.now().Before(found.expires):
		return Principal{}, denied("the token has expired; whoever runs this server can make another")
	}
	return found.who, nil
}
