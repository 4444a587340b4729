// Package llm is the hub every dialect translates to and from: a request, its messages and tools, the chunks of a
// streamed answer, the whole answer, its usage, and the error an upstream gave. It knows no wire format and no provider.
package llm

import "weir/internal/jsonx"

// Dialect names a message-level wire format. Two ends that share a dialect exchange bytes, not hub values.
type Dialect string

const (
	OpenAIChat        Dialect = "openai_chat"        // POST /v1/chat/completions
	AnthropicMessages Dialect = "anthropic_messages" // POST /v1/messages; also Bedrock InvokeModel of Claude
	BedrockConverse   Dialect = "bedrock_converse"   // POST /model/{id}/converse
)

// Role is who speaks. System and developer text lives in Request.System, tool results in user messages.
type Role string

const (
	User      Role = "user"
	Assistant Role = "assistant"
	System    Role = "system" // only for a system message in mid-conversation; leading ones go to Request.System
)

// Request is one model call in no particular dialect.
type Request struct {
	Model    string // as the client wrote it
	System   []Part // leading system and developer text, in order
	Messages []Message
	Tools    []Tool
	Choice   ToolChoice
	Parallel *bool // parallel tool calls allowed; nil = provider's default

	MaxTokens   int // 0 = not given
	Temperature *float64
	TopP        *float64
	TopK        *int
	Stop        []string
	Seed        *int64
	Thinking    *Thinking
	Format      *Format
	User        string   // end user as the provider should see it
	Betas       []string // anthropic-beta flags

	Stream bool
	// Extra holds top-level fields without a hub meaning (penalties, logit_bias, n …), by their client name.
	// A provider that cannot send one refuses it with llm.Unsupported, or leaves it out when Drop is set.
	Extra map[string]jsonx.Raw
	Drop  bool // drop_params: leave out what the upstream does not take, instead of refusing
}

// Message is one turn. Consecutive messages may share a role; providers that need alternation merge them.
type Message struct {
	Role  Role
	Parts []Part
	Name  string // OpenAI's optional speaker name
}

// PartKind says which fields of a Part are set.
type PartKind string

const (
	Text       PartKind = "text"        // Text
	Image      PartKind = "image"       // Media
	Document   PartKind = "document"    // Media
	Audio      PartKind = "audio"       // Media
	ToolCall   PartKind = "tool_call"   // Call
	ToolResult PartKind = "tool_result" // Result
	Reasoning  PartKind = "reasoning"   // Text, Signature; or Redacted
)

// Part is one piece of a message.
type Part struct {
	Kind      PartKind
	Text      string
	Signature string // of a reasoning part: proof the upstream wants back unchanged; Text may be empty beside it
	Redacted  string // of a reasoning part: opaque base64 the upstream wants back; Text and Signature are then empty
	Media     *Media
	Call      *Call
	Result    *Result
	Cache     *CacheMark // a cache point directly after this part
}

// Media is an image, document or sound: inline bytes or a URL, never both.
type Media struct {
	MIME string // "image/png"; empty if only the URL is known
	Data []byte // decoded bytes
	URL  string
	Name string // file name, for documents
}

// Call is a tool call by the model. Args is the JSON text as streamed; it may be empty or, from a careless client,
// not JSON at all: a provider that needs an object must use ArgsObject.
type Call struct {
	ID   string
	Name string
	Args string
}

// ArgsObject returns the arguments as a JSON object: empty text is {}, anything that is not an object is wrapped as
// {"input": …} so that history replayed by a client never crashes a provider.
func (c *Call) ArgsObject() jsonx.Raw {
	if c.Args == "" {
		return jsonx.Raw("{}")
	}
	raw := []byte(c.Args)
	if !jsonx.Valid(raw) {
		return jsonx.MustMarshal(map[string]string{"input": c.Args})
	}
	for _, b := range raw {
		switch b {
		case ' ', '\t', '\r', '\n':
			continue
		case '{':
			return raw
		}
		break
	}
	return jsonx.MustMarshal(map[string]jsonx.Raw{"input": raw})
}

// Result is what a tool answered to the call with the same ID.
type Result struct {
	ID    string
	Parts []Part // text, images, documents
	Error bool
}

// CacheMark asks the provider to cache the prompt up to here. TTL is "", "5m" or "1h"; "" means 5 minutes.
type CacheMark struct{ TTL string }

// Tool is a function the model may call. Schema is JSON Schema of its arguments, an object.
type Tool struct {
	Name        string
	Description string
	Schema      jsonx.Raw
	Strict      *bool
	Cache       *CacheMark
	// Native is a tool the client's dialect has and the hub does not (hosted search and the like), as raw JSON with
	// the dialect it is written in. Such a tool has no Schema.
	Native        jsonx.Raw
	NativeDialect Dialect
}

// ToolChoice is how the model must use tools. Name is set for Tool only.
type ToolChoice struct {
	Mode ChoiceMode // "" = provider's default
	Name string
}

// ChoiceMode is the mode of a ToolChoice.
type ChoiceMode string

const (
	ChoiceAuto ChoiceMode = "auto"
	ChoiceNone ChoiceMode = "none"
	ChoiceAny  ChoiceMode = "any" // some tool must be called; OpenAI says "required"
	ChoiceTool ChoiceMode = "tool"
)

// Thinking is extended reasoning. Mode "enabled" comes with Budget tokens, "adaptive" may come with Effort; a client
// that only names an effort (OpenAI's reasoning_effort) leaves Mode empty and the provider decides by model.
type Thinking struct {
	Mode   string // "", "enabled", "adaptive", "disabled"
	Budget int    // tokens, ≥ 1024 for Claude; 0 = not given
	Effort string // "", "none", "minimal", "low", "medium", "high", "xhigh", "max"
}

// Format asks for structured output.
type Format struct {
	Type   string // "json_object" or "json_schema"
	Name   string
	Schema jsonx.Raw // of json_schema
	Strict *bool
}
