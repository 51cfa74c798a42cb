package store

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
)

// Written says what a Commit did.
type Written struct {
	Put    int // calls that were new or changed
	Same   int // calls that were stored as they are, or later
	Gone   int // calls that were stored and are no more
	Purged int // calls that may not be stored, and were
}

// Why a key has a tombstone.
const (
	gone      = 1 // the upstream no longer has it
	sensitive = 2 // it must not be stored
)

// stored is what a row of calls says of the version that it holds.
type stored struct {
	id                        int64
	hash, light, words, times int64 // times is when its reading began
	start                     any
	detailed                  int64
}

// How much of a call is known.
const (
	fromList = 0
	detailed = 1
	kept     = 2 // from a list, with the details of an earlier version
)

// Commit writes a Change, all of it or nothing. What it says is on disk when it
// returns, but for a power cut, which may take the last commits whole. What it
// took away is no longer found; of its words, the next Purge rids the files.
func (s *Store) Commit(ctx context.Context, ch Change) (w Written, err error) {
	for _, l := range ch.Put {
		if l.ID.Source != ch.Source || l.ID.Key == "" || len(l.ID.Key) > maxKey {
			return w, fmt.Errorf("store: %q is no key of a call of %s", l.ID, ch.Source)
		}
	}
	entries, err := enter(ch.Put)
	if err != nil {
		return w, err
	}
	erased := false
	err = s.write(ctx, func(c *conn) error {
		b := &batch{store: s, conn: c, change: ch, index: map[int64]*entry{}}
		err := c.transact(func() error { return b.run(entries) })
		if err != nil {
			s.ids.forget()
			s.terms.forget()
			return err
		}
		w, erased = b.written, b.erased
		return nil
	})
	if err != nil {
		return Written{}, err
	}
	if erased {
		s.eraseAfter(ctx) // what readers hold up goes with a later one
	}
	return w, nil
}

// maxKey bounds the key of a call, far above what upstreams have.
const maxKey = 1000

// A batch is a Change being written.
type batch struct {
	store   *Store
	conn    *conn
	change  Change
	written Written
	erased  bool // text was taken away
	traces  traces

	source  int64
	rev     int64
	shift   int64            // how far a call's id lies behind its start, at most
	buried  bool             // the source has tombstones
	forgets bool             // some calls are forgotten: see Store.Forget
	added   int64            // calls that the source has more
	index   map[int64]*entry // whose words are yet to be indexed
	drop    []int64          // whose words are yet to be taken out of the index
}

func (b *batch) run(entries []*entry) error {
	c := b.conn
	var err error
	if b.rev, err = c.int(`SELECT value FROM meta WHERE name = 'rev'`); err != nil {
		return err
	}
	if b.shift, err = c.int(`SELECT value FROM meta WHERE name = 'shift'`); err != nil {
		return err
	}
	if err := b.store.ids.begin(c, b.rev); err != nil {
		return err
	}
	if b.source, err = b.store.ids.id(c, "sources", "name", b.change.Source); err != nil {
		return err
	}
	tombs, err := c.int(`SELECT EXISTS (SELECT 1 FROM tombs WHERE source = ?)`, b.source)
	if err != nil {
		return err
	}
	b.buried = tombs > 0
	forgotten, err := c.int(`SELECT EXISTS (SELECT 1 FROM forgotten)`)
	if err != nil {
		return err
	}
	b.forgets = forgotten > 0
	if err := b.put(entries); err != nil {
		return err
	}
	for _, key := range b.change.Gone {
		if err := b.gone(key); err != nil {
			return err
		}
	}
	if err := b.finish(); err != nil {
		return err
	}
	if err := b.reindex(); err != nil || !b.erased {
		return err
	}
	return b.store.sweep(c, &b.traces)
}

// put decides which of entries are written, and writes them.
func (b *batch) put(entries []*entry) error {
	var write []*entry
	var was []*stored
	at := map[string]int{}
	for _, e := range entries {
		old, keep, err := b.decide(e)
		if err != nil {
			return err
		}
		if !keep {
			continue
		}
		if i, twice := at[e.log.ID.Key]; twice { // the later one counts
			write[i] = e
			continue
		}
		at[e.log.ID.Key] = len(write)
		write, was = append(write, e), append(was, old)
	}
	if len(write) == 0 {
		return nil
	}
	if err := b.store.train(b.conn, write); err != nil {
		return err
	}
	id, err := b.conn.int(`SELECT value FROM meta WHERE name = 'dictionary'`)
	if err != nil {
		return err
	}
	dict, err := b.store.codec.dictionary(b.conn, id)
	if err != nil {
		return err
	}
	ready := make([]chan struct{}, len(write))
	for i := range ready {
		ready[i] = make(chan struct{})
	}
	said := make([]tally, runtime.GOMAXPROCS(0)) // of each worker
	for worker := range said {
		said[worker] = tally{}
	}
	defer ahead(len(write), func(worker, i int) { // the rows of one are written while the next are prepared
		write[i].split(said[worker], b.store.view)
		write[i].body = dict.encoder.EncodeAll(write[i].body, make([]byte, 0, len(write[i].body)/2))
		close(ready[i])
	})()
	for i, e := range write {
		<-ready[i]
		if err := b.row(e, was[i], id); err != nil {
			return err
		}
	}
	b.written.Put += len(write)
	return b.store.countTerms(b.conn, said, len(write))
}

// decide reads what is stored of e's call, and says whether e is to be written.
func (b *batch) decide(e *entry) (old *stored, write bool, err error) {
	key := sortableKey(e.log.ID.Key)
	var reason, buried int64
	if b.buried {
		_, err = b.conn.first(`SELECT reason, read_at FROM tombs WHERE source = ? AND key = ?`, []any{b.source, key}, func(stmt *sqlite3.Stmt) {
			reason, buried = stmt.ColumnInt64(0), stmt.ColumnInt64(1)
		})
		if err != nil {
			return nil, false, err
		}
	}
	read := nanos(b.change.ReadAt)
	if reason != 0 && buried > read {
		b.written.Same++ // what is known is later
		return nil, false, nil
	}
	if old, err = b.find(key); err != nil {
		return nil, false, err
	}
	if old != nil && old.times > read {
		b.written.Same++
		return nil, false, nil
	}
	if b.forgets {
		gone, err := b.conn.isForgotten(e.log)
		if err == nil && gone && old != nil {
			err = b.remove(old.id)
		}
		if err != nil || gone {
			b.written.Same++
			return nil, false, err
		}
	}
	if e.log.Sensitive {
		return nil, false, b.withhold(old, key, reason)
	}
	if reason != 0 {
		if err := b.conn.do(`DELETE FROM tombs WHERE source = ? AND key = ?`, b.source, key); err != nil {
			return nil, false, err
		}
	}
	if old == nil || old.detailed == fromList || e.log.Detailed {
		write = old == nil || old.hash != e.hash
	} else if write = old.light != e.light; write {
		err = b.merge(e, old)
	}
	if !write {
		b.written.Same++
	}
	return old, write, err
}

func (b *batch) find(key []byte) (old *stored, err error) {
	_, err = b.conn.first(`SELECT id, hash, light, said, read_at, start, detailed FROM calls WHERE key = ? AND source = ?`, []any{key, b.source}, func(stmt *sqlite3.Stmt) {
		old = &stored{
			id: stmt.ColumnInt64(0), hash: stmt.ColumnInt64(1), light: stmt.ColumnInt64(2), words: stmt.ColumnInt64(3),
			times: stmt.ColumnInt64(4), detailed: stmt.ColumnInt64(6),
		}
		if stmt.ColumnType(5) != sqlite3.NULL {
			old.start = stmt.ColumnInt64(5)
		}
	})
	return old, err
}

// withhold keeps a call that must not be stored out, and remembers that.
func (b *batch) withhold(old *stored, key []byte, reason int64) error {
	if old != nil {
		if err := b.remove(old.id); err != nil {
			return err
		}
		b.written.Purged++
	}
	if old == nil && reason == sensitive {
		b.written.Same++
		return nil
	}
	return b.bury(key, sensitive)
}

func (b *batch) bury(key []byte, reason int) error {
	b.buried = true
	return b.conn.do(`REPLACE INTO tombs(source, key, reason, read_at) VALUES(?, ?, ?, ?)`, b.source, key, reason, nanos(b.change.ReadAt))
}

// merge keeps the details of the stored version in e.
func (b *batch) merge(e *entry, old *stored) error {
	was, err := b.conn.load(old.id)
	if err != nil {
		return err
	}
	l := keepDetails(e.log, was)
	merged, err := newEntry(l)
	if err != nil {
		return err
	}
	merged.light = e.light
	*e = *merged
	return nil
}

func (b *batch) gone(key string) error {
	k := sortableKey(key)
	old, err := b.find(k)
	if err != nil || old != nil && old.times > nanos(b.change.ReadAt) {
		return err // it was met since
	}
	if old != nil {
		if err := b.remove(old.id); err != nil {
			return err
		}
		b.written.Gone++
	}
	n, err := b.conn.int(`SELECT reason FROM tombs WHERE source = ? AND key = ?`, b.source, k)
	if err != nil || n != 0 && old == nil {
		return err
	}
	return b.bury(k, gone)
}

// finish writes what is about the source, and counts the change.
func (b *batch) finish() error {
	c := b.conn
	if leaf := b.change.Leaf; leaf != nil {
		if err := b.leaf(*leaf); err != nil {
			return err
		}
	}
	if b.change.State != nil {
		if err := c.do(`UPDATE sources SET state = ? WHERE id = ?`, b.change.State, b.source); err != nil {
			return err
		}
	}
	if b.rev != b.store.ids.rev {
		if err := c.do(`UPDATE meta SET value = ? WHERE name = 'rev'`, b.rev); err != nil {
			return err
		}
		if err := c.do(`UPDATE meta SET value = ? WHERE name = 'shift'`, b.shift); err != nil {
			return err
		}
		b.store.ids.rev = b.rev
	}
	return c.do(`UPDATE sources SET calls = calls + ?, committed = ? WHERE id = ?`, b.added, b.store.now().UnixNano(), b.source)
}

// Rows returns what is stored of the calls of a source that began from one time
// to another, both included, by key. With idFrom or idTo set, only those with a
// numeric key from the one to the other; zero is open.
func (s *Store) Rows(ctx context.Context, source string, from, to time.Time, idFrom, idTo int64) (rows []Row, err error) {
	err = s.read(ctx, s.readers, func(c *conn) error {
		rows = nil
		return c.snapshot(func() error {
			shift, err := c.int(`SELECT value FROM meta WHERE name = 'shift'`)
			if err != nil {
				return err
			}
			lo, hi := idsBetween(nanos(from), nanos(to), shift)
			return c.each(`SELECT key, start, read_at, hash, success IS NOT NULL, detailed FROM calls
				WHERE id BETWEEN ? AND ? AND start BETWEEN ? AND ? AND source = (SELECT id FROM sources WHERE name = ?)`,
				[]any{lo, hi, nanos(from), nanos(to), source}, func(stmt *sqlite3.Stmt) (bool, error) {
					r := Row{
						Key: plainKey(stmt.ColumnRawBlob(0)), StartedAt: time.Unix(0, stmt.ColumnInt64(1)).UTC(), ReadAt: instantOf(stmt.ColumnInt64(2)),
						Hash: uint64(stmt.ColumnInt64(3)), Evaluated: stmt.ColumnBool(4), Detailed: stmt.ColumnInt64(5) == detailed,
					}
					if inIDs(r.Key, idFrom, idTo) {
						rows = append(rows, r)
					}
					return true, nil
				})
		})
	})
	slices.SortFunc(rows, func(a, b Row) int { return slices.Compare(sortableKey(a.Key), sortableKey(b.Key)) })
	return rows, err
}

// instantOf is the time of a column that always has one.
func instantOf(ns int64) time.Time { return time.Unix(0, ns).UTC() }

func inIDs(key string, from, to int64) bool {
	if from == 0 && to == 0 {
		return true
	}
	n, ok := number(key)
	return ok && n >= from && (to == 0 || n <= to)
}

// State returns what Change.State last was for a source, nil where there was none.
func (s *Store) State(ctx context.Context, source string) (state []byte, err error) {
	err = s.read(ctx, s.quick, func(c *conn) error {
		_, err := c.first(`SELECT state FROM sources WHERE name = ?`, []any{source}, func(stmt *sqlite3.Stmt) { state = stmt.ColumnBlob(0, nil) })
		return err
	})
	return state, err
}

var _ call.Ranker = (*Store)(nil)
