package telzino

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"call-logs-mcp/client/rest"
	"call-logs-mcp/client/wire"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// An agent is one whose calls are listed. Its name is known if the API told it.
type agent struct{ id, name string }

const (
	maxAgents = 100 // that one question asks for their calls
	agentsFor = 5 * time.Minute
	maxPages  = 20 // of the list of agents
)

// asked is the agents whose calls can match where.
func (s *source) asked(ctx context.Context, where filter.Expr) (agents []agent, notes []string, err error) {
	all, err := s.known(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range all {
		if a.fits(where) {
			agents = append(agents, a)
		}
	}
	switch {
	case len(all) == 0:
		notes = append(notes, s.name+" has no agents")
	case len(agents) == 0 && filter.Mentions(where, "agent.id"):
		notes = append(notes, "no agent of "+s.name+" fits agent.id")
	case len(agents) > maxAgents:
		notes = append(notes, fmt.Sprintf("%s has %d agents; the calls of the first %d were read, name others by agent.id", s.name, len(agents), maxAgents))
		agents = agents[:maxAgents]
	}
	return agents, notes, nil
}

// fits says that calls of a may match where.
func (a agent) fits(where filter.Expr) bool {
	left, ok := filter.Assume(where, "agent.id", a.id)
	if !ok {
		return false
	}
	var name any // a missing one
	if a.name != "" {
		name = a.name
	}
	_, ok = filter.Assume(left, "agent.agent_name", name)
	return ok
}

// known is the configured agents, or those that the API lists, which are
// believed for a few minutes.
func (s *source) known(ctx context.Context) ([]agent, error) {
	if len(s.o.AgentIDs) > 0 {
		agents := make([]agent, 0, len(s.o.AgentIDs))
		for _, id := range s.o.AgentIDs {
			agents = append(agents, agent{id: strings.TrimSpace(id)})
		}
		return agents, nil
	}
	s.mu.Lock()
	agents, listed := s.agents, s.listed
	s.mu.Unlock()
	if age := s.now().Sub(listed); !listed.IsZero() && age >= 0 && age < agentsFor {
		return agents, nil
	}
	agents, err := s.listAgents(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agents, s.listed = agents, s.now()
	return agents, nil
}

// listAgents reads the pages of /v1/agents. It may change between them, so an
// agent may come twice.
func (s *source) listAgents(ctx context.Context) (agents []agent, err error) {
	for page := range maxPages {
		var answer agentsAnswer
		_, err := s.get(ctx, rest.Path("v1", "agents"), page, pageSize, &answer)
		var e *call.Error
		if errors.As(err, &e) && e.Kind == call.NotFound {
			if page > 0 {
				break
			}
			err = &call.Error{Kind: call.Unavailable, Msg: "Telzino has no list of agents at this address; check " + s.o.BaseName + ".", Hint: askOperator, Err: err}
		}
		if err != nil {
			return nil, err
		}
		before := len(agents)
		for _, a := range answer.agents {
			if !slices.ContainsFunc(agents, func(b agent) bool { return b.id == a.id }) {
				agents = append(agents, a)
			}
		}
		if rows := answer.rows(); rows.More != nil && !*rows.More || len(agents) == before {
			break
		}
	}
	return agents, nil
}

// notFound says what looking for a call took.
func notFound(name, key string, walk *wire.Walk) error {
	e := &call.Error{
		Kind: call.NotFound,
		Msg:  fmt.Sprintf("%s has no call %q.", name, key),
		Hint: "Ids come from list_call_logs and search_transcripts.",
		Err:  errors.New("telzino: no such call"),
	}
	if walk == nil {
		return e
	}
	requests, rows, back := walk.Cost()
	e.Hint = fmt.Sprintf("Telzino cannot be asked for one call, so %d calls were read in %d requests", rows, requests)
	if !back.IsZero() {
		e.Hint += ", back to " + back.Format(time.DateOnly)
	}
	e.Hint += ". Ids come from list_call_logs and search_transcripts."
	return e
}
