package openaicompat

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/wire/sse"
)

// What the short way reads must be what the decoder reads.
func TestPlainAnswerAgreesWithDecoder(t *testing.T) {
	u := &Upstream{target: gateway.Target{Provider: "openai"}}
	const usage = `"usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}`
	for body, plain := range map[string]bool{
		`{"id":"x","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"hi \"you\"\n","refusal":null}}],` + usage + `}`:  true,
		`{"id":"x","model":"m","choices":[{"finish_reason":"length","message":{"content":"日本","annotations":[],"tool_calls":null}}]}`:                                 true,
		`{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":null,"refusal":"no"}}],` + usage + `}`:                                           false,
		`{"choices":[{"finish_reason":"tool_calls","message":{"content":"a","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}}]}`: false,
		`{"choices":[{"message":{"content":"a","reasoning_content":"b"}}]}`:                                                                                           false,
		`{"choices":[{"message":{"content":"a"}},{"message":{"content":"b"}}]}`:                                                                                       false,
		`{"choices":[{"message":{"content":"a"}}],"error":{"message":"x"}}`:                                                                                           false,
		`{"choices":[{"message":{"content":"a"}}],"usage":null}`:                                                                                                      false,
		`{"choices":[]}`: false,
		`not JSON`:       false,
	} {
		got, _ := plainAnswer([]byte(body))
		if (got != nil) != plain {
			t.Errorf("%s: plain is %v", body, got != nil)
			continue
		}
		if got == nil {
			continue
		}
		want, err := u.decode([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if want.Extra = nil; !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v", body, got, want)
		}
	}
}

// Streams that are read by template must come out as those that are decoded event by event.
func TestTemplateAgreesWithDecoder(t *testing.T) {
	before := func(text string) string {
		return `{"id":"c","model":"m-up","choices":[{"index":0,"delta":{"content":` + text + `},"finish_reason":null}],"usage":null}`
	}
	behind := func(text string) string {
		return `{"choices":[{"delta":{"content":` + text + `},"index":0}],"id":"c","model":"m-up"}`
	}
	both := func(text string) string {
		return `{"choices":[{"delta":{"content":` + text + `,"refusal":null},"index":0}],"model":"m-up","note":"\"content\":\"x\""}`
	}
	texts := []string{`"a"`, `"b c"`, `""`, `"\n"`, `"q\"q"`, `"日本"`, `"\u65e5"`, `null`, `"x","refusal":"no"`, `"x\\"`, `"}"`, `"[1,"`, `"a"`, `"m-up"`}
	for name, shape := range map[string]func(string) string{"before": before, "behind": behind, "both": both} {
		for _, as := range []string{"mine", "m-up", "a-much-longer-name/of-a-model"} {
			long := &stream{u: &Upstream{}, plan: plan{as: as, native: true}, as: jsonx.MustMarshal(as)}
			long.like.unused = maxUnused + 1 // learns nothing
			short := &stream{u: &Upstream{}, plan: plan{as: as, native: true}, as: jsonx.MustMarshal(as)}
			hits := 0
			for _, text := range texts {
				data := shape(text)
				if _, ok := short.like.text([]byte(data)); ok {
					hits++
				}
				want, werr := long.frame(sse.Event{Data: []byte(data)})
				got, gerr := short.frame(sse.Event{Data: []byte(data)})
				if string(got.Data) != string(want.Data) || fmt.Sprint(got.Chunks) != fmt.Sprint(want.Chunks) || (werr == nil) != (gerr == nil) {
					t.Errorf("%s as %s, %s:\n got %s %v\nwant %s %v", name, as, data, got.Data, got.Chunks, want.Data, want.Chunks)
				}
			}
			if hits < 3 {
				t.Errorf("%s as %s: the template served %d events only", name, as, hits)
			}
		}
	}
}

// A server that puts a random field into every event must not cost learning for ever.
func TestTemplateGivesUp(t *testing.T) {
	s := &stream{u: &Upstream{}, plan: plan{as: "m", native: true}, as: jsonx.MustMarshal("m")}
	for i := range 20 {
		data := fmt.Sprintf(`{"model":"m","choices":[{"delta":{"content":"%s"},"index":0}],"obfuscation":"%d"}`, strings.Repeat("x", i+1), i)
		f, err := s.frame(sse.Event{Data: []byte(data)})
		if err != nil || string(f.Data) != data || f.Chunks[len(f.Chunks)-1].Kind != llm.ChunkText {
			t.Fatalf("%s: %s %v", data, f.Data, err)
		}
	}
	if s.like.unused != maxUnused+1 {
		t.Errorf("learnt %d templates", s.like.unused)
	}
}
