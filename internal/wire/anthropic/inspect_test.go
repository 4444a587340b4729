package anthropic

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/internal/fault"
)

func TestInspectHead(t *testing.T) {
	h, err := Inspect([]byte(`{"model":"m","max_tokens":7,"stream":true,"anthropic_version":"v","anthropic_beta":["a","b"],"messages":[{"role":"user","content":"x"}],"new_field":{}}`),
		Need{Model: true, MaxTokens: true})
	if err != nil {
		t.Fatal(err)
	}
	if h.Model != "m" || h.MaxTokens != 7 || !h.Stream || h.Version != "v" || strings.Join(h.Betas, " ") != "a b" {
		t.Errorf("head = %+v", h)
	}
}

func TestInspectAcceptsFixtures(t *testing.T) {
	for name, body := range fixtures(t, "requests") {
		if _, err := Inspect(body, Need{Model: true, MaxTokens: true}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func manyFields() string {
	var b strings.Builder
	for i := range 2 * maxFields {
		fmt.Fprintf(&b, `,"f%d":1`, i)
	}
	return b.String()
}

func TestInspectRefuses(t *testing.T) {
	ok := `"model":"m","max_tokens":1`
	msg := func(content string) string {
		return `{` + ok + `,"messages":[{"role":"user","content":` + content + `}]}`
	}
	with := func(fields string) string {
		return `{` + ok + `,"messages":[{"role":"user","content":"x"}],` + fields + `}`
	}
	for _, c := range []struct{ name, body, field, says string }{
		{"not JSON", `{"model":`, "", "not valid JSON"},
		{"trailing", `{} x`, "", "not valid JSON"},
		{"invalid UTF-8", "{\"model\":\"\xff\"}", "", "UTF-8"},
		{"array", `[]`, "", "not a JSON object"},
		{"empty", ``, "", "not valid JSON"},
		{"no model", `{"max_tokens":1,"messages":[]}`, "model", "model: Field required"},
		{"empty model", `{"model":"","max_tokens":1,"messages":[]}`, "model", "at least 1 character"},
		{"model number", `{"model":3,"max_tokens":1}`, "model", "valid string"},
		{"no max_tokens", `{"model":"m","messages":[{"role":"user","content":"x"}]}`, "max_tokens", "max_tokens: Field required"},
		{"max_tokens string", `{"model":"m","max_tokens":"9","messages":[]}`, "max_tokens", "valid integer"},
		{"max_tokens zero", `{"model":"m","max_tokens":0,"messages":[]}`, "max_tokens", "greater than"},
		{"max_tokens fraction", `{"model":"m","max_tokens":1.5,"messages":[]}`, "max_tokens", "valid integer"},
		{"too many fields", `{"model":"m"` + manyFields() + `}`, "", "more than"},
		{"model twice", `{"model":"cheap","model":"dear","max_tokens":1}`, "model", "stand once"},
		{"escaped name", `{"mod\u0065l":"dear","max_tokens":1}`, "model", "stand once"},
		{"stream string", with(`"stream":"yes"`), "stream", "valid boolean"},
		{"temperature", with(`"temperature":"hot"`), "temperature", "valid number"},
		{"system number", with(`"system":1`), "system", "string or list"},
		{"system block", with(`"system":[{"type":"text"}]`), "system.0.text.text", "Field required"},
		{"tools object", with(`"tools":{}`), "tools", "valid list"},
		{"tool without schema", with(`"tools":[{"name":"a"}]`), "tools.0.custom.input_schema", "Field required"},
		{"tool without name", with(`"tools":[{"input_schema":{}}]`), "tools.0.custom.name", "Field required"},
		{"thinking string", with(`"thinking":"on"`), "thinking", "dictionary"},
		{"stop number", with(`"stop_sequences":[1]`), "stop_sequences.0", "valid string"},
		{"no messages", `{` + ok + `}`, "messages", "Field required"},
		{"empty messages", `{` + ok + `,"messages":[]}`, "messages", "at least one"},
		{"messages string", `{` + ok + `,"messages":"x"}`, "messages", "valid list"},
		{"message string", `{` + ok + `,"messages":["x"]}`, "messages.0", "dictionary"},
		{"no role", `{` + ok + `,"messages":[{"content":"x"}]}`, "messages.0.role", "Field required"},
		{"odd role", `{` + ok + `,"messages":[{"role":"tool","content":"x"}]}`, "messages.0.role", "'user' or 'assistant'"},
		{"no content", `{` + ok + `,"messages":[{"role":"user"}]}`, "messages.0.content", "Field required"},
		{"content number", msg(`1`), "messages.0.content", "string or list"},
		{"content null", msg(`null`), "messages.0.content", "string or list"},
		{"block string", msg(`["x"]`), "messages.0.content.0", "dictionary"},
		{"block without type", msg(`[{"text":"x"}]`), "messages.0.content.0.type", "Field required"},
		{"text number", msg(`[{"type":"text","text":1}]`), "messages.0.content.0.text.text", "valid string"},
		{"image type", msg(`[{"type":"image","source":{"type":"base64","media_type":"image/tiff","data":"aGk="}}]`), "messages.0.content.0.image.source.base64.media_type", "image/jpeg"},
		{"image data", msg(`[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"!!!!"}}]`), "messages.0.content.0.image.source.base64.data", "invalid base64"},
		{"image empty", msg(`[{"type":"image","source":{"type":"base64","media_type":"image/png","data":""}}]`), "messages.0.content.0.image.source.base64.data", "invalid base64"},
		{"image file URL", msg(`[{"type":"image","source":{"type":"url","url":"file:///etc/passwd"}}]`), "messages.0.content.0.image.source.url.url", "HTTP"},
		{"tool input string", msg(`[{"type":"tool_use","id":"a","name":"b","input":"c"}]`), "messages.0.content.0.tool_use.input", "dictionary"},
		{"result without id", msg(`[{"type":"tool_result"}]`), "messages.0.content.0.tool_result.tool_use_id", "Field required"},
		{"nested result image", msg(`[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image"}]}]`), "messages.0.content.0.tool_result.content.0.image.source", "Field required"},
		{"nested results", msg(`[{"type":"tool_result","tool_use_id":"a","content":[{"type":"tool_result","tool_use_id":"b","content":[]}]}]`), "messages.0.content.0.tool_result.content.0.tool_result.content", "nested"},
		{"too deep", with(`"x":` + strings.Repeat("[", 101) + strings.Repeat("]", 101)), "", "levels deep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Inspect([]byte(c.body), Need{Model: true, MaxTokens: true})
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid {
				t.Fatalf("err = %v, want a fault of kind invalid", err)
			}
			if f.Field != c.field || !strings.Contains(f.Msg, c.says) {
				t.Errorf("field %q, %q; want field %q and %q", f.Field, f.Msg, c.field, c.says)
			}
		})
	}
}

// fixtures reads the files of a folder of testdata.
func fixtures(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures in %s: %v", dir, err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = b
	}
	return out
}
