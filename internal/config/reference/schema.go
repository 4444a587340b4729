package reference

import (
	"encoding/json"
	"reflect"

	"weir/internal/config"
)

// node is one JSON Schema.
type node map[string]any

// Schema describes a Weir YAML file in JSON Schema 2020-12. What only config.Validate knows is not in it.
func Schema() ([]byte, error) {
	def := config.Default()
	s := schemaOf(reflect.TypeOf(def), reflect.ValueOf(def))
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "Weir configuration"
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

// reference is ${NAME} or os.environ/NAME, which may stand for a value of any type that is written as text.
const reference = `^(os\.environ/|.*\$\{)`

func schemaOf(t reflect.Type, v reflect.Value) node {
	switch t {
	case secretType:
		return node{"type": "string", "writeOnly": true}
	case durationType:
		return node{"type": []string{"string", "number"}, "pattern": `^([0-9.]+(ns|us|µs|ms|s|m|h))+$|^[0-9.]+$|` + reference, "minimum": 0}
	case sizeType:
		return node{"type": []string{"string", "integer"}, "pattern": `^[0-9.]+ *([kKmMgGtT][iI]?)?[bB]?$|` + reference, "minimum": 0}
	case timeType:
		return node{"type": "string", "format": "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), reflect.Value{})
	case reflect.Slice:
		return node{"type": "array", "items": schemaOf(t.Elem(), reflect.Value{})}
	case reflect.Map:
		if t.Elem().Kind() == reflect.Interface {
			return node{"type": "object"}
		}
		return node{"type": "object", "additionalProperties": schemaOf(t.Elem(), reflect.Value{})}
	case reflect.Struct:
		return section(t, v)
	case reflect.Bool:
		return node{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return node{"type": "integer"}
	case reflect.Float64:
		return node{"type": "number"}
	}
	return node{"type": "string"}
}

func section(t reflect.Type, v reflect.Value) node {
	properties := node{}
	for f := range fields(t) {
		var fv reflect.Value
		if v.IsValid() {
			fv = v.FieldByIndex(f.index)
		}
		p := schemaOf(f.typ, fv)
		p["description"] = f.doc
		if fv.IsValid() && !fv.IsZero() && !isSection(f.typ) {
			p["default"] = fv.Interface()
		}
		properties[f.name] = p
	}
	return node{"type": "object", "properties": properties, "additionalProperties": false}
}
