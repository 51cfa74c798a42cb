// Package serve brings an MCP server to its clients.
//
// Stdio serves the one client that started the process. Everything the
// protocol means is mcp-go's; what happens to lines, answers and signals is
// decided here, because mcp-go's own stdio loop loses what a client may count
// on: an answer when stdin ends right after its request, a last line without a
// newline, a cancellation that meets a call before its worker does, progress
// that follows its answer. It also returns only when every handler has.
package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// limits are what a stdio client may ask for, and how long it is waited for.
type limits struct {
	line    int           // bytes of one message
	open    int           // requests read and not yet answered; then reading waits
	running int           // requests worked on at once
	drain   time.Duration // for answers under way when stdin ends
	grace   time.Duration // for answers under way when told to stop, and again to settle once cancelled
	stuck   time.Duration // for a client that does not read its answers
}

func stdioLimits() limits {
	return limits{
		line:    4 << 20,
		open:    1024,
		running: 32,
		drain:   5 * time.Second,
		grace:   300 * time.Millisecond,
		stuck:   time.Minute,
	}
}

// errStuck ends the serving of a client that is there but does not read.
var errStuck = errors.New("serve: stdio: the client stopped reading its answers")

// Stdio serves s to one client: JSON-RPC messages, one a line, from in and to
// out, and nothing else to out. It returns nil once in has ended and what was
// asked is answered (it waits at most 5 s), once ctx is cancelled (within a
// second, even if a handler or a read from in is stuck), or once out is
// closed; and an error if in cannot be read, or out cannot be written or is
// not read for a minute.
//
// Any number of requests may be pipelined; answers come as they are ready, and
// a cancelled request gets none. A line that is no message is answered with a
// JSON-RPC error, as is one over 4 MiB, and the next line is read. What an
// operator should know goes to errs, never a message's content.
//
// A read from in that is under way when Stdio returns stays behind: it cannot
// be interrupted. A write to a closed stdout ends the whole process unless it
// ignores SIGPIPE.
func Stdio(ctx context.Context, s *server.MCPServer, in io.Reader, out io.Writer, errs *slog.Logger) error {
	return stdio(ctx, s, in, out, errs, stdioLimits())
}

func stdio(ctx context.Context, s *server.MCPServer, in io.Reader, out io.Writer, errs *slog.Logger, lim limits) error {
	session := server.NewInProcessSession("stdio", nil)
	if err := s.RegisterSession(ctx, session); err != nil {
		return fmt.Errorf("serve: stdio: %w", err)
	}
	defer s.UnregisterSession(context.WithoutCancel(ctx), session.SessionID())

	// Work outlives ctx by the grace, so that a signal does not cut off an
	// answer that is almost there.
	work, cancel := context.WithCancel(s.WithContext(context.WithoutCancel(ctx), session))
	defer cancel()

	w := &wire{
		limits: lim, server: s, errs: errs, work: work, out: out,
		notes:    session.ClientNotifications(),
		answers:  make(chan parcel, lim.open),
		slots:    make(chan struct{}, lim.running),
		room:     make(chan struct{}, lim.open),
		requests: map[string]*request{},
		answered: make(chan struct{}),
		ended:    make(chan struct{}),
	}
	go w.write()
	err := w.read(ctx, in)
	w.finish(ctx, cancel)
	return w.end(err)
}

// wire is one client's connection.
type wire struct {
	limits
	server *server.MCPServer
	errs   *slog.Logger
	work   context.Context // what requests run under
	out    io.Writer       // written by write alone

	notes   <-chan mcp.JSONRPCNotification
	answers chan parcel   // as large as room, so that no handler waits for the client
	slots   chan struct{} // one for each request worked on
	room    chan struct{} // one for each open request

	mu       sync.Mutex
	requests map[string]*request // by id as written; guarded by mu
	open     sync.WaitGroup      // requests without an answer written or dropped

	answered chan struct{} // closed when nothing is open and nothing more will be read
	ended    chan struct{} // closed when nothing more may be written
	once     sync.Once     // ends
	cause    error         // why, once ended
}

// request is one that the client waits for. The zero value stands for a line
// that was no message.
type request struct {
	id        json.RawMessage
	cancel    context.CancelFunc
	cancelled bool // guarded by wire.mu
}

// parcel is an answer to write, and the request it answers.
type parcel struct {
	req  *request
	line []byte // no newline; nothing is written if empty
}

// end stops all writing for good. The first cause stands; a closed pipe is an
// ordinary end.
func (w *wire) end(cause error) error {
	w.once.Do(func() {
		closed := errors.Is(cause, io.ErrClosedPipe) || errors.Is(cause, fs.ErrClosed) || errors.Is(cause, syscall.EPIPE)
		if !closed {
			w.cause = cause
		}
		close(w.ended)
	})
	<-w.ended
	return w.cause
}

// read takes messages until in ends, ctx is cancelled or writing has ended.
func (w *wire) read(ctx context.Context, in io.Reader) error {
	type read struct {
		line []byte
		err  error
	}
	reads := make(chan read)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for lr := newLineReader(in, w.line); ; {
			line, err := lr.next()
			select {
			case reads <- read{line, err}:
			case <-stop:
				return
			}
			if err != nil && !errors.Is(err, errLong) {
				return
			}
		}
	}()

	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.ended:
			return nil
		case r := <-reads:
			switch {
			case errors.Is(r.err, io.EOF), errors.Is(r.err, fs.ErrClosed), errors.Is(r.err, io.ErrClosedPipe):
				return nil
			case errors.Is(r.err, errLong):
				w.refuse(ctx, refusal(nil, mcp.INVALID_REQUEST, fmt.Sprintf("a message may have at most %d bytes", w.line)))
			case r.err != nil:
				return fmt.Errorf("serve: stdio: read: %w", r.err)
			default:
				w.take(ctx, bytes.TrimSpace(r.line))
			}
		}
	}
}

// take does what one line asks.
func (w *wire) take(ctx context.Context, line []byte) {
	if len(line) == 0 {
		return
	}
	m, wrong := parse(line)
	switch {
	case wrong != nil:
		w.refuse(ctx, wrong)
	case m.isResponse():
		w.errs.Debug("stdio: an answer to nothing asked was ignored")
	case m.Method == "notifications/cancelled" && m.ID == nil:
		w.cancel(cancels(line))
	case !m.isRequest():
		w.handle(w.work, line)
	default:
		w.start(ctx, m, line)
	}
}

// admit waits for room for one more open request.
func (w *wire) admit(ctx context.Context) bool {
	select {
	case w.room <- struct{}{}:
		w.open.Add(1)
		return true
	case <-ctx.Done():
	case <-w.ended:
	}
	return false
}

// refuse answers a line that is no message.
func (w *wire) refuse(ctx context.Context, wrong *mcp.JSONRPCError) {
	if w.admit(ctx) {
		w.answers <- parcel{&request{}, w.encode(*wrong, nil)}
	}
}

// start begins a request. It is known, and can be cancelled, before the next
// line is read.
func (w *wire) start(ctx context.Context, m message, line []byte) {
	if !w.admit(ctx) {
		return
	}
	work, cancel := context.WithCancel(w.work)
	req := &request{id: m.ID, cancel: cancel}
	if m.Method == string(mcp.MethodInitialize) {
		// What follows may rely on it, and it waits for nothing.
		w.answers <- parcel{req, w.encode(w.handle(work, line), m.ID)}
		return
	}
	w.mu.Lock()
	w.requests[string(m.ID)] = req
	w.mu.Unlock()
	go func() {
		select {
		case w.slots <- struct{}{}:
			defer func() { <-w.slots }()
		case <-work.Done():
		}
		if work.Err() != nil { // both may be true at once, and then it must not run
			w.answers <- parcel{req, w.encode(*refusal(m.ID, mcp.INTERNAL_ERROR, "the server is stopping"), m.ID)}
			return
		}
		w.answers <- parcel{req, w.encode(w.handle(work, line), m.ID)}
	}()
}

// cancel stops a request that is open, and sees to it that nothing answers it.
func (w *wire) cancel(id json.RawMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if req := w.requests[string(id)]; req != nil {
		req.cancelled = true
		req.cancel()
	}
}

// handle is mcp-go's, behind a guard: its panics never reach the client.
func (w *wire) handle(ctx context.Context, line []byte) (answer mcp.JSONRPCMessage) {
	defer func() {
		if p := recover(); p != nil {
			w.errs.Error("stdio: panic in a handler", "panic", p, "stack", string(debug.Stack()))
			answer = *refusal(nil, mcp.INTERNAL_ERROR, "internal error")
		}
	}()
	ctx, fault := judging(ctx)
	return fault.of(w.server.HandleMessage(ctx, line))
}

// encode is an answer as a line, under the request's own id if it has one. What
// cannot be encoded becomes an error, since silence would leave the client
// waiting.
func (w *wire) encode(answer mcp.JSONRPCMessage, id json.RawMessage) []byte {
	if answer == nil {
		return nil
	}
	if id != nil {
		answer = addressed(answer, id)
	}
	line, err := json.Marshal(answer)
	if err != nil {
		w.errs.Error("stdio: encode an answer", "err", err)
		line, _ = json.Marshal(refusal(id, mcp.INTERNAL_ERROR, "internal error"))
	}
	return line
}
