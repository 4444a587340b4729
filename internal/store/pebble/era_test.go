package pebble

import (
	"encoding/binary"
	"testing"

	"weir/internal/fulltext"
	"weir/internal/span"
)

// A body that was stored before there were eras lies by its session, and is found there.
func TestBodiesFromBeforeErasAreRead(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	t.Cleanup(closer(t, s))
	h := span.HashOf([]byte("old"))
	place := binary.BigEndian.AppendUint64([]byte{1, 2, 3, 4}, 77)
	for key, value := range map[string][]byte{
		string(hashKey(prefixBlob, "p", 3, h)):                  place,
		string(append(dayKey(prefixData, "p", 3, 0), place...)): []byte("old"),
	} {
		if err := s.db.Set([]byte(key), value, nil); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := s.Blob(t.Context(), "p", 3, h); err != nil || string(b) != "old" {
		t.Errorf("%q, %v", b, err)
	}
	at, ok, err := s.Place(t.Context(), "p", 3, h)
	if want := (fulltext.Place{Session: 0x01020304, N: 77}); err != nil || !ok || at != want {
		t.Fatalf("%v, %v, %v", at, ok, err)
	}
	if b, err := s.Content(t.Context(), "p", 3, at); err != nil || string(b) != "old" {
		t.Errorf("%q, %v", b, err)
	}
	if n := s.place.Load(); n < fulltext.FirstEra {
		t.Errorf("new places begin at %d", n)
	}
}
