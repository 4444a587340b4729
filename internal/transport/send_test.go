package transport

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// A server reads the same whether a request was written here or by net/http.
func TestSendAsNetHTTP(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"plain": func(*http.Request) {},
		"header": func(r *http.Request) {
			r.Header["X-A"] = []string{"1", " 2 "}
			r.Header.Set("Authorization", "Bearer x")
		},
		"an agent":       func(r *http.Request) { r.Header.Set("User-Agent", "a/1") },
		"no agent":       func(r *http.Request) { r.Header.Set("User-Agent", "") },
		"host":           func(r *http.Request) { r.Host = "other.example.com:81" },
		"a zone":         func(r *http.Request) { r.URL.Host = "[fe80::1%25eth0]:80"; r.Host = "" },
		"close":          func(r *http.Request) { r.Close = true },
		"two lines":      func(r *http.Request) { r.Header.Set("X-A", "1\r\nX-B: 2") },
		"no name":        func(r *http.Request) { r.Header["X A"] = []string{"1"} },
		"a host again":   func(r *http.Request) { r.Header.Set("Host", "x") },
		"another length": func(r *http.Request) { r.Header.Set("Content-Length", "9") },
	} {
		make := func() *http.Request {
			r, err := http.NewRequest(http.MethodPost, "http://api.example.com/v1/a%2fb?x=y", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			change(r)
			return r
		}
		var want, got bytes.Buffer
		if err := make().Write(&want); err != nil {
			t.Fatal(err)
		}
		c := &conn{out: bufio.NewWriter(&got)}
		if err := c.send(make()); err != nil {
			t.Fatal(err)
		}
		if w, g := read(t, &want), read(t, &got); !reflect.DeepEqual(w, g) {
			t.Errorf("%s:\n%v\n%v", name, w, g)
		}
	}
}

func read(t *testing.T, b *bytes.Buffer) []any {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return []any{r.Method, r.RequestURI, r.Host, r.Header, r.ContentLength, r.Close, string(body)}
}

func TestSendWantsTheWholeBody(t *testing.T) {
	r, err := http.NewRequest(http.MethodPost, "http://x", strings.NewReader("abc"))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 5
	c := &conn{out: bufio.NewWriter(io.Discard)}
	if err := c.send(r); err == nil {
		t.Error("two bytes are missing")
	}
}
