package anthropic

import (
	"fmt"
	"strings"
	"testing"

	"weir/internal/jsonx"
	"weir/internal/llm"
)

// agentBody is a conversation of about 60 KB, as an agent sends it after some turns.
func agentBody() []byte {
	var b strings.Builder
	text := string(jsonx.MustMarshal(strings.Repeat("some code;\n\t\"quoted\" ", 60)))
	fmt.Fprintf(&b, `{"model":"m","max_tokens":8192,"stream":true,"system":%s,"messages":[{"role":"user","content":%s}`, text, text)
	for i := range 20 {
		fmt.Fprintf(&b, `,{"role":"assistant","content":[{"type":"text","text":%s},{"type":"tool_use","id":"t%d","name":"Read","input":{"path":"a"}}]}`, text, i)
		fmt.Fprintf(&b, `,{"role":"user","content":[{"type":"tool_result","tool_use_id":"t%d","content":%s}]}`, i, text)
	}
	b.WriteString("]}")
	return []byte(b.String())
}

func BenchmarkNative(b *testing.B) {
	body := agentBody()
	b.SetBytes(int64(len(body)))
	b.Run("inspect", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Inspect(body, Need{Model: true, MaxTokens: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("patch", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			PatchNative(body, Patch{Set: []Field{String("model", "x")}, CachePoints: true})
		}
	})
}

func BenchmarkStream(b *testing.B) {
	event := []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"some words of an answer"}}`)
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		d := NewStreamDecoder("p", Undo{})
		for b.Loop() {
			if _, err := d.Decode(event); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		e := NewStreamEncoder("m", func(string, []byte) {})
		for b.Loop() {
			e.Add(llm.Chunk{Kind: llm.ChunkText, Text: "some words of an answer"})
		}
	})
}
