package app

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"call-logs-mcp/client"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/mirror"
	"call-logs-mcp/internal/mirror/store"
)

// A copied is the configured sources with a local copy. A copy in memory is made
// when the first question needs it, so that lists cost nothing; one in a file is
// there from the start.
type copied struct {
	live *call.Merged // the sources without the copy
	reach
	open func() (call.Aggregator, error)

	making sync.Mutex
	made   atomic.Pointer[call.Aggregator] // nil until there is one
}

// mirror is the copy, made if need be. One that could not be made is tried again
// by the next question, since a full disk and a wrong mode are mended while we run.
func (c *copied) mirror() (call.Aggregator, error) {
	c.making.Lock()
	defer c.making.Unlock()
	if m := c.made.Load(); m != nil {
		return *m, nil
	}
	m, err := c.open()
	if err != nil {
		return nil, err
	}
	c.made.Store(&m)
	return m, nil
}

// ready says why the copy cannot be opened, as far as that is known before ctx
// ends.
func (c *copied) ready(ctx context.Context) error {
	if c.made.Load() != nil {
		return nil
	}
	opened := make(chan error, 1)
	go func() {
		_, err := c.mirror()
		opened <- err
	}()
	select {
	case err := <-opened:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Find answers lists from the sources as long as there is no copy yet.
func (c *copied) Find(ctx context.Context, q call.Query) (call.Page, error) {
	q.Where = c.bounded(q.Where)
	if c.made.Load() == nil && q.Text == nil && q.Similar == nil && q.Order != call.Relevance {
		return c.live.Find(ctx, q)
	}
	m, err := c.mirror()
	if err != nil {
		return call.Page{}, err
	}
	return m.Find(ctx, q)
}

func (c *copied) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	if m := c.made.Load(); m != nil {
		return (*m).Get(ctx, id)
	}
	return c.live.Get(ctx, id)
}

func (c *copied) Aggregate(ctx context.Context, a call.Aggregation) (call.Aggregate, error) {
	a.Where = c.bounded(a.Where)
	m, err := c.mirror()
	if err != nil {
		return call.Aggregate{}, err
	}
	return m.Aggregate(ctx, a)
}

// Ranks holds: the copy does.
func (c *copied) Ranks() bool { return true }

// origins are the sources as the sync engine asks them.
func (h *house) origins() (out []mirror.Origin) {
	for _, s := range h.configured {
		o := mirror.Origin{Name: s.Name, Source: h.sources[s.Name], Wait: client.Wait}
		switch s.Provider {
		case "cekura", "demo":
			o.Abilities = mirror.Abilities{TimeFilter: true, IDFilter: true, Gets: true, PageSize: 500}
		case "zudu": // the few calls without a call_id are looked for among the newest
			o.Abilities = mirror.Abilities{Gets: true}
		case "file":
			o.Abilities = mirror.Abilities{TimeFilter: true, Gets: true, PageSize: 500}
		}
		out = append(out, o)
	}
	return out
}

// engine opens the copy at the place that the operator chose.
func (h *house) engine(ctx context.Context, c config.Copy) (*mirror.Engine, *store.Store, error) {
	path := c.Mirror
	if !c.Kept() {
		path = ""
	}
	db, err := store.Open(ctx, store.Options{Path: path, Now: h.tools.Now, View: h.views.masked, Version: indexVersion})
	if err != nil {
		return nil, nil, err
	}
	e, err := mirror.New(mirror.Options{
		Origins: h.origins(), Ledger: db, Stored: db.Get, Details: mirror.Details(c.Details), Retain: c.Retain, Now: h.tools.Now, Logger: h.logger,
	})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return e, db, nil
}

// withCopy is live with the copy that the operator wants of it.
func (h *house) withCopy(live *call.Merged, o config.Options) (call.Source, error) {
	back := reach{usualReach, h.tools.Now}
	if !slices.ContainsFunc(h.configured, func(s config.SourceConfig) bool { return s.Provider != "file" }) {
		back.span = 0
	}
	if o.Mirror == config.MirrorOff {
		return newUncopied(live, back, o.MaxFetch), nil
	}
	c := &copied{live: live, reach: back}
	c.open = func() (call.Aggregator, error) {
		e, db, err := h.engine(context.Background(), o.Copy)
		if err != nil {
			return nil, err
		}
		// One process of all that share the copy writes to it, until it ends.
		_, err = db.Lock(context.Background())
		var held *store.HeldError
		if err != nil && !errors.As(err, &held) {
			return nil, errors.Join(err, db.Close())
		}
		return mirror.Open(mirror.ReadThrough{Engine: e, Copy: db, MaxFetch: o.MaxFetch, ReadOnly: held != nil}), nil
	}
	if back.span == 0 {
		c.open = func() (call.Aggregator, error) { return h.index(context.Background(), live) }
	}
	return c, nil
}

// index puts all calls of files, however old, into a store in memory: files do
// not change while they are served, so there is nothing to keep true.
func (h *house) index(ctx context.Context, files *call.Merged) (call.Aggregator, error) {
	db, err := store.Open(ctx, store.Options{Now: h.tools.Now, View: h.views.masked, Version: indexVersion})
	if err != nil {
		return nil, err
	}
	for _, name := range files.Sources() {
		p, err := h.sources[name].Find(ctx, call.Query{Limit: 1 << 30})
		if err == nil {
			err = put(ctx, db, p.Logs, h.tools.Now())
		}
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return whole{db}, nil
}

// whole is a store that has all there is, so that each answer covers everything.
type whole struct{ *store.Store }

// Find says of a search how many calls it went through: all that the filter
// leaves.
func (w whole) Find(ctx context.Context, q call.Query) (call.Page, error) {
	p, err := w.Store.Find(ctx, q)
	if err != nil || q.Text == nil && q.Similar == nil {
		return p, err
	}
	all, err := w.Store.Find(ctx, call.Query{Where: q.Where, Limit: 1, Exhaust: true})
	if err == nil && all.Total != nil {
		p.Coverage.Searched, p.Coverage.Calls = *all.Total, all.Total
	}
	return p, err
}
