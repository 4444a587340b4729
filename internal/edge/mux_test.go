package edge

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"weir/internal/fault"
	"weir/internal/tenant"
)

type anyone struct{}

func (anyone) Authenticate(*http.Request) (*tenant.Identity, error) { return &tenant.Identity{}, nil }

type oneRoute struct{ handle Handler }

func (o oneRoute) Routes() []Route {
	return []Route{{Pattern: "POST /x", Handle: o.handle, Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), Status(err))
	}}}
}

// A client that writes its whole body before it reads must see the refusal, and its connection must live on.
func TestTooLargeBodyIsAnswered(t *testing.T) {
	mux := NewMux(Deps{Auth: anyone{}, Log: slog.New(slog.DiscardHandler)}, oneRoute{func(w http.ResponseWriter, r *http.Request) error {
		_, err := ReadBody(r, 1000)
		return err
	}})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	const size = 8 << 20
	for range 2 {
		if _, err := fmt.Fprintf(conn, "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", size); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(conn, bytes.NewReader(make([]byte, size))); err != nil {
			t.Fatal("the connection was closed while the client wrote:", err)
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Fatal(resp.Status)
		}
	}
}

// What people search for may be a part of a prompt, and anybody can ask a public route often.
func TestLogStaysCalmAndKeepsNoText(t *testing.T) {
	for name, c := range map[string]struct {
		access Access
		err    error
		want   string
	}{
		"filter": {Member, fault.Bad("filter", "filter: expected a term, found %q", "zebra"), "the filter is not valid"},
		"engine": {Member, fault.Bad("query", "could not convert string 'zebra' to INT32"), "the query is not valid"},
		"field":  {Member, fault.Bad("days", "days: expected number >= -1"), "expected number"},
		"flood":  {Public, fault.New(fault.RateLimited, "too many"), ""},
	} {
		var log bytes.Buffer
		d := Deps{Log: slog.New(slog.NewTextHandler(&log, nil))}
		d.logFailure(httptest.NewRequest("GET", "/x", nil), &Route{Pattern: "GET /x", Access: c.access}, &recorder{}, c.err)
		if got := log.String(); !strings.Contains(got, c.want) || c.want == "" && got != "" || strings.Contains(got, "zebra") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
