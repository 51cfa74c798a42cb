package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/render"
)

// patience is how long a tool may take. It is more than a client of one upstream
// allows itself, so that the upstream's own failure is told where there is one.
const patience = 44 * time.Second

// A spec is what a model is told of a tool beyond its arguments.
type spec struct{ name, title, description string }

// An answer is what a tool found, in its two forms. Both hold the same; neither
// takes more than budget tokens.
type answer interface {
	text(budget int) string
	data(budget int) any
}

// format is how every tool can be asked to answer.
type format struct {
	ResponseFormat string `json:"response_format,omitempty" jsonschema:"enum=text,enum=json,default=text" jsonschema_description:"json: the same as structured content, for programs."`
	MaxTokens      int    `json:"max_tokens,omitempty" jsonschema:"minimum=300,maximum=10000" jsonschema_description:"Budget of the answer; default 4000."`
}

func (f format) wanted() format { return f }

type formatted interface{ wanted() format }

// define makes a tool of a typed function, which gets d for one question. In is
// the arguments, declared by its tags; Out the shape of data. It panics where
// they have no schema.
func define[In formatted, Out any](s spec, d Deps, do func(context.Context, Deps, In) (answer, error)) server.ServerTool {
	schema := schemaOf[In]()
	tool := mcp.Tool{
		Name: s.name, Title: s.title, Description: s.description,
		RawInputSchema: encode(schema),
		Annotations: mcp.ToolAnnotation{
			ReadOnlyHint: mcp.ToBoolPtr(true), DestructiveHint: mcp.ToBoolPtr(false),
			IdempotentHint: mcp.ToBoolPtr(true), OpenWorldHint: mcp.ToBoolPtr(true),
		},
	}
	if d.Structured {
		tool.RawOutputSchema = encode(schemaOf[Out]())
	}
	args := arguments{tool: s.name, schema: schema}
	return server.ServerTool{Tool: tool, Handler: func(ctx context.Context, r mcp.CallToolRequest) (result *mcp.CallToolResult, _ error) {
		defer func() {
			if p := recover(); p != nil {
				d.logger().Error("tool panicked", "tool", s.name, "panic", p, "stack", string(debug.Stack()))
				result = d.failure(nil)
			}
		}()
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		var in In
		if err := args.bind(rawArguments(r), &in); err != nil {
			return d.refusal(err.Error()), nil
		}
		own := d
		own.progress = progressOf(ctx, r)
		out, err := do(ctx, own, in)
		if err != nil {
			d.log(ctx, s.name, err)
			return d.failure(err), nil
		}
		result = d.result(out, in.wanted())
		d.link(ctx, out, result)
		return result, nil
	}}
}

// result writes an answer as it was asked for, in render.MaxBytes.
func (d Deps) result(a answer, f format) *mcp.CallToolResult {
	if f.ResponseFormat == "json" || d.Structured {
		return d.structured(a, cmp.Or(f.MaxTokens, MaxTokens))
	}
	budget, note := cmp.Or(f.MaxTokens, d.Budget, DefaultBudget), ""
	if d.Note() != "" {
		budget, note = budget-20, d.Note()+"\n"
	}
	text := note + a.text(budget)
	if len(text) > render.MaxBytes/2 { // JSON may write two bytes for one, and more for few
		return d.tooLarge()
	}
	return mcp.NewToolResultText(text)
}

// structured is an answer as data, and the same as text, since many clients pass
// on the text alone. It is encoded here, where its size matters.
func (d Deps) structured(a answer, budget int) *mcp.CallToolResult {
	data := a.data(budget)
	b, err := json.Marshal(data)
	if err != nil {
		return d.failure(err)
	}
	again, err := json.Marshal(string(b)) // as it stands in the text
	switch {
	case err != nil:
		return d.failure(err)
	case len(b)+len(again) > render.MaxBytes-4096:
		return d.tooLarge()
	}
	result := mcp.NewToolResultStructured(json.RawMessage(b), string(b))
	result.Meta = labels(data)
	return result
}

func (d Deps) tooLarge() *mcp.CallToolResult {
	return d.refusal(fmt.Sprintf("The answer would take more than %d KiB. Ask for less, by max_tokens, page_size or shorter filters.", render.MaxBytes>>10))
}

// sampleNote begins every answer of the demo, lest somebody takes its calls for
// his own. It costs under 20 tokens.
const sampleNote = "sample data (call-logs-mcp demo), not your calls"

// Note is what begins every answer, "" for nothing.
func (d Deps) Note() string {
	if d.Sample {
		return sampleNote
	}
	return ""
}

// failure words an error for the model. What it cannot mend it is not told.
func (d Deps) failure(err error) *mcp.CallToolResult {
	var ce *call.Error
	switch {
	case errors.As(err, &ce):
		return d.refusal(ce.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return d.refusal(fmt.Sprintf("No answer within %s. Narrow the window with timestamp_from, or ask for less.", patience))
	case errors.Is(err, context.Canceled):
		return d.refusal("The call was cancelled.")
	}
	return d.refusal("A fault of the server, now in its log. Retrying once is fine.")
}

// refusal is an error in words. What it quotes of the question may be anything,
// so it is cleaned and bounded.
func (d Deps) refusal(words string) *mcp.CallToolResult {
	return mcp.NewToolResultError(strings.TrimPrefix(d.Note()+"\n"+render.Clip(render.Clean(words), 2000), "\n"))
}

// log tells the operator what the model is not told.
func (d Deps) log(ctx context.Context, tool string, err error) {
	level, kind := slog.LevelError, call.Kind("internal")
	var ce *call.Error
	if errors.As(err, &ce) {
		kind, level = ce.Kind, slog.LevelWarn
		if ce.Kind == call.Invalid || ce.Kind == call.NotFound || ce.Kind == call.Canceled {
			level = slog.LevelDebug
		}
		err = ce.Err
	}
	d.logger().Log(ctx, level, "tool failed", "tool", tool, "kind", kind, "err", err)
}

func (d Deps) logger() *slog.Logger {
	if d.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.Logger
}

func (d Deps) clock() filter.Clock { return filter.Clock{Now: d.Now(), Zone: d.Zone} }

// schemaOf is the schema of T in the plain subset that every client takes.
func schemaOf[T any]() *jsonschema.Schema {
	r := jsonschema.Reflector{Anonymous: true, DoNotReference: true, ExpandedStruct: true}
	s := r.Reflect(new(T))
	s.Version = ""
	return s
}

func encode(s *jsonschema.Schema) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic("tools: a schema that is not JSON: " + err.Error())
	}
	return b
}

// rawArguments are the bytes the client sent: numbers decoded on the way would
// have lost digits.
func rawArguments(r mcp.CallToolRequest) json.RawMessage {
	if len(r.Params.RawArguments) > 0 {
		return r.Params.RawArguments
	}
	b, err := json.Marshal(r.Params.Arguments)
	if err != nil {
		return nil
	}
	return b
}
