package openaicompat

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"weir/internal/jsonx"
	"weir/internal/wire/openai"
)

var usages = map[string]bool{
	`{}`: true, `{"prompt_tokens":12,"completion_tokens":0,"total_tokens":12}`: true,
	`{"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":3,"audio_tokens":1,"text_tokens":9},"completion_tokens_details":{"reasoning_tokens":4,"x":{"a":1}}}`:       true,
	`{"prompt_cache_hit_tokens":1,"prompt_cache_miss_tokens":2,"cache_read_input_tokens":3,"cache_creation_input_tokens":4,"cost":0.5,"prompt_tokens":1,"prompt_tokens":2}`: true,
	`{"prompt_tokens_details":{"cache_creation_token_details":{"ephemeral_1h_input_tokens":5}}}`:                                                                            false,
	`null`: false, `[]`: false, `{"prompt_tokens":1.0}`: false, `{"prompt_tokens":null}`: false, `{"Prompt_Tokens":1}`: false, `{"prompt_tokens":-1}`: false,
	`{"prompt_tokens_details":null}`: false, `{"prompt_tokens":"1"}`: false, `{"prompt_tokens":1e3}`: false, `{"prompt_to\u006bens":7}`: true,
}

func TestPlainUsage(t *testing.T) {
	for v, plain := range usages {
		got, ok := plainUsage(v)
		if ok != plain {
			t.Errorf("%s: plain is %v", v, ok)
		}
		if ok {
			agrees(t, v, got)
		}
	}
}

func agrees(t *testing.T, v string, got openai.Usage) {
	t.Helper()
	var want openai.Usage
	if err := jsonx.Unmarshal([]byte(v), &want); err != nil {
		t.Fatalf("%s: %v", v, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", v, diff)
	}
}

// What is read without the decoder is what the decoder reads.
func FuzzPlainUsage(f *testing.F) {
	for v := range usages {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		if !json.Valid([]byte(v)) {
			return
		}
		if got, ok := plainUsage(v); ok {
			agrees(t, v, got)
		}
	})
}
