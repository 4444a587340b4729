package openaicompat

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/gateway"
	"weir/internal/id"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/wire/openai"
	"weir/internal/wire/sse"
)

// stream reads the events of one answer.
type stream struct {
	u      *Upstream
	caller context.Context
	watch  *watch
	body   io.ReadCloser
	events *sse.Reader
	plan   plan
	as     []byte // plan.as as JSON
	dec    decoder
	like   template
	patch  []byte // scratch of the restamped payload
	err    error  // sticky
}

var _ gateway.FrameReader = (*stream)(nil)

func (u *Upstream) newStream(caller context.Context, w *watch, body io.ReadCloser, p plan) *stream {
	s := &stream{u: u, caller: caller, watch: w, body: body, plan: p, as: jsonx.MustMarshal(p.as)}
	s.events = sse.NewReader(livingReader{body, w}, maxEvent)
	return s
}

// livingReader tells the watch of every sign of life.
type livingReader struct {
	r io.Reader
	w *watch
}

func (l livingReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.w.alive()
	return n, err
}

// Next implements gateway.FrameReader.
func (s *stream) Next() (gateway.Frame, error) {
	for s.err == nil {
		e, err := s.events.Next()
		if err != nil {
			s.err = s.ended(err)
			break
		}
		if e.Data = bytes.TrimSpace(e.Data); len(e.Data) == 0 {
			continue
		}
		if string(e.Data) == openai.Done {
			s.err = io.EOF
			break
		}
		if f, err := s.frame(e); err != nil {
			s.err = err
		} else if f.Data != nil || len(f.Chunks) > 0 {
			return f, nil
		}
	}
	return gateway.Frame{}, s.err
}

// ended judges the end of the connection. After the finish reason the answer is whole, however the server hangs up.
func (s *stream) ended(err error) error {
	switch {
	case s.dec.finished && s.caller.Err() == nil:
		return io.EOF
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return s.u.transportError(s.caller, s.watch, err)
}

func (s *stream) frame(e sse.Event) (gateway.Frame, error) {
	if text, ok := s.like.text(e.Data); ok && e.Name == "" {
		return s.another(text), nil
	}
	if !jsonx.Valid(e.Data) || e.Data[0] != '{' {
		if s.dec.finished { // half a [DONE]
			return gateway.Frame{}, io.EOF
		}
		return gateway.Frame{}, s.u.malformed("an event that is not a JSON object", e.Data)
	}
	c := s.dec.decode(e.Data)
	if c.failed || e.Name == "error" {
		return gateway.Frame{}, s.u.inBand(e.Data)
	}
	f := gateway.Frame{Chunks: s.dec.chunks}
	if s.plan.native && !(c.usageOnly && s.plan.hideUsage) {
		f.Data = s.restamp(e.Data, c)
	}
	if len(f.Chunks) == 1 && f.Chunks[0].Kind == llm.ChunkText && f.Data != nil {
		s.like.learn(e.Data, f.Data, f.Chunks[0].Text)
	}
	return f, nil
}

// another is the frame of an event that differs from an earlier one in its text only.
func (s *stream) another(text []byte) gateway.Frame {
	s.dec.chunks = s.dec.chunks[:0]
	s.dec.add(llm.Chunk{Kind: llm.ChunkText, Text: string(text)})
	s.patch = s.like.apply(s.patch, text)
	return gateway.Frame{Chunks: s.dec.chunks, Data: s.patch}
}

func (s *stream) restamp(data []byte, c seen) []byte {
	if c.modelAt == 0 || c.modelRaw == string(s.as) {
		return data
	}
	s.patch = append(s.patch[:0], data[:c.modelAt]...)
	s.patch = append(s.patch, s.as...)
	s.patch = append(s.patch, data[c.modelAt+len(c.modelRaw):]...)
	return s.patch
}

// Buffered implements gateway.FrameReader.
func (s *stream) Buffered() bool { return s.err != nil || s.events.Buffered() }

// Close implements gateway.FrameReader.
func (s *stream) Close() error {
	s.watch.stop()
	return s.body.Close()
}

// decoder turns chunk events into hub chunks. Its chunks are overwritten by the next event; their texts are not.
type decoder struct {
	chunks   []llm.Chunk
	started  bool
	finished bool
	calls    bool
	byIndex  map[int64]int // the server's tool index → dense index
	ids      []string      // by dense index
}

// seen is what else matters of one event.
type seen struct {
	modelAt   int // position of the model's value; 0 = none
	modelRaw  string
	usageOnly bool
	failed    bool
}

func (d *decoder) decode(data []byte) seen {
	var s seen
	var id, choices, usage string
	text := string(data) // the one copy that all texts of the event share
	jsonx.Each(text, func(k, v string, at int) bool {
		switch k {
		case "id":
			id = v
		case "model":
			s.modelAt, s.modelRaw = at, v
		case "choices":
			choices = v
		case "usage":
			usage = v
		case "error":
			s.failed = s.failed || v != "null"
		}
		return true
	})
	counts := strings.HasPrefix(usage, "{")
	s.usageOnly = counts && isEmpty(choices)
	d.chunks = d.chunks[:0]
	if !d.started && !s.failed && !s.usageOnly {
		d.started = true
		d.add(llm.Chunk{Kind: llm.ChunkStart, ID: gjson.Parse(id).Str, Model: gjson.Parse(s.modelRaw).Str})
	}
	jsonx.Each(choices, func(_, c string, _ int) bool {
		d.choice(c)
		return true
	})
	if counts {
		var u openai.Usage
		if jsonx.Unmarshal([]byte(usage), &u) == nil {
			d.add(llm.Chunk{Kind: llm.ChunkUsage, Usage: u.LLM()})
		}
	}
	return s
}

func isEmpty(array string) bool {
	empty := true
	jsonx.Each(array, func(_, _ string, _ int) bool { empty = false; return false })
	return empty
}

func (d *decoder) add(c llm.Chunk) { d.chunks = append(d.chunks, c) }

// choice takes the first of n answers; the others only pass through.
func (d *decoder) choice(c string) {
	var delta, reason string
	first := true
	jsonx.Each(c, func(k, v string, _ int) bool {
		switch k {
		case "index":
			first = v == "0"
		case "delta", "message":
			delta = v
		case "finish_reason":
			reason = v
		}
		return true
	})
	if !first {
		return
	}
	jsonx.Each(delta, d.delta)
	if reason == "" || reason == "null" || d.finished {
		return
	}
	if r := gjson.Parse(reason).Str; r != "" {
		d.finished = true
		d.add(llm.Chunk{Kind: llm.ChunkFinish, Finish: openai.FinishOf(r, d.calls), RawFinish: r})
	}
}

func (d *decoder) delta(k, raw string, _ int) bool {
	if raw == "null" || raw == `""` {
		return true
	}
	switch v := gjson.Parse(raw); k {
	case "content":
		d.content(v)
	case "reasoning_content":
		d.text(llm.ChunkReasoning, v)
	case "reasoning":
		if !d.hasReasoning() { // some servers send both names
			d.text(llm.ChunkReasoning, v)
		}
	case "refusal":
		d.text(llm.ChunkText, v)
	case "thinking_blocks":
		v.ForEach(d.thinking)
	case "tool_calls":
		v.ForEach(d.tool)
	case "function_call":
		d.call(0, "", v)
	}
	return true
}

func (d *decoder) text(k llm.ChunkKind, v gjson.Result) {
	if v.Type == gjson.String && v.Str != "" {
		d.add(llm.Chunk{Kind: k, Text: v.Str})
	}
}

func (d *decoder) hasReasoning() bool {
	for _, c := range d.chunks {
		if c.Kind == llm.ChunkReasoning {
			return true
		}
	}
	return false
}

// content is a text, or Mistral's list of parts, thinking among them.
func (d *decoder) content(v gjson.Result) {
	if !v.IsArray() {
		d.text(llm.ChunkText, v)
		return
	}
	v.ForEach(func(_, p gjson.Result) bool {
		if t := p.Get("thinking"); t.IsArray() {
			t.ForEach(func(_, q gjson.Result) bool { d.text(llm.ChunkReasoning, q.Get("text")); return true })
		} else {
			d.text(llm.ChunkText, p.Get("text"))
		}
		return true
	})
}

func (d *decoder) thinking(_, b gjson.Result) bool {
	if data := b.Get("data").String(); data != "" {
		d.add(llm.Chunk{Kind: llm.ChunkRedacted, Text: data})
		return true
	}
	if !d.hasReasoning() {
		d.text(llm.ChunkReasoning, b.Get("thinking"))
	}
	d.text(llm.ChunkSignature, b.Get("signature"))
	return true
}

func (d *decoder) tool(_, t gjson.Result) bool {
	f := t.Get("function")
	if !f.Exists() {
		f = t.Get("custom")
	}
	index := int64(len(d.ids))
	if i := t.Get("index"); i.Exists() {
		index = i.Int()
	} else if t.Get("id").Str == "" && index > 0 { // no index, no id: goes on with the last call
		index--
	}
	d.call(index, t.Get("id").String(), f)
	return true
}

// call begins or continues a tool call. Some servers give every parallel call the index 0: a new id with a name begins
// a new call.
func (d *decoder) call(index int64, callID string, f gjson.Result) {
	dense, known := d.byIndex[index]
	name := f.Get("name").String()
	if !known || callID != "" && name != "" && callID != d.ids[dense] {
		dense = d.begin(index, callID, name)
	}
	args := f.Get("arguments")
	if !args.Exists() {
		args = f.Get("input")
	}
	text := args.Raw // an object, from careless servers
	if args.Type == gjson.String {
		text = args.Str
	}
	if text != "" && args.Type != gjson.Null {
		d.add(llm.Chunk{Kind: llm.ChunkToolArgs, Index: dense, Text: text})
	}
}

func (d *decoder) begin(index int64, callID, name string) int {
	if d.byIndex == nil {
		d.byIndex = map[int64]int{}
	}
	dense := len(d.ids)
	if callID == "" {
		callID = "call_" + id.Span()
	}
	d.calls = true
	d.byIndex[index] = dense
	d.ids = append(d.ids, callID)
	d.add(llm.Chunk{Kind: llm.ChunkToolStart, Index: dense, ToolID: callID, ToolName: name})
	return dense
}

// replay is a stream of one frame out of a whole answer, for servers that do not stream when asked to.
func replay(r *llm.Response) gateway.FrameReader { return &replayed{r: r} }

type replayed struct{ r *llm.Response }

func (p *replayed) Next() (gateway.Frame, error) {
	if p.r == nil {
		return gateway.Frame{}, io.EOF
	}
	r := p.r
	p.r = nil
	out := []llm.Chunk{{Kind: llm.ChunkStart, ID: r.ID, Model: r.Model}}
	tools := 0
	for _, part := range r.Parts {
		switch part.Kind {
		case llm.Text:
			out = append(out, llm.Chunk{Kind: llm.ChunkText, Text: part.Text})
		case llm.Reasoning:
			out = append(out, reasoningChunks(part)...)
		case llm.ToolCall:
			out = append(out,
				llm.Chunk{Kind: llm.ChunkToolStart, Index: tools, ToolID: part.Call.ID, ToolName: part.Call.Name},
				llm.Chunk{Kind: llm.ChunkToolArgs, Index: tools, Text: part.Call.Args})
			tools++
		}
	}
	out = append(out, llm.Chunk{Kind: llm.ChunkFinish, Finish: r.Finish, RawFinish: r.RawFinish}, llm.Chunk{Kind: llm.ChunkUsage, Usage: r.Usage})
	return gateway.Frame{Chunks: out}, nil
}

func reasoningChunks(p llm.Part) []llm.Chunk {
	if p.Redacted != "" {
		return []llm.Chunk{{Kind: llm.ChunkRedacted, Text: p.Redacted}}
	}
	return []llm.Chunk{{Kind: llm.ChunkReasoning, Text: p.Text}, {Kind: llm.ChunkSignature, Text: p.Signature}}
}

func (p *replayed) Buffered() bool { return true }
func (p *replayed) Close() error   { return nil }
