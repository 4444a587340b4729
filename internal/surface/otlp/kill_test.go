package otlp

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"weir/internal/edge"
	"weir/internal/ingest"
	"weir/internal/span"
	"weir/internal/store/pebble"
)

// childDir in the environment makes the test binary a server over the store in that folder, until it is killed.
const childDir = "WEIR_OTLP_CHILD_DIR"

func child(dir string) {
	s, err := pebble.Open(dir, pebble.Options{})
	if err != nil {
		panic(err)
	}
	go follow(s, filepath.Join(dir, "..", "followed"))
	taker := ingest.NewTaker(ingest.TakerOptions{Store: s})
	if err := taker.Start(context.Background()); err != nil {
		panic(err)
	}
	surface := New(Deps{Intake: taker})
	server := httptest.NewServer(edge.NewMux(edge.Deps{Auth: door{}, Log: surface.Log}, surface))
	_, _ = os.Stdout.WriteString(server.URL + "\n")
	select {}
}

// follow does as an index: it reads the queue on from where it was, and keeps what it saw in a file of its own, which
// outlives the process. A line is a position and, of a span that no index can hold yet, its key.
func follow(s *pebble.Store, file string) {
	at := uint64(0)
	for seq := range followed(file) {
		at = seq
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	for ; ; time.Sleep(time.Millisecond) { // it ends with the process
		if err := s.Changes(context.Background(), at, func(seq uint64, sp *span.Span) bool {
			key := ""
			if at = seq; sp.First {
				key = sp.Trace + sp.ID
			}
			_, err = fmt.Fprintln(out, seq, key)
			return err == nil
		}); err != nil {
			panic(err)
		}
	}
}

func followed(file string) iter.Seq2[uint64, string] {
	return func(yield func(uint64, string) bool) {
		text, _ := os.ReadFile(file) // there is none at the first start
		for line := range strings.Lines(string(text)) {
			seq, key, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if n, err := strconv.ParseUint(seq, 10, 64); err == nil && !yield(n, key) {
				return
			}
		}
	}
}

// checkFollowed looks for a span that a reader was told of as new twice: an index would hold it twice. It happens to one
// that sees what a crash takes back, since the client sends that again.
func checkFollowed(t *testing.T, file string) {
	seen := map[string]uint64{}
	for seq, key := range followed(file) {
		if key == "" {
			continue
		}
		if before, again := seen[key]; again {
			t.Errorf("span %s was new at %d and at %d", key, before, seq)
		}
		seen[key] = seq
	}
	if len(seen) == 0 {
		t.Error("nothing was followed")
	}
}

// serverOf starts a child and returns its address.
func serverOf(t *testing.T, dir string) (*exec.Cmd, string) {
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
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Process.Kill()
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(url)
}

// Requests of the kill test: an agent's span that repeats the usage of its call, the call itself, and steps below.
const perRequest = 8

func killRequest(n int) []*tracepb.Span {
	_, root := ids(n, 0)
	_, call := ids(n, 1)
	var spans []*tracepb.Span
	for i := range perRequest {
		s := chat(n, i, kv("gen_ai.input.messages", str(fmt.Sprintf(`[{"role":"user","parts":[{"type":"text","content":"request %d step %d"}]}]`, n, i))))
		if i == 1 {
			s.ParentSpanId = root
		} else if i > 1 {
			s.ParentSpanId, s.Attributes = call, s.Attributes[:4]
		}
		spans = append(spans, s)
	}
	rand.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
	return spans
}

// exporter sends requests until each is acknowledged, as OTLP's clients do, to wherever the server is at the time. It
// splits each trace over two requests.
type exporter struct {
	url     atomic.Pointer[string]
	acked   atomic.Int64
	retries atomic.Int64
	client  http.Client
}

func (e *exporter) send(ctx context.Context, t *testing.T, spans []*tracepb.Span) {
	body := marshal(t, request(spans...))
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, *e.url.Load()+"/v1/traces", bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer sk-good")
		resp, err := e.client.Do(req)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if err == nil && resp.StatusCode == http.StatusOK {
				e.acked.Add(1)
				return
			}
		}
		e.retries.Add(1)
		time.Sleep(2 * time.Millisecond) // the server is down; there is nothing to wait for
	}
}

func (e *exporter) serve(t *testing.T, dir string) *exec.Cmd {
	cmd, url := serverOf(t, dir)
	e.url.Store(&url)
	return cmd
}

func TestKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "truth")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	e := &exporter{client: http.Client{Timeout: 10 * time.Second}}
	cmd := e.serve(t, dir)
	const workers = 4
	var next, stop atomic.Int64
	var clients sync.WaitGroup
	for range workers {
		clients.Go(func() {
			for stop.Load() == 0 && ctx.Err() == nil {
				spans := killRequest(int(next.Add(1)) - 1)
				e.send(ctx, t, spans[:perRequest/2])
				e.send(ctx, t, spans[perRequest/2:])
			}
		})
	}
	for round := range kills {
		for goal := e.acked.Load() + 5 + rand.Int64N(60); e.acked.Load() < goal && ctx.Err() == nil; {
			time.Sleep(time.Millisecond)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if ctx.Err() != nil {
			t.Fatalf("round %d took too long", round)
		}
		cmd = e.serve(t, dir)
	}
	stop.Store(1)
	clients.Wait()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	e.client.CloseIdleConnections()
	checkKilled(t, dir, int(next.Load()))
	checkFollowed(t, filepath.Join(dir, "..", "followed"))
	t.Logf("%d traces by %d requests, %d tries more, %d kills", next.Load(), e.acked.Load(), e.retries.Load(), kills)
}

// checkKilled looks for what was acknowledged: all of it, since the exporters went on until it was.
func checkKilled(t *testing.T, dir string, traces int) {
	s, err := pebble.Open(dir, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for n := range traces {
		trace := fmt.Sprintf("%032x", n+1)
		spans, err := s.Trace(t.Context(), project, trace)
		if err != nil || len(spans) != perRequest {
			t.Fatalf("trace %d has %d spans, %v", n, len(spans), err)
		}
		for _, sp := range spans {
			if root := sp.ID == spanID(0); sp.Covered != root {
				t.Fatalf("trace %d, span %s: covered %v", n, sp.ID, sp.Covered)
			}
			if _, err := ingest.Body(t.Context(), s, sp, sp.Input); err != nil {
				t.Fatalf("trace %d, span %s: %v", n, sp.ID, err)
			}
		}
	}
	seen := map[string]bool{}
	if _, err := s.Scan(t.Context(), func(sp *span.Span) bool {
		key := sp.Trace + sp.ID
		if seen[key] {
			t.Errorf("span %s is there twice", key)
		}
		seen[key] = true
		return true
	}); err != nil || len(seen) != traces*perRequest {
		t.Fatalf("%d spans in all, want %d: %v", len(seen), traces*perRequest, err)
	}
}
