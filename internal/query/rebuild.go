package query

import "context"

// renewal asks the loop for a new index; done is closed once the old files are gone.
type renewal struct {
	done chan struct{}
	err  error
}

// Rebuild replaces the files of the index by new ones, made from the store, and returns when they are complete and the
// store's queue is trimmed up to there. Answers are partial meanwhile. What was deleted from the store is in no file of
// the index after that.
func (x *Indexer) Rebuild(ctx context.Context) error {
	r := &renewal{done: make(chan struct{})}
	for !x.renewal.CompareAndSwap(nil, r) { // another one waits: let it be taken up first
		if err := waitFor(ctx, x.renewal.Load()); err != nil {
			return err
		}
	}
	x.nudge()
	if err := waitFor(ctx, r); err != nil {
		return err
	}
	if r.err != nil {
		return r.err
	}
	if err := x.Wait(ctx, x.store.Committed()); err != nil {
		return err
	}
	return x.trimNow(ctx)
}

func waitFor(ctx context.Context, r *renewal) error {
	if r == nil {
		return ctx.Err()
	}
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renew drops the files if somebody asked for it. Only the loop calls it.
func (x *Indexer) renew() {
	r := x.renewal.Swap(nil)
	if r == nil {
		return
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	r.err = x.discard()
	x.held = 0
	x.set(func(s *State) { s.Position, s.Rebuilding = 0, true })
	close(r.done)
}

// trimNow makes the new index hold its position, and lets the store forget what it has taken from the queue.
func (x *Indexer) trimNow(ctx context.Context) error {
	_, err := x.use(ctx, func(ctx context.Context, idx Index) error {
		upto, err := idx.Checkpoint(ctx)
		if err != nil {
			return err
		}
		if x.o.Floor != nil {
			upto = min(upto, x.o.Floor())
		}
		return x.store.Trim(ctx, upto)
	})
	return err
}
