package rest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"call-logs-mcp/internal/call"
)

// A breaker keeps an upstream that does not answer from being asked by each
// question anew: after tripAfter failed ones in a row it lets one attempt through
// in 10 s, then in 30 and in 60, until one succeeds. All others are answered at
// once with the last failure and since when that lasts.
//
// sony/gobreaker was judged for this: its pause is one and the same, and it does
// not know since when a circuit is open, so little would be left of it.
type breaker struct {
	mu     sync.Mutex
	failed int       // questions in a row
	first  time.Time // when the first of them failed
	until  time.Time // nothing is asked before
	pauses int       // that were made
	trying bool      // one attempt is under way
	last   *call.Error
}

const tripAfter = 3

// pauseAfter is how long nothing is asked, the nth time in a row.
func pauseAfter(n int) time.Duration {
	switch n {
	case 0:
		return 10 * time.Second
	case 1:
		return 30 * time.Second
	}
	return time.Minute
}

// What one who hastens waits for an upstream whose last answer was a failure.
const suspect = time.Second

// admit says how the next question may be asked: with how many attempts, and for
// how long (0 for as long as it likes); or else returns why not.
func (b *breaker) admit(ctx context.Context, attempts int) (tries int, most time.Duration, err *call.Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	most = call.Haste(ctx)
	if b.failed > 0 && most > 0 {
		most = min(most, suspect)
	}
	if b.failed < tripAfter {
		return attempts, most, nil
	}
	if b.trying || time.Now().Before(b.until) {
		return 0, 0, b.dated(b.last)
	}
	b.trying = true
	return 1, most, nil
}

// note learns from how a question went; failure is nil where it was answered.
// sure is false where the upstream had no time to answer, or was not asked.
func (b *breaker) note(failure *call.Error, sure bool) *call.Error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
	switch {
	case failure != nil && !sure:
		return failure
	case failure == nil, failure.Kind != call.Unavailable && failure.Kind != call.Timeout:
		b.failed, b.pauses = 0, 0
		return failure
	}
	if b.failed == 0 {
		b.first = time.Now()
	}
	b.failed++
	b.last = failure
	if b.failed < tripAfter {
		return failure
	}
	b.until = time.Now().Add(pauseAfter(b.pauses))
	b.pauses++
	return b.dated(failure)
}

// dated is a failure and since when it lasts.
func (b *breaker) dated(failure *call.Error) *call.Error {
	out := *failure
	now := time.Now()
	out.Msg += fmt.Sprintf(" It has been failing since %s and is asked again in %s.", call.Moment(b.first, now), seconds(max(b.until.Sub(now), time.Second)))
	out.Hint = "Do not ask again before."
	return &out
}

// isSure reports that a failure is the upstream's own: it was asked, and had the
// time to answer.
func (x *exchange) isSure(parent context.Context, err error, took time.Duration) bool {
	switch {
	case errors.Is(err, errPaced), x.meta.Attempts == 0, errors.Is(parent.Err(), context.Canceled):
		return false
	case parent.Err() != nil:
		return took >= suspect
	}
	return true
}
