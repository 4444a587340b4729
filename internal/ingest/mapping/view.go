package mapping

import (
	"slices"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/span"
)

// Conversation is what went into a span and came out, in one form for all dialects.
type Conversation struct {
	Form      string     `json:"form" enum:"messages,value,none"`
	Input     Side       `json:"input"`
	Output    Side       `json:"output"`
	NewFrom   int        `json:"new_from" doc:"index of the first input message that the call before did not have"`
	Documents []Document `json:"documents" nullable:"false" doc:"what a retriever found"`
}

// Side is the input or the output.
type Side struct {
	Messages []Message `json:"messages" nullable:"false"`
	Tools    []Tool    `json:"tools" nullable:"false" doc:"what the model was offered"`
	Value    jsonx.Raw `json:"value" doc:"the body where it is no conversation, else null"`
}

// Message is one turn.
type Message struct {
	Role   string `json:"role" enum:"system,user,assistant,tool"`
	Name   string `json:"name,omitempty"`
	Parts  []Part `json:"parts" nullable:"false"`
	Finish string `json:"finish,omitempty"`
}

// Part is one piece of a message; Type says which fields are set.
type Part struct {
	Type      string    `json:"type" enum:"text,thinking,tool_call,tool_result,image,audio,file,other"`
	Text      string    `json:"text,omitempty"`
	Signature string    `json:"signature,omitempty"`
	ID        string    `json:"id,omitempty"`
	Name      string    `json:"name,omitempty"`
	Arguments jsonx.Raw `json:"arguments,omitempty"`
	Result    jsonx.Raw `json:"result,omitempty"`
	Error     bool      `json:"error,omitempty"`
	MIME      string    `json:"mime,omitempty"`
	URL       string    `json:"url,omitempty"`
	Data      string    `json:"data,omitempty" doc:"base64"`
	Value     jsonx.Raw `json:"value,omitempty"`
}

// Tool is a definition the model was given.
type Tool struct {
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Schema      jsonx.Raw `json:"schema,omitempty"`
}

// Document is something a retriever found.
type Document struct {
	ID       string    `json:"id,omitempty"`
	Text     string    `json:"text"`
	Score    *float64  `json:"score,omitempty"`
	Metadata jsonx.Raw `json:"metadata,omitempty"`
}

// View reads the recorded bodies of a span of any dialect, the gateway's own included. What it does not know stays a
// value; it never fails. The result does not share memory with the bodies.
func View(s *span.Span, input, output []byte) Conversation {
	v := viewer{kind: s.Kind, call: s.Kind == span.Generation || s.Kind == span.Chain && s.Dialect == dialectNames[vercel]}
	in, out := parse(input), parse(output)
	c := Conversation{Form: "none", Documents: documentsOf(s.Kind, in, out)}
	c.Input.Messages, c.NewFrom = v.input(in, s.Input)
	c.Output.Messages = v.output(out)
	if len(c.Output.Messages) == 0 {
		c.Input.Messages, c.Output.Messages = splitChoices(c.Input.Messages, v.choices)
		c.NewFrom = min(c.NewFrom, len(c.Input.Messages))
	}
	if s.Kind == span.Agent && out.Type == gjson.String {
		c.Input.Messages = splitAnswer(c.Input.Messages, c.Output.Messages)
		c.NewFrom = min(c.NewFrom, len(c.Input.Messages))
	}
	c.Input.Tools = toolsOf(in)
	for _, side := range []*Side{&c.Input, &c.Output} {
		if side.Messages == nil {
			side.Messages = []Message{}
		}
		if side.Tools == nil {
			side.Tools = []Tool{}
		}
	}
	c.Input.Value, c.Output.Value = valueOf(c.Input, in), valueOf(c.Output, out)
	switch {
	case len(c.Input.Messages)+len(c.Output.Messages) > 0:
		c.Form = "messages"
	case in.Exists() || out.Exists():
		c.Form = "value"
	}
	if n := len(c.Output.Messages); n > 0 && c.Output.Messages[n-1].Finish == "" {
		c.Output.Messages[n-1].Finish = s.Finish
	}
	return c
}

func parse(body []byte) gjson.Result {
	if len(body) == 0 || !jsonx.Valid(body) || !shallow(jsonx.View(body)) {
		return gjson.Result{}
	}
	return gjson.Parse(string(body)) // the copy that the answer shares
}

func valueOf(s Side, body gjson.Result) jsonx.Raw {
	if len(s.Messages) > 0 || !body.Exists() {
		return jsonx.Raw("null")
	}
	return jsonx.Raw(body.Raw)
}

// viewer reads one conversation.
type viewer struct {
	kind    span.Kind
	call    bool // the span is a model call: bare text is a message
	choices int  // messages among the input that are answers, the last ones
}

// splitAnswer takes the last message out of an agent's whole conversation if it is the answer told beside it.
func splitAnswer(in, out []Message) []Message {
	if len(in) == 0 || len(out) != 1 || len(out[0].Parts) != 1 {
		return in
	}
	last := in[len(in)-1]
	if n := len(last.Parts); last.Role == "assistant" && n > 0 && last.Parts[n-1].Text == out[0].Parts[0].Text {
		out[0] = last
		return in[:len(in)-1]
	}
	return in
}

// input reads a request. from is the index of the first message that is new, by what the recorder found.
func (v *viewer) input(body gjson.Result, ref span.Ref) (out []Message, from int) {
	for _, name := range []string{"system", "system_instructions", "instructions", "systemInstruction"} {
		if s := body.Get(name); body.IsObject() && s.Exists() && (v.call || name == "system_instructions") {
			if m := v.systemOf(s); len(m.Parts) > 0 {
				out = append(out, m)
			}
		}
	}
	starts := []int{}
	for _, raw := range v.rawInput(body) {
		starts = append(starts, len(out))
		out = append(out, v.message(raw)...)
	}
	if len(starts) == 0 {
		if !v.call {
			return nil, 0
		}
		return v.bare(out, body), 0
	}
	if known := ref.Messages - ref.New; ref.Messages > 0 && ref.New > 0 && known > 0 {
		if known >= len(starts) {
			return out, len(out)
		}
		return out, starts[known]
	}
	return out, 0
}

// systemOf reads a system prompt that stands beside the messages.
func (v *viewer) systemOf(s gjson.Result) Message {
	if p := s.Get("parts"); p.Exists() {
		s = p
	}
	return Message{Role: "system", Parts: v.parts(nil, s)}
}

// rawInput finds the list of messages.
func (v *viewer) rawInput(body gjson.Result) []gjson.Result {
	list := body
	if body.IsObject() {
		for _, name := range []string{"messages", "contents", "input", "value.messages", "kwargs.messages", "prompt", "state.messages", "inputs.messages", "input.messages"} {
			if list = body.Get(name); list.IsArray() && (v.call || name != "input" || isMessage(list.Get("0"))) {
				break
			}
			list = gjson.Result{}
		}
	}
	all := list.Array()
	if !list.IsArray() || len(all) == 0 {
		return nil
	}
	if all[0].IsArray() { // LangChain gives a list of conversations
		all = all[0].Array()
	}
	if len(all) == 0 || !isMessage(all[0]) {
		return nil
	}
	return all
}

// isMessage reports whether an element of a list looks like a turn of a conversation.
func isMessage(m gjson.Result) bool {
	if !m.IsObject() {
		return false
	}
	for _, name := range []string{"role", `event\.name`, "lc", "parts", "data.content", "blocks"} {
		if m.Get(name).Exists() {
			return true
		}
	}
	switch m.Get("type").Str {
	case "message", "function_call", "function_call_output", "reasoning", "human", "ai", "system", "tool", "item_reference":
		return true
	}
	return false
}

// bare reads requests without messages: completions, and whatever text there is.
func (v *viewer) bare(out []Message, body gjson.Result) []Message {
	for _, text := range []gjson.Result{body, body.Get("prompt"), body.Get("input"), body.Get("value"), body.Get("prompts.0"), body.Get("prompts.0.prompt.text"), body.Get("message"), body.Get("inputText")} {
		if text.Type == gjson.String && text.Str != "" {
			return append(out, Message{Role: "user", Parts: []Part{{Type: "text", Text: text.Str}}})
		}
	}
	return out
}

// splitChoices moves answers that were logged among the input, as Pydantic AI's first format does.
func splitChoices(in []Message, n int) (input, output []Message) {
	if n == 0 || n > len(in) {
		return in, nil
	}
	return in[:len(in)-n], in[len(in)-n:]
}

// output reads an answer.
func (v *viewer) output(body gjson.Result) (out []Message) {
	choices := v.choices
	defer func() { v.choices = choices }() // those of the input count
	switch {
	case body.IsObject():
		return slices.DeleteFunc(v.answer(body), func(m Message) bool { return len(m.Parts) == 0 && m.Finish == "" })
	case body.IsArray() && isMessage(body.Get("0")):
		for _, m := range body.Array() {
			out = append(out, v.message(m)...)
		}
	case body.Type == gjson.String && (v.call || v.kind == span.Agent) && body.Str != "":
		out = []Message{{Role: "assistant", Parts: []Part{{Type: "text", Text: body.Str}}}}
	}
	return out
}

func (v *viewer) answer(body gjson.Result) (out []Message) {
	each := func(list gjson.Result, inner, finish string) {
		for _, c := range list.Array() {
			m := c
			if inner != "" {
				m = c.Get(inner)
			}
			for _, m := range v.message(m) {
				if m.Role = "assistant"; m.Finish == "" {
					m.Finish = c.Get(finish).String()
				}
				out = append(out, m)
			}
		}
	}
	switch {
	case body.Get("choices.0.message").Exists():
		each(body.Get("choices"), "message", "finish_reason")
	case body.Get("choices.0.text").Exists():
		for _, c := range body.Get("choices").Array() {
			out = append(out, Message{Role: "assistant", Finish: c.Get("finish_reason").Str, Parts: []Part{{Type: "text", Text: c.Get("text").Str}}})
		}
	case body.Get("output.message").IsObject():
		each(body, "output.message", "stopReason")
	case body.Get("candidates").IsArray():
		each(body.Get("candidates"), "content", "finishReason")
	case body.Get("messages").IsArray():
		if list := body.Get("messages"); isMessage(list.Get("0")) {
			for _, m := range list.Array() {
				out = append(out, v.message(m)...)
			}
		}
	case body.Get("generations.0").Exists():
		for _, g := range flattened(body.Get("generations")) {
			each(gjson.Parse("["+g.Raw+"]"), "message", "generation_info.finish_reason")
		}
	case body.Get("output").IsArray() && isMessage(body.Get("output.0")):
		out = v.responses(body)
	case v.call && vercelAnswer(body):
		out = []Message{v.vercel(body)}
	case isMessage(body) && (v.call || body.Get("role").Exists() || v.kind != span.Tool && body.Get("data.content").Exists()):
		out = v.message(body)
	}
	return out
}

func flattened(list gjson.Result) (out []gjson.Result) {
	for _, e := range list.Array() {
		if e.IsArray() {
			out = append(out, e.Array()...)
		} else {
			out = append(out, e)
		}
	}
	return out
}

// responses joins the items of an answer of OpenAI's Responses into one message.
func (v *viewer) responses(body gjson.Result) []Message {
	one := Message{Role: "assistant", Parts: []Part{}, Finish: body.Get("status").Str}
	for _, item := range body.Get("output").Array() {
		for _, m := range v.message(item) {
			one.Parts = append(one.Parts, m.Parts...)
		}
	}
	return []Message{one}
}

func vercelAnswer(body gjson.Result) bool {
	return body.Get("text").Type == gjson.String || body.Get("tool_calls").IsArray() || body.Get("object").Exists() || body.Get("reasoning").Type == gjson.String
}

// vercel reads what the Vercel AI SDK reports in separate attributes.
func (v *viewer) vercel(body gjson.Result) Message {
	m := Message{Role: "assistant", Parts: []Part{}}
	if r := body.Get("reasoning").Str; r != "" {
		m.Parts = append(m.Parts, Part{Type: "thinking", Text: r})
	}
	if t := body.Get("text").Str; t != "" {
		m.Parts = append(m.Parts, Part{Type: "text", Text: t})
	}
	for _, c := range body.Get("tool_calls").Array() {
		m.Parts = append(m.Parts, v.toolCall(c))
	}
	if o := body.Get("object"); o.Exists() && len(m.Parts) == 0 {
		m.Parts = append(m.Parts, Part{Type: "text", Text: o.Raw})
	}
	for _, f := range body.Get("files").Array() {
		m.Parts = append(m.Parts, v.part(f))
	}
	return m
}
