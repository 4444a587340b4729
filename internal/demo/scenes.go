package demo

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"weir/internal/fakeupstream"
)

// scene is one thing that happens at a time.
type scene struct {
	at   time.Time
	pace time.Duration
	play func(ctx context.Context, s scene) error
}

// scenes spreads agent runs, single calls and failures over the hour.
func (d *Director) scenes(from, to time.Time) []scene {
	rnd := rand.New(rand.NewPCG(7, 11))
	at := func(share float64) time.Time { return from.Add(time.Duration(share * float64(to.Sub(from)))) }
	var out []scene
	for i, run := range runs {
		out = append(out, scene{at: at(0.08 + 0.88*float64(i)/float64(len(runs))), pace: 700 * time.Millisecond, play: d.agent(run)})
	}
	for i := range 110 {
		q := questions[i%len(questions)]
		out = append(out, scene{at: at(rnd.Float64()), pace: time.Duration(80+rnd.IntN(500)) * time.Millisecond, play: d.question(q, i)})
	}
	for i, f := range failures {
		out = append(out, scene{at: at(0.15 + 0.8*float64(i)/float64(len(failures))), pace: 200 * time.Millisecond, play: d.failure(f)})
	}
	slices.SortFunc(out, func(a, b scene) int { return a.at.Compare(b.at) })
	return out
}

// question is one call of a script or a bot.
func (d *Director) question(q question, i int) func(context.Context, scene) error {
	return func(ctx context.Context, _ scene) error {
		d.Upstream.AddFault(fakeupstream.Fault{Times: 1, Text: q.answer, Chunks: 12})
		_, err := call(ctx, d.Past, "/v1/chat/completions", People[q.person], q.agent, q.body(i))
		return err
	}
}

// body is the request; every third one is streamed.
func (q question) body(i int) []byte {
	return mustJSON(map[string]any{
		"model": q.model, "stream": i%3 == 0, "temperature": 0.2,
		"messages": []any{map[string]any{"role": "system", "content": q.system}, map[string]any{"role": "user", "content": q.text}},
		"metadata": map[string]any{"tags": []string{q.tag}, "release": "2026.11", "feature": map[string]any{"name": q.tag}},
		"user":     q.endUser,
	})
}

// failure is a call that goes wrong at the upstream.
func (d *Director) failure(f fakeupstream.Fault) func(context.Context, scene) error {
	return func(ctx context.Context, _ scene) error {
		d.Upstream.AddFault(f)
		q := questions[0]
		_, err := call(ctx, d.Past, "/v1/chat/completions", People[q.person], q.agent, mustJSON(map[string]any{
			"model": "gpt-4o", "messages": []any{map[string]any{"role": "user", "content": q.text}},
		}))
		return err
	}
}

// agent plays a coding agent: the conversation grows with each tool result.
func (d *Director) agent(run run) func(context.Context, scene) error {
	return func(ctx context.Context, s scene) error {
		messages := []any{
			map[string]any{"role": "system", "content": agentSystem},
			map[string]any{"role": "user", "content": run.task},
		}
		for i, step := range run.steps {
			d.Clock.set(s.at.Add(time.Duration(i)*19*time.Second), s.pace)
			d.Upstream.AddFault(step.fault())
			answer, err := call(ctx, d.Past, "/chat/completions", People[run.person], run.agent, mustJSON(map[string]any{
				"model": run.model, "messages": messages, "tools": agentTools, "max_tokens": 8192, "reasoning_effort": run.effort,
			}))
			if err != nil {
				return err
			}
			message, calls := assistant(answer)
			if message == nil {
				return nil
			}
			messages = append(messages, message)
			for _, id := range calls {
				messages = append(messages, map[string]any{"role": "tool", "tool_call_id": id, "content": step.result})
			}
		}
		return nil
	}
}

// fault makes the fake play one step of a script.
func (s step) fault() fakeupstream.Fault {
	return fakeupstream.Fault{Times: 1, Tool: s.tool, Args: s.args, Text: s.say, Reasoning: s.think}
}

// assistant is the message of an answer as an agent replays it: without the thinking, which these clients drop.
func assistant(answer []byte) (message map[string]any, calls []string) {
	var a struct {
		Choices []struct {
			Message map[string]any `json:"message"`
		} `json:"choices"`
	}
	if json.Unmarshal(answer, &a) != nil || len(a.Choices) == 0 {
		return nil, nil
	}
	message = map[string]any{"role": "assistant", "content": a.Choices[0].Message["content"]}
	list, _ := a.Choices[0].Message["tool_calls"].([]any)
	for _, c := range list {
		if m, ok := c.(map[string]any); ok {
			id, _ := m["id"].(string)
			calls = append(calls, id)
		}
	}
	if len(list) > 0 {
		message["tool_calls"] = list
	}
	return message, calls
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("demo: " + err.Error()) // made of strings, numbers and maps
	}
	return b
}

// pad makes text long enough to be worth caching, as real system prompts are.
func pad(text string, n int) string {
	var b strings.Builder
	b.WriteString(text)
	for i := 0; b.Len() < n; i++ {
		b.WriteString(rules[i%len(rules)])
	}
	return b.String()
}
