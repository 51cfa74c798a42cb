// Package config says what the operator wants: the commands, flags and
// environment variables of call-logs-mcp, declared once and checked once.
//
// A flag goes before its environment variable, and an empty variable counts as
// unset. Keys come from the environment alone, so that they never stand in a
// process list or a shell's history.
package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
)

// Command is what to do.
type Command string

// The commands. Help means that help has been printed and nothing is left to do.
const (
	Serve   Command = "serve"
	Demo    Command = "demo"
	Tool    Command = "tool"
	Version Command = "version"
	Help    Command = "help"
)

// Config is what the operator asked for. Options are those of demo, too (the
// defaults, over sample calls), and zero for version and help.
type Config struct {
	Command Command
	Options
	Tool ToolCall // of the command tool
}

// ToolCall is one tool to run from the terminal.
type ToolCall struct {
	Name string `arg:"" help:"Tool to run, such as list_call_logs."`
	JSON string `arg:"" optional:"" default:"{}" name:"json" help:"Its arguments as a JSON object."`
}

// Options are the flags and variables that the commands serve and tool share.
type Options struct {
	Demo       bool           `xor:"sample" help:"Serve embedded sample calls, and nothing else."`
	Data       []string       `xor:"sample" sep:"none" type:"existingfile" placeholder:"FILE" help:"Serve the calls of a JSONL or JSONL.gz file. May be repeated."`
	MaxFetch   int            `default:"5000" placeholder:"CALLS" help:"Read at most this many calls to answer one question (default ${default})."`
	Budget     int            `default:"4000" placeholder:"TOKENS" help:"Size of a text answer where the question names none (default ${default}, at most ${max_budget})."`
	TimeZone   *time.Location `default:"UTC" placeholder:"ZONE" help:"Time zone of times without an offset, such as Europe/Berlin (default ${default})."`
	PII        string         `name:"pii" enum:"mask,show" default:"mask" help:"Whether personal data is masked in answers: ${enum} (default ${default})."`
	Structured bool           `help:"Declare output schemas and always send structured content, for clients that run code over results."`
	Log        Log            `embed:"" prefix:"log-"`
	Cekura     Cekura         `embed:"" prefix:"cekura-" group:"cekura"`
}

// The limits of Budget, in tokens. Below the smaller an answer could not say
// what it left out; over the larger, clients warn and cut.
const (
	MinBudget = 500
	MaxBudget = 10000
)

// Mask says whether personal data is to be masked.
func (o Options) Mask() bool { return o.PII != "show" }

// Source names one origin of calls.
type Source string

// The origins of calls.
const (
	FromDemo   Source = "demo"
	FromCekura Source = "cekura"
	FromFile   Source = "file"
)

// Sources are the origins of calls that were asked for. The demo stands alone,
// whatever keys are in the environment, so that sample and real calls never mix
// in one answer. Where there is none the error, an *Error, names the ways out.
func (o Options) Sources() ([]Source, error) {
	if o.Demo {
		return []Source{FromDemo}, nil
	}
	var sources []Source
	if o.Cekura.Key.IsSet() {
		sources = append(sources, FromCekura)
	}
	if len(o.Data) > 0 {
		sources = append(sources, FromFile)
	}
	if len(sources) == 0 {
		return nil, mistake("no call logs to read: set CEKURA_API_KEY to read yours from Cekura, " +
			"give --data FILE for calls in a JSONL file, or --demo for sample calls")
	}
	return sources, nil
}

// Cekura is how to reach Cekura's API.
type Cekura struct {
	Key       Secret `kong:"-"` // from CEKURA_API_KEY; no flag takes a key
	BaseURL   string `name:"base-url" from:"CEKURA_BASE_URL" default:"https://api.cekura.ai" placeholder:"URL" help:"Where its API is (default ${default}) ($$CEKURA_BASE_URL)."`
	ProjectID string `from:"CEKURA_PROJECT_ID" placeholder:"ID" help:"Only calls of this project ($$CEKURA_PROJECT_ID)."`
	AgentID   string `from:"CEKURA_AGENT_ID" placeholder:"ID" help:"Only calls of this agent ($$CEKURA_AGENT_ID)."`
}

// Log is what to tell the operator, and how.
type Log struct {
	Level  string `enum:"debug,info,warn,error" default:"info" help:"Least level to log: ${enum} (default ${default})."`
	Format string `enum:"text,json" default:"text" help:"How to log: ${enum} (default ${default})."`
}

// Logger writes to w: lines for people, coloured where w is a terminal, or
// JSON. Give it stderr, since stdout is the wire.
func (l Log) Logger(w io.Writer) *slog.Logger {
	level := slog.LevelInfo
	_ = level.UnmarshalText([]byte(l.Level)) // the enum knows no other; the zero Log logs from info
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.DateTime, NoColor: !isTerminal(w)}))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Error is a mistake of the operator's in commands, flags or environment. Its
// words are for them, and never hold a key.
type Error struct{ msg string }

// Error is what the operator reads.
func (e *Error) Error() string { return e.msg }

func mistake(format string, args ...any) *Error { return &Error{fmt.Sprintf(format, args...)} }

// ExitCode is what the process exits with after err: 0 for nil, 2 for an
// *Error, and 1 for anything else.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.As(err, new(*Error)):
		return 2
	}
	return 1
}
