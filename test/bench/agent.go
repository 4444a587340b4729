package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
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

const (
	contextFrom, contextTo = 5 << 10, 60 << 10
	callsPerRun            = 50
)

// agentRun is one task of a coding agent: each call repeats the conversation so far and adds to it.
type agentRun struct {
	*prose
	head     string
	messages []string
	call     int
}

func newAgentRun(p *prose, session string) *agentRun {
	a := &agentRun{prose: p, head: fmt.Sprintf(`{"model":"gpt-4o","litellm_session_id":"task-%s","temperature":0,`, session)}
	a.messages = append(a.messages, fmt.Sprintf(`{"role":"system","content":%s}`, quoted(p.text(4<<10))), a.user(p.text(contextFrom-4<<10)))
	return a
}

func quoted(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // not for strings
	}
	return b
}

func (a *agentRun) user(text string) string {
	return fmt.Sprintf(`{"role":"user","content":%s}`, quoted(text))
}

// next is the following request.
func (a *agentRun) next() []byte {
	body := []byte(a.head + `"messages":[` + strings.Join(a.messages, ",") + `]}`)
	step := (contextTo - contextFrom) / callsPerRun
	a.call++
	args, err := json.Marshal(map[string]string{"path": "src/" + a.text(10), "content": a.text(step / 6)})
	if err != nil {
		panic(err)
	}
	id := fmt.Sprintf("call_%d_%08x", a.call, a.r.Uint32())
	a.messages = append(a.messages,
		fmt.Sprintf(`{"role":"assistant","content":%s,"tool_calls":[{"id":%q,"type":"function","function":{"name":"write","arguments":%s}}]}`, quoted(a.text(step/6)), id, quoted(string(args))),
		fmt.Sprintf(`{"role":"tool","tool_call_id":%q,"content":%s}`, id, quoted(a.text(step*2/3))))
	return body
}
