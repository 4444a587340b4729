package anthropic

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/llm"
)

// DecodeRequest reads a client's request into the hub. body must have passed Inspect. betas come from the client's
// anthropic-beta header. Errors are *fault.Error of kind Invalid.
func DecodeRequest(body []byte, betas []string) (*llm.Request, error) {
	var w MessagesRequest
	if err := jsonx.Unmarshal(body, &w); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The request body does not have the form of a Messages request")
	}
	r := &llm.Request{
		Model: w.Model, MaxTokens: w.MaxTokens, Temperature: w.Temperature, TopP: w.TopP, TopK: w.TopK,
		Stop: w.StopSequences, Stream: w.Stream, Betas: append(betas, w.Betas...),
	}
	if w.Metadata != nil {
		r.User = w.Metadata.UserID
	}
	var err error
	if r.System, err = decodeParts(w.System, "system"); err != nil {
		return nil, err
	}
	for i, m := range w.Messages {
		parts, err := decodeParts(m.Content, fmt.Sprintf("messages.%d.content", i))
		if err != nil {
			return nil, err
		}
		r.Messages = append(r.Messages, llm.Message{Role: llm.Role(m.Role), Parts: parts})
	}
	for _, t := range w.Tools {
		r.Tools = append(r.Tools, decodeTool(t))
	}
	decodeChoice(r, w.ToolChoice)
	decodeThinking(r, w.Thinking, w.OutputConfig)
	decodeExtra(r, body)
	return r, nil
}

func decodeTool(t Tool) llm.Tool {
	out := llm.Tool{Name: t.Name, Cache: decodeMark(t.CacheControl)}
	if t.Raw != nil {
		out.Native, out.NativeDialect = t.Raw, llm.AnthropicMessages
		return out
	}
	out.Description, out.Schema, out.Strict = t.Description, bytes.Clone(t.InputSchema), t.Strict
	return out
}

func decodeMark(c *CacheControl) *llm.CacheMark {
	if c == nil {
		return nil
	}
	return &llm.CacheMark{TTL: c.TTL}
}

func decodeChoice(r *llm.Request, c *ToolChoice) {
	if c == nil {
		return
	}
	r.Choice = llm.ToolChoice{Mode: llm.ChoiceMode(c.Type)}
	if r.Choice.Mode == llm.ChoiceTool {
		r.Choice.Name = c.Name
	}
	if c.DisableParallel {
		r.Parallel = new(false)
	}
}

func decodeThinking(r *llm.Request, t *Thinking, o *OutputConfig) {
	if t != nil {
		r.Thinking = &llm.Thinking{Mode: t.Type, Budget: t.BudgetTokens}
	}
	if o == nil {
		return
	}
	if o.Effort != "" {
		if r.Thinking == nil {
			r.Thinking = &llm.Thinking{}
		}
		r.Thinking.Effort = o.Effort
	}
	if f := o.Format; f != nil && f.Type == "json_schema" {
		r.Format = &llm.Format{Type: f.Type, Name: "answer", Schema: bytes.Clone(f.Schema), Strict: new(true)}
	}
}

// known are the fields that have a place in the hub, and those that only tune how Anthropic serves a request: another
// upstream loses nothing of the answer without them.
var known = map[string]bool{
	"model": true, "messages": true, "system": true, "tools": true, "tool_choice": true, "max_tokens": true, "temperature": true,
	"top_p": true, "top_k": true, "stop_sequences": true, "stream": true, "thinking": true, "output_config": true, "metadata": true,
	"anthropic_version": true, "anthropic_beta": true,
	"context_management": true, "service_tier": true, "inference_geo": true, "cache_control": true, "speed": true,
	"drop_params": true, "litellm_metadata": true, "litellm_session_id": true, "tags": true, "fallbacks": true,
}

func decodeExtra(r *llm.Request, body []byte) {
	gjson.ParseBytes(body).ForEach(func(k, v gjson.Result) bool {
		if !known[k.Str] && v.Type != gjson.Null {
			if r.Extra == nil {
				r.Extra = map[string]jsonx.Raw{}
			}
			r.Extra[k.Str] = jsonx.Raw(v.Raw)
		}
		return true
	})
}

func decodeParts(c Content, path string) ([]llm.Part, error) {
	var out []llm.Part
	for i, b := range c {
		p, ok, err := decodeBlock(b, fmt.Sprintf("%s.%d", path, i))
		if err != nil {
			return nil, err
		}
		if ok {
			p.Cache = decodeMark(b.CacheControl)
			out = append(out, p)
		}
	}
	return out, nil
}

func decodeBlock(b Block, path string) (llm.Part, bool, error) {
	switch b.Type {
	case "text":
		return llm.Part{Kind: llm.Text, Text: str(b.Text)}, true, nil
	case "thinking":
		return llm.Part{Kind: llm.Reasoning, Text: str(b.Thinking), Signature: str(b.Signature)}, true, nil
	case "redacted_thinking":
		return llm.Part{Kind: llm.Reasoning, Redacted: b.Data}, true, nil
	case "tool_use":
		return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: b.ID, Name: b.Name, Args: string(b.Input)}}, true, nil
	case "tool_result":
		parts, err := decodeParts(b.Content, path+".content")
		return llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: b.ToolUseID, Parts: parts, Error: b.IsError}}, true, err
	case "image", "document":
		p, err := decodeMedia(b, path)
		return p, err == nil, err
	case "search_result":
		return llm.Part{Kind: llm.Text, Text: searchText(b)}, true, nil
	}
	if isServerBlock(b.Type) {
		return llm.Part{}, false, nil
	}
	return llm.Part{}, false, fault.Bad(path, "%s: Input tag '%s' is not supported by the model this request was routed to", path, b.Type)
}

// isServerBlock recognises what the API's own tools left in the history; their effect is in the text that follows.
func isServerBlock(t string) bool {
	return t == "server_tool_use" || strings.HasPrefix(t, "mcp_tool_") || strings.HasSuffix(t, "_tool_result") || t == "container_upload"
}

func searchText(b Block) string {
	s := b.Title
	if b.Source != nil {
		s += "\n" + b.Source.URL
	}
	return s + "\n" + flat(b.Content)
}

func flat(c Content) string {
	var s strings.Builder
	for _, b := range c {
		s.WriteString(str(b.Text))
	}
	return s.String()
}

func str(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func decodeMedia(b Block, path string) (llm.Part, error) {
	kind := llm.Image
	if b.Type == "document" {
		kind = llm.Document
	}
	s := b.Source
	if s == nil {
		return llm.Part{}, fault.Bad(path, "%s.source: Field required", path)
	}
	m := &llm.Media{MIME: s.MediaType, Name: b.Title}
	switch s.Type {
	case "base64":
		data, err := base64.StdEncoding.DecodeString(s.Data)
		if err != nil {
			return llm.Part{}, fault.Bad(path, "%s.source.base64.data: invalid base64 data", path)
		}
		m.Data = data
	case "url":
		m.URL = s.URL
	case "text":
		m.Data = []byte(s.Data)
	case "content":
		m.MIME, m.Data = "text/plain", []byte(flat(s.Content))
	default:
		return llm.Part{}, fault.Bad(path, "%s.source: type '%s' is not supported by the model this request was routed to", path, s.Type)
	}
	return llm.Part{Kind: kind, Media: m}, nil
}
