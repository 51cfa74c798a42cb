package mirror

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/mirror/store"
)

var errCrash = errors.New("kill -9")

// A copied call is a row of a book.
type copied struct {
	id     int64
	log    *call.Log // the last that was written; of a call that is gone, the store keeps the key
	readAt time.Time
	gone   bool // it is not stored
	marked bool // since it must not be
}

// A book is a ledger in memory. It notices what must never be written.
type book struct {
	state  []byte
	leaves []store.Leaf
	calls  map[string]*copied
	writes int

	finished int // cycles

	crash   error
	crashIn int // commits until one crashes; 0 for never
	after   bool
	exists  func(key string) bool // at the upstream
	wrongs  []string
}

func newBook() *book { return &book{crash: errCrash, calls: map[string]*copied{}} }

func (b *book) wrong(format string, args ...any) {
	b.wrongs = append(b.wrongs, fmt.Sprintf(format, args...))
}

func (b *book) State(context.Context, string) ([]byte, error) { return b.state, nil }

func (b *book) Rows(_ context.Context, _ string, from, to time.Time, idFrom, idTo int64) (rows []store.Row, err error) {
	for key, c := range b.calls {
		id := c.id
		if t := c.log.StartedAt; c.gone || t.Before(from) || t.After(to) || idFrom > 0 && id < idFrom || idTo > 0 && id > idTo {
			continue
		}
		rows = append(rows, store.Row{
			Key: key, StartedAt: c.log.StartedAt, ReadAt: c.readAt, Evaluated: c.log.Success != nil, Detailed: c.log.Detailed,
		})
	}
	slices.SortFunc(rows, func(a, b store.Row) int { return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.Key, b.Key)) })
	return rows, nil
}

func (b *book) Calls(ctx context.Context, source string, from, to time.Time) (int, error) {
	rows, err := b.Rows(ctx, source, from, to, 0, 0)
	return len(rows), err
}

func (b *book) Leaves(_ context.Context, _ string, from, to time.Time) (leaves []store.Leaf, err error) {
	for _, l := range b.leaves {
		if !l.To.Before(from) && !l.From.After(to) {
			leaves = append(leaves, l)
		}
	}
	return leaves, nil
}

func (b *book) Commit(_ context.Context, c store.Change) (store.Written, error) {
	crash := false
	if b.crashIn > 0 {
		b.crashIn--
		crash = b.crashIn == 0
	}
	if crash && !b.after {
		return store.Written{}, b.crash
	}
	var w store.Written
	for _, l := range c.Put {
		b.put(l, c.ReadAt, &w)
	}
	for _, key := range c.Gone {
		if b.exists != nil && b.exists(key) {
			b.wrong("call %s is written down as gone while it exists", key)
		}
		if x := b.calls[key]; x != nil && !x.gone && x.readAt.Before(c.ReadAt) {
			x.gone, x.readAt = true, c.ReadAt
			w.Gone++
		}
	}
	b.writes += w.Put + w.Gone + w.Purged
	if c.Leaf != nil {
		b.leaves = slices.DeleteFunc(b.leaves, func(l store.Leaf) bool { return within(l, *c.Leaf) })
		b.leaves = append(b.leaves, *c.Leaf)
	}
	if c.State != nil {
		if on := []byte(`"cycle":`); bytes.Contains(b.state, on) && !bytes.Contains(c.State, on) {
			b.finished++
		}
		b.state = c.State
	}
	if crash {
		return store.Written{}, b.crash
	}
	return w, nil
}

// Purge removes as the store does: with all leaves that it touches.
func (b *book) Purge(_ context.Context, sel store.Selection) (removed int, err error) {
	for key, c := range b.calls {
		if at := c.log.StartedAt; !c.gone && at.Before(sel.Before) {
			delete(b.calls, key)
			b.leaves = slices.DeleteFunc(b.leaves, func(l store.Leaf) bool { return !l.From.After(at) && !l.To.Before(at) })
			removed++
		}
	}
	return removed, nil
}

func (b *book) put(l *call.Log, at time.Time, w *store.Written) {
	was := b.calls[l.ID.Key]
	switch {
	case l.Sensitive:
		b.withhold(l, was, at, w)
	case was != nil && was.marked && was.readAt.After(at):
		w.Same++ // it was marked since
	case was != nil && !was.readAt.Before(at) && was.log != l:
		b.wrong("a reading of %s at %s replaces one at %s", l.ID, at, was.readAt)
	case was != nil && !was.gone && (was.log == l || was.log.Detailed && reflect.DeepEqual(was.log, l)):
		w.Same++
	case was != nil && version(l) < version(was.log):
		b.wrong("%s goes back from %s to %s", l.ID, was.log.Feedback, l.Feedback)
	default:
		id, _ := number(l.ID.Key)
		b.calls[l.ID.Key] = &copied{id: id, log: l, readAt: at}
		w.Put++
	}
}

// withhold takes a marked call out, or keeps it out, whatever version it is.
func (b *book) withhold(l *call.Log, was *copied, at time.Time, w *store.Written) {
	switch {
	case was != nil && was.marked || was != nil && was.readAt.After(at):
		w.Same++
		return
	case was != nil && !was.gone:
		w.Purged++
	}
	b.calls[l.ID.Key] = &copied{log: l, readAt: at, gone: true, marked: true}
}

// within reports whether leaf b replaces a.
func within(a, b store.Leaf) bool {
	return !a.From.Before(b.From) && !a.To.After(b.To) && a.IDFrom >= b.IDFrom && (b.IDTo == 0 || a.IDTo != 0 && a.IDTo <= b.IDTo)
}

// Stored is Options.Stored.
func (b *book) Stored(_ context.Context, id call.ID) (*call.Log, error) {
	if c := b.calls[id.Key]; c != nil && !c.gone {
		return c.log, nil
	}
	return nil, &call.Error{Kind: call.NotFound, Msg: "No such call."}
}
