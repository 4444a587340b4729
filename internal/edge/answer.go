package edge

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// answer is the http.ResponseWriter of a Front. What is written is gathered until it is flushed, and leaves in one piece:
// with its length if the handler has declared it or has ended, else in chunks. 1xx answers and trailers are not sent.
type answer struct {
	conn    *frontConn
	body    *frontBody // of the request
	header  http.Header
	status  int
	length  int64 // declared; -1 = not
	written int64
	framed  bool // the head says how the body ends
	chunked bool
	close   bool // the connection ends with this answer
	err     error
	until   time.Time // write deadline as asked for
	buf     *answerBuffer
}

// answerBuffer is what waits to be sent.
type answerBuffer struct{ head, body []byte }

var answerBuffers = sync.Pool{New: func() any {
	return &answerBuffer{head: make([]byte, 0, 4<<10), body: make([]byte, 0, 4<<10)}
}}

func (w *answer) free() {
	b := w.buf
	w.buf, w.err = nil, errEnded
	if cap(b.head) <= mostHeld && cap(b.body) <= mostHeld {
		b.head, b.body = b.head[:0], b.body[:0]
		answerBuffers.Put(b)
	}
}

// errEnded is for handlers that write after their end.
var errEnded = errors.New("edge: the handler has ended")

// Header implements http.ResponseWriter.
func (w *answer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. What is set in the header later is not sent.
func (w *answer) WriteHeader(status int) {
	if w.status != 0 || status < 200 || w.buf == nil {
		return
	}
	w.status = status
	if v := w.header["Content-Length"]; len(v) > 0 && w.hasBody() {
		if n, err := strconv.ParseInt(v[0], 10, 64); err == nil && n >= 0 {
			w.length = n
		}
	}
	b := append(w.buf.head, "HTTP/1.1 "...)
	b = append(strconv.AppendInt(b, int64(status), 10), ' ')
	b = append(append(b, http.StatusText(status)...), "\r\n"...)
	for name, values := range w.header {
		b = w.appendField(b, name, values)
	}
	if len(w.header["Date"]) == 0 {
		b = append(append(append(b, "Date: "...), w.conn.front.dateText(time.Now())...), "\r\n"...)
	}
	w.buf.head = b
}

func (w *answer) appendField(b []byte, name string, values []string) []byte {
	switch name {
	case "Content-Length", "Transfer-Encoding", "Trailer":
		return b // told by frame
	case "Connection":
		w.close = w.close || len(values) > 0 && strings.EqualFold(values[0], "close")
		return b
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return b
	}
	for _, v := range values {
		b = append(append(b, name...), ": "...)
		b = append(append(b, oneLine.Replace(v)...), "\r\n"...)
	}
	return b
}

// oneLine keeps a value from ending its line.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

func (w *answer) hasBody() bool {
	return w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

// Write implements http.ResponseWriter.
func (w *answer) Write(p []byte) (int, error) {
	if w.buf == nil {
		return 0, w.err
	}
	w.WriteHeader(http.StatusOK)
	w.written += int64(len(p))
	switch {
	case !w.hasBody():
		return 0, http.ErrBodyNotAllowed
	case w.length >= 0 && w.written > w.length:
		return 0, http.ErrContentLength
	case len(w.buf.body)+len(p) <= mostHeld:
		w.buf.body = append(w.buf.body, p...)
		return len(p), w.err
	}
	err := w.send(w.buf.body, false)
	w.buf.body = w.buf.body[:0]
	if err == nil {
		err = w.send(p, false)
	}
	return len(p), err
}

// FlushError is for http.ResponseController.
func (w *answer) FlushError() error {
	if w.buf == nil {
		return w.err
	}
	w.WriteHeader(http.StatusOK)
	err := w.send(w.buf.body, false)
	w.buf.body = w.buf.body[:0]
	return err
}

// Flush implements http.Flusher.
func (w *answer) Flush() { _ = w.FlushError() }

// finish sends what is left once the handler has ended. An error means that the connection cannot be used again.
func (w *answer) finish() error {
	w.WriteHeader(http.StatusOK)
	if !w.framed && w.length < 0 && w.hasBody() {
		w.length = w.written
	}
	if w.length >= 0 && w.written != w.length {
		w.close = true
	}
	return w.send(w.buf.body, true)
}

// send puts the head, if it has not gone yet, and p on the wire, and with the last piece the end.
func (w *answer) send(p []byte, last bool) error {
	if w.err != nil {
		return w.err
	}
	out := w.buf.head[:0]
	if !w.framed {
		w.body.skip()
		w.frame(p)
		out = w.buf.head
	}
	if len(p) > 0 && w.chunked {
		out = append(strconv.AppendInt(out, int64(len(p)), 16), "\r\n"...)
	}
	if len(p) > mostHeld { // copying costs more than a further write
		if err := w.put(out); err != nil {
			return err
		}
		out = out[:0]
		if err := w.put(p); err != nil {
			return err
		}
	} else {
		out = append(out, p...)
	}
	if len(p) > 0 && w.chunked {
		out = append(out, "\r\n"...)
	}
	if last && w.chunked {
		out = append(out, "0\r\n\r\n"...)
	}
	w.buf.head = out[:0]
	return w.put(out)
}

// frame ends the head: from here on the length of the answer is known, or will be told by chunks.
func (w *answer) frame(p []byte) {
	w.framed = true
	w.sniff(p)
	b := w.buf.head
	switch {
	case !w.hasBody():
	case w.length >= 0:
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), w.length, 10), "\r\n"...)
	default:
		w.chunked = true
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	if w.body.left > 0 || w.conn.isDraining() {
		w.close = true
	}
	if w.close {
		b = append(b, "Connection: close\r\n"...)
	}
	w.buf.head = append(b, "\r\n"...)
}

// sniff names the type of a body whose handler did not.
func (w *answer) sniff(p []byte) {
	_, typed := w.header["Content-Type"]
	if !typed && len(p) > 0 && w.header.Get("Content-Encoding") == "" {
		w.header.Set("Content-Type", http.DetectContentType(p))
		w.buf.head = append(append(append(w.buf.head, "Content-Type: "...), w.header.Get("Content-Type")...), "\r\n"...)
	}
}

func (w *answer) put(p []byte) error {
	if len(p) == 0 || w.err != nil {
		return w.err
	}
	if w.until.IsZero() && !w.conn.writeUntil.IsZero() && time.Until(w.conn.writeUntil) < slack { // one of an earlier answer
		_ = w.deadline(time.Time{})
	}
	_, w.err = w.conn.conn.Write(p)
	return w.err
}

// SetWriteDeadline is for http.ResponseController. One that differs little from that of the connection is not set, and
// none is taken back before the next write.
func (w *answer) SetWriteDeadline(t time.Time) error {
	w.until = t
	early := t.Sub(w.conn.writeUntil)
	if t.IsZero() || 0 <= early && early < slack {
		return nil
	}
	return w.deadline(t)
}

func (w *answer) deadline(t time.Time) error {
	w.conn.writeUntil = t
	return w.conn.conn.SetWriteDeadline(t)
}

// SetReadDeadline is for http.ResponseController. Bytes that are here need none.
func (w *answer) SetReadDeadline(t time.Time) error {
	if w.body.left == 0 || w.body.left <= int64(w.conn.in.Buffered()) {
		return nil
	}
	w.conn.until = time.Time{}
	return w.conn.conn.SetReadDeadline(t)
}
