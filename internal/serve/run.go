package serve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// errDeadline is why a call that took too long was given up.
var errDeadline = errors.New("serve: the call took too long")

// run has mcp-go answer a request, in one of the places for work, within the
// deadline, and writes down what became of it.
func (f *front) run(ctx context.Context, w http.ResponseWriter, r *http.Request, who string, body []byte, e envelope) {
	out, _ := w.(*reply)
	places, limit := f.work, "in_flight"
	if e.Method == subscribe {
		places, limit = f.streams, "streams"
	}
	leave, ok := places.Enter(ctx, who)
	if !ok {
		f.busy(w, limit, time.Second, "too many calls are running; wait for one")
		return
	}
	defer leave()
	f.metrics.inside.Inc()
	defer f.metrics.inside.Dec()

	c := recordOf(f.server, who, e)
	ctx, cancel := f.bounded(context.WithValue(ctx, tallyKey{}, &c.tally), e)
	defer cancel()
	began := time.Now()
	ended := false
	defer func() {
		if !ended { // by a panic
			c.tally.broken.Store(true)
		}
		c.took, c.status, c.bytes, c.left = time.Since(began), out.status, out.bytes, r.Context().Err() != nil
		c.log(ctx, f.logger)
		f.metrics.observe(c)
	}()
	// Credentials and cookies were for us. What is below forwards none.
	asked := r.Clone(ctx)
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
		asked.Header.Del(name)
	}
	asked.Body, asked.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if e.Method == readResource {
		ctx, fault := judging(ctx)
		answer := &held{ResponseWriter: out}
		f.mcp.ServeHTTP(answer, asked.WithContext(ctx))
		answer.send(out, fault, mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)))
	} else {
		f.mcp.ServeHTTP(out, asked)
	}
	f.complete(ctx, out, e)
	ended = true
}

// bounded ends a call at its deadline, and a stream when the server stops.
func (f *front) bounded(ctx context.Context, e envelope) (context.Context, context.CancelFunc) {
	if e.Method != subscribe {
		return context.WithTimeoutCause(ctx, f.Deadline, errDeadline)
	}
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(f.stop, cancel)
	return ctx, func() { unhook(); cancel() }
}

// complete answers what mcp-go left without an answer: a call past its
// deadline, and a result that cannot be encoded.
func (f *front) complete(ctx context.Context, w *reply, e envelope) {
	if w.bytes > 0 || w.status == http.StatusAccepted || e.Method == subscribe {
		return
	}
	words := "internal error"
	if errors.Is(context.Cause(ctx), errDeadline) {
		words = "the call took too long; ask for less"
	}
	no := &refused{status: http.StatusOK, code: mcp.INTERNAL_ERROR, words: words, id: e.ID}
	if w.status == 0 {
		no.status = http.StatusInternalServerError
		if errors.Is(context.Cause(ctx), errDeadline) {
			no.status = http.StatusGatewayTimeout
		}
		no.write(w)
		return
	}
	f.logger.Error("http: an answer could not be encoded", "method", methodLabel(e.Method))
	no.writeBody(w)
}
