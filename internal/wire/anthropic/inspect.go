package anthropic

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"weir/internal/fault"
	"weir/internal/jsonx"
)

// Head is what a gateway must know of a request before it goes anywhere.
type Head struct {
	Model     string
	Stream    bool
	MaxTokens int
	Version   string   // anthropic_version, which only Bedrock's bodies have
	Betas     []string // anthropic_beta, likewise
}

// Need says which fields a route demands.
type Need struct{ Model, MaxTokens bool }

// Inspect checks the shape of a request and reads its head. Errors are *fault.Error of kind Invalid, with Field set and
// worded as the API words them. Fields that the API may have gained since are let through.
//
// A top-level field that stands twice, or is spelled with escapes, is refused: readers disagree on which one counts, so
// a body could be checked as one request and served as another.
func Inspect(body []byte, need Need) (Head, error) {
	if !utf8.Valid(body) {
		return Head{}, fault.New(fault.Invalid, "The request body is not valid JSON: it is not valid UTF-8")
	}
	if !jsonx.Valid(body) {
		return Head{}, fault.New(fault.Invalid, "The request body is not valid JSON")
	}
	root := gjson.ParseBytes(body)
	if !root.IsObject() {
		return Head{}, fault.New(fault.Invalid, "The request body is not a JSON object")
	}
	in := inspector{seen: map[string]gjson.Result{}}
	root.ForEach(func(k, v gjson.Result) bool {
		if _, twice := in.seen[k.Str]; twice || strings.ContainsRune(k.Raw, '\\') {
			in.fail(k.Str, "the field must stand once, without escapes in its name")
		}
		in.seen[k.Str] = v
		return in.err == nil
	})
	in.top(need)
	return in.head(), in.err
}

type inspector struct {
	seen map[string]gjson.Result
	err  error
}

func (in *inspector) fail(path, format string, args ...any) {
	if in.err == nil {
		in.err = fault.Bad(path, path+": "+format, args...)
	}
}

func (in *inspector) top(need Need) {
	in.model(need.Model)
	in.maxTokens(need.MaxTokens)
	if v, ok := in.seen["stream"]; ok && !v.IsBool() && v.Type != gjson.Null {
		in.fail("stream", "Input should be a valid boolean")
	}
	in.number("temperature")
	in.number("top_p")
	in.number("top_k")
	if v, ok := in.seen["system"]; ok && v.Type != gjson.Null {
		in.content("system", v)
	}
	in.messages()
	in.tools()
	in.list("stop_sequences", func(path string, v gjson.Result) {
		if v.Type != gjson.String {
			in.fail(path, "Input should be a valid string")
		}
	})
	for _, name := range []string{"tool_choice", "thinking", "metadata", "output_config"} {
		if v, ok := in.seen[name]; ok && !v.IsObject() && v.Type != gjson.Null {
			in.fail(name, "Input should be a valid dictionary or object")
		}
	}
}

func (in *inspector) model(required bool) {
	v, ok := in.seen["model"]
	switch {
	case !ok && required:
		in.fail("model", "Field required")
	case ok && v.Type != gjson.String:
		in.fail("model", "Input should be a valid string")
	case required && v.Str == "":
		in.fail("model", "String should have at least 1 character")
	}
}

func (in *inspector) maxTokens(required bool) {
	v, ok := in.seen["max_tokens"]
	switch {
	case !ok && required:
		in.fail("max_tokens", "Field required")
	case ok && (v.Type != gjson.Number || v.Num != float64(int64(v.Num))):
		in.fail("max_tokens", "Input should be a valid integer")
	case ok && v.Num < 1:
		in.fail("max_tokens", "Input should be greater than or equal to 1")
	}
}

func (in *inspector) number(name string) {
	if v, ok := in.seen[name]; ok && v.Type != gjson.Number && v.Type != gjson.Null {
		in.fail(name, "Input should be a valid number")
	}
}

// list visits the elements of a top-level array.
func (in *inspector) list(name string, visit func(path string, v gjson.Result)) {
	v, ok := in.seen[name]
	if !ok || v.Type == gjson.Null {
		return
	}
	if !v.IsArray() {
		in.fail(name, "Input should be a valid list")
		return
	}
	in.each(name, v, visit)
}

func (in *inspector) each(path string, list gjson.Result, visit func(path string, v gjson.Result)) {
	i := 0
	list.ForEach(func(_, v gjson.Result) bool {
		visit(fmt.Sprintf("%s.%d", path, i), v)
		i++
		return in.err == nil
	})
}

func (in *inspector) messages() {
	v, ok := in.seen["messages"]
	if !ok || v.Type == gjson.Null {
		in.fail("messages", "Field required")
		return
	}
	if v.IsArray() && !v.Get("0").Exists() {
		in.fail("messages", "at least one message is required")
	}
	in.list("messages", in.message)
}

func (in *inspector) message(path string, m gjson.Result) {
	if !m.IsObject() {
		in.fail(path, "Input should be a valid dictionary or object")
		return
	}
	switch role := m.Get("role"); {
	case !role.Exists():
		in.fail(path+".role", "Field required")
	case role.Str != "user" && role.Str != "assistant" && role.Str != "system":
		in.fail(path+".role", "Input should be 'user' or 'assistant'")
	}
	c := m.Get("content")
	if !c.Exists() {
		in.fail(path+".content", "Field required")
		return
	}
	in.content(path+".content", c)
}

func (in *inspector) content(path string, c gjson.Result) {
	switch {
	case c.Type == gjson.String:
	case c.IsArray():
		in.each(path, c, in.block)
	default:
		in.fail(path, "Input should be a valid string or list")
	}
}

// required are the fields without which a block of a type is none.
var required = map[string][]string{
	"text": {"text"}, "image": {"source"}, "document": {"source"}, "tool_use": {"id", "name", "input"},
	"tool_result": {"tool_use_id"}, "thinking": {"thinking", "signature"}, "redacted_thinking": {"data"},
}

func (in *inspector) block(path string, b gjson.Result) {
	if !b.IsObject() {
		in.fail(path, "Input should be a valid dictionary or object")
		return
	}
	t := b.Get("type")
	if t.Type != gjson.String || t.Str == "" {
		in.fail(path+".type", "Field required")
		return
	}
	for _, name := range required[t.Str] {
		if !b.Get(name).Exists() {
			in.fail(fmt.Sprintf("%s.%s.%s", path, t.Str, name), "Field required")
		}
	}
	switch t.Str {
	case "text":
		if v := b.Get("text"); v.Type != gjson.String {
			in.fail(path+".text.text", "Input should be a valid string")
		}
	case "image", "document":
		in.source(path+"."+t.Str+".source", t.Str, b.Get("source"))
	case "tool_use":
		if v := b.Get("input"); !v.IsObject() {
			in.fail(path+".tool_use.input", "Input should be a valid dictionary")
		}
	case "tool_result":
		if c := b.Get("content"); c.Exists() && c.Type != gjson.Null {
			in.content(path+".tool_result.content", c)
		}
	}
}

func (in *inspector) source(path, kind string, s gjson.Result) {
	if !s.IsObject() {
		in.fail(path, "Input should be a valid dictionary or object")
		return
	}
	switch s.Get("type").Str {
	case "base64":
		media := s.Get("media_type").Str
		if kind == "image" && !imageTypes[media] {
			in.fail(path+".base64.media_type", "Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'")
		}
		if data := s.Get("data"); data.Type != gjson.String || !isBase64(data.Str) {
			in.fail(path+".base64.data", "invalid base64 data")
		}
	case "url":
		u := s.Get("url").Str
		if !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "http://") {
			in.fail(path+".url.url", "Only HTTP and HTTPS URLs are supported")
		}
	case "":
		in.fail(path+".type", "Field required")
	}
}

// isBase64 checks the alphabet and the length, which is cheaper than decoding what will be sent on as it is.
func isBase64(s string) bool {
	body := strings.TrimRight(s, "=")
	if body == "" || len(s)%4 != 0 || len(s)-len(body) > 2 {
		return false
	}
	for i := range len(body) {
		if c := body[i]; !isBase64Byte[c] {
			return false
		}
	}
	return true
}

var isBase64Byte = func() (t [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		t[c] = true
	}
	return t
}()

func (in *inspector) tools() {
	in.list("tools", func(path string, t gjson.Result) {
		kind := t.Get("type").Str
		custom := kind == "" || kind == "custom"
		switch {
		case !t.IsObject():
			in.fail(path, "Input should be a valid dictionary or object")
		case custom && t.Get("name").Type != gjson.String:
			in.fail(path+".custom.name", "Field required")
		case custom && !t.Get("input_schema").IsObject():
			in.fail(path+".custom.input_schema", "Field required")
		}
	})
}

func (in *inspector) head() Head {
	h := Head{
		Model: in.seen["model"].Str, Stream: in.seen["stream"].Bool(), MaxTokens: int(in.seen["max_tokens"].Int()),
		Version: in.seen["anthropic_version"].String(),
	}
	for _, b := range in.seen["anthropic_beta"].Array() {
		h.Betas = append(h.Betas, b.String())
	}
	return h
}
