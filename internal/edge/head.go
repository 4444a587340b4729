package edge

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// maxPlainHeaders is more than any client sends that has nothing special to say.
const maxPlainHeaders = 64

// head is a request as far as its empty line.
type head struct {
	target string
	url    *url.URL
	host   string
	header http.Header
	length int64
	close  bool // the client wants no further answer on this connection
}

var (
	headEnd   = []byte("\r\n\r\n")
	plainPost = []byte("POST /")
)

// parseHead reads what the Front serves: it is strict, and whatever it does not know for sure is left to net/http. b ends
// with the empty line.
func parseHead(b []byte) (h head, ok bool) {
	text := string(b[:len(b)-len(headEnd)])
	line, rest, _ := strings.Cut(text, "\r\n")
	target, ok := strings.CutPrefix(line, "POST ")
	if !ok {
		return h, false
	}
	if h.target, ok = strings.CutSuffix(target, " HTTP/1.1"); !ok || !isTarget(h.target) {
		return h, false
	}
	u, err := url.ParseRequestURI(h.target)
	if err != nil {
		return h, false
	}
	h.url = u
	return h, h.fields(rest) && h.length > 0 && h.host != ""
}

func isTarget(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return strings.HasPrefix(s, "/")
}

func (h *head) fields(text string) bool {
	n := strings.Count(text, "\r\n") + 1
	if n > maxPlainHeaders {
		return false
	}
	values := make([]string, n)
	h.header = make(http.Header, n)
	for i := range n {
		var line string
		line, text, _ = strings.Cut(text, "\r\n")
		name, value, ok := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return false
		}
		name = http.CanonicalHeaderKey(name)
		if !h.special(name, value) {
			return false
		}
		if name == "Host" {
			continue
		}
		if all, again := h.header[name]; again {
			h.header[name] = append(all, value)
			continue
		}
		values[i] = value
		h.header[name] = values[i : i+1 : i+1]
	}
	return true
}

// special looks at the fields that say how to read and answer; false leaves the request to net/http.
func (h *head) special(name, value string) bool {
	switch name {
	case "Host":
		again := h.host != ""
		h.host = value
		return !again && httpguts.ValidHostHeader(value)
	case "Content-Length":
		again := h.length != 0
		h.length = digits(value)
		return !again && h.length > 0
	case "Connection":
		h.close = h.close || strings.EqualFold(value, "close")
		return h.close || strings.EqualFold(value, "keep-alive")
	case "Transfer-Encoding", "Expect", "Upgrade", "Trailer", "Http2-Settings", "Pragma":
		return false
	}
	return true
}

// digits is the number that s is written as; 0 for anything else.
func digits(s string) (n int64) {
	if len(s) == 0 || len(s) > 15 {
		return 0
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		n = 10*n + int64(s[i]-'0')
	}
	return n
}

// headLen is the length of the head that b begins with, 0 if it goes on behind b; over says that b is not the beginning
// of a plain request.
func headLen(b []byte) (n int, over bool) {
	k := min(len(b), len(plainPost))
	if !bytes.Equal(b[:k], plainPost[:k]) {
		return 0, true
	}
	if i := bytes.Index(b, headEnd); i >= 0 {
		return i + len(headEnd), false
	}
	return 0, false
}
