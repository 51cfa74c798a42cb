package cekura

import (
	"context"
	"errors"
	"fmt"
	"time"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// getScan bounds how many calls are read to find a call id, where the API does
// not look for it itself.
const getScan = 2000

// Get implements call.Source. An integer is the key of the call; what is none,
// or has no call, is looked for among the call ids of the last 180 days.
func (s *source) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	if id.Source != "" && id.Source != s.name || id.Key == "" {
		return nil, s.notFound(id.Key, nil)
	}
	var missing error
	if isInteger(id.Key) {
		l, err := s.detail(ctx, id.Key)
		if !isGone(err) {
			return l, err
		}
		missing = err
	}
	moved := s.moved.Load()
	row, err := s.byCallID(ctx, id.Key)
	switch {
	case err != nil:
		return nil, err
	case !moved && s.moved.Load() && missing != nil: // it was v1 that is gone, not the call
		l, err := s.detail(ctx, id.Key)
		if !isGone(err) {
			return l, err
		}
	}
	if row == nil {
		return nil, s.notFound(id.Key, missing)
	}
	l, err := s.record(ctx, row.ID.Key)
	if isGone(err) {
		return row, nil
	}
	if err != nil {
		return nil, err
	}
	complete(l, row)
	l.DashboardURL = dashboard(l)
	return l, nil
}

// detail is the record of a call, with its project.
func (s *source) detail(ctx context.Context, key string) (*call.Log, error) {
	l, err := s.record(ctx, key)
	if err == nil {
		err = s.prove(ctx, l)
	}
	if err != nil {
		return nil, err
	}
	l.DashboardURL = dashboard(l)
	return l, nil
}

// record is the record of a call as the API answers it. One of another call is
// no answer.
func (s *source) record(ctx context.Context, key string) (*call.Log, error) {
	var d detail
	if _, err := s.api.Get(ctx, s.path(key), nil, &d); err != nil {
		return nil, err
	}
	l := d.log(s.name)
	if l.ID.Key != key {
		return nil, s.notFound(key, errors.New("cekura: the record is of another call"))
	}
	l.Detailed = true
	return l, nil
}

// byCallID looks for a call id where it most likely is first: in the last 30
// days, then before. It returns nil where there is none.
func (s *source) byCallID(ctx context.Context, key string) (*call.Log, error) {
	within := call.Confinement{Project: s.o.ProjectID, Agents: s.o.AgentIDs}.Where()
	where := filter.All(within, filter.Cond{Field: "call_id", Op: filter.Eq, Value: key})
	now := s.now().UTC()
	for _, w := range []struct{ from, to time.Duration }{{defaultSpan, 0}, {idSpan, defaultSpan}} {
		window := filter.Within("timestamp", now.Add(-w.from), now.Add(-w.to))
		page, err := s.Find(ctx, call.Query{Where: filter.All(where, window), Within: within, Limit: 1, Scan: getScan})
		if err != nil {
			return nil, err
		}
		if len(page.Logs) > 0 {
			return page.Logs[0], nil
		}
	}
	return nil, nil
}

func (s *source) notFound(key string, cause error) error {
	if cause == nil {
		cause = errors.New("cekura: no such call")
	}
	return &call.Error{
		Kind: call.NotFound,
		Msg:  fmt.Sprintf("%s has no call %q.", s.name, key),
		Hint: "An id is the integer of list_call_logs (48213), the same behind its source (" + s.name + "/48213), or the provider's call_id, " +
			"which is looked for in the last 180 days. Ids come from list_call_logs and search_transcripts.",
		Err: cause,
	}
}
