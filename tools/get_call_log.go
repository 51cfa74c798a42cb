package tools

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

type getArgs struct {
	ID         string `json:"id" jsonschema_description:"source/key from another answer; a bare key or the provider's call_id is understood too."`
	Transcript string `json:"transcript,omitempty" jsonschema:"enum=excerpt,enum=none,default=excerpt"`
	format
}

func getCallLog(d Deps) server.ServerTool {
	return define[getArgs, callRecord](spec{
		name:  "get_call_log",
		title: "Get one call",
		description: "What happened in this call? Its facts, metrics with verdict and explanation, tool calls and errors, response times and silences, " +
			"and the transcript trimmed to the turns that matter. More turns: read_transcript.",
	}, d, func(ctx context.Context, d Deps, in getArgs) (answer, error) {
		l, err := d.one(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		fence, err := render.NewFence(rand.Reader)
		a := record{d: d, log: l, transcript: in.Transcript != "none", fence: fence}
		if a.transcript {
			a.withheld = call.Withheld(ctx, d.Calls)
		}
		return a, err
	})
}

// one is the call that a model means by id.
func (d Deps) one(ctx context.Context, id string) (*call.Log, error) {
	parsed, err := call.ParseID(id, d.Sources)
	if err != nil {
		return nil, err
	}
	return d.Calls.Get(ctx, parsed)
}

// record is one call.
type record struct {
	d          Deps
	log        *call.Log
	transcript bool
	withheld   string // what it takes to read the transcript, "" where that is there
	fence      render.Fence
}

func (a record) text(budget int) string {
	if a.withheld != "" {
		return render.Facts(a.log, budget, a.withheld)
	}
	return render.Record(a.log, budget, a.transcript, a.fence, func(s render.Span) string {
		return fmt.Sprintf("read_transcript id=%q from_turn=%d to_turn=%d", a.log.ID, s.FromTurn, s.ToTurn)
	})
}

// callRecord is one call as data.
type callRecord struct {
	Call       callFacts       `json:"call"`
	Metrics    []metricData    `json:"metrics"`
	ToolCalls  []toolData      `json:"tool_calls"`
	Timing     timingData      `json:"timing"`
	Transcript *transcriptData `json:"transcript,omitempty"`
	Notes      []string        `json:"notes"`
}

type callFacts struct {
	callData
	EndedAt      *time.Time `json:"ended_at,omitempty"`
	CreatedAt    *time.Time `json:"created_at,omitempty"`
	UpdatedAt    *time.Time `json:"updated_at,omitempty"`
	Feedback     string     `json:"feedback,omitempty"`
	Evaluation   string     `json:"evaluation,omitempty"`
	CallType     string     `json:"call_type,omitempty"`
	Sentiment    string     `json:"sentiment,omitempty"`
	ErrorMessage string     `json:"error_message,omitempty"`
	Cost         *float64   `json:"cost,omitempty"`
	TraceID      string     `json:"trace_id,omitempty"`
	RecordingURL string     `json:"recording_url,omitempty"` // without its signature
	RecordedTill *time.Time `json:"recording_expires_at,omitempty"`

	// Of each stage what is known of p50, p90, p95, p99, min and max; n is a count.
	Latency   map[string]map[string]float64 `json:"latency,omitempty" jsonschema_description:"In seconds, by stage."`
	Metadata  map[string]string             `json:"metadata,omitempty"`
	Variables map[string]string             `json:"dynamic_variables,omitempty"`
}

type metricData struct {
	ID          string   `json:"id,omitempty"`
	Name        string   `json:"name"`
	Type        string   `json:"type,omitempty"`
	Score       *float64 `json:"score,omitempty"`
	Value       string   `json:"value,omitempty"`
	Passed      *bool    `json:"passed,omitempty"`
	Explanation string   `json:"explanation,omitempty"`
}

type toolData struct {
	Turn   int    `json:"turn"`
	At     string `json:"at,omitempty" trust:"ours"`
	Name   string `json:"name"`
	Args   string `json:"args,omitempty"`
	Result string `json:"result,omitempty"`
	Error  bool   `json:"error"`
	// Outcome is what error does not say: doubtful, or no answer.
	Outcome call.ToolOutcome `json:"outcome,omitempty" trust:"ours"`
}

type timingData struct {
	LatencyP50 *float64 `json:"agent_latency_p50_seconds,omitempty"`
	LatencyP95 *float64 `json:"agent_latency_p95_seconds,omitempty"`
	Silence    *float64 `json:"longest_silence_seconds,omitempty"`
	SilenceAt  string   `json:"longest_silence_at,omitempty" trust:"ours"`
	Overlaps   int      `json:"overlaps"`
	Gap        bool     `json:"gap,omitempty" jsonschema_description:"No turn's end is known: all is from start to start."`
}
