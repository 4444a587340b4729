package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Proc is a running program with everything it wrote.
type Proc struct {
	Name string
	Out  *Log
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Command says what to run.
type Command struct {
	Name string   // in messages
	Args []string // program and arguments
	Dir  string
	Env  []string // the whole environment
}

// Start runs a program in a process group of its own, which is killed when the test ends.
func Start(t testing.TB, c Command) *Proc {
	t.Helper()
	p := &Proc{Name: c.Name, Out: &Log{}, done: make(chan struct{})}
	p.cmd = exec.Command(c.Args[0], c.Args[1:]...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = c.Dir, c.Env, p.Out, p.Out
	p.cmd.WaitDelay = time.Second // a grandchild may hold the pipes open
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := spawn(p.cmd); err != nil {
		t.Fatalf("start %s: %v", c.Name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(p.Kill)
	return p
}

var (
	spawner     = make(chan func())
	spawnerOnce sync.Once
)

// spawn starts programs from one thread that lives as long as the tests: Pdeathsig fires when the starting thread ends.
func spawn(cmd *exec.Cmd) error {
	spawnerOnce.Do(func() {
		go func() {
			runtime.LockOSThread()
			for f := range spawner {
				f()
			}
		}()
	})
	err := make(chan error)
	spawner <- func() { err <- cmd.Start() }
	return <-err
}

// Kill ends the whole process group and waits for the program.
func (p *Proc) Kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// Stop asks the program to end and waits; it reports an exit that was not clean or not in time.
func (p *Proc) Stop(limit time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	return p.Wait(limit)
}

// Exited is closed once the program has ended.
func (p *Proc) Exited() <-chan struct{} { return p.done }

// Wait waits for the program's own end. After limit everything is killed.
func (p *Proc) Wait(limit time.Duration) error {
	select {
	case <-p.done:
		// What it left running in its group has lost its purpose.
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		if p.err != nil && !errors.Is(p.err, exec.ErrWaitDelay) {
			return fmt.Errorf("%s: %w", p.Name, p.err)
		}
		return nil
	case <-time.After(limit):
		p.Kill()
		return fmt.Errorf("%s: not done after %s", p.Name, limit)
	}
}

// Reap kills what a program left behind outside its process group, known by the HOME it was given.
func Reap(home string) {
	mark := []byte("HOME=" + home + "\x00")
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range files {
		env, err := os.ReadFile(f)
		var pid int
		if err != nil || !bytes.Contains(append(env, 0), mark) {
			continue
		}
		if _, err := fmt.Sscanf(f, "/proc/%d/environ", &pid); err == nil && pid != os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// Log collects output; safe for concurrent use.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Tail is the last n bytes, from the beginning of a line.
func (l *Log) Tail(n int) string {
	s := l.String()
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[i+1:]
	}
	return "…\n" + s
}

// Poll calls f until it returns nil; its last error is the test's failure.
func Poll(t testing.TB, limit time.Duration, what string, f func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not after %s: %v", what, limit, err)
		case <-tick.C:
		}
	}
}
