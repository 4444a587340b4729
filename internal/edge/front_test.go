package edge

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// fronted is a server behind a Front, and the Front.
func fronted(t *testing.T, head time.Duration, h http.HandlerFunc) (*Front, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := NewFront(h, head, time.Minute, slog.New(slog.DiscardHandler))
	s := &http.Server{Handler: h, ConnContext: ConnContext}
	served := make(chan error, 1)
	go func() { served <- s.Serve(f.Listener(l)) }()
	t.Cleanup(func() {
		f.Drain()
		_ = s.Close()
		f.Close()
		if err := f.Wait(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return f, l.Addr().String()
}

// byNet tells who serves a request.
func byNet(r *http.Request) bool { return r.Context().Value(http.ServerContextKey) != nil }

func echo(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s %s %s net=%v", r.Method, r.URL.Path, b, byNet(r))
}

func dial(t *testing.T, addr string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, bufio.NewReader(c)
}

func answerOf(t *testing.T, in *bufio.Reader) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func postOf(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

func TestFrontServesPostsAndHandsOver(t *testing.T) {
	_, addr := fronted(t, time.Minute, echo)
	const get = "GET /b HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, c := range map[string]struct {
		send string
		want []string
	}{
		"posts":          {postOf("/a", "1") + postOf("/a", "22"), []string{"POST /a 1 net=false", "POST /a 22 net=false"}},
		"a get":          {get, []string{"GET /b  net=true"}},
		"a get between":  {postOf("/a", "1") + get + postOf("/a", "2"), []string{"POST /a 1 net=false", "GET /b  net=true", "POST /a 2 net=true"}},
		"a long head":    {strings.Replace(postOf("/a", "1"), "\r\n\r\n", "\r\nX-A: "+strings.Repeat("a", frontBuffer)+"\r\n\r\n", 1), []string{"POST /a 1 net=true"}},
		"chunks":         {"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", []string{"POST /c ab net=true"}},
		"an empty body":  {postOf("/a", ""), []string{"POST /a  net=true"}},
		"a long body":    {postOf("/a", strings.Repeat("b", 3*frontBuffer)), []string{"POST /a " + strings.Repeat("b", 3*frontBuffer) + " net=false"}},
		"two lengths":    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", []string{"400 Bad Request"}},
		"a folded line":  {"POST / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n 2\r\nContent-Length: 1\r\n\r\na", []string{"POST / a net=true"}},
		"no host":        {"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\na", []string{"400 Bad Request: missing required Host header"}},
		"not a protocol": {"POST / HTTP/9.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", []string{"505 HTTP Version Not Supported: unsupported protocol version"}},
	} {
		t.Run(name, func(t *testing.T) {
			conn, in := dial(t, addr)
			if _, err := io.WriteString(conn, c.send); err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if _, got := answerOf(t, in); got != want {
					t.Errorf("got %.100q, want %.100q", got, want)
				}
			}
		})
	}
}

// A head that trickles in is read all the same.
func TestFrontReadsInPieces(t *testing.T) {
	_, addr := fronted(t, time.Minute, echo)
	conn, in := dial(t, addr)
	for _, text := range []string{postOf("/a", "12345"), postOf("/b", "67890")} {
		for i := range len(text) {
			if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if _, got := answerOf(t, in); !strings.HasSuffix(got, "net=false") {
			t.Error(got)
		}
	}
}

func TestFrontAnswers(t *testing.T) {
	long := strings.Repeat("0123456789", 20_000)
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		want   string
		check  func(*http.Response) bool
	}{
		"short":      {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }, "ok", func(r *http.Response) bool { return r.ContentLength == 2 && r.Header.Get("Date") != "" }},
		"sniffed":    {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, "<html>", func(r *http.Response) bool { return r.Header.Get("Content-Type") == "text/html; charset=utf-8" }},
		"empty":      {func(w http.ResponseWriter, _ *http.Request) {}, "", func(r *http.Response) bool { return r.ContentLength == 0 && r.StatusCode == 200 }},
		"no content": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "", func(r *http.Response) bool { return r.StatusCode == 204 }},
		"declared": {func(w http.ResponseWriter, _ *http.Request) { _ = SendJSON(w, 201, []byte(long)) }, long, func(r *http.Response) bool {
			return r.ContentLength == int64(len(long)) && r.StatusCode == 201 && r.Header.Get("Content-Type") == "application/json"
		}},
		"in pieces": {func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				_ = Send(w, []byte("abc"))
			}
		}, "abcabcabc", func(r *http.Response) bool { return r.TransferEncoding[0] == "chunked" }},
		"long in pieces": {func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(long); i += 1000 {
				_, _ = io.WriteString(w, long[i:i+1000])
			}
		}, long, func(r *http.Response) bool { return r.TransferEncoding[0] == "chunked" }},
		"a value of two lines": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-A", "a\r\nX-B: b") }, "", func(r *http.Response) bool { return r.Header.Get("X-A") == "a  X-B: b" }},
	} {
		t.Run(name, func(t *testing.T) {
			_, addr := fronted(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				c.handle(w, r)
			})
			conn, in := dial(t, addr)
			for range 2 { // the connection serves another request
				if _, err := io.WriteString(conn, postOf("/", "x")); err != nil {
					t.Fatal(err)
				}
				res, got := answerOf(t, in)
				if got != c.want || !c.check(res) || res.Close {
					t.Errorf("%.100q, %+v", got, res)
				}
			}
		})
	}
}

func TestFrontFlushes(t *testing.T) {
	next := make(chan struct{})
	_, addr := fronted(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) {
		_ = Send(w, []byte("first"))
		<-next
		_, _ = io.WriteString(w, " second")
	})
	conn, in := dial(t, addr)
	_, _ = io.WriteString(conn, postOf("/", "x"))
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, b); err != nil || string(b) != "first" {
		t.Fatalf("%q, %v", b, err)
	}
	close(next)
	if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != " second" {
		t.Fatalf("%q, %v", rest, err)
	}
}

func TestFrontNoticesAClientGone(t *testing.T) {
	for name, send := range map[string]string{"while it waits": postOf("/", "x"), "in its body": postOf("/", "xy")[:len(postOf("/", "x"))]} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan error, 1)
			begun := make(chan struct{})
			_, addr := fronted(t, time.Minute, func(_ http.ResponseWriter, r *http.Request) {
				close(begun)
				_, _ = io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
				seen <- r.Context().Err()
			})
			conn, _ := dial(t, addr)
			_, _ = io.WriteString(conn, send)
			<-begun
			_ = conn.Close()
			if err := <-seen; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}

// A client that is watched sends its next request early, and none of it is lost.
func TestFrontWatchesWithoutTaking(t *testing.T) {
	go1 := make(chan struct{})
	_, addr := fronted(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if string(b) == "slow" {
			<-go1
		}
		_, _ = w.Write(b)
	})
	conn, in := dial(t, addr)
	for range 3 {
		_, _ = io.WriteString(conn, postOf("/", "slow"))
		slow := time.NewTimer(3 * watchEvery)
		<-slow.C // the watch has begun
		_, _ = io.WriteString(conn, postOf("/", "next"))
		go1 <- struct{}{}
		for _, want := range []string{"slow", "next"} {
			if _, got := answerOf(t, in); got != want {
				t.Fatalf("%q, want %q", got, want)
			}
		}
	}
}

func TestFrontBodiesLeftUnread(t *testing.T) {
	for size, closes := range map[int]bool{10: false, skipBytes: false, 4 * skipBytes: true} {
		_, addr := fronted(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "refused") })
		conn, in := dial(t, addr)
		go func() { _, _ = io.WriteString(conn, postOf("/", strings.Repeat("x", size))) }()
		if res, got := answerOf(t, in); got != "refused" || res.Close != closes {
			t.Errorf("%d bytes: %q, closes %v", size, got, res.Close)
		}
		if !closes {
			_, _ = io.WriteString(conn, postOf("/", "y"))
			if _, got := answerOf(t, in); got != "refused" {
				t.Errorf("then %q", got)
			}
		}
	}
}

func TestFrontClosesWhenAsked(t *testing.T) {
	_, addr := fronted(t, time.Minute, echo)
	conn, in := dial(t, addr)
	_, _ = io.WriteString(conn, strings.Replace(postOf("/", "x"), "Host", "Connection: close\r\nHost", 1))
	if res, _ := answerOf(t, in); !res.Close {
		t.Error("the answer does not say so")
	}
	if _, err := in.ReadByte(); err != io.EOF {
		t.Error(err)
	}
}

func TestFrontEndsSlowHeads(t *testing.T) {
	for _, send := range []string{"", "POST / HTT"} {
		_, addr := fronted(t, time.Millisecond, echo)
		conn, in := dial(t, addr)
		_, _ = io.WriteString(conn, send)
		if _, err := in.ReadByte(); err == nil {
			t.Errorf("%q: an answer", send)
		}
	}
}

func TestFrontSurvivesPanics(t *testing.T) {
	for _, p := range []any{"bug", http.ErrAbortHandler} {
		_, addr := fronted(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) { panic(p) })
		conn, in := dial(t, addr)
		_, _ = io.WriteString(conn, postOf("/", "x"))
		if _, err := in.ReadByte(); err == nil {
			t.Error("an answer")
		}
	}
}

func TestFrontTellsLateWriters(t *testing.T) {
	late := make(chan http.ResponseWriter, 1)
	_, addr := fronted(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) { late <- w })
	conn, in := dial(t, addr)
	_, _ = io.WriteString(conn, postOf("/", "x")+postOf("/", "y"))
	answerOf(t, in)
	w := <-late
	<-late // the next request has begun, so the first has ended
	if _, err := w.Write([]byte("late")); err == nil || http.NewResponseController(w).Flush() == nil {
		t.Error("writes after the end succeed")
	}
}

func TestFrontDrains(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	f, addr := fronted(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-finish
		}
		io.WriteString(w, "done")
	})
	idle, idleIn := dial(t, addr)
	_, _ = io.WriteString(idle, postOf("/", "x"))
	answerOf(t, idleIn)
	busy, busyIn := dial(t, addr)
	_, _ = io.WriteString(busy, postOf("/slow", "x"))
	<-begun
	f.Drain()
	if _, err := idleIn.ReadByte(); err == nil {
		t.Error("the idle connection is open")
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Wait(over); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for a running request: %v", err)
	}
	close(finish)
	if res, got := answerOf(t, busyIn); got != "done" || !res.Close {
		t.Errorf("%q, %+v", got, res)
	}
	if err := f.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFrontCuts(t *testing.T) {
	begun := make(chan struct{})
	f, addr := fronted(t, time.Minute, func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	})
	conn, in := dial(t, addr)
	_, _ = io.WriteString(conn, postOf("/", "x"))
	<-begun
	f.Close()
	if _, err := in.ReadByte(); err == nil {
		t.Error("the connection is open")
	}
}

// Whatever the Front takes, net/http reads in the same way.
func FuzzParseHead(f *testing.F) {
	for _, s := range []string{
		postOf("/v1/chat/completions?a=b", "x"), "POST / HTTP/1.1\r\nHost: x:1\r\nContent-Length: 3\r\nx-a: 1 \r\nX-A:2\r\nConnection: close\r\n\r\n",
		"POST //a%2fb HTTP/1.1\r\nhost: x\r\ncontent-length: 03\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\n", "POST / HTTP/1.1\r\nHost:0\r\nContent-Length:1\r\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, over := headLen(b)
		if over || n == 0 {
			return
		}
		h, ok := parseHead(b[:n])
		if !ok {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b[:n])))
		if err != nil {
			t.Fatalf("%q: %v", b[:n], err)
		}
		r.Header.Del("Host")
		if r.Method != http.MethodPost || r.RequestURI != h.target || *r.URL != *h.url || r.Host != h.host || r.ContentLength != h.length || r.Close != h.close ||
			fmt.Sprint(r.Header) != fmt.Sprint(h.header) || len(r.TransferEncoding) > 0 {
			t.Fatalf("%q: %+v, net/http %+v", b[:n], h, r)
		}
	})
}
