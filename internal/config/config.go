// Package config says what the operator wants: the commands, flags and
// environment variables of call-logs-mcp, declared once and checked once.
//
// A flag goes before its environment variable, and that before the
// configuration file; an empty variable counts as unset. Keys come from the
// environment or the file and from no flag, so that they never stand in a
// process list or a shell's history.
package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/alecthomas/kong"
	"github.com/lmittmann/tint"
)

// Command is what to do.
type Command string

// The commands. Help means that help has been printed and nothing is left to do.
const (
	Serve    Command = "serve"
	Demo     Command = "demo"
	Tool     Command = "tool"
	Sync     Command = "sync"
	Purge    Command = "purge"
	Status   Command = "status"
	Doctor   Command = "doctor"
	NewToken Command = "token new"
	Version  Command = "version"
	Help     Command = "help"
)

// Config is what the operator asked for. Options are those of demo, too (the
// defaults, over sample calls), and zero for token, version and help. Sync,
// purge, status and doctor have the Place of Options alone.
type Config struct {
	Command Command
	Options
	HTTP   HTTP      // of serve
	Traces Traces    // of serve
	Tool   ToolCall  // of tool
	Sync   SyncCall  // of sync
	Purge  PurgeCall // of purge
	Token  TokenCall // of token new
}

// ToolCall is one tool to run from the terminal.
type ToolCall struct {
	Name string `arg:"" help:"Tool to run, such as list_call_logs."`
	JSON string `arg:"" optional:"" default:"{}" name:"json" help:"Its arguments as a JSON object."`
}

// SyncCall is how to fill the local copy.
type SyncCall struct {
	Once   bool   `xor:"rhythm" help:"Exit once the copy is complete (what sync does anyway, said aloud)."`
	Follow bool   `xor:"rhythm" help:"Go on reading new calls until stopped."`
	Since  string `placeholder:"TIME" help:"Read calls from this time on, such as 2026-11-01 or now-30d (default as far back as --retain)."`
}

// PurgeCall is what to remove from the local copy: calls that fit everything
// given. There is always at least one of Source, Before, Calls, Number and All.
type PurgeCall struct {
	Source string   `placeholder:"NAME" help:"Calls of this source."`
	Before string   `placeholder:"TIME" help:"Calls that began before this time, such as 2026-10-01 or now-30d."`
	Calls  []string `name:"call" sep:"none" placeholder:"ID" help:"This call. May be repeated."`
	Number string   `placeholder:"NUMBER" help:"Calls with this customer's number."`
	All    bool     `help:"Everything."`
	Forget bool     `help:"With --call or --number: they do not come back with a sync, either; a keyed hash is kept to know them by."`
	Yes    bool     `short:"y" help:"Do not ask before removing."`
}

// TokenCall is a token to make for somebody who is to read calls over HTTP.
type TokenCall struct {
	Name    string        `arg:"" help:"Whose token it is, in logs and limits."`
	Scopes  []string      `name:"scope" enum:"${scopes}" default:"calls:read,transcripts:read" placeholder:"SCOPE" help:"What it lets read: ${enum}. May be repeated (default ${default})."`
	Filter  string        `placeholder:"JSON" help:"Only calls that match this filters_v2."`
	Expires time.Duration `type:"life" placeholder:"TIME" help:"How long it lets in, such as 90d or 12h (default for good)."`
	Tokens  string        `placeholder:"FILE" help:"Where tokens are kept, hashed (default tokens beside the configuration file)."`
}

// Options are the flags and variables that the commands serve and tool share.
type Options struct {
	Place      `embed:""`
	MaxFetch   int    `file:"positive" default:"5000" placeholder:"CALLS" help:"Read at most this many calls to answer one question (default ${default})."`
	MaxRate    int    `file:"positive" default:"25" placeholder:"REQUESTS" help:"Ask one upstream at most this many times a second; fewer where it is slow or refuses (default ${default})."`
	Budget     int    `file:"budget" default:"4000" placeholder:"TOKENS" help:"Size of a text answer where the question names none (default ${default}, at most ${max_budget})."`
	PII        string `file:"" name:"pii" enum:"mask,strict,show" default:"mask" help:"Whether personal data is masked in answers: ${enum} (default ${default}). Strict also masks dates of birth, street addresses and names behind words that introduce them."`
	Links      string `file:"" name:"resource-links" enum:"auto,always,never," default:"" placeholder:"WHEN" help:"Whether answers link the calls that they name as MCP resources: auto, always or never; auto links for clients that are known to take links (default auto)."`
	Structured bool   `file:"" help:"Declare output schemas and always send structured content, for clients that run code over results."`
	// CursorSecret is what instances behind one load balancer share, so that each
	// opens the cursors of the others. Without one, an instance makes its own.
	CursorSecret Secret `kong:"-"` // from CALL_LOGS_CURSOR_SECRET
}

// Place is where calls come from and where the copy of them is: what every
// command about calls has to know.
type Place struct {
	File     string         `name:"config" placeholder:"FILE" help:"Sources and options in YAML (default call-logs-mcp/config.yaml in the user's configuration directory, if it is there)."`
	Demo     bool           `xor:"sample" help:"Serve embedded sample calls, and nothing else."`
	Data     []string       `xor:"sample" sep:"none" type:"existingfile" placeholder:"FILE" help:"Serve the calls of a file: JSON lines or documents, as exported here or by Vapi, Retell, ElevenLabs, Cekura or LiveKit, chat messages, or a transcript in text. May be repeated."`
	TimeZone *time.Location `file:"zone" default:"UTC" placeholder:"ZONE" help:"Time zone of times without an offset, such as Europe/Berlin (default ${default})."`
	Log      Log            `embed:"" prefix:"log-"`
	Flags    kong.Plugins   `embed:""` // of providers; none after Parse
	Copy     `embed:"" group:"copy"`

	sources []SourceConfig // that can be opened, by name
	lost    error          // why they cannot be read
}

// The limits of Budget, in tokens. Below the smaller an answer could not say
// what it left out; over the larger, clients warn and cut.
const (
	MinBudget = 500
	MaxBudget = 10000
)

// Mask says whether personal data is to be masked.
func (o Options) Mask() bool { return o.PII != "show" }

// Strict says that Mask masks names, addresses and dates of birth, too.
func (o Options) Strict() bool { return o.PII == "strict" }

// Log is what to tell the operator, and how.
type Log struct {
	Level  string `file:"" enum:"debug,info,warn,error" default:"info" help:"Least level to log: ${enum} (default ${default})."`
	Format string `file:"" enum:"text,json" default:"text" help:"How to log: ${enum} (default ${default})."`
}

// Logger writes to w: lines for people, coloured where w is a terminal, or
// JSON. Give it stderr, since stdout is the wire.
func (l Log) Logger(w io.Writer) *slog.Logger {
	level := slog.LevelInfo
	_ = level.UnmarshalText([]byte(l.Level)) // the enum knows no other; the zero Log logs from info
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.DateTime, NoColor: !IsTerminal(w)}))
}

// IsTerminal tells whether a person reads w as it is written, escape codes and all.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Error is a mistake of the operator's in commands, flags, environment or file.
// Its words are for them, and never hold a key.
type Error struct{ msg string }

// Error is what the operator reads.
func (e *Error) Error() string { return e.msg }

// Mistake is an *Error of these words, for what only a command can find out,
// such as a time that is none.
func Mistake(format string, args ...any) *Error { return &Error{fmt.Sprintf(format, args...)} }

// Exposed is the refusal to serve calls to whoever asks for them.
type Exposed struct{ msg string }

// Error is what the operator reads.
func (e *Exposed) Error() string { return e.msg }

// ExitCode is EX_CONFIG of sysexits.h, so that supervisors do not try again.
func (e *Exposed) ExitCode() int { return 78 }

// ExitCode is what the process exits with after err: 0 for nil, 2 for an
// *Error, what an error with a method ExitCode says, and 1 for anything else.
func ExitCode(err error) int {
	var own interface{ ExitCode() int }
	switch {
	case err == nil:
		return 0
	case errors.As(err, &own):
		return own.ExitCode()
	case errors.As(err, new(*Error)):
		return 2
	}
	return 1
}
