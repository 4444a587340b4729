package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Lookup reads an environment variable.
type Lookup func(name string) (string, bool)

// Warning is something in a foreign file that Weir does not act on.
type Warning struct {
	Line int
	Path string // e.g. "litellm_settings.cache_params"
	Msg  string
}

func (w Warning) String() string { return fmt.Sprintf("line %d: %s: %s", w.Line, w.Path, w.Msg) }

// Problem is one fault of a file, with its place.
type Problem struct {
	File      string
	Line, Col int
	Path      string // e.g. "models[2].provider"
	Msg       string
}

func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Col)
	}
	if p.Path != "" {
		b.WriteString(": " + p.Path)
	}
	b.WriteString(": " + p.Msg)
	return b.String()
}

// Load reads a file over the defaults, then the environment. path "" means no file. The error joins all problems, each
// a Problem. A file with a top-level model_list is LiteLLM's. A model's provider must be among providers, if any are
// given.
func Load(path string, env Lookup, providers ...string) (Config, []Warning, error) {
	c := Default()
	if path == "" {
		return c, nil, joined(finish(&c, path, nil, env, providers))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return c, nil, Problem{File: path, Msg: "cannot be read: " + errors.Unwrap(err).Error()}
	}
	return Parse(path, data, env, providers...)
}

// Parse is Load for a file's content; name is for messages.
func Parse(name string, data []byte, env Lookup, providers ...string) (Config, []Warning, error) {
	c := Default()
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return c, nil, yamlProblem(name, err)
	}
	root := rootOf(file)
	if root == nil {
		if len(bytes.TrimSpace(data)) > 0 && !onlyComments(data) {
			return c, nil, Problem{File: name, Line: 1, Col: 1, Msg: "the file must hold a mapping of settings"}
		}
		return c, nil, joined(finish(&c, name, nil, env, providers))
	}
	var warnings []Warning
	var problems []Problem
	switch {
	case hasKey(root, "model_list"):
		warnings, problems = importLiteLLM(name, root, env, &c)
	case hasKey(root, "routes"), hasKey(root, "endpoints"):
		return c, nil, Problem{File: name, Line: 1, Col: 1, Msg: "this is an MLflow gateway file; Weir does not import those yet"}
	default:
		problems = decodeStrict(name, root, env, &c)
	}
	if len(problems) > 0 {
		root = intact(data) // decodeStrict took the mistakes out
	}
	more := slices.DeleteFunc(finish(&c, name, root, env, providers), func(p Problem) bool { return told(problems, p) })
	return c, warnings, joined(append(problems, more...))
}

func finish(c *Config, name string, root ast.Node, env Lookup, providers []string) []Problem {
	c.applyEnv(env)
	var problems []Problem
	for _, p := range append(c.Validate(), c.unknownProviders(providers)...) {
		p.File = name
		if root != nil && hasKey(root, "model_list") {
			p.Path = liteLLMPath(p.Path)
		}
		p.Line, p.Col = locate(root, p.Path)
		problems = append(problems, p)
	}
	return problems
}

// yamlProblem keeps position and message of a YAML error, but not its source excerpt, which may show a secret.
func yamlProblem(name string, err error) Problem {
	var ye yaml.Error
	if errors.As(err, &ye) {
		p := Problem{File: name, Msg: ye.GetMessage()}
		if t := ye.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Col = t.Position.Line, t.Position.Column
		}
		return p
	}
	var p Problem
	if errors.As(err, &p) {
		p.File = name
		return p
	}
	return Problem{File: name, Msg: err.Error()}
}

func rootOf(f *ast.File) ast.Node {
	for _, d := range f.Docs {
		if d.Body != nil && (d.Body.Type() == ast.MappingType || d.Body.Type() == ast.MappingValueType) {
			return d.Body
		}
	}
	return nil
}

func onlyComments(data []byte) bool {
	for _, line := range bytes.Split(data, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("---")) {
			return false
		}
	}
	return true
}

// pairs are the entries of a mapping node, whatever form the parser chose.
func pairs(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	case *ast.AnchorNode:
		return pairs(n.Value)
	}
	return nil
}

func hasKey(n ast.Node, key string) bool { return child(n, key) != nil }

func child(n ast.Node, key string) ast.Node {
	for _, p := range pairs(n) {
		if p.Key.String() == key {
			return p.Value
		}
	}
	return nil
}

type missingVar struct {
	name      string
	line, col int
}

var reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand replaces references to the environment in all strings: a whole value "os.environ/NAME", or "${NAME}" anywhere
// in it. It returns those that are not set.
func expand(root ast.Node, env Lookup) []missingVar {
	e := &expander{env: env}
	ast.Walk(e, root)
	return e.missing
}

type expander struct {
	env     Lookup
	missing []missingVar
}

// Visit implements ast.Visitor.
func (e *expander) Visit(n ast.Node) ast.Visitor {
	s, ok := n.(*ast.StringNode)
	if !ok {
		return e
	}
	if name, ok := strings.CutPrefix(s.Value, "os.environ/"); ok {
		setString(s, e.get(name, s))
		return e
	}
	setString(s, reference.ReplaceAllStringFunc(s.Value, func(m string) string { return e.get(m[2:len(m)-1], s) }))
	return e
}

// setString changes a node's value and its token, from which types with UnmarshalText are decoded.
func setString(s *ast.StringNode, v string) {
	if s.Value == v {
		return
	}
	s.Value = v
	if t := s.GetToken(); t != nil {
		t.Value, t.Origin = v, v
	}
}

func (e *expander) get(name string, at *ast.StringNode) string {
	v, ok := e.env(name)
	if !ok {
		m := missingVar{name: name}
		if t := at.GetToken(); t != nil && t.Position != nil {
			m.line, m.col = t.Position.Line, t.Position.Column
		}
		e.missing = append(e.missing, m)
	}
	return v
}

var step = regexp.MustCompile(`^([^.\[]+)?(?:\[(\d+)\])?\.?`)

// locate finds the line and column of a path such as "models[2].provider", or of the deepest part that exists.
func locate(root ast.Node, path string) (line, col int) {
	n := root
	for n != nil && path != "" {
		m := step.FindStringSubmatch(path)
		if m == nil || m[0] == "" {
			break
		}
		next := n
		if m[1] != "" {
			next = child(n, m[1])
		}
		if seq, ok := next.(*ast.SequenceNode); ok && m[2] != "" {
			i := 0
			_, _ = fmt.Sscanf(m[2], "%d", &i)
			if i < len(seq.Values) {
				next = seq.Values[i]
			}
		}
		if next == nil {
			break
		}
		n, path = next, path[len(m[0]):]
	}
	if n == nil || n == root {
		return 0, 0
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return 0, 0
	}
	return t.Position.Line, t.Position.Column
}
