package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"weir/internal/fault"
	"weir/internal/llm"
)

var update = flag.Bool("update", false, "rewrite golden files")

// golden compares with a file, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// compact is v as indented JSON without zero values, so that a golden file shows what is there.
func compact(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(prune(tree), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, m := range v {
			if p := prune(m); p == nil {
				delete(v, k)
			} else {
				v[k] = p
			}
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	}
	return v
}

func TestDecode(t *testing.T) {
	cases, _ := filepath.Glob("testdata/decode/*/request.json")
	if len(cases) < 7 {
		t.Fatalf("only %d cases found", len(cases))
	}
	for _, file := range cases {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Decode(body)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(dir, "hub.json"), compact(t, r))
		})
	}
}

// with wraps parts of a request so that one field is wrong.
func with(fields string) string {
	return `{"model":"m","messages":[{"role":"user","content":"hi"}],` + fields + `}`
}

func msg(m string) string {
	return `{"model":"m","messages":[{"role":"user","content":"hi"},` + m + `]}`
}

func withPart(p string) string {
	return msg(`{"role":"user","content":[{"type":"text","text":"a"},` + p + `]}`)
}

func manyFields() string {
	var b strings.Builder
	for i := range 2 * maxFields {
		fmt.Fprintf(&b, `,"f%d":1`, i)
	}
	return b.String()
}

func TestBadInput(t *testing.T) {
	for _, c := range []struct {
		name, body, field, word string
		late                    bool // found by Decode only: what the values mean is the upstream's business
	}{
		{name: "not JSON", body: `{"model":`, word: "not valid JSON"},
		{name: "empty", body: ``, word: "not valid JSON"},
		{name: "two values", body: `{} {}`, word: "not valid JSON"},
		{name: "array", body: `[]`, word: "JSON object"},
		{name: "invalid UTF-8", body: "{\"model\":\"\xff\"}", word: "UTF-8 (byte 10)"},
		{name: "deep nesting", body: strings.Repeat("[", 1<<20), word: "not valid JSON"},
		{name: "field twice", body: with(`"model":"dear"`), word: "stands twice"},
		{name: "field twice, escaped", body: with(`"mod\u0065l":"dear"`), word: "stands twice"},
		{name: "too many fields", body: `{"model":"m"` + manyFields() + `}`, word: "more than"},
		{name: "model missing", body: `{"messages":[{"role":"user","content":"x"}]}`, field: "model"},
		{name: "model null", body: `{"model":null,"messages":[]}`, field: "model"},
		{name: "model number", body: `{"model":5,"messages":[]}`, field: "model", word: "expected a string, but got the number 5"},
		{name: "model empty", body: `{"model":"","messages":[]}`, field: "model"},
		{name: "messages missing", body: `{"model":"m"}`, field: "messages"},
		{name: "messages empty", body: `{"model":"m","messages":[]}`, field: "messages"},
		{name: "messages text", body: `{"model":"m","messages":"hi"}`, field: "messages", word: "an array"},
		{name: "messages null", body: `{"model":"m","messages":null}`, field: "messages"},
		{name: "message text", body: msg(`"x"`), field: "messages[1]"},
		{name: "message null", body: msg(`null`), field: "messages[1]"},
		{name: "role missing", body: msg(`{"content":"x"}`), field: "messages[1].role"},
		{name: "role number", body: msg(`{"role":1}`), field: "messages[1].role"},
		{name: "role unknown", body: msg(`{"role":"robot","content":"x"}`), field: "messages[1].role", word: `"robot"`, late: true},
		{name: "content number", body: msg(`{"role":"user","content":5}`), field: "messages[1].content"},
		{name: "content object", body: msg(`{"role":"user","content":{}}`), field: "messages[1].content"},
		{name: "name number", body: msg(`{"role":"user","content":"x","name":1}`), field: "messages[1].name"},
		{name: "part text", body: withPart(`"x"`), field: "messages[1].content[1]"},
		{name: "part without type", body: withPart(`{}`), field: "messages[1].content[1].type"},
		{name: "part of unknown type", body: withPart(`{"type":"smell"}`), field: "messages[1].content[1].type", late: true},
		{name: "text missing", body: withPart(`{"type":"text"}`), field: "messages[1].content[1].text"},
		{name: "image missing", body: withPart(`{"type":"image_url"}`), field: "messages[1].content[1].image_url"},
		{name: "image without url", body: withPart(`{"type":"image_url","image_url":{}}`), field: "messages[1].content[1].image_url.url"},
		{name: "image url number", body: withPart(`{"type":"image_url","image_url":{"url":1}}`), field: "messages[1].content[1].image_url.url"},
		{name: "image of neither kind", body: withPart(`{"type":"image_url","image_url":{"url":"ftp://example.com/a"}}`), field: "messages[1].content[1].image_url.url", late: true},
		{name: "image bad base64", body: withPart(`{"type":"image_url","image_url":{"url":"data:image/png;base64,@@"}}`), field: "messages[1].content[1].image_url.url", late: true},
		{name: "image empty", body: withPart(`{"type":"image_url","image_url":{"url":"data:image/png;base64,"}}`), field: "messages[1].content[1].image_url.url", late: true},
		{name: "image no image", body: withPart(`{"type":"image_url","image_url":{"url":"data:image/png;base64,aGVsbG8="}}`), field: "messages[1].content[1].image_url.url", word: "not a PNG", late: true},
		{name: "audio missing", body: withPart(`{"type":"input_audio"}`), field: "messages[1].content[1].input_audio"},
		{name: "audio bad base64", body: withPart(`{"type":"input_audio","input_audio":{"data":"@","format":"wav"}}`), field: "messages[1].content[1].input_audio.data", late: true},
		{name: "audio format", body: withPart(`{"type":"input_audio","input_audio":{"data":"aGVsbG8=","format":"ogg"}}`), field: "messages[1].content[1].input_audio.format", late: true},
		{name: "file empty", body: withPart(`{"type":"file","file":{}}`), field: "messages[1].content[1].file.file_data", late: true},
		{name: "file id", body: withPart(`{"type":"file","file":{"file_id":"file-1"}}`), field: "messages[1].content[1].file.file_id", late: true},
		{name: "file data", body: withPart(`{"type":"file","file":{"file_data":"@"}}`), field: "messages[1].content[1].file.file_data", late: true},
		{name: "image in system", body: `{"model":"m","messages":[{"role":"system","content":[{"type":"image_url","image_url":"https://example.com"}]}]}`, field: "messages[0].content[0].type", late: true},
		{name: "tool message without id", body: msg(`{"role":"tool","content":"x"}`), field: "messages[1].tool_call_id"},
		{name: "tool message with bad id", body: msg(`{"role":"tool","content":"x","tool_call_id":5}`), field: "messages[1].tool_call_id"},
		{name: "tool_calls object", body: msg(`{"role":"assistant","tool_calls":{}}`), field: "messages[1].tool_calls"},
		{name: "tool call without function", body: msg(`{"role":"assistant","tool_calls":[{"id":"c","type":"function"}]}`), field: "messages[1].tool_calls[0].function"},
		{name: "tool call without name", body: msg(`{"role":"assistant","tool_calls":[{"id":"c","function":{"arguments":"{}"}}]}`), field: "messages[1].tool_calls[0].function.name"},
		{name: "tool call without id", body: msg(`{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}`), field: "messages[1].tool_calls[0].id", late: true},
		{name: "function message alone", body: msg(`{"role":"function","name":"f","content":"x"}`), field: "messages[1].role", late: true},
		{name: "nothing said", body: `{"model":"m","messages":[{"role":"user","content":""}]}`, field: "messages", late: true},
		{name: "temperature text", body: with(`"temperature":"hot"`), field: "temperature", word: "a number"},
		{name: "max_tokens zero", body: with(`"max_tokens":0`), field: "max_tokens", word: "positive"},
		{name: "max_tokens negative", body: with(`"max_completion_tokens":-1`), field: "max_completion_tokens"},
		{name: "max_tokens fraction", body: with(`"max_tokens":1.5`), field: "max_tokens"},
		{name: "max_tokens huge", body: with(`"max_tokens":1e300`), field: "max_tokens"},
		{name: "seed text", body: with(`"seed":"1"`), field: "seed"},
		{name: "stream text", body: with(`"stream":"yes"`), field: "stream"},
		{name: "stream_options text", body: with(`"stream_options":"x"`), field: "stream_options"},
		{name: "include_usage text", body: with(`"stream_options":{"include_usage":"x"}`), field: "stream_options.include_usage"},
		{name: "stop number", body: with(`"stop":1`), field: "stop"},
		{name: "stop list of numbers", body: with(`"stop":["a",1]`), field: "stop[1]"},
		{name: "tools object", body: with(`"tools":{}`), field: "tools"},
		{name: "tool text", body: with(`"tools":["x"]`), field: "tools[0]"},
		{name: "tool without type", body: with(`"tools":[{"function":{"name":"f"}}]`), field: "tools[0].type"},
		{name: "tool without function", body: with(`"tools":[{"type":"function"}]`), field: "tools[0].function"},
		{name: "tool without name", body: with(`"tools":[{"type":"function","function":{}}]`), field: "tools[0].function.name"},
		{name: "tool with text schema", body: with(`"tools":[{"type":"function","function":{"name":"f","parameters":"x"}}]`), field: "tools[0].function.parameters"},
		{name: "tool_choice number", body: with(`"tool_choice":1`), field: "tool_choice"},
		{name: "tool_choice word", body: with(`"tool_choice":"maybe"`), field: "tool_choice", late: true},
		{name: "function without name", body: with(`"functions":[{}]`), field: "functions[0].name", late: true},
		{name: "response_format text", body: with(`"response_format":"json"`), field: "response_format"},
		{name: "response_format word", body: with(`"response_format":{"type":"xml"}`), field: "response_format.type", late: true},
		{name: "schema missing", body: with(`"response_format":{"type":"json_schema"}`), field: "response_format.json_schema.schema", late: true},
		{name: "effort", body: with(`"reasoning_effort":"huge"`), field: "reasoning_effort", late: true},
		{name: "thinking type", body: with(`"thinking":{"type":"deep"}`), field: "thinking.type", late: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, early := check([]byte(c.body))
			if (early == nil) != c.late {
				t.Errorf("check alone: %v", early)
			}
			_, err := Decode([]byte(c.body))
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid {
				t.Fatalf("got %v", err)
			}
			if f.Field != c.field || !strings.Contains(f.Msg, c.word) {
				t.Errorf("field %q, message %q; want %q, …%q…", f.Field, f.Msg, c.field, c.word)
			}
		})
	}
}

func TestHead(t *testing.T) {
	h, err := check([]byte(`{"model":"a\u002fb","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":null}],"temperature":null}`))
	if want := (head{model: "a/b", stream: true, includeUsage: true}); err != nil || h != want {
		t.Errorf("got %+v, %v", h, err)
	}
}

func FuzzDecode(f *testing.F) {
	cases, _ := filepath.Glob("testdata/decode/*/request.json")
	for _, file := range cases {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Decode(body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("not the client's fault: %v", err)
			}
			return
		}
		if r.Model == "" || len(r.Messages)+len(r.System) == 0 {
			t.Fatalf("accepted without model or messages: %s", body)
		}
		for _, m := range r.Messages {
			for _, p := range m.Parts {
				if p.Kind == llm.ToolCall && p.Call.ID == "" || p.Kind == llm.ToolResult && p.Result.ID == "" {
					t.Fatalf("call or result without id: %s", body)
				}
			}
		}
	})
}
