package llm

import "weir/internal/jsonx"

// Finish is why a model stopped.
type Finish string

const (
	FinishStop      Finish = "stop"
	FinishLength    Finish = "length"
	FinishToolCalls Finish = "tool_calls"
	FinishFilter    Finish = "content_filter"
)

// Response is one whole answer.
type Response struct {
	ID        string // the upstream's
	Model     string // as the upstream reports it
	Parts     []Part // text, reasoning and tool calls in order
	Finish    Finish
	RawFinish string // the upstream's own word, e.g. "end_turn", "guardrail_intervened"
	StopText  string // the stop sequence that was hit, if told
	Usage     Usage
	Extra     map[string]jsonx.Raw // top-level fields without a hub meaning
}

// Usage is four disjoint buckets of tokens. Dialects whose input count includes cached tokens (OpenAI, Gemini) are
// converted at the edge, in both directions.
type Usage struct {
	Input        int64 `json:"input"`                    // neither read from nor written to a cache
	CacheRead    int64 `json:"cache_read,omitempty"`     //
	CacheWrite   int64 `json:"cache_write,omitempty"`    // written with the 5-minute lifetime
	CacheWrite1h int64 `json:"cache_write_1h,omitempty"` // written with the 1-hour lifetime
	Output       int64 `json:"output"`                   // includes Reasoning and AudioOutput
	Reasoning    int64 `json:"reasoning,omitempty"`      // part of Output
	AudioInput   int64 `json:"audio_input,omitempty"`    // part of Input
	AudioOutput  int64 `json:"audio_output,omitempty"`   // part of Output
	Estimated    bool  `json:"estimated,omitempty"`      // counted by Weir since the upstream told nothing
}

// Prompt is all input tokens, cached or not: OpenAI's prompt_tokens.
func (u Usage) Prompt() int64 { return u.Input + u.CacheRead + u.CacheWrite + u.CacheWrite1h }

// Total is prompt plus output.
func (u Usage) Total() int64 { return u.Prompt() + u.Output }

// IsZero reports that nothing was counted.
func (u Usage) IsZero() bool { return u.Total() == 0 }

// Merge takes the larger value of each bucket. Upstreams repeat cumulative counts in several stream events and leave
// out the ones they told before, so later events must neither add to nor erase earlier ones.
func (u Usage) Merge(v Usage) Usage {
	return Usage{
		Input: max(u.Input, v.Input), CacheRead: max(u.CacheRead, v.CacheRead),
		CacheWrite: max(u.CacheWrite, v.CacheWrite), CacheWrite1h: max(u.CacheWrite1h, v.CacheWrite1h),
		Output: max(u.Output, v.Output), Reasoning: max(u.Reasoning, v.Reasoning),
		AudioInput: max(u.AudioInput, v.AudioInput), AudioOutput: max(u.AudioOutput, v.AudioOutput),
		Estimated: u.Estimated || v.Estimated,
	}
}

// EstimateOutput counts the answer's tokens at four bytes each, for upstreams that tell no usage.
func (r *Response) EstimateOutput() int64 {
	n := 0
	for _, p := range r.Parts {
		n += len(p.Text)
		if p.Call != nil {
			n += len(p.Call.Name) + len(p.Call.Args)
		}
	}
	return int64(n+3) / 4
}
