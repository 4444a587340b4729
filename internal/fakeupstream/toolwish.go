package fakeupstream

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"weir/internal/clip"
)

// toolWish is a tool that the conversation asks to be called: "call the tool search_traces with {"limit":1}". A client
// may offer it under a longer name, such as mcp__weir__search_traces.
type toolWish struct {
	name string
	args string
	turn int // where it was asked
}

var toolWishes = regexp.MustCompile(`(?i)\bcall the tool ([A-Za-z0-9_.-]+) with (\{[^\n]*\})`)

// findToolWish looks for the latest wish for a tool.
func findToolWish(a *ask) (toolWish, bool) {
	for i, t := range slices.Backward(a.turns) {
		if t.role != "user" {
			continue
		}
		for _, p := range slices.Backward(t.parts) {
			if m := toolWishes.FindStringSubmatch(p.text); m != nil && p.kind == kindText && json.Valid([]byte(m[2])) {
				return toolWish{name: m[1], args: m[2], turn: i}, true
			}
		}
	}
	return toolWish{}, false
}

// wishedTool is the call asked for, as long as its tool is offered and has not answered yet.
func wishedTool(a *ask) (part, bool) {
	w, ok := findToolWish(a)
	if !ok || w.answered(a) {
		return part{}, false
	}
	i := slices.IndexFunc(a.tools, func(t tool) bool {
		return t.name == w.name || strings.HasSuffix(t.name, "__"+w.name) || strings.HasSuffix(t.name, "_"+w.name)
	})
	if i < 0 {
		return part{}, false
	}
	return part{kind: kindUse, name: a.tools[i].name, args: w.args}, true
}

func (w toolWish) answered(a *ask) bool { return w.result(a) != "" }

// result is what the tool said, "" while it has not.
func (w toolWish) result(a *ask) string {
	for _, t := range a.turns[w.turn+1:] {
		for _, p := range t.parts {
			if p.kind == kindResult {
				return "The tool answered: " + cmp.Or(p.text, "nothing")
			}
		}
	}
	return ""
}

// Cline names its servers in the system prompt, and answers for a tool in the next message of the user.
var (
	xmlServer = regexp.MustCompile(`(?m)^## (\S+).*\n+### Available Tools\n`)
	xmlResult = "[use_mcp_tool for"
)

// xmlStep is the call as XML in text, to the first server that the system prompt names, or the end of the task.
func (w toolWish) xmlStep(a *ask) string {
	for _, t := range a.turns[w.turn+1:] {
		if t.role == "user" && strings.Contains(t.text(), xmlResult) {
			return xmlEnd("The tool answered: " + clip.To(t.text(), 2000))
		}
	}
	server := xmlServer.FindStringSubmatch(a.system)
	if server == nil {
		return xmlEnd("There is no server of tools.")
	}
	return fmt.Sprintf("<use_mcp_tool>\n<server_name>%s</server_name>\n<tool_name>%s</tool_name>\n<arguments>\n%s\n</arguments>\n</use_mcp_tool>", server[1], w.name, w.args)
}

// resultText is the text of a tool's answer, in any dialect.
func resultText(content any) string {
	switch v := content.(type) {
	case string:
		return v
	case []any:
		var out []string
		for _, b := range v {
			if o, ok := b.(obj); ok {
				out = append(out, str(o, "text"))
			}
		}
		return strings.Join(out, "\n")
	}
	return ""
}
