package anthropic

import (
	"bytes"

	"weir/internal/jsonx"
)

// MessagesRequest is the body of POST /v1/messages, and of Bedrock's InvokeModel (without Model and Stream, with
// Version and Betas).
type MessagesRequest struct {
	Model         string        `json:"model,omitempty"`
	Version       string        `json:"anthropic_version,omitempty"`
	Betas         []string      `json:"anthropic_beta,omitempty"`
	MaxTokens     int           `json:"max_tokens,omitempty"`
	System        Content       `json:"system,omitempty"`
	Messages      []Message     `json:"messages"`
	Tools         []Tool        `json:"tools,omitempty"`
	ToolChoice    *ToolChoice   `json:"tool_choice,omitempty"`
	Temperature   *float64      `json:"temperature,omitempty"`
	TopP          *float64      `json:"top_p,omitempty"`
	TopK          *int          `json:"top_k,omitempty"`
	StopSequences []string      `json:"stop_sequences,omitempty"`
	Thinking      *Thinking     `json:"thinking,omitempty"`
	OutputConfig  *OutputConfig `json:"output_config,omitempty"`
	Metadata      *Metadata     `json:"metadata,omitempty"`
	MCPServers    jsonx.Raw     `json:"mcp_servers,omitempty"`
	Container     jsonx.Raw     `json:"container,omitempty"`
	Context       jsonx.Raw     `json:"context_management,omitempty"`
	Stream        bool          `json:"stream,omitempty"`
}

// Message is one turn.
type Message struct {
	Role    string  `json:"role"`
	Content Content `json:"content"`
}

// Content is a list of blocks. On the wire it may also be a bare string, or (in results of server tools) one block.
type Content []Block

// UnmarshalJSON takes all three forms.
func (c *Content) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0 || string(b) == "null":
		*c = nil
		return nil
	case b[0] == '"':
		var s string
		if err := jsonx.Unmarshal(b, &s); err != nil {
			return err
		}
		*c = Content{TextBlock(s)}
		return nil
	case b[0] == '{':
		*c = make(Content, 1)
		return jsonx.Unmarshal(b, &(*c)[0])
	}
	return jsonx.Unmarshal(b, (*[]Block)(c))
}

// Block is any content block; Type says which fields are set. Pointers tell "" from absent where the API wants the
// field to be there though empty.
type Block struct {
	Type         string        `json:"type"`
	Text         *string       `json:"text,omitempty"`
	Source       *Source       `json:"source,omitempty"`  // image, document
	Title        string        `json:"title,omitempty"`   // document, search_result
	Context      string        `json:"context,omitempty"` // document
	ID           string        `json:"id,omitempty"`      // tool_use
	Name         string        `json:"name,omitempty"`
	Input        jsonx.Raw     `json:"input,omitempty"`
	ToolUseID    string        `json:"tool_use_id,omitempty"` // tool_result
	Content      Content       `json:"content,omitempty"`
	IsError      bool          `json:"is_error,omitempty"`
	Thinking     *string       `json:"thinking,omitempty"`
	Signature    *string       `json:"signature,omitempty"`
	Data         string        `json:"data,omitempty"` // redacted_thinking
	CacheControl *CacheControl `json:"cache_control,omitempty"`
}

// TextBlock is a text block.
func TextBlock(s string) Block { return Block{Type: "text", Text: &s} }

// Source is where an image or document comes from.
type Source struct {
	Type      string // "base64", "url", "text", "content", "file"
	MediaType string
	Data      string
	URL       string
	FileID    string
	Content   Content
}

// source is Source without its union: for type "content", content may be a string or blocks.
type source struct {
	Type      string  `json:"type"`
	MediaType string  `json:"media_type,omitempty"`
	Data      string  `json:"data,omitempty"`
	URL       string  `json:"url,omitempty"`
	FileID    string  `json:"file_id,omitempty"`
	Content   Content `json:"content,omitempty"`
}

// MarshalJSON writes the wire form.
func (s Source) MarshalJSON() ([]byte, error) { return jsonx.Marshal(source(s)) }

// UnmarshalJSON tolerates a search result's source, which is a plain string.
func (s *Source) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '"' {
		s.Type = "url"
		return jsonx.Unmarshal(b, &s.URL)
	}
	return jsonx.Unmarshal(b, (*source)(s))
}

// CacheControl marks the end of a cached prefix. TTL is "", "5m" or "1h".
type CacheControl struct {
	Type string `json:"type"`
	TTL  string `json:"ttl,omitempty"`
}

// Tool is a client tool, or, with Raw, one the API itself runs (web search …), kept as it came.
type Tool struct {
	Type         string        `json:"type,omitempty"`
	Name         string        `json:"name"`
	Description  string        `json:"description,omitempty"`
	InputSchema  jsonx.Raw     `json:"input_schema,omitempty"`
	Strict       *bool         `json:"strict,omitempty"`
	CacheControl *CacheControl `json:"cache_control,omitempty"`
	Raw          jsonx.Raw     `json:"-"`
}

type plainTool Tool

// MarshalJSON writes Raw where it is set.
func (t Tool) MarshalJSON() ([]byte, error) {
	if t.Raw != nil {
		return t.Raw, nil
	}
	return jsonx.Marshal(plainTool(t))
}

// UnmarshalJSON keeps the bytes of a tool that is not a plain client tool.
func (t *Tool) UnmarshalJSON(b []byte) error {
	if err := jsonx.Unmarshal(b, (*plainTool)(t)); err != nil {
		return err
	}
	if t.Type != "" && t.Type != "custom" {
		t.Raw = append(jsonx.Raw(nil), b...)
	}
	return nil
}

// ToolChoice has Type "auto", "any", "tool" or "none".
type ToolChoice struct {
	Type            string `json:"type"`
	Name            string `json:"name,omitempty"`
	DisableParallel bool   `json:"disable_parallel_tool_use,omitempty"`
}

// Thinking has Type "enabled" (with BudgetTokens), "adaptive" or "disabled".
type Thinking struct {
	Type         string `json:"type"`
	BudgetTokens int    `json:"budget_tokens,omitempty"`
}

// OutputConfig is how hard to try, and in which form to answer.
type OutputConfig struct {
	Effort string        `json:"effort,omitempty"`
	Format *OutputFormat `json:"format,omitempty"`
}

// OutputFormat has Type "json_schema".
type OutputFormat struct {
	Type   string    `json:"type"`
	Schema jsonx.Raw `json:"schema,omitempty"`
}

// Metadata describes the request.
type Metadata struct {
	UserID string `json:"user_id,omitempty"`
}

// MessagesResponse is a whole answer, and the message of message_start.
type MessagesResponse struct {
	ID           string  `json:"id"`
	Type         string  `json:"type"`
	Role         string  `json:"role"`
	Model        string  `json:"model"`
	Content      []Block `json:"content"`
	StopReason   *string `json:"stop_reason"`
	StopSequence *string `json:"stop_sequence"`
	Usage        Usage   `json:"usage"`
}

// Usage counts tokens in disjoint buckets: input excludes what was read from or written to a cache.
type Usage struct {
	InputTokens   int64          `json:"input_tokens"`
	CacheCreation int64          `json:"cache_creation_input_tokens"`
	CacheRead     int64          `json:"cache_read_input_tokens"`
	CacheSplit    *CacheCreation `json:"cache_creation,omitempty"`
	OutputTokens  int64          `json:"output_tokens"`
}

// CacheCreation splits cache writes by lifetime.
type CacheCreation struct {
	Ephemeral5m int64 `json:"ephemeral_5m_input_tokens"`
	Ephemeral1h int64 `json:"ephemeral_1h_input_tokens"`
}

// Failure is the error envelope, of answers and of in-stream errors.
type Failure struct {
	Type      string        `json:"type"` // "error"
	Error     FailureDetail `json:"error"`
	RequestID string        `json:"request_id,omitempty"`
}

// FailureDetail is what went wrong.
type FailureDetail struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}
