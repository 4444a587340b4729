package gateway

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/clip"
	"weir/internal/jsonx"
	"weir/internal/llm"
)

// Bounds on what a client may put into the record besides its messages.
const (
	maxIDLen     = 256
	maxTags      = 50
	maxMetadata  = 64 << 10
	maxFallbacks = 10
	maxParams    = 16 << 10
	// maxUserID is far above what agents pack into metadata.user_id. It also bounds the nesting of the JSON in it, which
	// gjson.Valid follows by recursion: a text of megabytes would exhaust the stack and with it the process.
	maxUserID = 4 << 10
)

// FactsFrom gathers what a request tells about itself beyond the call: session, end user, tags, metadata, parameters,
// trace context and the program it came from. Vocabulary of LiteLLM and Langfuse is honoured in body and headers, on
// every dialect. ip is the client's address; body has been checked to be JSON.
func FactsFrom(h http.Header, ip string, body []byte, d llm.Dialect) Facts {
	f := Facts{
		RequestID: clip.To(h.Get("X-Request-Id"), maxIDLen), UserAgent: clip.To(h.Get("User-Agent"), maxIDLen), IP: ip,
		EndUser: clip.To(firstHeader(h, "X-Litellm-End-User-Id", "X-Litellm-Customer-Id"), maxIDLen),
	}
	f.Client, f.ClientVersion = clientOf(h, body)
	f.Trace, f.Parent = traceParent(h.Get("Traceparent"))
	b := bodyFacts{}
	jsonx.Each(jsonx.View(body), b.take)
	f.Params, f.MaxTokens, f.Drop, f.Fallbacks = b.paramsJSON(), b.maxTokens, b.drop, b.fallbacks
	if f.EndUser == "" {
		f.EndUser = clip.To(b.user, maxIDLen)
	}
	f.fromMetadata(b, d)
	f.fromHeaders(h)
	if f.Session == "" {
		f.Session = b.session
	}
	if f.Session == "" {
		f.Session = firstHeader(h, "X-Litellm-Session-Id", "X-Session-Id", "Session-Id", "X-Claude-Code-Session-Id")
	}
	f.Session = strings.Clone(clip.To(f.Session, maxIDLen)) // sessions are remembered for long, and must not hold the body
	return f
}

// bodyFacts is one pass over the top level of a request.
type bodyFacts struct {
	params    []byte
	maxTokens int
	drop      bool
	user      string
	session   string
	metadata  gjson.Result // OpenAI: free-form; Anthropic: {user_id}
	litellm   gjson.Result // litellm_metadata
	tags      gjson.Result
	fallbacks []string
}

// isParam reports that a field is shown as a call parameter: everything small that shapes the answer.
func isParam(name string) bool {
	switch name {
	case "temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "stop", "stop_sequences", "seed", "n", "presence_penalty",
		"frequency_penalty", "reasoning_effort", "thinking", "tool_choice", "parallel_tool_calls", "output_config", "response_format",
		"verbosity", "service_tier":
		return true
	}
	return false
}

func (b *bodyFacts) take(k, raw string, _ int) bool {
	switch k {
	case "max_tokens", "max_completion_tokens":
		b.maxTokens = int(min(max(gjson.Parse(raw).Int(), 0), 1<<30))
	case "drop_params":
		b.drop = gjson.Parse(raw).Bool()
	case "user":
		b.user = gjson.Parse(raw).Str
	case "litellm_session_id":
		b.session = gjson.Parse(raw).Str
	case "metadata":
		b.metadata = gjson.Parse(raw)
	case "litellm_metadata":
		b.litellm = gjson.Parse(raw)
	case "tags":
		b.tags = gjson.Parse(raw)
	case "fallbacks":
		for _, f := range gjson.Parse(raw).Array() { // names, or {"model": name}
			if name := cmp.Or(f.Str, f.Get("model").Str); name != "" && len(b.fallbacks) < maxFallbacks {
				b.fallbacks = append(b.fallbacks, name)
			}
		}
	}
	if len(raw) < 4096 && isParam(k) && len(b.params)+len(raw) < maxParams {
		if b.params == nil {
			b.params = append(make([]byte, 0, 128), '{')
		} else {
			b.params = append(b.params, ',')
		}
		b.params = append(append(append(append(b.params, '"'), k...), `":`...), raw...)
	}
	return true
}

func (b *bodyFacts) paramsJSON() jsonx.Raw {
	if b.params == nil {
		return nil
	}
	return append(b.params, '}')
}

// fromMetadata reads the client's metadata object. Anthropic's own metadata has only user_id, in which Claude Code
// packs its session.
func (f *Facts) fromMetadata(b bodyFacts, d llm.Dialect) {
	meta := b.metadata
	if d == llm.AnthropicMessages {
		uid := meta.Get("user_id").Str
		if user, session, ok := claudeCodeUser(uid); ok {
			f.Session = session
			uid = user
		}
		if f.EndUser == "" {
			f.EndUser = clip.To(uid, maxIDLen)
		}
	}
	if b.litellm.IsObject() {
		meta = b.litellm
	}
	f.addTags(b.tags)
	if !meta.IsObject() {
		return
	}
	f.addTags(meta.Get("tags"))
	if s := firstString(meta, "session_id", "litellm_session_id"); s != "" && f.Session == "" {
		f.Session = s
	}
	if f.EndUser == "" {
		f.EndUser = clip.To(firstString(meta, "trace_user_id", "user_id"), maxIDLen)
	}
	f.TraceName = clip.To(firstString(meta, "generation_name", "trace_name"), maxIDLen)
	if t := meta.Get("trace_id").Str; f.Trace == "" && isHex(t, 32) {
		f.Trace = strings.ToLower(t)
	}
	if len(meta.Raw) <= maxMetadata && !(d == llm.AnthropicMessages && !b.litellm.IsObject()) {
		f.Metadata = jsonx.Raw(meta.Raw)
	}
}

func (f *Facts) fromHeaders(h http.Header) {
	for t := range strings.SplitSeq(h.Get("X-Litellm-Tags"), ",") {
		f.addTag(strings.TrimSpace(t))
	}
	if m := h.Get("X-Litellm-Spend-Logs-Metadata"); f.Metadata == nil && len(m) <= maxMetadata && gjson.Valid(m) && gjson.Parse(m).IsObject() {
		f.Metadata = jsonx.Raw(m)
	}
}

func (f *Facts) addTags(v gjson.Result) {
	for _, t := range v.Array() {
		if t.Type == gjson.String {
			f.addTag(t.Str)
		}
	}
}

func (f *Facts) addTag(t string) {
	if t != "" && len(f.Tags) < maxTags {
		f.Tags = append(f.Tags, clip.To(t, maxIDLen))
	}
}

// claudeCodeUser reads the two forms in which Claude Code packs its session into metadata.user_id: a JSON object, or
// "user_<hash>_account_<id>_session_<uuid>".
func claudeCodeUser(uid string) (user, session string, ok bool) {
	if strings.HasPrefix(uid, "{") && len(uid) <= maxUserID && gjson.Valid(uid) {
		v := gjson.Parse(uid)
		session = v.Get("session_id").Str
		return firstString(v, "account_uuid", "device_id"), session, session != ""
	}
	user, session, ok = strings.Cut(uid, "_session_")
	return user, session, ok && session != ""
}

// traceParent reads a W3C traceparent; anything malformed is as if absent.
func traceParent(v string) (trace, parent string) {
	p := strings.Split(v, "-")
	if len(p) < 4 || len(p[0]) != 2 || !isHex(p[1], 32) || !isHex(p[2], 16) || strings.Trim(p[1], "0") == "" || strings.Trim(p[2], "0") == "" {
		return "", ""
	}
	return strings.Clone(strings.ToLower(p[1])), strings.Clone(strings.ToLower(p[2])) // kept for long, unlike the request's head
}

func isHex(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

func firstHeader(h http.Header, names ...string) string {
	for _, n := range names {
		if v := h.Get(n); v != "" {
			return v
		}
	}
	return ""
}

func firstString(v gjson.Result, names ...string) string {
	for _, n := range names {
		if s := v.Get(n); s.Type == gjson.String && s.Str != "" {
			return s.Str
		}
	}
	return ""
}
