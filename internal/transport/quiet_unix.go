//go:build unix

package transport

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// quiet tells whether nothing has arrived on an idle connection: whatever has, the end above all, means that it cannot
// be used again.
type quiet struct {
	raw  syscall.RawConn
	peek func(fd uintptr) bool // made once, since a closure for each look costs more than the look
	idle bool
	b    [1]byte
}

func newQuiet(c net.Conn) *quiet {
	q := &quiet{}
	q.peek = func(fd uintptr) bool {
		_, _, err := unix.Recvfrom(int(fd), q.b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		q.idle = err == unix.EAGAIN
		return true
	}
	if s, ok := c.(syscall.Conn); ok {
		q.raw, _ = s.SyscallConn()
	}
	return q
}

// yes asks.
func (q *quiet) yes() bool {
	if q.raw == nil {
		return true
	}
	q.idle = false
	return q.raw.Read(q.peek) == nil && q.idle
}
