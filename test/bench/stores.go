package main

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// starts is the time to readiness with an empty data folder, and what an idle process holds.
func (l *lab) starts() ([]row, error) {
	var took []time.Duration
	var idle int64
	n := l.pick(7, 3)
	for i := range n {
		if i == n-1 {
			if err := uncached(filepath.Join(l.bin, "weir")); err != nil {
				return nil, err
			}
		}
		p, err := l.weir("weir-start", filepath.Join(l.dir, fmt.Sprint("start-", i)), true)
		if err != nil {
			return nil, err
		}
		took = append(took, p.ready)
		if i == n-1 {
			if err := settled(p); err != nil {
				return nil, err
			}
			idle = p.rss()
		}
		p.stop()
	}
	return []row{
		{what: "Start to ready, empty data folder", target: 300, atMost: true, got: ms(median(took)), unit: "ms", detail: fmt.Sprintf("slowest of %d: %.0f ms", n, ms(max0(took)))},
		{what: "Resident memory, idle after start", target: 100, atMost: true, got: float64(idle) / (1 << 20), unit: "MiB", detail: "index open, before the first call, of a program read from disk"},
	}, nil
}

// uncached drops a file from the page cache, as a restart of the machine does. A program that a linker has just written
// lies there in pages of megabytes; whatever is touched of one counts as resident memory in full.
func uncached(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return err
	}
	const dontNeed = 4 // POSIX_FADV_DONTNEED
	if _, _, e := syscall.Syscall6(syscall.SYS_FADVISE64, f.Fd(), 0, 0, dontNeed, 0, 0); e != 0 {
		return e
	}
	return nil
}

func max0(v []time.Duration) (m time.Duration) {
	for _, d := range v {
		m = max(m, d)
	}
	return m
}

const rest = 3 * time.Second

// settled waits until the index is open and the process has had a moment of rest.
func settled(p *proc) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if err := p.indexed(ctx); err != nil {
		return err
	}
	time.Sleep(rest)
	return nil
}

const agentConns = 10

// disk is what calls of agents take on disk, in percent of the bytes that passed.
func (l *lab) disk() ([]row, error) {
	data := filepath.Join(l.dir, "agents")
	p, err := l.weir("weir-agents", data, true)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	calls := l.pick(10_000, 5_000)
	began := time.Now()
	raw, err := agents(p.addr, calls)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	loaded := p.rss()
	if err := settled(p); err != nil {
		return nil, err
	}
	after := p.rss()
	p.stop()
	used := diskUse(data)
	return []row{
		{
			what: fmt.Sprintf("Disk for %d agent calls, context 5 → 60 KB", calls), target: 5, atMost: true, got: 100 * float64(used) / float64(raw), unit: "%",
			detail: fmt.Sprintf("%.1f MB of %.0f MB raw, %.0f calls/s; resident %d MiB under this load, %d MiB after", float64(used)/1e6, float64(raw)/1e6,
				float64(calls)/took.Seconds(), loaded>>20, after>>20),
		},
	}, nil
}

// agents makes calls on several connections, each a sequence of agent runs.
func agents(addr string, calls int) (raw int64, err error) {
	var wg sync.WaitGroup
	var sum atomic.Int64
	fails := make(chan error, agentConns)
	for i := range agentConns {
		wg.Go(func() {
			n, err := agentConn(addr, i, calls/agentConns)
			sum.Add(n)
			if err != nil {
				fails <- err
			}
		})
	}
	wg.Wait()
	select {
	case err = <-fails:
	default:
	}
	return sum.Load(), err
}

func agentConn(addr string, seed, calls int) (raw int64, err error) {
	c, err := dial(addr, nil)
	if err != nil {
		return 0, err
	}
	defer c.close()
	p := newProse(uint64(seed))
	var run *agentRun
	for n := range calls {
		if n%callsPerRun == 0 {
			run = newAgentRun(p, fmt.Sprintf("%d-%d", seed, n))
		}
		body := run.next()
		c.req = request(chatPath, callKey, body)
		a, err := c.do(0)
		if err != nil {
			return raw, err
		}
		raw += int64(len(body) + a.bytes)
	}
	return raw, nil
}

func diskUse(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}

// million measures a data folder with a million spans: start, list, look-up, memory.
func (l *lab) million() ([]row, error) {
	data := filepath.Join(l.dir, "million")
	spans := l.pick(1_000_000, 100_000)
	if err := l.fill(data, spans); err != nil {
		return nil, err
	}
	p, err := l.weir("weir-million", data, true)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	err = settled(p) // the first start loads the index
	loaded := time.Since(began) - rest
	p.stop()
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for range l.pick(5, 3) {
		if p, err = l.weir("weir-million", data, true); err != nil {
			return nil, err
		}
		took = append(took, p.ready)
		p.stop()
	}
	if p, err = l.weir("weir-million", data, true); err != nil {
		return nil, err
	}
	defer p.stop()
	if err := settled(p); err != nil {
		return nil, err
	}
	idle := p.rss()
	rows := []row{{
		what: fmt.Sprintf("Start to ready, %d spans on disk", spans), target: 500, atMost: true, got: ms(median(took)), unit: "ms",
		detail: fmt.Sprintf("resident %d MiB when idle then; %.0f MB on disk; index rebuilt in %.0f s", idle>>20, float64(diskUse(data))/1e6, loaded.Seconds()),
	}}
	list, err := reads(p, func(int) string { return "/api/v1/traces?limit=50" })
	if err != nil {
		return nil, err
	}
	filtered, err := reads(p, func(int) string { return "/api/v1/traces?limit=50&filter=status%20%3D%20error" })
	if err != nil {
		return nil, err
	}
	byID, err := reads(p, func(int) string { return fmt.Sprintf("/api/v1/traces/%032x", rand.IntN(spans)+1) })
	if err != nil {
		return nil, err
	}
	return append(rows,
		row{
			what: fmt.Sprintf("Trace list p50, %d spans", spans), target: 50, atMost: true, got: ms(quantile(list, 0.5)), unit: "ms",
			detail: fmt.Sprintf("p95 %.1f ms; only errors: p50 %.1f ms", ms(quantile(list, 0.95)), ms(quantile(filtered, 0.5))),
		},
		row{
			what: fmt.Sprintf("Trace by id p50, %d spans", spans), target: 20, atMost: true, got: ms(quantile(byID, 0.5)), unit: "ms",
			detail: fmt.Sprintf("p95 %.1f ms, over random traces", ms(quantile(byID, 0.95))),
		}), nil
}

// reads asks for paths one after another.
func reads(p *proc, path func(i int) string) ([]time.Duration, error) {
	c, err := dial(p.addr, nil)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var out []time.Duration
	for i := range 120 {
		c.req = get(path(i), masterKey)
		a, err := c.do(0)
		if err != nil {
			return nil, err
		}
		if i >= 20 { // warm
			out = append(out, a.whole)
		}
	}
	return sorted(out), nil
}

// fill writes spans into the stores of a folder, by a program of Weir's own module.
func (l *lab) fill(data string, spans int) error {
	bin := filepath.Join(l.dir, "benchfill")
	build := exec.Command("go", "build", "-o", bin, "./internal/benchfill")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	if out, err := exec.Command(bin, data, fmt.Sprint(spans)).CombinedOutput(); err != nil {
		return fmt.Errorf("fill: %w\n%s", err, out)
	}
	return nil
}
