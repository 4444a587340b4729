package fakeupstream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// obj is a decoded JSON object.
type obj = map[string]any

// ask is a validated request without its dialect.
type ask struct {
	model   Model
	modelID string // as requested
	cred    string
	system  string
	segs    []segment // tools, then system, then messages
	turns   []turn    // consecutive messages of one role are one turn
	tools   []tool
	choice  string // "", auto, none, any, tool
	forced  string // tool name for choice "tool"

	maxTokens int
	temp      *float64
	topP      *float64
	topK      *float64
	stop      []string

	think  string // "", enabled, adaptive, disabled
	budget int
	effort string

	jsonMode bool // answer must be JSON; schema may be nil
	schema   obj

	stream    bool
	withUsage bool // the stream reports usage
	parallel  bool // more than one tool call allowed
	hidden    bool // thinking text is left out, only the signature is told
}

// partKind is the kind of a part; it doubles as Anthropic's block type.
type partKind string

const (
	kindText     partKind = "text"
	kindThinking partKind = "thinking"
	kindRedacted partKind = "redacted_thinking"
	kindUse      partKind = "tool_use"
	kindResult   partKind = "tool_result"
	kindMedia    partKind = "media"
)

// part is one block of a turn or of an answer.
type part struct {
	kind partKind
	path string // in the request, e.g. "messages.1.content.0"
	text string
	sig  string // of thinking; the opaque data of redacted thinking
	id   string // of a tool call or the call a result belongs to
	name string
	args string // JSON text of a tool call's input
}

type turn struct {
	role  string // user, assistant, system
	path  string
	parts []part
}

type tool struct {
	name   string
	desc   string
	schema obj
}

// answer is what the fake says.
type answer struct {
	id     string
	parts  []part
	finish string // stop, stop_sequence, length, tool, refusal, guardrail
	stopAt string
	usage  Usage
	shape  Fault
}

// Usage is what a call is billed, in disjoint buckets.
type Usage struct {
	Input        int64 `json:"input"`
	CacheRead    int64 `json:"cache_read"`
	CacheWrite   int64 `json:"cache_write"`
	CacheWrite1h int64 `json:"cache_write_1h"`
	Output       int64 `json:"output"`
	Reasoning    int64 `json:"reasoning"` // part of Output
}

func (u Usage) prompt() int64 { return u.Input + u.CacheRead + u.CacheWrite + u.CacheWrite1h }

// estimate is the fake's tokenizer: four bytes are a token.
func estimate(n int) int64 { return int64(n+3) / 4 }

func (a *ask) tokens() int64 {
	var n int64
	for _, s := range a.segs {
		n += s.tokens
	}
	return n
}

func (a *ask) overflow(wire string) *refusal {
	n, limit := a.tokens(), int64(a.model.Context)
	if limit == 0 || n <= limit {
		return nil
	}
	if wire == "openai" {
		return &refusal{status: http.StatusBadRequest, param: "messages", code: "context_length_exceeded", msg: fmt.Sprintf(
			"This model's maximum context length is %d tokens. However, your messages resulted in %d tokens. Please reduce the length of the messages.", limit, n)}
	}
	msg := fmt.Sprintf("prompt is too long: %d tokens > %d maximum", n, limit)
	if wire == "converse" {
		msg = modelSaid + msg
	}
	return &refusal{status: http.StatusBadRequest, msg: msg}
}

// lastUser is the text of the last turn if a user speaks there.
func (a *ask) lastUser() string {
	if len(a.turns) == 0 || a.turns[len(a.turns)-1].role != "user" {
		return ""
	}
	return a.turns[len(a.turns)-1].text()
}

func (t turn) text() string {
	var b []string
	for _, p := range t.parts {
		if p.kind == kindText {
			b = append(b, p.text)
		}
	}
	return strings.Join(b, "\n")
}

func (t turn) has(k partKind) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.kind == k })
}

func (t turn) ids(k partKind) []string {
	var ids []string
	for _, p := range t.parts {
		if p.kind == k {
			ids = append(ids, p.id)
		}
	}
	return ids
}

// merge joins consecutive turns of one role, as every service does in effect.
func merge(turns []turn) []turn {
	var out []turn
	for _, t := range turns {
		if n := len(out); n > 0 && out[n-1].role == t.role {
			out[n-1].parts = append(slices.Clip(out[n-1].parts), t.parts...)
			continue
		}
		out = append(out, t)
	}
	return out
}

func (ans *answer) outputTokens(a *ask) (total, reasoning int64) {
	for _, p := range ans.parts {
		n := estimate(len(p.text) + len(p.name) + len(p.args))
		if p.kind == kindThinking || p.kind == kindRedacted {
			n = max(n, 32) // hidden thinking is billed too
			reasoning += n
		}
		total += n
	}
	if a.model.Reasoning && a.effort != "none" && a.effort != "" {
		reasoning += 64
		total += 64
	}
	return max(total, 1), reasoning
}

// checker keeps the first refusal of a validation; later ones are not looked at.
type checker struct{ bad *refusal }

func (c *checker) refuse(f *refusal) {
	if c.bad == nil {
		c.bad = f
	}
}

// fail refuses with status 400.
func (c *checker) fail(format string, args ...any) {
	c.refuse(&refusal{status: http.StatusBadRequest, msg: fmt.Sprintf(format, args...)})
}

func (c *checker) failIf(cond bool, format string, args ...any) {
	if cond {
		c.fail(format, args...)
	}
}

func str(m obj, key string) string { s, _ := m[key].(string); return s }
func sub(m obj, key string) obj    { o, _ := m[key].(obj); return o }
func list(m obj, key string) []any { l, _ := m[key].([]any); return l }
func flag(m obj, key string) bool  { b, _ := m[key].(bool); return b }
func has(m obj, key string) bool   { v, ok := m[key]; return ok && v != nil }

func number(m obj, key string) *float64 {
	if f, ok := m[key].(float64); ok {
		return &f
	}
	return nil
}

func integer(m obj, key string) int {
	f, _ := m[key].(float64)
	return int(f)
}

func stringsOf(l []any) []string {
	var out []string
	for _, v := range l {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// without is a shallow copy of m lacking one key.
func without(m obj, key string) obj {
	out := make(obj, len(m))
	for k, v := range m {
		if k != key {
			out[k] = v
		}
	}
	return out
}

// canon is JSON with sorted keys, equal for equal values.
func canon(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(v) //nolint:errcheck // decoded JSON always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
