package openaicompat

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
)

// plan is what must be undone in the answer.
type plan struct {
	as        string // name for the "model" field
	native    bool   // pass payloads on
	hideUsage bool   // the client did not ask for the usage chunk
}

// litellmOnly are further top-level fields that only LiteLLM (and Weir) understands. Other servers may have fields of
// the same names, so only strict ones are spared them.
var litellmOnly = []string{
	"tags", "fallbacks", "num_retries", "guardrails", "mock_response", "cache", "caching", "no-log", "additional_drop_params", "allowed_openai_params",
}

// notReasoning are parameters that OpenAI's reasoning models do not have.
// https://platform.openai.com/docs/guides/reasoning
var notReasoning = []string{"stop", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "logit_bias"}

// messageOnly are fields of messages that only LiteLLM and its peers understand.
var messageOnly = []string{"cache_control", "thinking_blocks", "reasoning_content", "provider_specific_fields"}

// messageOnlyKeys are the same as they are searched for: a quotation mark is rarer in texts than most letters.
var messageOnlyKeys = []string{`"cache_control"`, `"thinking_blocks"`, `"reasoning_content"`, `"provider_specific_fields"`}

// patch makes the upstream's body out of the client's: one pass over the top level, everything else copied as it is.
func (u *Upstream) patch(a *gateway.Attempt) ([]byte, plan, error) {
	p := &patcher{u: u, a: a, out: make([]byte, 0, len(a.Native)+128)}
	p.out = append(p.out, '{')
	p.root = gjson.Parse(jsonx.View(a.Native))
	jsonx.Each(p.root.Raw, p.take)
	if p.err != nil {
		return nil, plan{}, p.err
	}
	if a.Stream && !u.row.NoStreamOptions {
		p.streamOptions()
	}
	p.out = append(p.out, '}')
	return p.out, plan{as: a.As, native: true, hideUsage: !p.options.Get("include_usage").Bool()}, nil
}

type patcher struct {
	u       *Upstream
	a       *gateway.Attempt
	out     []byte
	root    gjson.Result
	options gjson.Result // the client's stream_options
	err     error
}

// take copies one member, changed where it must be.
func (p *patcher) take(name, raw string, _ int) bool {
	row, quirks := &p.u.row, p.a.Model.Quirks
	v := gjson.Parse(raw)
	switch {
	case name == "model":
		p.add(name, string(jsonx.MustMarshal(p.u.target.Model)))
	case name == "stream_options":
		p.options = v // added at the end
	case name == "max_tokens" && (row.CompletionLimit || quirks.CompletionLimit):
		if p.root.Get("max_completion_tokens").Type != gjson.Number {
			p.add("max_completion_tokens", v.Raw)
		}
	case name == "temperature" && quirks.NoSampling && v.Num == 1, name == "top_p" && quirks.NoSampling && v.Num == 1:
		// the default, said aloud
	case quirks.NoSampling && (name == "temperature" || name == "top_p" || name == "top_k"):
		p.refuse(name, v, " with this model")
	case name == "top_p" && quirks.OneOfTempTopP && p.root.Get("temperature").Type == gjson.Number:
		// temperature wins
	case name == "metadata":
		if row.Metadata || row.Strict && p.root.Get("store").Bool() && isFlat(v) {
			p.add(name, v.Raw)
		}
	case !row.LiteLLM && (name == "drop_params" || strings.HasPrefix(name, "litellm_")): // said to this gateway
	case row.Strict && slices.Contains(litellmOnly, name):
	case p.a.Drop && quirks.NoSampling && quirks.CompletionLimit && slices.Contains(notReasoning, name): // left out as asked
	case slices.Contains(row.Refuses, name):
		p.refuse(name, v, "")
	case name == "messages":
		p.add(name, p.messages(v))
	case name == "tools":
		p.add(name, p.tools(v))
	default:
		p.add(name, v.Raw)
	}
	return p.err == nil
}

// refuse leaves a parameter out, if that is allowed or changes nothing.
func (p *patcher) refuse(name string, v gjson.Result, why string) {
	off := v.Type == gjson.Null || v.Get("type").Str == "disabled"
	if !p.a.Drop && !off {
		p.err = llm.Unsupported(p.u.target.Provider, name, why)
	}
}

func (p *patcher) add(name, rawValue string) {
	if len(p.out) > 1 {
		p.out = append(p.out, ',')
	}
	p.out = append(jsonx.AppendString(p.out, name), ':')
	p.out = append(p.out, rawValue...)
}

// streamOptions asks for usage, keeping what else the client asked for.
func (p *patcher) streamOptions() {
	opts := []byte(`{"include_usage":true`)
	p.options.ForEach(func(k, v gjson.Result) bool {
		if k.Str != "include_usage" && k.Type == gjson.String {
			opts = append(append(append(append(opts, ','), k.Raw...), ':'), v.Raw...)
		}
		return true
	})
	p.add("stream_options", string(append(opts, '}')))
}

// messages takes marks and reasoning out where they are refused, and adds cache marks where they were asked for.
func (p *patcher) messages(v gjson.Result) string {
	if p.u.row.Strict && containsAny(v.Raw, messageOnlyKeys) {
		return rebuild(v, func(m gjson.Result) string { return without(m, messageOnly, "content", withoutMarks) })
	}
	if p.addsMarks() {
		return markMessages(v)
	}
	return v.Raw
}

func (p *patcher) tools(v gjson.Result) string {
	if p.u.row.Strict && strings.Contains(v.Raw, "cache_control") {
		return rebuild(v, func(t gjson.Result) string { return without(t, messageOnly[:1], "function", withoutMark) })
	}
	if p.addsMarks() {
		return markLast(v)
	}
	return v.Raw
}

func (p *patcher) addsMarks() bool {
	return p.a.CachePoints && p.u.row.CacheMarks && !bytes.Contains(p.a.Native, []byte(`"cache_control"`))
}

func withoutMarks(v gjson.Result) string { return rebuild(v, withoutMark) }

func withoutMark(v gjson.Result) string { return without(v, messageOnly[:1], "", nil) }

// containsAny looks for words that all have an underscore.
func containsAny(s string, words []string) bool {
	return strings.IndexByte(s, '_') >= 0 && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}

// rebuild applies f to every element of an array; any other value stays.
func rebuild(v gjson.Result, f func(gjson.Result) string) string {
	if !v.IsArray() {
		return v.Raw
	}
	out := []byte{'['}
	v.ForEach(func(_, e gjson.Result) bool {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, f(e)...)
		return true
	})
	return string(append(out, ']'))
}

// without copies an object less some members; member inner is given to f.
func without(v gjson.Result, names []string, inner string, f func(gjson.Result) string) string {
	if !v.IsObject() {
		return v.Raw
	}
	out := []byte{'{'}
	v.ForEach(func(k, m gjson.Result) bool {
		if slices.Contains(names, k.Str) {
			return true
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		raw := m.Raw
		if f != nil && k.Str == inner {
			raw = f(m)
		}
		out = append(append(append(out, k.Raw...), ':'), raw...)
		return true
	})
	return string(append(out, '}'))
}

// isFlat reports that metadata is what OpenAI takes: at most 16 texts.
func isFlat(v gjson.Result) bool {
	n, flat := 0, v.IsObject()
	v.ForEach(func(k, m gjson.Result) bool {
		n++
		flat = flat && m.Type == gjson.String && len(m.Str) <= 512 && len(k.Str) <= 64
		return flat
	})
	return flat && n <= 16
}
