package serve

import (
	"net/http"
	"time"
)

// A reply is an http.ResponseWriter that knows what became of it, and whose
// client must go on reading: every write has so much time, and the whole has
// no end, since it may be a stream.
type reply struct {
	http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
	status   int
	bytes    int64
}

func newReply(w http.ResponseWriter, patience time.Duration) *reply {
	return &reply{ResponseWriter: w, control: http.NewResponseController(w), patience: patience}
}

// Unwrap lets http.ResponseController find the connection.
func (r *reply) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// extend begins the time of the next write. What comes after the handler, a
// buffer's rest, is in the time of its last.
func (r *reply) extend() { _ = r.control.SetWriteDeadline(time.Now().Add(r.patience)) }

func (r *reply) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.extend()
	r.ResponseWriter.WriteHeader(status)
}

func (r *reply) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.extend()
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Flush sends what was written.
func (r *reply) Flush() {
	r.extend()
	_ = r.control.Flush()
}
