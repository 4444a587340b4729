package edge

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"weir/internal/fault"
)

// deadlines is a ResponseWriter that remembers the deadlines set through it.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = append(d.read, t); return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = append(d.write, t); return nil }

// post serves one request by ReadBody with a limit above the bytes in flight.
func post(t *testing.T, in *Bytes, length int64, body io.Reader) *deadlines {
	t.Helper()
	mux := NewMux(Deps{Auth: anyone{}, Log: slog.New(slog.DiscardHandler), InFlight: in}, oneRoute{func(w http.ResponseWriter, r *http.Request) error {
		b, err := ReadBody(r, 64<<20)
		if err == nil {
			_, err = w.Write(b[:min(len(b), 10)])
		}
		return err
	}})
	r := httptest.NewRequest(http.MethodPost, "/x", body)
	r.ContentLength = length
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	mux.ServeHTTP(w, r)
	if in != nil && in.used.Load() != 0 {
		t.Errorf("%d bytes stay counted", in.used.Load())
	}
	return w
}

func TestBodiesHaveDeadlines(t *testing.T) {
	w := post(t, nil, 3<<20, strings.NewReader(strings.Repeat("x", 3<<20)))
	if w.Code != http.StatusOK || len(w.read) < 2 || w.read[0].IsZero() || !w.read[len(w.read)-1].IsZero() {
		t.Errorf("%d, read deadlines %v; want one, and none after the end of the body", w.Code, w.read)
	}
	if d := time.Until(w.read[0]); d < bodyGrace || d > bodyGrace+timeFor(3<<20) {
		t.Errorf("the body has %v", d)
	}
	if len(w.write) != 2 || w.write[0].IsZero() || !w.write[1].IsZero() {
		t.Errorf("write deadlines %v; want one, taken back at the end", w.write)
	}
	if w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Error("the answer may be sniffed")
	}
}

func TestBytesInFlight(t *testing.T) {
	for name, tc := range map[string]struct {
		length int64 // declared
		size   int
		status int
	}{
		"declared, fits":         {3 << 20, 3 << 20, http.StatusOK},
		"declared, never fits":   {1 << 40, 0, http.StatusRequestEntityTooLarge},
		"largest":                {1<<63 - 1, 0, http.StatusRequestEntityTooLarge},
		"undeclared, fits":       {-1, 3 << 20, http.StatusOK},
		"undeclared and growing": {-1, 5 << 20, http.StatusServiceUnavailable},
	} {
		if w := post(t, NewBytes(4<<20), tc.length, strings.NewReader(strings.Repeat("x", tc.size))); w.Code != tc.status {
			t.Errorf("%s: %d, want %d: %s", name, w.Code, tc.status, w.Body)
		}
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func TestLateBodyIsToldSo(t *testing.T) {
	w := post(t, NewBytes(1<<20), 10, broken{os.ErrDeadlineExceeded})
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "in time") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := post(t, NewBytes(1<<20), 10, broken{errors.New("reset")}); w.Code != fault.Invalid.HTTPStatus() {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestClientIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, tc := range map[string]struct {
		peer string
		hops []string
		want string
	}{
		"no proxy":              {"192.0.2.1:5", []string{"198.51.100.7"}, "192.0.2.1"},
		"proxy":                 {"10.0.0.1:5", []string{"198.51.100.7"}, "198.51.100.7"},
		"client lies":           {"10.0.0.1:5", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		"client lies in a line": {"10.0.0.1:5", []string{"203.0.113.9", "198.51.100.7"}, "198.51.100.7"},
		"two proxies":           {"10.0.0.1:5", []string{"198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		"nonsense":              {"10.0.0.1:5", []string{"198.51.100.7, x"}, "10.0.0.1"},
		"mapped":                {"[::ffff:10.0.0.1]:5", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Header["X-Forwarded-For"] = tc.peer, tc.hops
		if got := ClientIP(r, trusted); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}
