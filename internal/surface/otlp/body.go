package otlp

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"weir/internal/edge"
	"weir/internal/fault"
)

// inflater reads request bodies, decompressed, with two bounds: on each, and on all that are being handled. Bodies of a
// few kilobytes may stand for gigabytes, so nothing is trusted but what has been counted.
type inflater struct {
	limit, all int64
	rooms      rooms // of bodies that are read as they are
	used       atomic.Int64
	gzips      sync.Pool
	zstds      sync.Pool
}

func newInflater(limit, all int64) *inflater { return &inflater{limit: limit, all: all} }

// errBomb is a body that is larger than the limit.
func (f *inflater) errBomb() error {
	return fault.New(fault.TooLarge, "the request is larger than %d bytes when decompressed; send smaller batches", f.limit)
}

// read returns the body of a request; release gives its share of the bound back, and its memory to another request if
// lent allows that.
func (f *inflater) read(r *http.Request, lent bool) (body []byte, release func(), err error) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	if encoding == "" || encoding == "identity" {
		return f.plain(r, lent)
	}
	compressed, err := edge.ReadBody(r, f.limit)
	if err != nil {
		return nil, nil, err
	}
	return f.decompress(encoding, compressed)
}

// plain books a body by the length it announces before a byte of it is held. One for which there is no room is read to
// its end all the same, or a client that is still sending would not see the answer.
func (f *inflater) plain(r *http.Request, lent bool) (body []byte, release func(), err error) {
	n := r.ContentLength
	if n <= 0 || n > f.limit {
		if body, err = edge.ReadBody(r, f.limit); err != nil {
			return nil, nil, err
		}
		return f.counted(body)
	}
	release = func() { f.used.Add(-n) }
	if f.used.Add(n) > f.all {
		release()
		_, _ = io.Copy(io.Discard, r.Body) // the refusal stands whatever becomes of it
		return nil, nil, errCrowded
	}
	if !lent {
		body, err = edge.ReadBody(r, f.limit)
	} else {
		room := f.rooms.get(int(n) + 1) // one more, so that the end is seen without growing
		release = func() { f.used.Add(-n); f.rooms.put(room) }
		body, err = edge.ReadInto(room[:0], r, f.limit)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return body, release, nil
}

// counted books a body that is there already.
func (f *inflater) counted(body []byte) ([]byte, func(), error) {
	n := int64(len(body))
	if f.used.Add(n) > f.all {
		f.used.Add(-n)
		return nil, nil, errCrowded
	}
	return body, func() { f.used.Add(-n) }, nil
}

var errCrowded = &fault.Error{Kind: fault.RateLimited, Msg: "too many requests are being read; try again shortly", RetryAfter: time.Second}

func (f *inflater) decompress(encoding string, compressed []byte) ([]byte, func(), error) {
	guess := told(encoding, compressed)
	if guess > f.limit {
		return nil, nil, f.errBomb()
	}
	src, done, err := f.open(encoding, compressed)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	return f.grow(src, guess+1) // one more, so that the end is seen without growing
}

// told is the size that a compressed body says it has, as far as it can be believed: compression has its limits.
func told(encoding string, compressed []byte) (size int64) {
	n := int64(len(compressed))
	switch encoding {
	case "gzip", "x-gzip":
		if n > 18 {
			size = int64(binary.LittleEndian.Uint32(compressed[n-4:]))
		}
	case "zstd":
		var h zstd.Header
		if h.Decode(compressed) == nil && h.HasFCS && h.FrameContentSize < 1<<40 {
			size = int64(h.FrameContentSize)
		}
	}
	if size == 0 || size > 1100*n {
		size = 4 * n
	}
	return size
}

// open starts a decoder; done puts it back.
func (f *inflater) open(encoding string, compressed []byte) (src io.Reader, done func(), err error) {
	in := bytes.NewReader(compressed)
	switch encoding {
	case "gzip", "x-gzip":
		z, _ := f.gzips.Get().(*gzip.Reader)
		if z == nil {
			z = new(gzip.Reader)
		}
		src, done, err = z, func() { f.gzips.Put(z) }, z.Reset(in)
	case "zstd":
		z, _ := f.zstds.Get().(*zstd.Decoder)
		if z == nil {
			z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderLowmem(true))
			if err != nil {
				return nil, nil, fault.Wrap(fault.Internal, err, "zstd cannot be read")
			}
		}
		src, done, err = z, func() { _ = z.Reset(nil); f.zstds.Put(z) }, z.Reset(in)
	case "deflate": // zlib by the standard, bare by habit
		done = func() {}
		if src, err = zlib.NewReader(in); err != nil {
			src, err = flate.NewReader(bytes.NewReader(compressed)), nil
		}
	default:
		return nil, nil, fault.New(fault.Invalid, "the content encoding is none of gzip, zstd, deflate and identity")
	}
	if err != nil {
		return nil, nil, damaged(err)
	}
	return src, done, nil
}

func damaged(err error) error {
	return fault.Wrap(fault.Invalid, err, "the request body cannot be decompressed")
}

// grow reads all of src, counting before each step.
func (f *inflater) grow(src io.Reader, guess int64) (body []byte, release func(), err error) {
	var held int64
	defer func() {
		if err != nil {
			f.used.Add(-held)
		}
	}()
	reserve := func(n int64) error {
		held += n
		if f.used.Add(n) > f.all {
			return errCrowded
		}
		return nil
	}
	size := min(max(guess, 16<<10), f.limit+1)
	if err := reserve(size); err != nil {
		return nil, nil, err
	}
	body = make([]byte, 0, size)
	for {
		if len(body) == cap(body) {
			if int64(len(body)) > f.limit {
				return nil, nil, f.errBomb()
			}
			step := min(int64(cap(body)), f.limit+1)
			if err := reserve(step); err != nil {
				return nil, nil, err
			}
			body = append(make([]byte, 0, int64(cap(body))+step), body...)
		}
		n, err := src.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if int64(len(body)) > f.limit {
			return nil, nil, f.errBomb()
		}
		switch {
		case err == io.EOF:
			return body, func() { f.used.Add(-held) }, nil
		case err != nil:
			return nil, nil, damaged(err)
		}
	}
}
