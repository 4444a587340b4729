package bedrock

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
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

// FrameReader reads an AWS event stream. It is not safe for concurrent use.
type FrameReader struct {
	r   *bufio.Reader
	max int
	buf []byte
	dec *eventstream.Decoder
}

// NewFrameReader reads frames of up to max bytes from r; 0 means MaxFrame.
func NewFrameReader(r io.Reader, max int) *FrameReader {
	if max <= 0 {
		max = MaxFrame
	}
	return &FrameReader{r: bufio.NewReaderSize(r, 16<<10), max: max, dec: eventstream.NewDecoder()}
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
	msg, err := f.dec.Decode(bytes.NewReader(f.buf), nil)
	if err != nil {
		return Frame{}, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	return frameOf(msg), nil
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

func frameOf(m eventstream.Message) Frame {
	get := func(name string) string {
		if v := m.Headers.Get(name); v != nil {
			return v.String()
		}
		return ""
	}
	f := Frame{Payload: m.Payload}
	switch get(eventstreamMessageType) {
	case "exception":
		f.Exception = orUnknown(get(":exception-type"))
	case "error":
		f.Exception, f.Message = orUnknown(get(":error-code")), get(":error-message")
	default:
		f.Event = get(":event-type")
	}
	return f
}

const eventstreamMessageType = ":message-type"

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
	dst = appendHeader(dst, eventstreamMessageType, kind)
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
