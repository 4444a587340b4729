package job

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		l := New(time.Minute, func(context.Context) { runs.Add(1) })
		if err := l.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if runs.Load() != 1 {
			t.Fatalf("%d runs at the start", runs.Load())
		}
		time.Sleep(150 * time.Second) // the bubble's clock: costs no time
		synctest.Wait()
		if runs.Load() != 3 {
			t.Errorf("%d runs after two and a half intervals", runs.Load())
		}
		l.Wake()
		synctest.Wait()
		if runs.Load() != 4 {
			t.Errorf("%d runs after a wake", runs.Load())
		}
		l.Stop()
		l.Wake()
		synctest.Wait()
		if runs.Load() != 4 {
			t.Errorf("%d runs after the stop", runs.Load())
		}
	})
}

// Stop cuts a call short that is under way.
func TestStopEndsTheWork(t *testing.T) {
	began := make(chan struct{})
	l := New(time.Hour, func(ctx context.Context) {
		close(began)
		<-ctx.Done()
	})
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-began
	l.Stop()
}
