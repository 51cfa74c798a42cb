package resources

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"call-logs-mcp/internal/call"
)

// mostCompletions is what the protocol allows in one answer.
const mostCompletions = 100

// A Completer suggests values for what names a call: its source and its key.
type Completer struct{ Deps }

// CompleteResourceArgument completes the variables of the templates.
func (c Completer) CompleteResourceArgument(ctx context.Context, uri string, arg mcp.CompleteArgument, done mcp.CompleteContext) (*mcp.Completion, error) {
	for _, t := range Templates(c.Deps) {
		if t.Template.URITemplate.Raw() != uri {
			continue
		}
		switch arg.Name {
		case "source":
			return c.Source(arg.Value), nil
		case "key":
			return c.key(ctx, done.Arguments["source"], arg.Value)
		}
		return Completion(nil), nil
	}
	return nil, fmt.Errorf("no resource template %q", uri)
}

// Source completes the name of a source.
func (c Completer) Source(prefix string) *mcp.Completion {
	var names []string
	for _, name := range c.Sources {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return Completion(names)
}

// ID completes an id, as source/key, among the newest calls.
func (c Completer) ID(ctx context.Context, prefix string) (*mcp.Completion, error) {
	ids, err := c.newest(ctx, func(l *call.Log) string {
		if strings.HasPrefix(l.ID.Key, prefix) { // a bare key is completed to the whole
			return l.ID.String()
		}
		if strings.HasPrefix(l.ID.String(), prefix) {
			return l.ID.String()
		}
		return ""
	})
	return Completion(ids), err
}

// Agent completes the id of an agent, among those of the newest calls.
func (c Completer) Agent(ctx context.Context, prefix string) (*mcp.Completion, error) {
	ids, err := c.newest(ctx, func(l *call.Log) string { return l.AgentID })
	slices.Sort(ids)
	return matching(slices.Compact(ids), prefix), err
}

func (c Completer) key(ctx context.Context, source, prefix string) (*mcp.Completion, error) {
	keys, err := c.newest(ctx, func(l *call.Log) string {
		if source != "" && l.ID.Source != source {
			return ""
		}
		return l.ID.Key
	})
	return matching(keys, prefix), err
}

func (c Completer) newest(ctx context.Context, name func(*call.Log) string) (out []string, err error) {
	p, err := c.Calls.Find(ctx, call.Query{Limit: mostCompletions})
	if err != nil {
		c.Logger.Debug("no completions", "err", cause(err))
		return nil, fmt.Errorf("the calls cannot be listed now")
	}
	words := c.words(ctx)
	for _, l := range p.Logs {
		// An id that may not be shown as it is would be of no use as another.
		if s := name(l); s != "" && words(s) == s {
			out = append(out, s)
		}
	}
	return out, nil
}

func matching(values []string, prefix string) *mcp.Completion {
	var out []string
	for _, v := range values {
		if strings.HasPrefix(v, prefix) {
			out = append(out, v)
		}
	}
	return Completion(out)
}

// Completion is values as the protocol wants them: never null, never too many.
func Completion(values []string) *mcp.Completion {
	c := &mcp.Completion{Values: values[:min(len(values), mostCompletions)], Total: len(values), HasMore: len(values) > mostCompletions}
	if c.Values == nil {
		c.Values = []string{}
	}
	return c
}
