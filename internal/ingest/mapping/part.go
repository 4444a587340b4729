package mapping

import (
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
)

// part reads one piece of a message. What is unknown is kept as "other".
func (v *viewer) part(p gjson.Result) Part {
	if inner := p.Get("message_content"); inner.IsObject() { // OpenInference
		p = inner
	}
	kind := strings.ReplaceAll(firstString(p, "type", "kind", "block_type", "part_kind"), "-", "_")
	switch kind {
	case "text", "input_text", "output_text", "refusal":
		if s := firstText(p, "text", "content", "refusal"); s.Exists() {
			return Part{Type: "text", Text: s.String()}
		}
	case "thinking", "reasoning", "redacted_thinking", "reasoning_text":
		return thinking(p)
	case "tool_call", "tool_use", "function_call", "server_tool_use", "mcp_tool_use", "custom_tool_call", "server_tool_call":
		return v.toolCall(p)
	case "tool_result", "tool_call_response", "function_call_output", "web_search_tool_result", "custom_tool_call_output", "server_tool_call_response":
		return toolResult(p)
	case "image", "image_url", "input_image", "document", "file", "input_file", "audio", "input_audio", "video", "blob", "uri", "audio_url", "document_url", "binary":
		return media(p, kind)
	}
	return keyed(p)
}

// keyed reads parts that have no type but one telling key: Bedrock's and Gemini's.
func keyed(p gjson.Result) Part {
	switch {
	case p.Get("toolUse").IsObject():
		u := p.Get("toolUse")
		return Part{Type: "tool_call", ID: u.Get("toolUseId").Str, Name: u.Get("name").Str, Arguments: decoded(u.Get("input"))}
	case p.Get("toolResult").IsObject():
		r := p.Get("toolResult")
		return Part{Type: "tool_result", ID: r.Get("toolUseId").Str, Result: resultOf(r.Get("content")), Error: r.Get("status").Str == "error"}
	case p.Get("functionCall").IsObject():
		u := p.Get("functionCall")
		return Part{Type: "tool_call", ID: u.Get("id").Str, Name: u.Get("name").Str, Arguments: decoded(u.Get("args"))}
	case p.Get("functionResponse").IsObject():
		r := p.Get("functionResponse")
		return Part{Type: "tool_result", ID: r.Get("id").Str, Name: r.Get("name").Str, Result: resultOf(r.Get("response"))}
	case p.Get("reasoningContent").IsObject():
		return thinking(p.Get("reasoningContent"))
	case p.Get("image").IsObject(), p.Get("document").IsObject(), p.Get("video").IsObject():
		for _, kind := range []string{"image", "document", "video"} {
			if m := p.Get(kind); m.IsObject() {
				return media(m, kind)
			}
		}
	case p.Get("inlineData").IsObject():
		return Part{Type: mediaType(p.Get("inlineData.mimeType").Str, ""), MIME: p.Get("inlineData.mimeType").Str, Data: p.Get("inlineData.data").Str}
	case p.Get("fileData").IsObject():
		return Part{Type: mediaType(p.Get("fileData.mimeType").Str, ""), MIME: p.Get("fileData.mimeType").Str, URL: p.Get("fileData.fileUri").Str}
	case p.Get("text").Type == gjson.String:
		if p.Get("thought").Bool() {
			return Part{Type: "thinking", Text: p.Get("text").Str}
		}
		return Part{Type: "text", Text: p.Get("text").Str}
	}
	return Part{Type: "other", Value: jsonx.Raw(p.Raw)}
}

func firstText(p gjson.Result, names ...string) gjson.Result {
	for _, n := range names {
		if s := p.Get(n); s.Type == gjson.String {
			return s
		}
	}
	return gjson.Result{}
}

func thinking(p gjson.Result) Part {
	if inner := p.Get("reasoningText"); inner.IsObject() {
		p = inner
	}
	out := Part{Type: "thinking", Text: firstString(p, "thinking", "text", "content", "reasoning"), Signature: p.Get("signature").String()}
	for _, s := range p.Get("summary").Array() {
		out.Text += s.Get("text").String()
	}
	return out
}

func toolResult(p gjson.Result) Part {
	out := Part{Type: "tool_result", ID: firstString(p, "tool_use_id", "id", "toolCallId", "call_id", "tool_call_id"), Name: firstString(p, "name", "toolName"), Error: p.Get("is_error").Bool() || p.Get("isError").Bool()}
	for _, name := range []string{"content", "response", "result", "output"} {
		if r := p.Get(name); r.Exists() {
			if inner := r.Get("value"); r.Get("type").Exists() && inner.Exists() { // Vercel
				r = inner
			}
			out.Result = resultOf(r)
			break
		}
	}
	return out
}

// media reads images, sounds and files: by address, as a data URL, or as base64.
func media(p gjson.Result, kind string) Part {
	out := Part{
		MIME: firstString(p, "mime_type", "media_type", "mediaType", "mimeType", "source.media_type", "mime"),
		Name: firstString(p, "filename", "name", "file.filename", "title"),
	}
	for _, name := range []string{
		"image_url.url", "image_url", "image.image.url", "image.url", "url", "uri", "source.url", "file_url", "image", "audio_url.url", "data", "file_data", "file.file_data",
		"source.data", "input_audio.data", "source.bytes", "content", "file.file_id", "file_id", "path",
	} {
		if s := p.Get(name); s.Type == gjson.String && s.Str != "" {
			place(&out, name, s.Str)
			break
		}
	}
	if f := firstString(p, "format", "input_audio.format"); f != "" && out.MIME == "" {
		out.MIME = mimeOf(kind, f)
	}
	out.Type = mediaType(out.MIME, firstString(p, "modality")+" "+kind)
	if out.URL == "" && out.Data == "" {
		if text := firstText(p, "text", "source.text"); text.Exists() {
			return Part{Type: "text", Text: text.Str}
		}
		return Part{Type: "other", Value: jsonx.Raw(p.Raw)}
	}
	return out
}

// place sorts out whether a text is an address, a data URL or base64.
func place(out *Part, name, s string) {
	if rest, ok := strings.CutPrefix(s, "data:"); ok {
		if head, data, ok := strings.Cut(rest, ","); ok {
			mime, _, _ := strings.Cut(head, ";")
			out.MIME, out.Data = first(out.MIME, mime), data
			return
		}
	}
	if strings.Contains(name, "url") || strings.Contains(name, "uri") || strings.Contains(name, "_id") || name == "path" || strings.Contains(s[:min(12, len(s))], "://") {
		out.URL = s
		return
	}
	out.Data = s
}

func mimeOf(kind, format string) string {
	switch kind {
	case "image":
		return "image/" + format
	case "input_audio", "audio":
		return "audio/" + format
	case "video":
		return "video/" + format
	}
	if format == "pdf" {
		return "application/pdf"
	}
	return ""
}

func mediaType(mime, kind string) string {
	switch {
	case strings.HasPrefix(mime, "image/"), mime == "" && strings.Contains(kind, "image"):
		return "image"
	case strings.HasPrefix(mime, "audio/"), mime == "" && strings.Contains(kind, "audio"):
		return "audio"
	}
	return "file"
}
