package app

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/invopop/jsonschema"
	mcpclient "github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"call-logs-mcp/client"
	"call-logs-mcp/client/provider"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/render"
	"call-logs-mcp/tools"
)

var update = flag.Bool("update", false, "rewrite the snapshots")

// ceiling is what all tool definitions may take, in tokens.
const ceiling = 6000

// now is when all tests take place.
func now() time.Time { return time.Date(2026, 11, 21, 9, 12, 0, 0, time.UTC) }

// demo is a house over the sample calls, and a client of its server.
func demo(t testing.TB, flags ...string) (*house, *mcpclient.Client) {
	t.Helper()
	cfg, err := config.Parse(client.Providers(), append([]string{"serve", "--demo"}, flags...), func(string) string { return "" }, os.Stderr)
	require.NoError(t, err)
	h, err := open(cfg.Options, "test", slog.New(slog.DiscardHandler), now)
	require.NoError(t, err)
	return h, h.client(t)
}

// client is connected to a server of h.
func (h *house) client(t testing.TB) *mcpclient.Client {
	t.Helper()
	return h.clientNamed(t, "test")
}

// clientNamed is one that calls itself so.
func (h *house) clientNamed(t testing.TB, name string) *mcpclient.Client {
	t.Helper()
	s, err := h.server()
	require.NoError(t, err)
	c, err := mcpclient.NewInProcessClient(s)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	ctx := context.Background()
	require.NoError(t, c.Start(ctx))
	var r mcp.InitializeRequest
	r.Params.ProtocolVersion = mcp.LATEST_PROTOCOL_VERSION
	r.Params.ClientInfo = mcp.Implementation{Name: name, Version: "1"}
	_, err = c.Initialize(ctx, r)
	require.NoError(t, err)
	return c
}

// root is the top of the project, where testdata is.
const root = "../../"

// golden compares with, or rewrites, a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(root, "testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "make golden writes it")
	wants, gots := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range max(len(wants), len(gots)) {
		if i >= len(wants) || i >= len(gots) || wants[i] != gots[i] {
			t.Errorf("%s:%d differs; if that is meant, make golden\n- %s\n+ %s", path, i+1, at(wants, i), at(gots, i))
			return
		}
	}
}

// at is a line, or that there is none.
func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end of file)"
}

func pretty(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, json.Indent(&out, b, "", "  "))
	return out.String() + "\n"
}

// What every client is sent, so that a change of it is a diff to read.
func TestSurface(t *testing.T) {
	h, c := demo(t)
	ctx := context.Background()
	list, err := c.ListTools(ctx, mcp.ListToolsRequest{})
	require.NoError(t, err)
	sum := 0
	counts := ""
	for _, tool := range list.Tools {
		b, err := json.Marshal(tool)
		require.NoError(t, err)
		n := render.Tokens(string(b))
		sum += n
		counts += fmt.Sprintf("%-20s %5d\n", tool.Name, n)
		golden(t, "surface/"+tool.Name+".json", pretty(t, tool))
	}
	assert.LessOrEqual(t, sum, ceiling, "tokens of all tool definitions")
	assert.LessOrEqual(t, len(list.Tools), 8)
	instructions := h.tools.Instructions(true)
	assert.LessOrEqual(t, len(instructions), 2000)
	golden(t, "surface/tokens.txt", fmt.Sprintf("%s%-20s %5d\n%-20s %5d\n", counts, "all tools", sum, "instructions", render.Tokens(instructions)))
	golden(t, "surface/instructions.txt", instructions+"\n")

	prompts, err := c.ListPrompts(ctx, mcp.ListPromptsRequest{})
	require.NoError(t, err)
	golden(t, "surface/prompts.json", pretty(t, prompts.Prompts))
	templates, err := c.ListResourceTemplates(ctx, mcp.ListResourceTemplatesRequest{})
	require.NoError(t, err)
	golden(t, "surface/resource_templates.json", pretty(t, templates.ResourceTemplates))
}

// Every rule that some client needs, over every tool: one bad schema makes a
// client drop them all.
func TestSchemasArePlain(t *testing.T) {
	for _, flags := range [][]string{nil, {"--structured"}} {
		_, c := demo(t, flags...)
		list, err := c.ListTools(context.Background(), mcp.ListToolsRequest{})
		require.NoError(t, err)
		require.NotEmpty(t, list.Tools)
		for _, tool := range list.Tools {
			assert.Regexp(t, `^[a-z0-9_]{1,40}$`, tool.Name)
			assert.NotEmpty(t, tool.Title, tool.Name)
			assert.LessOrEqual(t, len(tool.Description), 1900, tool.Name)
			a := tool.Annotations
			for hint, p := range map[string]*bool{"readOnly": a.ReadOnlyHint, "destructive": a.DestructiveHint, "idempotent": a.IdempotentHint, "openWorld": a.OpenWorldHint} {
				assert.NotNil(t, p, "%s says nothing of %s", tool.Name, hint)
			}
			b, err := json.Marshal(tool)
			require.NoError(t, err)
			var served struct{ InputSchema, OutputSchema map[string]any }
			require.NoError(t, json.Unmarshal(b, &served))
			checkRoot(t, tool.Name, served.InputSchema, true)
			if flags == nil {
				assert.Nil(t, served.OutputSchema, "an output schema obliges every answer")
			} else {
				checkRoot(t, tool.Name+" output", served.OutputSchema, true)
			}
		}
	}
}

func checkRoot(t *testing.T, at string, s map[string]any, closed bool) {
	assert.Equal(t, "object", s["type"], at)
	assert.Contains(t, s, "properties", at)
	if closed {
		assert.Equal(t, false, s["additionalProperties"], at)
	}
	checkSchema(t, at, s)
}

var propertyKey = regexp.MustCompile(`^[a-z0-9_]{1,64}$`)

func checkSchema(t *testing.T, at string, s map[string]any) {
	allowed := "type description enum properties required items default minimum maximum additionalProperties format"
	for key := range s {
		assert.Contains(t, strings.Fields(allowed), key, at)
	}
	kind, scalar := s["type"].(string)
	assert.True(t, scalar && kind != "null", "%s has no one type", at)
	if f, ok := s["format"]; ok {
		assert.Equal(t, "date-time", f, at)
	}
	if kind == "array" {
		items, ok := s["items"].(map[string]any)
		if assert.True(t, ok, "%s has no items", at) {
			checkSchema(t, at+"[]", items)
		}
	}
	properties, _ := s["properties"].(map[string]any)
	if values, ok := s["additionalProperties"].(map[string]any); ok && strings.Contains(at, " output") {
		checkSchema(t, at+".*", values) // the keys of a group are fields
	} else if kind == "object" {
		assert.NotEmpty(t, properties, "%s is a free-form object", at)
	}
	for name, p := range properties {
		assert.Regexp(t, propertyKey, name, at)
		sub, ok := p.(map[string]any)
		if assert.True(t, ok, "%s.%s is a boolean schema", at, name) {
			checkSchema(t, at+"."+name, sub)
		}
	}
}

// The order of the tools never varies, so that clients' caches hold.
func TestToolsAreSorted(t *testing.T) {
	_, c := demo(t)
	list, err := c.ListTools(context.Background(), mcp.ListToolsRequest{})
	require.NoError(t, err)
	for i := 1; i < len(list.Tools); i++ {
		assert.Less(t, list.Tools[i-1].Name, list.Tools[i].Name)
	}
}

// README's table of tools is written from what is served.
func TestSurfaceInReadme(t *testing.T) {
	h, _ := demo(t)
	table := "| tool | what for | arguments |\n| --- | --- | --- |\n"
	for _, served := range tools.All(h.tools) {
		tool := served.Tool
		var schema jsonschema.Schema
		require.NoError(t, json.Unmarshal(tool.RawInputSchema, &schema))
		var names []string
		for p := schema.Properties.Oldest(); p != nil; p = p.Next() {
			names = append(names, p.Key)
		}
		// What several share is named once, below the table.
		joined := strings.Join(names, ", ")
		for short, long := range map[string]string{"_selection_": selected, "_format_": "response_format, max_tokens"} {
			joined = strings.Replace(joined, long, short, 1)
		}
		table += fmt.Sprintf("| `%s` | %s | %s |\n", tool.Name, strings.ReplaceAll(tool.Description, "|", "/"), joined)
	}
	table += "\n_selection_: " + selected + ". _format_: response_format, max_tokens.\n"
	inReadme(t, "tools", table)
}

// README's table of variables is written from what providers declare.
func TestSurfaceOfProvidersInReadme(t *testing.T) {
	table := "| provider | credentials | to keep to a part | another address |\n| --- | --- | --- | --- |\n"
	for _, p := range client.Providers() {
		if p.Files {
			continue
		}
		variable := func(key string) string { return "`" + p.Variable(key) + "`" }
		var parts []string
		for _, o := range p.Narrow {
			parts = append(parts, variable(o.Key))
		}
		table += fmt.Sprintf("| %s | %s | %s | %s |\n", p.Title, p.Needs(variable), strings.Join(parts, ", "), variable(provider.BaseURL))
	}
	inReadme(t, "providers", table)
}

// inReadme compares what stands in README between the marks of name.
func inReadme(t *testing.T, name, table string) {
	t.Helper()
	readme, err := os.ReadFile(root + "README.md")
	require.NoError(t, err)
	begin, end := "<!-- "+name+": written by make golden -->\n", "<!-- end of "+name+" -->"
	before, rest, ok := strings.Cut(string(readme), begin)
	require.True(t, ok)
	old, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile(root+"README.md", []byte(before+begin+table+end+after), 0o644))
		return
	}
	assert.Equal(t, table, old, "make golden writes it")
	assert.Less(t, strings.Count(string(readme), "\n"), 250)
}

// selected is the arguments of every tool that selects calls.
const selected = "source, agent_id, project_id, assistant_id, call_ids, timestamp_from, timestamp_to, success, call_ended_reason, topic, customer_number, min_duration, max_duration, filters_v2"
