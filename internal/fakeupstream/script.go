package fakeupstream

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"weir/internal/clip"
)

// task is a file the conversation asks for.
type task struct {
	file    string
	content string
	turn    int // where it was asked
}

var (
	wish = regexp.MustCompile("(?i)\\b(?:create|write|make|add)\\s+(?:an?\\s+|the\\s+)?(?:new\\s+)?(?:text\\s+)?(?:file\\s+)?(?:named\\s+|called\\s+)?" +
		"[\"'`]?([\\w./-]*\\w\\.\\w+)[\"'`]?\\s+(?:file\\s+)?(?:containing|with)(?:\\s+(?:the\\s+|exactly\\s+)?(?:contents?|text|word|words|line)\\b)?:?\\s+([^\\n<]+)")
	workdir = regexp.MustCompile("(?i)\\b(?:working directory|cwd|workspace(?: root)?(?: folder)?|current directory)\\b[^/\\n]{0,40}?[:=(>]\\s*[\"'`]?(/[^\\s\"'`<>)]+)")
	midText = regexp.MustCompile(`\s+`)
)

// findTask looks for the latest wish for a file.
func findTask(a *ask) (task, bool) {
	for i, t := range slices.Backward(a.turns) {
		if t.role != "user" {
			continue
		}
		for _, p := range slices.Backward(t.parts) {
			if m := wish.FindStringSubmatch(p.text); m != nil && p.kind == kindText {
				return task{file: m[1], content: trimContent(m[2]), turn: i}, true
			}
		}
	}
	return task{}, false
}

func trimContent(s string) string {
	s = marker.ReplaceAllString(s, "")
	s = strings.TrimRight(strings.TrimSpace(s), ".")
	return strings.Trim(s, "\"'`")
}

// done reports that the task's tool was called after it was asked for.
func (t task) done(a *ask) bool {
	return slices.ContainsFunc(a.turns[t.turn+1:], func(u turn) bool {
		return u.has(kindResult) || u.role == "assistant" && strings.Contains(u.text(), "<write_to_file>")
	})
}

// compose decides what to say: what the fault asks for, the next step of an agent's task, or prose.
func (s *Server) compose(a *ask, f Fault) *answer {
	ans := &answer{finish: "stop", shape: f}
	ans.parts = s.thoughts(a, f)
	calls := wantedCalls(a, f)
	if len(calls) > 0 {
		ans.finish = "tool"
		if a.choice != "any" && a.choice != "tool" {
			ans.parts = append(ans.parts, part{kind: kindText, text: cmp.Or(f.Text, "I will do that now.")})
		}
		ans.parts = append(ans.parts, s.number(calls)...)
	} else {
		ans.parts = append(ans.parts, part{kind: kindText, text: speech(a, f)})
	}
	if f.Oversize == 0 {
		ans.limit(a)
	}
	switch f.Finish {
	case "refusal", "guardrail":
		ans.finish = f.Finish
	case "max_tokens":
		ans.finish = "length"
	}
	return ans
}

// thoughts precede an answer when thinking is on.
func (s *Server) thoughts(a *ask, f Fault) []part {
	if f.Reasoning != "" && a.model.Claude == 0 {
		return []part{{kind: kindThinking, text: f.Reasoning}}
	}
	if a.think != "enabled" && a.think != "adaptive" {
		return nil
	}
	if f.Redacted {
		return []part{{kind: kindRedacted, sig: s.signer.redact(a.model)}}
	}
	text := f.Reasoning
	if text == "" {
		text = "The user wants: " + clip.To(plain(lastText(a)), 120) + ". I consider what is known and take the next step."
	}
	if a.hidden {
		text = ""
	}
	return []part{{kind: kindThinking, text: text, sig: s.signer.sign(a.model, text)}}
}

// wantedCalls are the tool calls of this turn, without ids.
func wantedCalls(a *ask, f Fault) []part {
	if a.choice == "none" || len(a.tools) == 0 {
		return nil
	}
	if p, ok := wishedTool(a); ok && f.Tool == "" && a.choice != "tool" {
		return []part{p}
	}
	t, asked := findTask(a)
	open := asked && !t.done(a)
	chosen := chooseTool(a, f, open)
	if chosen == nil {
		return completion(a, t, asked)
	}
	n := 1
	if f.Parallel > 1 && a.parallel {
		n = f.Parallel
	}
	out := make([]part, 0, n)
	for i := range n {
		file := t
		if i > 0 {
			file.file = fmt.Sprintf("%d-%s", i+1, path.Base(t.file))
		}
		out = append(out, part{kind: kindUse, name: chosen.name, args: callArgs(a, *chosen, file, f)})
	}
	return out
}

func callArgs(a *ask, t tool, job task, f Fault) string {
	if f.NoInput {
		return ""
	}
	if f.Args != "" && f.Tool == t.name {
		return f.Args
	}
	return string(canon(filler{ask: a, task: job}.object(t.schema)))
}

// chooseTool is the tool to call now, or nil.
func chooseTool(a *ask, f Fault, open bool) *tool {
	switch {
	case a.choice == "tool":
		return a.tool(a.forced)
	case f.Tool != "":
		return a.tool(f.Tool)
	case open:
		if t := fileTool(a.tools); t != nil {
			return t
		}
	case f.Parallel > 0 && !a.answering():
		return &a.tools[0]
	}
	if a.choice == "any" && a.tool("attempt_completion") == nil {
		return &a.tools[0]
	}
	return nil
}

// completion ends a task through a tool where the agent insists on one.
func completion(a *ask, t task, asked bool) []part {
	done := a.tool("attempt_completion")
	if done == nil || a.choice != "any" && !strings.Contains(a.system, done.name) {
		return nil
	}
	if asked && !t.done(a) && !a.answering() {
		return nil
	}
	return []part{{kind: kindUse, name: done.name, args: callArgs(a, *done, t, Fault{})}}
}

// answering reports that the last turn brings tool results.
func (a *ask) answering() bool {
	return len(a.turns) > 0 && a.turns[len(a.turns)-1].has(kindResult)
}

func (a *ask) tool(name string) *tool {
	i := slices.IndexFunc(a.tools, func(t tool) bool { return t.name == name })
	if i < 0 {
		return nil
	}
	return &a.tools[i]
}

// fileTools in order of preference: those that write a file, then those that run a command.
var fileTools = []string{
	"write_to_file", "write_file", "Write", "write", "create_file", "editor", "str_replace_based_edit_tool", "replace_in_file",
	"exec_command", "shell", "bash", "Bash", "execute_command", "run_commands", "run_command", "run_shell_command", "run_terminal_command",
}

func fileTool(tools []tool) *tool {
	for _, name := range fileTools {
		if i := slices.IndexFunc(tools, func(t tool) bool { return t.name == name }); i >= 0 {
			return &tools[i]
		}
	}
	return nil
}

// number gives calls their ids, unique in the life of the server.
func (s *Server) number(calls []part) []part {
	for i := range calls {
		calls[i].id = fmt.Sprintf("toolu_fake%06d", s.seq.Add(1))
	}
	return calls
}

// speech is the text of an answer without tool calls.
func speech(a *ask, f Fault) string {
	switch {
	case f.Text != "":
		return f.Text
	case f.Oversize > 0:
		return strings.Repeat("x", f.Oversize)
	case f.Tokens > 0:
		return prose("", 4*f.Tokens)
	case a.jsonMode:
		return string(canon(filler{ask: a}.object(a.schema)))
	}
	if x := xmlStep(a); x != "" {
		return x
	}
	return talk(a, f)
}

func talk(a *ask, f Fault) string {
	said := plain(lastText(a))
	if len(a.tools) == 0 && a.maxTokens > 0 && a.maxTokens <= 256 || titled(a.system) {
		return "About " + clip.To(said, 32)
	}
	if t, ok := findTask(a); ok && t.done(a) {
		return fmt.Sprintf("Done: %s now contains %s.", t.file, t.content)
	}
	if w, ok := findToolWish(a); ok && w.answered(a) {
		return clip.To(w.result(a), 2000)
	}
	if a.answering() {
		return "The tool has answered; nothing is left to do."
	}
	return prose("You said: "+clip.To(said, 200)+". ", 4*f.Chunks)
}

func titled(system string) bool {
	s := strings.ToLower(clip.To(system, 2000))
	return strings.Contains(s, "title generator") || strings.Contains(s, "generate a title") || strings.Contains(s, "concise title")
}

// xmlStep plays an agent that writes tool calls as XML in text (Cline up to 3.x with LiteLLM).
func xmlStep(a *ask) string {
	if len(a.tools) > 0 || !strings.Contains(a.system, "<write_to_file>") {
		return ""
	}
	if w, ok := findToolWish(a); ok {
		return w.xmlStep(a)
	}
	t, ok := findTask(a)
	if !ok {
		return ""
	}
	if t.done(a) {
		return xmlEnd(fmt.Sprintf("Done: %s now contains %s.", t.file, t.content))
	}
	return fmt.Sprintf("<write_to_file>\n<path>%s</path>\n<content>\n%s\n</content>\n</write_to_file>", t.file, t.content)
}

func xmlEnd(result string) string {
	return fmt.Sprintf("<attempt_completion>\n<result>\n%s\n</result>\n</attempt_completion>", result)
}

// prose is start, followed by filler text up to n bytes. Equal arguments give equal text.
func prose(start string, n int) string {
	const words = "This is a deterministic answer of a stand-in for a language model, long enough to be cut into events. "
	b := start
	for len(b) < n {
		b += words
	}
	if n > 0 && n > len(start) {
		b = b[:n]
	}
	if b == start {
		b += "This answer is deterministic."
	}
	return b
}

// limit applies max_tokens and stop sequences to the text of an answer.
func (ans *answer) limit(a *ask) {
	for i := range ans.parts {
		p := &ans.parts[i]
		if p.kind != kindText {
			continue
		}
		for _, stop := range a.stop {
			if at := strings.Index(p.text, stop); at >= 0 {
				p.text, ans.finish, ans.stopAt = p.text[:at], "stop_sequence", stop
			}
		}
		if a.maxTokens > 0 && estimate(len(p.text)) > int64(a.maxTokens) {
			p.text, ans.finish = strings.ToValidUTF8(p.text[:4*a.maxTokens], ""), "length"
		}
	}
}

// lastText is the latest text a user said.
func lastText(a *ask) string {
	for _, t := range slices.Backward(a.turns) {
		if t.role == "user" && t.text() != "" {
			return t.text()
		}
	}
	return ""
}

// plain is text on one line without markers.
func plain(s string) string {
	return strings.TrimSpace(midText.ReplaceAllString(marker.ReplaceAllString(s, ""), " "))
}
