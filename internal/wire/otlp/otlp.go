// Package otlp reads and writes OpenTelemetry's protocol: export requests of spans, logs and metrics in protobuf or JSON,
// and the answers to them. Protobuf is read in place, in one pass and with bounded nesting; what it yields points into
// the request. Field numbers: https://github.com/open-telemetry/opentelemetry-proto
package otlp

import (
	"encoding/hex"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/VictoriaMetrics/easyproto"

	"weir/internal/fault"
	"weir/internal/ingest/mapping"
)

// maxDepth bounds the nesting of attribute values.
const maxDepth = 48

// malformed refuses a whole request.
func malformed(what string) error { return fault.New(fault.Invalid, "malformed OTLP: %s", what) }

var (
	errDeep  = fault.New(fault.Invalid, "an attribute is nested more than %d levels deep", maxDepth)
	errField = malformed("a field has the wrong type")
)

// fields calls f with the fields of a message.
func fields(src []byte, f func(fc *easyproto.FieldContext) error) (err error) {
	var fc easyproto.FieldContext
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return malformed("a field is cut off or of an unknown kind")
		}
		if err := f(&fc); err != nil {
			return err
		}
	}
	return nil
}

func message(fc *easyproto.FieldContext) ([]byte, error) {
	if m, ok := fc.MessageData(); ok {
		return m, nil
	}
	return nil, errField
}

// single is a field that a message has at most once; it may stand anywhere.
func single(src []byte, field uint32) ([]byte, error) {
	m, _, err := easyproto.GetMessageData(src, field)
	if err != nil {
		return nil, malformed("a field is cut off or of an unknown kind")
	}
	return m, nil
}

// text is a string field. Clients do send invalid UTF-8, which nothing behind this could store.
func text(fc *easyproto.FieldContext, into *string) error {
	s, ok := fc.String()
	if !ok {
		return errField
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	*into = s
	return nil
}

func moment(fc *easyproto.FieldContext, into *time.Time) error {
	n, ok := fc.Fixed64()
	if !ok {
		return errField
	}
	if n != 0 {
		*into = time.Unix(int64(n/1e9), int64(n%1e9)).UTC()
	}
	return nil
}

func count(fc *easyproto.FieldContext, into *int32) error {
	n, ok := fc.Int32()
	if !ok {
		return errField
	}
	*into = n
	return nil
}

// id is an id of so many bytes in hex; all zeros stand for none. bad is set for another length.
func id(fc *easyproto.FieldContext, size int, into *string, bad *bool) error {
	b, ok := fc.Bytes()
	if !ok {
		return errField
	}
	zero := true
	for _, c := range b {
		zero = zero && c == 0
	}
	switch {
	case zero:
		*into = ""
	case len(b) != size:
		*bad = true
	default:
		*into = hex.EncodeToString(b)
	}
	return nil
}

// attribute appends a KeyValue. One that is nested too deep sets deep and is left out.
func attribute(fc *easyproto.FieldContext, into *[]mapping.Attribute, deep *bool) error {
	src, err := message(fc)
	if err != nil {
		return err
	}
	var a mapping.Attribute
	err = keyValue(src, &a, 1)
	if err == errDeep {
		*deep = true
		return nil
	}
	if err == nil && a.Key != "" {
		*into = append(*into, a)
	}
	return err
}

func keyValue(src []byte, a *mapping.Attribute, depth int) error {
	var fc easyproto.FieldContext
	var err error
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return malformed("an attribute is cut off")
		}
		switch fc.FieldNum {
		case 1:
			err = text(&fc, &a.Key)
		case 2:
			var m []byte
			if m, err = message(&fc); err == nil {
				a.Value, err = value(m, depth)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// value reads an AnyValue; an empty one is nil.
func value(src []byte, depth int) (v any, err error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	var fc easyproto.FieldContext
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return nil, malformed("a value is cut off")
		}
		if v, err = oneOf(&fc, v, depth); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func oneOf(fc *easyproto.FieldContext, v any, depth int) (any, error) {
	ok := true
	switch fc.FieldNum {
	case 1:
		var s string
		err := text(fc, &s)
		return s, err
	case 2:
		v, ok = fc.Bool()
	case 3:
		v, ok = fc.Int64()
	case 4:
		var f float64
		if f, ok = fc.Double(); ok && (math.IsNaN(f) || math.IsInf(f, 0)) { // JSON has no word for them
			return notFinite(f), nil
		}
		v = f
	case 5, 6:
		m, err := message(fc)
		if err != nil {
			return nil, err
		}
		if fc.FieldNum == 5 {
			return array(m, depth+1)
		}
		return object(m, depth+1)
	case 7:
		v, ok = fc.Bytes()
	}
	if !ok {
		return nil, errField
	}
	return v, nil
}

func notFinite(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case f < 0:
		return "-Infinity"
	}
	return "Infinity"
}

func array(src []byte, depth int) (any, error) {
	list := []any{}
	err := fields(src, func(fc *easyproto.FieldContext) error {
		if fc.FieldNum != 1 {
			return nil
		}
		m, err := message(fc)
		if err != nil {
			return err
		}
		v, err := value(m, depth)
		list = append(list, v)
		return err
	})
	return list, err
}

func object(src []byte, depth int) (any, error) {
	members := map[string]any{}
	err := fields(src, func(fc *easyproto.FieldContext) error {
		if fc.FieldNum != 1 {
			return nil
		}
		m, err := message(fc)
		if err != nil {
			return err
		}
		var a mapping.Attribute
		if err = keyValue(m, &a, depth); err == nil {
			members[a.Key] = a.Value
		}
		return err
	})
	return members, err
}

// source is the program and the instrumentation that something comes from.
type source struct {
	resource       []mapping.Attribute
	scope, version string
}

// walk goes through the resources and scopes of a request of any signal: all three have the same frame.
func walk(body []byte, item uint32, each func(*source, []byte) error) error {
	return fields(body, func(fc *easyproto.FieldContext) error {
		if fc.FieldNum != 1 {
			return nil
		}
		m, err := message(fc)
		if err != nil {
			return err
		}
		return walkResource(m, item, each)
	})
}

func walkResource(src []byte, item uint32, each func(*source, []byte) error) error {
	s := &source{}
	resource, err := single(src, 1)
	if err != nil {
		return err
	}
	deep := false // a resource keeps what can be read of it
	if err := fields(resource, func(fc *easyproto.FieldContext) error {
		if fc.FieldNum != 1 {
			return nil
		}
		return attribute(fc, &s.resource, &deep)
	}); err != nil {
		return err
	}
	return fields(src, func(fc *easyproto.FieldContext) error {
		if fc.FieldNum != 2 {
			return nil
		}
		m, err := message(fc)
		if err != nil {
			return err
		}
		return walkScope(m, s, item, each)
	})
}

func walkScope(src []byte, s *source, item uint32, each func(*source, []byte) error) error {
	scope, err := single(src, 1)
	if err != nil {
		return err
	}
	s.scope, s.version = "", ""
	if err := fields(scope, func(fc *easyproto.FieldContext) error {
		switch fc.FieldNum {
		case 1:
			return text(fc, &s.scope)
		case 2:
			return text(fc, &s.version)
		}
		return nil
	}); err != nil {
		return err
	}
	return fields(src, func(fc *easyproto.FieldContext) error {
		if fc.FieldNum != item {
			return nil
		}
		m, err := message(fc)
		if err != nil {
			return err
		}
		return each(s, m)
	})
}
