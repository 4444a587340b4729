package sqlite

import (
	"path/filepath"
	"testing"

	"weir/internal/store/storetest"
)

func TestWatch(t *testing.T) {
	storetest.Watch(t, func(t *testing.T) storetest.WatchStore { return openAt(t, filepath.Join(t.TempDir(), "rows.db")) })
}
