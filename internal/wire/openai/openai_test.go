package openai

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"weir/internal/jsonx"
	"weir/internal/llm"
)

// TestRequestRoundTrip reads every union in both forms; what is written reads the same again.
func TestRequestRoundTrip(t *testing.T) {
	for _, in := range []string{
		`{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}]}`,
		`{"model":"m","messages":[{"role":"user","content":[]}],"tool_choice":"auto","stop":["a"],"aaa":{"b":[1]},"zzz":null}`,
		`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"u","detail":"low"}}]}],"tools":[{"type":"web_search","x":1},{"type":"function","function":{"name":"f","strict":false},"cache_control":{"type":"ephemeral","ttl":"1h"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{}}}`,
	} {
		var r Request
		if err := jsonx.Unmarshal([]byte(in), &r); err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		out, err := jsonx.Marshal(r)
		if err != nil || string(out) != in {
			t.Errorf("%v\nin  %s\nout %s", err, in, out)
		}
	}
}

func TestLenientForms(t *testing.T) {
	var r Request
	in := `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":"u"}]},{"role":"assistant","function_call":{"name":"f","arguments":null},"tool_calls":[{"id":"1","function":{"name":"f","arguments":{ "a": 1 }}}]}],
		"stop":"x","tool_choice":{"name":"f"},"function_call":{"type":"auto"}}`
	if err := jsonx.Unmarshal([]byte(in), &r); err != nil {
		t.Fatal(err)
	}
	m := r.Messages[1]
	if r.Messages[0].Content.Parts[0].ImageURL.URL != "u" || m.ToolCalls[0].Function.Arguments != `{"a":1}` || m.FunctionCall.Arguments != "" ||
		len(r.Stop) != 1 || r.ToolChoice.Name != "f" || r.FunctionCall.Mode != "auto" {
		t.Errorf("got %+v", r)
	}
	if got := (&Content{Text: "a"}).All() + (&Content{Parts: []Part{{Text: "b"}, {Text: "c"}}}).All() + (*Content)(nil).All(); got != "abc" {
		t.Errorf("All: %q", got)
	}
}

func TestResponseExtra(t *testing.T) {
	in := `{"id":"1","object":"o","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":null}],"citations":["a"]}`
	var r Response
	if err := jsonx.Unmarshal([]byte(in), &r); err != nil {
		t.Fatal(err)
	}
	if out, err := jsonx.Marshal(r); err != nil || string(out) != in {
		t.Errorf("%v %s", err, out)
	}
}

func TestUsage(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want llm.Usage
	}{
		"openai":           {`{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":60,"audio_tokens":3},"completion_tokens_details":{"reasoning_tokens":8,"audio_tokens":2}}`, llm.Usage{Input: 40, CacheRead: 60, Output: 20, Reasoning: 8, AudioInput: 3, AudioOutput: 2}},
		"writes":           {`{"prompt_tokens":100,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":30}}`, llm.Usage{Input: 10, CacheRead: 60, CacheWrite: 30, Output: 1}},
		"litellm":          {`{"prompt_tokens":100,"completion_tokens":1,"cache_read_input_tokens":60,"cache_creation_input_tokens":30,"prompt_tokens_details":{"cached_tokens":60}}`, llm.Usage{Input: 10, CacheRead: 60, CacheWrite: 30, Output: 1}},
		"litellm lifetime": {`{"prompt_tokens":100,"completion_tokens":1,"cache_creation_input_tokens":30,"prompt_tokens_details":{"cache_creation_token_details":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20}}}`, llm.Usage{Input: 70, CacheWrite: 10, CacheWrite1h: 20, Output: 1}},
		"cached apart":     {`{"prompt_tokens":10,"completion_tokens":1,"cache_read_input_tokens":60}`, llm.Usage{Input: 10, CacheRead: 60, Output: 1}},
		"deepseek":         {`{"prompt_tokens":10,"completion_tokens":1,"prompt_cache_hit_tokens":6,"prompt_cache_miss_tokens":4}`, llm.Usage{Input: 4, CacheRead: 6, Output: 1}},
		"xai":              {`{"prompt_tokens":10,"completion_tokens":5,"total_tokens":22,"completion_tokens_details":{"reasoning_tokens":7}}`, llm.Usage{Input: 10, Output: 12, Reasoning: 7}},
		"nulls":            {`{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":null,"completion_tokens_details":null}`, llm.Usage{Input: 10, Output: 5}},
		"negative":         {`{"prompt_tokens":-1,"completion_tokens":-5}`, llm.Usage{}},
		"absurd":           {`{"prompt_tokens":9223372036854775807,"completion_tokens":9223372036854775807}`, llm.Usage{Input: 1 << 40, Output: 1 << 40}},
	} {
		var u Usage
		if err := jsonx.Unmarshal([]byte(c.in), &u); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, u.LLM()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(c.want, UsageOf(c.want).LLM()); diff != "" {
			t.Errorf("%s, written and read: %s", name, diff)
		}
	}
	if u := (*Usage)(nil).LLM(); !u.IsZero() {
		t.Errorf("no usage: %+v", u)
	}
}
