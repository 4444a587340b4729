package test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/test/harness"
)

// promptOf is a chat call in OpenAI's shape, which Anthropic's is near enough to; fault is what the fake shall do.
func promptOf(model, text, fault string, stream bool) []byte {
	if fault != "" {
		text += " [[fake: " + fault + "]]"
	}
	b, err := json.Marshal(map[string]any{
		"model": model, "stream": stream, "max_tokens": 200, "messages": []map[string]any{{"role": "user", "content": text}},
	})
	if err != nil {
		panic(err) // of texts only
	}
	return b
}

// partial is an answer as far as it came.
type partial struct {
	trace  string
	status int
	text   []byte
	err    error
}

func (r partial) done() bool { return bytes.Contains(r.text, []byte("data: [DONE]")) }

// post makes a call and reads the answer; first, if set, is called when something of it has arrived. Unlike the
// harness's it expects connections to break.
func post(c *http.Client, base, path, key string, body []byte, first func()) partial {
	q, err := http.NewRequest(http.MethodPost, base+path, bytes.NewReader(body))
	if err != nil {
		return partial{err: err}
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", "Bearer "+key)
	q.Header.Set("Anthropic-Version", "2023-06-01")
	resp, err := c.Do(q)
	if err != nil {
		return partial{err: err}
	}
	defer resp.Body.Close()
	out := partial{trace: resp.Header.Get("X-Weir-Trace-Id"), status: resp.StatusCode}
	r := bufio.NewReader(resp.Body)
	if _, err := r.Peek(1); err == nil && first != nil {
		first()
	}
	out.text, out.err = io.ReadAll(r)
	return out
}

// crash kills Weir under load, again and again, and looks after each start for every call that had been answered.
func crash(t *testing.T, rounds int) {
	s := harness.Up(t, harness.Options{})
	key := s.NewKey(t, "crash", map[string]any{"max_budget": 1000})
	answered, interrupted := 0, 0
	for round := range rounds {
		calls := killUnderLoad(t, s, key, round)
		s.Restart(t)
		for _, c := range calls {
			if c.trace == "" {
				continue // not even a status: nothing was promised
			}
			spans := s.Trace(t, c.trace)
			if len(spans) != 1 {
				t.Fatalf("round %d: call %s has %d spans", round, c.trace, len(spans))
			}
			whole := c.err == nil && c.status == http.StatusOK
			switch sp := spans[0]; {
			case sp.Status == "interrupted":
				interrupted++
				if sp.KeyAlias != "crash" {
					t.Errorf("round %d: interrupted call %s is not told to be of key crash: %q", round, c.trace, sp.KeyAlias)
				}
			case whole && sp.Status != "ok":
				t.Errorf("round %d: call %s was answered and is recorded as %s", round, c.trace, sp.Status)
			}
			if whole {
				answered++
			}
		}
	}
	if answered == 0 || interrupted == 0 {
		t.Errorf("the kills came at the wrong time: %d calls answered, %d interrupted", answered, interrupted)
	}
	t.Logf("%d rounds: %d calls answered, %d found as interrupted", rounds, answered, interrupted)
	booksAgree(t, s, key)
}

// killUnderLoad runs calls and streams, kills Weir in the middle, and returns what the clients saw.
func killUnderLoad(t *testing.T, s *harness.Stack, key string, round int) []partial {
	t.Helper()
	var mu sync.Mutex
	var calls []partial
	var clients sync.WaitGroup
	flowing := make(chan struct{}, 64)
	c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}
	for i := range 12 {
		clients.Go(func() {
			for n := 0; ; n++ {
				stream := i%3 == 0
				model, fault := []string{harness.GPT, harness.Sonnet, harness.Direct}[(i+n)%3], ""
				if stream {
					fault = "chunk_delay=15ms chunks=30"
				}
				got := post(c, s.URL, chatPath, key, promptOf(model, fmt.Sprintf("round %d client %d call %d", round, i, n), fault, stream), func() {
					select {
					case flowing <- struct{}{}:
					default:
					}
				})
				mu.Lock()
				calls = append(calls, got)
				mu.Unlock()
				if got.err != nil { // killed
					return
				}
			}
		})
	}
	for range 24 { // every client is at work
		<-flowing
	}
	<-time.After(time.Duration(rand.IntN(200)) * time.Millisecond) // the moment must be any
	s.Weir().Kill()
	clients.Wait()
	return calls
}

// booksAgree compares what the key has spent, by the totals that the ledger leads to, with the cost of its calls by the
// spans themselves.
func booksAgree(t *testing.T, s *harness.Stack, key string) {
	t.Helper()
	if err := s.Weir().Stop(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	s.Restart(t) // totals are read from the rows
	nano := func(usd float64) int64 { return int64(math.Round(usd * 1e9)) }
	var info struct {
		Info struct{ Spend float64 }
	}
	s.Get(t, "/key/info?key="+url.QueryEscape(key), &info)
	var sum int64
	count := 0
	for _, cost := range costs(t, s, fmt.Sprintf("%x", sha256.Sum256([]byte(key)))) {
		sum += nano(cost)
		count++
	}
	if got := nano(info.Info.Spend); got != sum || sum == 0 {
		t.Errorf("the key has spent %d nano-dollars, its %d calls cost %d", got, count, sum)
	}
}

// costs pages through all calls of a key, named by its hash.
func costs(t *testing.T, s *harness.Stack, key string) (out []float64) {
	t.Helper()
	filter := url.QueryEscape(fmt.Sprintf("key = %q", key))
	harness.Poll(t, 30*time.Second, "the index covers everything", func() error {
		out = nil
		cursor := ""
		for {
			var page struct {
				Items []struct {
					CostUSD float64 `json:"cost_usd"`
				}
				NextCursor string `json:"next_cursor"`
				Partial    bool
			}
			s.Get(t, "/api/v1/traces?limit=200&filter="+filter+"&cursor="+url.QueryEscape(cursor), &page)
			if page.Partial {
				return errNotYet
			}
			for _, i := range page.Items {
				out = append(out, i.CostUSD)
			}
			if cursor = page.NextCursor; cursor == "" {
				return nil
			}
		}
	})
	return out
}

// TestKilledUnderLoad is the short form of TestTortureKill.
func TestKilledUnderLoad(t *testing.T) {
	t.Parallel()
	crash(t, 3)
}

// TestIndexDeleted: the columnar index is a copy, and is made again when it is gone.
func TestIndexDeleted(t *testing.T) {
	t.Parallel()
	s := harness.Up(t, harness.Options{})
	key := s.NewKey(t, "index", nil)
	const calls = 20
	for i := range calls {
		r := s.Call(t, harness.Request{Method: http.MethodPost, Path: chatPath, Key: key, Body: promptOf(harness.GPT, fmt.Sprint("call ", i), "", false)})
		if r.Status != http.StatusOK {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
	s.Calls(t, "index", calls)
	if err := s.Weir().Stop(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	index := filepath.Join(s.Data, "index")
	if files, err := os.ReadDir(index); err != nil || len(files) == 0 {
		t.Fatalf("no index where it was expected: %v", err)
	}
	if err := os.RemoveAll(index); err != nil {
		t.Fatal(err)
	}
	s.Restart(t)
	s.Calls(t, "index", calls)
	if !strings.Contains(s.Log(), "index built") {
		t.Error("the log does not tell that the index was built")
	}
}
