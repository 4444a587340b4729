package fakeupstream

import (
	"fmt"
	"slices"
	"strings"

	"weir/internal/clip"
)

// filler makes the smallest sensible instance of a JSON schema, with the task's file and content where property names
// ask for them.
type filler struct {
	ask  *ask
	task task
	root obj // for $ref
	deep int
}

var (
	pathNames    = []string{"path", "file_path", "filePath", "filepath", "filename", "file_name", "file", "absolute_path", "target_file"}
	contentNames = []string{"content", "contents", "new_text", "file_text", "text", "newText", "new_string", "code"}
	commandNames = []string{"cmd", "command", "commands", "script"}
	reasonNames  = []string{"description", "explanation", "reason", "summary", "result", "title", "task_progress"}
)

func (f filler) object(schema obj) obj {
	if f.root == nil {
		f.root = schema
	}
	out := obj{}
	props, need := sub(schema, "properties"), stringsOf(list(schema, "required"))
	for name, p := range props {
		s := f.resolve(p)
		required := slices.Contains(need, name)
		if v, ok := f.known(name, s, required); ok {
			out[name] = v
		} else if required {
			out[name] = f.value(s)
		}
	}
	return out
}

// known fills a property by its name. Paths and contents are given even if optional; anything else only if required.
func (f filler) known(name string, s obj, required bool) (any, bool) {
	if has(s, "enum") || has(s, "const") || f.task.file == "" {
		return nil, false
	}
	switch {
	case slices.Contains(pathNames, name) && takes(s, "string"):
		return f.place(s), true
	case slices.Contains(contentNames, name) && takes(s, "string"):
		return f.task.content, true
	case slices.Contains(commandNames, name) && (required || name == "cmd"):
		return f.command(s), true
	case slices.Contains(reasonNames, name) && takes(s, "string") && required:
		return "Create " + f.task.file, true
	}
	return nil, false
}

// place is the file's name, absolute where the schema insists and the conversation tells the working directory.
func (f filler) place(s obj) string {
	if !strings.Contains(strings.ToLower(str(s, "description")), "absolute") || strings.HasPrefix(f.task.file, "/") {
		return f.task.file
	}
	texts := []string{f.ask.system}
	for _, t := range f.ask.turns {
		texts = append(texts, t.text())
	}
	if m := workdir.FindStringSubmatch(strings.Join(texts, "\n")); m != nil {
		return strings.TrimRight(m[1], "/.,") + "/" + f.task.file
	}
	return f.task.file
}

// command writes the file with a shell: as a string, an argument vector, or a list of commands.
func (f filler) command(s obj) any {
	line := fmt.Sprintf("printf '%%s' %s > %s", quote(f.task.content), quote(f.task.file))
	if !takes(s, "array") {
		return line
	}
	if item := f.resolve(s["items"]); takes(item, "object") {
		return []any{f.object(item)}
	}
	if strings.Contains(strings.ToLower(str(s, "description")), "argv") {
		return []any{"sh", "-c", line}
	}
	return []any{line}
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// resolve follows $ref and picks the first real branch of a union.
func (f filler) resolve(v any) obj {
	s, _ := v.(obj)
	for range 8 {
		switch {
		case strings.HasPrefix(str(s, "$ref"), "#/"):
			s = f.pointer(str(s, "$ref")[2:])
		case len(list(s, "anyOf")) > 0:
			s = branch(list(s, "anyOf"))
		case len(list(s, "oneOf")) > 0:
			s = branch(list(s, "oneOf"))
		default:
			return s
		}
	}
	return s
}

func (f filler) pointer(p string) obj {
	at := f.root
	for key := range strings.SplitSeq(p, "/") {
		at = sub(at, key)
	}
	return at
}

func branch(l []any) obj {
	for _, v := range l {
		if s, _ := v.(obj); str(s, "type") != "null" {
			return s
		}
	}
	return nil
}

// takes reports whether a schema names a type; a schema without one takes strings.
func takes(s obj, kind string) bool {
	switch t := s["type"].(type) {
	case string:
		return t == kind
	case []any:
		return slices.Contains(stringsOf(t), kind)
	}
	return kind == "string" && !has(s, "properties") && !has(s, "items")
}

const (
	maxDepth = 8   // stops recursive schemas
	maxFill  = 256 // items or characters a schema may ask for
)

func (f filler) value(s obj) any {
	f.deep++
	if c, ok := s["const"]; ok {
		return c
	}
	if e := list(s, "enum"); len(e) > 0 {
		return pick(e)
	}
	switch {
	case takes(s, "string"):
		return f.text(s)
	case takes(s, "boolean"):
		return false
	case takes(s, "integer"), takes(s, "number"):
		return max(integer(s, "minimum"), 0)
	case takes(s, "array"):
		return f.array(s)
	case (takes(s, "object") || has(s, "properties")) && f.deep < maxDepth:
		return f.object(s)
	}
	return nil
}

// pick prefers a value that creates something, for tools with sub-commands.
func pick(enum []any) any {
	for _, v := range enum {
		if v == "create" || v == "write" {
			return v
		}
	}
	return enum[0]
}

func (f filler) text(s obj) string {
	switch str(s, "format") {
	case "date":
		return "2026-01-02"
	case "date-time":
		return "2026-01-02T03:04:05Z"
	}
	out := "text"
	if f.ask != nil {
		if t := clip.To(plain(lastText(f.ask)), 24); t != "" {
			out = t
		}
	}
	for len(out) < min(integer(s, "minLength"), maxFill) {
		out += "."
	}
	if n := integer(s, "maxLength"); n > 0 && len(out) > n {
		out = strings.ToValidUTF8(out[:n], "")
	}
	return out
}

func (f filler) array(s obj) []any {
	out := []any{}
	for range min(integer(s, "minItems"), maxFill) {
		out = append(out, f.value(f.resolve(s["items"])))
	}
	return out
}
