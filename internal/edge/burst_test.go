package edge

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// serveHeld is a server whose connections can hold writes.
func serveHeld(t *testing.T, handle Handler) *httptest.Server {
	t.Helper()
	mux := NewMux(Deps{Log: slog.New(slog.DiscardHandler)}, routes{{Pattern: "GET /", Access: Public, Handle: handle}})
	s := httptest.NewUnstartedServer(mux)
	s.Listener = Listener(s.Listener)
	s.Config.ConnContext = ConnContext
	s.Start()
	t.Cleanup(s.Close)
	return s
}

type routes []Route

func (r routes) Routes() []Route { return r }

func get(t *testing.T, url string) []byte {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSendIsWhole(t *testing.T) {
	for _, size := range []int{0, 1, 2000, 5000, 20_000, mostHeld - 10, mostHeld, 3 * mostHeld} {
		want := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
		s := serveHeld(t, func(w http.ResponseWriter, _ *http.Request) error {
			for range 3 {
				if err := Send(w, want); err != nil {
					return err
				}
			}
			return nil
		})
		for range 2 { // the connection serves another request
			if got := get(t, s.URL); !bytes.Equal(got, bytes.Repeat(want, 3)) {
				t.Fatalf("%d bytes: got %d of %d", size, len(got), 3*size)
			}
		}
	}
}

func TestSendArrivesAtOnce(t *testing.T) {
	next := make(chan struct{})
	s := serveHeld(t, func(w http.ResponseWriter, _ *http.Request) error {
		if err := Send(w, []byte("first")); err != nil {
			return err
		}
		<-next
		return Send(w, []byte(" second"))
	})
	res, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, b); err != nil || string(b) != "first" {
		t.Fatalf("%q, %v", b, err)
	}
	close(next)
	if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != " second" {
		t.Fatalf("%q, %v", rest, err)
	}
}

// What is held leaves together.
func TestHeldConnWritesOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := Listener(l).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	h := ConnContext(context.Background(), c).Value(connKey{}).(*heldConn)
	h.hold()
	for range 3 {
		if n, err := h.Write([]byte("abc")); n != 3 || err != nil {
			t.Fatal(n, err)
		}
	}
	if len(*h.held) != 9 {
		t.Fatalf("%d bytes are held", len(*h.held))
	}
	if err := h.release(); err != nil || h.held != nil {
		t.Fatal(err, h.held)
	}
	b := make([]byte, 9)
	if _, err := io.ReadFull(client, b); err != nil || string(b) != "abcabcabc" {
		t.Fatalf("%q, %v", b, err)
	}
}

func TestSendTellsOfAClientGone(t *testing.T) {
	failed := make(chan error, 1)
	s := serveHeld(t, func(w http.ResponseWriter, r *http.Request) error {
		_ = Send(w, []byte("a"))
		<-r.Context().Done()
		var err error
		for range 100 {
			if err = Send(w, make([]byte, 32<<10)); err != nil {
				break
			}
		}
		failed <- err
		return nil
	})
	res, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if err := <-failed; err == nil {
		t.Fatal("writes to a client that has gone succeed")
	}
}
