// Package openai holds the wire structs of OpenAI's chat completions, with the fields that LiteLLM and other
// compatible servers add. They are thin: unions keep both of their forms, and top-level fields without a name here are
// kept as raw JSON in Extra. Source: https://platform.openai.com/docs/api-reference/chat.
package openai

import (
	"maps"
	"slices"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
)

// Roles of messages.
const (
	RoleSystem    = "system"
	RoleDeveloper = "developer"
	RoleUser      = "user"
	RoleAssistant = "assistant"
	RoleTool      = "tool"
	RoleFunction  = "function" // of the legacy function-calling form
)

// Types of content parts.
const (
	PartText       = "text"
	PartImage      = "image_url"
	PartAudio      = "input_audio"
	PartFile       = "file"
	PartRefusal    = "refusal"
	PartThinking   = "thinking"
	PartRedacted   = "redacted_thinking"
	TypeFunction   = "function"
	TypeCustom     = "custom"
	ObjectResponse = "chat.completion"
	ObjectChunk    = "chat.completion.chunk"
)

// Done is the data of the event that ends a stream.
const Done = "[DONE]"

// Request is the body of POST /v1/chat/completions.
type Request struct {
	Model               string          `json:"model"`
	Messages            []Message       `json:"messages"`
	Tools               []Tool          `json:"tools,omitempty"`
	ToolChoice          *ToolChoice     `json:"tool_choice,omitempty"`
	ParallelToolCalls   *bool           `json:"parallel_tool_calls,omitempty"`
	Functions           []Function      `json:"functions,omitempty"`     // legacy
	FunctionCall        *ToolChoice     `json:"function_call,omitempty"` // legacy: "auto", "none" or {"name"}
	MaxTokens           *int            `json:"max_tokens,omitempty"`
	MaxCompletionTokens *int            `json:"max_completion_tokens,omitempty"`
	Temperature         *float64        `json:"temperature,omitempty"`
	TopP                *float64        `json:"top_p,omitempty"`
	TopK                *int            `json:"top_k,omitempty"` // not OpenAI's
	Stop                Stop            `json:"stop,omitempty"`
	Seed                *int64          `json:"seed,omitempty"`
	ReasoningEffort     string          `json:"reasoning_effort,omitempty"`
	Thinking            *Thinking       `json:"thinking,omitempty"`      // LiteLLM: Anthropic's field
	OutputConfig        *OutputConfig   `json:"output_config,omitempty"` // LiteLLM: Anthropic's field
	ResponseFormat      *ResponseFormat `json:"response_format,omitempty"`
	User                string          `json:"user,omitempty"`
	Stream              bool            `json:"stream,omitempty"`
	StreamOptions       *StreamOptions  `json:"stream_options,omitempty"`
	Metadata            jsonx.Raw       `json:"metadata,omitempty"`
	DropParams          bool            `json:"drop_params,omitempty"`        // LiteLLM
	LitellmSessionID    string          `json:"litellm_session_id,omitempty"` // LiteLLM

	Extra map[string]jsonx.Raw `json:"-"`
}

var requestFields = fieldSet(
	"model", "messages", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "max_tokens",
	"max_completion_tokens", "temperature", "top_p", "top_k", "stop", "seed", "reasoning_effort", "thinking", "output_config",
	"response_format", "user", "stream", "stream_options", "metadata", "drop_params", "litellm_session_id",
)

// UnmarshalJSON decodes the named fields and keeps the others in Extra.
func (r *Request) UnmarshalJSON(data []byte) error {
	type plain Request
	if err := jsonx.Unmarshal(data, (*plain)(r)); err != nil {
		return err
	}
	r.Extra = extraOf(data, requestFields)
	return nil
}

// MarshalJSON encodes the named fields, then Extra in order of its keys.
func (r Request) MarshalJSON() ([]byte, error) {
	type plain Request
	return withExtra(plain(r), r.Extra)
}

// Message is one entry of messages, and the message of an answer.
type Message struct {
	Role             string          `json:"role,omitempty"`
	Content          *Content        `json:"content"` // nil is null
	Name             string          `json:"name,omitempty"`
	ToolCalls        []ToolCall      `json:"tool_calls,omitempty"`
	ToolCallID       string          `json:"tool_call_id,omitempty"`
	FunctionCall     *FunctionCall   `json:"function_call,omitempty"` // legacy
	Refusal          string          `json:"refusal,omitempty"`
	ReasoningContent string          `json:"reasoning_content,omitempty"`
	Reasoning        string          `json:"reasoning,omitempty"`       // OpenRouter, Groq, vLLM
	ThinkingBlocks   []ThinkingBlock `json:"thinking_blocks,omitempty"` // LiteLLM
	CacheControl     *CacheControl   `json:"cache_control,omitempty"`   // LiteLLM
}

// Content is a string or a list of parts.
type Content struct {
	Text  string
	Parts []Part // not nil: the list form
}

// Text makes string content.
func Text(s string) *Content { return &Content{Text: s} }

// UnmarshalJSON takes either form.
func (c *Content) UnmarshalJSON(data []byte) error {
	if isArray(data) {
		c.Parts = []Part{}
		return jsonx.Unmarshal(data, &c.Parts)
	}
	return jsonx.Unmarshal(data, &c.Text)
}

// MarshalJSON writes the form that is set.
func (c Content) MarshalJSON() ([]byte, error) {
	if c.Parts != nil {
		return jsonx.Marshal(c.Parts)
	}
	return jsonx.Marshal(c.Text)
}

// All is the text of either form, parts other than text left out.
func (c *Content) All() string {
	if c == nil {
		return ""
	}
	s := c.Text
	for _, p := range c.Parts {
		s += p.Text
	}
	return s
}

// Part is one content part. Type says which field is set.
type Part struct {
	Type         string        `json:"type"`
	Text         string        `json:"text,omitempty"`
	ImageURL     *ImageURL     `json:"image_url,omitempty"`
	InputAudio   *InputAudio   `json:"input_audio,omitempty"`
	File         *File         `json:"file,omitempty"`
	Refusal      string        `json:"refusal,omitempty"`
	Thinking     string        `json:"thinking,omitempty"`  // of type "thinking"
	Signature    string        `json:"signature,omitempty"` // of type "thinking"
	Data         string        `json:"data,omitempty"`      // of type "redacted_thinking"
	CacheControl *CacheControl `json:"cache_control,omitempty"`
}

// ImageURL is {"url","detail"}; some clients send the URL alone.
type ImageURL struct {
	URL    string `json:"url"`
	Detail string `json:"detail,omitempty"`
	Format string `json:"format,omitempty"` // LiteLLM: MIME type of a URL that does not tell it
}

// UnmarshalJSON takes the object or a bare URL.
func (u *ImageURL) UnmarshalJSON(data []byte) error {
	if isString(data) {
		return jsonx.Unmarshal(data, &u.URL)
	}
	type plain ImageURL
	return jsonx.Unmarshal(data, (*plain)(u))
}

// InputAudio is base64 sound. Format is "wav" or "mp3".
type InputAudio struct {
	Data   string `json:"data"`
	Format string `json:"format"`
}

// File is a document: FileData is a data URL (or, LiteLLM, bare base64), FileID an upload or, in LiteLLM, a URL.
type File struct {
	FileData string `json:"file_data,omitempty"`
	FileID   string `json:"file_id,omitempty"`
	Filename string `json:"filename,omitempty"`
	Format   string `json:"format,omitempty"` // LiteLLM: MIME type
}

// CacheControl is Anthropic's cache mark, as LiteLLM takes it on parts, messages and tools.
type CacheControl struct {
	Type string `json:"type"` // "ephemeral"
	TTL  string `json:"ttl,omitempty"`
}

// ThinkingBlock is one reasoning block in LiteLLM's form. Signature is null in stream deltas that carry only text.
type ThinkingBlock struct {
	Type      string `json:"type"` // "thinking" or "redacted_thinking"
	Thinking  string `json:"thinking,omitempty"`
	Signature string `json:"signature,omitempty"`
	Data      string `json:"data,omitempty"`
}

// ToolCall is a call by the model. Index is set in stream deltas only.
type ToolCall struct {
	Index        *int          `json:"index,omitempty"`
	ID           string        `json:"id,omitempty"`
	Type         string        `json:"type,omitempty"`
	Function     *FunctionCall `json:"function,omitempty"`
	Custom       *CustomCall   `json:"custom,omitempty"`
	ExtraContent jsonx.Raw     `json:"extra_content,omitempty"` // {"google":{"thought_signature"}}
}

// FunctionCall names a function and its arguments as JSON text.
type FunctionCall struct {
	Name      string    `json:"name,omitempty"`
	Arguments Arguments `json:"arguments"`
}

// CustomCall is a call of a tool with free-form input.
type CustomCall struct {
	Name  string `json:"name,omitempty"`
	Input string `json:"input"`
}

// Arguments is JSON text in a string. Some servers send the object itself, or null; both are taken.
type Arguments string

// UnmarshalJSON takes a string, null, or any other value as its text.
func (a *Arguments) UnmarshalJSON(data []byte) error {
	switch {
	case string(data) == "null":
		*a = ""
		return nil
	case isString(data):
		return jsonx.Unmarshal(data, (*string)(a))
	}
	*a = Arguments(jsonx.Compact(data))
	return nil
}

// Tool is a function or, with Type other than "function", whatever Raw holds.
type Tool struct {
	Type         string        `json:"type"`
	Function     *Function     `json:"function,omitempty"`
	CacheControl *CacheControl `json:"cache_control,omitempty"`
	Raw          jsonx.Raw     `json:"-"` // of a tool that is no function
}

// UnmarshalJSON keeps tools that are no functions as they are.
func (t *Tool) UnmarshalJSON(data []byte) error {
	type plain Tool
	if err := jsonx.Unmarshal(data, (*plain)(t)); err != nil {
		return err
	}
	if t.Function == nil {
		t.Raw = slices.Clone(data)
	}
	return nil
}

// MarshalJSON writes Raw if set.
func (t Tool) MarshalJSON() ([]byte, error) {
	if t.Raw != nil {
		return t.Raw, nil
	}
	type plain Tool
	return jsonx.Marshal(plain(t))
}

// Function describes a function the model may call.
type Function struct {
	Name         string        `json:"name"`
	Description  string        `json:"description,omitempty"`
	Parameters   jsonx.Raw     `json:"parameters,omitempty"`
	Strict       *bool         `json:"strict,omitempty"`
	CacheControl *CacheControl `json:"cache_control,omitempty"` // LiteLLM
}

// ToolChoice is "auto", "none", "required", or one named tool. Raw keeps object forms that name no function.
type ToolChoice struct {
	Mode string
	Name string
	Raw  jsonx.Raw
}

// UnmarshalJSON takes a word, {"type":"function","function":{"name"}}, Responses' {"type","name"} or the legacy {"name"}.
func (c *ToolChoice) UnmarshalJSON(data []byte) error {
	if isString(data) {
		return jsonx.Unmarshal(data, &c.Mode)
	}
	v := gjson.ParseBytes(data)
	for _, path := range []string{"function.name", "custom.name", "name"} {
		if n := v.Get(path); n.Type == gjson.String {
			c.Name = n.String()
			return nil
		}
	}
	c.Mode = v.Get("type").String() // {"type":"auto"} and the like
	c.Raw = slices.Clone(data)
	return nil
}

// MarshalJSON writes the current form.
func (c ToolChoice) MarshalJSON() ([]byte, error) {
	switch {
	case c.Raw != nil:
		return c.Raw, nil
	case c.Name != "":
		return jsonx.Marshal(map[string]any{"type": TypeFunction, "function": map[string]string{"name": c.Name}})
	}
	return jsonx.Marshal(c.Mode)
}

// Stop is a string or a list of them.
type Stop []string

// UnmarshalJSON takes either form, and null.
func (s *Stop) UnmarshalJSON(data []byte) error {
	if isString(data) {
		*s = make(Stop, 1)
		return jsonx.Unmarshal(data, &(*s)[0])
	}
	return jsonx.Unmarshal(data, (*[]string)(s))
}

// Thinking is Anthropic's field.
type Thinking struct {
	Type         string `json:"type"` // "enabled", "adaptive", "disabled"
	BudgetTokens int    `json:"budget_tokens,omitempty"`
}

// OutputConfig is Anthropic's field.
type OutputConfig struct {
	Effort string `json:"effort,omitempty"`
}

// ResponseFormat asks for "text", "json_object" or "json_schema".
type ResponseFormat struct {
	Type       string      `json:"type"`
	JSONSchema *JSONSchema `json:"json_schema,omitempty"`
}

// JSONSchema is the schema of an answer.
type JSONSchema struct {
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Schema      jsonx.Raw `json:"schema,omitempty"`
	Strict      *bool     `json:"strict,omitempty"`
}

// StreamOptions asks for the usage chunk.
type StreamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

func fieldSet(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

// extraOf returns copies of the members of an object that are not in known; nil if there are none.
func extraOf(data []byte, known map[string]bool) map[string]jsonx.Raw {
	var extra map[string]jsonx.Raw
	gjson.ParseBytes(data).ForEach(func(k, v gjson.Result) bool {
		if !known[k.String()] {
			if extra == nil {
				extra = map[string]jsonx.Raw{}
			}
			extra[k.String()] = jsonx.Raw(v.Raw)
		}
		return true
	})
	return extra
}

// withExtra encodes v, a struct, and adds extra members.
func withExtra(v any, extra map[string]jsonx.Raw) ([]byte, error) {
	out, err := jsonx.Marshal(v)
	if err != nil || len(extra) == 0 {
		return out, err
	}
	out = out[:len(out)-1]
	for _, k := range slices.Sorted(maps.Keys(extra)) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, jsonx.MustMarshal(k)...), ':'), extra[k]...)
	}
	return append(out, '}'), nil
}

func isString(data []byte) bool { return len(data) > 0 && data[0] == '"' }
func isArray(data []byte) bool  { return len(data) > 0 && data[0] == '[' }
