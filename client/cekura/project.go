package cekura

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// Lists do not tell the project of a call, so that their rows are of the project
// that was asked for only where the API applies project_id. Where a project is
// configured that is verified, by one question a process for a project that
// nobody has: an API that answers calls of it does not apply it.
const noProject = "2147483647"

// ignoredFor is how long rows without a project are left out after the API
// answered others than were asked for.
const ignoredFor = time.Hour

// place says of the rows of a page, and of what was asked for them, which
// project they are of. Rows that cannot be told stay without one.
func (s *source) place(ctx context.Context, p *plan, query url.Values, logs []*call.Log) error {
	asked := query.Get("project_id")
	if asked == "" {
		return nil
	}
	for _, l := range logs {
		if l.ProjectID != "" && l.ProjectID != asked || query.Has("agent_id") && l.AgentID != "" && l.AgentID != query.Get("agent_id") {
			s.ignored.Store(s.now().Add(ignoredFor).Unix())
		}
	}
	applied := s.now().Unix() >= s.ignored.Load()
	if applied && p.confined && len(logs) > 0 { // also where rows tell it: the count does not
		var err error
		if applied, err = s.applies(ctx, query); err != nil {
			return err
		}
	}
	for _, l := range logs {
		if applied && l.ProjectID == "" {
			l.ProjectID = asked
		}
	}
	return nil
}

// applies reports whether the API applies project_id. query found calls.
func (s *source) applies(ctx context.Context, query url.Values) (bool, error) {
	s.probing.Lock()
	defer s.probing.Unlock()
	switch {
	case s.now().Unix() < s.ignored.Load():
		return false, nil
	case s.applied:
		return true, nil
	}
	probe := url.Values{"project_id": {noProject}, "page": {"1"}, "page_size": {"1"}}
	for _, name := range []string{"timestamp_from", "timestamp_to"} {
		probe[name] = query[name]
	}
	var a listAnswer
	_, err := s.api.Get(ctx, s.path(""), probe, &a)
	var refusal *rest.StatusError
	switch {
	case err == nil && len(a.results) > 0:
		s.ignored.Store(s.now().Add(ignoredFor).Unix())
		return false, nil
	case err == nil, errors.As(err, &refusal) && slices.Contains([]int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity}, refusal.Code):
		s.applied = true
		return true, nil
	}
	return false, err
}

// prove finds out whether a record that does not tell its project is of the
// configured one: the list of that project then has it.
func (s *source) prove(ctx context.Context, l *call.Log) error {
	if l.ProjectID != "" || s.o.ProjectID == "" {
		return nil
	}
	within := call.Confinement{Project: s.o.ProjectID}.Where()
	where := filter.All(within, filter.Cond{Field: "id", Op: filter.Eq, Value: l.ID.Key})
	if !l.StartedAt.IsZero() {
		where = filter.All(where, filter.Within("timestamp", l.StartedAt.Add(-time.Second), l.StartedAt.Add(time.Second)))
	}
	page, err := s.Find(ctx, call.Query{Where: where, Within: within, Limit: 1})
	if err != nil {
		return err
	}
	for _, row := range page.Logs {
		l.ProjectID = row.ProjectID
	}
	return nil
}
