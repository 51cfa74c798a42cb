package app

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"call-logs-mcp/client"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/config"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror"
	"call-logs-mcp/internal/mirror/store"
)

// origins are the sources as the sync engine asks them.
func (h *house) origins() (out []mirror.Origin) {
	for _, s := range h.configured {
		out = append(out, mirror.Origin{
			Name: s.Name, Source: h.sources[s.Name], Wait: client.Wait, Abilities: mirror.Abilities(client.Provider(s.Provider).Lists),
		})
	}
	return out
}

// engine opens the copy at the place that the operator chose.
func (h *house) engine(ctx context.Context, c config.Copy) (*mirror.Engine, *store.Store, error) {
	path := c.Mirror
	if !c.Kept() {
		path = ""
	}
	db, err := store.Open(ctx, store.Options{Path: path, Now: h.tools.Now, View: h.views.masked, Version: h.indexVersion})
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
func (h *house) withCopy(live *call.Merged, o config.Options) call.Source {
	back := reach{usualReach, h.tools.Now}
	if !slices.ContainsFunc(h.configured, func(s config.SourceConfig) bool { return !client.Provider(s.Provider).Files }) {
		back.span = 0
	}
	without := newUncopied(live, back, o.MaxFetch)
	if o.Mirror == config.MirrorOff {
		return without
	}
	path := ""
	if o.Kept() {
		path = o.Mirror
	}
	open := func(ctx context.Context) (*opened, error) {
		e, db, err := h.engine(ctx, o.Copy)
		if err != nil {
			return nil, err
		}
		return h.withMirror(ctx, db, e, o.MaxFetch)
	}
	if back.span == 0 {
		path, open = "", func(ctx context.Context) (*opened, error) { return h.index(ctx, live) }
	}
	c := newCopied(without, path, open)
	c.warn = h.logger.Warn
	return c
}

func baseOf(path string) string { return filepath.Base(path) }

// index puts all calls of files, however old, into a store in memory: files do
// not change while they are served, so there is nothing to keep true.
func (h *house) index(ctx context.Context, files *call.Merged) (*opened, error) {
	db, err := store.Open(ctx, store.Options{Now: h.tools.Now, View: h.views.masked, Version: h.indexVersion})
	if err != nil {
		return nil, err
	}
	var notes []string // of what could not be read
	undated := false
	for _, name := range files.Sources() {
		p, err := h.sources[name].Find(ctx, call.Query{Limit: 1 << 30})
		notes = append(notes, p.Notes...)
		if err == nil {
			undated = undated || slices.ContainsFunc(p.Logs, func(l *call.Log) bool { return l.StartedAt.IsZero() })
			err = put(ctx, db, p.Logs, h.tools.Now())
		}
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return &opened{Aggregator: whole{db, notes, undated}, db: db}, nil
}

// whole is a store that has all there is, so that each answer covers everything.
type whole struct {
	*store.Store
	notes   []string // that every answer bears
	undated bool     // some calls have no start time
}

// said is what an answer to a question with this filter has to say.
func (w whole) said(ctx context.Context, where filter.Expr) []string {
	if !w.undated {
		return w.notes
	}
	if note := call.Undated(func(q call.Query) (call.Page, error) { return w.Store.Find(ctx, q) }, where); note != "" {
		return append(slices.Clone(w.notes), note)
	}
	return w.notes
}

// Find says of a search how many calls it went through: all that the filter
// leaves.
func (w whole) Find(ctx context.Context, q call.Query) (call.Page, error) {
	p, err := w.Store.Find(ctx, q)
	p.Notes = append(p.Notes, w.said(ctx, q.Where)...)
	if err != nil || q.Text == nil && q.Similar == nil {
		return p, err
	}
	all, err := w.Store.Find(ctx, call.Query{Where: q.Where, Limit: 1, Exhaust: true})
	if err == nil && all.Total != nil {
		p.Coverage.Searched, p.Coverage.Calls = *all.Total, all.Total
	}
	return p, err
}

// Locate implements call.Locator.
func (w whole) Locate(ctx context.Context, id call.ID, where filter.Expr) (there, known bool) {
	there, err := call.Has(ctx, w.Store, id, where)
	return there, err == nil
}

func (w whole) Aggregate(ctx context.Context, a call.Aggregation) (call.Aggregate, error) {
	out, err := w.Store.Aggregate(ctx, a)
	out.Notes = append(out.Notes, w.said(ctx, a.Where)...)
	return out, err
}
