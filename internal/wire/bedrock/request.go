// Package bedrock holds the wire structs of Amazon Bedrock Runtime's Converse API, and the AWS event stream framing
// that its streams and InvokeModel's share. Unions are structs of pointers of which exactly one is set.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
package bedrock

import "weir/internal/jsonx"

// ConverseRequest is the body of POST /model/{id}/converse and /converse-stream.
type ConverseRequest struct {
	Messages                          []Message            `json:"messages"`
	System                            []SystemBlock        `json:"system,omitempty"`
	InferenceConfig                   *InferenceConfig     `json:"inferenceConfig,omitempty"`
	ToolConfig                        *ToolConfig          `json:"toolConfig,omitempty"`
	OutputConfig                      *OutputConfig        `json:"outputConfig,omitempty"`
	AdditionalModelRequestFields      jsonx.Raw            `json:"additionalModelRequestFields,omitempty"`
	AdditionalModelResponseFieldPaths []string             `json:"additionalModelResponseFieldPaths,omitempty"`
	RequestMetadata                   map[string]string    `json:"requestMetadata,omitempty"`
	PerformanceConfig                 *PerformanceConfig   `json:"performanceConfig,omitempty"`
	ServiceTier                       *ServiceTier         `json:"serviceTier,omitempty"`
	GuardrailConfig                   jsonx.Raw            `json:"guardrailConfig,omitempty"`
	PromptVariables                   map[string]jsonx.Raw `json:"promptVariables,omitempty"`
}

// Message is one turn. Role is "user" or "assistant".
type Message struct {
	Role    string         `json:"role"`
	Content []ContentBlock `json:"content"`
}

// SystemBlock is a union.
type SystemBlock struct {
	Text         *string     `json:"text,omitempty"`
	CachePoint   *CachePoint `json:"cachePoint,omitempty"`
	GuardContent jsonx.Raw   `json:"guardContent,omitempty"`
}

// ContentBlock is a union.
type ContentBlock struct {
	Text             *string           `json:"text,omitempty"`
	Image            *Image            `json:"image,omitempty"`
	Document         *Document         `json:"document,omitempty"`
	Video            jsonx.Raw         `json:"video,omitempty"`
	Audio            jsonx.Raw         `json:"audio,omitempty"`
	ToolUse          *ToolUse          `json:"toolUse,omitempty"`
	ToolResult       *ToolResult       `json:"toolResult,omitempty"`
	ReasoningContent *ReasoningContent `json:"reasoningContent,omitempty"`
	CachePoint       *CachePoint       `json:"cachePoint,omitempty"`
	GuardContent     jsonx.Raw         `json:"guardContent,omitempty"`
	CitationsContent *CitationsContent `json:"citationsContent,omitempty"`
	SearchResult     jsonx.Raw         `json:"searchResult,omitempty"`
}

// CachePoint closes the cached prefix before it. Type is "default"; TTL "5m" (also when absent) or "1h".
type CachePoint struct {
	Type string `json:"type"`
	TTL  string `json:"ttl,omitempty"`
}

// Image has the format "png", "jpeg", "gif" or "webp".
type Image struct {
	Format string `json:"format"`
	Source Source `json:"source"`
}

// Document has the format "pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt" or "md". Name takes letters,
// digits, single spaces, hyphens, parentheses and square brackets, and must be unique in the request.
type Document struct {
	Format    string     `json:"format,omitempty"`
	Name      string     `json:"name"`
	Source    Source     `json:"source"`
	Context   string     `json:"context,omitempty"`
	Citations *Citations `json:"citations,omitempty"`
}

// Citations switches citations of a document on.
type Citations struct {
	Enabled bool `json:"enabled"`
}

// Source is a union; Bytes is base64 on the wire. Text and Content are for documents only.
type Source struct {
	Bytes      []byte      `json:"bytes,omitempty"`
	S3Location *S3Location `json:"s3Location,omitempty"`
	Text       *string     `json:"text,omitempty"`
	Content    jsonx.Raw   `json:"content,omitempty"`
}

// S3Location names an object the service may read.
type S3Location struct {
	URI         string `json:"uri"`
	BucketOwner string `json:"bucketOwner,omitempty"`
}

// ToolUse is a call by the model. ToolUseID and Name match ^[a-zA-Z0-9_-]{1,64}$; Input is an object.
type ToolUse struct {
	ToolUseID string    `json:"toolUseId"`
	Name      string    `json:"name"`
	Input     jsonx.Raw `json:"input"`
	Type      string    `json:"type,omitempty"` // "server_tool_use" for the service's own tools
}

// ToolResult answers the ToolUse of the same ID. Status is "success" or "error".
type ToolResult struct {
	ToolUseID string              `json:"toolUseId"`
	Content   []ToolResultContent `json:"content"`
	Status    string              `json:"status,omitempty"`
	Type      string              `json:"type,omitempty"`
}

// ToolResultContent is a union; JSON must be an object.
type ToolResultContent struct {
	Text         *string   `json:"text,omitempty"`
	JSON         jsonx.Raw `json:"json,omitempty"`
	Image        *Image    `json:"image,omitempty"`
	Document     *Document `json:"document,omitempty"`
	Video        jsonx.Raw `json:"video,omitempty"`
	SearchResult jsonx.Raw `json:"searchResult,omitempty"`
}

// ReasoningContent is a union; RedactedContent is base64 on the wire.
type ReasoningContent struct {
	ReasoningText   *ReasoningText `json:"reasoningText,omitempty"`
	RedactedContent []byte         `json:"redactedContent,omitempty"`
}

// ReasoningText is a thinking block. Text is required, if empty, and Signature wanted back unchanged.
type ReasoningText struct {
	Text      string `json:"text"`
	Signature string `json:"signature,omitempty"`
}

// CitationsContent is an answer's text with the places it came from.
type CitationsContent struct {
	Content   []CitedText `json:"content,omitempty"`
	Citations jsonx.Raw   `json:"citations,omitempty"`
}

// CitedText is one piece of cited text.
type CitedText struct {
	Text string `json:"text"`
}

// InferenceConfig is the sampling parameters all models share.
type InferenceConfig struct {
	MaxTokens     int      `json:"maxTokens,omitempty"`
	Temperature   *float64 `json:"temperature,omitempty"`
	TopP          *float64 `json:"topP,omitempty"`
	StopSequences []string `json:"stopSequences,omitempty"`
}

// ToolConfig is the tools and how they may be used.
type ToolConfig struct {
	Tools      []Tool      `json:"tools"`
	ToolChoice *ToolChoice `json:"toolChoice,omitempty"`
}

// Tool is a union.
type Tool struct {
	ToolSpec   *ToolSpec   `json:"toolSpec,omitempty"`
	CachePoint *CachePoint `json:"cachePoint,omitempty"`
	SystemTool jsonx.Raw   `json:"systemTool,omitempty"`
}

// ToolSpec describes a function. Description may be absent but not empty.
type ToolSpec struct {
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	InputSchema InputSchema `json:"inputSchema"`
	Strict      *bool       `json:"strict,omitempty"`
}

// InputSchema is JSON Schema of type object.
type InputSchema struct {
	JSON jsonx.Raw `json:"json"`
}

// ToolChoice is a union; there is no "none".
type ToolChoice struct {
	Auto *struct{}     `json:"auto,omitempty"`
	Any  *struct{}     `json:"any,omitempty"`
	Tool *SpecificTool `json:"tool,omitempty"`
}

// SpecificTool is the tool that must be called.
type SpecificTool struct {
	Name string `json:"name"`
}

// OutputConfig shapes the answer.
type OutputConfig struct {
	TextFormat *TextFormat `json:"textFormat,omitempty"`
	Effort     string      `json:"effort,omitempty"`
}

// TextFormat asks for structured output. Type is "json_schema".
type TextFormat struct {
	Type      string          `json:"type"`
	Structure FormatStructure `json:"structure"`
}

// FormatStructure is a union.
type FormatStructure struct {
	JSONSchema *JSONSchema `json:"jsonSchema,omitempty"`
}

// JSONSchema carries its schema as a string of JSON.
type JSONSchema struct {
	Schema      string `json:"schema"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

// PerformanceConfig chooses a latency class: "standard" or "optimized".
type PerformanceConfig struct {
	Latency string `json:"latency,omitempty"`
}

// ServiceTier is "default", "flex", "priority" or "reserved".
type ServiceTier struct {
	Type string `json:"type"`
}

// CountTokensRequest is the body of POST /model/{id}/count-tokens.
type CountTokensRequest struct {
	Input CountTokensInput `json:"input"`
}

// CountTokensInput is a union.
type CountTokensInput struct {
	Converse    *CountConverse `json:"converse,omitempty"`
	InvokeModel *InvokeBody    `json:"invokeModel,omitempty"`
}

// CountConverse is the countable part of a ConverseRequest.
type CountConverse struct {
	Messages                     []Message     `json:"messages"`
	System                       []SystemBlock `json:"system,omitempty"`
	ToolConfig                   *ToolConfig   `json:"toolConfig,omitempty"`
	AdditionalModelRequestFields jsonx.Raw     `json:"additionalModelRequestFields,omitempty"`
}

// InvokeBody is an InvokeModel body, base64 on the wire.
type InvokeBody struct {
	Body []byte `json:"body"`
}

// CountTokensResponse is the answer to CountTokensRequest.
type CountTokensResponse struct {
	InputTokens int64 `json:"inputTokens"`
}
