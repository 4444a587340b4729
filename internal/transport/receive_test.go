package transport

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

var answers = []string{
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\nx-a: 1\r\nX-A:\t2 \r\n\r\n{}rest",
	"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
	"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n X: folded\r\n\r\nx",
	"HTTP/1.1 200 OK\r\nContent-Length:1\r\r\n\r\nx", "HTTP/1.1 +20 OK\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\n", "",
	"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx",
}

func TestReceiveTakesPlainAnswers(t *testing.T) {
	for i, want := range []bool{true, true, true, false} {
		head, _, _ := strings.Cut(answers[i], "\r\n\r\n")
		if got := plainResponse(head) != nil; got != want {
			t.Errorf("%q is plain: %v", head, got)
		}
	}
}

// told is what a reader makes of an answer: head, body, and what is left for the next one.
func told(in *bufio.Reader, read func(*bufio.Reader, *http.Request) (*http.Response, error)) string {
	res, err := read(in, nil)
	if err != nil {
		return "no answer"
	}
	b, err := io.ReadAll(res.Body)
	rest, _ := io.ReadAll(in)
	return fmt.Sprint(res.Status, res.StatusCode, res.Proto, res.ProtoMinor, res.Header, res.ContentLength, res.TransferEncoding, res.Close, res.Uncompressed, " ", string(b), err, string(rest))
}

// Every answer is read as net/http reads it.
func FuzzReceive(f *testing.F) {
	for _, a := range answers {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, a string) {
		got, want := told(bufio.NewReader(strings.NewReader(a)), receive), told(bufio.NewReader(strings.NewReader(a)), http.ReadResponse)
		if got != want {
			t.Errorf("%q:\n%s\n%s", a, got, want)
		}
	})
}
