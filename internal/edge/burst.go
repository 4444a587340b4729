package edge

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// net/http hands an answer that is larger than its buffer to the system in pieces, and each piece wakes the client. Send
// puts them together again: the connection below holds writes back for as long as it is told to.

// Send writes p and whatever was written before, so that it leaves in one piece where that is possible. p may be empty.
func Send(w http.ResponseWriter, p []byte) error {
	var c *heldConn
	if r, ok := w.(*recorder); ok {
		c = r.conn
	}
	if c == nil {
		return write(w, p)
	}
	c.hold()
	err := write(w, p)
	return errors.Join(err, c.release())
}

// SendJSON answers with a whole document.
func SendJSON(w http.ResponseWriter, status int, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body))) // else anything over 2 KB is sent in chunks
	w.WriteHeader(status)
	return Send(w, body)
}

func write(w http.ResponseWriter, p []byte) error {
	if len(p) > 0 {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return http.NewResponseController(w).Flush()
}

// Listener makes connections that Send can hold. The server needs ConnContext too.
func Listener(l net.Listener) net.Listener { return &listener{l} }

type listener struct{ net.Listener }

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if t, ok := c.(*net.TCPConn); ok && err == nil {
		return &heldConn{TCPConn: t}, nil
	}
	return c, err
}

type connKey struct{}

// ConnContext is for http.Server.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if h, ok := c.(*heldConn); ok {
		return context.WithValue(ctx, connKey{}, h)
	}
	return ctx
}

// connOf is the connection of a request, if it has it for itself.
func connOf(r *http.Request) *heldConn {
	if r.ProtoMajor != 1 {
		return nil
	}
	c, _ := r.Context().Value(connKey{}).(*heldConn)
	return c
}

// heldConn can hold writes back. Only the handler of its one request writes, and tells it to.
type heldConn struct {
	*net.TCPConn
	held  *[]byte // nil while writes go through
	early []byte  // has been read and comes first
}

// Read implements net.Conn.
func (c *heldConn) Read(p []byte) (int, error) {
	if len(c.early) == 0 {
		return c.TCPConn.Read(p)
	}
	n := copy(p, c.early)
	c.early = c.early[n:]
	return n, nil
}

// heldBuffers are as large as what a stream gathers before it is sent, with its frame.
var heldBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 24<<10)
	return &b
}}

func (c *heldConn) hold() { c.held = heldBuffers.Get().(*[]byte) }

// mostHeld is from where copying costs more than a second write.
const mostHeld = 64 << 10

func (c *heldConn) Write(p []byte) (int, error) {
	if c.held == nil {
		return c.TCPConn.Write(p)
	}
	if len(*c.held)+len(p) <= mostHeld {
		*c.held = append(*c.held, p...)
		return len(p), nil
	}
	if err := c.flush(); err != nil {
		return 0, err
	}
	return c.TCPConn.Write(p)
}

func (c *heldConn) flush() error {
	_, err := c.TCPConn.Write(*c.held)
	*c.held = (*c.held)[:0]
	return err
}

func (c *heldConn) release() (err error) {
	if len(*c.held) > 0 {
		err = c.flush()
	}
	heldBuffers.Put(c.held)
	c.held = nil
	return err
}
