package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"weir/internal/jsonx"
)

// opt is a field of a change that tells null from absence: null sets it with no value.
type opt[T any] struct {
	set   bool
	value *T
}

// UnmarshalJSON is called where the field is there, null included.
func (o *opt[T]) UnmarshalJSON(b []byte) error {
	o.set = true
	return jsonx.Unmarshal(b, &o.value)
}

// Schema implements huma.SchemaProvider.
func (o opt[T]) Schema(r huma.Registry) *huma.Schema {
	s := *huma.SchemaFromType(r, reflect.TypeFor[T]())
	s.Nullable = true
	return &s
}
