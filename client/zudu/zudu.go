// Package zudu reads call logs from Zudu's API.
//
// The API pages by number, from 0, and hears a few filters: status, type, agent
// and length. It has one for dates too, whose name nobody documents, so a source
// reads from the newest call back, or from the oldest on, and stops behind the
// window, after verifying that the order is the one it asked for. Whatever the
// API filters is filtered here once more.
//
// A call has two names: the call_id, by which the API can be asked for it and
// which is its key and its CallID here, and a uuid, which stands in its metadata
// and is looked for in the list. A call without a call_id has its uuid for a key.
package zudu

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"call-logs-mcp/client/provider"
	"call-logs-mcp/client/rest"
	"call-logs-mcp/client/wire"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/filter"
)

// BaseURL is where Zudu answers.
const BaseURL = "https://api.zudu.ai"

const (
	day         = 24 * time.Hour
	defaultSpan = 30 * day // of a question without a range
	pageSize    = 100      // undocumented; a smaller limit of the API's is learned from its answers
	deafFor     = time.Hour
)

// source is a call.Source over one Zudu organisation.
type source struct {
	name   string
	o      provider.Options
	api    *rest.Client
	now    func() time.Time
	charts wire.Charts
	plain  atomic.Int64 // until when, in Unix seconds, lists are got, as the API does not take questions by POST
	deaf   atomic.Int64 // until when, in Unix seconds, the API is asked without filters, as it refused them
}

// New returns the calls that o's key may read. It sends nothing yet.
func New(o provider.Options) (call.Source, error) {
	if o.Secret(apiKey) == "" || o.Secret(apiSecret) == "" {
		return nil, errors.New("zudu: no key; set both ZUDU_API_KEY and ZUDU_API_SECRET")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.KeyName, o.BaseName = cmp.Or(o.KeyName, "ZUDU_API_KEY and ZUDU_API_SECRET"), cmp.Or(o.BaseName, "ZUDU_BASE_URL")
	api, err := rest.New(rest.Options{
		Name:     "Zudu",
		BaseURL:  cmp.Or(o.BaseURL, BaseURL),
		KeyName:  o.KeyName,
		BaseName: o.BaseName,
		Header: func(h http.Header) {
			h.Set("X-API-KEY", o.Secret(apiKey))
			h.Set("X-API-SECRET", o.Secret(apiSecret))
		},
		Transport: o.Transport,
		Logger:    o.Logger,
		Version:   o.Version,
		Limits:    o.Limits,
	})
	if err != nil {
		return nil, err
	}
	return &source{name: cmp.Or(o.Name, "zudu"), o: o, api: api, now: o.Now}, nil
}

// Find implements call.Source. Without a range it answers for the last 30 days,
// and says so in Page.Window; calls that are named by their ids may be older.
func (s *source) Find(ctx context.Context, q call.Query) (call.Page, error) {
	q.Where = filter.All(s.scope(), q.Where)
	if keys := named(q.Where); keys != nil {
		return s.fetch(ctx, q, keys)
	}
	from, to, where := filter.Bounds(q.Where, "timestamp")
	window := wire.Pinned(call.Window{From: from, To: to}, s.now(), defaultSpan)
	asked, left := hear(where)
	var notes []string
	if s.now().Unix() < max(s.deaf.Load(), s.plain.Load()) {
		asked, left = criteria{}, where
	}
	for {
		o := wire.Options{
			Source: s.name, Lists: []wire.List{s.list(asked, q.Order == call.Oldest)},
			Query: q, Window: window, Picky: left != nil || q.Text != nil,
		}
		page, _, err := s.charts.Find(o, func(fetch call.Fetch) (call.Page, error) { return call.Collect(ctx, q, where, fetch) })
		if errors.Is(err, errNoPost) {
			asked, left = criteria{}, where
			continue
		}
		if !asked.empty() && isRefused(err) {
			notes = append(notes, s.name+" refused the filter; it was applied here")
			asked, left = criteria{}, where
			continue
		}
		if err == nil && len(notes) > 0 {
			s.deaf.Store(s.now().Add(deafFor).Unix())
		}
		page.Notes = append(notes, page.Notes...)
		return page, err
	}
}

// scope is the configured agents as a filter.
func (s *source) scope() filter.Expr { return call.Confinement{Agents: s.o.AgentIDs}.Where() }

// isRefused reports a question that the API does not understand.
func isRefused(err error) bool {
	var s *rest.StatusError
	return errors.As(err, &s) && (s.Code == http.StatusBadRequest || s.Code == http.StatusUnprocessableEntity)
}

// list is the calls that fit what was asked, newest or oldest first.
func (s *source) list(asked criteria, oldest bool) wire.List {
	order := "descending"
	if oldest {
		order = "ascending"
	}
	return wire.List{
		Name: "calls " + asked.String(),
		Max:  pageSize,
		Keys: []wire.Key{wire.ByStart()},
		Other: func(l *call.Log) string {
			other, _ := l.Metadata[call.UUIDKey].(string)
			return other
		},
		Fetch: func(ctx context.Context, page, size int) (wire.Rows, error) {
			var answer listAnswer
			meta, err := s.ask(ctx, question{Page: page, Limit: size, SortBy: "start_timestamp", SortOrder: order}, asked, &answer)
			if err != nil {
				return wire.Rows{}, s.noList(err, page)
			}
			rows := answer.rows(page)
			rows.Date = meta.Date
			for i := range answer.calls {
				rows.Logs = append(rows.Logs, answer.calls[i].log(s.name))
			}
			return rows, nil
		},
	}
}

// errNoPost says that the API takes no filters, as it does not take POST.
var errNoPost = errors.New("zudu: the list is not asked for by POST")

// ask asks for a page: by POST, which takes filters, or where the API knows no
// such question by GET, which takes none.
func (s *source) ask(ctx context.Context, q question, asked criteria, answer *listAnswer) (rest.Meta, error) {
	if s.now().Unix() >= s.plain.Load() {
		if q.Criteria = nil; !asked.empty() {
			q.Criteria = &asked
		}
		meta, err := s.api.Post(ctx, rest.Path("api", "calls"), q, answer)
		var status *rest.StatusError
		if !errors.As(err, &status) || status.Code != http.StatusNotFound && status.Code != http.StatusMethodNotAllowed || q.Page > 0 {
			return meta, err
		}
	}
	query := url.Values{
		"page": {strconv.Itoa(q.Page)}, "limit": {strconv.Itoa(q.Limit)}, "sort_by": {q.SortBy}, "sort_order": {q.SortOrder},
	}
	meta, err := s.api.Get(ctx, rest.Path("api", "calls"), query, answer)
	if err == nil {
		s.plain.Store(s.now().Add(deafFor).Unix())
		if !asked.empty() {
			err = errNoPost
		}
	}
	return meta, err
}

// noList turns "nothing there" about the list itself, which is no missing call,
// into what it means.
func (s *source) noList(err error, page int) error {
	var e *call.Error
	if page > 0 || !errors.As(err, &e) || e.Kind != call.NotFound {
		return err
	}
	return &call.Error{Kind: call.Unavailable, Msg: "Zudu has no list of calls at this address; check " + s.o.BaseName + ".", Hint: askOperator, Err: err}
}

const askOperator = "Retrying will not help; ask the person who runs this server to check it."
