package bedrock

import "weir/internal/jsonx"

// ConverseResponse is the answer of POST /model/{id}/converse. Output has been seen absent from a 200.
type ConverseResponse struct {
	Output                        *Output   `json:"output,omitempty"`
	StopReason                    string    `json:"stopReason"`
	Usage                         Usage     `json:"usage"`
	Metrics                       Metrics   `json:"metrics"`
	AdditionalModelResponseFields jsonx.Raw `json:"additionalModelResponseFields,omitempty"`
	Trace                         jsonx.Raw `json:"trace,omitempty"`
}

// Output is a union.
type Output struct {
	Message *Message `json:"message,omitempty"`
}

// Usage counts tokens; InputTokens excludes cached ones.
type Usage struct {
	InputTokens           int64         `json:"inputTokens"`
	OutputTokens          int64         `json:"outputTokens"`
	TotalTokens           int64         `json:"totalTokens"`
	CacheReadInputTokens  int64         `json:"cacheReadInputTokens,omitempty"`
	CacheWriteInputTokens int64         `json:"cacheWriteInputTokens,omitempty"`
	CacheDetails          []CacheDetail `json:"cacheDetails,omitempty"`
}

// CacheDetail splits CacheWriteInputTokens by lifetime, "5m" or "1h".
type CacheDetail struct {
	TTL         string `json:"ttl"`
	InputTokens int64  `json:"inputTokens"`
}

// Metrics is the service's own timing.
type Metrics struct {
	LatencyMs int64 `json:"latencyMs"`
}

// Event types of ConverseStream, as in the frame's :event-type header.
const (
	EventMessageStart      = "messageStart"
	EventContentBlockStart = "contentBlockStart"
	EventContentBlockDelta = "contentBlockDelta"
	EventContentBlockStop  = "contentBlockStop"
	EventMessageStop       = "messageStop"
	EventMetadata          = "metadata" // comes after messageStop
	EventChunk             = "chunk"    // InvokeModelWithResponseStream's only event
)

// StreamEvent holds the fields of all ConverseStream events; which are set depends on the event type.
type StreamEvent struct {
	Role              string      `json:"role,omitempty"`              // messageStart
	ContentBlockIndex *int        `json:"contentBlockIndex,omitempty"` // contentBlockStart, -Delta, -Stop
	Start             *BlockStart `json:"start,omitempty"`             // contentBlockStart
	Delta             *BlockDelta `json:"delta,omitempty"`             // contentBlockDelta
	StopReason        string      `json:"stopReason,omitempty"`        // messageStop
	Usage             *Usage      `json:"usage,omitempty"`             // metadata
	Metrics           *Metrics    `json:"metrics,omitempty"`           // metadata

	AdditionalModelResponseFields jsonx.Raw `json:"additionalModelResponseFields,omitempty"` // messageStop
	Trace                         jsonx.Raw `json:"trace,omitempty"`                         // metadata
}

// BlockStart is a union; the service opens only tool blocks explicitly.
type BlockStart struct {
	ToolUse *ToolUseStart `json:"toolUse,omitempty"`
}

// ToolUseStart names the call whose input follows.
type ToolUseStart struct {
	ToolUseID string `json:"toolUseId"`
	Name      string `json:"name"`
	Type      string `json:"type,omitempty"`
}

// BlockDelta is a union.
type BlockDelta struct {
	Text             *string         `json:"text,omitempty"`
	ToolUse          *ToolUseDelta   `json:"toolUse,omitempty"`
	ReasoningContent *ReasoningDelta `json:"reasoningContent,omitempty"`
	Citation         jsonx.Raw       `json:"citation,omitempty"`
}

// ToolUseDelta is a fragment of the input's JSON text.
type ToolUseDelta struct {
	Input string `json:"input"`
}

// ReasoningDelta is a union; RedactedContent is base64 on the wire.
type ReasoningDelta struct {
	Text            *string `json:"text,omitempty"`
	Signature       *string `json:"signature,omitempty"`
	RedactedContent []byte  `json:"redactedContent,omitempty"`
}

// InvokeChunk is the payload of a "chunk" event: one event of the model's own stream, base64 on the wire.
type InvokeChunk struct {
	Bytes []byte `json:"bytes"`
	P     string `json:"p,omitempty"` // padding against length analysis
}

// InvocationMetricsField is the key under which the last event of an InvokeModel stream carries InvocationMetrics.
const InvocationMetricsField = "amazon-bedrock-invocationMetrics"

// InvocationMetrics is the service's own count of an InvokeModel stream.
type InvocationMetrics struct {
	InputTokenCount           int64 `json:"inputTokenCount"`
	OutputTokenCount          int64 `json:"outputTokenCount"`
	CacheReadInputTokenCount  int64 `json:"cacheReadInputTokenCount,omitempty"`
	CacheWriteInputTokenCount int64 `json:"cacheWriteInputTokenCount,omitempty"`
	InvocationLatency         int64 `json:"invocationLatency,omitempty"`
	FirstByteLatency          int64 `json:"firstByteLatency,omitempty"`
}

// ErrorTypeHeader names the exception of a failed call as "Name" or "Name:http://…".
const ErrorTypeHeader = "X-Amzn-Errortype"

// Error is the body of a failed call and the payload of an exception frame.
type Error struct {
	Type               string `json:"__type,omitempty"`
	Message            string `json:"message"`
	MessageCap         string `json:"Message,omitempty"`
	OriginalMessage    string `json:"originalMessage,omitempty"`
	OriginalStatusCode int    `json:"originalStatusCode,omitempty"`
	ResourceName       string `json:"resourceName,omitempty"`
}

// Text is the message, in whichever capitalisation it came.
func (e Error) Text() string {
	if e.Message != "" {
		return e.Message
	}
	return e.MessageCap
}
