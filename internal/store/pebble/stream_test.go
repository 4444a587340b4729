package pebble

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/span"
)

// stream makes spans of applications, about 1.3 KB each: traces of an agent with model calls and tools.
type stream struct {
	r    *rand.Rand
	text string
	sp   span.Span // the last one's trace, parent, user and session
	n    int
}

func newStream(seed uint64) *stream {
	s := &stream{r: rand.New(rand.NewPCG(seed, 1))}
	zipf := rand.NewZipf(s.r, 1.45, 4, 5_999)
	words := make([]string, 6_000)
	for i := range words {
		w := make([]byte, 2+s.r.IntN(9))
		for j := range w {
			w[j] = byte('a' + s.r.IntN(26))
		}
		words[i] = string(w)
	}
	var b strings.Builder
	for b.Len() < 16<<20 {
		b.WriteString(words[zipf.Uint64()])
		b.WriteString([]string{" ", " ", " ", ", ", "(", "_"}[s.r.IntN(6)])
	}
	s.text = b.String()
	return s
}

func (s *stream) cut(n int) string { at := s.r.IntN(len(s.text) - n); return s.text[at : at+n] }

func (s *stream) hex(n int) string {
	b := make([]byte, 0, 16)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, s.r.Uint64())
	}
	return hex.EncodeToString(b[:n])
}

func put(b *span.Batch, text string) span.Hash {
	h := span.HashOf([]byte(text))
	b.Blobs[h] = []byte(text)
	return h
}

// next is what the intake makes of a span.
func (s *stream) next() *span.Batch {
	const perTrace = 13
	if s.n++; s.n%perTrace == 1 {
		s.sp = span.Span{Trace: s.hex(16), Session: fmt.Sprintf("session-%d", s.r.IntN(100_000)), User: "user-7", Start: noon.Add(time.Duration(s.r.Int64N(int64(time.Minute))))}
	}
	sp := s.sp
	sp.Project, sp.ID, sp.EndUser, sp.Status, sp.Source, sp.Mapping, sp.Service, sp.Scope = "default", s.hex(8), string(sp.User), span.OK, "otlp", 1, "agent", "instrumentation"
	sp.Start = sp.Start.Add(time.Duration(s.n%perTrace) * 700 * time.Millisecond)
	sp.End = sp.Start.Add(time.Duration(100+s.r.IntN(900)) * time.Millisecond)
	if s.n%perTrace == 1 {
		s.sp.Parent = sp.ID
	}
	b := &span.Batch{Span: &sp, Blobs: map[span.Hash][]byte{}, Merge: func(old *span.Span) *span.Span {
		if old != nil {
			return old
		}
		return &sp
	}}
	answer := s.cut(430)
	sp.Output = span.Ref{Form: span.FormRaw, Skeleton: put(b, `{"text":"`+answer+`"}`), Size: 441, Preview: answer[:140]}
	question := s.cut(540)
	sp.Resource = jsonx.Raw(`{"service.name":"agent","telemetry.sdk.language":"go","deployment.environment.name":"staging"}`)
	if s.n%3 != 1 {
		sp.Name, sp.Kind, sp.Operation, sp.Dialect = "execute_tool search", span.Tool, "execute_tool", "otel-genai"
		sp.Input = span.Ref{Form: span.FormRaw, Skeleton: put(b, `{"q":"`+question+`"}`), Size: 548, Preview: question[:140]}
		sp.Attributes = jsonx.Raw(fmt.Sprintf(`{"gen_ai.operation.name":"execute_tool","gen_ai.tool.name":"search","user.id":"user-7","session.id":%q,"app.tenant":"tenant-%d","app.shard":%d,"gen_ai.tool.call.arguments":{"$body":"input","as":"json"},"gen_ai.tool.call.result":{"$body":"output","as":"json"}}`, sp.Session, s.r.IntN(50), s.r.IntN(16)))
		return b
	}
	body := put(b, `{"role":"user","content":"`+question+`"}`)
	node := span.Node{ID: span.HashOf(make([]byte, 16), body[:]), Body: body}
	b.Nodes = []span.Node{node}
	sp.Name, sp.Kind, sp.Operation, sp.Dialect, sp.Group, sp.Model, sp.Provider = "chat gpt-4o-mini", span.Generation, "chat", "otel-genai", "gpt-4o-mini", "gpt-4o-mini", "openai"
	sp.Input = span.Ref{Form: span.FormConversation, Skeleton: put(b, `{"messages":[]}`), Node: node.ID, Messages: 1, New: 1, Size: 580, Preview: question[:140]}
	sp.Usage = llm.Usage{Input: int64(200 + s.r.IntN(4000)), Output: int64(20 + s.r.IntN(700))}
	sp.Cost = span.Cost{Total: 609000, Input: 462600, Output: 146400, Source: span.CostMeasured, Book: "2026-11-21"}
	sp.Attributes = jsonx.Raw(fmt.Sprintf(`{"gen_ai.operation.name":"chat","gen_ai.provider.name":"openai","gen_ai.request.model":"gpt-4o-mini","gen_ai.response.model":"gpt-4o-mini","gen_ai.usage.input_tokens":%d,"gen_ai.usage.output_tokens":%d,"user.id":"user-7","session.id":%q,"app.tenant":"tenant-%d","gen_ai.input.messages":{"$body":"input","at":"messages","as":"json"},"gen_ai.output.messages":{"$body":"output","at":"messages","as":"json"}}`, sp.Usage.Input, sp.Usage.Output, sp.Session, s.r.IntN(50)))
	b.Covers = sp.Parent != ""
	return b
}
