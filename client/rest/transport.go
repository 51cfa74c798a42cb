package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"call-logs-mcp/internal/call"
)

var (
	errExchange  = errors.New("the exchange took too long")
	errStalled   = errors.New("the answer came too slowly")
	errPaced     = errors.New("too many requests of ours are waiting")
	errElsewhere = errors.New("redirect to another host")
	errRedirects = errors.New("too many redirects")
)

const maxRedirects = 3

// sameHost follows redirects within one authority only. net/http would carry
// the key to any other host: it knows Authorization as a secret, but no
// X-CEKURA-API-KEY.
func sameHost(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
		return errElsewhere
	}
	if len(via) > maxRedirects {
		return errRedirects
	}
	return nil
}

// paced is a transport that takes turns: each request waits for one of the
// slots in flight and for the pace, and then has Limits.Exchange until its body
// is closed. A slot is held until then.
type paced struct {
	base   http.RoundTripper
	limits Limits
	flight *semaphore.Weighted
	pace   *pace
}

func (p *paced) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := p.turn(req.Context()); err != nil {
		return nil, errors.Join(errPaced, err)
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	b := &body{ctx: ctx, cancel: cancel, release: func() { p.flight.Release(1) }}
	b.limit = time.AfterFunc(p.limits.Exchange, func() { cancel(errExchange) })
	sent := time.Now()
	resp, err := p.base.RoundTrip(req.WithContext(ctx))
	if err == nil {
		p.pace.learn(resp.StatusCode, time.Since(sent), time.Now())
	}
	if err != nil {
		err = b.cause(err)
		b.done()
		return nil, err
	}
	b.ReadCloser = resp.Body
	b.watch(p.limits.Stall)
	resp.Body = b
	return resp, nil
}

// turn waits for a slot and for the pace. What nobody waits for holds no slot
// while it waits for the pace.
func (p *paced) turn(ctx context.Context) error {
	if call.IsBackground(ctx) {
		if err := p.pace.wait(ctx); err != nil {
			return err
		}
		return p.flight.Acquire(ctx, 1)
	}
	if err := p.flight.Acquire(ctx, 1); err != nil {
		return err
	}
	err := p.pace.wait(ctx)
	if err != nil {
		p.flight.Release(1)
	}
	return err
}

// CloseIdleConnections makes http.Client.CloseIdleConnections reach the base.
func (p *paced) CloseIdleConnections() {
	if c, ok := p.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// A body is an answer that is given up when it takes too long or drips.
type body struct {
	io.ReadCloser
	ctx     context.Context
	cancel  context.CancelCauseFunc
	release func()
	limit   *time.Timer
	stall   *time.Timer
	seen    atomic.Int64 // bytes since the last look
	closed  atomic.Bool
}

// watch looks every span whether at least 1 KiB a second came.
func (b *body) watch(span time.Duration) {
	enough := max(int64(span)<<10/int64(time.Second), 1)
	b.stall = time.AfterFunc(span, func() {
		if b.closed.Load() {
			return
		}
		if b.seen.Swap(0) < enough {
			b.cancel(errStalled)
			return
		}
		b.stall.Reset(span)
	})
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.seen.Add(int64(n))
	if err != nil && err != io.EOF {
		err = b.cause(err)
	}
	return n, err
}

// cause is why the context of b ended, if it did, which says more than err.
func (b *body) cause(err error) error {
	if b.ctx.Err() != nil {
		return context.Cause(b.ctx)
	}
	return err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.done()
	return err
}

func (b *body) done() {
	if b.closed.Swap(true) {
		return
	}
	b.limit.Stop()
	if b.stall != nil {
		b.stall.Stop()
	}
	b.cancel(context.Canceled)
	b.release()
}
