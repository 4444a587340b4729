package gateway

import (
	"bytes"
	"net/http"
	"strings"

	"weir/internal/clip"
)

// clients are programs by the start of a token in their User-Agent. More specific ones come first, since agents put
// their SDK's token beside their own.
var clients = []struct{ prefix, name string }{
	{"Cline/", "Cline"},
	{"claude-cli/", "Claude Code"},
	{"codex", "Codex"},
	{"opencode/", "OpenCode"},
	{"Kilo-Code/", "Kilo Code"},
	{"kilo", "Kilo Code"},
	{"RooCode/", "Roo Code"},
	{"copilot/", "Copilot CLI"},
	{"GeminiCLI/", "Gemini CLI"},
	{"QwenCode/", "Qwen Code"},
	{"Continue/", "Continue"},
	{"langchain", "LangChain"},
	{"litellm/", "LiteLLM"},
	{"OpenAI/Python", "OpenAI Python"},
	{"AsyncOpenAI/Python", "OpenAI Python"},
	{"OpenAI/JS", "OpenAI JS"},
	{"Anthropic/Python", "Anthropic Python"},
	{"AsyncAnthropic/Python", "Anthropic Python"},
	{"AnthropicBedrock/Python", "Anthropic Python"},
	{"Anthropic/JS", "Anthropic JS"},
	{"Boto3/", "boto3"},
	{"aws-sdk-js/", "AWS SDK JS"},
	{"ai-sdk/", "AI SDK"},
	{"ai/", "AI SDK"},
	{"curl/", "curl"},
	{"python-requests/", "requests"},
	{"Mozilla/", "Browser"},
}

// introductions are the opening words of agents whose User-Agent only names an SDK.
var introductions = []struct {
	words []byte
	name  string
}{
	{[]byte("You are Cline"), "Cline"},
	{[]byte("You are Kilo"), "Kilo Code"},
	{[]byte("You are Roo"), "Roo Code"},
}

// introLen is how far into a body an introduction is looked for: system text comes early in every client seen.
const introLen = 16 << 10

// clientOf names the calling program and its version, by User-Agent, else by its system prompt; "" if unknown.
func clientOf(h http.Header, body []byte) (name, version string) {
	ua := h.Get("User-Agent")
	name, version = fromUserAgent(ua)
	if name == "" || strings.HasPrefix(name, "OpenAI") || name == "AI SDK" {
		head := body[:min(len(body), introLen)]
		for _, i := range introductions {
			if bytes.Contains(head, i.words) {
				return i.name, ""
			}
		}
	}
	return name, version
}

// languages stand where others have their version.
var languages = map[string]bool{"Python": true, "JS": true}

func fromUserAgent(ua string) (name, version string) {
	for _, c := range clients {
		at := strings.Index(ua, c.prefix)
		if at < 0 || at > 0 && ua[at-1] != ' ' {
			continue
		}
		token, rest, _ := strings.Cut(ua[at:], " ")
		if i := strings.LastIndexByte(token, '/'); i >= 0 {
			version = token[i+1:]
		}
		if v, _, _ := strings.Cut(rest, " "); languages[version] { // "OpenAI/Python 1.99.0"
			version = v
		}
		return c.name, clip.To(version, 40)
	}
	return "", ""
}
