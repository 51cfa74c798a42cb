// Package app puts the program together: it is the one that knows all others.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"call-logs-mcp/client"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/serve"
)

// How much the heap may grow between collections, in percent, unless GOGC says:
// an assistant's helper should be small before it is fast, a team's server not.
// Collecting in the first second would take a third of the time until initialize
// is answered.
const (
	smallHeap = 50
	fastHeap  = 100
	startHeap = 600 // 24 MiB at least
)

// settleHeap sets the heap's growth, where nothing else has set it.
func settleHeap(percent int) {
	if set := debug.SetGCPercent(percent); set != startHeap && set != smallHeap {
		debug.SetGCPercent(set)
	}
}

// Main runs the program with what the process was started with, and ends it.
func Main(version string) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	signal.Ignore(syscall.SIGPIPE) // a client that closes its end is no crash
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(startHeap)
		time.AfterFunc(time.Second, func() { settleHeap(smallHeap) })
	}
	err := run(ctx, version, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, errTold) {
		fmt.Fprintln(os.Stderr, "call-logs-mcp:", err)
	}
	os.Exit(config.ExitCode(err))
}

// run is the whole program. Stdout is the wire, so it logs to stderr alone.
func run(ctx context.Context, version string, args []string, env func(string) string, in io.Reader, out, stderr io.Writer) error {
	cfg, err := config.Parse(client.Providers(), args, env, out)
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
	h, err := open(cfg.Options, version, logger, time.Now)
	if err != nil {
		return err
	}
	switch cfg.Command {
	case config.Demo:
		return h.walk(ctx, out)
	case config.Tool:
		return h.tool(ctx, cfg.Tool, out)
	case config.Doctor:
		return h.doctor(ctx, cfg.Copy, out)
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
		p, stop, err := serve.Export(ctx, cfg.Traces.Endpoint, h.version, h.logger)
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
		settleHeap(fastHeap)
		o := overHTTP(cfg.HTTP)
		o.Ready = h.ready
		return serve.HTTP(ctx, s, o, h.logger)
	}
	h.logger.Info("serving call logs over stdio", "sources", h.tools.Sources, "version", h.version)
	return serve.Stdio(ctx, s, in, out, h.logger)
}

// overHTTP is what the operator wants of HTTP, in serve's words.
func overHTTP(c config.HTTP) serve.HTTPOptions {
	o := serve.HTTPOptions{
		Addr: c.Addr, Auth: serve.Auth(c.Auth), Tokens: c.Tokens,
		OAuth: serve.OAuth{
			Issuer: c.OAuthIssuer, Audience: c.OAuthAudience, Resource: c.OAuthResource, FilterClaim: c.OAuthFilter, Algorithms: c.OAuthAlgs,
		},
		AllowedHosts: c.AllowedHosts, AllowedOrigins: c.AllowedOrigins,
		Metrics: c.Metrics, TLSCert: c.TLSCert, TLSKey: c.TLSKey,
		Rates: serve.Rates{PerMinute: c.Rate, InFlight: c.InFlight, PerPrincipal: c.PerPrincipal, PerAddress: c.PerAddress},
	}
	if c.DrainDelay != nil {
		o.DrainDelay = cmp.Or(*c.DrainDelay, -1)
	}
	for _, p := range c.TrustedProxies {
		o.TrustedProxies = append(o.TrustedProxies, p.String())
	}
	return o
}
