package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"call-logs-mcp/internal/filter"
)

const (
	defaultPageSize = 20
	defaultWindow   = 30 * 24 * time.Hour
	widestWindow    = 33 * 24 * time.Hour
)

// A refusal is an answer that is no success.
type refusal struct {
	status int
	detail string
}

func (e *refusal) Error() string { return e.detail }

func bad(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// ServeHTTP answers the list and the detail of call logs, in version 1 and 2.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.requests.Add(1)
	path, ok := strings.CutPrefix(r.URL.Path, "/observability/v1/call-logs")
	if !ok {
		path, ok = strings.CutPrefix(r.URL.Path, "/observability/v2/call-logs")
	}
	if !ok || path != "" && path[0] != '/' {
		notFoundPage(w)
		return
	}
	if !strings.HasSuffix(path, "/") {
		to := *r.URL
		to.Path += "/"
		w.Header().Set("Location", to.RequestURI())
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	body, err := a.answer(r, strings.Trim(path, "/"))
	if err != nil {
		refuse(w, err)
		return
	}
	send(w, http.StatusOK, body...)
}

// answer is the body for the list, or for the call whose id key is, in pieces.
func (a *API) answer(r *http.Request, key string) ([][]byte, error) {
	given := r.Header.Get("X-CEKURA-API-KEY")
	switch {
	case given == "":
		return nil, &refusal{http.StatusUnauthorized, "Authentication credentials were not provided."}
	case a.opt.Key != "" && given != a.opt.Key:
		return nil, &refusal{http.StatusUnauthorized, "Invalid API key."}
	case r.Method != http.MethodGet:
		return nil, &refusal{http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", r.Method)}
	case key == "":
		return a.list(r)
	}
	id, err := strconv.Atoi(key)
	if err == nil {
		for _, c := range a.records() {
			if c.ID == id {
				body, err := json.Marshal(c.detail())
				return [][]byte{body}, err
			}
		}
	}
	return nil, &refusal{http.StatusNotFound, "No CallLog matches the given query."}
}

func (a *API) list(r *http.Request) ([][]byte, error) {
	values := r.URL.Query()
	keep, err := a.selection(values)
	if err != nil {
		return nil, err
	}
	var found []*record
	for _, c := range a.records() {
		if keep(c) {
			found = append(found, c)
		}
	}
	size, err := strconv.Atoi(values.Get("page_size"))
	if err != nil || size < 1 {
		size = defaultPageSize
	}
	size = min(size, a.opt.MaxPageSize)
	page, pages := 1, max(1, (len(found)+size-1)/size)
	if v := values.Get("page"); v != "" {
		if page, err = strconv.Atoi(v); err != nil || page < 1 || page > pages {
			return nil, &refusal{http.StatusNotFound, "Invalid page."}
		}
	}
	return envelope(r, found, page, pages, size)
}

// envelope is one page of the calls found, with its neighbours' addresses.
func envelope(r *http.Request, found []*record, page, pages, size int) ([][]byte, error) {
	var next, previous *string
	if page < pages {
		next = pageURL(r, page+1)
	}
	if page > 1 {
		previous = pageURL(r, page-1)
	}
	head, err := json.Marshal(struct {
		Count    int     `json:"count"`
		Next     *string `json:"next"`
		Previous *string `json:"previous"`
	}{len(found), next, previous})
	if err != nil {
		return nil, err
	}
	out := [][]byte{append(head[:len(head)-1], `,"results":[`...)}
	for i, c := range found[(page-1)*size : min(page*size, len(found))] {
		item, err := c.listed()
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, []byte(","))
		}
		out = append(out, item)
	}
	return append(out, []byte("]}")), nil
}

// pageURL is the absolute URL of another page. As in Django, the first page
// needs no number.
func pageURL(r *http.Request, page int) *string {
	u := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path}
	if r.TLS == nil && r.URL.Scheme != "https" {
		u.Scheme = "http"
	}
	values := r.URL.Query()
	values.Set("page", strconv.Itoa(page))
	if page == 1 {
		values.Del("page")
	}
	u.RawQuery = values.Encode()
	s := u.String()
	return &s
}

// selection is what the parameters ask for.
func (a *API) selection(values url.Values) (func(*record) bool, error) {
	now := a.opt.Now().UTC()
	from, to, err := window(values, now)
	if err != nil {
		return nil, err
	}
	ids, err := numbers(values, "call_ids")
	if err != nil {
		return nil, err
	}
	agents, err := numbers(values, "agent_id")
	if err != nil {
		return nil, err
	}
	projects, err := numbers(values, "project_id")
	if err != nil {
		return nil, err
	}
	if len(projects) > 0 && !projects[Project] {
		return nil, &refusal{http.StatusForbidden, "You do not have permission to perform this action."}
	}
	where, err := filter.Parse([]byte(values.Get("filters_v2")), schema(), filter.Clock{Now: now})
	if err != nil {
		return nil, bad("Invalid filters_v2: %v", err)
	}
	assistant := values.Get("assistant_id")
	return func(c *record) bool {
		return !c.Timestamp.Before(from) && !c.Timestamp.After(to) &&
			(len(ids) == 0 || ids[c.ID]) && (len(agents) == 0 || agents[c.Agent]) && (len(projects) == 0 || projects[c.Project]) &&
			(assistant == "" || assistant == c.AssistantID) && filter.Match(where, c)
	}, nil
}

// window is the range of timestamps, both included: the last 30 days unless
// the parameters say more, and never wider than 33.
func window(values url.Values, now time.Time) (from, to time.Time, err error) {
	if to, err = instant(values, "timestamp_to", now); err != nil {
		return from, to, err
	}
	if from, err = instant(values, "timestamp_from", to.Add(-defaultWindow)); err != nil {
		return from, to, err
	}
	if to.Sub(from) > widestWindow {
		return from, to, bad("The time range between timestamp_from and timestamp_to cannot exceed 33 days.")
	}
	return from, to, nil
}

func instant(values url.Values, name string, otherwise time.Time) (time.Time, error) {
	s := values.Get(name)
	if s == "" {
		return otherwise, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return otherwise, bad("%s: Enter a valid date/time.", name)
}

// numbers reads a list of integers; nil where the parameter is not given.
func numbers(values url.Values, name string) (map[int]bool, error) {
	s := values.Get(name)
	if s == "" {
		return nil, nil
	}
	out := map[int]bool{}
	for v := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(v))
		if err != nil || name != "call_ids" && len(out) > 0 {
			return nil, bad("%s: Enter a number.", name)
		}
		out[n] = true
	}
	return out, nil
}

func refuse(w http.ResponseWriter, err error) {
	e, ok := err.(*refusal)
	if !ok {
		e = &refusal{http.StatusInternalServerError, "A server error occurred."}
	}
	body, err := json.Marshal(map[string]string{"detail": e.detail})
	if err != nil {
		body = []byte(`{}`)
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Api-Key")
	}
	send(w, e.status, body)
}

func send(w http.ResponseWriter, status int, body ...[]byte) {
	n := 0
	for _, piece := range body {
		n += len(piece)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(n))
	w.WriteHeader(status)
	for _, piece := range body {
		_, _ = w.Write(piece) // who has gone needs no answer
	}
}

// notFoundPage is what Django shows for a path that it does not know.
func notFoundPage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte("<!doctype html>\n<title>Not Found</title>\n<h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n"))
}
