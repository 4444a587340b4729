package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// sink is a server that takes OTLP over HTTP.
type sink struct {
	addr   string
	path   string
	header map[string]string
}

// pour sends what make yields on several connections until the deadline or, if it is not 0, until total spans have been
// acknowledged. make returns a request, its number of spans, and the id of a trace in it.
type pour struct {
	conns int
	lasts time.Duration
	total int64
	make  func(conn int) func() (body []byte, spans int, trace string)
}

// poured is what a pour measured.
type poured struct {
	spans, bytes int64
	took         time.Duration
	acks         []time.Duration // sorted
	cpu          time.Duration   // of the server
}

func (p *poured) perSecond() float64 { return float64(p.spans) / p.took.Seconds() }

func (p *poured) describe() string {
	return fmt.Sprintf("%.0f s, %d bytes a span, %s CPU a span, ack p50 %.0f ms p99 %.0f ms", p.took.Seconds(), p.bytes/p.spans, us(p.cpu/time.Duration(p.spans)),
		ms(quantile(p.acks, .5)), ms(quantile(p.acks, .99)))
}

func (p pour) run(to sink, seen *atomic.Pointer[string]) (*poured, error) {
	var (
		out         poured
		mu          sync.Mutex
		wg          sync.WaitGroup
		spans, size atomic.Int64
		fails       = make(chan error, p.conns)
	)
	began := time.Now()
	for i := range p.conns {
		wg.Go(func() {
			next, client := p.make(i), &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{}).DialContext, DisableCompression: true, WriteBufferSize: 256 << 10}, Timeout: time.Minute}
			var acks []time.Duration
			for (p.lasts == 0 || time.Since(began) < p.lasts) && (p.total == 0 || spans.Load() < p.total) {
				body, n, trace := next()
				at := time.Now()
				if err := to.send(client, body); err != nil {
					fails <- err
					break
				}
				acks = append(acks, time.Since(at))
				spans.Add(int64(n))
				size.Add(int64(len(body)))
				if seen != nil {
					seen.Store(&trace)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			out.acks = append(out.acks, acks...)
		})
	}
	wg.Wait()
	out.spans, out.bytes, out.took, out.acks = spans.Load(), size.Load(), time.Since(began), sorted(out.acks)
	select {
	case err := <-fails:
		return &out, err
	default:
		return &out, nil
	}
}

// send repeats a refused request after the time asked for, as exporters do.
func (s sink) send(c *http.Client, body []byte) error {
	for {
		r, err := http.NewRequest(http.MethodPost, "http://"+s.addr+s.path, bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/x-protobuf")
		for k, v := range s.header {
			r.Header.Set(k, v)
		}
		res, err := c.Do(r)
		if err != nil {
			return err
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		switch res.StatusCode {
		case http.StatusOK, http.StatusAccepted:
			return nil
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			time.Sleep(200 * time.Millisecond)
		default:
			return fmt.Errorf("%d %s", res.StatusCode, text)
		}
	}
}

// smalls makes requests with small traces of now.
func smalls(conn int) func() ([]byte, int, string) {
	return smallsAt(conn, func() time.Time { return time.Now().Add(-2 * time.Minute) })
}

// smallsOver makes requests whose times go from some time ago to now while so many spans are made, as if they had been
// sent when they happened.
func smallsOver(ago time.Duration, total int64) func(int) func() ([]byte, int, string) {
	var made atomic.Int64
	from := time.Now().Add(-ago)
	return func(conn int) func() ([]byte, int, string) {
		return smallsAt(conn, func() time.Time {
			return from.Add(time.Duration(float64(ago) * min(1, float64(made.Add(batchSpans))/float64(total))))
		})
	}
}

func smallsAt(conn int, about func() time.Time) func() ([]byte, int, string) {
	r := newRiver(uint64(time.Now().UnixNano()) + uint64(conn))
	return func() ([]byte, int, string) {
		spans, last := r.small(batchSpans, about())
		return export(spans), len(spans), hex.EncodeToString(last[:])
	}
}

// agentsOn makes requests with the calls of one agent run after another.
func agentsOn(c course) func(int) func() ([]byte, int, string) {
	return func(conn int) func() ([]byte, int, string) {
		r := newRiver(uint64(time.Now().UnixNano()) + uint64(conn)<<32)
		run := agent{course: c}
		return func() ([]byte, int, string) {
			spans := make([][]byte, 20)
			for i := range spans {
				spans[i] = r.next(&run)
			}
			return export(spans), len(spans), hex.EncodeToString(run.trace[:])
		}
	}
}

func (p *proc) sink() sink {
	return sink{addr: p.addr, path: "/v1/traces", header: map[string]string{"Authorization": "Bearer " + masterKey}}
}

// lags measures, while a pour runs, how long an acknowledged trace takes to be in a list, and the highest memory.
type lags struct {
	waits []time.Duration
	rss   int64
	errs  []error
}

func (p *proc) watch(ctx context.Context, seen *atomic.Pointer[string]) (l lags) {
	for ctx.Err() == nil {
		l.rss = max(l.rss, p.rss())
		if t := seen.Load(); t != nil {
			at := time.Now()
			if err := p.listed(ctx, *t); err != nil {
				if ctx.Err() == nil {
					l.errs = append(l.errs, err)
				}
			} else {
				l.waits = append(l.waits, time.Since(at))
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
	}
	sorted(l.waits)
	return l
}

// listed waits until a list shows the trace.
func (p *proc) listed(ctx context.Context, trace string) error {
	path := "/api/v1/traces?limit=1&filter=" + url.QueryEscape("trace = "+trace)
	for ctx.Err() == nil {
		b, err := p.read(path)
		if err != nil {
			return err
		}
		if bytes.Contains(b, []byte(trace)) {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return ctx.Err()
}

func (p *proc) poured(what pour) (*poured, lags, error) {
	var seen atomic.Pointer[string]
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan lags)
	go func() { done <- p.watch(ctx, &seen) }()
	before := p.cpu()
	out, err := what.run(p.sink(), &seen)
	out.cpu = p.cpu() - before
	cancel()
	l := <-done
	return out, l, errors.Join(append(l.errs, err)...)
}

// ingest is the sustained rate of both kinds of spans.
func (l *lab) ingest() ([]row, error) {
	p, err := l.weir("weir-ingest", filepath.Join(l.dir, "ingest"), true)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	lasts := l.span(60*time.Second, 10*time.Second)
	if _, _, err := p.poured(pour{conns: 2, lasts: 3 * time.Second, make: smalls}); err != nil {
		return nil, err
	}
	small, lag, err := p.poured(pour{conns: 4, lasts: lasts, make: smalls})
	if err != nil {
		return nil, err
	}
	rows := []row{
		{what: "Ingest, spans of 1.5 KB", target: 20_000, got: small.perSecond(), unit: "spans/s",
			detail: small.describe()},
		{what: "… readable in a list after the ack, p95", target: 1000, atMost: true, got: ms(quantile(lag.waits, .95)), unit: "ms", detail: fmt.Sprintf("under that load, p50 %.0f ms, %d samples", ms(quantile(lag.waits, .5)), len(lag.waits))},
	}
	if err := settled(p); err != nil {
		return nil, err
	}
	large, lag2, err := p.poured(pour{conns: 4, lasts: lasts, make: agentsOn(longCourse)})
	if err != nil {
		return nil, err
	}
	return append(rows,
		row{what: "Ingest, agent spans of 30 KB", target: 4_000, got: large.perSecond(), unit: "spans/s",
			detail: large.describe()},
		row{what: "… readable in a list after the ack, p95", target: 1000, atMost: true, got: ms(quantile(lag2.waits, .95)), unit: "ms", detail: fmt.Sprintf("p50 %.0f ms", ms(quantile(lag2.waits, .5)))},
		row{what: "Resident memory under ingest", target: 1000, atMost: true, got: float64(max(lag.rss, lag2.rss)) / (1 << 20), unit: "MiB", detail: "highest sample"},
	), nil
}

// bodies is what bodies take on disk.
func (l *lab) bodies() ([]row, error) {
	var rows []row
	for _, k := range []struct {
		name   string
		target float64
		total  int64
		make   func(int) func() ([]byte, int, string)
	}{
		{"Bodies on disk, agent spans of 30 KB", 5, int64(l.pick(40_000, 8_000)), agentsOn(longCourse)},
		{"Bodies on disk, spans of 1.5 KB with prose", 35, int64(l.pick(400_000, 60_000)), smalls},
	} {
		data := filepath.Join(l.dir, "bodies-"+strings.ReplaceAll(k.name, " ", "-"))
		p, err := l.weir("weir-bodies", data, true)
		if err != nil {
			return nil, err
		}
		out, err := pour{conns: 4, total: k.total, make: k.make}.run(p.sink(), nil)
		if err == nil {
			err = settled(p)
		}
		var parts map[string]float64
		if err == nil {
			parts, err = p.parts()
		}
		p.stop()
		if err != nil {
			return nil, err
		}
		used, raw := float64(diskUse(data)), float64(out.bytes)
		each := func(bytes float64) float64 { return bytes / float64(out.spans) }
		rows = append(rows, row{what: k.name, target: k.target, atMost: true, got: 100 * parts["bodies"] / raw, unit: "%",
			detail: fmt.Sprintf("with everything else below the data folder %.1f %%: %.0f MB of %.0f MB sent, a span: bodies %.0f B, records %.0f B, text index %.0f B, index %.0f B", 100*used/raw, used/1e6, raw/1e6,
				each(parts["bodies"]), each(parts["spans"]), each(parts["texts"]), each(float64(diskUse(filepath.Join(data, "index")))))})
	}
	return rows, nil
}

var partMetric = regexp.MustCompile(`(?m)^weir_truth_bytes\{part="(\w+)"\} (\S+)$`)

// parts tells what the truth's disk is used for, in bytes, once the process has nothing left to tidy up.
func (p *proc) parts() (map[string]float64, error) {
	if _, err := atRest(func() int64 { return diskUse(p.data) }); err != nil {
		return nil, err
	}
	b, err := p.read("/metrics")
	if err != nil {
		return nil, err
	}
	sizes := map[string]float64{}
	for _, m := range partMetric.FindAllSubmatch(b, -1) {
		if sizes[string(m[1])], err = strconv.ParseFloat(string(m[2]), 64); err != nil {
			return nil, err
		}
	}
	return sizes, nil
}

// tenMillion fills a data folder over a claimed week and asks what its users ask.
func (l *lab) tenMillion() ([]row, error) {
	data := filepath.Join(l.dir, "ten-million")
	p, err := l.weir("weir-fill", data, true)
	if err != nil {
		return nil, err
	}
	defer func() { p.stop() }()
	total := cmp.Or(l.spans, int64(l.pick(10_000_000, 300_000)))
	if _, err := (pour{conns: 4, total: total, make: smallsOver(7*24*time.Hour, total)}).run(p.sink(), nil); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := p.indexed(ctx); err != nil {
		return nil, err
	}
	p.stop()
	if p, err = l.weir("weir-reads", data, true); err != nil {
		return nil, err
	}
	if err := settled(p); err != nil {
		return nil, err
	}
	rows := []row{
		{what: fmt.Sprintf("Start to ready with %d spans", total), target: 1000, atMost: true, got: ms(p.ready), unit: "ms"},
		{what: "Index, bytes a span", target: 100, atMost: true, got: float64(diskUse(filepath.Join(data, "index"))) / float64(total), unit: "B",
			detail: fmt.Sprintf("%.2f GB of %.2f GB in all", float64(diskUse(filepath.Join(data, "index")))/1e9, float64(diskUse(data))/1e9)},
	}
	more, err := l.questions(p)
	return append(rows, more...), err
}

// question is a read and how long it may take.
type question struct {
	what   string
	target float64 // ms
	path   string
}

func ask(view, filter string, more ...string) string {
	return "/api/v1/traces?" + url.Values{"view": {view}, "filter": {filter}, "limit": {"50"}}.Encode() + strings.Join(more, "")
}

func (l *lab) questions(p *proc) ([]row, error) {
	trace, order, phrase, err := p.sample()
	if err != nil {
		return nil, err
	}
	week := "&from=" + url.QueryEscape(time.Now().Add(-7*24*time.Hour).UTC().Format(time.RFC3339))
	figures := func(group, measures string) string {
		return "/api/v1/aggregate?only=true&measure=" + measures + "&group_by=" + group + "&interval=1h" + week
	}
	var rows []row
	for _, q := range []question{
		{"Newest page, three column filters", 50, ask("spans", `status = error and model = "gpt-4o" and duration > 500ms`)},
		{"Newest page, attribute filter", 250, ask("spans", `attributes.app.tenant = "tenant-7"`)},
		{"Newest page of traces", 50, ask("traces", "")},
		{"Trace tree", 20, "/api/v1/traces/" + trace + "/tree"},
		{"Dashboard: calls, cost, tokens by model, 7 days", 100, figures("model", "calls,cost,tokens")},
		{"Dashboard: p50, p95 by model, 7 days", 100, figures("model", "p50,p95")},
		{"Dashboard: errors by status, 7 days", 100, figures("status", "errors,calls")},
		{"Dashboard: top users, 7 days", 100, "/api/v1/aggregate?only=true&measure=cost&group_by=user&interval=none" + week},
		{"Full text, the number of one order, a week", 500, ask("spans", `text contains "`+order+`"`, week)},
		{"Full text, a word that is everywhere, a week", 500, ask("spans", `text contains "`+phrase[:5]+`"`, week)},
		{"Full text, a phrase of frequent words, a week", 500, ask("spans", `text contains "`+phrase+`"`, week)},
		{"Full text, a text that is nowhere, a week", 500, ask("spans", `text contains "ORD-0000"`, week)},
	} {
		var took []time.Duration
		for range l.pick(15, 7) {
			at := time.Now()
			if _, err := p.read(q.path); err != nil {
				return rows, fmt.Errorf("%s: %w", q.what, err)
			}
			took = append(took, time.Since(at))
		}
		sorted(took)
		rows = append(rows, row{what: q.what, target: q.target, atMost: true, got: ms(quantile(took, .5)), unit: "ms", detail: fmt.Sprintf("slowest of %d: %.0f ms", len(took), ms(took[len(took)-1]))})
	}
	return rows, nil
}

// sample finds a trace, the order of one of its tools, and a piece of a text.
func (p *proc) sample() (trace, order, phrase string, err error) {
	var page struct {
		Items []struct {
			Trace   string `json:"trace"`
			ID      string `json:"id"`
			Preview string `json:"input_preview"`
		} `json:"items"`
	}
	for _, kind := range []string{"tool", "generation"} {
		b, err := p.read(ask("spans", "kind = "+kind))
		if err != nil {
			return "", "", "", err
		}
		if err := json.Unmarshal(b, &page); err != nil || len(page.Items) == 0 {
			return "", "", "", fmt.Errorf("no spans to ask about: %w", err)
		}
		i := page.Items[len(page.Items)-1]
		if kind == "tool" {
			trace, order = i.Trace, "ORD-"+i.ID
		} else {
			phrase = i.Preview[40:min(70, len(i.Preview))]
		}
	}
	return trace, order, phrase, nil
}
