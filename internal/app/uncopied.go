package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/mirror/store"
)

// An uncopied is the sources without a copy. What has to be ranked is put into
// an index in memory for the length of one question; all else is asked of the
// sources, and counts are made of what they answer.
type uncopied struct {
	live *call.Merged
	reach
	most  int           // calls that are read for one question
	turns chan struct{} // a token for each index that there may be at once
}

// indexes is how many there are at once: each takes as much memory as its calls.
const indexes = 2

func newUncopied(live *call.Merged, back reach, most int) *uncopied {
	return &uncopied{live: live, reach: back, most: most, turns: make(chan struct{}, indexes)}
}

// Get implements call.Source.
func (u *uncopied) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	return u.live.Get(ctx, id)
}

// Locate implements call.Locator: the sources know, and nobody else.
func (u *uncopied) Locate(context.Context, call.ID, filter.Expr) (there, known bool) {
	return false, false
}

// Ranks holds: the index does.
func (u *uncopied) Ranks() bool { return true }

// Aggregate implements call.Aggregator.
func (u *uncopied) Aggregate(ctx context.Context, a call.Aggregation) (call.Aggregate, error) {
	a.Where, a.Scan = u.bounded(a.Where), u.most
	return call.Count(ctx, u.live, a)
}

// Find implements call.Source.
func (u *uncopied) Find(ctx context.Context, q call.Query) (call.Page, error) {
	q.Where = u.bounded(q.Where)
	if q.Order != call.Relevance && q.Similar == nil {
		return u.live.Find(ctx, q)
	}
	select {
	case u.turns <- struct{}{}:
		defer func() { <-u.turns }()
	case <-ctx.Done():
		return call.Page{}, call.Stopped(ctx.Err())
	}
	read, err := u.live.Find(ctx, call.Query{Where: q.Where, Limit: u.most, Scan: u.most, Exhaust: true, Progress: q.Progress})
	if err != nil {
		return call.Page{}, err
	}
	logs := read.Logs
	if q.Similar != nil { // it may lie outside of what was asked for
		like, err := u.live.Get(ctx, *q.Similar)
		if err != nil {
			return call.Page{}, err
		}
		q.Similar = &like.ID
		logs = append(slices.DeleteFunc(slices.Clone(logs), func(l *call.Log) bool { return l.ID == like.ID }), like)
	}
	p, err := u.ranked(ctx, q, logs)
	if err != nil {
		return call.Page{}, err
	}
	p.Window, p.Coverage, p.Notes = read.Window, read.CoverageOfAll(), slices.Concat(read.Notes, p.Notes)
	p.Coverage.Searched = min(p.Coverage.Searched, u.most)
	if !p.Coverage.Complete {
		p.Total = nil // it is that of what was read
	}
	return p, nil
}

// ranked answers q from logs, which are those that its filter leaves.
func (u *uncopied) ranked(ctx context.Context, q call.Query, logs []*call.Log) (p call.Page, err error) {
	db, err := store.Open(ctx, store.Options{Now: u.now, View: q.View})
	if err != nil {
		return p, err
	}
	defer db.Close()
	whole := map[call.ID]*call.Log{}
	indexed := make([]*call.Log, len(logs))
	for i, l := range logs {
		light := *l
		light.Sensitive = false // this is no place where it stays
		whole[l.ID], indexed[i] = l, &light
	}
	if err := put(ctx, db, indexed, u.now()); err != nil {
		return p, err
	}
	if from, to, rest := filter.Bounds(q.Where, "timestamp"); ofRecords(rest) {
		q.Where = filter.Within("timestamp", from, to)
	}
	if p, err = db.Find(ctx, q); err != nil {
		return p, err
	}
	for i, l := range p.Logs {
		p.Logs[i] = whole[l.ID]
	}
	return p, nil
}

// ofRecords reports a filter over what lists of calls may lack. The sources
// answered it, and the index could not.
func ofRecords(where filter.Expr) bool {
	for c := range filter.Conds(where) {
		if strings.HasPrefix(c.Field, "metadata.") || strings.HasPrefix(c.Field, "dynamic_variables.") {
			return true
		}
	}
	return false
}

// batch is how many calls go into one transaction.
const batch = 500

// put writes logs of any sources into an index.
func put(ctx context.Context, db *store.Store, logs []*call.Log, now time.Time) error {
	bySource := map[string][]*call.Log{}
	for _, l := range logs {
		bySource[l.ID.Source] = append(bySource[l.ID.Source], l)
	}
	for source, logs := range bySource {
		for some := range slices.Chunk(logs, batch) {
			if _, err := db.Commit(ctx, store.Change{Source: source, ReadAt: now, Put: some}); err != nil {
				return err
			}
		}
	}
	return nil
}

var _ interface {
	call.Ranker
	call.Aggregator
} = (*uncopied)(nil)
