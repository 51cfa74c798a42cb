// Package cekura reads call logs from Cekura's observability API.
//
// The API pages by number, answers newest first, refuses windows wider than 33
// days and sends whole transcripts with every row. A Source hides all of that:
// it walks windows of any width in slices, continues by time instead of by page
// number, so that calls that arrive meanwhile neither repeat nor hide others,
// asks the API for what the API can filter and filters the rest itself.
//
// What nobody documents is checked instead of believed: that rows come newest
// first, that filters were applied, that a page is as large as was asked for.
package cekura

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
	"call-logs-mcp/internal/lazyregexp"
)

// BaseURL is where Cekura answers.
const BaseURL = "https://api.cekura.ai"

// source is a call.Source over one Cekura account.
type source struct {
	name   string
	o      provider.Options
	api    *rest.Client
	now    func() time.Time
	moved  atomic.Bool // v1 of the list is gone
	narrow atomic.Bool // windows of 33 days were refused
	ties   ties

	probing sync.Mutex
	applied bool         // the API was seen to apply project_id; guarded by probing
	ignored atomic.Int64 // until when it is taken for one that does not, in Unix seconds
}

// New returns the calls that o's key may read. It sends nothing yet.
func New(o provider.Options) (call.Source, error) {
	if o.Secret(apiKey) == "" {
		return nil, errors.New("cekura: no key; set CEKURA_API_KEY")
	}
	if o.ProjectID != "" && !isInteger(o.ProjectID) {
		return nil, errors.New("cekura: CEKURA_PROJECT_ID is not an integer")
	}
	for _, id := range o.AgentIDs {
		if !isInteger(strings.TrimSpace(id)) {
			return nil, errors.New("cekura: CEKURA_AGENT_ID is not an integer")
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	api, err := rest.New(rest.Options{
		Name:      "Cekura",
		BaseURL:   cmp.Or(o.BaseURL, BaseURL),
		KeyName:   cmp.Or(o.KeyName, "CEKURA_API_KEY"),
		BaseName:  cmp.Or(o.BaseName, "CEKURA_BASE_URL"),
		Header:    func(h http.Header) { h.Set("X-CEKURA-API-KEY", o.Secret(apiKey)) },
		Transport: o.Transport,
		Logger:    o.Logger,
		Version:   o.Version,
		Limits:    o.Limits,
	})
	if err != nil {
		return nil, err
	}
	return &source{name: cmp.Or(o.Name, "cekura"), o: o, api: api, now: o.Now}, nil
}

// Find implements call.Source. Without a range it answers for the last 30 days,
// as the API does, and says so in Page.Window.
func (s *source) Find(ctx context.Context, q call.Query) (call.Page, error) {
	p, w, first, err := s.begin(ctx, q)
	if parts := s.alternatives(q.Where); isUnheard(err) && parts != nil {
		return q.Union(ctx, parts, s.Find)
	}
	if err != nil {
		return call.Page{}, err
	}
	if p.never {
		zero := 0
		return call.Page{
			Window: p.window, Notes: p.notes, Total: &zero,
			Coverage: call.Coverage{Calls: &zero, Complete: true},
		}, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.count(ctx)
	defer w.counting.Wait()
	fetch := func(ctx context.Context) (call.Batch, error) {
		b := first
		if first = nil; b == nil {
			var err error
			if b, err = w.fetch(ctx); err != nil {
				return call.Batch{}, err
			}
		}
		w.audit(b.Logs)
		return *b, nil
	}
	// All conditions are put to the rows, those that were pushed too: an API
	// that silently ignores one must not turn it into a lie.
	q.Exhaust = w.q.Exhaust
	page, err := call.Collect(ctx, q, filter.All(p.rest, p.check, p.within()), fetch)
	if err != nil {
		return call.Page{}, err
	}
	return w.finish(page)
}

// begin asks the first question, as what the API refuses is known only then:
// a range of 33 days by an older API, or a filter by any.
func (s *source) begin(ctx context.Context, q call.Query) (*plan, *walk, *call.Batch, error) {
	deaf := false
	for {
		p, err := s.plan(q, deaf)
		if err != nil || p.never {
			return p, nil, nil, err
		}
		w := s.walk(p, q)
		first, err := w.fetch(ctx)
		w.q.Exhaust = q.Exhaust && (w.filters() || w.uncounted)
		if err == nil {
			return p, w, first, nil
		}
		var refusal *rest.StatusError
		if !errors.As(err, &refusal) || refusal.Code != http.StatusBadRequest {
			return nil, nil, nil, err
		}
		if refusal, ok := s.homeless(refusal); ok {
			return nil, nil, nil, refusal
		}
		switch wide := w.widest() > narrowSpan; {
		case wide && aboutRange(refusal.Detail) && !s.narrow.Swap(true):
		case len(p.pushed) > 0 && !deaf && !p.blindPush:
			deaf = true
		case wide && !s.narrow.Swap(true):
		default:
			return nil, nil, nil, err
		}
	}
}

// homeless explains the refusal of a question that names neither project nor
// agent, by the API's own words, with what would name one.
func (s *source) homeless(refusal *rest.StatusError) (error, bool) {
	if s.o.ProjectID != "" && len(s.o.AgentIDs) > 0 || !missingPlace.MatchString(refusal.Detail) {
		return nil, false
	}
	return &call.Error{
		Kind: call.Invalid,
		Msg:  fmt.Sprintf("%s wants to know whose calls to list (400): «%s»; set CEKURA_PROJECT_ID or CEKURA_AGENT_ID.", s.name, refusal.Detail),
		Hint: "Give project_id or agent_id. The person who runs this server can set the variables, so that no question has to.",
		Err:  refusal,
	}, true
}

// missingPlace is how the API says that it was not told a project or an agent.
var missingPlace = lazyregexp.New(`(?i)\b(?:project|agent)(?:[ _]?id)?\b.{0,80}\b(?:required|missing|provide|provided|must|needed|specify)|\b(?:required|missing|provide|must|need|specify)\b.{0,80}\b(?:project|agent)(?:[ _]?id)?\b`)

func aboutRange(detail string) bool {
	detail = strings.ToLower(detail)
	return strings.Contains(detail, "range") || strings.Contains(detail, "days") || strings.Contains(detail, "timestamp_")
}

// isInteger reports an id as Cekura makes them.
func isInteger(s string) bool {
	return s != "" && len(s) <= 18 && strings.Trim(s, "0123456789") == "" && (s[0] != '0' || s == "0")
}
