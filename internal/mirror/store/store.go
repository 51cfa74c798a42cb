// Package store keeps call logs in an SQLite database, searchable in full text.
// It knows nothing of where they come from: package mirror fills it.
package store

import (
	"time"

	"call-logs-mcp/internal/call"
)

// A Leaf is a part of a source's calls that was read as one consistent answer:
// those that began from From to To (both included) and, where they are set, have
// numeric keys from IDFrom to IDTo.
type Leaf struct {
	From, To     time.Time
	IDFrom, IDTo int64
	ReadAt       time.Time // when the reading began, by the upstream's clock
	Calls        int
}

// A Row is what is stored of a call, for comparison with what is read.
type Row struct {
	Key       string
	StartedAt time.Time
	ReadAt    time.Time // when the stored version's reading began
	Hash      uint64    // of its content
	Evaluated bool      // has a judged outcome
	Detailed  bool
}

// A Change is written as one transaction or not at all.
type Change struct {
	Source string
	ReadAt time.Time   // when the reading of Put began; an older reading never replaces a newer one
	Put    []*call.Log // new or changed; an equal one is not written; a Sensitive one is purged instead
	Gone   []string    // keys that the upstream no longer has: a tombstone stays, the text goes
	Leaf   *Leaf       // replaces the leaves that it covers
	State  []byte      // of the sync of this source; nil leaves it as it is
}

// A Selection names calls to purge; the zero Selection names none.
type Selection struct {
	Source string    // only of this source
	Before time.Time // that began before
	IDs    []call.ID
	Number string // whose customer number this is, however it is written
	All    bool

	forget bool // they must not come back
}
