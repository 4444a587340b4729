package mapping

import (
	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/span"
)

// toolsOf finds the tools a request offers.
func toolsOf(body gjson.Result) (out []Tool) {
	for _, name := range []string{"tools", `\$more.tools`, "toolConfig.tools", "functions", "model_request_parameters.function_tools", "value.tools"} {
		list := body.Get(name)
		if !body.IsObject() || !list.IsArray() {
			continue
		}
		for _, t := range list.Array() {
			out = addTool(out, t)
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

func addTool(out []Tool, t gjson.Result) []Tool {
	if t.Type == gjson.String && isJSON(t.Str) { // Vercel
		t = gjson.Parse(t.Str)
	}
	if s := t.Get("tool.json_schema"); s.Type == gjson.String { // OpenInference
		t = gjson.Parse(s.Str)
	}
	if list := t.Get("functionDeclarations"); list.IsArray() { // Gemini
		for _, f := range list.Array() {
			out = addTool(out, f)
		}
		return out
	}
	for _, inner := range []string{"function", "toolSpec"} {
		if f := t.Get(inner); f.IsObject() {
			t = f
		}
	}
	tool := Tool{Name: firstString(t, "name", "type"), Description: t.Get("description").String()}
	for _, name := range []string{"parameters", "input_schema", "inputSchema.json", "inputSchema", "parameters_json_schema", "schema"} {
		if s := t.Get(name); s.Exists() && s.Type != gjson.Null {
			tool.Schema = decoded(s)
			break
		}
	}
	if tool.Name == "" {
		return out
	}
	return append(out, tool)
}

// documentsOf finds what a retriever gave, or a reranker.
func documentsOf(kind span.Kind, in, out gjson.Result) []Document {
	found := []Document{}
	if kind != span.Retriever && kind != span.Reranker {
		return found
	}
	for _, list := range []gjson.Result{
		out.Get("documents"), out.Get(`\$more.documents`), out.Get("nodes"), out.Get("results"), out.Get("matches"), out.Get("hits"), out.Get("value"), out,
		in.Get("documents"), in.Get(`\$more.documents`),
	} {
		if !list.IsArray() {
			continue
		}
		for _, d := range list.Array() {
			if doc, ok := documentOf(d); ok {
				found = append(found, doc)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return found
}

func documentOf(d gjson.Result) (Document, bool) {
	if d.Type == gjson.String {
		return Document{Text: d.Str}, d.Str != ""
	}
	score := d.Get("score")
	for _, inner := range []string{"document", "node", "kwargs", "payload"} {
		if n := d.Get(inner); n.IsObject() {
			d = n
		}
	}
	doc := Document{ID: firstID(d), Text: firstString(d, "content", "page_content", "text", "pageContent", "body", "snippet"), Metadata: decoded(d.Get("metadata"))}
	for _, s := range []gjson.Result{score, d.Get("score"), d.Get("relevance_score"), d.Get("metadata.score"), d.Get("similarity")} {
		if s.Type == gjson.Number {
			doc.Score = new(s.Num)
			break
		}
	}
	if doc.Metadata != nil && !gjson.ParseBytes(doc.Metadata).IsObject() {
		doc.Metadata = jsonx.Raw(`{"value":` + string(doc.Metadata) + "}")
	}
	return doc, doc.Text != "" || doc.ID != ""
}

func firstID(d gjson.Result) string {
	for _, n := range []string{"id", "id_", "node_id", "doc_id", "document_id"} {
		if v := d.Get(n); v.Type == gjson.String || v.Type == gjson.Number {
			return v.String()
		}
	}
	return ""
}
