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
	last     func() bool // whether the connection has to close behind the answer
	status   int
	bytes    int64
}

func newReply(w http.ResponseWriter, patience time.Duration, last func() bool) *reply {
	return &reply{ResponseWriter: w, control: http.NewResponseController(w), patience: patience, last: last}
}

// Unwrap lets http.ResponseController find the connection.
func (r *reply) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// extend begins the time of the next write. What comes after the handler, a
// buffer's rest, is in the time of its last.
func (r *reply) extend() { _ = r.control.SetWriteDeadline(time.Now().Add(r.patience)) }

// begin is before the header is written.
func (r *reply) begin(status int) {
	if r.status != 0 {
		return
	}
	r.status = status
	if r.last() {
		r.Header().Set("Connection", "close")
	}
}

func (r *reply) WriteHeader(status int) {
	r.begin(status)
	r.extend()
	r.ResponseWriter.WriteHeader(status)
}

func (r *reply) Write(p []byte) (int, error) {
	r.begin(http.StatusOK)
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
