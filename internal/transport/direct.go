package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// direct speaks HTTP/1.1 on the goroutine of the caller. http.Transport hands each request to one goroutine and each
// answer to another, which costs about 30 µs a call where cores are few; its framing is used all the same. What it does
// beyond that is left to it: HTTP/2, proxies, upgrades, and the first call to a TLS host, whose answer tells the version.
type direct struct {
	*http.Transport
	dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	idle  idleConns
	http1 sync.Map // TLS host:port → struct{}: answers in HTTP/1.1
}

// Plain is the transport for those who need to change its settings.
func (d *direct) Plain() *http.Transport { return d.Transport }

// RoundTrip implements http.RoundTripper.
func (d *direct) RoundTrip(r *http.Request) (*http.Response, error) {
	host, ok := d.takes(r)
	if !ok {
		res, err := d.Transport.RoundTrip(r)
		if err == nil && r.URL.Scheme == "https" && res.ProtoMajor == 1 {
			d.http1.Store(hostPort(r.URL), struct{}{})
		}
		return res, err
	}
	if err := r.Context().Err(); err != nil {
		closeBody(r)
		return nil, context.Cause(r.Context())
	}
	c, err := d.conn(r.Context(), host, r.URL.Scheme == "https")
	if err != nil {
		closeBody(r)
		return nil, err
	}
	return c.exchange(r)
}

// takes reports whether a request is one for this way, and the key of its connections.
func (d *direct) takes(r *http.Request) (host string, ok bool) {
	if r.Method != http.MethodPost || r.ContentLength <= 0 || r.Body == nil || len(r.Header["Expect"]) > 0 || len(r.Header["Upgrade"]) > 0 {
		return "", false
	}
	if p, err := d.Proxy(r); p != nil || err != nil {
		return "", false
	}
	host = hostPort(r.URL)
	if !ascii(host) {
		return "", false
	}
	switch r.URL.Scheme {
	case "http":
		return host, true
	case "https":
		_, ok = d.http1.Load(host)
		return host, ok
	}
	return "", false
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return net.JoinHostPort(u.Hostname(), "80")
}

// ascii reports whether a host needs no conversion before it is looked up.
func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// conn is an idle connection to a host, or a new one.
func (d *direct) conn(ctx context.Context, host string, secure bool) (*conn, error) {
	key := host
	if secure {
		key = "tls " + host
	}
	if c := d.idle.take(key); c != nil {
		return c, nil
	}
	nc, err := d.dial(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, raw: nc, quiet: newQuiet(nc), key: key, pool: &d.idle}
	if secure {
		if err := c.secure(ctx, d.Transport, host); err != nil {
			_ = nc.Close()
			return nil, err
		}
	}
	c.in = bufio.NewReaderSize(c, bufferSize)
	c.out = bufio.NewWriterSize(c.Conn, bufferSize)
	return c, nil
}

// CloseIdleConnections is called by http.Client's method of that name.
func (d *direct) CloseIdleConnections() {
	d.Transport.CloseIdleConnections()
	d.idle.closeAll()
}

// conn is a connection that one exchange has at a time.
type conn struct {
	net.Conn
	raw   net.Conn // below TLS
	quiet *quiet
	key   string
	pool  *idleConns
	in    *bufio.Reader
	out   *bufio.Writer
	head  int // bytes that the header of the answer may still have, while it is read
	used  time.Time
}

var errHeader = errors.New("the header of the answer is too long")

// Read bounds the header; a body has its own bounds.
func (c *conn) Read(p []byte) (int, error) {
	if c.head < 0 {
		return 0, errHeader
	}
	n, err := c.Conn.Read(p)
	if c.head > 0 {
		if c.head -= n; c.head <= 0 {
			c.head = -1
		}
	}
	return n, err
}

func (c *conn) secure(ctx context.Context, t *http.Transport, host string) error {
	cfg := t.TLSClientConfig.Clone()
	cfg.NextProtos = []string{"http/1.1"}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(host)
	}
	ctx, cancel := context.WithTimeout(ctx, t.TLSHandshakeTimeout)
	defer cancel()
	s := tls.Client(c.raw, cfg)
	if err := s.HandshakeContext(ctx); err != nil {
		return err
	}
	c.Conn = s
	return nil
}

// past makes whoever reads or writes a connection give up.
var past = time.Unix(1, 0)

// exchange sends a request and reads the header of its answer. The connection goes back to the pool with the end of the
// answer's body.
func (c *conn) exchange(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	stop := context.AfterFunc(ctx, func() { _ = c.raw.SetDeadline(past) })
	res, err := c.roundTrip(r)
	if err != nil {
		stop()
		_ = c.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	keep := !res.Close && !r.Close
	if res.ContentLength == 0 {
		c.release(keep && stop())
		return res, nil
	}
	res.Body = &body{ReadCloser: res.Body, conn: c, ctx: ctx, stop: stop, keep: keep}
	return res, nil
}

func (c *conn) roundTrip(r *http.Request) (*http.Response, error) {
	err := c.send(r)
	if err != nil && !isWrite(err) {
		return nil, err
	}
	res, readErr := c.answer(r) // also after a failed write: the upstream may have said why it hung up
	if readErr == nil && err != nil {
		res.Close = true
	}
	return res, readErr
}

// isWrite tells an upstream that hung up from a request that could not be read.
func isWrite(err error) bool { return errors.As(err, new(*net.OpError)) }

func (c *conn) answer(r *http.Request) (*http.Response, error) {
	c.head = maxHeader
	defer func() { c.head = 0 }()
	for {
		res, err := receive(c.in, r)
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("the upstream closed the connection without an answer: %w", err)
			}
			return nil, err
		}
		if res.StatusCode >= 200 {
			return res, nil
		}
		if res.StatusCode == http.StatusSwitchingProtocols {
			return nil, errors.New("the upstream wants to switch protocols")
		}
	}
}

func (c *conn) release(keep bool) {
	if !keep || c.in.Buffered() > 0 || !c.pool.put(c) {
		_ = c.Close()
	}
}

// body is the body of an answer.
type body struct {
	io.ReadCloser
	conn *conn
	ctx  context.Context
	stop func() bool
	keep bool
	done bool
}

func (b *body) Read(p []byte) (int, error) {
	if b.done {
		return b.ReadCloser.Read(p) // the end again
	}
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	b.end(errors.Is(err, io.EOF))
	if err != io.EOF && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

// Close gives up what has not been read.
func (b *body) Close() error {
	if !b.done {
		b.end(false)
	}
	return nil
}

func (b *body) end(whole bool) {
	b.done = true
	alive := b.stop() // false if the context's end has set a deadline on the connection, or is about to
	b.conn.release(whole && alive && b.keep)
}
