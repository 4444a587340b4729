package duckdb

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/query"
)

// refuse is fault.Invalid about a statement, with a place in it unless pos is negative.
func refuse(pos int, format string, args ...any) error {
	e := fault.Bad("query", format, args...)
	if pos >= 0 {
		e.Err = &query.ParseError{Pos: pos, Msg: e.Msg}
	}
	return e
}

// parsed is what the engine's own parser makes of a text.
type parsed struct {
	Error      bool             `json:"error"`
	Kind       string           `json:"error_type"`
	Message    string           `json:"error_message"`
	Position   string           `json:"position"`
	Statements []map[string]any `json:"statements"`
}

// checkSQL admits one SELECT that reads the named tables only and calls nothing but listed functions. tree is the text as
// json_serialize_sql writes it.
func checkSQL(tree []byte, tables []query.SQLTable) error {
	var p parsed
	if err := json.Unmarshal(tree, &p); err != nil {
		return refuse(-1, "the statement cannot be read")
	}
	switch {
	case p.Error && p.Kind == "not implemented":
		return refuse(0, "only SELECT statements can be run")
	case p.Error:
		pos, err := strconv.Atoi(p.Position)
		if err != nil {
			pos = -1
		}
		return refuse(pos, "%s", p.Message)
	case len(p.Statements) == 0:
		return refuse(0, "there is no statement")
	case len(p.Statements) > 1:
		return refuse(-1, "only one statement can be run at a time")
	}
	c := checker{growth: 1, literal: query.MaxText, uses: map[string]int{}}
	for _, t := range tables {
		c.tables = append(c.tables, t.Name)
	}
	if c.walk(p.Statements[0], nil); c.err == nil && c.growth*float64(c.literal) > maxValue {
		c.refuse(nil, "the statement could make values that are too large: it joins or collects too many texts or lists")
	}
	return c.err
}

// maxValue bounds what one value may grow to by joining texts and lists, in bytes: the engine computes 2048 of them at
// once, outside its memory limit.
const maxValue = 4 << 20

// checker walks a tree of the parser. Growth is by how much the whole statement may lengthen its longest value.
type checker struct {
	tables    []string
	growth    float64
	literal   int // bytes of the longest text
	recursive int // depth of recursive queries around
	asked     int // depth of subqueries in expressions: binding them takes four times as long with each, uninterruptedly
	nested    int // depth of queries in all
	sources   int // tables read, each as often as what WITH names is used
	uses      map[string]int
	err       error
}

// Bounds of how a statement is put together, within which the engine plans it at once.
const (
	maxAsked   = 4
	maxNested  = 16
	maxSources = 100
)

func (c *checker) refuse(at map[string]any, format string, args ...any) {
	if c.err != nil {
		return
	}
	pos := -1
	if f, ok := at["query_location"].(float64); ok && f < query.MaxSQLText {
		pos = int(f)
	}
	c.err = refuse(pos, format, args...)
}

// walk checks a part of the tree where the queries in scope have names, and returns by how much it lengthens values.
func (c *checker) walk(v any, scope []string) float64 {
	if c.err != nil {
		return 1
	}
	switch v := v.(type) {
	case []any:
		return c.most(slices.Values(v), scope)
	case map[string]any:
		return c.node(v, scope)
	}
	return 1
}

func (c *checker) most(parts func(func(any) bool), scope []string) float64 {
	most := 1.0
	for p := range parts {
		most = max(most, c.walk(p, scope))
	}
	return most
}

func (c *checker) node(n map[string]any, scope []string) float64 {
	kind, _ := n["type"].(string)
	class, isExpr := n["class"].(string)
	switch {
	case class == "SUBQUERY":
		c.asked++
		defer func() { c.asked-- }()
		if c.asked > maxAsked {
			c.refuse(n, "subqueries in expressions are nested too deeply; %d levels are the most", maxAsked)
		}
		return c.expression(n, class, scope)
	case isExpr:
		return c.expression(n, class, scope)
	case strings.HasSuffix(kind, "_NODE"):
		return c.query(n, kind, scope)
	}
	c.source(n, kind, scope)
	if kind == "TABLE_FUNCTION" { // its name has been looked at
		f, _ := n["function"].(map[string]any)
		return c.walk(f["children"], scope)
	}
	return c.most(maps.Values(n), scope)
}

// query takes up the names that WITH gives, each after what it stands for: a name cannot be used before, where it would
// mean something of the engine's own.
func (c *checker) query(n map[string]any, kind string, scope []string) float64 {
	if !slices.Contains([]string{"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"}, kind) {
		c.refuse(n, "this form of query (%s) is not allowed", strings.ToLower(kind))
		return 1
	}
	c.nested++
	defer func() { c.nested-- }()
	if c.nested > maxNested {
		c.refuse(n, "queries are nested too deeply; %d levels are the most", maxNested)
	}
	scope = slices.Clone(scope)
	with, _ := n["cte_map"].(map[string]any)
	entries, _ := with["map"].([]any)
	for _, e := range entries {
		entry, _ := e.(map[string]any)
		before := c.sources
		c.walk(entry["value"], scope)
		name, _ := entry["key"].(string)
		scope = append(scope, strings.ToLower(name))
		c.uses[strings.ToLower(name)] += c.sources - before // what its use costs again
	}
	rest := maps.Clone(n)
	delete(rest, "cte_map")
	if kind == "RECURSIVE_CTE_NODE" {
		name, _ := n["cte_name"].(string)
		scope = append(scope, strings.ToLower(name))
		c.recursive++
		defer func() { c.recursive-- }()
	}
	g := c.most(maps.Values(rest), scope)
	if g > 1 && c.recursive > 0 {
		c.refuse(nil, "texts and lists cannot be joined in a recursive query")
	}
	c.growth *= g
	return 1
}

// source admits what rows come from.
func (c *checker) source(n map[string]any, kind string, scope []string) {
	switch kind {
	case "BASE_TABLE":
		c.table(n, scope)
	case "TABLE_FUNCTION":
		f, _ := n["function"].(map[string]any)
		if name := functionName(f); !sqlSources[name] {
			c.refuse(n, "%s(…) cannot be read from; the tables are %s", clip.To(name, 60), strings.Join(c.tables, ", "))
		}
	case "SHOW_REF":
		c.refuse(nil, "DESCRIBE, SHOW and SUMMARIZE are not allowed; GET /sql/schema describes the tables")
	case "PIVOT", "COLUMN_DATA", "DELIM_GET", "BOUND_TABLE_REF", "CTE":
		c.refuse(n, "%s is not allowed here", strings.ToLower(kind))
	}
}

func (c *checker) table(n map[string]any, scope []string) {
	name, _ := n["table_name"].(string)
	if n["schema_name"] != nil || n["catalog_name"] != nil {
		c.refuse(n, "tables have no schema; the tables are %s", strings.Join(c.tables, ", "))
	}
	if low := strings.ToLower(name); !slices.Contains(c.tables, low) && !slices.Contains(scope, low) {
		c.refuse(n, "there is no table %q; the tables are %s", clip.To(name, 60), strings.Join(c.tables, ", "))
	}
	if c.sources += 1 + c.uses[strings.ToLower(name)]; c.sources > maxSources {
		c.refuse(n, "the statement reads too many tables; %d are the most, where what WITH names counts each time it is used", maxSources)
	}
}

// expression returns by how much a value grows in it.
func (c *checker) expression(n map[string]any, class string, scope []string) float64 {
	switch class {
	case "CONSTANT":
		return c.constant(n)
	case "FUNCTION", "WINDOW":
		return c.call(n, scope)
	case "PARAMETER":
		c.refuse(n, "there are no parameters")
	case "CAST":
		if holdsArray(n["cast_type"]) {
			c.refuse(n, "array types are not allowed; use a list such as INTEGER[]")
		}
	case "COLUMN_REF", "COMPARISON", "CONJUNCTION", "OPERATOR", "CASE", "STAR", "SUBQUERY", "BETWEEN", "LAMBDA", "COLLATE", "POSITIONAL_REFERENCE":
	default:
		c.refuse(n, "this expression (%s) is not allowed", strings.ToLower(class))
	}
	return c.most(maps.Values(n), scope)
}

func (c *checker) constant(n map[string]any) float64 {
	v, _ := n["value"].(map[string]any)
	if s, ok := v["value"].(string); ok {
		c.literal = max(c.literal, len(s))
	}
	return 1
}

func functionName(n map[string]any) string {
	name, _ := n["function_name"].(string)
	return strings.ToLower(name)
}

func (c *checker) call(n map[string]any, scope []string) float64 {
	name := functionName(n)
	if schema, _ := n["schema"].(string); n["catalog"] != nil || schema != "" && schema != "main" {
		c.refuse(n, "functions have no schema")
	}
	if !sqlFunctions[name] {
		c.refuse(n, "the function %s is not allowed", clip.To(name, 60))
	}
	args, _ := n["children"].([]any)
	rest := maps.Clone(n)
	delete(rest, "children")
	most, sum := c.most(maps.Values(rest), scope), 0.0
	for _, a := range args {
		g := c.walk(a, scope)
		most, sum = max(most, g), sum+g
	}
	switch {
	case growing[name]:
		return max(sum, most)
	case replacing[name] && len(args) > 2:
		return most * c.replacement(args[2])
	case collecting[name]:
		return most * collected
	}
	return most
}

// collected is what a value of many rows counts as. It lies in memory that the engine limits.
const collected = 256

// replacement is by how much a text grows where another is put into it.
func (c *checker) replacement(arg any) float64 {
	n, _ := arg.(map[string]any)
	v, _ := n["value"].(map[string]any)
	s, ok := v["value"].(string)
	if n["class"] != "CONSTANT" || !ok {
		c.refuse(n, "what is put in place of a text must be a literal")
		return math.MaxFloat64
	}
	return float64(len(s) + 1)
}

// holdsArray reports a type of fixed length, or one with such a part.
func holdsArray(t any) bool {
	switch t := t.(type) {
	case map[string]any:
		if t["id"] == "ARRAY" {
			return true
		}
		for _, v := range t {
			if holdsArray(v) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(t, holdsArray)
	}
	return false
}
