// Command bench measures Weir against a plain reverse proxy to the same upstream, in one run on one machine, and writes
// the table of docs/benchmarks.md. Every rate is a ratio: absolute figures belong to the machine, ratios carry over.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "baseline" {
		exit(baseline(os.Args[2]))
	}
	var o options
	flag.BoolVar(&o.quick, "quick", false, "fewer and shorter rounds, a tenth of the spans: about a minute")
	flag.StringVar(&o.only, "only", "", "run only measurements whose name matches this expression, and write no file")
	flag.StringVar(&o.suite, "suite", "calls", "calls (the gateway) or traces (ingest and queries)")
	flag.Int64Var(&o.spans, "spans", 0, "spans that queries are measured on; 0 = ten million, or 300,000 if quick")
	flag.StringVar(&o.out, "out", "", "file to write; default: the suite's page below ../docs")
	flag.StringVar(&o.machine, "machine", "2 shared cores, 24 GiB", "how the report describes the machine")
	flag.Parse()
	exit(run(o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

type options struct {
	spans        int64 // of the queries; 0 = the suite's own number
	quick        bool
	suite, only  string
	out, machine string
	busy         string // load average before the run
}

var errMissed = errors.New("a target was missed")

func run(o options) error {
	bin := os.Getenv("WEIR_BIN")
	if bin == "" {
		bin = "../bin"
	}
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "weir-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l := &lab{dir: dir, bin: bin, quick: o.quick, spans: o.spans}
	defer l.close()
	if err := l.upstreams(); err != nil {
		return err
	}
	only, err := regexp.Compile(o.only)
	if err != nil {
		return err
	}
	began := time.Now()
	o.busy = loadAverage()
	var rows []row
	suite, ok := l.suites()[o.suite]
	if !ok {
		return fmt.Errorf("no suite %q", o.suite)
	}
	for _, m := range suite.measurements {
		if !only.MatchString(m.name) {
			continue
		}
		got, err := m.measure()
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		for _, r := range got {
			fmt.Println(r)
		}
		rows = append(rows, got...)
	}
	if o.only == "" {
		if o.out == "" {
			o.out = suite.page
		}
		if err := os.WriteFile(o.out, suite.report(o, rows, time.Since(began)), 0o644); err != nil {
			return err
		}
	}
	for _, r := range rows {
		if !r.pass() {
			return errMissed
		}
	}
	return nil
}

// loadAverage is the mean number of processes that wanted a processor in the last minute.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	first, _, ok := strings.Cut(string(b), " ")
	if err != nil || !ok {
		return "unknown"
	}
	return first
}

// suite is what one page of the documentation shows.
type suite struct {
	page         string
	measurements []measurement
	report       func(o options, rows []row, took time.Duration) []byte
}

func (l *lab) suites() map[string]suite {
	return map[string]suite{
		"calls": {"../docs/benchmarks.md", []measurement{
			{"start", l.starts}, {"latency", l.latency}, {"throughput", l.throughput}, {"streams", l.streams}, {"first-token", l.firstToken},
			{"disk", l.disk}, {"million", l.million},
		}, report},
		"traces": {"../docs/benchmarks-traces.md", []measurement{
			{"ingest", l.ingest}, {"bodies", l.bodies}, {"ten-million", l.tenMillion}, {"peers", l.peers},
		}, tracesReport},
	}
}

type measurement struct {
	name    string
	measure func() ([]row, error)
}
