package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counting is a server that knows how many connections it was sent.
func counting(t *testing.T, secure bool, h http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var opened atomic.Int64
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		if st == http.StateNew {
			opened.Add(1)
		}
	}
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s, &opened
}

func client(t *testing.T) *http.Client {
	t.Helper()
	t.Setenv("NO_PROXY", "*")
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func post(ctx context.Context, c *http.Client, url, body string) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	res, err := c.Transport.RoundTrip(r)
	if err != nil {
		return nil, "", err
	}
	b, err := io.ReadAll(res.Body)
	return res, string(b), errors.Join(err, res.Body.Close())
}

func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, b)
}

func TestDirectReusesConnections(t *testing.T) {
	s, opened := counting(t, false, echo)
	c := client(t)
	for i := range 20 {
		_, got, err := post(t.Context(), c, s.URL+"/v1", fmt.Sprint("body ", i))
		if want := fmt.Sprint("POST /v1 body ", i); err != nil || got != want {
			t.Fatalf("%q, %v; want %q", got, err, want)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for calls one after another, want 1", n)
	}
}

func TestDirectManyAtOnce(t *testing.T) {
	s, opened := counting(t, false, echo)
	c := client(t)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for j := range 20 {
				body := strings.Repeat(fmt.Sprint(i, "-", j, " "), 1000)
				if _, got, err := post(t.Context(), c, s.URL+"/", body); err != nil || got != "POST / "+body {
					t.Errorf("call %d/%d: %d bytes, %v", i, j, len(got), err)
				}
			}
		})
	}
	wg.Wait()
	if n := opened.Load(); n > 32 {
		t.Errorf("%d connections for 32 callers", n)
	}
}

func TestDirectLearnsTheVersionOfTLSHosts(t *testing.T) {
	s, opened := counting(t, true, echo)
	c := client(t)
	d := c.Transport.(*direct)
	d.TLSClientConfig.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for range 5 {
		if _, got, err := post(t.Context(), c, s.URL+"/", "x"); err != nil || got != "POST / x" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if n := opened.Load(); n != 2 { // one of the general transport, one kept by the direct way
		t.Errorf("%d connections, want 2", n)
	}
	h2 := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	h2.EnableHTTP2 = true
	h2.TLS = &tls.Config{}
	h2.StartTLS()
	defer h2.Close()
	d.TLSClientConfig.RootCAs.AddCert(h2.Certificate())
	for range 3 {
		if _, got, err := post(t.Context(), c, h2.URL+"/", "x"); err != nil || got != "HTTP/2.0" {
			t.Errorf("%q, %v; want HTTP/2.0", got, err)
		}
	}
}

func TestDirectNoticesClosedConnections(t *testing.T) {
	s, opened := counting(t, false, echo)
	c := client(t)
	for range 3 {
		if _, _, err := post(t.Context(), c, s.URL+"/", "x"); err != nil {
			t.Fatal(err)
		}
		s.CloseClientConnections()
	}
	if n := opened.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

func TestDirectEndsWithItsContext(t *testing.T) {
	reached, release := make(chan struct{}, 1), make(chan struct{})
	s, _ := counting(t, false, func(w http.ResponseWriter, r *http.Request) {
		reached <- struct{}{}
		if r.URL.Path == "/stream" {
			io.WriteString(w, "first")
			w.(http.Flusher).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	defer close(release)
	c := client(t)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-reached; cancel(cause) }()
	if _, _, err := post(ctx, c, s.URL+"/", "x"); !errors.Is(err, cause) {
		t.Errorf("waiting for an answer: %v, want the cause", err)
	}
	ctx, cancel = context.WithCancelCause(t.Context())
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/stream", strings.NewReader("x"))
	res, err := c.Transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	<-reached
	cancel(cause)
	if _, err := res.Body.Read(make([]byte, 5)); !errors.Is(err, cause) {
		t.Errorf("in mid-stream: %v, want the cause", err)
	}
}

// script answers each connection with fixed bytes after it has read a request.
func script(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, answer)
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestDirectOddAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		answer, body, fails string
	}{
		"close delimited":    {"HTTP/1.1 200 OK\r\n\r\nhello", "hello", ""},
		"hints before":       {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", ""},
		"chunks and trailer": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n", "ok", ""},
		"cut in the body":    {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "half", "unexpected EOF"},
		"no answer":          {"", "", "without an answer"},
		"garbage":            {"\x00\x01\x02 nonsense\r\n\r\n", "", "malformed"},
		"endless header":     {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", maxHeader+bufferSize) + "\r\n\r\n", "", "header"},
		"upgrade":            {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "", "switch protocols"},
	} {
		t.Run(name, func(t *testing.T) {
			_, got, err := post(t.Context(), client(t), script(t, tc.answer), "x")
			if got != tc.body {
				t.Errorf("body %q, want %q", got, tc.body)
			}
			if (err == nil) != (tc.fails == "") || err != nil && !strings.Contains(err.Error(), tc.fails) {
				t.Errorf("error %v, want %q", err, tc.fails)
			}
		})
	}
}

// An upstream that refuses a body before having read it all is heard, although writing to it fails.
func TestDirectHearsEarlyRefusals(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Read(make([]byte, 1024))
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	}()
	res, got, err := post(t.Context(), client(t), "http://"+l.Addr().String(), string(bytes.Repeat([]byte("x"), 4<<20)))
	if err != nil || res.StatusCode != 413 || got != "big" {
		t.Errorf("%v %q %v, want 413", res, got, err)
	}
}

func TestDirectGivesUpIdleConnections(t *testing.T) {
	s, opened := counting(t, false, echo)
	c := client(t)
	c.Transport.(*direct).idle.keep = time.Millisecond
	for range 2 {
		if _, _, err := post(t.Context(), c, s.URL+"/", "x"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // longer than a connection is kept
	}
	if n := opened.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}
