package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestLargeAnswersArePacked(t *testing.T) {
	for name, tc := range map[string]struct {
		size   int
		accept string
		packed bool
	}{
		"large":           {packFrom, "gzip, br", true},
		"small":           {packFrom - 1, "gzip", false},
		"client says not": {packFrom, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Accept-Encoding", tc.accept)
			a := &answer{w: w, r: r, header: http.Header{"Content-Type": {"application/json"}}, status: http.StatusOK}
			want := bytes.Repeat([]byte("1"), tc.size)
			_, _ = a.Write(want) // to memory
			if err := a.finish(); err != nil {
				t.Fatal(err)
			}
			got := io.Reader(w.Body)
			if packed := w.Header().Get("Content-Encoding") == "gzip"; packed != tc.packed {
				t.Fatalf("packed: %v", packed)
			} else if packed {
				z, err := gzip.NewReader(w.Body)
				if err != nil {
					t.Fatal(err)
				}
				got = z
			}
			if b, err := io.ReadAll(got); err != nil || !bytes.Equal(b, want) {
				t.Errorf("%d bytes, %v; want %d", len(b), err, tc.size)
			}
		})
	}
}
