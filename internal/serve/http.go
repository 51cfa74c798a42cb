package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"call-logs-mcp/internal/fair"
)

// headerBytes bounds a request's header; a token is the longest part of one.
const headerBytes = 32 << 10

// HTTP serves s to many clients over streamable HTTP at /mcp, without sessions
// and in both eras of the protocol, until ctx is over; then it finishes what
// is under way and returns nil. /healthz and /readyz ask no token. What is
// unsafe or missing in o is a *ConfigError, before anything is served.
//
// Every call is logged, by who, which tool and how it went, never by a value.
// Its principal is in the context of every handler: see Who.
func HTTP(ctx context.Context, s *server.MCPServer, o HTTPOptions, logger *slog.Logger) error {
	at, err := open(ctx, s, o, logger)
	if err != nil {
		return err
	}
	return at.serve(ctx)
}

// A site is a server that has its listeners and does not serve yet.
type site struct {
	*front
	main, side      *http.Server // side is nil without metrics
	at, sideAt      net.Listener
	cancel, stopped context.CancelFunc // of all calls, of all streams
	failed          chan error         // why one of them ended early
	secure          bool
}

// open checks the options and binds the addresses.
func open(ctx context.Context, s *server.MCPServer, o HTTPOptions, logger *slog.Logger) (*site, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	f, err := newFront(s, o, logger)
	if err != nil {
		return nil, err
	}
	t := &site{front: f, failed: make(chan error, 2)}
	t.main = &http.Server{
		Handler:           f.handler(),
		ReadHeaderTimeout: o.timeouts.header, ReadTimeout: o.timeouts.read, IdleTimeout: o.timeouts.idle,
		MaxHeaderBytes: headerBytes,
		ErrorLog:       slog.NewLogLogger(logger.Handler(), slog.LevelDebug), // of connections: scanners make many
	}
	if o.TLSCert != "" {
		t.secure = true
		if err := certified(t.main, o.TLSCert, o.TLSKey, logger); err != nil {
			return nil, err
		}
	}
	if t.at, err = listen(ctx, o.Addr, onLoopback(o.Addr)); err != nil {
		return nil, err
	}
	conns := newConnections(t.at, o.Rates.PerAddress, o.timeouts, f.trusted, func() { f.metrics.limited.WithLabelValues("connections").Inc() })
	t.at, t.main.ConnState, t.main.ConnContext = conns, conns.state, conns.context
	if o.Metrics != "" {
		if t.sideAt, err = listen(ctx, o.Metrics, true); err != nil {
			t.at.Close()
			return nil, err
		}
		t.side = f.metrics.server()
	}
	return t, nil
}

func newFront(s *server.MCPServer, o HTTPOptions, logger *slog.Logger) (*front, error) {
	f := &front{HTTPOptions: o, logger: logger, server: s, metrics: newMetrics()}
	var err error
	if f.guard, err = newGuard(o.AllowedHosts, o.AllowedOrigins); err != nil {
		return nil, err
	}
	if f.trusted, err = networks(o.TrustedProxies); err != nil {
		return nil, err
	}
	switch o.Auth {
	case ByToken:
		f.keys, err = newByToken(o.Tokens, logger)
		if err != nil {
			return nil, err
		}
	case ByOAuth:
		f.keys = newByOAuth(o.OAuth, logger)
		_, f.ask.metadata = describe(o.OAuth)
	}
	r := o.Rates
	f.addresses = newBuckets(r.AddressPerMinute, max(1, r.AddressPerMinute/10), r.Wait)
	f.principals = newBuckets(r.PerMinute, r.Burst, r.Wait)
	f.work, f.streams = fair.New(r.InFlight, r.PerPrincipal, r.Wait), fair.New(r.Streams, r.PerPrincipal, r.Wait)
	s.Use(judged)
	f.mcp = server.NewStreamableHTTPServer(s,
		server.WithStateLess(true), server.WithDisableStreaming(true),
		server.WithDisableLocalhostProtection(true), // the guard has its own, with names that were allowed
		server.WithStreamableHTTPLogger(logger),
	)
	return f, nil
}

// serve serves until ctx is over, and drains.
func (s *site) serve(ctx context.Context) error {
	all := context.WithoutCancel(ctx)
	base, cancel := context.WithCancel(all)
	defer cancel()
	stop, stopped := context.WithCancel(all)
	defer stopped()
	s.stop, s.cancel, s.stopped = stop, cancel, stopped
	s.main.BaseContext = func(net.Listener) context.Context { return base }
	go func() {
		if s.secure {
			s.failed <- s.main.ServeTLS(s.at, "", "")
			return
		}
		s.failed <- s.main.Serve(s.at)
	}()
	if s.side != nil {
		go func() { s.failed <- s.side.Serve(s.sideAt) }()
		defer s.side.Close()
	}
	s.logger.Info("serving call logs over HTTP", "address", s.at.Addr().String(), "auth", string(s.Auth), "tls", s.secure)
	select {
	case err := <-s.failed:
		s.main.Close()
		return fmt.Errorf("serve: http: %w", err)
	case <-ctx.Done():
	}
	return s.drain()
}

// drain says first that no more should come, then takes no more, lets what is
// under way finish, and cancels what has not by then.
func (s *site) drain() error {
	s.draining.Store(true)
	s.logger.Info("stopping", "delay", max(0, s.DrainDelay), "grace", s.Grace)
	if s.DrainDelay > 0 {
		time.Sleep(s.DrainDelay)
	}
	s.stopped()
	ctx, done := context.WithTimeout(context.Background(), s.Grace)
	defer done()
	err := s.main.Shutdown(ctx)
	if err == nil {
		return nil
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		s.main.Close()
		return fmt.Errorf("serve: http: stop: %w", err)
	}
	// A cancelled call still says so to its client.
	s.logger.Warn("calls are cancelled, since they take longer than the grace")
	s.cancel()
	last, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	if s.main.Shutdown(last) != nil {
		s.main.Close()
	}
	return nil
}
