package openaicompat

import (
	"strings"

	"weir/internal/jsonx"
	"weir/internal/wire/openai"
)

// plainUsage reads counts without the decoder, which takes longer for them than for the text of an answer. It is false for
// what it does not know: numbers that are not plain integers, names in another case, cache writes by lifetime.
func plainUsage(v string) (u openai.Usage, ok bool) {
	ok = counts(v, func(k, v string) bool {
		switch k {
		case "prompt_tokens":
			return count(v, &u.PromptTokens)
		case "completion_tokens":
			return count(v, &u.CompletionTokens)
		case "total_tokens":
			return count(v, &u.TotalTokens)
		case "cache_read_input_tokens":
			return count(v, &u.CacheReadInputTokens)
		case "cache_creation_input_tokens":
			return count(v, &u.CacheCreationInputTokens)
		case "prompt_cache_hit_tokens":
			return count(v, &u.PromptCacheHitTokens)
		case "prompt_tokens_details":
			u.PromptTokensDetails = &openai.PromptDetails{}
			return promptDetails(v, u.PromptTokensDetails)
		case "completion_tokens_details":
			u.CompletionTokensDetails = &openai.CompletionDetails{}
			return completionDetails(v, u.CompletionTokensDetails)
		}
		return isLower(k)
	})
	return u, ok
}

func promptDetails(v string, d *openai.PromptDetails) bool {
	return counts(v, func(k, v string) bool {
		switch k {
		case "cached_tokens":
			return count(v, &d.CachedTokens)
		case "cache_write_tokens":
			return count(v, &d.CacheWriteTokens)
		case "audio_tokens":
			return count(v, &d.AudioTokens)
		}
		return isLower(k) && k != "cache_creation_token_details"
	})
}

func completionDetails(v string, d *openai.CompletionDetails) bool {
	return counts(v, func(k, v string) bool {
		switch k {
		case "reasoning_tokens":
			return count(v, &d.ReasoningTokens)
		case "audio_tokens":
			return count(v, &d.AudioTokens)
		}
		return isLower(k)
	})
}

// counts goes through an object.
func counts(v string, take func(k, v string) bool) bool {
	if v == "" || v[0] != '{' {
		return false
	}
	ok := true
	jsonx.Each(v, func(k, v string, _ int) bool {
		ok = take(k, v)
		return ok
	})
	return ok
}

// isLower reports that a name is one that the decoder would only take for itself.
func isLower(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool { return r >= 0x80 || 'A' <= r && r <= 'Z' }) < 0
}

func count(v string, n *int64) bool {
	if len(v) == 0 || len(v) > 15 || v[0] == '0' && len(v) > 1 {
		return false
	}
	sum := int64(0)
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
		sum = 10*sum + int64(v[i]-'0')
	}
	*n = sum
	return true
}
