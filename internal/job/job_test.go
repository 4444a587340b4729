package job

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		l := New(time.Minute, func(context.Context) { runs++ })
		if err := l.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if runs != 1 {
			t.Fatalf("%d runs at the start", runs)
		}
		time.Sleep(150 * time.Second) // the bubble's clock: costs no time
		if runs != 3 {
			t.Errorf("%d runs after two and a half intervals", runs)
		}
		l.Wake()
		synctest.Wait()
		if runs != 4 {
			t.Errorf("%d runs after a wake", runs)
		}
		l.Stop()
		l.Wake()
		synctest.Wait()
		if runs != 4 {
			t.Errorf("%d runs after the stop", runs)
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
