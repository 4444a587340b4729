package bedrock

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// ContentTypeStream is the content type of both kinds of streams.
const ContentTypeStream = "application/vnd.amazon.eventstream"

// Frame is one message of an AWS event stream, its headers reduced to those that matter here.
type Frame struct {
	Event     string // :event-type; "" for exceptions
	Exception string // :exception-type, or :error-code; "" for events
	Message   string // :error-message, which comes instead of a payload with :message-type error
	Payload   []byte
}

// Errors of a FrameReader. ErrTooLong and ErrFrame mean that nothing after this point can be trusted.
var (
	ErrTooLong = errors.New("event stream frame exceeds the limit")
	ErrFrame   = errors.New("event stream frame is corrupt")
)

const (
	preludeLen = 12 // total length, headers length, CRC of both
	minFrame   = preludeLen + 4
	// MaxFrame bounds a frame by default; AWS itself stops at 16 MiB of payload.
	MaxFrame = 16 << 20
	growStep = 64 << 10
)

// FrameReader reads an AWS event stream. It is not safe for concurrent use. It decodes by itself, since the SDK's
// decoder allocates some forty times a frame; tests hold it to the SDK's.
// https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
type FrameReader struct {
	r   *bufio.Reader
	max int
	buf []byte // the frame, reused
}

// NewFrameReader reads frames of up to max bytes from r; 0 means MaxFrame.
func NewFrameReader(r io.Reader, max int) *FrameReader {
	if max <= 0 {
		max = MaxFrame
	}
	return &FrameReader{r: bufio.NewReaderSize(r, 16<<10), max: max}
}

// Next returns the next frame; its Payload is valid until the following call. io.EOF is returned only between frames,
// io.ErrUnexpectedEOF within one.
func (f *FrameReader) Next() (Frame, error) {
	total, err := f.prelude()
	if err != nil {
		return Frame{}, err
	}
	if err := f.fill(total); err != nil {
		return Frame{}, err
	}
	end := total - 4
	if crc32.ChecksumIEEE(f.buf[:end]) != binary.BigEndian.Uint32(f.buf[end:]) {
		return Frame{}, fmt.Errorf("%w: checksum", ErrFrame)
	}
	headers := preludeLen + int(binary.BigEndian.Uint32(f.buf[4:]))
	return decodeFrame(f.buf[preludeLen:headers], f.buf[headers:end])
}

// prelude checks the length before anything of that size is allocated.
func (f *FrameReader) prelude() (int, error) {
	head, err := f.r.Peek(preludeLen)
	if err != nil {
		if errors.Is(err, io.EOF) && len(head) > 0 {
			return 0, io.ErrUnexpectedEOF
		}
		return 0, err
	}
	if crc32.ChecksumIEEE(head[:8]) != binary.BigEndian.Uint32(head[8:]) {
		return 0, fmt.Errorf("%w: prelude checksum", ErrFrame)
	}
	total, headers := binary.BigEndian.Uint32(head), binary.BigEndian.Uint32(head[4:])
	switch {
	case uint64(total) > uint64(f.max):
		return 0, ErrTooLong
	case total < minFrame || headers > total-minFrame:
		return 0, fmt.Errorf("%w: lengths", ErrFrame)
	}
	return int(total), nil
}

// fill reads a frame of n bytes into buf in steps, so that a claimed length costs memory only as it arrives.
func (f *FrameReader) fill(n int) error {
	f.buf = f.buf[:0]
	for len(f.buf) < n {
		at := len(f.buf)
		f.buf = slices.Grow(f.buf, min(n-at, growStep))[:at+min(n-at, growStep)]
		if _, err := io.ReadFull(f.r, f.buf[at:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// Buffered reports whether a whole frame waits in memory.
func (f *FrameReader) Buffered() bool {
	if f.r.Buffered() < preludeLen {
		return false
	}
	head, err := f.r.Peek(4)
	return err == nil && uint64(f.r.Buffered()) >= uint64(binary.BigEndian.Uint32(head))
}

// headerSizes are the sizes of header values by type; the types missing here carry a two-byte length before them.
var headerSizes = map[byte]int{0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}

const (
	typeBytes  = 6
	typeString = 7
)

// decodeFrame reads the headers that matter here and skips the others.
func decodeFrame(headers, payload []byte) (Frame, error) {
	var kind, event, exception, code, message []byte
	for len(headers) > 0 {
		name, value, rest, ok := nextHeader(headers)
		if !ok {
			return Frame{}, fmt.Errorf("%w: headers", ErrFrame)
		}
		headers = rest
		switch string(name) {
		case messageType:
			kind = value
		case ":event-type":
			event = value
		case ":exception-type":
			exception = value
		case ":error-code":
			code = value
		case ":error-message":
			message = value
		}
	}
	f := Frame{Payload: payload}
	switch string(kind) {
	case "exception":
		f.Exception = orUnknown(string(exception))
	case "error":
		f.Exception, f.Message = orUnknown(string(code)), string(message)
	default:
		f.Event = eventName(event)
	}
	return f, nil
}

// nextHeader takes one header off b. The value of one that is no string is nil.
func nextHeader(b []byte) (name, value, rest []byte, ok bool) {
	n := int(b[0])
	if n == 0 || len(b) < n+2 {
		return nil, nil, nil, false
	}
	name, kind, b := b[1:n+1], b[n+1], b[n+2:]
	size, fixed := headerSizes[kind]
	if !fixed {
		if kind != typeString && kind != typeBytes || len(b) < 2 {
			return nil, nil, nil, false
		}
		size, b = int(binary.BigEndian.Uint16(b)), b[2:]
	}
	if len(b) < size {
		return nil, nil, nil, false
	}
	if kind == typeString {
		value = b[:size]
	}
	return name, value, b[size:], true
}

// eventName is b as a string, without allocating for the events there are.
func eventName(b []byte) string {
	switch string(b) {
	case EventContentBlockDelta:
		return EventContentBlockDelta
	case EventChunk:
		return EventChunk
	case EventContentBlockStart:
		return EventContentBlockStart
	case EventContentBlockStop:
		return EventContentBlockStop
	}
	return string(b)
}

const messageType = ":message-type"

func orUnknown(s string) string {
	if s == "" {
		return "UnknownException"
	}
	return s
}

// AppendEvent appends an event frame with a JSON payload to dst.
func AppendEvent(dst []byte, event string, payload []byte) []byte {
	return appendFrame(dst, "event", ":event-type", event, payload)
}

// AppendException appends an exception frame to dst. The name is camelCase, e.g. "throttlingException".
func AppendException(dst []byte, name string, payload []byte) []byte {
	return appendFrame(dst, "exception", ":exception-type", name, payload)
}

func appendFrame(dst []byte, kind, typeHeader, name string, payload []byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, preludeLen)...)
	dst = appendHeader(dst, typeHeader, name)
	dst = appendHeader(dst, ":content-type", "application/json")
	dst = appendHeader(dst, messageType, kind)
	headers := len(dst) - start - preludeLen
	dst = append(dst, payload...)
	frame := dst[start:]
	binary.BigEndian.PutUint32(frame, uint32(len(frame)+4))
	binary.BigEndian.PutUint32(frame[4:], uint32(headers))
	binary.BigEndian.PutUint32(frame[8:], crc32.ChecksumIEEE(frame[:8]))
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(frame))
}

// appendHeader appends a string header (value type 7).
func appendHeader(dst []byte, name, value string) []byte {
	dst = append(dst, byte(len(name)))
	dst = append(dst, name...)
	dst = append(dst, 7)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(value)))
	return append(dst, value...)
}
