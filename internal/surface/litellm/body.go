package litellm

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"weir/internal/budget"
	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/money"
)

// maxBody bounds management requests.
const maxBody = 1 << 20

// body reads the fields of a JSON object as pydantic does: it gathers all problems, null counts as absent for values
// but as set for has, and numbers may come as text. After reading, err tells the problems.
type body struct {
	fields   map[string]jsonx.Raw
	read     map[string]bool
	problems []problem
}

func decode(r *http.Request) (*body, error) {
	raw, err := edge.ReadBody(r, maxBody)
	if err != nil {
		return nil, err
	}
	b := &body{read: map[string]bool{}}
	if len(bytes.TrimSpace(raw)) == 0 {
		b.fields = map[string]jsonx.Raw{}
		return b, nil
	}
	if !jsonx.Valid(raw) {
		b.problems = []problem{{Type: "json_invalid", Loc: []any{"body", 0}, Msg: "JSON decode error"}}
	} else if jsonx.Unmarshal(raw, &b.fields) != nil || b.fields == nil {
		b.problems = []problem{{
			Type: "model_attributes_type", Loc: []any{"body"}, Msg: "Input should be a valid dictionary or object to extract fields from",
		}}
	}
	return b, b.err()
}

func (b *body) err() error {
	if len(b.problems) == 0 {
		return nil
	}
	first := b.problems[0]
	return &invalidBody{cause: fault.New(fault.Invalid, "%s", first.Msg), Detail: b.problems}
}

// has reports whether a field was sent, even as null.
func (b *body) has(name string) bool {
	b.read[name] = true
	_, ok := b.fields[name]
	return ok
}

// value is a field that is not null.
func (b *body) value(name string) (jsonx.Raw, bool) {
	b.read[name] = true
	v, ok := b.fields[name]
	return v, ok && string(v) != "null"
}

// ignored are fields that were sent with a value but that nobody asked for.
func (b *body) ignored() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(b.fields)) {
		switch v := string(b.fields[name]); v {
		case "null", "{}", "[]", `""`, "false":
		default:
			if !b.read[name] {
				out = append(out, name)
			}
		}
	}
	return out
}

func (b *body) problem(name, kind, msg string) {
	b.problems = append(b.problems, problem{Type: kind, Loc: []any{"body", name}, Msg: msg, Input: b.fields[name]})
}

func (b *body) text(name string) string {
	v, ok := b.value(name)
	var s string
	if ok && jsonx.Unmarshal(v, &s) != nil {
		b.problem(name, "string_type", "Input should be a valid string")
	}
	return s
}

func (b *body) required(name string) string {
	if _, ok := b.fields[name]; !ok {
		b.read[name] = true
		b.problems = append(b.problems, problem{Type: "missing", Loc: []any{"body", name}, Msg: "Field required"})
		return ""
	}
	if s, ok := b.value(name); !ok {
		b.problem(name, "string_type", "Input should be a valid string")
		return string(s)
	}
	return b.text(name)
}

func (b *body) number(name string) *float64 {
	v, ok := b.value(name)
	if !ok {
		return nil
	}
	f, err := strconv.ParseFloat(unquote(v), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		b.problem(name, "float_parsing", "Input should be a valid number")
		return nil
	}
	return &f
}

// dollars is an amount; null is none.
func (b *body) dollars(name string) *money.Nano {
	f := b.number(name)
	if f == nil {
		return nil
	}
	n := money.FromUSD(*f)
	return &n
}

// integer is 0 where absent.
func (b *body) integer(name string) int64 {
	v, ok := b.value(name)
	if !ok {
		return 0
	}
	f, err := strconv.ParseFloat(unquote(v), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		b.problem(name, "int_parsing", "Input should be a valid integer")
		return 0
	}
	return int64(f)
}

func unquote(v jsonx.Raw) string {
	var s string
	if jsonx.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

func (b *body) flag(name string, otherwise bool) bool {
	v, ok := b.value(name)
	if !ok {
		return otherwise
	}
	x, err := strconv.ParseBool(unquote(v))
	if err != nil {
		b.problem(name, "bool_parsing", "Input should be a valid boolean")
	}
	return x
}

func (b *body) texts(name string) []string {
	v, ok := b.value(name)
	var out []string
	if ok && jsonx.Unmarshal(v, &out) != nil {
		b.problem(name, "list_type", "Input should be a valid list of strings")
		return nil
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (b *body) object(name string) jsonx.Raw {
	v, ok := b.value(name)
	if !ok {
		return nil
	}
	var m map[string]jsonx.Raw
	if jsonx.Unmarshal(v, &m) != nil {
		b.problem(name, "dict_type", "Input should be a valid dictionary")
		return nil
	}
	return jsonx.Compact(v)
}

// duration is LiteLLM's "30d"; "" and "-1" mean for ever, which is the zero time.
func (b *body) until(name string, now time.Time) time.Time {
	s := b.text(name)
	if s == "" || s == "-1" {
		return time.Time{}
	}
	d, err := budget.ParseDuration(s)
	if err != nil {
		b.problem(name, "value_error", "Value error, "+err.Error())
		return time.Time{}
	}
	return now.Add(d).UTC()
}

// pageOf reads page and a size parameter of a list, both from 1.
func pageOf(q url.Values, sizeName string, size, most int) (page, perPage int, err error) {
	page, err1 := intParam(q, "page", 1)
	perPage, err2 := intParam(q, sizeName, size)
	if err := cmp.Or(err1, err2); err != nil {
		return 0, 0, err
	}
	if perPage > most {
		return 0, 0, invalidQuery(sizeName, "less_than_equal", "Input should be less than or equal to "+strconv.Itoa(most), q)
	}
	return page, perPage, nil
}

func intParam(q url.Values, name string, otherwise int) (int, error) {
	s := q.Get(name)
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	switch {
	case err != nil:
		return 0, invalidQuery(name, "int_parsing", "Input should be a valid integer, unable to parse string as an integer", q)
	case n < 1:
		return 0, invalidQuery(name, "greater_than_equal", "Input should be greater than or equal to 1", q)
	case n > 1_000_000:
		return 0, invalidQuery(name, "less_than_equal", "Input should be less than or equal to 1000000", q)
	}
	return n, nil
}

func invalidQuery(name, kind, msg string, q url.Values) error {
	return &invalidBody{
		cause:  fault.Bad(name, "%s", msg),
		Detail: []problem{{Type: kind, Loc: []any{"query", name}, Msg: msg, Input: jsonx.MustMarshal(q.Get(name))}},
	}
}

func pages(total, size int) int { return (total + size - 1) / size }
