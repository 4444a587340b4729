package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

const chatPath = "/v1/chat/completions"

// chatBody is a call of about 1 KB with a text that differs per call.
func chatBody(model string, stream bool) []byte {
	text := strings.Repeat("Tell me how a weir keeps the level of a river steady. ", 16)
	extra := ""
	if stream {
		extra = `"stream":true,"stream_options":{"include_usage":true},`
	}
	return fmt.Appendf(nil, `{"model":%q,%s"temperature":0.2,"max_tokens":1000,"user":"bench","messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"%s %s"}]}`,
		model, extra, serialMark, text)
}

// candidate is a server that a load is run against.
type candidate struct {
	name string
	p    *proc
	req  []byte
}

// rounds runs the load against each candidate in turn, n times, after a warm-up. rounds[i][j] is candidate j in round i.
func rounds(n int, l load, warm time.Duration, cs ...candidate) ([][]outcome, error) {
	for _, c := range cs {
		w := l
		w.lasts = warm
		if _, err := w.run(c.p.addr, c.req); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	out := make([][]outcome, n)
	for i := range out {
		out[i] = make([]outcome, len(cs))
		for k := range cs {
			j := (k + i) % len(cs) // no candidate always follows the same one
			before := cs[j].p.cpu()
			o, err := l.run(cs[j].p.addr, cs[j].req)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", cs[j].name, err)
			}
			o.cpu = (cs[j].p.cpu() - before) / time.Duration(len(o.whole))
			out[i][j] = o
		}
	}
	return out, nil
}

func (l *lab) pick(full, quick int) int {
	if l.quick {
		return quick
	}
	return full
}

func (l *lab) span(full, quick time.Duration) time.Duration {
	if l.quick {
		return quick
	}
	return full
}

// with runs f with a Weir that records bodies and one that records metadata only.
func (l *lab) with(f func(full, meta *proc) ([]row, error)) ([]row, error) {
	full, err := l.weir("weir-full", filepath.Join(l.dir, fmt.Sprint("full-", serial.Add(1))), true)
	if err != nil {
		return nil, err
	}
	defer full.stop()
	meta, err := l.weir("weir-meta", filepath.Join(l.dir, fmt.Sprint("meta-", serial.Add(1))), false)
	if err != nil {
		return nil, err
	}
	defer meta.stop()
	return f(full, meta)
}

// latency is what each proxy adds on one connection.
func (l *lab) latency() ([]row, error) {
	return l.with(func(full, meta *proc) ([]row, error) {
		req := request(chatPath, callKey, chatBody("gpt-4o", false))
		got, err := rounds(l.pick(12, 4), load{conns: 1, lasts: l.span(time.Second, 500*time.Millisecond)}, 2*time.Second,
			candidate{"direct", l.fake, req}, candidate{"baseline", l.proxy, req}, candidate{"weir", full, req}, candidate{"weir metadata", meta, req})
		if err != nil {
			return nil, err
		}
		var direct, base, weir, lean []time.Duration
		for _, r := range got {
			direct = append(direct, r[0].p50())
			base, weir, lean = append(base, r[1].p50()-r[0].p50()), append(weir, r[2].p50()-r[0].p50()), append(lean, r[3].p50()-r[0].p50())
		}
		b, w := median(base), median(weir)
		return []row{{
			what: "Added latency p50, one connection, full recording", target: 1.1, atMost: true, got: float64(w) / float64(b), unit: "×",
			detail: fmt.Sprintf("direct %s; baseline +%s, Weir +%s (metadata only +%s)", us(median(direct)), us(b), us(w), us(median(lean))),
		}}, nil
	})
}

// throughput is calls a second on 64 connections.
func (l *lab) throughput() ([]row, error) {
	return l.with(func(full, meta *proc) ([]row, error) {
		req := request(chatPath, callKey, chatBody("gpt-4o", false))
		got, err := rounds(l.pick(7, 3), load{conns: 64, lasts: l.span(2*time.Second, time.Second)}, time.Second,
			candidate{"baseline", l.proxy, req}, candidate{"weir metadata", meta, req}, candidate{"weir", full, req})
		if err != nil {
			return nil, err
		}
		base, lean, weir := perSecond(got, 0), perSecond(got, 1), perSecond(got, 2)
		rate := func(j int) string {
			return fmt.Sprintf("%.0f calls/s at %s CPU a call", median(perSecond(got, j)), us(cpuOf(got, j)))
		}
		return []row{
			{what: "Throughput, 64 connections, metadata recording", target: 1, got: ratio(lean, base), unit: "×", detail: fmt.Sprintf("baseline %s, Weir %s", rate(0), rate(1))},
			{what: "Throughput, 64 connections, full bodies", target: 0.5, got: ratio(weir, base), unit: "×", detail: fmt.Sprintf("baseline %s, Weir %s", rate(0), rate(2))},
		}, nil
	})
}

func perSecond(got [][]outcome, j int) (out []float64) {
	for _, r := range got {
		out = append(out, r[j].perSecond)
	}
	return out
}

// cpuOf is what candidate j spends on one call, without what it does later.
func cpuOf(got [][]outcome, j int) time.Duration {
	var v []time.Duration
	for _, r := range got {
		v = append(v, r[j].cpu)
	}
	return median(v)
}

// ratio is the median of the rounds' ratios.
func ratio(a, b []float64) float64 {
	var out []float64
	for i := range a {
		out = append(out, a[i]/b[i])
	}
	return median(out)
}

// streams is streams of 200 chunks a second, as fast as the upstream can send.
func (l *lab) streams() ([]row, error) {
	return l.with(func(full, meta *proc) ([]row, error) {
		req := request(chatPath, callKey, chatBody("gpt-4o", true))
		got, err := rounds(l.pick(6, 3), load{conns: 64, lasts: l.span(2*time.Second, time.Second)}, time.Second,
			candidate{"baseline", l.proxy, req}, candidate{"weir", full, req}, candidate{"weir metadata", meta, req})
		if err != nil {
			return nil, err
		}
		base, weir, lean := perSecond(got, 0), perSecond(got, 1), perSecond(got, 2)
		return []row{{
			what: "Streams of 200 chunks, 64 connections, full bodies", target: 0.8, got: ratio(weir, base), unit: "×",
			detail: fmt.Sprintf("baseline %.0f streams/s at %s CPU each, Weir %.0f at %s (metadata only %.0f at %s)", median(base), us(cpuOf(got, 0)), median(weir), us(cpuOf(got, 1)),
				median(lean), us(cpuOf(got, 2))),
		}}, nil
	})
}

// firstToken is how much later the first content of a stream comes with a proxy between.
func (l *lab) firstToken() ([]row, error) {
	return l.with(func(full, _ *proc) ([]row, error) {
		req := request(chatPath, callKey, chatBody("paced", true))
		lasts := l.span(4*time.Second, 2*time.Second)
		got, err := rounds(l.pick(4, 2), load{conns: 100, lasts: lasts, stagger: 900 * time.Millisecond}, time.Second,
			candidate{"direct", l.paced, req}, candidate{"baseline", l.paceless, req}, candidate{"weir", full, req})
		if err != nil {
			return nil, err
		}
		at := func(j int, q float64) time.Duration {
			var v []time.Duration
			for _, r := range got {
				v = append(v, quantile(r[j].first, q))
			}
			return median(v)
		}
		direct := at(0, 0.5)
		return []row{{
			what: "First token added p50, 100 concurrent streams", target: 2, atMost: true, got: ms(at(2, 0.5) - direct), unit: "ms",
			detail: fmt.Sprintf("direct %.2f ms; baseline +%.2f ms; Weir p95 +%.2f ms", ms(direct), ms(at(1, 0.5)-direct), ms(at(2, 0.95)-at(0, 0.95))),
		}}, nil
	})
}
