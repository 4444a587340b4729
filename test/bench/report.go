package main

import (
	"bytes"
	"fmt"
	"runtime"
	"time"
)

// row is one line of the report.
type row struct {
	what   string
	target float64
	atMost bool // else at least
	got    float64
	unit   string // behind both
	detail string // absolute figures
}

func (r row) pass() bool {
	if r.atMost {
		return r.got <= r.target
	}
	return r.got >= r.target
}

func (r row) wants() string {
	sign := "≥"
	if r.atMost {
		sign = "≤"
	}
	return fmt.Sprintf("%s %s", sign, figure(r.target, r.unit))
}

func figure(v float64, unit string) string {
	switch {
	case unit == "×":
		return fmt.Sprintf("%.2f×", v)
	case v == float64(int64(v)) || v >= 100:
		return fmt.Sprintf("%.0f %s", v, unit)
	}
	return fmt.Sprintf("%.2f %s", v, unit)
}

func (r row) verdict() string {
	if r.pass() {
		return "met"
	}
	return "**missed**"
}

func (r row) String() string {
	return fmt.Sprintf("%-10s %-62s %10s %12s   %s", r.verdict(), r.what, r.wants(), figure(r.got, r.unit), r.detail)
}

const preface = `# Benchmarks

<!-- written by make bench -->

One run of ` + "`make bench`" + ` on %s (%s, %s), %s; load average before it: %s. A machine that is busy with other work makes the
ratios worse, since everything that Weir does behind an answer competes with it.

Weir, a baseline, the fake upstream and the load generator run as four processes on loopback and share the machine. The
baseline is Go's ` + "`httputil.ReverseProxy`" + ` before the same upstream, reading the body first: what a program costs that only
passes on. Weir checks a virtual key with a budget and records every call. Rounds alternate between the candidates; the
figures are medians over rounds, ratios are taken within a round. Absolute numbers belong to the machine, ratios carry over.

| Measured | Target | Result | | Figures |
|---|---|---|---|---|
`

const notes = `
- A chat call is a request of about 1 KB, each with a different text, and an answer of about 1 KB. The upstream's answer
  text is always the same, so its body is stored once; requests are not.
- *Added latency* is the median with the proxy between minus the median without one, on one connection.
- *First token* runs 100 streams at once against an upstream that takes %s to the first event and %s between events; the second
  event is the first with text.
- *Disk* counts everything under the data folder after 10,000 calls of agents whose context grows from 5 to 60 KB, once
  the process has stopped: bodies, spans, ledger, index and logs. The upstream's short answers count as raw bytes too.
- *A million spans* are written into the stores directly; lists and look-ups go through the REST interface.
`

func report(o options, rows []row, took time.Duration) []byte {
	return append(o.table(preface, rows, took), fmt.Sprintf(notes, paceFirst, paceNext)...)
}

// table is a page's text with the machine filled in, and its rows.
func (o options) table(preface string, rows []row, took time.Duration) []byte {
	var b bytes.Buffer
	kind := "full"
	if o.quick {
		kind = "quick"
	}
	fmt.Fprintf(&b, preface, o.machine, runtime.GOOS+"/"+runtime.GOARCH, runtime.Version(), fmt.Sprintf("%s run, %s", kind, took.Round(time.Second)), o.busy)
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.what, r.wants(), figure(r.got, r.unit), r.verdict(), r.detail)
	}
	return b.Bytes()
}

const tracesPreface = `# Benchmarks of traces

<!-- written by make bench-traces -->

One run of ` + "`make bench-traces`" + ` on %s (%s, %s), %s; load average before it: %s.

The generator, Weir and, where they are measured, the peers run on the same machine; the generator sends OTLP over HTTP in
protobuf, uncompressed, 100 small or 20 large spans a request on four connections, and waits for each acknowledgement. Weir
acknowledges what survives a power loss.

| Measured | Target | Result | | Figures |
|---|---|---|---|---|
`

const tracesNotes = `
- *Spans of 1.5 KB* are traces of 13 spans: an agent, model calls with messages, tools and retrievals, each with its own text.
- *Agent spans* are model calls of agent runs whose context grows from 5 to 55 KB, 30 KB on average; each repeats the conversation.
- *Readable* is the time from the acknowledgement until a list with a filter shows the trace, while the load goes on.
- *Bodies* are what of the requests and answers is on disk once the server has come to rest: the texts, how conversations are made of
  them, and their keys. What else a span takes is in the figures: its record, the text index, the index.
- Queries are asked of spans whose times go over a week. Reads go through the REST interface; figures are medians.
- *Peers* are the newest MLflow and Phoenix from PyPI with their defaults. Each, and a new Weir beside it, gets the same number of
  spans from the same generator: traces of 13 calls of one agent whose context grows, 11 KB a span and 143 KB a trace. A ratio
  compares the rate until everything sent is readable, and the best of five answers to the same question: the newest 50 traces
  (MLflow) or spans (Phoenix) with an attribute or a text, asked as each peer's own language asks for it.
- Disk beside peers is counted once a server's folder has not changed for 10 s and the server has been stopped.
`

func tracesReport(o options, rows []row, took time.Duration) []byte {
	return append(o.table(tracesPreface, rows, took), tracesNotes...)
}

// ms is a duration in milliseconds.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func us(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }
