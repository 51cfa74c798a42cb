// Package prompts is the questions that people ask of call logs, ready to ask.
// Each is one Markdown file in this folder, named after the prompt, with its
// title, description and arguments in front.
package prompts

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"text/template"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"go.yaml.in/yaml/v4"

	"call-logs-mcp/internal/render"
	"call-logs-mcp/resources"
)

//go:embed *.md
var files embed.FS

// A prompt is one file.
type prompt struct {
	Title       string
	Description string
	Arguments   []struct {
		Name, Description string
		Required          bool
	}
	body *template.Template
}

// All returns the prompts, and what completes their arguments.
func All(complete resources.Completer) ([]server.ServerPrompt, server.PromptCompletionProvider, error) {
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		return nil, nil, err
	}
	all := completer{complete, map[string]prompt{}}
	var out []server.ServerPrompt
	for _, file := range names {
		data, err := files.ReadFile(file)
		if err != nil {
			return nil, nil, err
		}
		name := strings.TrimSuffix(file, ".md")
		p, err := parse(data)
		if err != nil {
			return nil, nil, fmt.Errorf("prompts/%s: %w", file, err)
		}
		all.prompts[name] = p
		out = append(out, server.ServerPrompt{Prompt: p.declare(name), Handler: p.get})
	}
	return out, all, nil
}

func parse(data []byte) (prompt, error) {
	var p prompt
	parts := bytes.SplitN(data, []byte("---\n"), 3)
	if len(parts) != 3 || len(parts[0]) > 0 {
		return p, fmt.Errorf("no front matter between two lines of ---")
	}
	if err := yaml.Unmarshal(parts[1], &p); err != nil {
		return p, err
	}
	var err error
	p.body, err = template.New("").Option("missingkey=zero").Parse(string(parts[2]))
	return p, err
}

func (p prompt) declare(name string) mcp.Prompt {
	options := []mcp.PromptOption{mcp.WithPromptDescription(p.Description)}
	for _, a := range p.Arguments {
		of := []mcp.ArgumentOption{mcp.ArgumentDescription(a.Description)}
		if a.Required {
			of = append(of, mcp.RequiredArgument())
		}
		options = append(options, mcp.WithArgument(a.Name, of...))
	}
	declared := mcp.NewPrompt(name, options...)
	declared.Title = p.Title
	return declared
}

// maxArgument bounds what is read of an argument, of which the prompt takes 300
// characters.
const maxArgument = 8 << 10

// get fills the prompt with the arguments, which are a person's own words.
func (p prompt) get(_ context.Context, r mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	args := map[string]string{}
	for _, a := range p.Arguments {
		given := r.Params.Arguments[a.Name]
		if len(given) > maxArgument {
			return nil, fmt.Errorf("%s has %d bytes; at most %d are taken", a.Name, len(given), maxArgument)
		}
		args[a.Name] = render.Clip(render.Clean(given), 300)
		if a.Required && args[a.Name] == "" {
			return nil, fmt.Errorf("the prompt needs %s: %s", a.Name, a.Description)
		}
	}
	var b strings.Builder
	if err := p.body.Execute(&b, args); err != nil {
		return nil, err
	}
	return mcp.NewGetPromptResult(p.Description, []mcp.PromptMessage{
		mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent(strings.TrimSpace(b.String()))),
	}), nil
}

// completer suggests values for the prompts' arguments.
type completer struct {
	resources.Completer
	prompts map[string]prompt
}

// CompletePromptArgument completes ids and times; what is free text has nothing
// to suggest.
func (c completer) CompletePromptArgument(ctx context.Context, name string, arg mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	if _, ok := c.prompts[name]; !ok {
		return nil, fmt.Errorf("no prompt %q", name)
	}
	switch arg.Name {
	case "id":
		return c.ID(ctx, arg.Value)
	case "agent_id":
		return c.Agent(ctx, arg.Value)
	case "since":
		var times []string
		for _, t := range []string{"today", "yesterday", "now-7d", "now-30d"} {
			if strings.HasPrefix(t, arg.Value) {
				times = append(times, t)
			}
		}
		return resources.Completion(times), nil
	}
	return resources.Completion(nil), nil
}
