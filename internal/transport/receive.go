package transport

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// maxPlainFields is more than an answer with nothing special to say has.
const maxPlainFields = 64

var headEnd = []byte("\r\n\r\n")

// receive reads the head of an answer: itself where that has arrived whole and declares a length, which it finds without
// taking a line at a time; any other is net/http's, from its first byte.
func receive(in *bufio.Reader, r *http.Request) (*http.Response, error) {
	if _, err := in.Peek(1); err == nil {
		b, _ := in.Peek(in.Buffered())
		if n := bytes.Index(b, headEnd); n > 0 {
			if res := plainResponse(string(b[:n])); res != nil {
				_, _ = in.Discard(n + len(headEnd))
				res.Request, res.Body = r, &plainBody{in: in, left: res.ContentLength}
				return res, nil
			}
		}
	}
	return http.ReadResponse(in, r)
}

// plainResponse is nil for a head that is not known to be plain. Its strings share memory with head.
func plainResponse(head string) *http.Response {
	line, fields, _ := strings.Cut(head, "\r\n")
	status, ok := strings.CutPrefix(line, "HTTP/1.1 ")
	if !ok || len(status) < 5 || status[3] != ' ' || !httpguts.ValidHeaderFieldValue(status) {
		return nil
	}
	code, err := strconv.ParseUint(status[:3], 10, 16)
	if err != nil || code < 200 || code == http.StatusNoContent || code == http.StatusNotModified {
		return nil
	}
	res := &http.Response{Status: status, StatusCode: int(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if !plainFields(res, fields) || res.ContentLength <= 0 {
		return nil
	}
	return res
}

func plainFields(res *http.Response, text string) bool {
	n := strings.Count(text, "\r\n") + 1
	if n > maxPlainFields {
		return false
	}
	values := make([]string, n)
	res.Header = make(http.Header, n)
	for i := range n {
		var line string
		line, text, _ = strings.Cut(text, "\r\n")
		name, value, ok := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return false
		}
		name = http.CanonicalHeaderKey(name)
		switch name {
		case "Transfer-Encoding", "Connection", "Trailer", "Upgrade", "Pragma":
			return false
		case "Content-Length":
			length, err := strconv.ParseUint(value, 10, 40)
			if err != nil || res.ContentLength != 0 {
				return false
			}
			res.ContentLength = int64(length)
		}
		if all, again := res.Header[name]; again {
			res.Header[name] = append(all, value)
			continue
		}
		values[i] = value
		res.Header[name] = values[i : i+1 : i+1]
	}
	return true
}

// plainBody is a body of known length. The end comes with the last bytes.
type plainBody struct {
	in   *bufio.Reader
	left int64
}

// Read implements io.Reader.
func (b *plainBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	switch {
	case b.left == 0:
		return n, io.EOF
	case err == io.EOF:
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

// Close implements io.Closer; whoever has the connection ends it.
func (b *plainBody) Close() error { return nil }
