package calltest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"call-logs-mcp/internal/call"
)

// A Store is the plainest source there is, over logs in memory.
type Store struct {
	name string

	mu   sync.Mutex
	logs []*call.Log
	made int
}

// Memory returns a Store of logs, which carry its name and are not changed.
func Memory(name string, logs []*call.Log) *Store {
	return &Store{name: name, logs: slices.Clone(logs)}
}

// Find implements call.Source.
func (s *Store) Find(ctx context.Context, q call.Query) (call.Page, error) {
	s.mu.Lock()
	logs := slices.Clone(s.logs)
	s.mu.Unlock()
	return call.Sorted(ctx, q, logs)
}

// Get implements call.Source.
func (s *Store) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	if err := ctx.Err(); err != nil {
		return nil, call.Stopped(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, by := range []func(*call.Log) string{
		func(l *call.Log) string { return l.ID.Key },
		func(l *call.Log) string { return l.CallID },
	} {
		if i := slices.IndexFunc(s.logs, func(l *call.Log) bool { return by(l) == id.Key }); i >= 0 {
			return s.logs[i], nil
		}
	}
	return nil, &call.Error{Kind: call.NotFound, Msg: fmt.Sprintf("No call %q at %s.", id.Key, s.name)}
}

// Insert implements Mutable.
func (s *Store) Insert(like call.ID, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.logs, func(l *call.Log) bool { return l.ID == like })
	if i < 0 {
		return
	}
	s.made++
	l := *s.logs[i]
	l.ID.Key, l.CallID, l.StartedAt = fmt.Sprintf("new-%d", s.made), "", at
	if l.Duration != nil {
		l.EndedAt = at.Add(*l.Duration)
	}
	s.logs = append(s.logs, &l)
}

// Delete implements Mutable.
func (s *Store) Delete(id call.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs = slices.DeleteFunc(s.logs, func(l *call.Log) bool { return l.ID == id })
}
