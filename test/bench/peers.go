package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"regexp"
	"time"
)

// peer is another server that takes OTLP. Its calls answer whether what they ask for is there.
type peer struct {
	name  string
	to    sink
	p     *proc
	data  string
	count func() (int64, error) // spans that can be read
	// byAttribute and byText ask for the newest spans or traces with an attribute, and with a text.
	byAttribute, byText func(value string) error
}

// peerLimit bounds one question: some never end.
const peerLimit = 60 * time.Second

// peers measures each peer, and beside it a new Weir with as many of the same spans: searches slow down with what there is.
func (l *lab) peers() ([]row, error) {
	var rows []row
	for _, other := range []struct {
		start  func() (*peer, error)
		spans  int64
		view   string // of what the peer's search lists
		ingest float64
	}{
		{l.mlflow, int64(l.pick(26_000, 4_000)), "traces", 10},
		{l.phoenix, int64(l.pick(13_000, 1_000)), "spans", 60},
	} {
		theirs, err := l.beside(other.start, other.spans)
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Println("not installed, so not measured (test/bench/peers.sh installs it):", err)
			continue
		}
		if err != nil {
			return rows, err
		}
		ours, err := l.beside(func() (*peer, error) { return l.asPeer(theirs.name, other.view) }, other.spans)
		if err != nil {
			return rows, err
		}
		rows = append(rows, ours.against(theirs, other.ingest)...)
	}
	return rows, nil
}

// beside measures a server and ends it.
func (l *lab) beside(start func() (*peer, error), spans int64) (standing, error) {
	p, err := start()
	if err != nil {
		return standing{}, err
	}
	s, err := p.measure(spans, peerCourse)
	p.p.stop()
	if err != nil {
		return s, fmt.Errorf("%s: %w", p.name, err)
	}
	s.disk = diskUse(p.data)
	return s, nil
}

// standing is what a peer was measured to do.
type standing struct {
	name            string
	rate            float64 // spans/s until all could be read
	attribute, text time.Duration
	spans, bytes    int64 // sent
	disk            int64 // bytes, after a rest and a stop
}

// What the first request holds is sought: a piece of its first message, and a value that every fiftieth trace has.
var (
	sought   = regexp.MustCompile(`"content":".{60}(.{30})`)
	tenantOf = regexp.MustCompile(`tenant-\d\d`)
)

func (p *peer) measure(spans int64, c course) (s standing, err error) {
	s.name = p.name
	body, n, _ := agentsOn(c)(99)()
	text, tenant := sought.FindSubmatch(body), tenantOf.Find(body)
	if text == nil || tenant == nil {
		return s, errors.New("the generator's spans have nothing to search for")
	}
	client := &http.Client{Timeout: time.Minute}
	if err := p.to.send(client, body); err != nil { // what the first request sets up is not measured
		return s, err
	}
	if err := p.readable(int64(n)); err != nil {
		return s, err
	}
	began := time.Now()
	out, err := pour{conns: 4, total: spans, make: agentsOn(c)}.run(p.to, nil)
	if err != nil {
		return s, err
	}
	s.spans, s.bytes = out.spans+int64(n), out.bytes+int64(len(body))
	if err := p.readable(s.spans); err != nil {
		return s, err
	}
	s.rate = float64(out.spans) / time.Since(began).Seconds()
	for range 5 {
		s.attribute = shorter(s.attribute, func() error { return p.byAttribute(string(tenant)) }, &err)
		s.text = shorter(s.text, func() error { return p.byText(string(text[1])) }, &err)
	}
	if err == nil {
		_, err = atRest(func() int64 { return diskUse(p.data) })
	}
	return s, err
}

const (
	restSteady = 10 * time.Second // longer than any server here waits before it tidies up
	restLimit  = 3 * time.Minute
)

// atRest waits until a size has not changed for a while.
func atRest(of func() int64) (int64, error) {
	size, since := of(), time.Now()
	for end := time.Now().Add(restLimit); time.Since(since) < restSteady; time.Sleep(time.Second) {
		if now := of(); now != size {
			size, since = now, time.Now()
		}
		if time.Now().After(end) {
			return size, fmt.Errorf("no rest within %s", restLimit)
		}
	}
	return size, nil
}

// shorter times a question; one that does not end counts as its limit and is not asked again.
func shorter(before time.Duration, f func() error, err *error) time.Duration {
	if before >= peerLimit || *err != nil {
		return before
	}
	at := time.Now()
	e := f()
	took := time.Since(at)
	if e != nil && took < peerLimit {
		*err = e
	}
	if before == 0 {
		return took
	}
	return min(before, took)
}

func (p *peer) readable(spans int64) error {
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		n, err := p.count()
		if err != nil {
			return err
		}
		if n >= spans {
			return nil
		}
	}
	return fmt.Errorf("%s does not show %d spans", p.name, spans)
}

// against compares Weir with another server that was asked the same.
func (s standing) against(o standing, ingest float64) []row {
	text := faster("Full text", o.name, s.text, o.text, 50)
	if o.text >= peerLimit {
		text.detail += ", given up"
	}
	ours, theirs := float64(s.disk)/float64(s.spans), float64(o.disk)/float64(o.spans)
	return []row{
		{what: "Readable spans/s against " + o.name, target: ingest, got: s.rate / o.rate, unit: "×",
			detail: fmt.Sprintf("Weir %.0f, %s %.0f; %d spans of %.1f KB in traces of %d", s.rate, o.name, o.rate, o.spans, float64(o.bytes)/float64(o.spans)/1e3, peerCourse.turns)},
		faster("Attribute filter", o.name, s.attribute, o.attribute, 200),
		text,
		{what: "Disk a span against " + o.name, target: 1. / 30, atMost: true, got: ours / theirs, unit: "×", detail: fmt.Sprintf("Weir %.0f B, %s %.0f B", ours, o.name, theirs)},
	}
}

func faster(what, name string, ours, theirs time.Duration, target float64) row {
	return row{what: what + " against " + name, target: target, got: float64(theirs) / float64(ours), unit: "×",
		detail: fmt.Sprintf("Weir %.1f ms, %s %.0f ms", ms(ours), name, ms(theirs))}
}

// asPeer is Weir, asked what another is.
func (l *lab) asPeer(other, view string) (*peer, error) {
	data := filepath.Join(l.dir, "weir-beside-"+other)
	p, err := l.weir("weir-beside-"+other, data, true)
	if err != nil {
		return nil, err
	}
	there := func(path string) error {
		b, err := p.read(path)
		if err == nil && !bytes.Contains(b, []byte(`"trace":`)) {
			err = errors.New("nothing was found")
		}
		return err
	}
	return &peer{
		name: "Weir", to: p.sink(), p: p, data: data,
		count: func() (int64, error) {
			b, err := p.read("/api/v1/traces/count")
			if err != nil {
				return 0, err
			}
			var c struct{ Count int64 }
			return c.Count, json.Unmarshal(b, &c)
		},
		byAttribute: func(v string) error { return there(ask(view, fmt.Sprintf("attributes.app.tenant = %q", v))) },
		byText:      func(v string) error { return there(ask(view, fmt.Sprintf("text contains %q", v))) },
	}, nil
}
