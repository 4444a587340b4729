package openai

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"weir/internal/fault"
	"weir/internal/jsonx"
)

// head is what the surface itself needs of a request.
type head struct {
	model        string
	stream       bool
	includeUsage bool
}

// maxFields bounds the top level of a request, whose names are gathered. The dialect has some fifty fields.
const maxFields = 500

// check finds what is malformed whichever upstream is chosen: syntax, types, and what every request must have. What
// values mean is left to the upstream, or to Decode. Errors name the field. A top-level field that stands twice is
// refused: readers disagree on which one counts.
func check(body []byte) (head, error) {
	var h head
	if !jsonx.Valid(body) {
		if !utf8.Valid(body) {
			return h, fault.New(fault.Invalid, "request body is not valid UTF-8 (byte %d)", badByte(body))
		}
		return h, fault.New(fault.Invalid, "request body is not valid JSON")
	}
	root := jsonx.View(bytes.TrimSpace(body))
	if root[0] != '{' {
		return h, fault.New(fault.Invalid, "request body must be a JSON object")
	}
	var err error
	var hasMessages bool
	var seen fields
	jsonx.Each(root, func(k, raw string, _ int) bool {
		if !seen.add(k) {
			err = fault.New(fault.Invalid, "a field of the request body stands twice, or there are more than %d", maxFields)
			return false
		}
		want := types[k]
		if want == "" && !checked(k) {
			return true
		}
		v := value(raw)
		switch k {
		case "model":
			h.model, err = strings.Clone(gjson.Parse(raw).Str), checkText("model", v)
		case "messages":
			hasMessages, err = true, checkMessages(v)
		case "stream":
			h.stream, err = v.Bool(), checkType(k, v, boolean)
		case "stream_options":
			h.includeUsage, err = v.Get("include_usage").Bool(), checkStreamOptions(v)
		case "tools":
			err = checkTools(v)
		case "stop":
			err = checkStop(v)
		default:
			err = checkType(k, v, want)
		}
		return err == nil
	})
	switch {
	case err != nil:
		return h, err
	case h.model == "":
		return h, fault.Bad("model", "you must provide a model parameter")
	case !hasMessages:
		return h, fault.Bad("messages", "missing required parameter: 'messages'")
	}
	return h, nil
}

// checked are the fields that have checks of their own.
func checked(name string) bool {
	switch name {
	case "model", "messages", "stream", "stream_options", "tools", "stop":
		return true
	}
	return false
}

// fields are those seen so far; the few that most requests have need no map.
type fields struct {
	n    int
	few  [16]string
	many map[string]bool
}

// add is false for a field that stands twice, and for one too many.
func (f *fields) add(name string) bool {
	if slices.Contains(f.few[:min(f.n, len(f.few))], name) || f.many[name] || f.n == maxFields {
		return false
	}
	if f.n < len(f.few) {
		f.few[f.n] = name
	} else {
		if f.many == nil {
			f.many = map[string]bool{}
		}
		f.many[name] = true
	}
	f.n++
	return true
}

// value is a value for checking: long text stays escaped, since only its type and presence matter.
func value(raw string) gjson.Result {
	if len(raw) > 256 && raw[0] == '"' {
		return gjson.Result{Type: gjson.String, Raw: raw, Str: raw[1 : len(raw)-1]}
	}
	return gjson.Parse(raw)
}

func badByte(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

type valueType string

const (
	text     valueType = "a string"
	number   valueType = "a number"
	integer  valueType = "an integer"
	positive valueType = "a positive integer"
	boolean  valueType = "a boolean"
	object   valueType = "an object"
	array    valueType = "an array"
	choice   valueType = "a string or an object"
)

// types are those of the other top-level fields. null always stands for absence.
var types = map[string]valueType{
	"temperature": number, "top_p": number, "frequency_penalty": number, "presence_penalty": number,
	"max_tokens": positive, "max_completion_tokens": positive, "n": positive, "seed": integer, "top_k": integer, "top_logprobs": integer,
	"logprobs": boolean, "parallel_tool_calls": boolean, "store": boolean, "drop_params": boolean,
	"user": text, "reasoning_effort": text, "service_tier": text, "litellm_session_id": text, "verbosity": text, "prompt_cache_key": text,
	"response_format": object, "metadata": object, "logit_bias": object, "thinking": object, "output_config": object,
	"functions": array, "tool_choice": choice, "function_call": choice,
}

func checkType(path string, v gjson.Result, want valueType) error {
	if v.Type == gjson.Null || isType(v, want) {
		return nil
	}
	return fault.Bad(path, "invalid type for '%s': expected %s, but got %s instead", path, want, typeName(v))
}

func isType(v gjson.Result, want valueType) bool {
	switch want {
	case text:
		return v.Type == gjson.String
	case number:
		return v.Type == gjson.Number
	case integer:
		return v.Type == gjson.Number && v.Num == float64(int64(v.Num))
	case positive:
		return isType(v, integer) && v.Num > 0 && v.Num <= 1<<30
	case boolean:
		return v.IsBool()
	case object:
		return v.IsObject()
	case array:
		return v.IsArray()
	case choice:
		return v.Type == gjson.String || v.IsObject()
	}
	return false
}

func typeName(v gjson.Result) string {
	switch {
	case v.Type == gjson.Null:
		return "null"
	case v.Type == gjson.String:
		return "a string"
	case v.Type == gjson.Number:
		return "the number " + v.Raw
	case v.IsBool():
		return "a boolean"
	case v.IsArray():
		return "an array"
	}
	return "an object"
}

// checkText wants a string that is there and not empty.
func checkText(path string, v gjson.Result) error {
	switch {
	case !v.Exists() || v.Type == gjson.Null:
		return fault.Bad(path, "missing required parameter: '%s'", path)
	case v.Type != gjson.String:
		return checkType(path, v, text)
	case v.Str == "":
		return fault.Bad(path, "'%s' must not be empty", path)
	}
	return nil
}

// required wants a value of a type that is there.
func required(path string, v gjson.Result, want valueType) error {
	if !v.Exists() || v.Type == gjson.Null {
		return fault.Bad(path, "missing required parameter: '%s'", path)
	}
	return checkType(path, v, want)
}

func checkStreamOptions(v gjson.Result) error {
	if err := checkType("stream_options", v, object); err != nil {
		return err
	}
	return checkType("stream_options.include_usage", v.Get("include_usage"), boolean)
}

func checkStop(v gjson.Result) error {
	if v.Type == gjson.Null || v.Type == gjson.String {
		return nil
	}
	if !v.IsArray() {
		return fault.Bad("stop", "invalid type for 'stop': expected a string or an array of strings, but got %s instead", typeName(v))
	}
	return each("stop", v, func(path string, e gjson.Result) error { return required(path, e, text) })
}

// each checks the elements of an array. Paths are only built for an error's sake by a second look.
func each(path string, v gjson.Result, f func(path string, e gjson.Result) error) error {
	var err error
	i := 0
	jsonx.Each(v.Raw, func(_, raw string, _ int) bool {
		e := value(raw)
		if f("", e) != nil {
			err = f(fmt.Sprintf("%s[%d]", path, i), e)
		}
		i++
		return err == nil
	})
	return err
}
