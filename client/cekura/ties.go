package cekura

import (
	"sync/atomic"

	"call-logs-mcp/internal/call"
)

// ties is what was seen of the order of calls that began at the same time, which
// nobody documents.
type ties struct{ sorted, unsorted atomic.Bool }

// learn looks at a page, newest first.
func (t *ties) learn(logs []*call.Log) {
	for i := 1; i < len(logs); i++ {
		a, b := logs[i-1], logs[i]
		if a.StartedAt.IsZero() || a.StartedAt.UnixMilli() != b.StartedAt.UnixMilli() {
			continue
		}
		if call.Newest.Compare(a, b) < 0 {
			t.sorted.Store(true)
		} else {
			t.unsorted.Store(true)
		}
	}
}

// inOrder says that they come in the order of their ids: it was seen, and the
// opposite never.
func (t *ties) inOrder() bool { return t.sorted.Load() && !t.unsorted.Load() }
