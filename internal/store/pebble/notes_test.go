package pebble

import (
	"testing"

	"weir/internal/store/storetest"
)

func TestNotes(t *testing.T) {
	storetest.Notes(t, func(t *testing.T, dir string) (storetest.NoteStore, func()) {
		s := openIn(t, dir, Options{})
		return s, closer(t, s)
	})
}
