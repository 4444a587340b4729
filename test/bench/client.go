package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// conn is a minimal HTTP/1.1 client on one connection. It costs a fraction of what the servers under test do, which
// net/http's client would not: generator and servers share the machine.
type conn struct {
	c   net.Conn
	r   *bufio.Reader
	req []byte
	// at is where the request holds a number that differs per call; no two calls are alike then.
	at int
}

const serialDigits = 12

var serialMark = []byte("#000000000000")

func dial(addr string, request []byte) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &conn{c: c, r: bufio.NewReaderSize(c, 64<<10), req: bytes.Clone(request), at: bytes.Index(request, serialMark)}, nil
}

func (c *conn) close() { _ = c.c.Close() }

// number writes n into the request.
func (c *conn) number(n uint64) {
	if c.at < 0 {
		return
	}
	for i := c.at + serialDigits; i > c.at; i-- {
		c.req[i] = byte('0' + n%10)
		n /= 10
	}
}

// answer is what one request measured.
type answer struct {
	first, whole time.Duration // to the first content of a stream, and to the end
	trace        string        // X-Weir-Trace-Id
	bytes        int
}

var errStatus = errors.New("status is not 200")

// do sends the request and reads the answer to its end.
func (c *conn) do(n uint64) (answer, error) {
	var a answer
	c.number(n)
	start := time.Now()
	_ = c.c.SetDeadline(start.Add(30 * time.Second))
	if _, err := c.c.Write(c.req); err != nil {
		return a, err
	}
	length, chunked, err := c.header(&a)
	if err != nil {
		return a, err
	}
	if !chunked {
		a.bytes = length
		_, err = c.r.Discard(length)
		a.whole = time.Since(start)
		return a, err
	}
	for {
		line, err := c.line()
		if err != nil {
			return a, err
		}
		size, err := strconv.ParseInt(string(line), 16, 32)
		if err != nil {
			return a, err
		}
		a.bytes += int(size)
		if err := c.chunk(int(size), &a, start); err != nil {
			return a, err
		}
		if size == 0 {
			a.whole = time.Since(start)
			return a, nil
		}
	}
}

func (c *conn) chunk(size int, a *answer, start time.Time) error {
	if a.first == 0 && size > 0 {
		b, err := c.r.Peek(min(size, c.r.Size()))
		if err != nil {
			return err
		}
		if hasContent(b) {
			a.first = time.Since(start)
		}
	}
	_, err := c.r.Discard(size + 2)
	return err
}

// hasContent looks for a delta with text; the one with the role has none.
func hasContent(b []byte) bool {
	for {
		i := bytes.Index(b, []byte(`"content":"`))
		if i < 0 || i+11 >= len(b) {
			return false
		}
		if b[i+11] != '"' {
			return true
		}
		b = b[i+11:]
	}
}

func (c *conn) line() ([]byte, error) {
	b, err := c.r.ReadSlice('\n')
	return bytes.TrimRight(b, "\r\n"), err
}

func (c *conn) header(a *answer) (length int, chunked bool, err error) {
	status, err := c.line()
	if err != nil {
		return 0, false, err
	}
	ok := bytes.Contains(status, []byte(" 200 "))
	first := string(status)
	for {
		h, err := c.line()
		if err != nil {
			return 0, false, err
		}
		if len(h) == 0 {
			break
		}
		name, value, _ := bytes.Cut(h, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, _ = strconv.Atoi(string(value))
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		case bytes.EqualFold(name, []byte("X-Weir-Trace-Id")):
			a.trace = string(value)
		}
	}
	if !ok {
		body := make([]byte, min(length, 500))
		_, _ = io.ReadFull(c.r, body)
		return 0, false, fmt.Errorf("%w: %s %s", errStatus, first, body)
	}
	return length, chunked, nil
}

// request is a POST with a key.
func request(path, key string, body []byte) []byte {
	return append(fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nUser-Agent: bench\r\nContent-Length: %d\r\n\r\n",
		path, key, len(body)), body...)
}

// get is a GET with a key.
func get(path, key string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", path, key)
}
