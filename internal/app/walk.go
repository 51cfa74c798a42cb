package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/lazyregexp"
	"call-logs-mcp/tools"
)

// errTold is a failure whose words are printed already.
var errTold = errors.New("it failed, as said above")

// tool runs one tool as a client would and prints what a model would read.
func (h *house) tool(ctx context.Context, c config.ToolCall, out io.Writer) error {
	result, err := h.call(ctx, c.Name, c.JSON)
	if err != nil {
		return err
	}
	text := ""
	if result.StructuredContent != nil {
		b, err := json.MarshalIndent(result.StructuredContent, "", "  ")
		if err != nil {
			return err
		}
		text = string(b)
	} else if t, ok := result.Content[0].(mcp.TextContent); ok {
		text = t.Text
	}
	if _, err := fmt.Fprintln(out, text); err != nil {
		return err
	}
	if result.IsError {
		return errTold
	}
	return nil
}

func (h *house) call(ctx context.Context, name, args string) (*mcp.CallToolResult, error) {
	all := tools.All(h.tools)
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.Tool.Name
		if t.Tool.Name != name {
			continue
		}
		if !json.Valid([]byte(args)) {
			return nil, fmt.Errorf("the arguments are no JSON object; write them as '{\"page_size\": 5}'")
		}
		var r mcp.CallToolRequest
		r.Params.Name, r.Params.RawArguments = name, json.RawMessage(args)
		return t.Handler(ctx, r)
	}
	slices.Sort(names)
	return nil, fmt.Errorf("no tool %q; there are %s", name, strings.Join(names, ", "))
}

// steps is the guided walk: what somebody wonders, and the call that answers it.
// {id} is the first call of the answer before, {turn} a turn in it.
var steps = []struct{ wonder, tool, args string }{
	{"What went wrong in the last week?", "list_call_logs", `{"timestamp_from":"now-7d","success":false,"page_size":8}`},
	{"A tool seems to time out. Who noticed, and since when?", "search_transcripts", `{"query":"\"timeout after 8 s\"","role":"tool","timestamp_from":"now-7d","page_size":3,"order_by":"newest"}`},
	{"What happened in one of these calls?", "get_call_log", `{"id":"{id}","max_tokens":1200}`},
	{"What was said around the error?", "read_transcript", `{"id":"{id}","around":"{turn}","max_tokens":500}`},
	{"Which releases are out there?", "describe_fields", `{"field":"metadata.release"}`},
	{"Did the new one make callers wait? Its calls that ended in silence:", "list_call_logs", `{"page_size":5,"timestamp_from":"now-30d","filters_v2":{"operator":"and","conditions":[{"field":"metadata.release","op":"eq","value":"r42"},{"field":"call_ended_reason","op":"eq","value":"silence-timed-out"}]}}`},
}

// walk shows the server at work on the sample calls: real tool calls and their
// real answers, then how to connect.
func (h *house) walk(ctx context.Context, out io.Writer) error {
	fmt.Fprint(out, "A walk through the sample calls: six questions, the tool call an assistant would make, and the answer it would read.\n")
	id, turn := "", ""
	for i, s := range steps {
		args := strings.NewReplacer("{id}", id, "{turn}", turn).Replace(s.args)
		result, err := h.call(ctx, s.tool, args)
		if err != nil {
			return err
		}
		text := result.Content[0].(mcp.TextContent).Text
		fmt.Fprintf(out, "\n%d. %s\n> %s %s\n", i+1, s.wonder, s.tool, args)
		for line := range strings.SplitSeq(text, "\n") {
			fmt.Fprintln(out, "  ", line)
		}
		if result.IsError {
			return errTold
		}
		if m := readOn.FindStringSubmatch(text); m != nil {
			id, turn = m[1], m[2]
		}
	}
	_, err := fmt.Fprint(out, connecting)
	return err
}

// readOn is the next call that search_transcripts proposes.
var readOn = lazyregexp.New(`read_transcript id="([^"]+)" around=(\d+)`)

const connecting = `
To connect an assistant (here Claude Code; README has the others):

   claude mcp add call-logs -- call-logs-mcp serve --demo
   claude mcp add call-logs --env CEKURA_API_KEY=... -- call-logs-mcp serve

To run one tool from here:

   call-logs-mcp tool list_call_logs '{"success": false}' --demo
`
