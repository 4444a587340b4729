package bedrock

import (
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/bedrock"
)

// emptySchema takes any object.
var emptySchema = jsonx.Raw(`{"type":"object","properties":{}}`)

// anyObject asks for an object of any shape, where emptySchema would suggest an empty one.
var anyObject = jsonx.Raw(`{"type":"object","additionalProperties":true}`)

// tools fills toolConfig: from the request, or from the history where that has calls or results, since the service
// refuses those without any toolConfig.
func (e *encoder) tools() error {
	specs, err := e.specs()
	if err != nil {
		return err
	}
	mode := e.in.Choice.Mode
	used := e.usedTools()
	if len(specs) == 0 || mode == llm.ChoiceNone && len(used) == 0 {
		if len(used) == 0 {
			return nil
		}
		specs, mode = used, llm.ChoiceNone
	}
	e.out.ToolConfig = &wire.ToolConfig{Tools: specs, ToolChoice: e.choice(mode)}
	return nil
}

// choice has no "none" to offer: the model is left free, which is its default.
func (e *encoder) choice(mode llm.ChoiceMode) *wire.ToolChoice {
	switch mode {
	case llm.ChoiceAuto:
		return &wire.ToolChoice{Auto: &struct{}{}}
	case llm.ChoiceAny:
		return &wire.ToolChoice{Any: &struct{}{}}
	case llm.ChoiceTool:
		return &wire.ToolChoice{Tool: &wire.SpecificTool{Name: e.names.to(e.in.Choice.Name)}}
	}
	return nil
}

// forced reports that the model must call a tool, which excludes thinking.
func (e *encoder) forced() bool {
	c := e.out.ToolConfig
	return c != nil && c.ToolChoice != nil && c.ToolChoice.Auto == nil
}

func (e *encoder) specs() ([]wire.Tool, error) {
	var out []wire.Tool
	for _, t := range e.in.Tools {
		if t.Native != nil {
			if err := e.unsupported("tools", ": only function tools are taken"); err != nil {
				return nil, err
			}
			continue
		}
		schema, err := objectSchema(t.Schema, "tools")
		if err != nil {
			return nil, err
		}
		spec := &wire.ToolSpec{Name: e.names.to(t.Name), Description: t.Description, InputSchema: wire.InputSchema{JSON: schema}}
		if e.model.Quirks.NativeSchema {
			spec.Strict = t.Strict
		}
		out = append(out, wire.Tool{ToolSpec: spec})
		if c := e.cachePoint(t.Cache); c != nil && e.family != nova && e.family != nova2 { // Nova caches system and messages only
			out = append(out, wire.Tool{CachePoint: c})
		}
	}
	return out, nil
}

// objectSchema makes sure of the root type, which the service wants stated and clients leave out.
func objectSchema(s jsonx.Raw, field string) (jsonx.Raw, error) {
	root := gjson.ParseBytes(s)
	if len(s) == 0 || root.Type == gjson.Null {
		return emptySchema, nil
	}
	if !root.IsObject() || !jsonx.Valid(s) {
		return nil, invalid(field, "a schema must be a JSON object")
	}
	switch t := root.Get("type"); {
	case t.String() == "object":
		return s, nil
	case t.Exists() && t.Type != gjson.Null:
		return nil, invalid(field, `a schema's root must be of type "object"`)
	}
	return sjson.SetBytes(s, "type", "object")
}

// usedTools describes the tools that the history calls, as far as it tells; results of calls that are not in it count
// as those of one unknown tool.
func (e *encoder) usedTools() []wire.Tool {
	var out []wire.Tool
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			out = append(out, wire.Tool{ToolSpec: &wire.ToolSpec{
				Name: name, Description: "Used earlier in this conversation; no longer available.", InputSchema: wire.InputSchema{JSON: emptySchema},
			}})
		}
	}
	results := false
	for _, m := range e.out.Messages {
		for _, b := range m.Content {
			if b.ToolUse != nil {
				add(b.ToolUse.Name)
			}
			results = results || b.ToolResult != nil
		}
	}
	if results && len(out) == 0 {
		add("unknown_tool")
	}
	return out
}

// answerTool is the tool whose input stands in for structured output on models that have none.
const answerTool = "answer_in_json"

// format asks for structured output: natively, or by a tool that must be called.
func (e *encoder) format() error {
	f := e.in.Format
	if f == nil || f.Type != "json_object" && f.Type != "json_schema" {
		return nil
	}
	schema, err := objectSchema(f.Schema, "response_format.json_schema.schema")
	if err != nil {
		return err
	}
	if len(f.Schema) == 0 {
		schema = anyObject
	}
	if e.model.Quirks.NativeSchema && f.Type == "json_schema" && len(f.Schema) > 0 {
		e.out.OutputConfig = &wire.OutputConfig{TextFormat: &wire.TextFormat{
			Type:      "json_schema",
			Structure: wire.FormatStructure{JSONSchema: &wire.JSONSchema{Schema: string(jsonx.Compact(schema)), Name: f.Name}},
		}}
		return nil
	}
	e.forceAnswer(schema)
	return nil
}

// forceAnswer adds the stand-in. Beside other tools the model may still choose among all of them.
func (e *encoder) forceAnswer(schema jsonx.Raw) {
	e.answer = answerTool
	if _, taken := e.names.original[answerTool]; taken {
		e.answer = e.names.free(answerTool)
	}
	spec := wire.Tool{ToolSpec: &wire.ToolSpec{
		Name: e.answer, Description: "Give the final answer as JSON of this shape.", InputSchema: wire.InputSchema{JSON: schema},
	}}
	if e.out.ToolConfig == nil {
		e.out.ToolConfig = &wire.ToolConfig{}
	}
	c := e.out.ToolConfig
	callable := len(c.Tools) > 0 && len(e.in.Tools) > 0 && e.in.Choice.Mode != llm.ChoiceNone
	c.Tools = append(c.Tools, spec)
	switch {
	case !callable:
		c.ToolChoice = &wire.ToolChoice{Tool: &wire.SpecificTool{Name: e.answer}}
	case e.in.Choice.Mode != llm.ChoiceTool:
		c.ToolChoice = &wire.ToolChoice{Any: &struct{}{}}
	}
}
