package ingest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/internal/gateway"
	"weir/internal/span"
	"weir/internal/store/pebble"
)

// childDir in the environment makes the test binary a process that records under load until it is killed.
const childDir = "WEIR_INGEST_CHILD_DIR"

// child says "begun <trace>" after Begin and "stored <trace>" after the commit, each in one write.
func child(dir string) {
	s, err := pebble.Open(filepath.Join(dir, "store"), pebble.Options{})
	if err != nil {
		panic(err)
	}
	open := make(chan struct{}, openCalls)
	r := New(Options{Store: s, KV: s, Dir: dir, OnSpan: func(sp *span.Span) {
		say("stored", sp.Trace)
		<-open
	}})
	if err := r.Start(context.Background()); err != nil {
		panic(err)
	}
	for w := range 4 {
		go callForEver(r, w, open) // until the kill
	}
	select {}
}

// openCalls bounds the calls that are begun and not stored, as admission does; without a bound a slow machine is busy with
// beginning calls.
const openCalls = 64

func say(what, trace string) { _, _ = os.Stdout.WriteString(what + " " + trace + "\n") }

func callForEver(r *Recorder, worker int, open chan<- struct{}) {
	for n := 0; ; n++ {
		open <- struct{}{}
		rec := aRecord(fmt.Sprintf(`{"messages":[{"role":"user","content":"%d"},{"role":"user","content":"%d"}]}`, worker, n),
			`{"role":"assistant","content":"`+strings.Repeat("x", 2000)+`"}`)
		i := gateway.Intent{Trace: rec.Span.Trace, Span: rec.Span.ID, Project: project, Key: "key", Start: rec.Span.Start, Reserved: 7}
		if err := r.Begin(i); err != nil {
			panic(err)
		}
		say("begun", i.Trace)
		r.End(rec)
	}
}

// runAndKill starts a child, lets it store some calls, and kills it in the middle of its work.
func runAndKill(t *testing.T, dir string, calls int, begun, stored map[string]bool) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	limit := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer limit.Stop()
	seen := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		what, trace, _ := strings.Cut(lines.Text(), " ")
		if len(trace) != 32 {
			continue // torn by the kill
		}
		if what == "begun" {
			begun[trace] = true
		} else {
			stored[trace] = true
			if seen++; seen == calls {
				_ = cmd.Process.Kill()
			}
		}
	}
	_ = cmd.Wait()
	if seen < calls {
		t.Fatalf("the child stored %d calls before it ended", seen)
	}
}

func TestKill(t *testing.T) {
	dir := t.TempDir()
	begun, stored := map[string]bool{}, map[string]bool{}
	for round := range 5 {
		runAndKill(t, dir, 100+150*round, begun, stored)
	}
	s := openStore(t, filepath.Join(dir, "store"))
	r := New(Options{Store: s, KV: s, Dir: dir})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer r.Stop()
	interrupted := 0
	for trace := range begun {
		spans, err := s.Trace(t.Context(), project, trace)
		if err != nil || len(spans) != 1 {
			t.Fatalf("call %s was begun and is not there: %v", trace, err)
		}
		switch sp := spans[0]; sp.Status {
		case span.Interrupted:
			interrupted++
			if stored[trace] {
				t.Fatalf("call %s was stored and has become interrupted", trace)
			}
		case span.OK:
			if _, err := Body(t.Context(), s, sp, sp.Input); err != nil {
				t.Fatalf("request of %s: %v", trace, err)
			}
			if _, err := Body(t.Context(), s, sp, sp.Output); err != nil {
				t.Fatalf("response of %s: %v", trace, err)
			}
		default:
			t.Fatalf("call %s has status %s", trace, sp.Status)
		}
	}
	for trace := range stored {
		if _, err := s.Trace(t.Context(), project, trace); err != nil {
			t.Fatalf("call %s was stored and is lost: %v", trace, err)
		}
	}
	charged := map[string]bool{}
	for i, e := range ledgerOf(t, s) {
		if e.Seq != uint64(i+1) || charged[e.Call] {
			t.Fatalf("ledger entry %d has sequence %d, call %s", i, e.Seq, e.Call)
		}
		charged[e.Call] = true
	}
	if len(charged) < len(begun) {
		t.Fatalf("%d charges for %d calls", len(charged), len(begun))
	}
	t.Logf("%d calls begun, %d reported stored, %d interrupted", len(begun), len(stored), interrupted)
}
