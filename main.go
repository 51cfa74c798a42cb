// Call-logs-mcp lets AI assistants read the call logs of voice agents.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/serve"
)

// version is set when the binary is built.
var version = "dev"

// How much the heap may grow between collections, in percent, unless GOGC says:
// an assistant's helper should be small before it is fast, a team's server not.
const (
	smallHeap = 50
	fastHeap  = 100
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	signal.Ignore(syscall.SIGPIPE) // a client that closes its end is no crash
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(smallHeap)
	}
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, errTold) {
		fmt.Fprintln(os.Stderr, "call-logs-mcp:", err)
	}
	os.Exit(config.ExitCode(err))
}

// run is the whole program. Stdout is the wire, so it logs to stderr alone.
func run(ctx context.Context, args []string, env func(string) string, in io.Reader, out, stderr io.Writer) error {
	cfg, err := config.Parse(args, env, out)
	if err != nil {
		return err
	}
	switch cfg.Command {
	case config.Help:
		return nil
	case config.Version:
		_, err := fmt.Fprintln(out, "call-logs-mcp", version)
		return err
	}
	logger := cfg.Log.Logger(stderr)
	if cfg.Command == config.NewToken {
		return newToken(cfg.Token, time.Now(), out)
	}
	h, err := open(cfg.Options, logger, time.Now)
	if err != nil {
		return err
	}
	switch cfg.Command {
	case config.Demo:
		return h.walk(ctx, out)
	case config.Tool:
		return h.tool(ctx, cfg.Tool, out)
	case config.Doctor:
		return h.doctor(ctx, out)
	case config.Sync:
		return h.sync(ctx, cfg, stderr)
	case config.Status:
		return h.status(ctx, cfg, out)
	case config.Purge:
		return h.purge(ctx, cfg, in, out)
	}
	return h.serve(ctx, cfg, in, out)
}

// serve serves MCP until ctx is over or, over stdio, in ends.
func (h *house) serve(ctx context.Context, cfg config.Config, in io.Reader, out io.Writer) error {
	if cfg.Traces.Endpoint != "" {
		p, stop, err := serve.Export(ctx, cfg.Traces.Endpoint, version, h.logger)
		if err != nil {
			return err
		}
		defer stop()
		h.traces = p
	}
	s, err := h.server()
	if err != nil {
		return err
	}
	if cfg.HTTP.Addr != "" {
		if set := debug.SetGCPercent(fastHeap); set != smallHeap {
			debug.SetGCPercent(set)
		}
		o := overHTTP(cfg.HTTP)
		o.Ready = h.ready
		return serve.HTTP(ctx, s, o, h.logger)
	}
	h.logger.Info("serving call logs over stdio", "sources", h.tools.Sources, "version", version)
	return serve.Stdio(ctx, s, in, out, h.logger)
}

// overHTTP is what the operator wants of HTTP, in serve's words.
func overHTTP(c config.HTTP) serve.HTTPOptions {
	o := serve.HTTPOptions{
		Addr: c.Addr, Auth: serve.Auth(c.Auth), Tokens: c.Tokens,
		OAuth:        serve.OAuth{Issuer: c.OAuthIssuer, Audience: c.OAuthAudience},
		AllowedHosts: c.AllowedHosts, AllowedOrigins: c.AllowedOrigins,
		Metrics: c.Metrics, TLSCert: c.TLSCert, TLSKey: c.TLSKey,
		Rates: serve.Rates{PerMinute: c.Rate, InFlight: c.InFlight, PerPrincipal: c.PerPrincipal},
	}
	if c.DrainDelay != nil {
		o.DrainDelay = cmp.Or(*c.DrainDelay, -1)
	}
	for _, p := range c.TrustedProxies {
		o.TrustedProxies = append(o.TrustedProxies, p.String())
	}
	return o
}

// newToken makes a token: it is shown here once, and the file has its hash.
func newToken(c config.TokenCall, now time.Time, out io.Writer) error {
	var expires time.Time
	until := ""
	if c.Expires > 0 {
		expires = now.Add(c.Expires).UTC().Truncate(time.Second)
		until = " It lets in until " + expires.Format("2006-01-02 15:04 UTC") + "."
	}
	plain, line, err := serve.NewToken(c.Name, c.Scopes, c.Filter, expires)
	if err != nil {
		return config.Mistake("%v", err)
	}
	if err := os.MkdirAll(filepath.Dir(c.Tokens), 0o700); err != nil {
		return err
	}
	known, err := os.ReadFile(c.Tokens)
	if err == nil && strings.Contains(string(known), fmt.Sprintf(`"name":%q`, c.Name)) {
		return config.Mistake("%s holds a token of %s already; remove its line, or choose another name", c.Tokens, c.Name)
	}
	if len(known) > 0 && known[len(known)-1] != '\n' {
		line = "\n" + line // the last line was written by hand
	}
	f, err := os.OpenFile(c.Tokens, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, line)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n\nThis is the only time that it is shown.%s Its hash is in %s; serve with --http ADDR --auth token, and send it as\n\n   Authorization: Bearer %s\n", plain, until, c.Tokens, plain)
	return err
}
