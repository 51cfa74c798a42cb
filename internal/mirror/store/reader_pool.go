package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"

	"call-logs-mcp/internal/call"
	"call-logs-mcp/internal/fair"
	"call-logs-mcp/internal/filter"
)

// What one question may take, beside the time for which it may hold a connection.
const (
	// quickSteps is what a question may take of the readers that are kept for
	// those that take little, in checks that SQLite makes each 1,000 instructions:
	// some 30 ms of processor, however busy that is.
	quickSteps   = 500
	quickReaders = 2
	// readerHeap is the memory of SQLite in one connection that reads, its cache
	// of pages among it.
	readerHeap = 64 << 20
)

// A readerPool is connections that read for one kind of question, shared out by who
// asks: see fair.By.
type readerPool struct {
	conns  chan *conn // a nil one is yet to be opened
	places *fair.Places
	quick  bool
}

// newReaderPool makes a pool of n connections. Where there are several, nobody has all.
func newReaderPool(n int, quick bool) *readerPool {
	l := &readerPool{conns: make(chan *conn, n), places: fair.New(n, max(1, n-1), 0), quick: quick}
	for range n {
		l.conns <- nil
	}
	return l
}

// newReaders makes the reader pools of a database. One processor is left to
// those whose questions take little.
func (s *Store) newReaders() {
	s.quick, s.readers = newReaderPool(quickReaders, true), newReaderPool(max(1, runtime.GOMAXPROCS(0)-1), false)
}

// close closes the connections, waiting for those who use them.
func (l *readerPool) close() (errs []error) {
	for range cap(l.conns) {
		if c := <-l.conns; c != nil {
			errs = append(errs, c.close())
		}
	}
	return errs
}

// lend lends f a connection of l.
func (s *Store) lend(ctx context.Context, l *readerPool, f func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return call.Stopped(err)
	}
	leave, ok := l.places.Enter(ctx, fair.Key(ctx))
	if !ok {
		return call.Stopped(ctx.Err())
	}
	defer leave()
	select {
	case c := <-l.conns:
		if c == nil {
			var err error
			if c, err = s.connect(ctx, readerCache); err != nil {
				l.conns <- nil
				return failure(ctx, err)
			}
			c.quick = l.quick
			c.HardHeapLimit(readerHeap)
		}
		defer func() { l.conns <- c }()
		err := s.still(c, f)
		if errors.Is(err, ErrScope) {
			return failure(ctx, err)
		}
		return err
	case <-ctx.Done():
		return call.Stopped(ctx.Err())
	case <-s.closed:
		return failure(ctx, errClosed)
	}
}

// read lends f a connection for what is no question of anybody's, or one whose
// price is known to be small.
func (s *Store) read(ctx context.Context, l *readerPool, f func(*conn) error) error {
	return s.lend(ctx, l, func(c *conn) error { return failure(ctx, c.lent(ctx, f)) })
}

// answer lends f a connection for a question. One that may be cheap is tried on
// the pool for those; it is asked anew on the other if it was not.
func (s *Store) answer(ctx context.Context, cheap bool, f func(*conn) error) error {
	if cheap {
		err := s.lend(ctx, s.quick, func(c *conn) error {
			steps := &stepped{Context: ctx}
			steps.left.Store(quickSteps)
			err := c.lent(steps, f)
			if err != nil && steps.left.Load() < 0 && ctx.Err() == nil {
				return errSlow
			}
			return failure(ctx, err)
		})
		if !errors.Is(err, errSlow) {
			return err
		}
	}
	return s.lend(ctx, s.readers, func(c *conn) error {
		within, cancel := context.WithTimeoutCause(ctx, s.spend, errSpent)
		defer cancel()
		err := c.lent(within, f)
		switch {
		case err == nil || ctx.Err() != nil:
		case errors.Is(err, sqlite3.NOMEM):
			return call.Spent(fmt.Sprintf("the %d MiB of memory", readerHeap>>20), err)
		case within.Err() != nil:
			return call.Spent(fmt.Sprintf("the %s of computing", s.spend), errSpent)
		}
		return failure(ctx, err)
	})
}

var (
	errSpent = errors.New("store: the question took too long")
	errSlow  = errors.New("store: the question is none of those that take little")
)

// A stepped context ends once it was looked at so often. It stands for processor
// time: SQLite looks at it every 1,000 instructions, and with each row.
type stepped struct {
	context.Context
	left atomic.Int64
}

func (s *stepped) Err() error {
	if s.left.Add(-1) < 0 {
		return context.DeadlineExceeded
	}
	return s.Context.Err()
}

// stopped is why the running question must not go on, nil as long as it may: for
// loops that SQLite knows nothing of.
func (c *conn) stopped() error { return c.GetInterrupt().Err() }

// cheap says whether a question likely takes little: a page in the order of time,
// by conditions that SQLite itself can answer.
func cheap(q call.Query) bool {
	if q.Text != nil || q.Similar != nil || q.Exhaust || q.Limit > 200 || q.Order != "" && q.Order != call.Newest && q.Order != call.Oldest {
		return false
	}
	n := 0
	for c := range filter.Conds(q.Where) {
		switch n++; {
		case n > 50, inRecord(c.Field):
			return false
		case c.Op == filter.Regex, c.Op == filter.Contains, c.Op == filter.StartsWith, c.Op == filter.EndsWith:
			return false
		}
	}
	return true
}
