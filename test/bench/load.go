package main

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// serial numbers requests over the whole run.
var serial atomic.Uint64

// load is a number of connections that send one request after another for a while.
type load struct {
	conns   int
	lasts   time.Duration
	stagger time.Duration // connections begin spread over this time
}

// outcome is what a load measured.
type outcome struct {
	perSecond    float64
	whole, first []time.Duration // sorted
	cpu          time.Duration   // of the server, per answer
}

func (o outcome) p50() time.Duration { return quantile(o.whole, 0.5) }

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// run sends the request; any failed answer fails the load, since a refused call is a fast one.
func (l load) run(addr string, req []byte) (outcome, error) {
	var (
		mu    sync.Mutex
		out   outcome
		fails []error
		wg    sync.WaitGroup
	)
	start := time.Now()
	stop := start.Add(l.lasts)
	for i := range l.conns {
		wg.Go(func() {
			if l.stagger > 0 {
				time.Sleep(l.stagger * time.Duration(i) / time.Duration(l.conns))
			}
			whole, first, err := hammer(addr, req, stop)
			mu.Lock()
			defer mu.Unlock()
			out.whole, out.first = append(out.whole, whole...), append(out.first, first...)
			if err != nil {
				fails = append(fails, err)
			}
		})
	}
	wg.Wait()
	if len(fails) > 0 {
		return out, fmt.Errorf("%d of %d connections failed: %w", len(fails), l.conns, fails[0])
	}
	out.perSecond = float64(len(out.whole)) / time.Since(start).Seconds()
	slices.Sort(out.whole)
	slices.Sort(out.first)
	return out, nil
}

func hammer(addr string, req []byte, stop time.Time) (whole, first []time.Duration, err error) {
	c, err := dial(addr, req)
	if err != nil {
		return nil, nil, err
	}
	defer c.close()
	whole = make([]time.Duration, 0, 4096)
	for time.Now().Before(stop) {
		a, err := c.do(serial.Add(1))
		if err != nil {
			return nil, nil, err
		}
		whole = append(whole, a.whole)
		if a.first > 0 {
			first = append(first, a.first)
		}
	}
	return whole, first, nil
}

func median[T ~int64 | ~float64](v []T) T {
	s := slices.Clone(v)
	slices.Sort(s)
	if len(s) == 0 {
		return 0
	}
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

func sorted(v []time.Duration) []time.Duration {
	slices.Sort(v)
	return v
}
