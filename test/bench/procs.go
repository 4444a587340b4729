package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// proc is a server under test.
type proc struct {
	name string
	cmd  *exec.Cmd
	addr string // host:port
	log  *os.File
	data string
	// ready is the time from exec to the first 200 of readiness.
	ready time.Duration
}

var address = regexp.MustCompile(`http://([0-9.:]+)`)

// start runs a program that prints its URL, and waits for that.
func start(name, dir string, env []string, args ...string) (*proc, error) {
	p := &proc{name: name, cmd: exec.Command(args[0], args[1:]...)}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.log, err = os.Create(filepath.Join(dir, name+".log")); err != nil {
		return nil, err
	}
	p.cmd.Stderr, p.cmd.Env = p.log, env
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(out)
	for p.addr == "" {
		line, err := lines.ReadString('\n')
		if m := address.FindStringSubmatch(line); m != nil {
			p.addr = m[1]
		}
		if err != nil && p.addr == "" {
			p.stop()
			text, _ := os.ReadFile(p.log.Name())
			return nil, fmt.Errorf("%s did not say where it listens: %w\n%s", name, err, text)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // ends with the process
	return p, nil
}

// stop ends the process as its supervisor would.
func (p *proc) stop() {
	if p == nil || p.cmd.Process == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	done := time.AfterFunc(60*time.Second, func() { _ = p.cmd.Process.Kill() })
	_ = p.cmd.Wait()
	done.Stop()
	_ = p.log.Close()
}

// rss is the resident memory of the process in bytes.
func (p *proc) rss() int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(v)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// cpu is the processor time the process has used, in user and kernel mode.
func (p *proc) cpu() time.Duration {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	_, rest, _ := bytes.Cut(b, []byte(") ")) // the name before may hold spaces
	f := bytes.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(string(f[11]), 10, 64)
	system, _ := strconv.ParseInt(string(f[12]), 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // ticks of 1/100 s
}

// lab is where the servers live.
type lab struct {
	dir, bin string
	fake     *proc
	paced    *proc // the fake with pauses between events
	proxy    *proc
	paceless *proc // baseline before the paced fake
	quick    bool
	spans    int64 // asked for
}

func plain() []string {
	var out []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "WEIR_") || strings.HasPrefix(name, "LITELLM_") || strings.HasSuffix(strings.ToUpper(name), "_PROXY") || strings.HasSuffix(name, "_API_KEY") {
			continue
		}
		out = append(out, kv)
	}
	return out
}

const (
	masterKey = "sk-bench-master"
	callKey   = "sk-bench-virtual-key-000000000000"
	// pace of the fake that stands for a model: time to the first token, and between tokens.
	paceFirst, paceNext = 30 * time.Millisecond, 20 * time.Millisecond
)

// upstreams starts the fakes and the baselines before them.
func (l *lab) upstreams() error {
	fake := filepath.Join(l.bin, "weir-fakeupstream")
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, s := range []struct {
		p    **proc
		name string
		args func() []string
	}{
		{&l.fake, "fake", func() []string { return []string{fake, "--fast"} }},
		{&l.paced, "fake-paced", func() []string {
			return []string{fake, "--fast", "--fast-chunks=40", "--latency=" + paceFirst.String(), "--chunk-delay=" + paceNext.String()}
		}},
		{&l.proxy, "baseline", func() []string { return []string{self, "baseline", "http://" + l.fake.addr} }},
		{&l.paceless, "baseline-paced", func() []string { return []string{self, "baseline", "http://" + l.paced.addr} }},
	} {
		if *s.p, err = start(s.name, l.dir, plain(), s.args()...); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) close() {
	for _, p := range []*proc{l.paceless, l.proxy, l.paced, l.fake} {
		p.stop()
	}
}

// weir starts a Weir with a virtual key that has a budget, and models at both fakes. data may hold an earlier one's.
func (l *lab) weir(name, data string, bodies bool) (*proc, error) {
	config := filepath.Join(l.dir, name+".yaml")
	text := fmt.Sprintf(`
models:
- {name: gpt-4o, provider: openai, model: gpt-4o, base_url: "http://%s/v1", api_key: sk-fake}
- {name: paced, provider: openai, model: gpt-4o, base_url: "http://%s/v1", api_key: sk-fake}
keys:
- {key: %s, alias: bench, user: bench, email: bench@example.com, max_budget_usd: 1000000000}
recording: {bodies: %v}
`, l.fake.addr, l.paced.addr, callKey, bodies)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	env := append(plain(), "WEIR_MASTER_KEY="+masterKey)
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	addr := "127.0.0.1:" + strconv.Itoa(port)
	began := time.Now()
	p := &proc{name: name, addr: addr, data: data, cmd: exec.Command(filepath.Join(l.bin, "weir"), "serve", "--config="+config, "--data="+data, "--listen="+addr)}
	if p.log, err = os.Create(filepath.Join(l.dir, name+".log")); err != nil {
		return nil, err
	}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.await(began.Add(60 * time.Second)); err != nil {
		p.stop()
		return nil, err
	}
	p.ready = time.Since(began)
	return p, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// await polls readiness every millisecond.
func (p *proc) await(limit time.Time) error {
	for time.Now().Before(limit) {
		r, err := http.Get("http://" + p.addr + "/health/readiness")
		if err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	text, _ := os.ReadFile(p.log.Name())
	return fmt.Errorf("%s is not ready:\n%s", p.name, text)
}

// read is a GET with the master key.
func (p *proc) read(path string) ([]byte, error) {
	r, err := http.NewRequest(http.MethodGet, "http://"+p.addr+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+masterKey)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", path, resp.StatusCode, b)
	}
	return b, err
}

// indexed waits until the index holds everything.
func (p *proc) indexed(ctx context.Context) error {
	for {
		b, err := p.read("/health/readiness")
		if err == nil && bytes.Contains(b, []byte(`"degraded":false`)) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, fmt.Errorf("index is not ready: %s", b))
		case <-time.After(50 * time.Millisecond):
		}
	}
}
