package cekura

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"call-logs-mcp/client/rest"
	"call-logs-mcp/internal/call"
)

// A page is one answer of the list.
type page struct {
	logs    []*call.Log // those that have an id
	raw     int         // rows in the answer
	count   *int        // of the whole window, nil where it does not say
	next    bool        // there are further pages
	skipped int         // rows without an id
	date    time.Time   // the API's clock; zero where it does not say
	again   bool        // it is the page before, although another was asked for
}

// asked is a page and the place where it was asked for.
type asked struct {
	*page
	from, to time.Time
	at, size int
}

// is reports the page before: other rows were asked for, and the same rows and
// the same count came, so that no call came or went between them.
func (p asked) is(b asked) bool {
	if b.page == nil || !p.from.Equal(b.from) || !p.to.Equal(b.to) || len(p.logs) == 0 {
		return false
	}
	i, j := (p.at-1)*p.size, (b.at-1)*b.size
	if i < j+b.raw && j < i+p.raw {
		return false
	}
	same := func(a, b *call.Log) bool { return a.ID == b.ID }
	return p.count != nil && b.count != nil && *p.count == *b.count && slices.EqualFunc(p.logs, b.logs, same)
}

// list asks for one page. Where v1 is gone, v2 answers from then on.
func (s *source) list(ctx context.Context, p *plan, query url.Values) (*page, error) {
	var a listAnswer
	meta, err := s.api.Get(ctx, s.path(""), query, &a)
	if first := query.Get("page") == "1"; first && isGone(err) && !s.moved.Load() {
		s.moved.Store(true)
		a = listAnswer{}
		if meta, err = s.api.Get(ctx, s.path(""), query, &a); isGone(err) {
			s.moved.Store(false)
		}
	}
	if err != nil {
		return nil, noList(err)
	}
	out := &page{raw: len(a.results), count: a.count, next: a.next, date: meta.Date}
	for i := range a.results {
		l := a.results[i].log(s.name)
		if l == nil {
			out.skipped++
			continue
		}
		out.logs = append(out.logs, l)
	}
	return out, s.adopt(ctx, p, query, out.logs)
}

// path is the endpoint of the call with this key, or of the list for "".
func (s *source) path(key string) string {
	version := "v1"
	if s.moved.Load() {
		version = "v2"
	}
	if key == "" {
		return rest.Path("observability", version, "call-logs", "")
	}
	return rest.Path("observability", version, "call-logs", key, "")
}

// isGone reports an endpoint that is not there.
func isGone(err error) bool {
	return isStatus(err, http.StatusNotFound) || isStatus(err, http.StatusGone)
}

func isStatus(err error, code int) bool {
	var s *rest.StatusError
	return errors.As(err, &s) && s.Code == code
}

// noList turns "nothing there" about the list itself, which is no missing call,
// into what it means.
func noList(err error) error {
	if !isGone(err) {
		return err
	}
	return &call.Error{
		Kind: call.Unavailable,
		Msg:  "Cekura has no list of call logs at this address; check CEKURA_BASE_URL.",
		Hint: "Retrying will not help; ask the person who runs this server to check it.",
		Err:  err,
	}
}

// patience bounds how long a walk goes without an answer it can use, whatever
// it tries instead.
const patience = 40 * time.Second

// ask reads page w.page of w.size rows, and smaller pages where these are too
// heavy. It may change both: the rows that were asked for are then in a page
// further on.
func (w *walk) ask(ctx context.Context, from, to time.Time) (*page, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if from.After(to) { // which holds no call
		return &page{}, nil
	}
	for {
		p, err := w.s.list(ctx, w.plan, w.plan.request(from, to, w.page, w.size))
		var e *call.Error
		switch {
		case err == nil && p.raw == 0 && w.page == 1 && p.count != nil && *p.count > 0 && !w.doubted:
			w.doubted = true // an empty page that counts calls is asked for once more
			continue
		case err == nil:
			this := asked{p, from, to, w.page, w.size}
			p.again, w.before = this.is(w.before), this
			w.read += p.raw
			w.skipped += p.skipped
			w.clock = p.date
			return p, nil
		case !errors.As(err, &e) || e.Kind != call.TooLarge && e.Kind != call.Timeout || ctx.Err() != nil:
			return nil, err
		case e.Kind == call.Timeout && call.Haste(ctx) > 0:
			return nil, err
		case w.size > 1:
			w.limit = w.size / 2
			w.resize(w.limit)
		case e.Kind == call.TooLarge && w.heavy < maxHeavy:
			w.heavy++
			w.page++
		default:
			return nil, err
		}
	}
}

// maxHeavy is how many single calls over the limit a walk leaves out.
const maxHeavy = 3

// resize changes the page size and keeps the place: the next page begins with
// the row that it would have begun with, or before.
func (w *walk) resize(size int) {
	offset := (w.page - 1) * w.size
	w.size = max(size, 1)
	w.page = offset/w.size + 1
}

func (w *walk) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}
