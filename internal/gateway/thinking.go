package gateway

import (
	"context"
	"time"

	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/span"
	"weir/internal/tenant"
)

// thinkingStore remembers the thinking blocks of answers that call tools, by tool-call id. Clients of the OpenAI wire
// replay a tool call without the signed thinking before it, and Claude refuses such a turn; here it is put back. Entries
// are scoped by project and key, bounded by size and time, and survive restarts. All methods work on a nil KV.
type thinkingStore struct{ kv span.KV }

const (
	thinkingTTL = 7 * 24 * time.Hour
	// maxThinking bounds one remembered turn; a longer one is forgotten, and thinking is then left out of the next.
	maxThinking = 512 << 10
	kvDeadline  = 2 * time.Second
)

func newThinkingStore(kv span.KV) *thinkingStore { return &thinkingStore{kv: kv} }

// block is one remembered reasoning part.
type block struct {
	Text      string `json:"t,omitempty"`
	Signature string `json:"s,omitempty"`
	Redacted  string `json:"r,omitempty"`
}

// thought is what is kept of one turn. Project and trace say what it goes with when that is erased.
type thought struct {
	Project tenant.ProjectID `json:"p"`
	Trace   string           `json:"x"`
	Blocks  []block          `json:"b"`
}

// save remembers the signed thinking of an answer, if it calls tools.
func (t *thinkingStore) save(who *tenant.Identity, trace string, r *llm.Response) {
	if t.kv == nil {
		return
	}
	var blocks []block
	size := 0
	for _, p := range r.Parts {
		if isSigned(p) {
			blocks = append(blocks, block{p.Text, p.Signature, p.Redacted})
			size += len(p.Text) + len(p.Signature) + len(p.Redacted)
		}
	}
	if len(blocks) == 0 || size > maxThinking {
		return
	}
	value := jsonx.MustMarshal(thought{Project: who.Project, Trace: trace, Blocks: blocks})
	ctx, cancel := context.WithTimeout(context.Background(), kvDeadline)
	defer cancel()
	for _, p := range r.Parts {
		if p.Call != nil && p.Call.ID != "" {
			// A failed write costs the thinking of one turn, which restore's miss handles.
			_ = t.kv.Put(ctx, thinkingKey(who, p.Call.ID), value, thinkingTTL)
		}
	}
}

// restore puts remembered blocks at the head of assistant turns that call tools and lost theirs.
func (t *thinkingStore) restore(who *tenant.Identity, r *llm.Request) {
	if t.kv == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), kvDeadline)
	defer cancel()
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.Role != llm.Assistant || hasSigned(m.Parts) {
			continue
		}
		if parts := t.lookup(ctx, who, m.Parts); parts != nil {
			m.Parts = append(parts, withoutReasoning(m.Parts)...)
		}
	}
}

func (t *thinkingStore) lookup(ctx context.Context, who *tenant.Identity, parts []llm.Part) []llm.Part {
	for _, p := range parts {
		if p.Call == nil {
			continue
		}
		value, err := t.kv.Get(ctx, thinkingKey(who, p.Call.ID))
		var kept thought
		if err != nil || value == nil || jsonx.Unmarshal(value, &kept) != nil {
			continue
		}
		var out []llm.Part
		for _, b := range kept.Blocks {
			out = append(out, llm.Part{Kind: llm.Reasoning, Text: b.Text, Signature: b.Signature, Redacted: b.Redacted})
		}
		return out
	}
	return nil
}

func thinkingKey(who *tenant.Identity, call string) []byte {
	h := span.HashOf([]byte(who.Project), []byte{0}, []byte(who.Key), []byte{0}, []byte(who.User), []byte{0}, []byte(call))
	return append([]byte("think/"), h[:]...)
}

// prepareThinking shapes a request for Claude: thinking without a signature cannot be replayed, and manual thinking
// cannot go on in a tool loop whose last assistant turn has lost its own, so it is left out for this turn.
func prepareThinking(r *llm.Request, adaptive bool) {
	last := -1
	messages := make([]llm.Message, len(r.Messages))
	for i, m := range r.Messages {
		messages[i] = m
		if m.Role == llm.Assistant {
			last = i
			messages[i].Parts = withoutUnsigned(m.Parts)
		}
	}
	r.Messages = messages
	if adaptive || r.Thinking == nil || r.Thinking.Mode == "disabled" || last < 0 {
		return
	}
	parts := messages[last].Parts
	if callsTools(parts) && !isSigned(parts[0]) && answersTools(messages[last+1:]) {
		r.Thinking = nil
	}
}

func isSigned(p llm.Part) bool {
	return p.Kind == llm.Reasoning && (p.Signature != "" || p.Redacted != "")
}

func hasSigned(parts []llm.Part) bool {
	for _, p := range parts {
		if isSigned(p) {
			return true
		}
	}
	return false
}

func callsTools(parts []llm.Part) bool {
	for _, p := range parts {
		if p.Call != nil {
			return true
		}
	}
	return false
}

func answersTools(ms []llm.Message) bool {
	for _, m := range ms {
		for _, p := range m.Parts {
			if p.Result != nil {
				return true
			}
		}
	}
	return false
}

func withoutReasoning(parts []llm.Part) []llm.Part {
	return filterParts(parts, func(p llm.Part) bool { return p.Kind != llm.Reasoning })
}

func withoutUnsigned(parts []llm.Part) []llm.Part {
	return filterParts(parts, func(p llm.Part) bool { return p.Kind != llm.Reasoning || isSigned(p) })
}

func filterParts(parts []llm.Part, keep func(llm.Part) bool) []llm.Part {
	out := make([]llm.Part, 0, len(parts))
	for _, p := range parts {
		if keep(p) {
			out = append(out, p)
		}
	}
	return out
}
