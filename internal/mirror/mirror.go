// Package mirror keeps a local copy of call logs true: it reads upstreams into
// a store, knows which windows the copy covers and as of when, and answers from
// the copy where that is honest.
//
// Upstreams page by number over lists that change while they are read, so an
// Engine never asks for a second page. It reads windows that fit on one page,
// each a single consistent answer, and writes each as one transaction: the
// calls, the window as a leaf, and how far the sync has come. What it may say
// of a window is derived from those leaves alone. Only where an upstream cannot
// be asked for a window are its pages walked through, until two walks agree.
package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror/store"
)

// ledger is what an Engine writes down; *store.Store is one.
type ledger interface {
	// State is what the last Change of a source left, nil before the first.
	State(ctx context.Context, source string) ([]byte, error)
	// Rows lists the calls that began from one time to another and have numeric
	// keys from idFrom to idTo, all included; a zero id is open.
	Rows(ctx context.Context, source string, from, to time.Time, idFrom, idTo int64) ([]store.Row, error)
	// Calls counts the calls that began from one time to another, both included.
	Calls(ctx context.Context, source string, from, to time.Time) (int, error)
	// Leaves lists the leaves that touch a window.
	Leaves(ctx context.Context, source string, from, to time.Time) ([]store.Leaf, error)
	Commit(ctx context.Context, c store.Change) (store.Written, error)
	// Purge removes calls without a trace, and the leaves that held them.
	Purge(ctx context.Context, sel store.Selection) (removed int, err error)
}

// Abilities say what an upstream's list can be asked for.
type Abilities struct {
	TimeFilter bool          // by start time; without it each window is paged through from the newest
	IDFilter   bool          // by numeric keys that grow, and by lists of them
	Gets       bool          // Get asks for a key; without it, Get may look in vain for what is far back in a list
	MaxWindow  time.Duration // the widest window it takes, 0 is 30 days
	PageSize   int           // calls of one answer, 0 is 100
}

// An Origin is an upstream to copy.
type Origin struct {
	Name   string // of the source, as ids carry it
	Source call.Source
	Abilities

	// Wait is how long a failure asks to wait before the next request, 0 where
	// it does not say; nil where failures never do.
	Wait func(error) time.Duration
}

// Details say of which calls the full record is fetched, for what lists leave
// out: metadata, dynamic variables, explanations. It costs a request a call.
type Details string

// The choices of Details.
const (
	Failed Details = "failed" // calls judged without success
	All    Details = "all"
	None   Details = "none"
)

// Options are the parts of an Engine. Ledger and Origins are required.
type Options struct {
	Origins []Origin
	Ledger  ledger

	// Stored returns a call as the copy has it. Without it a list's row replaces
	// a full record, and the record is fetched again.
	Stored func(context.Context, call.ID) (*call.Log, error)

	Details Details          // "" is Failed
	Retain  time.Duration    // how far back the copy goes, by whole days; 0 is 90 days
	Now     func() time.Time // nil is time.Now
	Logger  *slog.Logger     // nil is silent
}

// The time that passes before a reading is too old, by how old the calls are.
const (
	day       = 24 * time.Hour
	recent    = 48 * time.Hour // evaluations and late calls land within
	middling  = 14 * day
	freshFor  = time.Minute // of recent calls
	middleFor = day         // of those back to middling
	oldFor    = 8 * day     // of the rest: they are read weekly, and that takes its time
)

// An Engine copies its origins. Each is read by one request after another, and
// they are read side by side. It is safe for concurrent use, but at most one
// Engine in all processes may write to a ledger: its owner holds a lock.
type Engine struct {
	sources map[string]*syncer
	names   []string
	dirty   atomic.Bool  // what was taken away may still be in a file
	wiped   atomic.Int64 // when it was last, in Unix nanoseconds
}

// New returns an Engine. It asks and writes nothing yet.
func New(o Options) (*Engine, error) {
	if o.Ledger == nil || len(o.Origins) == 0 {
		return nil, errors.New("mirror: nothing to copy, or nowhere to")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Retain <= 0 {
		o.Retain = 90 * day
	}
	if o.Details == "" {
		o.Details = Failed
	}
	e := &Engine{sources: map[string]*syncer{}}
	for _, origin := range o.Origins {
		if e.sources[origin.Name] != nil {
			return nil, fmt.Errorf("mirror: two origins are named %q", origin.Name)
		}
		e.sources[origin.Name] = newSyncer(o, origin)
		e.names = append(e.names, origin.Name)
	}
	return e, nil
}

// Sources lists the names of the origins.
func (e *Engine) Sources() []string { return append([]string(nil), e.names...) }

func (e *Engine) source(name string) (*syncer, error) {
	if s := e.sources[name]; s != nil {
		return s, nil
	}
	return nil, &call.Error{Kind: call.Invalid, Msg: fmt.Sprintf("No source %q is copied.", name)}
}
