//go:build torture

package test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"weir/test/harness"
)

func TestTortureKill(t *testing.T) { crash(t, 20) }

// disk is a small file system of its own, so that it can be filled.
func disk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		if errors.Is(err, syscall.EPERM) {
			t.Skip("mounting a small file system needs root")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// TestTortureDiskLow: while the disk is low new calls are refused and running streams finish; then service returns.
func TestTortureDiskLow(t *testing.T) {
	dir := disk(t, "400m")
	data := filepath.Join(dir, "data")
	s := harness.Up(t, harness.Options{Data: data, Config: "recording: {min_free_disk: 200MiB}\n"})
	key := s.NewKey(t, "disk", nil)
	c := &http.Client{Timeout: 30 * time.Second}
	call := func(text string) partial {
		return post(c, s.URL, "/v1/chat/completions", key, promptOf(harness.GPT, text, "", false), nil)
	}
	if r := call("before"); r.status != http.StatusOK {
		t.Fatalf("%d %s %v", r.status, r.text, r.err)
	}
	first, stream := make(chan struct{}, 1), make(chan partial, 1)
	go func() {
		stream <- post(c, s.URL, "/v1/chat/completions", key, promptOf(harness.GPT, "long", "chunk_delay=100ms chunks=40", true), func() { first <- struct{}{} })
	}()
	<-first
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 250<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	harness.Poll(t, 10*time.Second, "refusal of new calls", func() error {
		if r := call("while low"); r.status != http.StatusServiceUnavailable || !bytes.Contains(r.text, []byte("disk low")) {
			return fmt.Errorf("%d %s", r.status, r.text)
		}
		return nil
	})
	if r := <-stream; !r.done() {
		t.Errorf("the running stream was cut: %v %s", r.err, r.text)
	} else if spans := s.Trace(t, r.trace); spans[0].Status != "ok" {
		t.Errorf("the running stream is recorded as %s", spans[0].Status)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	harness.Poll(t, 10*time.Second, "service to return", func() error {
		if r := call("after"); r.status != http.StatusOK {
			return fmt.Errorf("%d %s", r.status, r.text)
		}
		return nil
	})
	booksAgree(t, s, key)
}

// TestTortureUpstream: whatever an upstream does, the client gets an error in its own dialect, and the call is recorded.
func TestTortureUpstream(t *testing.T) {
	s := harness.Up(t, harness.Options{Config: "routing: {retries: 0, cooldown: 0s}\n"})
	key := s.NewKey(t, "chaos", nil)
	c := &http.Client{Timeout: 30 * time.Second}
	const openAI, anthropic = "/v1/chat/completions", "/v1/messages"
	for _, path := range []string{openAI, anthropic} {
		for _, model := range []string{harness.GPT, harness.Direct, harness.Sonnet} {
			for _, fault := range []string{"drop", "garbage", "empty", "cut=0", "cut=4", "eof=4", "half=4", "error_after=4 kind=internalServerException message=broken", "status=500", "status=429"} {
				for _, stream := range []bool{false, true} {
					needsStream := strings.ContainsAny(fault, "0123456789") && !strings.HasPrefix(fault, "status")
					if needsStream && !stream {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%s/%v", path, model, fault, stream), func(t *testing.T) {
						r := post(c, s.URL, path, key, promptOf(model, "hello "+t.Name(), fault+" chunks=12", stream), nil)
						if r.err != nil {
							t.Fatalf("the connection broke: %v", r.err)
						}
						if r.status == http.StatusOK && !stream {
							t.Fatalf("answered %s", r.text)
						}
						mark := `"error":{`
						if path == anthropic {
							mark = `"type":"error"`
						}
						if !strings.Contains(strings.ReplaceAll(string(r.text), " ", ""), mark) {
							t.Errorf("no error of the client's dialect: %d %s", r.status, r.text)
						}
						if r.done() || bytes.Contains(r.text, []byte("event: message_stop")) {
							t.Errorf("the stream pretends to be whole: %s", r.text)
						}
						if sp := s.Trace(t, r.trace)[0]; sp.Status != "error" || sp.ErrorType == "" {
							t.Errorf("recorded as %q, error type %q", sp.Status, sp.ErrorType)
						}
					})
				}
			}
		}
	}
}

// TestTortureTerm: SIGTERM refuses new connections and lets many streams finish.
func TestTortureTerm(t *testing.T) {
	s := harness.Up(t, harness.Options{})
	key := s.NewKey(t, "drain", nil)
	const streams = 100
	first, results := make(chan struct{}, streams), make(chan partial, streams)
	c := &http.Client{Timeout: 30 * time.Second}
	for i := range streams {
		go func() {
			body := promptOf([]string{harness.GPT, harness.Sonnet, harness.Direct}[i%3], fmt.Sprint("stream ", i), "chunk_delay=40ms chunks=40", true)
			results <- post(c, s.URL, "/v1/chat/completions", key, body, func() { first <- struct{}{} })
		}()
	}
	for range streams {
		<-first
	}
	if err := s.Weir().Stop(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := http.Get(s.URL + "/health/liveliness"); err == nil {
		t.Error("connections are taken after the end")
	}
	s.Restart(t)
	for range streams {
		r := <-results
		if r.err != nil || !r.done() {
			t.Errorf("stream %s was cut: %v, %d bytes", r.trace, r.err, len(r.text))
			continue
		}
		if spans := s.Trace(t, r.trace); len(spans) != 1 || spans[0].Status != "ok" {
			t.Errorf("stream %s is recorded as %+v", r.trace, spans)
		}
	}
}
