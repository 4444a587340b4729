// Package reference writes the documentation of the configuration from the types that are configured: a table for
// people and a JSON Schema for editors. Both are committed; the test fails when they are stale.
package reference

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"weir/internal/config"
)

// Setting is one key that may stand in a file.
type Setting struct {
	Path    string // "server.listen", "models[].name", "log.components.*"
	Doc     string
	Type    string // for people
	Default string // "" = none
	Nested  bool   // has settings of its own
}

// Settings are all, in the order of the types.
func Settings() []Setting {
	var out []Setting
	def := config.Default()
	walk("", reflect.TypeOf(def), reflect.ValueOf(def), &out)
	return out
}

// Known reports whether a dotted path, with or without list marks, is a setting.
func Known(path string) bool {
	path = strings.ReplaceAll(path, "[]", "")
	return slices.ContainsFunc(Settings(), func(s Setting) bool { return strings.ReplaceAll(s.Path, "[]", "") == path })
}

func walk(prefix string, t reflect.Type, v reflect.Value, out *[]Setting) {
	for f := range fields(t) {
		s := Setting{Path: prefix + f.name, Doc: f.doc, Type: typeName(f.typ)}
		var fv reflect.Value
		if v.IsValid() {
			fv = v.FieldByIndex(f.index)
			s.Default = defaultText(fv)
		}
		inner, mark := f.typ, ""
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			if inner.Kind() == reflect.Slice {
				mark = "[]"
			}
			inner, fv = inner.Elem(), reflect.Value{}
		}
		s.Nested = isSection(inner)
		*out = append(*out, s)
		if s.Nested {
			walk(s.Path+mark+".", inner, fv, out)
		}
	}
}

type field struct {
	name, doc string
	typ       reflect.Type
	index     []int
}

// fields are the configurable ones of a struct.
func fields(t reflect.Type) func(yield func(field) bool) {
	return func(yield func(field) bool) {
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if name != "" && name != "-" && !yield(field{name, f.Tag.Get("doc"), f.Type, f.Index}) {
				return
			}
		}
	}
}

var (
	secretType   = reflect.TypeFor[config.Secret]()
	durationType = reflect.TypeFor[config.Duration]()
	sizeType     = reflect.TypeFor[config.Size]()
	timeType     = reflect.TypeFor[time.Time]()
)

func isSection(t reflect.Type) bool { return t.Kind() == reflect.Struct && t != timeType }

func typeName(t reflect.Type) string {
	switch t {
	case secretType:
		return "secret"
	case durationType:
		return "duration"
	case sizeType:
		return "size"
	case timeType:
		return "time"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Slice:
		return "list of " + plural(typeName(t.Elem()))
	case reflect.Map:
		if t.Elem().Kind() == reflect.Interface {
			return "mapping"
		}
		return "mapping to " + typeName(t.Elem())
	case reflect.Struct:
		return "section"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "number"
	case reflect.Float64:
		return "decimal"
	}
	return "text"
}

func plural(s string) string {
	if s == "text" {
		return s
	}
	return s + "s"
}

// defaultText is a default as it would be written in a file; zero values are no default worth a word.
func defaultText(v reflect.Value) string {
	if !v.IsValid() || v.IsZero() || isSection(v.Type()) {
		return ""
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		b, _ := m.MarshalText() // of these types never fails
		return string(b)
	}
	if v.Kind() == reflect.Slice {
		return fmt.Sprintf("%q", v.Interface())
	}
	return fmt.Sprint(v.Interface())
}
