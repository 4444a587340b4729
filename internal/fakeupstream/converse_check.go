package fakeupstream

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// converseCheck reads a Converse body: first what Bedrock itself refuses, with its wording; the model's rules follow.
type converseCheck struct {
	checker
	a     *ask
	docs  []string
	tools bool // toolConfig is defined
}

var (
	docName   = regexp.MustCompile(`^[a-zA-Z0-9\s\-()\[\]]{1,200}$`)
	twoSpaces = regexp.MustCompile(`\s\s`)
	metaText  = regexp.MustCompile(`^[a-zA-Z0-9\s:_@$#=/+,.-]*$`)
)

// constraint is the wording of a failed constraint of the service model.
func (c *converseCheck) constraint(cond bool, value, at, must string) {
	c.failIf(cond, "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must %s", value, at, must)
}

// shape refuses a member of the wrong JSON type, as the protocol's deserialiser does.
func (c *converseCheck) shape(b obj, key, kind string) {
	v, ok := b[key]
	if !ok || v == nil {
		return
	}
	good := false
	switch v.(type) {
	case []any:
		good = kind == "list"
	case obj:
		good = kind == "structure"
	case string:
		good = kind == "string"
	case float64:
		good = kind == "number"
	}
	if !good {
		f := badRequest("Expected %s or null for %s", kind, key)
		f.kind = "SerializationException"
		c.refuse(f)
	}
}

var converseShapes = map[string]string{
	"messages": "list", "system": "list", "inferenceConfig": "structure", "toolConfig": "structure", "additionalModelRequestFields": "structure",
	"requestMetadata": "structure", "outputConfig": "structure", "guardrailConfig": "structure", "additionalModelResponseFieldPaths": "list",
	"performanceConfig": "structure", "promptVariables": "structure", "serviceTier": "structure",
}

func (c *converseCheck) body(b obj) {
	for _, k := range sortedKeys(b) {
		kind, known := converseShapes[k]
		c.failIf(!known, "Malformed input request: #: extraneous key [%s] is not permitted, please reformat your input and try again.", k)
		c.shape(b, k, kind)
	}
	c.toolConfig(sub(b, "toolConfig"), has(b, "toolConfig"))
	c.system(list(b, "system"))
	c.inference(sub(b, "inferenceConfig"))
	c.additional(sub(b, "additionalModelRequestFields"))
	c.output(sub(b, "outputConfig"))
	c.metadata(sub(b, "requestMetadata"))
	c.messages(list(b, "messages"))
}

func (c *converseCheck) inference(i obj) {
	for _, k := range []string{"maxTokens", "temperature", "topP"} {
		c.shape(i, k, "number")
	}
	a := c.a
	a.maxTokens, a.temp, a.topP, a.stop = integer(i, "maxTokens"), number(i, "temperature"), number(i, "topP"), stringsOf(list(i, "stopSequences"))
	c.constraint(has(i, "maxTokens") && a.maxTokens < 1, fmt.Sprint(a.maxTokens), "inferenceConfig.maxTokens", "have value greater than or equal to 1")
	c.constraint(a.temp != nil && *a.temp > 1, fmt.Sprint(i["temperature"]), "inferenceConfig.temperature", "have value less than or equal to 1")
	c.constraint(a.topP != nil && *a.topP > 1, fmt.Sprint(i["topP"]), "inferenceConfig.topP", "have value less than or equal to 1")
	for _, s := range a.stop {
		c.constraint(s == "", "", "inferenceConfig.stopSequences", "have length greater than or equal to 1")
	}
	m := a.model
	c.failIf(m.MaxOutput > 0 && a.maxTokens > m.MaxOutput,
		"The maximum tokens you requested exceeds the model limit of %d. Try again with a maximum tokens value that is lower than %d.", m.MaxOutput, m.MaxOutput)
	if a.maxTokens == 0 {
		a.maxTokens = m.MaxOutput
	}
}

// additional are fields handed to the model unread, so their refusals come from the model.
func (c *converseCheck) additional(f obj) {
	known := []string{"thinking", "top_k", "anthropic_beta", "output_config", "stop_sequences"}
	for _, k := range sortedKeys(f) {
		c.failIf(c.a.model.Claude > 0 && !slices.Contains(known, k), modelSaid+"%s: Extra inputs are not permitted", k)
	}
	inner := &messagesCheck{a: c.a, bedrock: true}
	inner.betaFlags(stringsOf(list(f, "anthropic_beta")))
	temp, topP, stop := c.a.temp, c.a.topP, c.a.stop
	inner.params(f)
	c.a.temp, c.a.topP, c.a.stop = temp, topP, append(stop, c.a.stop...)
	if inner.bad != nil {
		c.refuse(said(inner.bad))
	}
}

func (c *converseCheck) output(o obj) {
	if e := str(o, "effort"); e != "" {
		c.a.effort = e
	}
	f := sub(o, "textFormat")
	if f == nil {
		return
	}
	c.failIf(!c.a.model.formats(), "This model doesn't support the outputConfig.textFormat field. Remove outputConfig.textFormat and try again.")
	schema, ok := sub(sub(f, "structure"), "jsonSchema")["schema"].(string)
	c.failIf(str(f, "type") != "json_schema" || !ok, "1 validation error detected: Value at 'outputConfig.textFormat.structure.jsonSchema.schema' failed to satisfy constraint: Member must be a string")
	c.a.jsonMode, c.a.schema = true, object(schema)
	c.failIf(ok && c.a.schema == nil, "The value at outputConfig.textFormat.structure.jsonSchema.schema is not a valid JSON schema.")
}

func (c *converseCheck) metadata(m obj) {
	c.constraint(len(m) > 16, "…", "requestMetadata", "have length less than or equal to 16")
	for _, k := range sortedKeys(m) {
		v, ok := m[k].(string)
		c.failIf(!ok, "Expected string for requestMetadata value")
		for _, s := range []string{k, v} {
			c.constraint(len(s) > 256, s, "requestMetadata", "have length less than or equal to 256")
			c.constraint(!metaText.MatchString(s), s, "requestMetadata", "satisfy regular expression pattern: [a-zA-Z0-9\\s:_@$#=/+,-.]{0,256}")
		}
		c.constraint(k == "", k, "requestMetadata", "have length greater than or equal to 1")
	}
}

func (c *converseCheck) toolConfig(t obj, defined bool) {
	c.tools = defined
	if !defined {
		return
	}
	c.constraint(len(list(t, "tools")) == 0, "[]", "toolConfig.tools", "have length greater than or equal to 1")
	for i, v := range list(t, "tools") {
		e, _ := v.(obj)
		if p := sub(e, "cachePoint"); p != nil {
			c.point(p, "tools")
			continue
		}
		c.toolSpec(sub(e, "toolSpec"), e, i+1)
	}
	c.toolChoice(sub(t, "toolChoice"))
}

func (c *converseCheck) toolSpec(spec, entry obj, n int) {
	at := fmt.Sprintf("toolConfig.tools.%d.member.toolSpec", n)
	c.failIf(spec == nil && sub(entry, "systemTool") == nil, "The Tool object at toolConfig.tools.%d must set one of the following keys: toolSpec, systemTool, cachePoint.", n-1)
	name, schema := str(spec, "name"), sub(sub(spec, "inputSchema"), "json")
	if spec != nil {
		c.name(name, at+".name")
		c.constraint(has(spec, "description") && str(spec, "description") == "", "", at+".description", "have length greater than or equal to 1")
		c.failIf(schema == nil, "1 validation error detected: Value at '%s.inputSchema.json' failed to satisfy constraint: Member must not be null", at)
		c.failIf(str(schema, "type") != "object", "The value at toolConfig.tools.%d.toolSpec.inputSchema.json.type must be one of the following: object.", n-1)
	}
	c.a.segs = append(c.a.segs, newSegment(fmt.Sprintf("tools.%d", n-1), entry, false))
	c.a.tools = append(c.a.tools, tool{name: name, desc: str(spec, "description"), schema: schema})
}

func (c *converseCheck) name(name, at string) {
	c.constraint(!idPattern.MatchString(name), name, at, "satisfy regular expression pattern: [a-zA-Z0-9_-]+")
	c.constraint(len(name) > 64, name, at, "have length less than or equal to 64")
}

func (c *converseCheck) toolChoice(t obj) {
	switch {
	case t == nil:
	case has(t, "auto"):
		c.a.choice = "auto"
	case has(t, "any"):
		c.a.choice = "any"
	case sub(t, "tool") != nil:
		c.a.choice, c.a.forced = "tool", str(sub(t, "tool"), "name")
		c.name(c.a.forced, "toolConfig.toolChoice.tool.name")
	default:
		c.fail("The ToolChoice object at toolConfig.toolChoice must set one of the following keys: auto, any, tool.")
	}
}

// point is a cachePoint: it marks the block before it.
func (c *converseCheck) point(p obj, path string) {
	ttl := str(p, "ttl")
	c.constraint(str(p, "type") != "default", str(p, "type"), path+".cachePoint.type", "satisfy enum value set: [default]")
	c.constraint(ttl != "" && ttl != "5m" && ttl != "1h", ttl, path+".cachePoint.ttl", "satisfy enum value set: [5m, 1h]")
	c.failIf(c.a.model.Claude > 0 && c.a.model.Claude < 305, "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.")
	c.failIf(ttl == "1h" && !c.a.model.longTTL(), modelSaid+"%s.cache_control.ephemeral.ttl: Extra inputs are not permitted", path)
	if ttl == "" {
		ttl = "5m"
	}
	n := len(c.a.segs)
	c.failIf(n == 0, modelSaid+"%s: cachePoint cannot be the first block", path)
	if n > 0 {
		c.a.segs[n-1].mark = ttl
	}
}

func (c *converseCheck) system(l []any) {
	for i, v := range l {
		b, _ := v.(obj)
		if p := sub(b, "cachePoint"); p != nil {
			c.failIf(i == 0, modelSaid+"system.0.type: Field required")
			c.point(p, fmt.Sprintf("system.%d", i))
			continue
		}
		t, ok := b["text"].(string)
		c.failIf(!ok && sub(b, "guardContent") == nil, "The SystemContentBlock object at system.%d must set one of the following keys: text, guardContent, cachePoint.", i)
		c.failIf(ok && strings.TrimSpace(t) == "", "The text field in the SystemContentBlock object at system.%d is blank. Add text to the text field, and try again.", i)
		c.a.system += t + "\n"
		c.a.segs = append(c.a.segs, newSegment(fmt.Sprintf("system.%d", i), b, false))
	}
}
