package anthropic

import (
	"bytes"
	"strconv"
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
	root := value(bytes.TrimSpace(body))
	if !root.isObject() {
		return Head{}, fault.New(fault.Invalid, "The request body is not a JSON object")
	}
	if root.tooDeep() {
		return Head{}, fault.New(fault.Invalid, "The request body is nested more than %d levels deep", maxDepth)
	}
	in := inspector{seen: map[string]value{}}
	for k, v := range root.members {
		if len(in.seen) >= maxFields {
			return Head{}, fault.New(fault.Invalid, "The request body has more than %d fields", maxFields)
		}
		_, twice := in.seen[k]
		if escaped := strings.ContainsRune(k, '\\'); twice || escaped {
			in.fail(gjson.Parse(`"`+k+`"`).Str, "the field must stand once, without escapes in its name")
			break
		}
		in.seen[k] = v
	}
	in.top(need)
	return in.head(), in.err
}

// maxFields bounds the top level of a request, which is gathered in a map. The API has some thirty fields.
const maxFields = 500

type inspector struct {
	seen   map[string]value
	nested bool // within a tool_result
	err    error
}

func (in *inspector) fail(path, format string, args ...any) {
	if in.err == nil {
		in.err = fault.Bad(path, path+": "+format, args...)
	}
}

func (in *inspector) top(need Need) {
	in.model(need.Model)
	in.maxTokens(need.MaxTokens)
	if v, ok := in.seen["stream"]; ok && !v.isBool() && !v.isNull() {
		in.fail("stream", "Input should be a valid boolean")
	}
	in.number("temperature")
	in.number("top_p")
	in.number("top_k")
	if v, ok := in.seen["system"]; ok && !v.isNull() {
		in.content("system", v)
	}
	in.messages()
	in.tools()
	in.list("stop_sequences", func(path string, v value) {
		if !v.isString() {
			in.fail(path, "Input should be a valid string")
		}
	})
	for _, name := range []string{"tool_choice", "thinking", "metadata", "output_config"} {
		if v, ok := in.seen[name]; ok && !v.isObject() && !v.isNull() {
			in.fail(name, "Input should be a valid dictionary or object")
		}
	}
}

func (in *inspector) model(required bool) {
	v, ok := in.seen["model"]
	switch {
	case !ok && required:
		in.fail("model", "Field required")
	case ok && !v.isString():
		in.fail("model", "Input should be a valid string")
	case required && v.str() == "":
		in.fail("model", "String should have at least 1 character")
	}
}

func (in *inspector) maxTokens(required bool) {
	v, ok := in.seen["max_tokens"]
	n := v.parse().Num
	switch {
	case !ok && required:
		in.fail("max_tokens", "Field required")
	case ok && (!v.isNumber() || n != float64(int64(n))):
		in.fail("max_tokens", "Input should be a valid integer")
	case ok && n < 1:
		in.fail("max_tokens", "Input should be greater than or equal to 1")
	}
}

func (in *inspector) number(name string) {
	if v, ok := in.seen[name]; ok && !v.isNumber() && !v.isNull() {
		in.fail(name, "Input should be a valid number")
	}
}

// list visits the elements of a top-level array.
func (in *inspector) list(name string, visit func(path string, v value)) {
	v, ok := in.seen[name]
	if !ok || v.isNull() {
		return
	}
	if !v.isArray() {
		in.fail(name, "Input should be a valid list")
		return
	}
	in.each(name, v, visit)
}

func (in *inspector) each(path string, list value, visit func(path string, v value)) {
	i := 0
	for v := range list.elements {
		visit(path+"."+strconv.Itoa(i), v)
		i++
		if in.err != nil {
			return
		}
	}
}

func (in *inspector) messages() {
	v, ok := in.seen["messages"]
	if !ok || v.isNull() {
		in.fail("messages", "Field required")
		return
	}
	in.list("messages", in.message)
	if v.isArray() && next(v, 1) == len(v)-1 {
		in.fail("messages", "at least one message is required")
	}
}

func (in *inspector) message(path string, m value) {
	if !m.isObject() {
		in.fail(path, "Input should be a valid dictionary or object")
		return
	}
	role, c := m.pair("role", "content")
	switch r := role.str(); {
	case !role.exists():
		in.fail(path+".role", "Field required")
	case r != "user" && r != "assistant" && r != "system":
		in.fail(path+".role", "Input should be 'user' or 'assistant'")
	}
	if !c.exists() {
		in.fail(path+".content", "Field required")
		return
	}
	in.content(path+".content", c)
}

func (in *inspector) content(path string, c value) {
	switch {
	case c.isString():
	case c.isArray():
		in.each(path, c, in.block)
	default:
		in.fail(path, "Input should be a valid string or list")
	}
}

// required are the fields without which a block of a type is none.
var required = map[string][]string{
	"image": {"source"}, "document": {"source"}, "tool_use": {"id", "name", "input"},
	"tool_result": {"tool_use_id"}, "thinking": {"thinking", "signature"}, "redacted_thinking": {"data"},
}

func (in *inspector) block(path string, b value) {
	if !b.isObject() {
		in.fail(path, "Input should be a valid dictionary or object")
		return
	}
	t := b.get("type").str()
	if t == "" {
		in.fail(path+".type", "Field required")
		return
	}
	path += "." + t
	for _, name := range required[t] {
		if !b.get(name).exists() {
			in.fail(path+"."+name, "Field required")
		}
	}
	switch t {
	case "text":
		if v := b.get("text"); !v.exists() {
			in.fail(path+".text", "Field required")
		} else if !v.isString() {
			in.fail(path+".text", "Input should be a valid string")
		}
	case "image", "document":
		in.source(path+".source", t, b.get("source"))
	case "tool_use":
		if v := b.get("input"); !v.isObject() {
			in.fail(path+".input", "Input should be a valid dictionary")
		}
	case "tool_result":
		if c := b.get("content"); c.exists() && !c.isNull() {
			in.result(path+".content", c)
		}
	}
}

// result checks what a tool answered, which holds no results itself.
func (in *inspector) result(path string, c value) {
	if in.nested {
		in.fail(path, "tool_result blocks cannot be nested")
		return
	}
	in.nested = true
	in.content(path, c)
	in.nested = false
}

func (in *inspector) source(path, kind string, s value) {
	if !s.isObject() {
		in.fail(path, "Input should be a valid dictionary or object")
		return
	}
	switch s.get("type").str() {
	case "base64":
		media := s.get("media_type").str()
		if kind == "image" && !imageTypes[media] {
			in.fail(path+".base64.media_type", "Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'")
		}
		if data := s.get("data"); !data.isString() || !isBase64(data.str()) {
			in.fail(path+".base64.data", "invalid base64 data")
		}
	case "url":
		u := s.get("url").str()
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
	in.list("tools", func(path string, t value) {
		kind := t.get("type").str()
		custom := kind == "" || kind == "custom"
		switch {
		case !t.isObject():
			in.fail(path, "Input should be a valid dictionary or object")
		case custom && !t.get("name").isString():
			in.fail(path+".custom.name", "Field required")
		case custom && !t.get("input_schema").isObject():
			in.fail(path+".custom.input_schema", "Field required")
		}
	})
}

func (in *inspector) head() Head {
	h := Head{
		Model: in.seen["model"].str(), Stream: in.seen["stream"].kind() == 't', MaxTokens: int(in.seen["max_tokens"].parse().Int()),
		Version: in.seen["anthropic_version"].str(),
	}
	for b := range in.seen["anthropic_beta"].elements {
		h.Betas = append(h.Betas, b.str())
	}
	return h
}
