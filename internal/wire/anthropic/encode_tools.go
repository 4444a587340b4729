package anthropic

import (
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"weir/internal/jsonx"
	"weir/internal/llm"
)

// reserveNames keeps legal names of tools and ids of calls as they are, before any illegal one is changed.
func (e *encoder) reserveNames() {
	for _, t := range e.req.Tools {
		e.names.reserve(t.Name)
	}
	for _, m := range e.req.Messages {
		for _, p := range m.Parts {
			if p.Call != nil {
				e.names.reserve(p.Call.Name)
				e.ids.reserve(p.Call.ID)
			}
		}
	}
}

func (e *encoder) tools() error {
	for _, t := range e.req.Tools {
		switch {
		case t.Native == nil:
			e.out.Tools = append(e.out.Tools, e.tool(t))
		case t.NativeDialect == llm.AnthropicMessages:
			e.out.Tools = append(e.out.Tools, Tool{Raw: t.Native})
		case !e.opt.Drop:
			return e.refuse("tools", ": it has no tool of type "+gjson.GetBytes(t.Native, "type").String())
		}
	}
	return nil
}

func (e *encoder) tool(t llm.Tool) Tool {
	out := Tool{Name: e.names.of(t.Name), Description: t.Description, InputSchema: objectSchema(t.Schema), CacheControl: e.cache(t.Cache)}
	if t.Strict != nil && *t.Strict && e.opt.Known.Quirks.NativeSchema {
		out.Strict, out.InputSchema = t.Strict, closeObjects(out.InputSchema)
	}
	return out
}

// objectSchema is a schema whose root says that it is an object, as the API demands.
func objectSchema(s jsonx.Raw) jsonx.Raw {
	v := gjson.ParseBytes(s)
	if !v.IsObject() {
		return jsonx.Raw(`{"type":"object","properties":{}}`)
	}
	if v.Get("type").Exists() {
		return s
	}
	if out, err := sjson.SetBytes(s, "type", "object"); err == nil {
		return out
	}
	return s
}

// historyTools invents the tools that the history uses, since the API refuses tool blocks without tools.
func (e *encoder) historyTools() {
	seen := map[string]bool{}
	for _, m := range e.req.Messages {
		for _, p := range m.Parts {
			if p.Call == nil || seen[p.Call.Name] {
				continue
			}
			seen[p.Call.Name] = true
			e.out.Tools = append(e.out.Tools, Tool{Name: e.names.of(p.Call.Name), InputSchema: jsonx.Raw(`{"type":"object"}`)})
		}
	}
}

// choice comes last, when it is known whether there is thinking and a stand-in for structured output.
func (e *encoder) choice() error {
	if len(e.out.Tools) == 0 {
		if e.historyTools(); len(e.out.Tools) > 0 {
			e.out.ToolChoice = &ToolChoice{Type: "none"}
		}
		return nil
	}
	c := ToolChoice{Type: string(e.req.Choice.Mode)}
	if e.req.Choice.Mode == llm.ChoiceTool {
		c.Name = e.names.of(e.req.Choice.Name)
	}
	if e.schema != "" {
		c = e.schemaChoice(c)
	}
	if e.thinks() && (c.Type == "any" || c.Type == "tool") {
		c = ToolChoice{Type: "auto"}
	}
	if p := e.req.Parallel; p != nil && !*p && c.Type != "none" {
		if c.Type == "" {
			c.Type = "auto"
		}
		c.DisableParallel = true
	}
	if c.Type != "" {
		e.out.ToolChoice = &c
	}
	return nil
}

// schemaChoice forces the stand-in, or leaves the model the choice between it and the client's tools.
func (e *encoder) schemaChoice(c ToolChoice) ToolChoice {
	switch {
	case c.Type == "tool":
		return c
	case len(e.out.Tools) > 1 && c.Type != "none":
		return ToolChoice{Type: "any"}
	}
	return ToolChoice{Type: "tool", Name: e.schema}
}

// schemaTool is what the stand-in is called unless a tool of the client is.
const schemaTool = "json_tool_call"

// format asks for structured output: natively, or by a tool whose arguments are the answer.
func (e *encoder) format() error {
	f := e.req.Format
	if f == nil || f.Type == "text" {
		return nil
	}
	if f.Type == "json_schema" && e.opt.Known.Quirks.NativeSchema {
		if e.out.OutputConfig == nil {
			e.out.OutputConfig = &OutputConfig{}
		}
		e.out.OutputConfig.Format = &OutputFormat{Type: "json_schema", Schema: closeObjects(objectSchema(f.Schema))}
		return nil
	}
	schema := jsonx.Raw(`{"type":"object","additionalProperties":true}`)
	if f.Type == "json_schema" {
		schema = objectSchema(f.Schema)
	}
	e.schema = schemaTool
	for _, taken := e.names.taken[e.schema]; taken; _, taken = e.names.taken[e.schema] {
		e.schema += "_"
	}
	e.names.reserve(e.schema)
	e.out.Tools = append(e.out.Tools, Tool{
		Name: e.schema, Description: "Gives the final answer in the form that was asked for.", InputSchema: schema,
	})
	if e.thinks() { // a tool cannot be forced beside thinking
		e.notes = append(e.notes, "Give your final answer only by calling the tool "+e.schema+".")
	}
	return nil
}

// closeObjects says additionalProperties: false wherever a schema of an object leaves it open, which structured output
// demands. Order and everything else stay, as the order of properties is the order of the answer.
func closeObjects(s jsonx.Raw) jsonx.Raw {
	v := gjson.ParseBytes(s)
	var p patch
	openObjects(v, &p, 0)
	return p.apply(s)
}

const maxSchemaDepth = 64

func openObjects(v gjson.Result, p *patch, depth int) {
	if !v.IsObject() || depth > maxSchemaDepth {
		return
	}
	if v.Get("type").Str == "object" && !v.Get("additionalProperties").Exists() {
		p.intoObject(v, `"additionalProperties":false`)
	}
	v.ForEach(func(k, sub gjson.Result) bool {
		switch k.Str {
		case "properties", "$defs", "definitions":
			sub.ForEach(func(_, s gjson.Result) bool { openObjects(s, p, depth+1); return true })
		case "anyOf", "allOf", "oneOf", "prefixItems":
			sub.ForEach(func(_, s gjson.Result) bool { openObjects(s, p, depth+1); return true })
		case "items", "not":
			openObjects(sub, p, depth+1)
		}
		return true
	})
}
