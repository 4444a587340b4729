package openai

import (
	"weir/internal/jsonx"
	"weir/internal/llm"
)

// Response is the answer to a request that does not stream.
type Response struct {
	ID                string   `json:"id"`
	Object            string   `json:"object"`
	Created           int64    `json:"created"`
	Model             string   `json:"model"`
	Choices           []Choice `json:"choices"`
	Usage             *Usage   `json:"usage,omitempty"`
	SystemFingerprint string   `json:"system_fingerprint,omitempty"`
	ServiceTier       string   `json:"service_tier,omitempty"`

	Extra map[string]jsonx.Raw `json:"-"`
}

var responseFields = fieldSet("id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier")

// UnmarshalJSON decodes the named fields and keeps the others in Extra.
func (r *Response) UnmarshalJSON(data []byte) error {
	type plain Response
	if err := jsonx.Unmarshal(data, (*plain)(r)); err != nil {
		return err
	}
	r.Extra = extraOf(data, responseFields)
	return nil
}

// MarshalJSON encodes the named fields, then Extra in order of its keys.
func (r Response) MarshalJSON() ([]byte, error) {
	type plain Response
	return withExtra(plain(r), r.Extra)
}

// Choice is one of n answers.
type Choice struct {
	Index        int       `json:"index"`
	Message      *Message  `json:"message"`
	FinishReason *string   `json:"finish_reason"`
	Logprobs     jsonx.Raw `json:"logprobs,omitempty"`
}

// Chunk is one event of a stream.
type Chunk struct {
	ID                string        `json:"id"`
	Object            string        `json:"object"`
	Created           int64         `json:"created"`
	Model             string        `json:"model"`
	Choices           []ChunkChoice `json:"choices"`
	Usage             *Usage        `json:"usage,omitempty"`
	SystemFingerprint string        `json:"system_fingerprint,omitempty"`
	Error             *ErrorBody    `json:"error,omitempty"` // instead of everything else
}

// ChunkChoice is the step of one choice.
type ChunkChoice struct {
	Index        int     `json:"index"`
	Delta        Delta   `json:"delta"`
	FinishReason *string `json:"finish_reason"`
}

// Delta is what a step adds to the message.
type Delta struct {
	Role             string          `json:"role,omitempty"`
	Content          *string         `json:"content,omitempty"`
	Refusal          string          `json:"refusal,omitempty"`
	ReasoningContent string          `json:"reasoning_content,omitempty"`
	Reasoning        string          `json:"reasoning,omitempty"`
	ThinkingBlocks   []ThinkingBlock `json:"thinking_blocks,omitempty"`
	ToolCalls        []ToolCall      `json:"tool_calls,omitempty"`
	FunctionCall     *FunctionCall   `json:"function_call,omitempty"`
}

// ErrorEnvelope is the body of a refusal.
type ErrorEnvelope struct {
	Error ErrorBody `json:"error"`
}

// ErrorBody tells what went wrong. Code is a word at OpenAI, the status as a string in LiteLLM, or null.
type ErrorBody struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

// ModelList is the answer of GET /v1/models.
type ModelList struct {
	Object string  `json:"object"` // "list"
	Data   []Model `json:"data"`
}

// Model is one entry of a ModelList.
type Model struct {
	ID      string `json:"id"`
	Object  string `json:"object"` // "model"
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

// Usage counts tokens. PromptTokens includes cached ones. The two top-level cache counts are LiteLLM's.
type Usage struct {
	PromptTokens             int64              `json:"prompt_tokens"`
	CompletionTokens         int64              `json:"completion_tokens"`
	TotalTokens              int64              `json:"total_tokens"`
	PromptTokensDetails      *PromptDetails     `json:"prompt_tokens_details,omitempty"`
	CompletionTokensDetails  *CompletionDetails `json:"completion_tokens_details,omitempty"`
	CacheReadInputTokens     int64              `json:"cache_read_input_tokens,omitempty"`
	CacheCreationInputTokens int64              `json:"cache_creation_input_tokens,omitempty"`
	PromptCacheHitTokens     int64              `json:"prompt_cache_hit_tokens,omitempty"` // DeepSeek
}

// PromptDetails are parts of PromptTokens.
type PromptDetails struct {
	CachedTokens     int64 `json:"cached_tokens"`
	CacheWriteTokens int64 `json:"cache_write_tokens,omitempty"`
	AudioTokens      int64 `json:"audio_tokens,omitempty"`
	// CacheCreationTokenDetails splits writes by lifetime; LiteLLM's.
	CacheCreationTokenDetails *CacheCreation `json:"cache_creation_token_details,omitempty"`
}

// CacheCreation are cache writes by lifetime.
type CacheCreation struct {
	Ephemeral5m int64 `json:"ephemeral_5m_input_tokens"`
	Ephemeral1h int64 `json:"ephemeral_1h_input_tokens"`
}

// CompletionDetails are parts of CompletionTokens.
type CompletionDetails struct {
	ReasoningTokens int64 `json:"reasoning_tokens"`
	AudioTokens     int64 `json:"audio_tokens,omitempty"`
}

// LLM converts to disjoint buckets.
func (u *Usage) LLM() llm.Usage {
	if u == nil {
		return llm.Usage{}
	}
	p, c := orZero(u.PromptTokensDetails), orZero(u.CompletionTokensDetails)
	out := llm.Usage{
		CacheRead:   count(max(p.CachedTokens, u.CacheReadInputTokens, u.PromptCacheHitTokens)),
		CacheWrite:  count(max(p.CacheWriteTokens, u.CacheCreationInputTokens)),
		Output:      count(u.CompletionTokens),
		Reasoning:   count(c.ReasoningTokens),
		AudioInput:  count(p.AudioTokens),
		AudioOutput: count(c.AudioTokens),
	}
	if d := p.CacheCreationTokenDetails; d != nil && d.Ephemeral1h > 0 {
		out.CacheWrite1h = min(d.Ephemeral1h, out.CacheWrite)
		out.CacheWrite -= out.CacheWrite1h
	}
	cached := out.CacheRead + out.CacheWrite + out.CacheWrite1h
	out.Input = count(u.PromptTokens)
	if cached <= out.Input { // more cached than prompt: a server that counts Anthropic's way, cached ones apart
		out.Input -= cached
	}
	if r := out.Reasoning; r > 0 && u.TotalTokens == u.PromptTokens+u.CompletionTokens+r { // xAI counts reasoning apart
		out.Output += r
	}
	out.Reasoning = min(out.Reasoning, out.Output)
	return out
}

// count cuts negative and absurd counts, since they come from outside and are paid for.
func count(n int64) int64 { return min(max(n, 0), 1<<40) }

// UsageOf converts disjoint buckets to OpenAI's counting, with LiteLLM's additions for cached tokens.
func UsageOf(u llm.Usage) *Usage {
	out := &Usage{
		PromptTokens: u.Prompt(), CompletionTokens: u.Output, TotalTokens: u.Total(),
		PromptTokensDetails:     &PromptDetails{CachedTokens: u.CacheRead, CacheWriteTokens: u.CacheWrite + u.CacheWrite1h, AudioTokens: u.AudioInput},
		CompletionTokensDetails: &CompletionDetails{ReasoningTokens: u.Reasoning, AudioTokens: u.AudioOutput},
		CacheReadInputTokens:    u.CacheRead, CacheCreationInputTokens: u.CacheWrite + u.CacheWrite1h,
	}
	if u.CacheWrite1h > 0 {
		out.PromptTokensDetails.CacheCreationTokenDetails = &CacheCreation{Ephemeral5m: u.CacheWrite, Ephemeral1h: u.CacheWrite1h}
	}
	return out
}

func orZero[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// FinishOf reads a finish_reason. calls says that the answer calls tools, which some servers report as "stop".
func FinishOf(reason string, calls bool) llm.Finish {
	switch reason {
	case "length", "model_length", "max_tokens":
		return llm.FinishLength
	case "tool_calls", "function_call":
		return llm.FinishToolCalls
	case "content_filter":
		return llm.FinishFilter
	}
	if calls {
		return llm.FinishToolCalls
	}
	return llm.FinishStop
}
