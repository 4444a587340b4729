package openai

import (
	"github.com/tidwall/gjson"

	"weir/internal/fault"
	"weir/internal/jsonx"
)

func checkMessages(v gjson.Result) error {
	if err := required("messages", v, array); err != nil {
		return err
	}
	empty := true
	jsonx.Each(v.Raw, func(_, _ string, _ int) bool { empty = false; return false })
	if empty {
		return fault.Bad("messages", "'messages' must not be empty")
	}
	return each("messages", v, checkMessage)
}

// message is the members of a message that are checked, gathered in one pass.
type message struct{ role, content, calls, callID, name, function gjson.Result }

func checkMessage(path string, v gjson.Result) error {
	if err := required(path, v, object); err != nil {
		return err
	}
	var m message
	jsonx.Each(v.Raw, m.take)
	if err := checkText(path+".role", m.role); err != nil {
		return err
	}
	if err := checkType(path+".name", m.name, text); err != nil {
		return err
	}
	if err := checkContent(path+".content", m.content); err != nil {
		return err
	}
	if m.role.Str == "tool" {
		if err := checkText(path+".tool_call_id", m.callID); err != nil {
			return err
		}
	}
	if err := checkType(path+".function_call", m.function, object); err != nil {
		return err
	}
	if err := checkType(path+".tool_calls", m.calls, array); err != nil {
		return err
	}
	return each(path+".tool_calls", m.calls, checkCall)
}

func (m *message) take(k, raw string, _ int) bool {
	v := value(raw)
	switch k {
	case "role":
		m.role = v
	case "content":
		m.content = v
	case "tool_calls":
		m.calls = v
	case "tool_call_id":
		m.callID = v
	case "name":
		m.name = v
	case "function_call":
		m.function = v
	}
	return true
}

func checkContent(path string, v gjson.Result) error {
	switch {
	case v.Type == gjson.String, v.Type == gjson.Null:
		return nil
	case !v.IsArray():
		return fault.Bad(path, "invalid type for '%s': expected a string or an array of content parts, but got %s instead", path, typeName(v))
	}
	return each(path, v, checkPart)
}

func checkPart(path string, v gjson.Result) error {
	if err := required(path, v, object); err != nil {
		return err
	}
	kind := v.Get("type")
	if err := checkText(path+".type", kind); err != nil {
		return err
	}
	switch kind.Str {
	case "text":
		return required(path+".text", v.Get("text"), text)
	case "image_url":
		u := v.Get("image_url")
		if err := required(path+".image_url", u, choice); err != nil || u.Type == gjson.String {
			return err
		}
		return checkText(path+".image_url.url", u.Get("url"))
	case "input_audio":
		return required(path+".input_audio", v.Get("input_audio"), object)
	case "file":
		return required(path+".file", v.Get("file"), object)
	}
	return nil
}

func checkCall(path string, v gjson.Result) error {
	if err := required(path, v, object); err != nil {
		return err
	}
	if err := checkType(path+".id", v.Get("id"), text); err != nil {
		return err
	}
	f := v.Get("function")
	if !f.Exists() && v.Get("custom").IsObject() {
		return nil
	}
	if err := required(path+".function", f, object); err != nil {
		return err
	}
	return checkText(path+".function.name", f.Get("name"))
}

func checkTools(v gjson.Result) error {
	if err := checkType("tools", v, array); err != nil {
		return err
	}
	return each("tools", v, checkTool)
}

func checkTool(path string, v gjson.Result) error {
	if err := required(path, v, object); err != nil {
		return err
	}
	if err := checkText(path+".type", v.Get("type")); err != nil {
		return err
	}
	if v.Get("type").Str != "function" {
		return nil
	}
	f := v.Get("function")
	if err := required(path+".function", f, object); err != nil {
		return err
	}
	if err := checkText(path+".function.name", f.Get("name")); err != nil {
		return err
	}
	return checkType(path+".function.parameters", f.Get("parameters"), object)
}
