package serve

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/fair"
)

// The methods that are treated apart.
const (
	toolsCall = "tools/call"
	subscribe = "subscriptions/listen"
)

// local is who asks where nobody needs to say.
const local = "local"

// A front stands between the network and mcp-go. A request passes, in this
// order: Host, Origin, the limit of its address, authentication, the limit of
// its principal, its body, and the places for work. Each is cheaper than what
// comes after it, or keeps away those for whom it is not.
type front struct {
	HTTPOptions
	logger  *slog.Logger
	server  *server.MCPServer
	mcp     http.Handler // mcp-go's
	guard   guard
	trusted []netip.Prefix
	keys    authenticator // nil where everybody may come in
	ask     challenger

	addresses  *buckets
	principals *buckets
	work       *fair.Places
	streams    *fair.Places
	metrics    *metrics

	draining atomic.Bool
	stop     context.Context // over when streams have to end
}

// handler is everything that is served.
func (f *front) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/mcp", f.call)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", f.readyz)
	if f.Auth == ByOAuth {
		metadata, _ := describe(f.OAuth)
		mux.Handle(wellKnown, metadata)
		mux.Handle(wellKnown+"/mcp", metadata)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := newReply(w, f.timeouts.write, connectionOf(r.Context()).pressed)
		// A connection may still have the deadline of its last answer.
		_ = out.control.SetWriteDeadline(time.Time{})
		defer f.recover(out)
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		if f.draining.Load() || r.URL.Path != "/mcp" { // nobody has to be known for anything else
			h.Set("Connection", "close")
		}
		switch {
		case !f.guard.host(r):
			f.refuse(out, "host", &refused{status: http.StatusForbidden, code: mcp.INVALID_REQUEST, words: "this host is not served here"})
		case !f.guard.origin(r):
			f.refuse(out, "origin", &refused{status: http.StatusForbidden, code: mcp.INVALID_REQUEST, words: "this origin may not ask here"})
		case f.guard.cors(out, r):
		default:
			mux.ServeHTTP(out, r)
		}
	})
}

// recover keeps a panic from the client, and the process alive.
func (f *front) recover(w *reply) {
	p := recover()
	if p == nil {
		return
	}
	f.logger.Error("http: panic in a handler", "panic", p, "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // the client must not take half an answer for a whole one
	}
	(&refused{status: http.StatusInternalServerError, code: mcp.INTERNAL_ERROR, words: "internal error"}).write(w)
}

func plain(w http.ResponseWriter, status int, words string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(words + "\n"))
}

// readyz says whether calls should be sent here. Upstreams are not asked: a
// server without one still answers, and says so.
func (f *front) readyz(w http.ResponseWriter, r *http.Request) {
	if f.draining.Load() {
		plain(w, http.StatusServiceUnavailable, "stopping")
		return
	}
	if f.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := f.Ready(ctx); err != nil {
			f.logger.Warn("not ready", "err", err)
			plain(w, http.StatusServiceUnavailable, "not ready")
			return
		}
	}
	plain(w, http.StatusOK, "ready")
}

func (f *front) refuse(w http.ResponseWriter, guard string, e *refused) {
	f.metrics.refused.WithLabelValues(guard).Inc()
	e.write(w)
}

func (f *front) busy(w http.ResponseWriter, limit string, retry time.Duration, words string) {
	f.metrics.limited.WithLabelValues(limit).Inc()
	(&refused{status: http.StatusTooManyRequests, code: serverError, words: "busy: " + words, retry: max(retry, time.Second)}).write(w)
}

// call takes a request of MCP.
func (f *front) call(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Accel-Buffering", "no") // a proxy would hold progress back until the end
	if r.Method != http.MethodPost {
		// Without sessions there is nothing to listen to, and nothing to delete.
		w.Header().Set("Allow", http.MethodPost)
		f.refuse(w, "method", &refused{status: http.StatusMethodNotAllowed, code: mcp.INVALID_REQUEST, words: "only POST is served here"})
		return
	}
	if retry, ok := f.addresses.take(r.Context(), caller(r, f.trusted).String()); !ok {
		f.busy(w, "address", retry, "too many requests from this address")
		return
	}
	ctx, who, ok := f.identify(w, r)
	if !ok {
		return
	}
	connectionOf(ctx).recognised()
	body, e, err := readBody(w, r)
	if err != nil {
		no, _ := errors.AsType[*refused](err)
		f.refuse(w, "body", no)
		return
	}
	if e.Method != string(mcp.MethodPing) { // which asks for nothing
		if retry, ok := f.principals.take(r.Context(), who); !ok {
			f.busy(w, "principal", retry, "too many requests; wait and try again")
			return
		}
	}
	if !e.isRequest() {
		// Nothing a client notifies means anything without sessions, and mcp-go
		// would let one client cancel the call of another that has the same id.
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if f.lacks(ctx, w, e) {
		return
	}
	f.run(ctx, w, r, who, body, e)
}

// identify finds out who asks.
func (f *front) identify(w http.ResponseWriter, r *http.Request) (ctx context.Context, who string, ok bool) {
	if f.keys == nil {
		return r.Context(), local, true
	}
	p, err := Principal{}, error(nil)
	token, err := bearer(r)
	if err == nil && token == "" {
		f.ask.missing(w)
		f.refuse(w, "authentication", &refused{status: http.StatusUnauthorized, code: serverError, words: "a bearer token is needed"})
		return nil, "", false
	}
	if err == nil {
		p, err = f.keys.authenticate(r.Context(), token)
	}
	var why denied
	switch {
	case errors.As(err, &why):
		f.logger.Info("a token was refused", "why", string(why), "address", caller(r, f.trusted).String())
		f.ask.invalid(w, why)
		f.refuse(w, "authentication", &refused{status: http.StatusUnauthorized, code: serverError, words: string(why)})
		return nil, "", false
	case err != nil:
		f.refuse(w, "authentication", &refused{status: http.StatusServiceUnavailable, code: serverError, words: "tokens cannot be checked at present", retry: keyPause})
		return nil, "", false
	case !p.May(CallsRead):
		f.deny(w, p, CallsRead, nil)
		return nil, "", false
	}
	return As(r.Context(), p), p.Name, true
}

// lacks refuses a request whose scope was not granted.
func (f *front) lacks(ctx context.Context, w http.ResponseWriter, e envelope) bool {
	scope := e.scope()
	if p, known := Who(ctx); known && !p.May(scope) {
		f.deny(w, p, scope, e.ID)
		return true
	}
	return false
}

func (f *front) deny(w http.ResponseWriter, p Principal, scope string, id []byte) {
	f.ask.insufficient(w, p, scope)
	f.refuse(w, "scope", &refused{status: http.StatusForbidden, code: serverError, words: forbidden(scope).Error(), id: id})
}
