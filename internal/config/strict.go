package config

import (
	"cmp"
	"errors"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxProblems bounds what one file is told about its decoding.
const maxProblems = 50

// decodeStrict reads a Weir file over the defaults. The decoder stops at the first mistake: what holds it is taken out of
// the tree, and the rest is read again, so that all are told at once.
func decodeStrict(name string, root ast.Node, env Lookup, c *Config) []Problem {
	if vars := child(root, "environment"); vars != nil {
		_ = yaml.NodeToValue(vars, &c.Env) // a wrong type is told below, with its place
		env = withVars(env, c.Env)
	}
	var problems []Problem
	for _, m := range expand(root, env) {
		problems = append(problems, Problem{File: name, Line: m.line, Col: m.col, Msg: "environment variable " + m.name + " is not set"})
	}
	for range maxProblems {
		*c = Default()
		err := yaml.NodeToValue(root, c, yaml.Strict())
		if err == nil {
			break
		}
		p := yamlProblem(name, err)
		if !told(problems, p) {
			problems = append(problems, p)
		}
		if !cutOut(root, p.Line, p.Col) {
			break
		}
	}
	return problems
}

// told reports whether a problem of the same place is there already: a value that could not be read is not missing, too.
func told(problems []Problem, p Problem) bool {
	return slices.ContainsFunc(problems, func(q Problem) bool {
		return p.Line > 0 && q.Line == p.Line && q.Col == p.Col || p.Path != "" && q.Path == p.Path
	})
}

// joined is all problems as one error, in the order of the file.
func joined(problems []Problem) error {
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Or(a.Line-b.Line, a.Col-b.Col) })
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}

// cutOut removes the entry whose key or value stands at a place; an element of a list, whose followers keep their
// numbers, and what an anchor names become null. It returns false if there is none.
func cutOut(root ast.Node, line, col int) bool {
	at := func(n ast.Node) bool {
		t := n.GetToken()
		return t != nil && t.Position != nil && t.Position.Line == line && t.Position.Column == col
	}
	c := &cutter{at: at}
	ast.Walk(c, root)
	return c.done
}

type cutter struct {
	at   func(ast.Node) bool
	done bool
}

// Visit implements ast.Visitor.
func (c *cutter) Visit(n ast.Node) ast.Visitor {
	if c.done {
		return nil
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		before := len(n.Values)
		n.Values = slices.DeleteFunc(n.Values, func(e *ast.MappingValueNode) bool { return c.at(e.Key) || c.at(e.Value) })
		c.done = len(n.Values) < before
	case *ast.SequenceNode:
		for i, v := range n.Values {
			if c.at(v) {
				n.Values[i], c.done = ast.Null(v.GetToken()), true
			}
		}
	case *ast.AnchorNode:
		if c.at(n.Value) {
			n.Value, c.done = ast.Null(n.Value.GetToken()), true
		}
	}
	return c
}

// intact parses again what has been parsed before.
func intact(data []byte) ast.Node {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil
	}
	return rootOf(file)
}
