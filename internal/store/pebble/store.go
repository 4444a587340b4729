// Package pebble keeps the truth in an embedded key-value store: spans, bodies cut into content-addressed blobs and
// conversation nodes, the ledger, the index queue, and a small cache with expiry. A synced Append survives power loss.
package pebble

import (
	"cmp"
	"context"
	"encoding/binary"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"weir/internal/fault"
	"weir/internal/fulltext"
	"weir/internal/span"
)

// formatVersion is the newest one that the previous minor release of the engine (2.0) can still read, so that one
// rollback of Weir works. Raise it one release after the engine was raised.
const formatVersion = pebble.FormatColumnarBlocks

// Options tune a Store. The zero value of each field is a good default.
type Options struct {
	Log *slog.Logger
	// Exit ends the process after a failure of the write-ahead log, from which the engine cannot recover.
	Exit func(code int)
	Now  func() time.Time
	// MemTableBytes keeps a load from writing the same data many times: 16 MiB, of which there may be three.
	// CacheBytes includes them, the engine takes them off: 72 MiB.
	CacheBytes    int64
	MemTableBytes uint64
	// CommitTimeout bounds the wait for a commit, since the engine itself waits for a full disk forever: 10 s.
	CommitTimeout time.Duration
	// SweepEvery is how often expired KV entries are removed: 6 h.
	SweepEvery time.Duration
}

func (o *Options) defaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Exit == nil {
		o.Exit = os.Exit
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.CacheBytes = cmp.Or(o.CacheBytes, 72<<20)
	o.MemTableBytes = cmp.Or(o.MemTableBytes, 16<<20)
	o.CommitTimeout = cmp.Or(o.CommitTimeout, 10*time.Second)
	o.SweepEvery = cmp.Or(o.SweepEvery, 6*time.Hour)
}

// Store implements span.Store and span.KV over one directory, which one process may have open.
type Store struct {
	db     *pebble.DB
	o      Options
	health *health
	homes  homes

	// gate serialises what must be seen in order: sequence numbers are taken and applied under it, so that a reader
	// of the queue never sees a later number before an earlier one. It is a channel because waiting for it has a
	// deadline. The wait for the disk happens outside, so concurrent commits share one sync.
	gate    chan struct{}
	seq     uint64 // under gate: newest queue position
	charged uint64 // under gate: newest ledger sequence
	trimmed uint64 // under gate: queue positions up to here are gone
	drops   atomic.Uint64
	place   atomic.Uint64 // newest number of a blob's place
	changes changes       // of spans that were stored before
	absent  absences
	flights flights
	applied atomic.Uint64 // writes; it rises behind each
	noting  sync.Mutex    // one writer of notes
	noted   atomic.Bool   // there are notes on traces
	dir     string
	erasing sync.Mutex // one eraser
	watch   atomic.Pointer[watch]
	scans   sync.RWMutex // held for reading while there is a snapshot, for writing while files are purged
	recent  recent
	written written
	rested  resting       // of the task, then of Close
	leisure atomic.Uint64 // value of applied below which there is time for small files

	committed atomic.Uint64
	durable   atomic.Uint64 // newest ledger sequence known to be on disk

	closed atomic.Bool
	stop   context.CancelFunc
	tasks  sync.WaitGroup
}

var (
	_ span.Store = (*Store)(nil)
	_ span.KV    = (*Store)(nil)
)

// Open opens or creates the store in dir and starts its housekeeping, which Close ends.
func Open(dir string, o Options) (*Store, error) {
	o.defaults()
	s := &Store{o: o, dir: dir, gate: make(chan struct{}, 1), health: newHealth(o)}
	db, err := pebble.Open(dir, s.engineOptions())
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "trace store could not be opened")
	}
	s.db = db
	if err := s.load(); err != nil {
		_ = db.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.tasks.Go(func() { s.housekeeping(ctx) })
	s.tasks.Go(func() { s.rest(ctx) })
	return s, nil
}

// load finds where the sequences stand.
func (s *Store) load() error {
	var err error
	if s.seq, err = s.resume(metaSeq); err != nil {
		return err
	}
	place, err := s.resume(metaPlace)
	if err != nil {
		return err
	}
	s.place.Store(max(place, fulltext.FirstEra))
	s.committed.Store(s.seq)
	if err := s.edge(prefixLedger, true, &s.charged); err != nil {
		return err
	}
	s.durable.Store(s.charged)
	first := s.seq + 1
	if err := s.edge(prefixQueue, false, &first); err != nil {
		return err
	}
	s.trimmed = first - 1
	s.rested.cleared = s.trimmed
	return s.loadNoted()
}

// resume is where a sequence goes on. It leaves a gap per restart: numbers that were seen, but that a power cut took
// back, are never given out again.
func (s *Store) resume(key []byte) (uint64, error) {
	high, err := s.get(key)
	if err != nil || len(high) != 8 {
		return 0, err
	}
	return binary.BigEndian.Uint64(high) + restartGap, nil
}

const restartGap = 1 << 20

// edge reads the sequence of the first or last key of a one-byte prefix into v, if there is one.
func (s *Store) edge(prefix byte, last bool, v *uint64) error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{prefix}, UpperBound: []byte{prefix + 1}})
	if err != nil {
		return broken(err)
	}
	found := false
	if last {
		found = it.Last()
	} else {
		found = it.First()
	}
	if found {
		*v = seqOf(it.Key())
	}
	if err := it.Close(); err != nil {
		return broken(err)
	}
	return nil
}

// Close waits for commits under way and closes the engine. A commit that is stuck makes it fail. Only the first call
// does anything.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.stop()
	s.tasks.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), s.o.CommitTimeout)
	defer cancel()
	if err := s.enter(ctx); err != nil {
		return err
	}
	s.flush(ctx)
	if loose, _ := s.sizes(); loose < closeBytes {
		s.clear(ctx, &s.rested, s.trimmed) // the index has just let go of it
	}
	if err := s.db.Close(); err != nil {
		return fault.Wrap(fault.Internal, err, "trace store did not close cleanly")
	}
	return nil
}

// flush writes the memory table to disk, so that the next start has no log to read, unless that takes too long.
func (s *Store) flush(ctx context.Context) {
	done, err := s.db.AsyncFlush()
	if err != nil {
		return // the log has it all
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// enter takes the gate; the taker returns it with leave.
func (s *Store) enter(ctx context.Context) error {
	select {
	case s.gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return stuck(ctx)
	}
}

func (s *Store) leave() { <-s.gate }

// stuck is the error of a wait that ended before the engine did.
func stuck(ctx context.Context) error {
	if ctx.Err() == context.Canceled {
		return ctx.Err()
	}
	return &fault.Error{Kind: fault.Unavailable, Msg: "trace store does not answer", RetryAfter: 5 * time.Second, Err: ctx.Err()}
}

func broken(err error) error { return fault.Wrap(fault.Internal, err, "trace store failed") }
