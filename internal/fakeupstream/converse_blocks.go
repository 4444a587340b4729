package fakeupstream

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// object decodes a JSON object, nil if it is none.
func object(s string) obj {
	var o obj
	if json.Unmarshal([]byte(s), &o) != nil {
		return nil
	}
	return o
}

func (c *converseCheck) messages(l []any) {
	c.failIf(len(l) == 0, "1 validation error detected: Value at 'messages' failed to satisfy constraint: Member must have length greater than or equal to 1")
	for i, v := range l {
		m, _ := v.(obj)
		path, role := fmt.Sprintf("messages.%d", i), str(m, "role")
		c.constraint(role != "user" && role != "assistant", role, fmt.Sprintf("messages.%d.member.role", i+1), "satisfy enum value set: [user, assistant]")
		c.failIf(i == 0 && role != "user", "A conversation must start with a user message. Try again with a conversation that starts with a user message.")
		c.failIf(i > 0 && c.a.turns[i-1].role == role, "A conversation must alternate between user and assistant roles. "+
			"Make sure the conversation alternates between user and assistant roles and try again.")
		c.failIf(len(list(m, "content")) == 0, "The content field in the Message object at %s is empty. Add a ContentBlock object to the content field and try again.", path)
		t := turn{role: role, path: path, parts: c.blocks(list(m, "content"), path, role)}
		c.a.turns = append(c.a.turns, t)
		c.results(i, t)
	}
	c.failIf(len(c.docs) > 5, "You can't include more than 5 documents in a request.")
}

// results counts the tool results of a turn against the calls of the turn before.
func (c *converseCheck) results(i int, t turn) {
	ids, open := t.ids(kindResult), []string{}
	if i > 0 {
		open = c.a.turns[i-1].ids(kindUse)
	}
	path := t.path + ".content"
	c.failIf(len(ids) > len(open), "The number of toolResult blocks at %s exceeds the number of toolUse blocks of previous turn.", path)
	if left := missing(open, ids); len(left) > 0 {
		c.fail("Expected toolResult blocks at %s for the following Ids: %s", path, strings.Join(left, ", "))
	}
	for j, id := range ids {
		c.failIf(slices.Contains(ids[:j], id), "The toolResult blocks at %s contain duplicate Ids: %s", path, id)
	}
	c.failIf((len(ids) > 0 || t.has(kindUse)) && !c.tools, "The toolConfig field must be defined when using toolUse and toolResult content blocks.")
}

func (c *converseCheck) blocks(l []any, path, role string) []part {
	var parts []part
	textDoc := false // the last block was a document that is no PDF
	for j, v := range l {
		b, _ := v.(obj)
		at := fmt.Sprintf("%s.content.%d", path, j)
		if p := sub(b, "cachePoint"); p != nil {
			c.failIf(j == 0 || textDoc, modelSaid+"%s.type: Field required", at)
			c.point(p, at)
			continue
		}
		p := c.block(b, at, role)
		textDoc = sub(b, "document") != nil && str(sub(b, "document"), "format") != "pdf"
		c.a.segs = append(c.a.segs, newSegment(at, obj{"role": role, "block": b}, p.kind == kindMedia))
		parts = append(parts, p)
	}
	return parts
}

func (c *converseCheck) block(b obj, at, role string) part {
	p := part{kind: kindMedia, path: at}
	switch {
	case has(b, "text"):
		p.kind, p.text = kindText, c.text(b, at)
	case has(b, "toolUse"):
		p = c.toolUse(sub(b, "toolUse"), at)
		c.failIf(role == "user", "The toolUse block at %s is not allowed in a user message.", at)
	case has(b, "toolResult"):
		p = c.toolResult(sub(b, "toolResult"), at)
		c.failIf(role == "assistant", "The toolResult block at %s is not allowed in an assistant message.", at)
	case has(b, "reasoningContent"):
		p = c.reasoning(sub(b, "reasoningContent"), at)
		c.failIf(role == "user", "The reasoningContent block at %s is not allowed in a user message.", at)
	case has(b, "image"):
		c.image(sub(b, "image"), at)
	case has(b, "document"):
		c.document(sub(b, "document"), at)
	case has(b, "guardContent"), has(b, "video"), has(b, "searchResult"):
	default:
		c.fail("The ContentBlock object at %s must set one of the following keys: text, image, toolUse, toolResult, document, video, cachePoint, reasoningContent.", at)
	}
	c.failIf(len(b) > 1, "The ContentBlock object at %s must set exactly one member, but has %s.", at, strings.Join(sortedKeys(b), ", "))
	return p
}

func (c *converseCheck) text(b obj, at string) string {
	t, ok := b["text"].(string)
	c.failIf(!ok, "Expected string or null for text")
	c.failIf(strings.TrimSpace(t) == "", "The text field in the ContentBlock object at %s is blank. Add text to the text field, and try again.", at)
	return t
}

// member turns "messages.0.content.1" into the path of a failed constraint, which counts from one.
func member(at string) string {
	var i, j int
	fmt.Sscanf(at, "messages.%d.content.%d", &i, &j)
	return fmt.Sprintf("messages.%d.member.content.%d.member", i+1, j+1)
}

func (c *converseCheck) id(id, at string) {
	c.constraint(!idPattern.MatchString(id), id, at, "satisfy regular expression pattern: [a-zA-Z0-9_-]+")
	c.constraint(len(id) > 64, id, at, "have length less than or equal to 64")
}

func (c *converseCheck) toolUse(u obj, at string) part {
	p := part{kind: kindUse, path: at, id: str(u, "toolUseId"), name: str(u, "name"), args: string(canon(u["input"]))}
	c.id(p.id, member(at)+".toolUse.toolUseId")
	c.name(p.name, member(at)+".toolUse.name")
	c.failIf(sub(u, "input") == nil, "The format of the value at %s.toolUse.input is invalid. Provide a json object for the field and try again.", at)
	return p
}

func (c *converseCheck) toolResult(r obj, at string) part {
	p := part{kind: kindResult, path: at, id: str(r, "toolUseId"), text: resultText(r["content"])}
	c.id(p.id, member(at)+".toolResult.toolUseId")
	status := str(r, "status")
	c.constraint(has(r, "status") && status != "success" && status != "error", status, member(at)+".toolResult.status", "satisfy enum value set: [success, error]")
	content, ok := r["content"].([]any)
	c.failIf(!ok, "1 validation error detected: Value at '%s.toolResult.content' failed to satisfy constraint: Member must not be null", member(at))
	for k, v := range content {
		b, _ := v.(obj)
		path := fmt.Sprintf("%s.toolResult.content.%d", at, k)
		switch {
		case has(b, "text"):
			_, ok := b["text"].(string)
			c.failIf(!ok, "Expected string or null for text")
		case has(b, "json"):
			c.failIf(sub(b, "json") == nil, "The format of the value at %s.json is invalid. Provide a json object for the field and try again.", path)
		case has(b, "image"):
			c.image(sub(b, "image"), path)
		case has(b, "document"):
			c.document(sub(b, "document"), path)
		case has(b, "video"), has(b, "searchResult"):
		default:
			c.fail("The ToolResultContentBlock object at %s must set one of the following keys: json, text, image, document, video.", path)
		}
	}
	return p
}

func (c *converseCheck) reasoning(r obj, at string) part {
	if d := str(r, "redactedContent"); d != "" {
		_, err := base64.StdEncoding.DecodeString(d)
		c.failIf(err != nil, "Expected base64 for redactedContent")
		return part{kind: kindRedacted, path: at, sig: d}
	}
	t := sub(r, "reasoningText")
	c.failIf(t == nil, "The ReasoningContentBlock object at %s.reasoningContent must set one of the following keys: reasoningText, redactedContent.", at)
	_, ok := t["text"].(string)
	c.failIf(!ok, "1 validation error detected: Value at '%s.reasoningContent.reasoningText.text' failed to satisfy constraint: Member must not be null", member(at))
	c.failIf(c.a.model.Claude > 0 && !has(t, "signature"), modelSaid+"%s.thinking.signature: Field required", at)
	return part{kind: kindThinking, path: at, text: str(t, "text"), sig: str(t, "signature")}
}

var imageFormats = []string{"png", "jpeg", "gif", "webp"}

func (c *converseCheck) image(i obj, at string) {
	format, src := str(i, "format"), sub(i, "source")
	c.constraint(!slices.Contains(imageFormats, format), format, at+".image.format", "satisfy enum value set: [gif, jpeg, png, webp]")
	if has(src, "s3Location") {
		return
	}
	problem := checkMedia(format, str(src, "bytes"))
	c.failIf(problem == badBase64, "The bytes field of the ImageSource object at %s.image.source is empty or no base64.", at)
	c.failIf(problem == badMagic, modelSaid+"%s.image.source.base64: The image was specified using the image/%s media type, but does not appear to be such an image", at, format)
}

var docFormats = []string{"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"}

func (c *converseCheck) document(d obj, at string) {
	format, name, src := str(d, "format"), str(d, "name"), sub(d, "source")
	c.constraint(has(d, "format") && !slices.Contains(docFormats, format), format, at+".document.format", "satisfy enum value set: [docx, csv, html, txt, pdf, md, doc, xlsx, xls]")
	c.failIf(!docName.MatchString(name) || twoSpaces.MatchString(name), "The document file name can only contain alphanumeric characters, whitespace characters, "+
		"hyphens, parentheses, and square brackets. The name can't contain more than one consecutive whitespace character.")
	c.failIf(slices.Contains(c.docs, name), "Messages can't contain duplicate document names. Rename the document and retry your request.")
	c.docs = append(c.docs, name)
	if has(src, "bytes") {
		problem := checkMedia(format, str(src, "bytes"))
		c.failIf(problem == badBase64, "The bytes field of the DocumentSource object at %s.document.source is empty or no base64.", at)
		c.failIf(problem == badMagic, modelSaid+"%s.document.source.base64.data: The PDF specified was not valid.", at)
	}
}
