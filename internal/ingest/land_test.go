package ingest

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/store/pebble"
)

// slowDisk is a store whose first commit is applied when the test says so, and synced as it says.
type slowDisk struct {
	*pebble.Store
	commits atomic.Int32
	began   chan struct{}
	apply   chan struct{}
	sync    chan error
	refuse  bool // the second one is invalid
	loseIt  bool // the first commit is not stored at all
}

func newSlowDisk(s span.Store) *slowDisk {
	return &slowDisk{Store: s.(*pebble.Store), began: make(chan struct{}), apply: make(chan struct{}), sync: make(chan error, 1)}
}

func (d *slowDisk) Apply(ctx context.Context, batches ...*span.Batch) (func() error, error) {
	switch n := d.commits.Add(1); {
	case n == 2 && d.refuse:
		return nil, fault.New(fault.Invalid, "no such body")
	case n > 1:
		return d.Store.Apply(ctx, batches...)
	}
	d.began <- struct{}{}
	<-d.apply
	wait := func() error { return nil }
	if !d.loseIt {
		var err error
		if wait, err = d.Store.Apply(ctx, batches...); err != nil {
			return nil, err
		}
	}
	return func() error { return errors.Join(<-d.sync, wait()) }, nil
}

const (
	firstCall  = `{"messages":[{"role":"user","content":"first"}]}`
	secondCall = `{"messages":[{"role":"user","content":"first"},{"role":"assistant","content":"ok"},{"role":"user","content":"second"}]}`
)

// startOnSlowDisk has one call in a commit under way and the next one in the queue; prepared tells when that is prepared.
func startOnSlowDisk(t *testing.T, lose bool) (r *Recorder, d *slowDisk, traces [2]string, prepared chan struct{}) {
	t.Helper()
	prepared = make(chan struct{}, 9)
	r, _ = startRecorder(t, func(o *Options) {
		d = newSlowDisk(o.Store)
		d.loseIt, o.Store = lose, d
		o.Redact = func(b []byte) []byte {
			if bytes.Contains(b, []byte("second")) {
				prepared <- struct{}{}
			}
			return b
		}
	})
	for i, body := range []string{firstCall, secondCall} {
		rec := aRecord(body, "")
		traces[i] = rec.Span.Trace
		r.End(rec)
		if i == 0 {
			<-d.began
		}
	}
	close(d.apply)
	return r, d, traces, prepared
}

func wantBoth(t *testing.T, r *Recorder, s *pebble.Store, traces [2]string) {
	t.Helper()
	flush(t, r)
	for i, want := range []string{firstCall, secondCall} {
		spans, err := s.Trace(t.Context(), project, traces[i])
		if err != nil || len(spans) != 1 {
			t.Fatal(spans, err)
		}
		wantBody(t, s, spans[0], spans[0].Input, want)
	}
	if n := len(ledgerOf(t, s)); n != 2 {
		t.Errorf("%d charges of two calls", n)
	}
	if st := r.Stats(); st.Recorded != 2 || st.Lost != 0 {
		t.Errorf("stats: %+v", st)
	}
}

func TestPreparesWhileTheDiskWorks(t *testing.T) {
	r, d, traces, prepared := startOnSlowDisk(t, false)
	<-prepared
	if st := r.Stats(); st.Recorded != 0 {
		t.Errorf("%d calls are told to be recorded before they are on disk", st.Recorded)
	}
	d.sync <- nil
	wantBoth(t, r, d.Store, traces)
	if n := d.commits.Load(); n != 2 {
		t.Errorf("%d commits", n)
	}
}

// The second call was prepared in the belief that what it shares with the first is stored.
func TestCommitThatDoesNotLand(t *testing.T) {
	for name, lose := range map[string]bool{"lost": true, "stored after all": false} {
		t.Run(name, func(t *testing.T) {
			r, d, traces, prepared := startOnSlowDisk(t, lose)
			<-prepared
			d.sync <- errors.New("disk on fire")
			wantBoth(t, r, d.Store, traces)
			if st := r.Stats(); st.Retries != 1 {
				t.Errorf("%d retries", st.Retries)
			}
		})
	}
}

// What the second call was prepared to share is not stored after all, since the first is kept without its body.
func TestCommitThatLandsWithoutItsBodies(t *testing.T) {
	r, d, traces, prepared := startOnSlowDisk(t, true)
	<-prepared
	d.refuse = true
	d.sync <- errors.New("disk on fire")
	flush(t, r)
	for i, want := range []string{"", secondCall} {
		spans, err := d.Trace(t.Context(), project, traces[i])
		if err != nil || len(spans) != 1 {
			t.Fatal(spans, err)
		}
		wantBody(t, d.Store, spans[0], spans[0].Input, want)
	}
}

// Stop waits for what is under way.
func TestStopLandsTheLastCommit(t *testing.T) {
	r, d, traces, prepared := startOnSlowDisk(t, false)
	<-prepared
	d.sync <- nil
	r.Stop()
	if st := r.Stats(); st.Recorded != 2 {
		t.Errorf("%d calls recorded at the stop", st.Recorded)
	}
	wantBoth(t, r, d.Store, traces)
}
