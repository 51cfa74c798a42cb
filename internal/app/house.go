package app

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"

	"call-logs-mcp/client"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/redact"
	"call-logs-mcp/internal/render"
	"call-logs-mcp/internal/serve"
	"call-logs-mcp/internal/setup"
	"call-logs-mcp/prompts"
	"call-logs-mcp/resources"
	"call-logs-mcp/tools"
)

// A house is all that the commands need.
type house struct {
	version    string
	configured []config.SourceConfig
	sources    map[string]call.Source // as they are upstream, by name
	base       call.Source            // of all sources, with the copy; without masks and scopes
	tools      tools.Deps
	masked     bool
	views      views
	// indexVersion names what the words of an index depend on.
	indexVersion string
	// view is what who asks may see.
	view func(context.Context) *call.View
	// ready says why questions cannot be answered yet: nil where nothing has to be opened.
	ready  func(context.Context) error
	traces trace.TracerProvider // nil for none
	logger *slog.Logger
}

// open opens the sources that the operator asked for.
func open(o config.Options, version string, logger *slog.Logger, now func() time.Time) (*house, error) {
	configured, err := o.Configured()
	if err != nil {
		return nil, err
	}
	sources := map[string]call.Source{}
	for _, s := range configured {
		p := client.Provider(s.Provider)
		sources[s.Name], err = client.Open(s.Provider, client.Options{
			Name: s.Name, BaseURL: s.BaseURL, Credential: func(key string) string { return s.Credentials[key].Reveal() },
			KeyName: s.KeyName(p), BaseName: s.BaseName(p), ProjectID: s.ProjectID, AgentIDs: s.AgentIDs, Files: s.Files, Zone: o.TimeZone,
			Version: version, Logger: logger, Now: now, Limits: rest.Limits{Most: rate.Limit(o.MaxRate)},
		})
		if err != nil {
			return nil, err
		}
	}
	return assemble(o, version, logger, now, configured, sources)
}

// assemble puts what answers together over sources that are open.
func assemble(o config.Options, version string, logger *slog.Logger, now func() time.Time, configured []config.SourceConfig, sources map[string]call.Source) (*house, error) {
	merged := call.Merge(sources, 0)
	h := &house{version: version, configured: configured, sources: sources, logger: logger, masked: o.Mask(), tools: tools.Deps{
		Calls: merged, Sources: merged.Sources(), Now: now, Zone: o.TimeZone, Budget: o.Budget,
		Scan: o.MaxFetch, Sample: o.Demo, Structured: o.Structured, Links: cmp.Or(tools.Links(o.Links), tools.LinksAuto), Cursors: sealer(o), Held: tools.NewHeld(), Logger: logger,
	}}
	mask := redact.New()
	if h.indexVersion = "mask " + redact.Version; o.Strict() {
		mask, h.indexVersion = redact.Strict(), h.indexVersion+" strict"
	}
	h.views = viewsOf(mask)
	calls := h.withCopy(merged, o)
	h.base = calls
	if c, ok := calls.(*copied); ok && o.Kept() {
		h.ready = c.ready
	}
	h.view = func(ctx context.Context) *call.View {
		shown := !h.masked
		if _, named := serve.Who(ctx); named { // over HTTP each has his own right to see
			shown = serve.MayShowPII(ctx)
		}
		if shown {
			return h.views.whole
		}
		return h.views.masked
	}
	h.tools.Calls = call.Masked(serve.Scope(calls), h.view)
	return h, nil
}

// views are what callers see who may see personal data, and those who may not.
type views struct{ whole, masked *call.View }

func viewsOf(mask *redact.Masker) views {
	// Cleaned first: what is invisible inside a number must not hide it.
	cleaned := func(f func(string) string) func(string) string {
		return func(s string) string { return f(render.Clean(s)) }
	}
	return views{
		whole: &call.View{Text: render.Clean, Number: render.Clean, Name: render.Clean},
		masked: &call.View{
			Text: cleaned(mask.Mask), Number: cleaned(mask.Number), Name: render.Clean, Hides: true,
			Turns: func(texts, said []string, n int) []string {
				for i := range texts {
					texts[i] = render.Clean(texts[i])
				}
				return mask.Turns(texts, said, n)
			},
		},
	}
}

// sealer seals cursors with the secret that instances share, or with one of its own.
func sealer(o config.Options) *serve.Sealer {
	return serve.NewSealer([]byte(o.CursorSecret.Reveal()))
}

// doctor checks each source and says what to do where it fails.
func (h *house) doctor(ctx context.Context, c config.Copy, out io.Writer) error {
	var checks []setup.Check
	for _, s := range h.configured {
		checks = append(checks, setup.Check{Name: s.Name, Source: h.sources[s.Name], Key: s.KeyName(client.Provider(s.Provider))})
	}
	ok := setup.Doctor(ctx, out, checks, h.tools.Now)
	if f := h.copyFinding(ctx, c); f != nil {
		f.Write(out)
		ok = ok && !f.Failed
	}
	if !ok {
		return errTold
	}
	return nil
}

// server is the MCP server with everything it serves.
func (h *house) server() (*server.MCPServer, error) {
	d := resources.Deps{
		Calls: h.tools.Calls, Sources: h.tools.Sources, Budget: h.tools.Budget, Note: h.tools.Note(), Logger: h.logger,
		Words: func(ctx context.Context) func(string) string { return h.view(ctx).Text },
	}
	complete := resources.Completer{Deps: d}
	asked, promptCompleter, err := prompts.All(complete)
	if err != nil {
		return nil, err
	}
	hooks := &server.Hooks{}
	hooks.AddAfterListResources(d.AddNewest)
	hooks.AddAfterListResourceTemplates(resources.HideAny)
	hooks.AddAfterListResources(func(ctx context.Context, _ any, _ *mcp.ListResourcesRequest, result *mcp.ListResourcesResult) {
		ownCache(ctx, result)
	})
	hooks.AddAfterListTools(func(ctx context.Context, _ any, _ *mcp.ListToolsRequest, result *mcp.ListToolsResult) {
		ownCache(ctx, result)
	})
	// The library tells of every request; that is for who looks for a fault.
	quiet := slog.New(slog.DiscardHandler)
	if h.logger.Enabled(context.Background(), slog.LevelDebug) {
		quiet = h.logger
	}
	s := server.NewMCPServer("call-logs-mcp", h.version, append(serve.Traced(h.traces),
		server.WithTitle("Call logs"),
		server.WithInstructions(h.tools.Instructions(h.masked)),
		server.WithToolCapabilities(false), server.WithResourceCapabilities(false, false), server.WithPromptCapabilities(false),
		server.WithCompletions(), server.WithResourceCompletionProvider(complete), server.WithPromptCompletionProvider(promptCompleter),
		server.WithHooks(hooks), server.WithLogger(quiet), catalogueHint(mcp.MethodToolsList), catalogueHint(mcp.MethodResourcesList),
		catalogueHint(mcp.MethodResourcesTemplatesList), catalogueHint(mcp.MethodPromptsList),
		server.WithToolFilter(serve.ToolFilter), server.WithToolHandlerMiddleware(serve.ToolCheck), server.WithResourceHandlerMiddleware(serve.ResourceCheck),
	)...)
	s.AddTools(tools.All(h.tools)...)
	s.AddResources(resources.Static(d)...)
	s.AddResourceTemplates(resources.Templates(d)...)
	s.AddPrompts(asked...)
	return s, nil
}

// catalogueFresh is how long a client may go by a list of what there is.
const catalogueFresh = 5 * time.Minute

// catalogueHint lets anybody keep a list that is the same for all.
func catalogueHint(method mcp.MCPMethod) server.ServerOption {
	return server.WithMethodCacheHints(method, catalogueFresh.Milliseconds(), mcp.CacheScopePublic)
}

// ownCache keeps a list to the one who asks where people are told apart: it names
// calls that he may see, and the tools that he may use.
func ownCache(ctx context.Context, list mcp.CacheHintSetter) {
	if _, named := serve.Who(ctx); named {
		list.SetCacheHints(catalogueFresh.Milliseconds(), mcp.CacheScopePrivate)
	}
}
