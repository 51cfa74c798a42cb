package serve

import (
	"context"
	"encoding/json"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// write is the only writer to out. What a handler notifies is queued before
// its answer, so taking all notifications before each answer keeps the order.
// After the end it goes on to let requests go, unwritten.
func (w *wire) write() {
	for {
		select {
		case n := <-w.notes:
			w.notify(n)
		case p := <-w.answers:
			for more := true; more; {
				select {
				case n := <-w.notes:
					w.notify(n)
				default:
					more = false
				}
			}
			if w.claim(p.req) {
				w.put(p.line)
			}
			<-w.room
			w.open.Done()
		case <-w.answered:
			return
		}
	}
}

// notify writes a notification; one that cannot be encoded is dropped, as it
// carries nothing that an answer does not.
func (w *wire) notify(n mcp.JSONRPCNotification) {
	line, err := json.Marshal(n)
	if err != nil {
		w.errs.Error("stdio: encode a notification", "method", n.Method, "err", err)
		return
	}
	w.put(line)
}

// claim ends a request and says whether its answer is still wanted.
func (w *wire) claim(req *request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if req.cancel != nil {
		req.cancel()
	}
	// A client that uses an id twice at once has replaced it already.
	if w.requests[string(req.id)] == req {
		delete(w.requests, string(req.id))
	}
	return !req.cancelled
}

// put writes one line, unless writing has ended. A line goes out in one
// Write, so that nothing can come between it and its newline.
func (w *wire) put(line []byte) {
	select {
	case <-w.ended:
		return
	default:
	}
	if len(line) == 0 {
		return
	}
	late := time.AfterFunc(w.stuck, func() { _ = w.end(errStuck) })
	defer late.Stop()
	if _, err := w.out.Write(append(line, '\n')); err != nil {
		_ = w.end(err)
	}
}

// finish waits for the answers under way: as long as drain after the end of
// in, as long as grace once ctx is cancelled. Then it cancels what is left and
// gives it the grace to say so.
func (w *wire) finish(ctx context.Context, cancel context.CancelFunc) {
	go func() {
		w.open.Wait()
		close(w.answered)
	}()
	patience := time.NewTimer(w.drain)
	defer patience.Stop()
	select {
	case <-w.answered:
		return
	case <-w.ended:
	case <-patience.C:
	case <-ctx.Done():
		select {
		case <-w.answered:
			return
		case <-w.ended:
		case <-time.After(w.grace):
		}
	}
	cancel()
	select {
	case <-w.answered:
	case <-w.ended:
	case <-time.After(w.grace):
		w.errs.Warn("stdio: stopped with requests unanswered", "requests", len(w.room))
	}
}
