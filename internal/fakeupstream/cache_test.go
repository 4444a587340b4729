package fakeupstream

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// bulk is text of about n tokens.
func bulk(n int) string { return strings.Repeat("word", n) }

// TestMarkedCache follows the services' documented arithmetic: what lies before the last point is read or written,
// what lies behind it is plain input, and the four buckets add up to the prompt.
func TestMarkedCache(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	c := newPrefixCache(1024, func() time.Time { return now })
	prompt := func(cred string, marks ...string) *ask {
		a := &ask{model: Model{Claude: 405}, modelID: "m", cred: cred}
		for i, m := range marks {
			a.segs = append(a.segs, segment{bytes: fmt.Appendf(nil, "segment %d", i), tokens: 1000, mark: m})
		}
		return a
	}
	for _, step := range []struct {
		name    string
		a       *ask
		advance time.Duration
		want    Usage
	}{
		{name: "no mark", a: prompt("k", "", ""), want: Usage{Input: 2000}},
		{name: "below the minimum", a: prompt("k", "5m", ""), want: Usage{Input: 2000}},
		{name: "first write", a: prompt("k", "", "5m", ""), want: Usage{CacheWrite: 2000, Input: 1000}},
		{name: "read", a: prompt("k", "", "5m", ""), want: Usage{CacheRead: 2000, Input: 1000}},
		{name: "grown", a: prompt("k", "", "", "", "5m"), want: Usage{CacheRead: 2000, CacheWrite: 2000}},
		{name: "another credential", a: prompt("other", "", "5m", ""), want: Usage{CacheWrite: 2000, Input: 1000}},
		{name: "renewed by reading", advance: 4 * time.Minute, a: prompt("k", "", "5m"), want: Usage{CacheRead: 2000}},
		{name: "still alive", advance: 4 * time.Minute, a: prompt("k", "", "5m"), want: Usage{CacheRead: 2000}},
		{name: "expired", advance: 5 * time.Minute, a: prompt("k", "", "5m"), want: Usage{CacheWrite: 2000}},
		{name: "both lifetimes", a: prompt("mixed", "", "1h", "", "5m", ""), want: Usage{CacheWrite1h: 2000, CacheWrite: 2000, Input: 1000}},
		{name: "the hour outlives", advance: 30 * time.Minute, a: prompt("mixed", "", "1h", "", "5m", ""), want: Usage{CacheRead: 2000, CacheWrite: 2000, Input: 1000}},
	} {
		now = now.Add(step.advance)
		if got := c.charge(step.a); got != step.want {
			t.Errorf("%s: %+v, want %+v", step.name, got, step.want)
		}
	}
}

func TestCacheLookback(t *testing.T) {
	c := newPrefixCache(1024, time.Now)
	prompt := func(n int) *ask {
		a := &ask{model: Model{Claude: 405}, modelID: "m"}
		for i := range n {
			a.segs = append(a.segs, segment{bytes: fmt.Appendf(nil, "%d", i), tokens: 2000})
		}
		a.segs[n-1].mark = "5m"
		return a
	}
	c.charge(prompt(1))
	if got := c.charge(prompt(20)); got.CacheRead != 2000 {
		t.Errorf("19 blocks back: %+v", got)
	}
	c.reset()
	c.charge(prompt(1))
	if got := c.charge(prompt(21)); got.CacheRead != 0 || got.CacheWrite != 42000 {
		t.Errorf("20 blocks back: %+v", got)
	}
}

func TestUsageByDialect(t *testing.T) {
	c := start(t, Options{})
	system := bulk(2000)
	for _, tc := range []struct {
		name, path, body string
		usage            []any
		read, write      string
		input            string
		inside           bool // the input count includes what was read
	}{
		{name: "converse", path: modelPath + "converse", usage: []any{"usage"}, read: "cacheReadInputTokens", write: "cacheWriteInputTokens", input: "inputTokens",
			body: `{"system":[{"text":"` + system + `"},{"cachePoint":{"type":"default"}}],"messages":[{"role":"user","content":[{"text":"q"}]}]}`},
		{name: "anthropic", path: "/v1/messages", usage: []any{"usage"}, read: "cache_read_input_tokens", write: "cache_creation_input_tokens", input: "input_tokens",
			body: `{"model":"claude-sonnet-4-5","max_tokens":9,"system":[{"type":"text","text":"` + system + `","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"q"}]}`},
		{name: "openai", path: "/v1/chat/completions", usage: []any{"usage"}, read: "prompt_tokens_details", input: "prompt_tokens", inside: true,
			body: `{"model":"gpt-4o","messages":[{"role":"system","content":"` + system + `"},{"role":"user","content":"q"}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			first := at(c.do(tc.path, tc.body).json(t), tc.usage...)
			second := at(c.do(tc.path, tc.body).json(t), tc.usage...)
			num := func(u any, path ...any) float64 { f, _ := at(u, path...).(float64); return f }
			read := num(second, tc.read)
			if tc.inside {
				read = num(second, tc.read, "cached_tokens")
				if num(second, tc.input) != num(first, tc.input) || num(second, tc.input) <= read {
					t.Errorf("prompt tokens %v then %v", first, second)
				}
			} else if num(first, tc.write) != read || num(first, tc.input) != num(second, tc.input) {
				t.Errorf("written %v, then %v", first, second)
			}
			if read < 1900 {
				t.Errorf("read %v", second)
			}
		})
	}
	total := c.Stats()[sonnet45]
	if total.Calls != 2 || total.CacheRead != total.CacheWrite || total.CacheRead < 2000 || total.Output == 0 {
		t.Errorf("%+v", total)
	}
}
