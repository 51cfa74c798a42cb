package config

import (
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"call-logs-mcp/client/provider"
)

// settle finds what the grammar cannot say, and fills in what follows from the
// environment and the file.
func (c *Config) settle(providers []provider.Spec, parsed *kong.Context, f *file, env func(string) string) error {
	if c.Command == NewToken {
		return c.Token.settle(env)
	}
	for _, file := range c.Data {
		if file == "-" {
			return Mistake("--data cannot be stdin, which is the client's")
		}
	}
	own := ownSources(providers, parsed)
	for _, err := range []error{checkURLs(providers, own), checkFlags(parsed, false), c.Purge.check(c.Command)} {
		if err != nil {
			return err
		}
	}
	if err := c.learn(providers, own, f, env); err != nil {
		return err
	}
	if err := c.share(env); err != nil {
		return err
	}
	if err := c.heard(parsed); err != nil {
		return err
	}
	if err := c.place(env); err != nil {
		return err
	}
	if err := c.keeps(); err != nil {
		return err
	}
	if c.Command != Serve {
		return nil
	}
	if err := c.Traces.settle(given(parsed, "otlp-endpoint"), env); err != nil {
		return err
	}
	return c.HTTP.settle(parsed, env)
}

// given says whether the command line itself has a flag.
func given(parsed *kong.Context, flag string) bool {
	return slices.ContainsFunc(parsed.Path, func(p *kong.Path) bool { return p.Flag != nil && !p.Resolved && p.Flag.Name == flag })
}

// flagged is err as a mistake in the flag name.
func flagged(name string, err error) error {
	if err == nil {
		return nil
	}
	return Mistake("%s %v", name, err)
}

// The variable of Options.CursorSecret, and the least characters of its value:
// who guesses it can make cursors, though none that show what is not his.
const (
	cursorVariable = "CALL_LOGS_CURSOR_SECRET"
	cursorLength   = 32
)

// share takes the secret that several instances seal cursors with.
func (o *Options) share(env func(string) string) (err error) {
	if o.CursorSecret, err = secret(cursorVariable, env); err != nil {
		return err
	}
	if n := len(o.CursorSecret.Reveal()); n > 0 && n < cursorLength {
		return Mistake("%s has %d characters; give it at least %d, such as openssl rand -hex 32 prints", cursorVariable, n, cursorLength)
	}
	return nil
}

// heard refuses flags that nothing would hear: those of a provider whose
// sources all have names of their own, and those of HTTP where stdin is served.
func (c *Config) heard(parsed *kong.Context) error {
	for _, p := range parsed.Path {
		if p.Flag == nil || p.Resolved || p.Flag.Group == nil {
			continue
		}
		key := p.Flag.Group.Key
		if key == "http" && c.HTTP.Addr == "" {
			return Mistake("--%s is about HTTP, and stdin is served; add --http ADDR", p.Flag.Name)
		}
		isNamed := func(s SourceConfig) bool { return s.Provider == key }
		isOwn := func(s SourceConfig) bool { return s.Name == key }
		if slices.ContainsFunc(c.sources, isNamed) && !slices.ContainsFunc(c.sources, isOwn) {
			return Mistake("--%s is about a source named %s, and those in the file have other names; say it there", p.Flag.Name, key)
		}
	}
	return nil
}

// check wants something to remove, and not both a part and the whole.
func (p PurgeCall) check(command Command) error {
	if command != Purge {
		return nil
	}
	part := p.Source != "" || p.Before != "" || len(p.Calls) > 0 || p.Number != ""
	switch {
	case p.All && part:
		return Mistake("--all removes everything, and another flag asks for a part; give one of the two")
	case !p.All && !part:
		return Mistake("nothing says what to remove; give --source, --before, --call, --number or --all")
	case p.Forget && (p.All || p.Source != "" || p.Before != "" || len(p.Calls) == 0 && p.Number == ""):
		return Mistake("--forget is of calls and numbers alone; give --call or --number, and nothing else")
	}
	return nil
}

var tokenName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (t *TokenCall) settle(env func(string) string) error {
	if !tokenName.MatchString(t.Name) {
		return Mistake("a token's name must begin with a letter or digit and have at most 64 of letters, digits and . _ -")
	}
	var filter map[string]any
	if err := json.Unmarshal([]byte(t.Filter), &filter); t.Filter != "" && (err != nil || len(filter) == 0) {
		return Mistake(`--filter must be a JSON object such as {"field":"agent.id","op":"eq","value":12}`)
	}
	if t.Tokens == "" {
		if t.Tokens = beside(env, "tokens"); t.Tokens == "" {
			return Mistake("nothing says where tokens are kept; give --tokens FILE")
		}
	}
	return nil
}

// checkURL allows https, and plain http on loopback alone: a key travels with
// every request. It does not repeat the URL, which may hold a password.
func checkURL(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return errors.New("is not a URL such as https://api.example.com")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return errors.New("must not hold a user, a query or a fragment")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return errors.New("must be https: the key would be sent in the clear; plain http is for loopback only")
	}
	return nil
}

func loopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
