package replay

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/ingest/mapping"
	"weir/internal/jsonx"
	"weir/internal/llm"
)

// edit puts the changes into a body. Whatever is not named keeps its bytes.
func edit(body []byte, d llm.Dialect, r Request) ([]byte, error) {
	out := bytes.Clone(body)
	var err error
	if r.Model != "" {
		out, err = set(out, "model", jsonx.MustMarshal(r.Model))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		if err == nil {
			out, err = param(out, d, name, r.Params[name])
		}
	}
	if err == nil && len(r.Messages) > 0 {
		out, err = replaceMessages(out, d, r.Messages)
	}
	if err == nil && r.System != nil {
		out, err = system(out, d, *r.System)
	}
	return out, err
}

func set(body []byte, path string, raw []byte) ([]byte, error) {
	out, err := sjson.SetRawBytes(body, path, raw)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s cannot be set in the recorded request", path)
	}
	return out, nil
}

// taken are fields that are not parameters; what to use instead.
var taken = map[string]string{
	"model": "use model", "messages": "use messages", "system": "use prompt.system",
	"stream": "a replay is streamed as the original was", "stream_options": "a replay is streamed as the original was",
}

var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// spelled are parameters that dialects call by other names.
var spelled = map[llm.Dialect]map[string]string{
	llm.AnthropicMessages: {"stop": "stop_sequences", "max_completion_tokens": "max_tokens"},
	llm.OpenAIChat:        {"stop_sequences": "stop"},
}

func param(body []byte, d llm.Dialect, name string, raw jsonx.Raw) ([]byte, error) {
	field := "params." + clip.To(name, 100)
	if why := taken[name]; why != "" {
		return nil, fault.Bad(field, "%s is not a parameter: %s", name, why)
	}
	if !plainName.MatchString(name) {
		return nil, fault.Bad(field, "%q is not the name of a parameter", clip.To(name, 100))
	}
	if !jsonx.Valid(raw) {
		return nil, fault.Bad(field, "%s must be JSON", field)
	}
	if other, ok := spelled[d][name]; ok {
		name = other
	}
	if string(raw) == "null" {
		out, err := sjson.DeleteBytes(body, name)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "%s cannot be taken out of the recorded request", field)
		}
		return out, nil
	}
	return set(body, name, raw)
}

// system replaces the system prompt.
func system(body []byte, d llm.Dialect, text string) ([]byte, error) {
	value := jsonx.MustMarshal(text)
	if d == llm.AnthropicMessages {
		if text == "" {
			out, err := sjson.DeleteBytes(body, "system")
			return out, err
		}
		return set(body, "system", value)
	}
	var kept []string
	for _, m := range gjson.GetBytes(body, "messages").Array() {
		if role := m.Get("role").Str; role != "system" && role != "developer" || len(kept) > 0 {
			kept = append(kept, m.Raw)
		}
	}
	if text != "" {
		kept = append([]string{`{"role":"system","content":` + string(value) + `}`}, kept...)
	}
	return set(body, "messages", []byte("["+strings.Join(kept, ",")+"]"))
}

// replaceMessages takes messages in the dialect of the call, or in canonical form.
func replaceMessages(body []byte, d llm.Dialect, raw jsonx.Raw) ([]byte, error) {
	list := gjson.ParseBytes(raw)
	if !jsonx.Valid(raw) || !list.IsArray() || len(list.Array()) == 0 {
		return nil, fault.Bad("messages", "messages must be a list that is not empty")
	}
	if !list.Get("#(parts)").Exists() {
		return set(body, "messages", raw)
	}
	var canonical []mapping.Message
	if err := jsonx.Unmarshal(raw, &canonical); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "messages are neither of the dialect of the call nor canonical")
	}
	if d == llm.AnthropicMessages {
		sys, messages, err := anthropic(canonical)
		if err != nil {
			return nil, err
		}
		if sys != "" {
			if body, err = system(body, d, sys); err != nil {
				return nil, err
			}
		}
		return set(body, "messages", jsonx.MustMarshal(messages))
	}
	messages, err := openai(canonical)
	if err != nil {
		return nil, err
	}
	return set(body, "messages", jsonx.MustMarshal(messages))
}
