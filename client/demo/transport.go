package demo

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Transport serves requests by h in this process, without a socket. It does
// not stream: the answer is whole before anybody reads it. A request whose
// context ends returns the context's error at once, whatever h still does.
func Transport(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ handler http.Handler }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	if err := ctx.Err(); err != nil {
		_ = body.Close()
		return nil, err
	}
	in := r.Clone(ctx)
	in.Body = body
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "192.0.2.1:1234"
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	w := &answer{header: http.Header{}}
	done := make(chan error, 1)
	go func() {
		defer body.Close()
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("demo: connection lost: %v", v)
				return
			}
			done <- nil
		}()
		t.handler.ServeHTTP(w, in)
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case err := <-done:
		if err != nil {
			return nil, err
		}
		return w.response(r), nil
	}
}

// An answer keeps what a handler writes.
type answer struct {
	header http.Header
	sent   http.Header // the header as it was when the status was written
	status int
	body   bytes.Buffer
}

func (w *answer) Header() http.Header { return w.header }

func (w *answer) WriteHeader(status int) {
	if w.status != 0 || status < http.StatusOK {
		return // written already, or informational
	}
	w.status, w.sent = status, w.header.Clone()
	if n, err := strconv.Atoi(w.header.Get("Content-Length")); err == nil {
		w.body.Grow(n)
	}
}

func (w *answer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

func (w *answer) response(r *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.sent,
		Body:          io.NopCloser(&w.body),
		ContentLength: int64(w.body.Len()),
		Request:       r,
	}
}
