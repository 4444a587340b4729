package ingest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"weir/internal/gateway"
)

// written makes n intents and appends them.
func written(t *testing.T, to notes, n int) (all []gateway.Intent) {
	t.Helper()
	for range n {
		i := anIntent()
		if err := to.append(appendIntent(nil, &i)); err != nil {
			t.Fatal(err)
		}
		all = append(all, i)
	}
	return all
}

func found(t *testing.T, path string) []gateway.Intent {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return readIntents(b)
}

// What does not fit the room is behind it, and a reader needs no close to see any of it.
func TestNotesAreReadAtOnce(t *testing.T) {
	first := anIntent()
	for _, room := range []int{0, 1, 100, 1000, 100_000} {
		path := filepath.Join(t.TempDir(), "notes")
		n, err := createNotes(path, appendIntent(nil, &first), room)
		if err != nil {
			t.Fatal(err)
		}
		want := append([]gateway.Intent{first}, written(t, n, 20)...)
		if got := found(t, path); !slices.Equal(got, want) {
			t.Errorf("room %d: %d of %d are there", room, len(got), len(want))
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		if got := found(t, path); !slices.Equal(got, want) {
			t.Errorf("room %d, after close: %d of %d are there", room, len(got), len(want))
		}
	}
}

// A file that somebody has cut takes no process with it.
func TestNotesSurviveACutFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	n, err := createNotes(path, nil, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	written(t, n, 3)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	want := written(t, n, 3)
	if got := found(t, path); !slices.Equal(got, want) {
		t.Errorf("%d of %d are there", len(got), len(want))
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

// The last sign of life is that of the newest note, however late the file system notices that a page has changed.
func TestLeftoversTellTheLastNote(t *testing.T) {
	l := newIntentLog(t.TempDir())
	if err := l.open(); err != nil {
		t.Fatal(err)
	}
	i := anIntent()
	i.Start = time.Now().UTC()
	if err := l.begin(&i); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(l.path, time.Time{}, i.Start.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, last, err := l.leftovers(); err != nil || !last.Equal(i.Start) {
		t.Errorf("%v, %v; want %v", last, err, i.Start)
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
}
