//go:build unix

package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"weir/internal/gateway"
	"weir/internal/tenant"
)

// benchRecord measures everything recording costs a call, in all goroutines: intent, queue, cutting, commit.
func benchRecord(b *testing.B, make func(n int) (request, response []byte)) {
	r, _ := startRecorder(b, func(o *Options) { o.Gather = 5 * time.Millisecond })
	b.ReportAllocs()
	n, before := 0, cpuTime(b)
	for b.Loop() {
		rec := &gateway.Record{Span: agentSpan(n, n%20), Charge: true}
		rec.Request, rec.Response = make(n)
		i := gateway.Intent{
			Trace: rec.Span.Trace, Span: rec.Span.ID, Project: project, Key: tenant.HashKey("sk"), User: "u1", Group: "claude",
			Deployment: "claude#0", Start: rec.Span.Start, Reserved: 1000,
		}
		if r.Admit() != nil { // the benchmark is faster than the disk: let the writer catch up
			flush(b, r)
		}
		if err := r.Begin(i); err != nil {
			b.Fatal(err)
		}
		r.End(rec)
		n++
	}
	flush(b, r)
	b.ReportMetric(float64(cpuTime(b)-before)/float64(n)/1e3, "cpu-µs/op")
}

// cpuTime is what the process has used so far, the engine's compactions included.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkRecordMetadata(b *testing.B) {
	benchRecord(b, func(int) ([]byte, []byte) { return nil, nil })
}

func BenchmarkRecord2KB(b *testing.B) {
	text := newProse(1).text(1 << 10)
	benchRecord(b, func(n int) ([]byte, []byte) {
		return fmt.Appendf(nil, `{"model":"m","messages":[{"role":"user","content":"%d %s"}]}`, n, strings.ReplaceAll(text, "\n", " ")),
			fmt.Appendf(nil, `{"choices":[{"message":{"role":"assistant","content":"%d %s"}}]}`, n, strings.ReplaceAll(text, "\n", " "))
	})
}

// BenchmarkRecordAgent is the agents' load of TestAgentsOnDisk, 38 KB a call; making it is not counted.
func BenchmarkRecordAgent(b *testing.B) {
	p := newProse(7)
	system := p.text(4 << 10)
	var run *agentRun
	benchRecord(b, func(n int) ([]byte, []byte) {
		b.StopTimer()
		defer b.StartTimer()
		if n%callsPerRun == 0 {
			run = newAgentRun(p, n, system)
		}
		request, response := run.next()
		return []byte(request), []byte(response)
	})
}

func BenchmarkCut(b *testing.B) {
	p := newProse(7)
	run := newAgentRun(p, 0, p.text(4<<10))
	var body string
	for range callsPerRun {
		body, _ = run.next()
	}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, _, _, ok := cut([]byte(body)); !ok {
			b.Fatal("not cut")
		}
	}
}
