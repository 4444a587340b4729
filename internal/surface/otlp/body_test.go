package otlp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
)

// TestACrowdCostsNoMemory: what there is no room for is refused without being held, and read to its end.
func TestACrowdCostsNoMemory(t *testing.T) {
	f := newInflater(32<<20, 40<<20)
	body := make([]byte, 26<<20)
	ask := func() *http.Request { return httptest.NewRequest(http.MethodPost, "/v1/traces", bytes.NewReader(body)) }
	got, release, err := f.read(ask(), true)
	if err != nil || len(got) != len(body) || f.used.Load() != int64(len(body)) {
		t.Fatalf("%d bytes, %d counted, %v", len(got), f.used.Load(), err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 8 {
		r := ask()
		if _, _, err := f.read(r, true); !errors.Is(err, errCrowded) {
			t.Fatalf("%v", err)
		}
		if left, _ := io.Copy(io.Discard, r.Body); left != 0 {
			t.Fatalf("%d bytes are left unread: the client is still sending them", left)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 2<<20 {
		t.Errorf("refusals took %d MB", n>>20)
	}
	release()
	if _, again, err := f.read(ask(), true); err != nil || f.used.Load() != int64(len(body)) {
		t.Fatalf("after there is room: %v, %d counted", err, f.used.Load())
	} else {
		again()
	}
	if f.used.Load() != 0 {
		t.Errorf("%d bytes stay counted", f.used.Load())
	}
}
