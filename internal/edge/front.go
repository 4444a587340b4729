package edge

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Front serves the plainest of requests, a POST with a body of declared length over HTTP/1.1, on the goroutine of its
// connection, and hands connections on which anything else arrives over to net/http, with every byte. net/http starts a
// goroutine for each request that has a body, to notice a client that hangs up, and where cores are few waking another
// thread for it costs more than the rest of serving; here that happens only for requests that take a while (ADR 008).
type Front struct {
	handler http.Handler
	log     *slog.Logger
	head    time.Duration // for a head to arrive
	idle    time.Duration // between requests

	mu       sync.Mutex
	conns    map[*frontConn]struct{}
	draining bool
	empty    chan struct{} // closed when the last connection has ended, if somebody waits
	date     atomic.Pointer[date]
}

// NewFront returns a Front for a handler. head is how long the head of a request may take, idle how long a connection
// may wait for its next one.
func NewFront(h http.Handler, head, idle time.Duration, log *slog.Logger) *Front {
	return &Front{handler: h, log: log, head: head, idle: idle, conns: map[*frontConn]struct{}{}}
}

// Listener is what http.Server serves: it brings the connections that are handed over.
func (f *Front) Listener(l net.Listener) net.Listener {
	return &frontListener{Listener: l, front: f, handed: make(chan net.Conn), failed: make(chan error), closed: make(chan struct{})}
}

type frontListener struct {
	net.Listener
	front  *Front
	start  sync.Once
	handed chan net.Conn
	failed chan error
	end    sync.Once
	closed chan struct{}
	loop   sync.WaitGroup
}

// Accept implements net.Listener.
func (l *frontListener) Accept() (net.Conn, error) {
	l.start.Do(func() { l.loop.Go(l.accept) })
	select {
	case c := <-l.handed:
		return c, nil
	case err := <-l.failed:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *frontListener) accept() {
	for {
		c, err := l.Listener.Accept()
		if err == nil {
			l.take(c)
			continue
		}
		select {
		case l.failed <- err: // the server decides whether to go on, and waits a little
		case <-l.closed:
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// Close implements net.Listener.
func (l *frontListener) Close() error {
	err := l.Listener.Close()
	l.end.Do(func() { close(l.closed) })
	l.loop.Wait()
	return err
}

func (l *frontListener) take(nc net.Conn) {
	t, ok := nc.(*net.TCPConn)
	if !ok {
		l.hand(nc)
		return
	}
	c := newFrontConn(l.front, t)
	if !l.front.add(c) {
		_ = nc.Close()
		return
	}
	go func() {
		rest, over := c.serve()
		l.front.remove(c)
		if over {
			l.hand(&heldConn{TCPConn: t, early: rest})
		}
	}()
}

func (l *frontListener) hand(c net.Conn) {
	select {
	case l.handed <- c:
	case <-l.closed:
		_ = c.Close()
	}
}

// add is false while draining.
func (f *Front) add(c *frontConn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.draining {
		return false
	}
	f.conns[c] = struct{}{}
	return true
}

func (f *Front) remove(c *frontConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
	if len(f.conns) == 0 && f.empty != nil {
		close(f.empty)
		f.empty = nil
	}
}

// Drain lets running requests be the last of their connections, and closes the others.
func (f *Front) Drain() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.draining = true
	for c := range f.conns {
		c.drain()
	}
}

// Wait returns when no connection is left, or with the end of ctx. Drain comes first.
func (f *Front) Wait(ctx context.Context) error {
	f.mu.Lock()
	if len(f.conns) > 0 && f.empty == nil {
		f.empty = make(chan struct{})
	}
	empty := f.empty
	f.mu.Unlock()
	if empty == nil {
		return nil
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close cuts every connection.
func (f *Front) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.draining = true
	for c := range f.conns {
		c.cut()
	}
}

// date is the text of the Date header in one second.
type date struct {
	second int64
	text   string
}

func (f *Front) dateText(now time.Time) string {
	if d := f.date.Load(); d != nil && d.second == now.Unix() {
		return d.text
	}
	d := &date{now.Unix(), now.UTC().Format(http.TimeFormat)}
	f.date.Store(d)
	return d.text
}
