package edge

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// frontBuffer bounds the heads that a Front reads itself.
	frontBuffer = 8 << 10
	// watchEvery is how often it is looked whether a request is still the one it was: then its client is watched. Until then
	// nobody gains from knowing that it has gone, and a timer for each request would wake a thread each time.
	watchEvery = 50 * time.Millisecond
	// skipBytes is how much of a body that its handler has left is read, for the sake of the next request.
	skipBytes = 256 << 10
	// linger is how long a connection with unread bytes is kept after its last answer: closed at once, the answer is lost.
	linger = 500 * time.Millisecond
	// slack is by how much deadlines may be off, so that they need not be set for each request.
	slack = 10 * time.Second
)

// frontConn is a connection while the Front has it. Its own goroutine reads and writes; while a handler runs and the body
// has been read, the watch may read too.
type frontConn struct {
	front  *Front
	conn   *net.TCPConn
	in     *bufio.Reader
	base   context.Context
	remote string
	header http.Header // of answers, one after the other
	until  time.Time   // read deadline of the connection; zero = not known
	// writeUntil is its write deadline; zero = none.
	writeUntil time.Time
	watch      *time.Timer // made with the first request

	mu       sync.Mutex
	done     *sync.Cond         // with mu: the watch has stopped reading
	cancel   context.CancelFunc // of the running request; nil while there is none
	turn     int                // changes when a request begins and ends
	expects  int                // the last turn in which the client may be watched
	saw      int                // the turn that the timer found
	armed    bool               // the timer runs
	watching bool
	draining bool
}

func newFrontConn(f *Front, c *net.TCPConn) *frontConn {
	base := context.WithValue(context.Background(), http.LocalAddrContextKey, c.LocalAddr())
	fc := &frontConn{front: f, conn: c, base: base, remote: c.RemoteAddr().String(), header: http.Header{}, in: bufio.NewReaderSize(c, frontBuffer)}
	fc.done = sync.NewCond(&fc.mu)
	return fc
}

// serve answers requests until the connection ends, or one comes that is net/http's: then rest is what has been read of
// it.
func (c *frontConn) serve() (rest []byte, over bool) {
	wait := c.front.head
	for {
		h, over, ok := c.next(wait)
		if over {
			return c.leftover(), true
		}
		if !ok || !c.handle(h) {
			_ = c.conn.Close()
			return nil, false
		}
		wait = c.front.idle
	}
}

// leftover is what is buffered.
func (c *frontConn) leftover() []byte {
	b, _ := c.in.Peek(c.in.Buffered())
	_ = c.conn.SetReadDeadline(time.Time{})
	return append([]byte(nil), b...)
}

// next waits for the head of a request.
func (c *frontConn) next(wait time.Duration) (h head, over, ok bool) {
	for want := 1; ; want = c.in.Buffered() + 1 {
		if want > frontBuffer {
			return h, true, false
		}
		if c.in.Buffered() < want && !c.fill(want, wait) {
			return h, false, false
		}
		b, _ := c.in.Peek(c.in.Buffered())
		n, foreign := headLen(b)
		if foreign {
			return h, true, false
		}
		if n > 0 {
			h, ok = parseHead(b[:n])
			if ok {
				_, _ = c.in.Discard(n)
			}
			return h, !ok, ok
		}
		wait = c.front.head
		if want == 1 {
			c.until = time.Time{} // the first bytes are there: the rest has its own deadline
		}
	}
}

// fill waits for bytes, once for the whole of a head or of a pause.
func (c *frontConn) fill(want int, wait time.Duration) bool {
	now := time.Now()
	if left := c.until.Sub(now); c.until.IsZero() || want == 1 && (left < wait-slack || left > wait) {
		c.until = now.Add(wait)
		_ = c.conn.SetReadDeadline(c.until)
	}
	_, err := c.in.Peek(want)
	return err == nil
}

// handle runs the handler; false ends the connection.
func (c *frontConn) handle(h head) (reuse bool) {
	ctx, cancel := context.WithCancel(c.base)
	defer cancel()
	if !c.begin(cancel) {
		return false
	}
	body := &frontBody{conn: c, left: h.length}
	w := &answer{conn: c, body: body, close: h.close, length: -1, header: c.header, buf: answerBuffers.Get().(*answerBuffer)}
	defer w.free()
	defer clear(c.header)
	r := new(http.Request).WithContext(ctx)
	r.Method, r.URL, r.RequestURI, r.Host, r.RemoteAddr = http.MethodPost, h.url, h.target, h.host, c.remote
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	r.Header, r.Body, r.ContentLength = h.header, body, h.length
	if !c.run(w, r) {
		c.end()
		return false
	}
	err := w.finish()
	c.end()
	if body.left > 0 {
		c.linger()
	}
	return err == nil && !w.close && body.left == 0 && !c.isDraining()
}

// run is false if the handler wants the connection cut.
func (c *frontConn) run(w http.ResponseWriter, r *http.Request) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			ok = false
			if p != http.ErrAbortHandler {
				c.front.log.Error("serving panicked", slog.Any("panic", p), slog.String("stack", stack()))
			}
		}
	}()
	c.front.handler.ServeHTTP(w, r)
	return true
}

func (c *frontConn) begin(cancel context.CancelFunc) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel = cancel
	c.turn++
	return !c.draining
}

// end stops the watch.
func (c *frontConn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel = nil
	c.turn++
	if !c.watching {
		return
	}
	_ = c.conn.SetReadDeadline(past)
	for c.watching {
		c.done.Wait()
	}
}

// past makes whoever reads give up.
var past = time.Unix(1, 0)

// expect has the client watched, a little later, for whether it hangs up. The body has been read.
func (c *frontConn) expect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expects = c.turn
	switch {
	case c.armed:
	case c.watch == nil:
		c.watch = time.AfterFunc(watchEvery, c.look)
	default:
		c.watch.Reset(watchEvery)
	}
	c.armed = true
}

// look is what the timer does: it watches the client of a request that it has found before.
func (c *frontConn) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = false
	if c.turn != c.expects || c.watching {
		return
	}
	if c.saw != c.turn {
		c.saw, c.armed = c.turn, true
		c.watch.Reset(watchEvery)
		return
	}
	c.watching, c.until = true, time.Time{}
	_ = c.conn.SetReadDeadline(time.Time{}) // with the lock, so that end comes after it
	c.mu.Unlock()
	_, err := c.in.Peek(1)
	c.mu.Lock()
	c.watching = false
	c.done.Broadcast()
	if err != nil && c.cancel != nil { // without a request it was told to stop
		c.cancel()
	}
}

func (c *frontConn) linger() {
	_ = c.conn.CloseWrite()
	_ = c.conn.SetReadDeadline(time.Now().Add(linger))
	_, _ = io.CopyN(io.Discard, c.conn, drainBytes)
}

func (c *frontConn) isDraining() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.draining
}

// drain closes the connection after the running request, if there is one.
func (c *frontConn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if c.cancel == nil {
		_ = c.conn.Close()
	}
}

func (c *frontConn) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if c.cancel != nil {
		c.cancel()
	}
	_ = c.conn.Close()
}

// frontBody is the body of a request.
type frontBody struct {
	conn *frontConn
	left int64
	err  error
}

// Read implements io.Reader. The end comes with the last bytes.
func (b *frontBody) Read(p []byte) (int, error) {
	switch {
	case b.err != nil:
		return 0, b.err
	case b.left == 0:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	n, err := b.conn.in.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	switch {
	case b.left == 0:
		b.conn.expect()
		return n, io.EOF
	case err != nil:
		b.fail(err)
	}
	return n, b.err
}

// fail ends the request: the client has gone, or has been too slow.
func (b *frontBody) fail(err error) {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	b.err = err
	b.conn.mu.Lock()
	defer b.conn.mu.Unlock()
	if b.conn.cancel != nil {
		b.conn.cancel()
	}
}

// Close implements io.Closer. What is left is read with the answer.
func (b *frontBody) Close() error { return nil }

// skip reads what the handler has left, so that the client can read its answer and send its next request.
func (b *frontBody) skip() {
	if b.left > 0 && b.left <= skipBytes && b.err == nil {
		_, _ = io.CopyN(io.Discard, b, b.left)
	}
}
