// Package job runs work on a schedule: one loop that is owned, can be woken, and ends its work when it is stopped.
package job

import (
	"context"
	"sync"
	"time"
)

// Loop calls a function at once and then at intervals, one call after the other.
type Loop struct {
	every time.Duration
	run   func(context.Context)
	wake  chan struct{}

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// New returns a Loop that Start sets to work. run must return soon after its context ends.
func New(every time.Duration, run func(context.Context)) *Loop {
	return &Loop{every: every, run: run, wake: make(chan struct{}, 1)}
}

// Start begins the loop, which goes on until Stop.
func (l *Loop) Start(ctx context.Context) error {
	ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.done.Go(func() { l.loop(ctx) })
	return nil
}

// Stop ends the work under way and waits for it.
func (l *Loop) Stop() {
	l.cancel()
	l.done.Wait()
}

// Wake makes the next call come now. Several wakes before it are one.
func (l *Loop) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Loop) loop(ctx context.Context) {
	t := time.NewTicker(l.every)
	defer t.Stop()
	for ctx.Err() == nil {
		l.run(ctx)
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-l.wake:
		}
	}
}
