package pebble

import (
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/store/storetest"
)

func TestMain(m *testing.M) {
	// The engine leaves this ticker behind when it refuses to open a directory that is locked.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/cockroachdb/pebble/v2/vfs.(*diskHealthCheckingFS).startTickerLocked.func1"))
}

func openIn(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closer(t testing.TB, s *Store) func() {
	return func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSpans(t *testing.T) {
	storetest.Spans(t, func(t *testing.T, dir string) (span.Store, func()) {
		s := openIn(t, dir, Options{})
		return s, closer(t, s)
	})
}

func TestKV(t *testing.T) {
	storetest.KV(t, func(t *testing.T, dir string, now func() time.Time) (span.KV, func()) {
		s := openIn(t, dir, Options{Now: now})
		return s, closer(t, s)
	})
}

func TestSweep(t *testing.T) {
	clock := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s := openIn(t, t.TempDir(), Options{Now: func() time.Time { return clock }})
	defer closer(t, s)()
	for i, ttl := range []time.Duration{time.Hour, 48 * time.Hour} {
		if err := s.Put(t.Context(), []byte{byte(i)}, nil, ttl); err != nil {
			t.Fatal(err)
		}
	}
	clock = clock.Add(25 * time.Hour)
	for _, want := range []int{1, 0} {
		if n, err := s.Sweep(t.Context()); err != nil || n != want {
			t.Fatalf("swept %d entries, want %d (%v)", n, want, err)
		}
	}
	if has, _ := s.has(kvKey([]byte{1})); !has {
		t.Fatal("the sweep took an entry that lives")
	}
}

func TestOneProcessPerDirectory(t *testing.T) {
	dir := t.TempDir()
	defer closer(t, openIn(t, dir, Options{}))()
	if _, err := Open(dir, Options{}); err == nil {
		t.Fatal("a directory that is open must be refused")
	}
}

func TestFormatAllowsRollback(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer closer(t, s)()
	if got := s.db.FormatMajorVersion(); got != formatVersion {
		t.Fatalf("format %d, want the pinned %d", got, formatVersion)
	}
}

// Logs kept for reuse would outweigh the data; the trick that prevents it depends on the engine's inside.
func TestLogsAreNotKept(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, Options{MemTableBytes: 256 << 10})
	defer closer(t, s)()
	for i := range 40 {
		b := &span.Batch{Span: &span.Span{Project: "p", Trace: "t", ID: string(rune('a' + i))}}
		body := make([]byte, 64<<10)
		_, _ = rand.Read(body)
		b.Blobs = map[span.Hash][]byte{span.HashOf(body): body}
		if err := s.Append(t.Context(), true, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	for left := 99; left > 2; { // deleted in the background
		logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
		if err != nil || t.Context().Err() != nil {
			t.Fatal(left, err)
		}
		left = len(logs)
		runtime.Gosched()
	}
}

func TestBlocksAreZstd(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer closer(t, s)()
	for range 2 { // tables that overlap, since one alone would only be moved
		b := &span.Batch{Span: &span.Span{Project: "p", Trace: "t", ID: "s", Name: strings.Repeat("name ", 1000)}}
		if err := s.Append(t.Context(), true, b); err != nil {
			t.Fatal(err)
		}
		if err := s.db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false); err != nil {
		t.Fatal(err)
	}
	for { // the engine reads the properties of new tables in the background
		if m := s.db.Metrics().Table; m.CompressedCountSnappy > 0 || t.Context().Err() != nil {
			t.Fatalf("tables are compressed otherwise: %+v", m)
		} else if m.CompressedCountZstd > 0 {
			return
		}
		runtime.Gosched()
	}
}

// A commit that hangs must not hang its caller, nor those behind it.
func TestStuckCommitEndsAtDeadline(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{CommitTimeout: 20 * time.Millisecond})
	defer closer(t, s)()
	release := make(chan struct{})
	if err := s.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := s.guard(timeout(t, time.Millisecond), func() error {
		defer s.leave()
		<-release
		return nil
	})
	if !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a hanging step gave %v", err)
	}
	b := &span.Batch{Span: &span.Span{Project: "p", Trace: "t", ID: "s"}}
	if err := s.Append(t.Context(), true, b); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a commit behind a hanging one gave %v", err)
	}
	close(release)
	if err := s.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.leave()
	s.o.CommitTimeout = time.Minute // a busy disk may take longer than a hang that is looked for
	if err := s.Append(t.Context(), true, b); err != nil {
		t.Fatalf("after the hang: %v", err)
	}
}

func timeout(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestFatalLogsAndExits(t *testing.T) {
	var text strings.Builder
	code := 0
	l := engineLog{slog.New(slog.NewTextHandler(&text, nil)), func(c int) { code = c }}
	done := make(chan bool)
	go func() {
		defer close(done)
		l.Fatalf("lost %s", "wal")
		done <- true // must not be reached
	}()
	if <-done || code != 1 || !strings.Contains(text.String(), "lost wal") {
		t.Fatalf("Fatalf returned, or code %d, log %q", code, text.String())
	}
}

func TestHealth(t *testing.T) {
	clock := time.Now()
	s := openIn(t, t.TempDir(), Options{Now: func() time.Time { return clock }})
	defer closer(t, s)()
	l := s.health.listener()
	l.BackgroundError(context.DeadlineExceeded)
	if s.Health() == nil {
		t.Fatal("a failing flush is unhealthy")
	}
	if err := s.db.Set([]byte("x"), nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.Health(); err != nil {
		t.Fatalf("a flush that succeeds is the end of it: %v", err)
	}
	s.health.stallSince.Store(clock.UnixNano())
	if s.Health() != nil {
		t.Fatal("a short stall is ordinary")
	}
	clock = clock.Add(stallGrace + 1)
	if s.Health() == nil {
		t.Fatal("a long stall is unhealthy")
	}
	s.health.stallSince.Store(0)
	if m := s.Metrics(); m.Errors != 1 || m.DiskBytes == 0 {
		t.Fatalf("metrics: %+v", m)
	}
}

func TestDiskFree(t *testing.T) {
	free, total, err := DiskFree(t.TempDir())
	if err != nil || free == 0 || total < free {
		t.Fatalf("free %d of %d, %v", free, total, err)
	}
	if _, _, err := DiskFree("/does/not/exist"); err == nil {
		t.Fatal("a folder that is not there has no free space")
	}
}

func TestKeysSortByDay(t *testing.T) {
	if a, b := string(dayKey('s', "p", 255, 0)), string(dayKey('s', "p", 256, 0)); a >= b || string(after([]byte(a+"\xff"))) > b {
		t.Fatalf("the range of day 255 %x must end at day 256 %x", a, b)
	}
	if after([]byte{0xff}) != nil || string(after([]byte{1, 0xff})) != "\x02" {
		t.Fatal("after carries")
	}
}
