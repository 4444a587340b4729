// Package sse reads and writes server-sent events: a bounded reader without an allocation per event, and an appender.
// Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
package sse

import (
	"bytes"
	"errors"
	"io"
)

// ErrTooLarge is returned for an event of more than the reader's maximum.
var ErrTooLarge = errors.New("sse: event too large")

const (
	minBuffer = 4 << 10
	// busyBuffer is what a stream gets whose source has more than a buffer at once: each refill may cost its reader a
	// flush downstream.
	busyBuffer = 16 << 10
	maxNames   = 32 // distinct event names remembered, so that a repeated name costs no allocation
)

// Event is one dispatched event. Lines of multi-line data are joined by '\n'. The fields id and retry are ignored.
type Event struct {
	Name string // "" if the stream named none
	Data []byte
}

// Reader reads events. Unlike a browser it also dispatches a last event that no blank line follows, since some
// upstreams end that way; only a clean io.EOF does so.
type Reader struct {
	src  io.Reader
	max  int
	buf  []byte
	pos  int  // start of the line being read
	scan int  // up to here the line has no end
	full bool // the last read filled the buffer
	err  error

	begun  bool // the byte order mark has been dealt with
	skipLF bool // the last line ended in a CR at the end of what was read
	size   int  // bytes of the event so far

	name    string
	lines   int // data lines so far
	from    int // the first data line in buf, while it is the only one
	to      int
	joined  []byte
	scratch []byte
	names   map[string]string
}

// NewReader returns a reader whose events may have at most max bytes of fields.
func NewReader(r io.Reader, max int) *Reader {
	return &Reader{src: r, max: max, buf: make([]byte, 0, minBuffer)}
}

// Next returns the next event. Its Data is valid until the next call. After the end it returns io.EOF; a broken source
// gives its own error, and what was read of an unfinished event is discarded.
func (r *Reader) Next() (Event, error) {
	r.reset()
	for {
		line, ok := r.line()
		if !ok {
			if r.size+len(r.buf)-r.pos > r.max {
				return Event{}, ErrTooLarge
			}
			if r.err != nil {
				return r.end()
			}
			r.fill()
			continue
		}
		if len(line) == 0 {
			if r.lines > 0 {
				return r.event(), nil
			}
			r.reset()
			continue
		}
		if line[0] == ':' && r.lines == 0 {
			continue // comments between events are keep-alives, however many
		}
		if r.size += len(line); r.size > r.max {
			return Event{}, ErrTooLarge
		}
		r.field(line)
	}
}

// Buffered reports whether a whole further event has been read from the source already, so that Next will not block.
func (r *Reader) Buffered() bool {
	rest, data := r.buf[r.pos:], false
	if r.skipLF && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	for {
		n, width := lineEnd(rest)
		if n < 0 {
			return r.err != nil
		}
		switch {
		case n == 0 && data:
			return true
		case isField(rest[:n], "data"):
			data = true
		case n == 0:
			data = false
		}
		rest = rest[n+width:]
	}
}

func isField(line []byte, name string) bool {
	return bytes.HasPrefix(line, []byte(name)) && (len(line) == len(name) || line[len(name)] == ':')
}

// lineEnd finds the first line end: LF, CR or CRLF. width is the number of bytes it takes.
func lineEnd(b []byte) (n, width int) {
	n = bytes.IndexByte(b, '\n')
	line := b
	if n >= 0 {
		line = b[:n]
	}
	cr := bytes.IndexByte(line, '\r')
	switch {
	case cr < 0:
		return n, 1
	case cr == n-1:
		return cr, 2
	}
	return cr, 1
}

// line takes the next whole line out of the buffer.
func (r *Reader) line() ([]byte, bool) {
	if !r.begun && !r.dropMark() {
		return nil, false
	}
	if r.skipLF && r.pos < len(r.buf) {
		r.skipLF = false
		if r.buf[r.pos] == '\n' {
			r.pos++
		}
	}
	r.scan = max(r.scan, r.pos)
	n, width := lineEnd(r.buf[r.scan:])
	if n < 0 {
		r.scan = len(r.buf)
		return nil, false
	}
	end := r.scan + n
	line := r.buf[r.pos:end]
	r.pos = end + width
	r.scan = r.pos
	r.skipLF = r.pos == len(r.buf) && r.buf[r.pos-1] == '\r'
	return line, true
}

// dropMark skips a byte order mark at the very start; false if more bytes are needed to tell.
func (r *Reader) dropMark() bool {
	const mark = "\xef\xbb\xbf"
	if len(r.buf) < len(mark) && r.err == nil && bytes.HasPrefix([]byte(mark), r.buf) {
		return false
	}
	if bytes.HasPrefix(r.buf, []byte(mark)) {
		r.pos = len(mark)
	}
	r.begun = true
	return true
}

func (r *Reader) field(line []byte) {
	name, value, _ := bytes.Cut(line, []byte{':'})
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch string(name) {
	case "data":
		r.data(value)
	case "event":
		r.name = r.intern(value)
	}
}

// data adds a data line. One line is referred to where it stands; only a second one makes a copy.
func (r *Reader) data(value []byte) {
	r.lines++
	if r.lines == 1 {
		// value ends where its line does, and is the tail of it.
		r.to = r.lineStop()
		r.from = r.to - len(value)
		return
	}
	if r.lines == 2 {
		r.joined = append(r.scratch[:0], r.buf[r.from:r.to]...)
	}
	r.joined = append(append(r.joined, '\n'), value...)
}

// lineStop is where the line taken last ended, without its line end.
func (r *Reader) lineStop() int {
	end := r.pos - 1
	if end > 0 && r.buf[end] == '\n' && r.buf[end-1] == '\r' {
		end--
	}
	return end
}

func (r *Reader) event() Event {
	data := r.joined
	if r.lines == 1 {
		data = r.buf[r.from:r.to]
	} else {
		r.scratch = r.joined
	}
	return Event{Name: r.name, Data: data}
}

func (r *Reader) reset() {
	r.name, r.lines, r.size, r.from, r.to, r.joined = "", 0, 0, 0, 0, nil
}

// end dispatches what a clean end left unfinished.
func (r *Reader) end() (Event, error) {
	if r.err != io.EOF {
		return Event{}, r.err
	}
	if r.pos < len(r.buf) {
		r.buf = append(r.buf, '\n') // the last line lacks its end
		line, _ := r.line()
		if len(line) > 0 && line[0] != ':' {
			r.field(line)
		}
	}
	if r.lines == 0 {
		return Event{}, io.EOF
	}
	return r.event(), nil
}

// fill reads once from the source, making room first.
func (r *Reader) fill() {
	r.compact()
	switch {
	case len(r.buf) == cap(r.buf):
		r.grow(2 * cap(r.buf))
	case r.full && cap(r.buf) < busyBuffer:
		r.grow(busyBuffer)
	}
	n, err := r.src.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf = r.buf[:len(r.buf)+n]
	r.full = len(r.buf) == cap(r.buf)
	r.err = err
}

func (r *Reader) grow(size int) {
	grown := make([]byte, len(r.buf), size)
	copy(grown, r.buf)
	r.buf = grown
}

// compact drops what has been consumed, once there is more of it than room.
func (r *Reader) compact() {
	keep := r.pos
	if r.lines == 1 {
		keep = r.from
	}
	if room := cap(r.buf) - len(r.buf); keep == 0 || keep < len(r.buf) && room >= cap(r.buf)/2 {
		return
	}
	n := copy(r.buf, r.buf[keep:])
	r.buf = r.buf[:n]
	r.pos -= keep
	r.scan -= keep
	r.from -= keep
	r.to -= keep
}

func (r *Reader) intern(name []byte) string {
	if s, ok := r.names[string(name)]; ok {
		return s
	}
	s := string(name)
	if r.names == nil {
		r.names = map[string]string{}
	}
	if len(r.names) < maxNames {
		r.names[s] = s
	}
	return s
}

// AppendEvent appends one event to dst. Data with line breaks becomes several data lines; name may be "".
func AppendEvent(dst []byte, name string, data []byte) []byte {
	if name != "" {
		dst = append(dst, "event: "...)
		dst = append(dst, name...)
		dst = append(dst, '\n')
	}
	for {
		n, width := lineEnd(data)
		dst = append(dst, "data: "...)
		if n < 0 {
			dst = append(dst, data...)
			return append(dst, "\n\n"...)
		}
		dst = append(dst, data[:n]...)
		dst = append(dst, '\n')
		data = data[n+width:]
	}
}
