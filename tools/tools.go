// Package tools is what the server lets a model do: each file a tool, named
// after it. All tools read; none changes anything, here or upstream.
//
// Every tool, argument and line of output costs tokens for every user on every
// request, so each has to earn its place.
package tools

import (
	"context"
	"log/slog"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/render"
)

// Deps is everything that a tool may touch.
type Deps struct {
	Calls   call.Source
	Sources []string // the names of the sources in Calls, sorted
	Now     func() time.Time
	Zone    *time.Location // of times given without offset; nil is UTC
	Budget  int            // tokens of a text answer; 0 is DefaultBudget
	Scan    int            // calls read to answer one question; 0 is call.DefaultScan
	Sample  bool           // the calls are the demo's; every answer says so
	// Structured serves an output schema for every tool, and structured content
	// with every answer, for clients that run code over results.
	Structured bool
	Links      Links  // whether answers link the calls that they name; "" is never
	Cursors    Sealer // nil leaves cursors as they are
	Held       *Held  // the long filters of cursors; nil leaves them in the cursor
	Logger     *slog.Logger

	progress call.Progress // of the question that is answered
}

// A Sealer sees to it that a cursor serves only the one who got it. Where
// nobody is told apart, it leaves what it is given as it is.
type Sealer interface {
	Seal(ctx context.Context, cursor string) string
	// Open is what was sealed for the one who asks; ok is false for any other.
	Open(ctx context.Context, sealed string) (cursor string, ok bool)
}

// The bounds of an answer, in tokens.
const (
	DefaultBudget = 4000
	MaxTokens     = render.MaxAnswer
)

// All returns the tools. Clients see them sorted by name.
func All(d Deps) []server.ServerTool {
	return []server.ServerTool{
		listCallLogs(d),
		searchTranscripts(d),
		getCallLog(d),
		readTranscript(d),
		aggregateCallLogs(d),
		describeFields(d),
	}
}
