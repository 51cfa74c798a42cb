package serve

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// connections is a listener that bounds how many connections there are, in all
// and of one address.
//
// When all are taken, the one that has been idle for the longest goes. Of one
// address, what is too many waits, unread: answers then close their connection,
// and an idle one goes; the newest is served first, since the oldest may have
// nothing to say. Behind a trusted proxy are many clients, so that its
// connections are bounded in all alone.
type connections struct {
	net.Listener
	all, each int
	wait      time.Duration // how long one may take to be served and send a request
	stranger  time.Duration // how long one may be idle that never authenticated
	trusted   []netip.Prefix
	refused   func() // hears of each that found no room

	ready chan *connection // to be served
	ended chan struct{}    // no more are accepted
	cause error            // why, once ended

	mu        sync.Mutex
	open      int
	byAddress map[netip.Addr]*addressConnections
	idle      *list.List // of *connection, the longest idle first
}

// An addressConnections is the connections of one address.
type addressConnections struct {
	served  int
	waiting []*connection // the newest last
}

// A connection is one of a listener, in its place among the idle.
type connection struct {
	net.Conn
	of     *connections
	from   netip.Addr
	at     *list.Element // among the idle, and those that wait; nil while a request is answered
	since  time.Time     // when it came there
	came   time.Time
	served bool
	asked  bool // a request was read on it
	known  bool // somebody was authenticated on it
	closed bool
	late   *time.Timer // acts on it when it has waited or been idle for too long
}

// How long a connection must have been idle to go for another of its address:
// little where the last answer let nobody in; else its client may just be sending
// a request, and would not know whether that was heard.
const (
	settledStranger = 200 * time.Millisecond
	settled         = 2 * time.Second
)

// spare says whether a connection may go for another of an address.
func (c *connection) spare(from netip.Addr) bool {
	idle := settled
	if c.asked && !c.known {
		idle = settledStranger
	}
	return c.served && c.from == from && time.Since(c.since) >= idle
}

func newConnections(ln net.Listener, each int, t timeouts, trusted []netip.Prefix, refused func()) *connections {
	l := &connections{
		Listener: ln, all: t.connections, each: each, wait: t.header, stranger: t.stranger, trusted: trusted, refused: refused,
		ready: make(chan *connection, t.connections), ended: make(chan struct{}), byAddress: map[netip.Addr]*addressConnections{}, idle: list.New(),
	}
	go l.accept()
	return l
}

func (l *connections) accept() {
	for pause := time.Millisecond; ; {
		conn, err := l.Listener.Accept()
		if late, ok := err.(net.Error); ok && late.Timeout() { // out of files for a moment, as net/http waits
			time.Sleep(pause)
			pause = min(2*pause, time.Second)
			continue
		}
		if err != nil {
			l.cause = err
			close(l.ended)
			return
		}
		pause = time.Millisecond
		l.mu.Lock()
		l.admit(&connection{Conn: conn, of: l, from: networkOf(conn.RemoteAddr().String()), came: time.Now()})
		l.mu.Unlock()
	}
}

// Accept returns the next connection that there is room for.
func (l *connections) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.ended:
		return nil, l.cause
	}
}

// admit takes on a new connection. l.mu is held, as in all that follow.
func (l *connections) admit(c *connection) {
	if l.open >= l.all && !l.evict(func(*connection) bool { return true }) {
		l.refused()
		c.Conn.Close()
		return
	}
	l.open++
	of := l.byAddress[c.from]
	if of == nil {
		of = &addressConnections{}
		l.byAddress[c.from] = of
	}
	if of.served < l.each || among(l.trusted, c.from) {
		l.serve(of, c)
		return
	}
	of.waiting = append(of.waiting, c)
	l.rest(c, true)
	l.makeRoom(c, time.Now().Add(l.wait))
}

func (l *connections) serve(of *addressConnections, c *connection) {
	of.served++
	c.served = true
	l.rest(c, true)
	l.ready <- c // has room for all
}

// makeRoom has an idle connection of the same address go for one that waits, at
// once or as soon as there is one.
func (l *connections) makeRoom(c *connection, until time.Time) {
	l.evict(func(old *connection) bool { return old.spare(c.from) })
	switch {
	case c.served: // in the place of what went; unless a newer one is
		return
	case time.Now().After(until):
		l.refused()
		l.drop(c)
		return
	}
	c.late = time.AfterFunc(min(settledStranger, l.wait), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !c.closed && !c.served {
			l.makeRoom(c, until)
		}
	})
}

// evict closes the connection that has been idle for the longest of those that
// fit, and says whether there was one.
func (l *connections) evict(fits func(*connection) bool) bool {
	for e := l.idle.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*connection); fits(c) {
			l.drop(c)
			return true
		}
	}
	return false
}

func (l *connections) drop(c *connection) {
	l.forget(c)
	go c.Conn.Close() // it may wait for what is written
}

// forget takes a connection off the books, once, and one that waits on.
func (l *connections) forget(c *connection) {
	if c.closed {
		return
	}
	c.closed = true
	l.rest(c, false)
	l.open--
	of := l.byAddress[c.from]
	if c.served {
		of.served--
	} else {
		of.waiting = slices.DeleteFunc(of.waiting, func(w *connection) bool { return w == c })
	}
	for last := len(of.waiting) - 1; last >= 0 && of.served < l.each; last-- {
		next := of.waiting[last]
		of.waiting = of.waiting[:last]
		l.serve(of, next)
	}
	if of.served == 0 && len(of.waiting) == 0 {
		delete(l.byAddress, c.from)
	}
}

// rest puts a connection among the idle, or takes it out.
func (l *connections) rest(c *connection, idle bool) {
	if c.late != nil {
		c.late.Stop()
		c.late = nil
	}
	if c.at != nil {
		l.idle.Remove(c.at)
		c.at = nil
	}
	if !idle || c.closed {
		return
	}
	c.at, c.since = l.idle.PushBack(c), time.Now()
	switch {
	case !c.served || c.known:
	case c.asked:
		c.late = time.AfterFunc(l.stranger, func() { c.Close() })
	default: // it may have waited already
		c.late = time.AfterFunc(time.Until(c.came.Add(l.wait)), func() { c.Close() })
	}
}

// Close closes the connection.
func (c *connection) Close() error {
	c.of.mu.Lock()
	c.of.forget(c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// state is http.Server.ConnState.
func (l *connections) state(conn net.Conn, s http.ConnState) {
	c := unwrapped(conn)
	if c == nil || s == http.StateNew {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s {
	case http.StateActive, http.StateIdle:
		c.asked = true
		l.rest(c, s == http.StateIdle)
	default:
		l.forget(c)
	}
}

type connectionKey struct{}

// context is http.Server.ConnContext.
func (l *connections) context(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, unwrapped(conn))
}

// connectionOf is what a request came on, nil where that is no listener of ours.
func connectionOf(ctx context.Context) *connection {
	c, _ := ctx.Value(connectionKey{}).(*connection)
	return c
}

// recognised notes that who asks was let in.
func (c *connection) recognised() {
	if c != nil {
		c.of.mu.Lock()
		c.known = true
		c.of.mu.Unlock()
	}
}

// pressed says whether others of its address wait for it to go.
func (c *connection) pressed() bool {
	if c == nil {
		return false
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	of := c.of.byAddress[c.from]
	return of != nil && len(of.waiting) > 0
}

// unwrapped is a connection as this listener made it, nil for any other.
func unwrapped(conn net.Conn) *connection {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	c, _ := conn.(*connection)
	return c
}

// networkOf is the network of an address with a port; the zero Addr for none.
func networkOf(addr string) netip.Addr {
	at, _ := netip.ParseAddrPort(addr)
	return network(at.Addr().Unmap())
}
