// Package telzino reads call logs from Telzino's API.
//
// The API lists the calls of one agent at a time, in numbered pages, and filters
// nothing. A source asks the lists of all agents side by side, merges them, and
// stops where they are older than the window; whatever else was asked for is
// looked for in the calls themselves. One call cannot be asked for: it is looked
// for in the lists.
//
// Nobody documents how the lists are sorted. Newest first is what they show, by
// the calls' time or by that of the records; either is checked, and a list that
// is sorted by neither is read whole.
package telzino

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/client/wire"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// BaseURL is where Telzino answers.
const BaseURL = "https://api.telzino.com"

const (
	day         = 24 * time.Hour
	defaultSpan = 30 * day // of a question without a range
	pageSize    = 100      // the API's largest
	// longest is how long before its record a call may have begun.
	longest = 2 * time.Hour
)

// source is a call.Source over the agents of one Telzino account.
type source struct {
	name   string
	o      provider.Options
	api    *rest.Client
	tokens *tokens
	now    func() time.Time
	charts wire.Charts

	mu     sync.Mutex
	agents []agent // as they were listed
	listed time.Time
}

// New returns the calls of o's agents. It sends nothing yet.
func New(o provider.Options) (call.Source, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.BaseURL, o.BaseName = cmp.Or(o.BaseURL, BaseURL), cmp.Or(o.BaseName, "TELZINO_BASE_URL")
	tokens, err := newTokens(o)
	if err != nil {
		return nil, err
	}
	api, err := rest.New(rest.Options{
		Name:      "Telzino",
		BaseURL:   o.BaseURL,
		KeyName:   tokens.keyName,
		BaseName:  o.BaseName,
		Header:    func(h http.Header) { h.Set("Authorization", "Bearer "+tokens.current()) },
		Transport: o.Transport,
		Logger:    o.Logger,
		Version:   o.Version,
		Limits:    o.Limits,
	})
	if err != nil {
		return nil, err
	}
	return &source{name: cmp.Or(o.Name, "telzino"), o: o, api: api, tokens: tokens, now: o.Now}, nil
}

// Find implements call.Source. Without a range it answers for the last 30 days,
// and says so in Page.Window.
func (s *source) Find(ctx context.Context, q call.Query) (call.Page, error) {
	from, to, where := filter.Bounds(q.Where, "timestamp")
	window := wire.Pinned(call.Window{From: from, To: to}, s.now(), defaultSpan)
	agents, notes, err := s.asked(ctx, where)
	if err != nil {
		return call.Page{}, err
	}
	if len(agents) == 0 {
		zero := 0
		return call.Page{Window: window, Notes: notes, Total: &zero, Coverage: call.Coverage{Calls: &zero, Complete: true}}, ctx.Err()
	}
	o := wire.Options{
		Source: s.name, Lists: s.lists(agents, q.Order == call.Oldest), Query: q, Window: window,
		Picky: q.Text != nil || slices.ContainsFunc(agents, func(a agent) bool {
			left, _ := filter.Assume(where, "agent.id", a.id) // that is asked for already
			return left != nil
		}),
	}
	page, _, err := s.charts.Find(o, func(fetch call.Fetch) (call.Page, error) { return call.Collect(ctx, q, where, fetch) })
	page.Notes = append(notes, page.Notes...)
	return page, err
}

func (s *source) lists(agents []agent, oldest bool) []wire.List {
	lists := make([]wire.List, len(agents))
	for i, a := range agents {
		lists[i] = s.list(a, oldest)
	}
	return lists
}

// list is the call logs of an agent.
func (s *source) list(a agent, oldest bool) wire.List {
	return wire.List{
		Name:     listName(a),
		Max:      pageSize,
		Keys:     []wire.Key{wire.ByStart(), wire.ByCreation(longest)},
		Reversed: oldest,
		Fetch: func(ctx context.Context, page, size int) (wire.Rows, error) {
			var answer listAnswer
			meta, err := s.get(ctx, rest.Path("v1", "agents", a.id, "call-logs"), page, size, &answer)
			var e *call.Error
			if errors.As(err, &e) && e.Kind == call.NotFound {
				err = &call.Error{Kind: e.Kind, Msg: fmt.Sprintf("Telzino has no call logs of agent %.80q (404); check TELZINO_AGENT_IDS and %s.", a.id, s.o.BaseName), Hint: askOperator, Err: err}
			}
			if err != nil {
				return wire.Rows{}, err
			}
			rows := answer.rows()
			rows.Date = meta.Date
			for i := range answer.data {
				l := answer.data[i].log(s.name, a)
				if l != nil && len(s.o.AgentIDs) > 0 && answer.data[i].agent() == "" {
					l.AgentID, l.AgentName = "", "" // its list alone does not prove whose it is
				}
				rows.Logs = append(rows.Logs, l)
			}
			return rows, nil
		},
	}
}

// Get implements call.Source. The key is the id of the call log, or its room.
// As the API has no such question, the call is looked for where it was met last,
// and then in the lists of all agents, newest first.
func (s *source) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	if id.Source != "" && id.Source != s.name || id.Key == "" {
		return nil, notFound(s.name, id.Key, nil)
	}
	agents, _, err := s.asked(ctx, nil)
	if err != nil {
		return nil, err
	}
	if home, ok := s.charts.Home(id.Key); ok {
		at := slices.IndexFunc(agents, func(a agent) bool { return listName(a) == home.List })
		if at >= 0 {
			l, _, err := s.look(ctx, id.Key, call.Window{From: home.At, To: home.At}, agents[at:at+1])
			if err != nil || l != nil {
				return l, err
			}
		}
	}
	l, walk, err := s.look(ctx, id.Key, call.Window{}, agents)
	if err == nil && l == nil {
		err = notFound(s.name, id.Key, walk)
	}
	return l, err
}

// getScan bounds how many calls are read to find one.
const getScan = 2000

// look looks for a call in the lists of agents; it is nil where there is none.
func (s *source) look(ctx context.Context, key string, window call.Window, agents []agent) (*call.Log, *wire.Walk, error) {
	o := wire.Options{Source: s.name, Lists: s.lists(agents, false), Window: window, Query: call.Query{Exhaust: true}}
	page, walk, err := s.charts.Find(o, func(fetch call.Fetch) (call.Page, error) { return wire.First(ctx, key, getScan, fetch) })
	if err != nil || len(page.Logs) == 0 {
		return nil, walk, err
	}
	return page.Logs[0], walk, nil
}

func listName(a agent) string { return "agent " + a.id }

// errNoKey is for the operator.
var errNoKey = errors.New("telzino: no key; set TELZINO_CLIENT_ID and TELZINO_CLIENT_SECRET, or TELZINO_TOKEN")
