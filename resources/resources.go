// Package resources is what people and models can both read: a call as a
// record, its transcript, and the reference of the filter fields. Clients differ
// in what they show of resources, so the tools can do all of this too.
package resources

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

// Deps is everything that a resource may touch.
type Deps struct {
	Calls   call.Source
	Sources []string
	Budget  int    // tokens of one resource
	Note    string // begins every text; "" for none
	Logger  *slog.Logger

	// Words makes a text fit to be shown to who asks; nil cleans it. Calls has put
	// it to all but the ids.
	Words func(context.Context) func(string) string
}

func (d Deps) words(ctx context.Context) func(string) string {
	if d.Words == nil {
		return render.Clean
	}
	return d.Words(ctx)
}

// newest is how many calls resources/list names: many clients show a list, and
// no templates.
const newest = 10

// listPatience is how long resources/list waits for them.
const listPatience = 5 * time.Second

// Templates are the resources that a call's id fills.
func Templates(d Deps) []server.ServerResourceTemplate {
	annotate := mcp.WithTemplateAnnotations([]mcp.Role{mcp.RoleUser, mcp.RoleAssistant}, 0.5, "")
	return []server.ServerResourceTemplate{
		{
			Template: mcp.NewResourceTemplate("call://{source}/{key}", "call",
				mcp.WithTemplateTitle("A call"), mcp.WithTemplateMIMEType("text/plain"), annotate,
				mcp.WithTemplateDescription("What happened in one call: facts, metrics, tools, and an excerpt of the transcript.")),
			Handler: d.read,
		},
		{
			Template: mcp.NewResourceTemplate("call://{source}/{key}/transcript{?turns,around,match,max_tokens}", "transcript",
				mcp.WithTemplateTitle("A transcript"), mcp.WithTemplateMIMEType("text/plain"), annotate,
				mcp.WithTemplateDescription("Turns of one call: turns=30-33, around=12 or 03:41, match=words. Trimmed to max_tokens; says what is left out.")),
			Handler: d.read,
		},
		{ // what a client did not escape, as in around=03:41, matches neither
			Template: mcp.NewResourceTemplate(anyCall, "any"),
			Handler:  d.read,
		},
	}
}

// anyCall matches all addresses of calls, and is not listed.
const anyCall = "call://{+address}"

// HideAny keeps the template that matches all from the list.
func HideAny(_ context.Context, _ any, _ *mcp.ListResourceTemplatesRequest, result *mcp.ListResourceTemplatesResult) {
	result.ResourceTemplates = slices.DeleteFunc(result.ResourceTemplates, func(t mcp.ResourceTemplate) bool { return t.URITemplate.Raw() == anyCall })
}

// Static are the resources that need no id.
func Static(d Deps) []server.ServerResource {
	return []server.ServerResource{{
		Resource: mcp.NewResource("call://fields", "fields",
			mcp.WithResourceTitle("Filter fields"), mcp.WithMIMEType("text/plain"),
			mcp.WithResourceDescription("What filters_v2 can ask: fields, types, operators.")),
		Handler: func(_ context.Context, r mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return contents(r.Params.URI, "text/plain", d.noted(render.Fields(render.MaxAnswer))), nil
		},
	}}
}

// AddNewest names the newest calls in an answer to resources/list. A source that
// does not answer soon leaves them out: a list is no place for an error.
func (d Deps) AddNewest(ctx context.Context, _ any, r *mcp.ListResourcesRequest, result *mcp.ListResourcesResult) {
	if r.Params.Cursor != "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	p, err := d.Calls.Find(ctx, call.Query{Limit: newest})
	if err != nil {
		d.Logger.Warn("newest calls not listed as resources", "err", cause(err))
		return
	}
	words := d.words(ctx)
	for _, l := range p.Logs {
		id := words(l.ID.String())
		parts := []string{render.Value(id, 200)}
		if !l.StartedAt.IsZero() {
			parts = append(parts, l.StartedAt.UTC().Format("2006-01-02 15:04"))
		}
		for _, s := range []string{l.AgentName, render.Outcome(l), l.Topic} {
			if s != "" {
				parts = append(parts, render.Value(s, 60))
			}
		}
		result.Resources = append(result.Resources,
			mcp.NewResource(l.ID.URI(), id, mcp.WithResourceTitle(strings.Join(parts, " · ")), mcp.WithMIMEType("text/plain")))
	}
}

// read answers both templates. It parses the URI itself, because mcp-go's match
// loses arguments that come in another order than the template's.
func (d Deps) read(ctx context.Context, r mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	a, err := parse(r.Params.URI, d.Sources)
	if err != nil {
		return nil, invalid(err)
	}
	l, err := d.Calls.Get(ctx, a.id)
	if err != nil {
		d.Logger.Debug("resource not read", "err", cause(err))
		var ce *call.Error
		if errors.As(err, &ce) {
			return nil, ce
		}
		return nil, errors.New("an internal fault, now in the server's log")
	}
	fence, err := render.NewFence(rand.Reader)
	if err != nil {
		return nil, err
	}
	budget := d.Budget
	if a.tokens > 0 {
		budget = a.tokens
	}
	if needs := call.Withheld(ctx, d.Calls); needs != "" {
		return contents(r.Params.URI, "text/plain", d.noted(render.Facts(l, budget-20, needs))), nil
	}
	if !a.transcript {
		return contents(r.Params.URI, "text/plain", d.noted(render.Record(l, budget-20, true, fence, turnsOf(l.ID)))), nil
	}
	part, err := a.request.Of(l)
	if err != nil {
		return nil, invalid(err)
	}
	if a.request == (render.Request{}) { // how a call ended is at its end
		part.Excerpt.InOrder, part.Excerpt.Ends = false, true
	}
	return contents(r.Params.URI, "text/plain", d.noted(part.Text(budget-20, fence, turnsOf(l.ID)))), nil
}

// turnsOf words the resource that has the turns of a span.
func turnsOf(id call.ID) func(render.Span) string {
	return func(s render.Span) string {
		return fmt.Sprintf("%s/transcript?turns=%d-%d", id.URI(), s.FromTurn, s.ToTurn)
	}
}

// address is what a call:// URI asks for.
type address struct {
	id         call.ID
	transcript bool
	tokens     int
	request    render.Request
}

// maxAddress bounds an address, in bytes: an id of 200 and some arguments, escaped.
const maxAddress = 4 << 10

func parse(uri string, sources []string) (address, error) {
	var a address
	if len(uri) > maxAddress {
		return a, fmt.Errorf("an address has at most %d bytes, this one %d", maxAddress, len(uri))
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "call" || u.Host == "" {
		return a, fmt.Errorf("not a call:// address: write call://source/key or call://source/key/transcript")
	}
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	key, err := url.PathUnescape(parts[0])
	if err != nil || key == "" || len(parts) > 2 || len(parts) == 2 && parts[1] != "transcript" {
		return a, fmt.Errorf("not a call:// address: write call://source/key or call://source/key/transcript")
	}
	a.transcript = len(parts) == 2
	if a.id, err = call.ParseID(u.Host+"/"+key, sources); err != nil {
		return a, err
	}
	q := u.Query()
	a.request.Around, a.request.Match = q.Get("around"), q.Get("match")
	for name := range q {
		if name != "turns" && name != "around" && name != "match" && name != "max_tokens" {
			return a, fmt.Errorf("no argument %q; there are turns, around, match, max_tokens", name)
		}
	}
	if s := q.Get("max_tokens"); s != "" {
		if a.tokens, err = strconv.Atoi(s); err != nil || a.tokens < render.MinAnswer || a.tokens > render.MaxAnswer {
			return a, fmt.Errorf("max_tokens goes from %d to %d", render.MinAnswer, render.MaxAnswer)
		}
	}
	if s := q.Get("turns"); s != "" {
		from, to, ranged := strings.Cut(s, "-")
		if !ranged {
			to = from
		}
		a.request.From, err = strconv.Atoi(from)
		if err == nil && to != "" {
			a.request.To, err = strconv.Atoi(to)
		}
		if err != nil {
			return a, fmt.Errorf("turns is a range such as 30-33, or one turn")
		}
	}
	return a, nil
}

func (d Deps) noted(text string) string {
	if d.Note == "" {
		return text
	}
	return d.Note + "\n" + text
}

func contents(uri, mime, text string) []mcp.ResourceContents {
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: uri, MIMEType: mime, Text: text}}
}

// cause is an error as the operator reads it.
func cause(err error) error {
	var ce *call.Error
	if errors.As(err, &ce) && ce.Err != nil {
		return ce.Err
	}
	return err
}

// invalid is an error of the address, as such.
func invalid(err error) error {
	if ce := (*call.Error)(nil); errors.As(err, &ce) {
		return ce
	}
	return &call.Error{Kind: call.Invalid, Msg: err.Error(), Err: err}
}
