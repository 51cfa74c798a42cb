package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror"
	"call-logs-mcp/internal/mirror/store"
)

// A copied is the configured sources with a local copy. One in a file answers
// from the first question on; one in memory is made when a question needs it, so
// that lists cost nothing before. What a broken copy cannot answer the sources do,
// as without a copy, and the answer says why.
type copied struct {
	*uncopied // answers without a copy
	path      string
	open      func(context.Context) (*opened, error)
	warn      func(msg string, args ...any)

	turn    chan struct{} // a token: who holds it opens or closes
	mu      sync.Mutex
	made    *opened // nil until there is one
	aside   string  // what was said of a damaged file that was set aside, until an answer has said it
	checked check
}

// opened is a copy in use.
type opened struct {
	call.Aggregator
	db    *store.Store
	at    os.FileInfo // of its file; nil in memory
	close func()
}

func newCopied(live *uncopied, path string, open func(context.Context) (*opened, error)) *copied {
	c := &copied{uncopied: live, path: path, open: open, warn: func(string, ...any) {}, turn: make(chan struct{}, 1)}
	c.turn <- struct{}{}
	return c
}

// maxOpening is how long a question waits for the copy to be opened.
const maxOpening = 3 * time.Second

// mirror is the copy, opened if need be. One that could not be opened is tried
// again by the next question, since a full disk and a wrong mode are mended while
// we run; so is one whose file was replaced.
func (c *copied) mirror(ctx context.Context) (*opened, error) {
	if m := c.current(); m != nil {
		return m, nil
	}
	type result struct {
		m   *opened
		err error
	}
	done := make(chan result, 1)
	go func() { // it is opened for all, whoever gives up waiting
		<-c.turn
		defer func() { c.turn <- struct{}{} }()
		m, err := c.reopened(context.WithoutCancel(ctx))
		done <- result{m, err}
	}()
	wait := time.NewTimer(maxOpening)
	defer wait.Stop()
	select {
	case r := <-done:
		return r.m, r.err
	case <-ctx.Done():
		return nil, call.Stopped(ctx.Err())
	case <-wait.C:
		return nil, &store.BrokenError{Reason: "it is still being opened", Remedy: "Ask again in a minute.", Err: errors.New("opening the copy takes long")}
	}
}

// current is the copy in use, nil where there is none or its file is another now.
func (c *copied) current() *opened {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil || c.made.at == nil {
		return c.made
	}
	if now, err := os.Stat(c.path); err != nil || !os.SameFile(now, c.made.at) {
		return nil
	}
	return c.made
}

// reopened closes what there was, and opens the copy. A damaged file is set aside
// first. Who calls it has the turn.
func (c *copied) reopened(ctx context.Context) (*opened, error) {
	if m := c.current(); m != nil { // somebody else was faster
		return m, nil
	}
	c.drop(nil)
	m, err := c.open(ctx)
	if b := store.Broken(err); b != nil && b.Damaged && c.path != "" {
		aside, failed := setAside(c.path, b, c.now())
		if failed != nil {
			return nil, failed
		}
		c.warn("the copy was damaged and is built anew", "set aside as", aside, "err", b)
		c.mu.Lock()
		c.aside = asideWords(aside)
		c.mu.Unlock()
		m, err = c.open(ctx)
	}
	if err != nil {
		return nil, err
	}
	if c.path != "" {
		m.at, _ = os.Stat(c.path)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = m
	return m, nil
}

// drop closes the copy in use, if it is still m (or any, where m is nil).
func (c *copied) drop(m *opened) {
	c.mu.Lock()
	was := c.made
	if was == nil || m != nil && was != m {
		c.mu.Unlock()
		return
	}
	c.made = nil
	c.mu.Unlock()
	if was.close != nil {
		was.close()
	}
}

// failed is called with a failure of m. A damaged one is closed, so that the next
// question sets its file aside and opens a new one.
func (c *copied) failed(m *opened, b *store.BrokenError) {
	if !b.Damaged {
		return
	}
	go func() { // it waits for the questions that use it
		<-c.turn
		defer func() { c.turn <- struct{}{} }()
		if c.current() != m {
			return
		}
		c.drop(m)
		if c.path == "" {
			return
		}
		aside, err := setAside(c.path, b, c.now())
		if err != nil {
			c.warn("the copy is damaged", "err", err)
			return
		}
		c.warn("the copy was damaged and is built anew", "set aside as", aside, "err", b)
	}()
}

// ask has a question answered by the copy, and says why it was not, "" where it was.
func (c *copied) ask(ctx context.Context, answer func(call.Aggregator) error) (why string, err error) {
	m, err := c.mirror(ctx)
	if err == nil {
		err = answer(m)
	}
	b := store.Broken(err)
	if b == nil {
		return "", err
	}
	if m != nil {
		c.failed(m, b)
	}
	if ctx.Err() != nil {
		return "", call.Stopped(ctx.Err())
	}
	c.warn("the copy cannot be used", "err", b)
	return fmt.Sprintf("The local copy cannot be used: %s. %s This answer is the upstream's own.", b.Reason, b.Remedy), nil
}

// said is what an answer says of a copy that was set aside before it, once.
func (c *copied) said() (notes []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.aside != "" {
		notes, c.aside = []string{c.aside}, ""
	}
	return notes
}

// blamed is the failure of the sources, which were asked because the copy is broken.
func blamed(err error, why string) error {
	var e *call.Error
	if why == "" || !errors.As(err, &e) {
		return err
	}
	both := *e
	both.Msg += " " + strings.TrimSuffix(why, " This answer is the upstream's own.")
	return &both
}

// lazy holds where a list needs no copy: there is none yet, and it would be empty.
func (c *copied) lazy() bool { return c.path == "" && c.current() == nil }

// Find implements call.Source.
func (c *copied) Find(ctx context.Context, q call.Query) (p call.Page, err error) {
	q.Where = c.bounded(q.Where)
	if c.lazy() && q.Text == nil && q.Similar == nil && q.Order != call.Relevance {
		return c.live.Find(ctx, q)
	}
	why, err := c.ask(ctx, func(m call.Aggregator) (err error) {
		p, err = m.Find(ctx, q)
		return err
	})
	if why != "" {
		p, err = c.uncopied.Find(ctx, q)
		p.Notes = append(p.Notes, why)
	}
	p.Notes = append(p.Notes, c.said()...)
	return p, blamed(err, why)
}

// Get implements call.Source.
func (c *copied) Get(ctx context.Context, id call.ID) (l *call.Log, err error) {
	if c.lazy() {
		return c.live.Get(ctx, id)
	}
	why, err := c.ask(ctx, func(m call.Aggregator) (err error) {
		l, err = m.Get(ctx, id)
		return err
	})
	if why == "" {
		return l, err
	}
	l, err = c.uncopied.Get(ctx, id)
	return l, blamed(err, why)
}

// Locate implements call.Locator.
func (c *copied) Locate(ctx context.Context, id call.ID, where filter.Expr) (there, known bool) {
	if c.lazy() && c.span != 0 {
		return false, false
	}
	m, err := c.mirror(ctx)
	if err != nil {
		return false, false
	}
	if l, ok := m.Aggregator.(call.Locator); ok {
		return l.Locate(ctx, id, where)
	}
	return false, false
}

// Aggregate implements call.Aggregator.
func (c *copied) Aggregate(ctx context.Context, a call.Aggregation) (out call.Aggregate, err error) {
	a.Where = c.bounded(a.Where)
	why, err := c.ask(ctx, func(m call.Aggregator) (err error) {
		out, err = m.Aggregate(ctx, a)
		return err
	})
	if why != "" {
		out, err = c.uncopied.Aggregate(ctx, a)
		out.Notes = append(out.Notes, why)
	}
	out.Notes = append(out.Notes, c.said()...)
	return out, blamed(err, why)
}

// ready says why the copy cannot be used, as far as that is known before ctx ends.
func (c *copied) ready(ctx context.Context) error {
	m, err := c.mirror(ctx)
	if err != nil {
		return err
	}
	err = c.checked.of(ctx, m.db, c.now())
	if b := store.Broken(err); b != nil {
		c.failed(m, b)
	}
	return err
}

// A check is what was last found in the file of a copy.
type check struct {
	mu      sync.Mutex
	db      *store.Store
	at      time.Time
	running bool
	found   error
}

// A file is looked through once in recheck, and for no longer than maxCheck.
const (
	recheck  = 10 * time.Minute
	maxCheck = time.Minute
)

// of is what the last look through db found. One is begun where that is long ago;
// it goes on when ctx ends.
func (c *check) of(ctx context.Context, db *store.Store, now time.Time) error {
	c.mu.Lock()
	if c.running || c.db == db && now.Sub(c.at) < recheck {
		defer c.mu.Unlock()
		return c.found
	}
	c.running, c.db, c.at, c.found = true, db, now, nil
	c.mu.Unlock()
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxCheck)
		defer cancel()
		_, err := db.Check(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running, c.found = false, err
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return nil // nothing was found so far
	}
}

var _ interface {
	call.Ranker
	call.Aggregator
} = (*copied)(nil)

// setAside renames the damaged file of a copy.
func setAside(path string, b *store.BrokenError, now time.Time) (string, error) {
	aside, err := store.SetAside(path, now)
	if err == nil {
		return aside, nil
	}
	remedy := "Move it away, and a new one is made."
	if held := (*store.HeldError)(nil); errors.As(err, &held) {
		remedy = "Another process uses it: end that, and it is built anew."
	}
	return "", &store.BrokenError{Reason: b.Reason, Remedy: remedy, Err: errors.Join(b, err)}
}

func asideWords(aside string) string {
	return fmt.Sprintf("The local copy was damaged: it was set aside as %s, and is being built anew.", baseOf(aside))
}

// withMirror opens the mirror of a copy.
func (h *house) withMirror(ctx context.Context, db *store.Store, e *mirror.Engine, maxFetch int) (*opened, error) {
	unlock, held, err := h.lock(ctx, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	m := mirror.Open(mirror.ReadThrough{Engine: e, Copy: db, MaxFetch: maxFetch, ReadOnly: held != nil})
	return &opened{Aggregator: m, db: db, close: func() {
		m.Close()
		if err := db.Close(); err != nil {
			h.logger.Warn("closing the copy", "err", err)
		}
		unlock()
	}}, nil
}
