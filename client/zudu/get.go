package zudu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"call-logs-mcp/client/rest"
	"call-logs-mcp/client/wire"
	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/lazyregexp"
)

const (
	getScan  = 2000 // calls that are read to find a uuid
	inFlight = 4
)

// uuid is the form of the calls' other name.
var uuid = lazyregexp.New(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Get implements call.Source. The key is a call_id; what is none and has the
// form of a uuid is looked for where it was met last, and then in the list,
// newest first.
func (s *source) Get(ctx context.Context, id call.ID) (*call.Log, error) {
	if id.Source != "" && id.Source != s.name || id.Key == "" {
		return nil, s.notFound(id.Key, nil, nil)
	}
	l, missing := s.one(ctx, id.Key)
	var e *call.Error
	if !errors.As(missing, &e) || e.Kind != call.NotFound {
		return l, missing
	}
	l, err := s.home(ctx, id.Key)
	if err != nil || l != nil {
		return l, err
	}
	if !uuid.MatchString(id.Key) {
		return nil, s.notFound(id.Key, nil, missing)
	}
	l, walk, err := s.look(ctx, id.Key, call.Window{})
	if err == nil && l == nil {
		err = s.notFound(id.Key, walk, missing)
	}
	return l, err
}

// one asks for a call by its call_id.
func (s *source) one(ctx context.Context, key string) (*call.Log, error) {
	var d detail
	if _, err := s.api.Get(ctx, rest.Path("api", "calls", key), nil, &d); err != nil {
		return nil, err
	}
	return d.log(s.name), nil
}

// home looks for a call where it was met last; it is nil where it was not.
func (s *source) home(ctx context.Context, key string) (*call.Log, error) {
	home, ok := s.charts.Home(key)
	if !ok {
		return nil, nil
	}
	l, _, err := s.look(ctx, key, call.Window{From: home.At, To: home.At})
	return l, err
}

// look looks for a call in the list; it is nil where there is none.
func (s *source) look(ctx context.Context, key string, window call.Window) (*call.Log, *wire.Walk, error) {
	asked, _ := hear(s.scope())
	is := func(l *call.Log) bool { return l.ID.Key == key || l.Metadata[call.UUIDKey] == key }
	for {
		o := wire.Options{Source: s.name, Lists: []wire.List{s.list(asked, false)}, Window: window, Query: call.Query{Exhaust: true}}
		page, walk, err := s.charts.Find(o, func(fetch call.Fetch) (call.Page, error) { return wire.Seek(ctx, is, getScan, fetch) })
		switch {
		case (isRefused(err) || errors.Is(err, errNoPost)) && !asked.empty():
			asked = criteria{}
		case err != nil || len(page.Logs) == 0:
			return nil, walk, err
		default:
			return page.Logs[0], walk, nil
		}
	}
}

// fetch answers a query that names its calls: each is asked for, whatever its
// time.
func (s *source) fetch(ctx context.Context, q call.Query, keys []string) (call.Page, error) {
	slices.Sort(keys)
	keys = slices.Compact(keys)
	found := make([]*call.Log, len(keys))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	for i, key := range keys {
		group.Go(func() (err error) {
			var e *call.Error
			found[i], err = s.one(inner, key)
			if errors.As(err, &e) && e.Kind == call.NotFound {
				found[i], err = s.home(inner, key)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return call.Page{}, err
	}
	return call.Sorted(ctx, q, slices.DeleteFunc(found, func(l *call.Log) bool { return l == nil }))
}

// notFound says what looking for a call took.
func (s *source) notFound(key string, walk *wire.Walk, cause error) error {
	e := &call.Error{
		Kind: call.NotFound,
		Msg:  fmt.Sprintf("%s has no call %q.", s.name, key),
		Hint: "An id is the call_id of list_call_logs and search_transcripts, or a call's uuid.",
		Err:  cause,
	}
	if cause == nil {
		e.Err = errors.New("zudu: no such call")
	}
	if walk != nil {
		requests, rows, back := walk.Cost()
		e.Hint += fmt.Sprintf(" It was looked for in %d calls, in %d requests", rows, requests)
		if !back.IsZero() {
			e.Hint += ", back to " + back.Format(time.DateOnly)
		}
		e.Hint += "."
	}
	return e
}
