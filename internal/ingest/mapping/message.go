package mapping

import (
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
)

var roles = map[string]string{
	"system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant", "ai": "assistant", "model": "assistant",
	"tool": "tool", "function": "tool", "chat": "user", "choice": "assistant", "HumanMessage": "user", "AIMessage": "assistant", "SystemMessage": "system",
	"ToolMessage": "tool", "AIMessageChunk": "assistant", "HumanMessageChunk": "user", "FunctionMessage": "tool", "bot": "assistant",
}

// message reads one turn in whatever form it has. Most forms give one message.
func (v *viewer) message(m gjson.Result) []Message {
	if !m.IsObject() {
		if m.Type == gjson.String && m.Str != "" {
			return []Message{{Role: "user", Parts: []Part{{Type: "text", Text: m.Str}}}}
		}
		return nil
	}
	out := Message{Parts: []Part{}}
	m, out.Role = unpack(m)
	if e := eventName(m); e != "" {
		out.Role = roles[strings.TrimSuffix(strings.TrimPrefix(e, "gen_ai."), ".message")]
		if e == "gen_ai.choice" {
			v.choices++
			out.Finish = m.Get("finish_reason").Str
			if inner := m.Get("message"); inner.IsObject() {
				m = inner
			} else if inner.Type == gjson.String {
				out.Parts = append(out.Parts, Part{Type: "text", Text: inner.Str})
			}
		} else {
			v.choices = 0
		}
	}
	if r := roles[m.Get("role").Str]; r != "" {
		out.Role = r
	}
	out.Name = m.Get("name").Str
	if out.Finish == "" {
		out.Finish = firstString(m, "finish_reason", "stop_reason")
	}
	v.content(&out, m)
	if out.Role == "" {
		out.Role = "user"
	}
	if out.Role == "user" && len(out.Parts) > 0 && allResults(out.Parts) {
		out.Role = "tool"
	}
	return []Message{out}
}

// unpack takes a message out of LangChain's wrappers and tells the role they name.
func unpack(m gjson.Result) (gjson.Result, string) {
	role := roles[m.Get("type").Str]
	if id := m.Get("id"); id.IsArray() {
		if list := id.Array(); len(list) > 0 {
			role = first(roles[list[len(list)-1].Str], role)
		}
	}
	for _, inner := range []string{"kwargs", "data"} {
		if k := m.Get(inner); k.IsObject() {
			return k, first(roles[k.Get("type").Str], role)
		}
	}
	switch m.Get("type").Str {
	case "function_call", "reasoning":
		role = "assistant"
	case "function_call_output":
		role = "tool"
	}
	return m, role
}

func firstString(m gjson.Result, names ...string) string {
	for _, n := range names {
		if s := m.Get(n); s.Type == gjson.String && s.Str != "" {
			return s.Str
		}
	}
	return ""
}

func allResults(parts []Part) bool {
	for _, p := range parts {
		if p.Type != "tool_result" {
			return false
		}
	}
	return true
}

// content reads all pieces of a message.
func (v *viewer) content(out *Message, m gjson.Result) {
	switch m.Get("type").Str { // items of OpenAI's Responses
	case "function_call", "function_call_output", "reasoning":
		out.Parts = append(out.Parts, v.part(m))
		return
	}
	if r := firstString(m, "reasoning_content", "reasoning"); r != "" {
		out.Parts = append(out.Parts, Part{Type: "thinking", Text: r})
	}
	content := m.Get("content")
	for _, name := range []string{"parts", "contents", "blocks"} {
		if list := m.Get(name); !content.Exists() && list.IsArray() {
			content = list
		}
	}
	if id := m.Get("tool_call_id"); out.Role == "tool" && (id.Exists() || content.Type == gjson.String) {
		out.Parts = append(out.Parts, Part{Type: "tool_result", ID: id.String(), Name: out.Name, Result: resultOf(content), Error: m.Get("status").Str == "error"})
	} else if e := eventName(m); e == "gen_ai.tool.message" {
		out.Parts = append(out.Parts, Part{Type: "tool_result", ID: m.Get("id").String(), Name: out.Name, Result: resultOf(content)})
	} else {
		out.Parts = v.parts(out.Parts, content)
	}
	if r := m.Get("refusal"); r.Type == gjson.String && r.Str != "" {
		out.Parts = append(out.Parts, Part{Type: "text", Text: r.Str})
	}
	v.calls(out, m)
}

// calls are tool calls that stand beside the content. LangChain repeats them in the content.
func (v *viewer) calls(out *Message, m gjson.Result) {
	seen := map[string]bool{}
	for _, p := range out.Parts {
		if p.Type == "tool_call" {
			seen[p.ID] = true
		}
	}
	for _, c := range m.Get("tool_calls").Array() {
		if p := v.toolCall(c); p.ID == "" || !seen[p.ID] {
			out.Parts = append(out.Parts, p)
		}
	}
	if f := m.Get("function_call"); f.IsObject() {
		out.Parts = append(out.Parts, Part{Type: "tool_call", Name: f.Get("name").Str, Arguments: decoded(f.Get("arguments"))})
	}
	if a := m.Get("audio"); a.IsObject() {
		out.Parts = append(out.Parts, Part{Type: "audio", Data: a.Get("data").Str, Text: a.Get("transcript").Str})
	}
}

// parts reads a content: text, one part, or a list of both.
func (v *viewer) parts(out []Part, c gjson.Result) []Part {
	switch {
	case c.Type == gjson.String:
		if inner := gjson.Parse(c.Str); strings.HasPrefix(c.Str, `[{"type":`) && isJSON(c.Str) { // OpenLLMetry packs lists in text
			return v.parts(out, inner)
		}
		if c.Str != "" {
			out = append(out, Part{Type: "text", Text: c.Str})
		}
	case c.IsArray():
		for _, p := range c.Array() {
			if p.Type == gjson.String {
				out = append(out, Part{Type: "text", Text: p.Str})
			} else if p.IsObject() {
				out = append(out, v.part(p))
			}
		}
	case c.IsObject():
		out = append(out, v.part(c))
	}
	return out
}

// toolCall reads a tool call of any form but Bedrock's.
func (v *viewer) toolCall(c gjson.Result) Part {
	if t := c.Get("tool_call"); t.IsObject() {
		c = t
	}
	p := Part{Type: "tool_call", ID: firstString(c, "id", "toolCallId", "call_id", "tool_call_id")}
	if f := c.Get("function"); f.IsObject() {
		c = f
	}
	if f := c.Get("custom"); f.IsObject() {
		c = f
	}
	p.Name = firstString(c, "name", "toolName", "tool_name")
	for _, name := range []string{"arguments", "args", "input", "tool_kwargs"} {
		if a := c.Get(name); a.Exists() {
			p.Arguments = decoded(a)
			break
		}
	}
	return p
}

// decoded is a value, or what a text holds if that is JSON.
func decoded(v gjson.Result) jsonx.Raw {
	if v.Type == gjson.String && isJSON(v.Str) {
		return jsonx.Raw(v.Str)
	}
	if !v.Exists() {
		return nil
	}
	return jsonx.Raw(v.Raw)
}

// resultOf is what a tool gave: lists of texts are joined, since that is how most dialects wrap one text; lists that
// also hold images or files become parts.
func resultOf(c gjson.Result) jsonx.Raw {
	if !c.IsArray() {
		if !c.Exists() {
			return jsonx.Raw("null")
		}
		return decoded(c)
	}
	var b strings.Builder
	list := c.Array()
	for _, p := range list {
		if !isText(p) {
			return mixedResult(c)
		}
		b.WriteString(p.Get("text").Str)
	}
	if len(list) == 0 {
		return jsonx.Raw(c.Raw)
	}
	if isJSON(b.String()) {
		return jsonx.Raw(b.String())
	}
	return appendString(nil, b.String())
}

// isText reports a part that is text and nothing else, rather than a value that has some.
func isText(p gjson.Result) bool {
	switch p.Get("type").Str {
	case "text", "input_text", "output_text":
		return p.Get("text").Type == gjson.String
	case "":
		return p.Get("text").Type == gjson.String && len(p.Map()) == 1
	}
	return false
}

func mixedResult(c gjson.Result) jsonx.Raw {
	list := c.Array()
	if j := list[0].Get("json"); j.Exists() && len(list) == 1 { // Bedrock
		return jsonx.Raw(j.Raw)
	}
	parts := make([]Part, len(list))
	for i, p := range list {
		if !p.IsObject() {
			return jsonx.Raw(c.Raw)
		}
		switch parts[i] = (&viewer{}).part(p); parts[i].Type {
		case "text", "image", "audio", "file":
		default:
			return jsonx.Raw(c.Raw)
		}
	}
	return jsonx.MustMarshal(parts)
}
