package ingest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A commit waits while readers are far behind, no longer than it must, never for good, and not at all at a stop.
func TestCommitsWaitForReaders(t *testing.T) {
	for name, c := range map[string]struct {
		behind  func(look int) uint64
		stopped bool
		want    time.Duration
	}{
		"near":         {func(int) uint64 { return farBehind }, false, 0},
		"far":          {func(int) uint64 { return farBehind + 1 }, false, paceMost},
		"catching up":  {func(look int) uint64 { return uint64(farBehind + 3 - look) }, false, 3 * paceStep},
		"far, stopped": {func(int) uint64 { return farBehind + 1 }, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.stopped {
					cancel()
				}
				looks := 0
				w := &takeWriter{t: &Taker{ctx: ctx, o: TakerOptions{Behind: func() uint64 { looks++; return c.behind(looks - 1) }}}}
				began := time.Now()
				w.letCatchUp()
				if took := time.Since(began); took != c.want {
					t.Errorf("waited %s, want %s", took, c.want)
				}
			})
		})
	}
}

// Whatever waits is committed, however far behind the readers are.
func TestFarBehindStillTakes(t *testing.T) {
	asked := make(chan struct{}, 1)
	taker, s := startTaker(t, func(o *TakerOptions) {
		o.Behind = func() uint64 {
			select {
			case asked <- struct{}{}:
			default:
			}
			return farBehind + 1
		}
	})
	accept(t, taker, outside("a"))
	taken(t, s, "a")
	<-asked
}
