package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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

func (l *lab) peers() ([]row, error) {
	spans := int64(l.pick(20_000, 4_000))
	weir, err := l.asPeer()
	if err != nil {
		return nil, err
	}
	defer weir.p.stop()
	ours, err := weir.measure(spans, peerCourse)
	if err != nil {
		return nil, fmt.Errorf("weir: %w", err)
	}
	var rows []row
	for _, other := range []struct {
		start  func() (*peer, error)
		spans  int64
		ingest float64
	}{{l.mlflow, spans, 10}, {l.phoenix, spans / 4, 60}} {
		p, err := other.start()
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Println("not installed, so not measured (test/bench/peers.sh installs it):", err)
			continue
		}
		if err != nil {
			return rows, err
		}
		theirs, err := p.measure(other.spans, peerCourse)
		p.p.stop()
		if err != nil {
			return rows, fmt.Errorf("%s: %w", p.name, err)
		}
		rows = append(rows, ours.against(p.name, theirs, other.ingest)...)
	}
	return rows, nil
}

// standing is what a peer was measured to do.
type standing struct {
	rate            float64 // spans/s until all could be read
	attribute, text time.Duration
	textEnded       bool
	disk            float64 // bytes a span
	spans           int64
}

func (p *peer) measure(spans int64, c course) (s standing, err error) {
	first, text := agentsOn(c)(99), ""
	body, n, _ := first()
	if at := bytes.Index(body, []byte(`"content":"`)); at > 0 {
		text = string(body[at+60 : at+90])
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
	if err := p.readable(out.spans + int64(n)); err != nil {
		return s, err
	}
	s.spans, s.rate = out.spans, float64(out.spans)/time.Since(began).Seconds()
	for range 5 {
		s.attribute = shorter(s.attribute, func() error { return p.byAttribute("tenant-7") }, &err)
		s.text = shorter(s.text, func() error { return p.byText(text) }, &err)
	}
	s.textEnded = s.text < peerLimit
	s.disk = float64(diskUse(p.data)) / float64(out.spans)
	return s, err
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
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
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

func (s standing) against(name string, o standing, ingest float64) []row {
	bound := ""
	if !o.textEnded {
		bound = ", given up"
	}
	rows := []row{
		{what: "Readable spans/s against " + name, target: ingest, got: s.rate / o.rate, unit: "×", detail: fmt.Sprintf("Weir %.0f, %s %.0f", s.rate, name, o.rate)},
		{what: "Attribute filter against " + name, target: 200, got: float64(o.attribute) / float64(s.attribute), unit: "×",
			detail: fmt.Sprintf("Weir %.1f ms at %d spans, %s %.0f ms at %d", ms(s.attribute), s.spans, name, ms(o.attribute), o.spans)},
		{what: "Full text against " + name, target: 50, got: float64(o.text) / float64(s.text), unit: "×", detail: fmt.Sprintf("Weir %.1f ms, %s %.0f ms%s", ms(s.text), name, ms(o.text), bound)},
	}
	return append(rows, row{what: "Disk a span against " + name, target: 1. / 30, atMost: true, got: s.disk / o.disk, unit: "×", detail: fmt.Sprintf("Weir %.0f B, %s %.0f B", s.disk, name, o.disk)})
}

// asPeer is Weir, asked what the others are.
func (l *lab) asPeer() (*peer, error) {
	data := filepath.Join(l.dir, "peer-weir")
	p, err := l.weir("weir-peer", data, true)
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
		byAttribute: func(v string) error { return there(ask("spans", fmt.Sprintf("attributes.app.tenant = %q", v))) },
		byText:      func(v string) error { return there(ask("spans", fmt.Sprintf("text contains %q", v))) },
	}, nil
}

// spawn starts a peer's program below test/.work/peers and waits until a path answers.
func (l *lab) spawn(name, health string, env []string, port int, args ...string) (*proc, error) {
	args[0] = filepath.Join(".work", "peers", name, "bin", args[0])
	if _, err := os.Stat(args[0]); err != nil {
		return nil, err
	}
	p := &proc{name: name, addr: "127.0.0.1:" + strconv.Itoa(port), cmd: exec.Command(args[0], args[1:]...)}
	var err error
	if p.log, err = os.Create(filepath.Join(l.dir, name+".log")); err != nil {
		return nil, err
	}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = append(plain(), env...), p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if r, err := http.Get("http://" + p.addr + health); err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return p, nil
			}
		}
	}
	p.stop()
	text, _ := os.ReadFile(p.log.Name())
	return nil, fmt.Errorf("%s does not start:\n%s", name, text)
}

// call sends JSON and reads JSON, within the limit of a question.
func call(method, addr string, body, answer any) error {
	ctx, cancel := context.WithTimeout(context.Background(), peerLimit)
	defer cancel()
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, addr, bytes.NewReader(b))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d %.300s", addr, res.StatusCode, text)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, answer)
}

func (l *lab) mlflow() (*peer, error) {
	dir := filepath.Join(l.dir, "peer-mlflow")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := l.spawn("mlflow", "/health", nil, port, "mlflow", "server", "--host", "127.0.0.1", "--port", strconv.Itoa(port),
		"--backend-store-uri", "sqlite:///"+filepath.Join(dir, "mlflow.db"), "--artifacts-destination", filepath.Join(dir, "artifacts"))
	if err != nil {
		return nil, err
	}
	base := "http://" + p.addr
	search := func(filter string) error {
		var got struct{ Traces []any }
		err := call(http.MethodPost, base+"/api/3.0/mlflow/traces/search", map[string]any{
			"locations": []any{map[string]any{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": map[string]any{"experiment_id": "0"}}},
			"filter":    filter, "max_results": 50,
		}, &got)
		if err == nil && len(got.Traces) == 0 {
			err = errors.New("nothing was found with " + filter)
		}
		return err
	}
	return &peer{
		name: "MLflow", p: p, data: dir, to: sink{addr: p.addr, path: "/v1/traces", header: map[string]string{"x-mlflow-experiment-id": "0"}},
		count:       func() (int64, error) { return mlflowSpans(base) },
		byAttribute: func(v string) error { return search("span.attributes.`app.tenant` LIKE '%" + v + "%'") },
		byText:      func(v string) error { return search("trace.text LIKE '%" + v + "%'") },
	}, nil
}

// mlflowSpans asks for the number of spans as its dashboard does.
func mlflowSpans(base string) (int64, error) {
	var got struct {
		DataPoints []struct {
			Values map[string]float64 `json:"values"`
		} `json:"data_points"`
	}
	err := call(http.MethodPost, base+"/api/3.0/mlflow/traces/metrics", map[string]any{
		"experiment_ids": []string{"0"}, "view_type": "SPANS", "metric_name": "span_count", "aggregations": []any{map[string]any{"aggregation_type": "COUNT"}},
	}, &got)
	if err != nil || len(got.DataPoints) == 0 {
		return 0, err
	}
	return int64(got.DataPoints[0].Values["COUNT"]), nil
}

func (l *lab) phoenix() (*peer, error) {
	dir := filepath.Join(l.dir, "peer-phoenix")
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	grpc, err := freePort()
	if err != nil {
		return nil, err
	}
	env := []string{"PHOENIX_WORKING_DIR=" + dir, "PHOENIX_HOST=127.0.0.1", fmt.Sprintf("PHOENIX_PORT=%d", port), fmt.Sprintf("PHOENIX_GRPC_PORT=%d", grpc), "PHOENIX_TELEMETRY_ENABLED=false"}
	p, err := l.spawn("arize-phoenix", "/healthz", env, port, "phoenix", "serve")
	if err != nil {
		return nil, err
	}
	query := func(q string, answer any) error {
		return call(http.MethodPost, "http://"+p.addr+"/graphql", map[string]any{"query": q}, answer)
	}
	spans := func(condition string, found bool) error {
		var got struct {
			Data struct {
				Projects struct {
					Edges []struct {
						Node struct{ Spans struct{ Edges []any } }
					}
				}
			}
			Errors []any
		}
		err := query(`{projects(first:1){edges{node{spans(first:50,filterCondition:`+strconv.Quote(condition)+`){edges{node{id}}}}}}}`, &got)
		if err == nil && found && (len(got.Data.Projects.Edges) == 0 || len(got.Data.Projects.Edges[0].Node.Spans.Edges) == 0) {
			err = fmt.Errorf("nothing was found with %s: %v", condition, got.Errors)
		}
		return err
	}
	return &peer{
		name: "Phoenix", p: p, data: dir, to: sink{addr: p.addr, path: "/v1/traces"},
		count: func() (int64, error) {
			var got struct {
				Data struct {
					Projects struct {
						Edges []struct {
							Node struct{ RecordCount int64 }
						}
					}
				}
			}
			err := query(`{projects(first:1){edges{node{recordCount}}}}`, &got)
			if err != nil || len(got.Data.Projects.Edges) == 0 {
				return 0, err
			}
			return got.Data.Projects.Edges[0].Node.RecordCount, nil
		},
		byAttribute: func(v string) error { return spans("attributes['app']['tenant'] == '"+v+"'", true) },
		// It reads messages of this convention as attributes only, not as the input, and finds none: what counts is the scan.
		byText: func(v string) error { return spans("'"+strings.ReplaceAll(v, "'", "")+"' in input.value", false) },
	}, nil
}
