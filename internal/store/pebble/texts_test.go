package pebble

import (
	"testing"

	"weir/internal/store/storetest"
)

func TestTexts(t *testing.T) {
	storetest.Texts(t, func(t *testing.T, dir string) (storetest.TextStore, func()) {
		s := openIn(t, dir, Options{})
		return s, closer(t, s)
	})
}
