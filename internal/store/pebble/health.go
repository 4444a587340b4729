package pebble

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/internal/fault"
)

var stuckPut = fault.New(fault.Unavailable, "trace store is stalled")

// health gathers what the engine only tells its listener.
type health struct {
	now        func() time.Time
	log        *slog.Logger
	stallSince atomic.Int64 // unix nanoseconds; 0 = no stall
	stalls     atomic.Int64
	diskSlow   atomic.Int64
	errors     atomic.Int64
	timedOut   atomic.Int64
	failing    atomic.Pointer[failure] // last background error with no flush after it
}

type failure struct{ err error }

// stallGrace is how long a write stall may last before the store counts as unhealthy; short ones are its way of
// pacing writers.
const stallGrace = 2 * time.Second

func newHealth(o Options) *health { return &health{now: o.Now, log: o.Log} }

func (h *health) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			h.errors.Add(1)
			if h.failing.Swap(&failure{err}) == nil { // the engine retries in a hot loop: log the first of a series
				h.log.Error("trace store cannot flush or compact", slog.Any("error", err))
			}
		},
		FlushEnd: func(i pebble.FlushInfo) {
			if i.Err == nil && h.failing.Swap(nil) != nil {
				h.log.Info("trace store flushes again")
			}
		},
		WriteStallBegin: func(i pebble.WriteStallBeginInfo) {
			h.stalls.Add(1)
			h.stallSince.Store(h.now().UnixNano())
			h.log.Warn("trace store stalls writes", slog.String("reason", i.Reason))
		},
		WriteStallEnd: func() { h.stallSince.Store(0) },
		DiskSlow:      func(pebble.DiskSlowInfo) { h.diskSlow.Add(1) },
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			h.log.Error("trace store found damaged data", slog.String("path", i.Path), slog.Any("error", i.Details))
		},
	}
}

func (h *health) stalled() bool { return h.stallSince.Load() != 0 }

// Health is nil while writes can be expected to succeed.
func (s *Store) Health() error {
	if f := s.health.failing.Load(); f != nil {
		return fault.Wrap(fault.Unavailable, f.err, "trace store cannot write")
	}
	if since := s.health.stallSince.Load(); since != 0 && s.o.Now().Sub(time.Unix(0, since)) > stallGrace {
		return fault.New(fault.Unavailable, "trace store stalls writes")
	}
	return nil
}

// Metrics is the state of the engine.
type Metrics struct {
	DiskBytes, WALBytes, MemTableBytes, CacheBytes uint64
	L0Files, Compactions                           int64
	Stalls, DiskSlow, Errors, TimedOut             int64
	Queue, Ledger                                  uint64 // newest positions
}

// Metrics reads the engine's counters; it costs about as much as a few reads.
func (s *Store) Metrics() Metrics {
	m := s.db.Metrics()
	return Metrics{
		DiskBytes: m.DiskSpaceUsage(), WALBytes: m.WAL.Size, MemTableBytes: m.MemTable.Size,
		CacheBytes: uint64(m.BlockCache.Size),
		L0Files:    m.Levels[0].TablesCount, Compactions: m.Compact.Count,
		Stalls: s.health.stalls.Load(), DiskSlow: s.health.diskSlow.Load(), Errors: s.health.errors.Load(),
		TimedOut: s.health.timedOut.Load(), Queue: s.committed.Load(), Ledger: s.durable.Load(),
	}
}

// DiskFree tells how many bytes a process may still write below dir, and how large its file system is.
func DiskFree(dir string) (free, total uint64, err error) {
	u, err := vfs.Default.GetDiskUsage(dir)
	if err != nil {
		return 0, 0, fault.Wrap(fault.Internal, err, "free disk space is unknown")
	}
	return u.AvailBytes, u.TotalBytes, nil
}

// engineLog carries the engine's log. Its progress reports are for debugging only.
type engineLog struct {
	log  *slog.Logger
	exit func(int)
}

func (l engineLog) Infof(format string, args ...any) {
	l.log.Debug("trace store", slog.String("detail", fmt.Sprintf(format, args...)))
}

func (l engineLog) Errorf(format string, args ...any) {
	l.log.Error("trace store", slog.String("detail", fmt.Sprintf(format, args...)))
}

// Fatalf does not return: the engine calls it when the write-ahead log is lost, and relies on that.
func (l engineLog) Fatalf(format string, args ...any) {
	l.log.Error("trace store lost its write-ahead log; ending the process", slog.String("detail", fmt.Sprintf(format, args...)))
	l.exit(1)
	runtime.Goexit()
}
