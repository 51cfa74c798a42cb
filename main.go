// Call-logs-mcp lets AI assistants read the call logs of voice agents.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/client"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/redact"
	"call-logs-mcp/internal/render"
	"call-logs-mcp/internal/serve"
	"call-logs-mcp/prompts"
	"call-logs-mcp/resources"
	"call-logs-mcp/tools"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGPIPE) // a client that closes its end is no crash
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "call-logs-mcp:", err)
		os.Exit(config.ExitCode(err))
	}
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
	h, err := open(cfg.Options, logger, time.Now)
	if err != nil {
		return err
	}
	switch cfg.Command {
	case config.Demo:
		return h.walk(ctx, out)
	case config.Tool:
		return h.tool(ctx, cfg.Tool, out)
	}
	s, err := h.server()
	if err != nil {
		return err
	}
	logger.Info("serving call logs over stdio", "sources", h.tools.Sources, "version", version)
	return serve.Stdio(ctx, s, in, out, logger)
}

// A house is all that the commands need.
type house struct {
	tools  tools.Deps
	masked bool
	logger *slog.Logger
}

// open opens the sources that the operator asked for.
func open(o config.Options, logger *slog.Logger, now func() time.Time) (*house, error) {
	names, err := o.Sources()
	if err != nil {
		return nil, err
	}
	sources := map[string]call.Source{}
	for _, name := range names {
		sources[string(name)], err = client.Open(string(name), client.Options{
			Name: string(name), BaseURL: o.Cekura.BaseURL, Key: o.Cekura.Key.Reveal,
			ProjectID: o.Cekura.ProjectID, AgentID: o.Cekura.AgentID, Files: o.Data,
			Version: version, Logger: logger, Now: now,
		})
		if err != nil {
			return nil, err
		}
	}
	merged := call.Merge(sources, 0)
	h := &house{logger: logger, masked: o.Mask(), tools: tools.Deps{
		Calls: merged, Sources: merged.Sources(), Now: now, Zone: o.TimeZone, Budget: o.Budget,
		Scan: o.MaxFetch, Sample: o.Demo, Structured: o.Structured, Logger: logger,
	}}
	words := render.Clean
	if h.masked {
		mask := redact.New()
		// Cleaned first: what is invisible inside a number must not hide it.
		words = func(s string) string { return mask.Mask(render.Clean(s)) }
	}
	h.tools.Calls = call.Masked(merged, words, render.Clean)
	return h, nil
}

// server is the MCP server with everything it serves.
func (h *house) server() (*server.MCPServer, error) {
	d := resources.Deps{
		Calls: h.tools.Calls, Sources: h.tools.Sources, Budget: h.tools.Budget, Note: h.tools.Note(), Logger: h.logger,
	}
	complete := resources.Completer{Deps: d}
	asked, promptCompleter, err := prompts.All(complete)
	if err != nil {
		return nil, err
	}
	hooks := &server.Hooks{}
	hooks.AddAfterListResources(d.AddNewest)
	hooks.AddAfterListResourceTemplates(resources.HideAny)
	// The library tells of every request; that is for who looks for a fault.
	quiet := slog.New(slog.DiscardHandler)
	if h.logger.Enabled(context.Background(), slog.LevelDebug) {
		quiet = h.logger
	}
	s := server.NewMCPServer("call-logs-mcp", version,
		server.WithTitle("Call logs"),
		server.WithInstructions(h.tools.Instructions(h.masked)),
		server.WithToolCapabilities(false), server.WithResourceCapabilities(false, false), server.WithPromptCapabilities(false),
		server.WithCompletions(), server.WithResourceCompletionProvider(complete), server.WithPromptCompletionProvider(promptCompleter),
		server.WithHooks(hooks), server.WithLogger(quiet),
	)
	s.AddTools(tools.All(h.tools)...)
	s.AddResources(resources.Static(d)...)
	s.AddResourceTemplates(resources.Templates(d)...)
	s.AddPrompts(asked...)
	return s, nil
}
