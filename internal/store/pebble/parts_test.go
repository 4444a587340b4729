package pebble

import (
	"crypto/rand"
	"encoding/binary"
	"testing"
)

func TestPartsAreWhereTheBytesAre(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	t.Cleanup(closer(t, s))
	noise := make([]byte, 4<<10) // does not compress
	for i := range 1000 {
		_, _ = rand.Read(noise)
		place := binary.BigEndian.AppendUint64(nil, uint64(i))
		if err := s.db.Set(placeKey("p", 1, place), noise, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.db.Set(append(dayKey(prefixText, "p", 1, 8), place...), noise[:1<<10], nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	parts, err := s.Parts()
	if err != nil {
		t.Fatal(err)
	}
	const bodies, texts, slack = 4000 << 10, 1000 << 10, 300 << 10
	if b, x := parts["bodies"], parts["texts"]; b < bodies-slack || b > bodies+slack || x < texts-slack || x > texts+slack || parts["spans"] > slack {
		t.Fatalf("parts: %v", parts)
	}
}
