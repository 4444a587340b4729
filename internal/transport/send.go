package transport

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// defaultAgent is what net/http calls itself.
const defaultAgent = "Go-http-client/1.1"

// send writes a request whose body has a declared length. What is unusual about it is left to net/http, whose way sorts the
// header and formats it by reflection.
func (c *conn) send(r *http.Request) error {
	if !plain(r) {
		if err := r.Write(c.out); err != nil {
			return err
		}
		return c.out.Flush()
	}
	defer closeBody(r)
	if _, err := c.out.Write(appendHead(c.out.AvailableBuffer(), r)); err != nil {
		return err
	}
	if n, err := io.CopyN(c.out, r.Body, r.ContentLength); err != nil {
		if err == io.EOF {
			err = fmt.Errorf("the request body has %d bytes instead of %d: %w", n, r.ContentLength, io.ErrUnexpectedEOF)
		}
		return err
	}
	return c.out.Flush()
}

// plain reports that a request says nothing about its framing, and that its address and host stand for themselves.
func plain(r *http.Request) bool {
	if r.Close || len(r.TransferEncoding) > 0 || r.Trailer != nil || r.URL.Opaque != "" {
		return false
	}
	for name, values := range r.Header {
		if !plainField(name, values) {
			return false
		}
	}
	host := hostOf(r)
	return host != "" && ascii(host) && !strings.ContainsAny(host, "%/ ") && httpguts.ValidHostHeader(host)
}

func plainField(name string, values []string) bool {
	switch name {
	case "Transfer-Encoding", "Trailer", "Connection", "Host", "Content-Length":
		return false
	case "User-Agent":
		if len(values) != 1 || values[0] == "" {
			return false
		}
	}
	for _, v := range values {
		if !httpguts.ValidHeaderFieldValue(v) {
			return false
		}
	}
	return httpguts.ValidHeaderFieldName(name)
}

func hostOf(r *http.Request) string {
	if r.Host != "" {
		return r.Host
	}
	return r.URL.Host
}

func appendHead(b []byte, r *http.Request) []byte {
	b = append(append(append(b, r.Method...), ' '), r.URL.RequestURI()...)
	b = append(append(append(b, " HTTP/1.1\r\nHost: "...), hostOf(r)...), "\r\n"...)
	if _, ok := r.Header["User-Agent"]; !ok {
		b = append(b, "User-Agent: "+defaultAgent+"\r\n"...)
	}
	b = append(strconv.AppendInt(append(b, "Content-Length: "...), r.ContentLength, 10), "\r\n"...)
	for name, values := range r.Header {
		for _, v := range values {
			b = append(append(append(b, name...), ": "...), strings.TrimSpace(v)...)
			b = append(b, "\r\n"...)
		}
	}
	return append(b, "\r\n"...)
}
