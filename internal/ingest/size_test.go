package ingest

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/span"
	"weir/internal/store/pebble"
)

// prose makes text that compresses about threefold, like source code and prose do: words by Zipf's law.
type prose struct {
	r     *rand.Rand
	zipf  *rand.Zipf
	words []string
}

func newProse(seed uint64) *prose {
	r := rand.New(rand.NewPCG(seed, 1))
	p := &prose{r: r, zipf: rand.NewZipf(r, 1.45, 4, 5_999)}
	for range 6_000 {
		w := make([]byte, 2+r.IntN(9))
		for i := range w {
			w[i] = byte('a' + r.IntN(26))
		}
		p.words = append(p.words, string(w))
	}
	return p
}

func (p *prose) text(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(p.words[p.zipf.Uint64()])
		b.WriteString([]string{" ", " ", " ", "\n", "(", "_"}[p.r.IntN(6)])
	}
	return b.String()
}

// agentRun is one session of a coding agent whose context grows from 5 to 60 KB.
type agentRun struct {
	*prose
	anthropic bool
	head      string // everything before the messages
	messages  []string
	size      int
	call      int
}

const (
	contextFrom, contextTo = 5 << 10, 60 << 10
	callsPerRun            = 50
)

func newAgentRun(p *prose, n int, system string) *agentRun {
	a := &agentRun{prose: p, anthropic: n%2 == 1}
	if a.anthropic {
		a.head = fmt.Sprintf(`{"model":"claude-sonnet-4-5","max_tokens":8192,"stream":true,"metadata":{"user_id":"session-%d"},"system":%s,`, n, jsonx.MustMarshal(system))
	} else {
		a.head = fmt.Sprintf(`{"model":"bedrock/claude","litellm_session_id":"cline-%d","stream":true,"temperature":0,`, n)
		a.add(fmt.Sprintf(`{"role":"system","content":%s}`, jsonx.MustMarshal(system)))
	}
	a.add(a.user(p.text(contextFrom - 4<<10)))
	return a
}

func (a *agentRun) add(m string) { a.messages = append(a.messages, m) }

func (a *agentRun) user(text string) string {
	if a.anthropic {
		return fmt.Sprintf(`{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_%d","content":%s}]}`, a.call, jsonx.MustMarshal(text))
	}
	return fmt.Sprintf(`{"role":"user","content":%s}`, jsonx.MustMarshal(text))
}

// marked moves Anthropic's cache marks to the last two user messages, as Claude Code and old Cline do.
func (a *agentRun) marked() string {
	out := append([]string{}, a.messages...)
	if a.anthropic {
		for i, left := len(out)-1, 2; i >= 0 && left > 0; i-- {
			if strings.HasPrefix(out[i], `{"role":"user"`) {
				out[i] = strings.TrimSuffix(out[i], `}]}`) + `,"cache_control":{"type":"ephemeral"}}]}`
				left--
			}
		}
	}
	return strings.Join(out, ",")
}

// next is the following call: its request, its response, and what they leave for the one after.
func (a *agentRun) next() (request, response string) {
	request = a.head + `"messages":[` + a.marked() + `]}`
	step := (contextTo - contextFrom) / callsPerRun
	words, args := jsonx.MustMarshal(a.text(step/6)), jsonx.MustMarshal(map[string]string{"path": "src/" + a.text(10), "content": a.text(step / 6)})
	a.call++
	var answer string
	if a.anthropic {
		answer = fmt.Sprintf(`"role":"assistant","content":[{"type":"text","text":%s},{"type":"tool_use","id":"toolu_%d","name":"Write","input":%s}]`, words, a.call, args)
		response = fmt.Sprintf(`{"id":"msg_%d","type":"message","model":"claude","stop_reason":"tool_use",%s,"usage":{"input_tokens":%d,"output_tokens":400}}`, a.r.Uint32(), answer, len(request)/4)
	} else {
		answer = fmt.Sprintf(`"role":"assistant","content":%s,"tool_calls":[{"id":"call_%d","type":"function","function":{"name":"Write","arguments":%s}}]`, words, a.call, jsonx.MustMarshal(string(args)))
		response = fmt.Sprintf(`{"id":"chatcmpl-%d","object":"chat.completion","choices":[{"index":0,"finish_reason":"tool_calls","message":{%s}}],"usage":{"prompt_tokens":%d,"completion_tokens":400}}`, a.r.Uint32(), answer, len(request)/4)
	}
	a.add("{" + answer + "}")
	a.add(a.user(a.text(step * 2 / 3)))
	return request, response
}

func agentSpan(n, run int) *span.Span {
	s := aSpan()
	s.Start = clock.Add(time.Duration(n) * 123456789)
	s.End = s.Start.Add(time.Duration(1+n%7) * 987654321)
	s.FirstToken = time.Duration(n%900) * 1234567
	s.Usage = llm.Usage{Input: int64(n % 4000), CacheRead: int64(n * 7 % 60000), CacheWrite: int64(n % 900), Output: int64(n % 1000)}
	s.Cost = span.Cost{Total: 31234567, Input: 1234567, CacheRead: 10000000, CacheWrite: 10000000, Output: 10000000, Source: span.CostMeasured, Book: "2026-11-01"}
	s.Dialect, s.Model, s.Provider, s.Deployment = "openai_chat", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock", "claude#0"
	s.Tries = []span.Try{{Deployment: "claude#0", Model: s.Model, Took: s.End.Sub(s.Start), HTTP: 200}}
	s.Params = jsonx.Raw(`{"max_tokens":8192,"temperature":0}`)
	s.User, s.Email, s.KeyAlias = "u1", "dev"+strconv.Itoa(run%20)+"@example.com", "team-key"
	s.Client, s.ClientVersion, s.UserAgent, s.IP = "Cline", "3.82.0", "Cline/3.82.0", "192.0.2.7"
	s.Stream, s.Finish, s.HTTP, s.Upstream = true, "tool_use", 200, "req-"+s.ID
	return s
}

// recordAgents sends calls of interleaved agent runs through a recorder and returns the bytes that went in.
func recordAgents(t testing.TB, r *Recorder, calls int) (raw int64) {
	p := newProse(7)
	systems := make([]string, 10)
	for i := range systems {
		systems[i] = p.text(4 << 10)
	}
	const together = 10
	var runs [together]*agentRun
	for n := range calls {
		slot := n % together
		run := n/(together*callsPerRun)*together + slot
		if n/together%callsPerRun == 0 {
			runs[slot] = newAgentRun(p, run, systems[run%len(systems)])
		}
		request, response := runs[slot].next()
		raw += int64(len(request) + len(response))
		r.End(&gateway.Record{Span: agentSpan(n, run), Request: []byte(request), Response: []byte(response), Charge: true})
	}
	flush(t, r)
	return raw
}

func diskUse(t testing.TB, dir string) (n int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return nil // a file may go while we look
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestAgentsOnDisk holds the promise that repeated context is stored once: 10,000 calls whose context grows from 5 to
// 60 KB take at most 5 % of their raw bytes, ledger, index queue and write-ahead log included.
func TestAgentsOnDisk(t *testing.T) {
	calls := 10_000
	if testing.Short() {
		calls = 2_000
	}
	dir := t.TempDir()
	s := openStore(t, dir)
	r := New(Options{Store: s, KV: s, Dir: t.TempDir()})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer r.Stop()
	began := time.Now()
	raw := recordAgents(t, r, calls)
	took := time.Since(began)
	if err := s.Trim(t.Context(), s.Committed()); err != nil { // as the indexer does within a second
		t.Fatal(err)
	}
	busy := diskUse(t, dir)
	var running int64
	await(t, "5 % of raw bytes on disk", func() bool {
		running = diskUse(t, dir)
		return running < raw/20
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s2, err := pebble.Open(dir, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s2.Close() }()
	percent := func(n int64) float64 { return 100 * float64(n) / float64(raw) }
	t.Logf("%d calls, %d MB raw, %.1f s; on disk: %.2f %% at once, %.2f %% (%d bytes a call) at rest",
		calls, raw>>20, took.Seconds(), percent(busy), percent(running), running/int64(calls))
	await(t, "old logs to go after a restart", func() bool { return percent(diskUse(t, dir)) < 5 })
}

// await polls for something the store does in the background.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); !done(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
