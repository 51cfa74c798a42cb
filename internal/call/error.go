package call

import (
	"context"
	"errors"
	"time"
)

// A Kind says what sort of failure an Error is, for programs.
type Kind string

// The kinds of failure.
const (
	Invalid      Kind = "invalid"      // the question is wrong; ask another
	Unauthorized Kind = "unauthorized" // the upstream refused the key
	Forbidden    Kind = "forbidden"    // the key may not read this
	NotFound     Kind = "not_found"
	RateLimited  Kind = "rate_limited"
	Unavailable  Kind = "unavailable" // the upstream is down or talks nonsense
	Timeout      Kind = "timeout"
	TooLarge     Kind = "too_large"
	Canceled     Kind = "canceled"
)

// An Error is a failure that a caller can act on: Kind for programs, Msg and
// Hint for the model, Err for the operator's log alone. Msg says what failed
// and Hint, if there is one, the way out. Neither ever holds a secret, nor an
// upstream's words outside a fence.
type Error struct {
	Kind Kind
	Msg  string
	Hint string
	Err  error
}

// Error is what a model reads.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Msg
	}
	return e.Msg + " " + e.Hint
}

// Unwrap is the cause, for the operator.
func (e *Error) Unwrap() error { return e.Err }

// SpendTime is how long one question may be computed, without what it waits for.
const SpendTime = 10 * time.Second

// Spent is the Error of a question that has taken what one may of something.
func Spent(of string, err error) *Error {
	return &Error{
		Kind: TooLarge, Msg: "The question has taken " + of + " that one may take, and was stopped.",
		Hint: "Narrow the window with timestamp_from, or ask for less: a regex or contains on transcripts reads every call, rare words find the same faster.",
		Err:  err,
	}
}

// Stopped is the Error of an answer that was given up because its context
// ended with err.
func Stopped(err error) *Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Kind: Timeout, Msg: "There was no answer in the time there was.", Hint: "Ask for a shorter window.", Err: err}
	}
	return &Error{Kind: Canceled, Msg: "The question was canceled.", Err: err}
}
