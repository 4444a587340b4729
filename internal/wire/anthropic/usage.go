package anthropic

import (
	"github.com/tidwall/gjson"

	"weir/internal/llm"
)

// usageOf reads a usage object. known is what earlier events of the same stream told: later events repeat the total of
// cache writes but may leave out its split by lifetime.
func usageOf(v gjson.Result, known llm.Usage) llm.Usage {
	u := llm.Usage{
		Input: count(v, "input_tokens"), CacheRead: count(v, "cache_read_input_tokens"), Output: count(v, "output_tokens"),
	}
	written := count(v, "cache_creation_input_tokens")
	if split := v.Get("cache_creation"); split.IsObject() {
		u.CacheWrite1h = count(split, "ephemeral_1h_input_tokens")
		u.CacheWrite = max(count(split, "ephemeral_5m_input_tokens"), written-u.CacheWrite1h)
		return u
	}
	u.CacheWrite1h = min(known.CacheWrite1h, written)
	u.CacheWrite = written - u.CacheWrite1h
	return u
}

// count is a token count; negative and absurd ones are cut, since they come from outside and are paid for.
func count(v gjson.Result, name string) int64 {
	const most = 1 << 40
	return min(max(v.Get(name).Int(), 0), most)
}

// metricsOf reads the invocation metrics that Bedrock adds to the last event. They repeat the event's own usage with
// coarser buckets, so they only fill what is not known.
func metricsOf(v gjson.Result, known llm.Usage) llm.Usage {
	u := known
	if u.Input == 0 {
		u.Input = count(v, "inputTokenCount")
	}
	if u.Output == 0 {
		u.Output = count(v, "outputTokenCount")
	}
	if u.CacheRead == 0 {
		u.CacheRead = count(v, "cacheReadInputTokenCount")
	}
	if u.CacheWrite+u.CacheWrite1h == 0 {
		u.CacheWrite = count(v, "cacheWriteInputTokenCount")
	}
	return u
}

func encodeUsage(u llm.Usage) Usage {
	out := Usage{
		InputTokens: u.Input, CacheCreation: u.CacheWrite + u.CacheWrite1h, CacheRead: u.CacheRead, OutputTokens: u.Output,
	}
	if out.CacheCreation > 0 {
		out.CacheSplit = &CacheCreation{Ephemeral5m: u.CacheWrite, Ephemeral1h: u.CacheWrite1h}
	}
	return out
}

// finishes maps stop reasons to the hub. pause_turn has no equal: a server tool wants to go on.
var finishes = map[string]llm.Finish{
	"end_turn": llm.FinishStop, "stop_sequence": llm.FinishStop, "pause_turn": llm.FinishStop,
	"max_tokens": llm.FinishLength, "model_context_window_exceeded": llm.FinishLength,
	"tool_use": llm.FinishToolCalls, "refusal": llm.FinishFilter,
}

func finishOf(reason string) llm.Finish {
	if f, ok := finishes[reason]; ok {
		return f
	}
	return llm.FinishStop
}

// stopReason is the word for an answer's end: the upstream's own where it is one of ours.
func stopReason(f llm.Finish, raw, stop string) string {
	if finishes[raw] == f && raw != "" {
		return raw
	}
	switch {
	case f == llm.FinishLength:
		return "max_tokens"
	case f == llm.FinishToolCalls:
		return "tool_use"
	case f == llm.FinishFilter:
		return "refusal"
	case stop != "":
		return "stop_sequence"
	}
	return "end_turn"
}
