package ingest

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"weir/internal/span"
)

// Ledger is the part of span.Store that the Settler reads.
type Ledger interface {
	Ledger(ctx context.Context, after uint64, yield func(span.LedgerEntry) bool) error
}

// LedgerRows keep totals that follow from the ledger.
type LedgerRows interface {
	// Applied is the sequence of the newest entry applied.
	Applied(ctx context.Context) (uint64, error)
	// Apply adds entries and remembers the sequence of the last one, in one transaction.
	Apply(ctx context.Context, entries []span.LedgerEntry) error
}

// Settler carries the ledger into the rows: what the rows have applied is theirs to know, so a crash on either side
// neither loses an entry nor counts one twice.
type Settler struct {
	ledger Ledger
	rows   LedgerRows
	log    *slog.Logger
	every  time.Duration
	wake   chan struct{}
	cancel context.CancelFunc
	loop   sync.WaitGroup
	batch  []span.LedgerEntry // reused, by whoever runs it: one at a time
}

// settleBatch bounds one transaction.
const settleBatch = 5000

// settlePause is between transactions: the recorder commits hundreds of times a second under load, and each transaction
// here waits for the disk. Budgets do not wait for it, they are counted in memory.
const settlePause = time.Second

// NewSettler returns a Settler that looks for entries when woken, and every so often (0 = 1 s).
func NewSettler(l Ledger, rows LedgerRows, log *slog.Logger, every time.Duration) *Settler {
	every = cmp.Or(every, time.Second)
	return &Settler{ledger: l, rows: rows, log: log, every: every, wake: make(chan struct{}, 1)}
}

// Start catches up before it returns, so that budgets are right when the first call is let in.
func (s *Settler) Start(ctx context.Context) error {
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	s.loop.Go(func() { s.run(run) })
	return nil
}

// Stop applies what is there and stops.
func (s *Settler) Stop() {
	if s.cancel == nil {
		return
	}
	s.cancel()
	s.loop.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.catchUp(ctx); err != nil {
		s.log.Warn("ledger entries wait for the next start", slog.Any("error", err))
	}
}

// Wake tells that the ledger has grown. It never blocks.
func (s *Settler) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Settler) run(ctx context.Context) {
	t := time.NewTicker(s.every)
	defer t.Stop()
	rest := time.NewTimer(settlePause)
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-t.C:
		}
		if err := s.catchUp(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("ledger entries are not applied yet", slog.Any("error", err))
		}
		rest.Reset(settlePause)
		select {
		case <-ctx.Done():
			return
		case <-rest.C:
		}
	}
}

func (s *Settler) catchUp(ctx context.Context) error {
	for {
		n, err := s.runOnce(ctx)
		if err != nil || n < settleBatch {
			return err
		}
	}
}

// runOnce applies up to settleBatch entries.
func (s *Settler) runOnce(ctx context.Context) (int, error) {
	after, err := s.rows.Applied(ctx)
	if err != nil {
		return 0, err
	}
	entries := s.batch[:0]
	err = s.ledger.Ledger(ctx, after, func(e span.LedgerEntry) bool {
		entries = append(entries, e)
		return len(entries) < settleBatch
	})
	s.batch = entries
	defer clear(entries)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	return len(entries), s.rows.Apply(ctx, entries)
}
