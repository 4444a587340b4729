package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

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
				_, err := atRest(func() int64 { return fileSize(p.log.Name()) }) // workers after the first are still starting
				return p, err
			}
		}
	}
	p.stop()
	text, _ := os.ReadFile(p.log.Name())
	return nil, fmt.Errorf("%s does not start:\n%s", name, text)
}

func fileSize(name string) int64 {
	i, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return i.Size()
}

// fresh makes a connection a question: some servers close those kept without a word.
var fresh = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

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
	res, err := fresh.Do(r)
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
	spans := func(condition string) error {
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
		if err == nil && (len(got.Data.Projects.Edges) == 0 || len(got.Data.Projects.Edges[0].Node.Spans.Edges) == 0) {
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
		byAttribute: func(v string) error { return spans("attributes['app']['tenant'] == '" + v + "'") },
		// It has no search over all texts; this is where it keeps what went into these spans.
		byText: func(v string) error { return spans("'" + v + "' in attributes['gen_ai']['input']['messages']") },
	}, nil
}
