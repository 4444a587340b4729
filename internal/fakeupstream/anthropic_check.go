package fakeupstream

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// messagesCheck reads an Anthropic Messages body, also as Bedrock's InvokeModel carries it.
type messagesCheck struct {
	checker
	a       *ask
	bedrock bool
	betas   []string
}

var (
	messagesFields = []string{
		"model", "messages", "max_tokens", "metadata", "stop_sequences", "stream", "system", "temperature", "top_k", "top_p", "tools", "tool_choice",
		"thinking", "service_tier", "container", "output_config", "cache_control", "inference_geo",
	}
	invokeFields = []string{
		"anthropic_version", "anthropic_beta", "messages", "max_tokens", "metadata", "stop_sequences", "system", "temperature", "top_k", "top_p", "tools",
		"tool_choice", "thinking", "output_config",
	}
	countFields   = []string{"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control"}
	messagesTypes = map[string]string{
		"temperature": "number", "top_p": "number", "top_k": "number", "stream": "boolean", "stop_sequences": "list", "tools": "list", "tool_choice": "dictionary",
		"thinking": "dictionary", "metadata": "dictionary", "output_config": "dictionary",
	}
	// betaFields are unknown unless a beta flag that begins so is set.
	betaFields = map[string]string{"context_management": "context-management-", "mcp_servers": "mcp-client-", "speed": "fast-mode-"}

	blockFields = map[string][]string{
		"text":                   {"text", "cache_control", "citations"},
		"image":                  {"source", "cache_control"},
		"document":               {"source", "title", "context", "citations", "cache_control"},
		"search_result":          {"source", "title", "content", "citations", "cache_control"},
		"tool_use":               {"id", "name", "input", "cache_control", "caller"},
		"tool_result":            {"tool_use_id", "content", "is_error", "cache_control"},
		"thinking":               {"thinking", "signature"},
		"redacted_thinking":      {"data"},
		"server_tool_use":        {"id", "name", "input", "cache_control", "caller"},
		"web_search_tool_result": {"tool_use_id", "content", "cache_control", "caller"},
	}
	toolFields = []string{
		"type", "name", "description", "input_schema", "cache_control", "strict", "eager_input_streaming", "defer_loading", "input_examples", "allowed_callers",
	}
	anthropicToolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
	betaFlag          = regexp.MustCompile(`^[a-z0-9-]+-20\d\d-?\d\d-?\d\d$`)
)

func (c *messagesCheck) body(b obj, fields []string) {
	c.topFields(b, fields)
	c.typed(b, "messages", "list")
	c.failIf(c.bad == nil && len(list(b, "messages")) == 0, "messages: at least one message is required")
	if slices.Contains(fields, "max_tokens") {
		c.maxTokens(b)
	}
	for _, name := range sortedKeys(b) {
		if kind := messagesTypes[name]; kind != "" && has(b, name) {
			c.typed(b, name, kind)
		}
	}
	c.params(b)
	c.tools(b)
	c.system(b)
	c.messages(b)
}

func (c *messagesCheck) topFields(b obj, fields []string) {
	for _, k := range sortedKeys(b) {
		prefix, beta := betaFields[k]
		ok := slices.Contains(fields, k) || beta && slices.ContainsFunc(c.betas, func(f string) bool { return strings.HasPrefix(f, prefix) })
		c.failIf(!ok, "%s: Extra inputs are not permitted", k)
	}
}

func (c *messagesCheck) typed(b obj, key, kind string) {
	v, ok := b[key]
	good := false
	switch v.(type) {
	case []any:
		good = kind == "list"
	case obj:
		good = kind == "dictionary"
	case float64:
		good = kind == "number"
	case bool:
		good = kind == "boolean"
	}
	c.failIf(!ok, "%s: Field required", key)
	c.failIf(!good, "%s: Input should be a valid %s", key, kind)
}

func (c *messagesCheck) maxTokens(b obj) {
	n := number(b, "max_tokens")
	c.failIf(!has(b, "max_tokens"), "max_tokens: Field required")
	c.failIf(n == nil || *n != float64(int(*n)), "max_tokens: Input should be a valid integer")
	c.failIf(n != nil && *n < 1, "max_tokens: Input should be greater than or equal to 1")
	c.a.maxTokens = integer(b, "max_tokens")
}

func (c *messagesCheck) params(b obj) {
	a := c.a
	a.temp, a.topP, a.topK = number(b, "temperature"), number(b, "top_p"), number(b, "top_k")
	a.stop, a.stream = stringsOf(list(b, "stop_sequences")), a.stream || flag(b, "stream")
	for i, v := range list(b, "stop_sequences") {
		s, ok := v.(string)
		c.failIf(!ok, "stop_sequences.%d: Input should be a valid string", i)
		c.failIf(strings.TrimSpace(s) == "", "stop_sequences: each stop sequence must contain non-whitespace")
	}
	c.meta(sub(b, "metadata"))
	if t := sub(b, "thinking"); t != nil {
		a.think, a.budget = str(t, "type"), integer(t, "budget_tokens")
		c.failIf(!slices.Contains([]string{"enabled", "disabled", "adaptive"}, a.think),
			"thinking: Input tag '%s' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'", a.think)
		c.failIf(a.think == "enabled" && !has(t, "budget_tokens"), "thinking.enabled.budget_tokens: Field required")
		c.failIf(a.think == "adaptive" && has(t, "budget_tokens"), "thinking.adaptive.budget_tokens: Extra inputs are not permitted")
		a.hidden = a.model.hidesText() && str(t, "display") != "summarized"
	}
	c.output(sub(b, "output_config"))
}

func (c *messagesCheck) meta(m obj) {
	for _, k := range sortedKeys(m) {
		c.failIf(k != "user_id", "metadata.%s: Extra inputs are not permitted", k)
	}
	c.failIf(len(str(m, "user_id")) > 256, "metadata.user_id: String should have at most 256 characters")
}

func (c *messagesCheck) output(o obj) {
	c.a.effort = str(o, "effort")
	f := sub(o, "format")
	if f == nil {
		return
	}
	c.failIf(!c.a.model.formats(), "'%s' does not support output format.", c.a.model.ID)
	c.failIf(str(f, "type") != "json_schema" || sub(f, "schema") == nil, "output_config.format.schema: Field required")
	c.a.jsonMode, c.a.schema = true, sub(f, "schema")
}

func (c *messagesCheck) tools(b obj) {
	for i, v := range list(b, "tools") {
		t, _ := v.(obj)
		path := fmt.Sprintf("tools.%d", i)
		seg := newSegment(path, without(t, "cache_control"), false)
		seg.mark = c.mark(t, path)
		c.a.segs = append(c.a.segs, seg)
		if kind := str(t, "type"); kind != "" && kind != "custom" {
			c.failIf(!betaFlag.MatchString(strings.ReplaceAll(kind, "_", "-")), "%s: Input tag '%s' found using 'type' does not match any of the expected tags", path, kind)
			continue
		}
		path += ".custom"
		for _, k := range sortedKeys(t) {
			c.failIf(!slices.Contains(toolFields, k), "%s.%s: Extra inputs are not permitted", path, k)
		}
		c.failIf(!anthropicToolName.MatchString(str(t, "name")), "%s.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'", path)
		c.schema(sub(t, "input_schema"), path+".input_schema")
		c.a.tools = append(c.a.tools, tool{name: str(t, "name"), desc: str(t, "description"), schema: sub(t, "input_schema")})
	}
	c.toolChoice(sub(b, "tool_choice"), len(list(b, "tools")) > 0)
}

func (c *messagesCheck) schema(s obj, path string) {
	c.failIf(s == nil, "%s: Field required", path)
	c.failIf(!has(s, "type"), "%s.type: Field required", path)
	c.failIf(str(s, "type") != "object", "%s.type: Input should be 'object'", path)
	for _, k := range []string{"oneOf", "allOf", "anyOf"} {
		c.failIf(has(s, k), "%s: input_schema does not support oneOf, allOf, or anyOf at the top level", path)
	}
}

func (c *messagesCheck) toolChoice(t obj, tools bool) {
	c.a.parallel = !flag(t, "disable_parallel_tool_use")
	if t == nil {
		return
	}
	c.a.choice, c.a.forced = str(t, "type"), str(t, "name")
	c.failIf(!tools && c.a.choice != "none", "tool_choice may only be specified while providing tools")
	c.failIf(!slices.Contains([]string{"auto", "any", "tool", "none"}, c.a.choice),
		"tool_choice: Input tag '%s' found using 'type' does not match any of the expected tags: 'any', 'auto', 'none', 'tool'", c.a.choice)
}

// mark reads a cache_control and returns its lifetime, "" without one.
func (c *messagesCheck) mark(m obj, path string) string {
	cc := sub(m, "cache_control")
	if cc == nil {
		return ""
	}
	c.failIf(str(cc, "type") != "ephemeral", "%s.cache_control: Input tag '%s' found using 'type' does not match any of the expected tags: 'ephemeral'", path, str(cc, "type"))
	for _, k := range sortedKeys(cc) {
		known := k == "type" || k == "ttl" && (!c.bedrock || c.a.model.longTTL()) || k == "scope" && !c.bedrock
		c.failIf(!known, "%s.cache_control.ephemeral.%s: Extra inputs are not permitted", path, k)
	}
	ttl := str(cc, "ttl")
	c.failIf(ttl != "" && ttl != "5m" && ttl != "1h", "%s.cache_control.ephemeral.ttl: Input should be '5m' or '1h'", path)
	if ttl == "" {
		return "5m"
	}
	return ttl
}

func (c *messagesCheck) system(b obj) {
	switch s := b["system"].(type) {
	case nil:
	case string:
		c.a.system = s
		if s != "" {
			c.a.segs = append(c.a.segs, newSegment("system", obj{"type": "text", "text": s}, false))
		}
	case []any:
		for i, v := range s {
			t, _ := v.(obj)
			path := fmt.Sprintf("system.%d", i)
			c.block(t, path, "text")
			c.a.system += str(t, "text") + "\n"
			seg := newSegment(path, without(t, "cache_control"), false)
			seg.mark = c.mark(t, path)
			c.a.segs = append(c.a.segs, seg)
		}
	default:
		c.fail("system: Input should be a valid list")
	}
}

// betaFlags are the flags of a request: of the header, or in Bedrock of the body.
func (c *messagesCheck) betaFlags(flags []string) {
	for _, f := range flags {
		if f = strings.TrimSpace(f); f == "" {
			continue
		}
		c.betas = append(c.betas, f)
		c.failIf(c.bedrock && !slices.Contains(bedrockBetas, f), "invalid beta flag")
		c.failIf(!betaFlag.MatchString(f), "Unexpected value(s) `%s` for the `anthropic-beta` header. "+
			"Please consult our documentation at docs.claude.com or try again without the header.", f)
		if strings.HasPrefix(f, "context-1m-") {
			c.a.model.Context = 1_000_000
		}
	}
}

// bedrockBetas are the flags Bedrock documents or its own clients send.
var bedrockBetas = []string{
	"claude-code-20250219", "compact-2026-01-12", "computer-use-2024-10-22", "computer-use-2025-01-24", "computer-use-2025-11-24", "context-1m-2025-08-07",
	"context-management-2025-06-27", "dev-full-thinking-2025-05-14", "effort-2025-11-24", "fine-grained-tool-streaming-2025-05-14",
	"interleaved-thinking-2025-05-14", "output-128k-2025-02-19", "token-efficient-tools-2025-02-19", "tool-examples-2025-10-29", "tool-search-tool-2025-10-19",
}

func notFound(format string, args ...any) *refusal {
	return &refusal{status: http.StatusNotFound, msg: fmt.Sprintf(format, args...)}
}

func sortedKeys(m obj) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
