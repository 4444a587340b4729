package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/ingest/mapping"
	"weir/internal/jsonx"
	"weir/internal/span"
)

// Signal is what a request carries.
type Signal string

const (
	Traces     Signal = "traces"
	LogRecords Signal = "logs"
	Metrics    Signal = "metrics"
)

// maxJSONDepth is more than protobuf's depth takes in JSON, where each level of a value is four brackets.
const maxJSONDepth = 4*maxDepth + 32

// Clients disagree about JSON: 64-bit integers come as numbers and as text, enumerations as numbers and as names, members
// in camel case and in snake case. All are taken. Unknown members are left out, as the protocol asks.

// document is a request that is known to be JSON of bounded depth.
func document(body []byte) (gjson.Result, error) {
	if depthOf(body) > maxJSONDepth {
		return gjson.Result{}, errDeep
	}
	if !jsonx.Valid(body) {
		return gjson.Result{}, malformed("the body is not JSON")
	}
	d := gjson.Parse(jsonx.View(body))
	if !d.IsObject() {
		return gjson.Result{}, malformed("the body is not an object")
	}
	return d, nil
}

// depthOf is how deep brackets nest, in one pass without recursion.
func depthOf(b []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted:
			if c == '\\' {
				i++
			} else if c == '"' {
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// elements calls f with the elements of a list; null is an empty one.
func elements(v gjson.Result, what string, f func(gjson.Result) error) (err error) {
	if v.Type == gjson.Null {
		return nil
	}
	if !v.IsArray() {
		return malformed(what + " is not a list")
	}
	v.ForEach(func(_, e gjson.Result) bool {
		if !e.IsObject() {
			err = malformed("an element of " + what + " is not an object")
		} else {
			err = f(e)
		}
		return err == nil
	})
	return err
}

// either is a member under one of two names.
func either(v gjson.Result, camel, snake string) gjson.Result {
	if m := v.Get(camel); m.Exists() {
		return m
	}
	return v.Get(snake)
}

// frames goes through the resources and scopes of a request of any signal.
func frames(body []byte, resources, scopes, items [2]string, each func(*source, gjson.Result) error) error {
	d, err := document(body)
	if err != nil {
		return err
	}
	return elements(either(d, resources[0], resources[1]), resources[0], func(r gjson.Result) error {
		s := &source{}
		deep := false
		if err := attributesJSON(r.Get("resource.attributes"), &s.resource, &deep); err != nil {
			return err
		}
		return elements(either(r, scopes[0], scopes[1]), scopes[0], func(sc gjson.Result) error {
			s.scope, s.version = sc.Get("scope.name").String(), sc.Get("scope.version").String()
			return elements(either(sc, items[0], items[1]), items[0], func(item gjson.Result) error { return each(s, item) })
		})
	})
}

// SpansJSON is Spans for a JSON request.
func SpansJSON(body []byte, yield func(r *mapping.Raw, bad error) error) error {
	var d spanDecoder
	return frames(body, [2]string{"resourceSpans", "resource_spans"}, [2]string{"scopeSpans", "scope_spans"}, [2]string{"spans", "spans"},
		func(s *source, v gjson.Result) error {
			d.reset(s)
			if err := d.members(v); err != nil {
				return err
			}
			return yield(&d.raw, d.verdict())
		})
}

func (d *spanDecoder) members(v gjson.Result) (err error) {
	r := &d.raw
	v.ForEach(func(k, m gjson.Result) bool {
		switch k.Str {
		case "traceId", "trace_id":
			idJSON(m, 16, &r.Trace, &d.bad)
		case "spanId", "span_id":
			idJSON(m, 8, &r.ID, &d.bad)
		case "parentSpanId", "parent_span_id":
			idJSON(m, 8, &r.Parent, &d.bad)
		case "name":
			r.Name = m.String()
		case "kind":
			r.Kind = kindJSON(m)
		case "startTimeUnixNano", "start_time_unix_nano":
			err = momentJSON(m, &r.Start)
		case "endTimeUnixNano", "end_time_unix_nano":
			err = momentJSON(m, &r.End)
		case "attributes":
			err = attributesJSON(m, &r.Attributes, &d.deep)
		case "events":
			err = elements(m, "events", d.eventJSON)
		case "links":
			err = elements(m, "links", d.linkJSON)
		case "status":
			code := m.Get("code")
			r.Failed = code.Int() == 2 || code.Str == "STATUS_CODE_ERROR"
			r.StatusText = m.Get("message").String()
		}
		return err == nil
	})
	return err
}

func (d *spanDecoder) eventJSON(v gjson.Result) error {
	e := mapping.Event{Name: v.Get("name").String()}
	if err := momentJSON(either(v, "timeUnixNano", "time_unix_nano"), &e.Time); err != nil {
		return err
	}
	err := attributesJSON(v.Get("attributes"), &e.Attributes, &d.deep)
	d.raw.Events = append(d.raw.Events, e)
	return err
}

func (d *spanDecoder) linkJSON(v gjson.Result) error {
	var l span.Link
	var attributes []mapping.Attribute
	bad := false
	idJSON(either(v, "traceId", "trace_id"), 16, &l.Trace, &bad)
	idJSON(either(v, "spanId", "span_id"), 8, &l.Span, &bad)
	if err := attributesJSON(v.Get("attributes"), &attributes, &bad); err != nil {
		return err
	}
	if len(attributes) > 0 {
		l.Attributes = asJSON(attributes)
	}
	if l.Trace != "" {
		d.raw.Links = append(d.raw.Links, l)
	}
	return nil
}

// LogsJSON is Logs for a JSON request.
func LogsJSON(body []byte, yield func(l *Log, bad error) error) error {
	return frames(body, [2]string{"resourceLogs", "resource_logs"}, [2]string{"scopeLogs", "scope_logs"}, [2]string{"logRecords", "log_records"},
		func(s *source, v gjson.Result) error {
			l := Log{Resource: s.resource, Scope: s.scope, Version: s.version}
			wrong, deep := false, false
			idJSON(either(v, "traceId", "trace_id"), 16, &l.Trace, &wrong)
			idJSON(either(v, "spanId", "span_id"), 8, &l.Span, &wrong)
			at := either(v, "timeUnixNano", "time_unix_nano")
			if at.String() == "" || at.String() == "0" {
				at = either(v, "observedTimeUnixNano", "observed_time_unix_nano")
			}
			if err := momentJSON(at, &l.Time); err != nil {
				return err
			}
			if err := attributesJSON(v.Get("attributes"), &l.Attributes, &deep); err != nil {
				return err
			}
			body, err := valueJSON(v.Get("body"), 1)
			if err != nil && err != errDeep {
				return err
			}
			l.Body = body
			if l.Name = either(v, "eventName", "event_name").String(); l.Name == "" {
				l.Name = eventName(l.Attributes)
			}
			if deep || err != nil {
				return yield(&l, errDeep)
			}
			return yield(&l, nil)
		})
}

func kindJSON(m gjson.Result) string {
	if m.Type == gjson.String && strings.HasPrefix(m.Str, "SPAN_KIND_") {
		if k := strings.ToLower(strings.TrimPrefix(m.Str, "SPAN_KIND_")); k != "unspecified" {
			return k
		}
		return ""
	}
	if k := m.Int(); k > 0 && k < int64(len(kinds)) {
		return kinds[k]
	}
	return ""
}

// idJSON is hex, in any case.
func idJSON(v gjson.Result, size int, into *string, bad *bool) {
	s := strings.ToLower(v.Str)
	switch {
	case strings.Trim(s, "0") == "":
		*into = ""
	case len(s) != 2*size || !isHex(s):
		*bad = true
	default:
		*into = s
	}
}

func isHex(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil
}

func momentJSON(v gjson.Result, into *time.Time) error {
	var n uint64
	var err error
	switch v.Type {
	case gjson.Null:
		return nil
	case gjson.String:
		if v.Str == "" {
			return nil
		}
		n, err = strconv.ParseUint(v.Str, 10, 64)
	case gjson.Number:
		if n, err = strconv.ParseUint(v.Raw, 10, 64); err != nil && v.Num >= 0 && v.Num < math.MaxUint64 { // 1.7e18
			n, err = uint64(v.Num), nil
		}
	default:
		return malformed("a time is neither text nor a number")
	}
	if err != nil {
		return malformed("a time is not a number of nanoseconds")
	}
	if n != 0 {
		*into = time.Unix(int64(n/1e9), int64(n%1e9)).UTC()
	}
	return nil
}

func attributesJSON(v gjson.Result, into *[]mapping.Attribute, deep *bool) error {
	return elements(v, "attributes", func(kv gjson.Result) error {
		x, err := valueJSON(kv.Get("value"), 1)
		if err == errDeep {
			*deep = true
			return nil
		}
		if key := kv.Get("key").String(); err == nil && key != "" {
			*into = append(*into, mapping.Attribute{Key: key, Value: x})
		}
		return err
	})
}

// valueJSON reads an AnyValue; an empty one is nil.
func valueJSON(v gjson.Result, depth int) (out any, err error) {
	switch {
	case depth > maxDepth:
		return nil, errDeep
	case v.Type == gjson.Null:
		return nil, nil
	case !v.IsObject():
		return nil, malformed("a value is not an object")
	}
	v.ForEach(func(k, m gjson.Result) bool {
		if m.Type != gjson.Null {
			out, err = oneOfJSON(k.Str, m, out, depth)
		}
		return err == nil
	})
	return out, err
}

func oneOfJSON(name string, m gjson.Result, otherwise any, depth int) (any, error) {
	switch name {
	case "stringValue", "string_value":
		return m.String(), nil
	case "boolValue", "bool_value":
		return m.Bool(), nil
	case "intValue", "int_value":
		n, err := strconv.ParseInt(m.String(), 10, 64)
		if err != nil {
			return nil, malformed("an intValue is not an integer")
		}
		return n, nil
	case "doubleValue", "double_value":
		if m.Type == gjson.String {
			if f, err := strconv.ParseFloat(m.Str, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
				return f, nil
			}
			return m.Str, nil // NaN and Infinity, for which JSON has no number
		}
		return m.Float(), nil
	case "bytesValue", "bytes_value":
		b, err := base64.StdEncoding.DecodeString(m.Str)
		if err != nil {
			return nil, malformed("a bytesValue is not base64")
		}
		return b, nil
	case "arrayValue", "array_value":
		list := []any{}
		err := elements(m.Get("values"), "values", func(e gjson.Result) error {
			x, err := valueJSON(e, depth+1)
			list = append(list, x)
			return err
		})
		return list, err
	case "kvlistValue", "kvlist_value":
		members := map[string]any{}
		err := elements(m.Get("values"), "values", func(e gjson.Result) error {
			x, err := valueJSON(e.Get("value"), depth+1)
			members[e.Get("key").String()] = x
			return err
		})
		return members, err
	}
	return otherwise, nil
}

// asJSON is attributes as an object; the last of a name wins.
func asJSON(attributes []mapping.Attribute) jsonx.Raw {
	m := make(map[string]any, len(attributes))
	for _, a := range attributes {
		m[a.Key] = plain(a.Value)
	}
	b, err := jsonx.Marshal(m)
	if err != nil {
		return nil
	}
	return b
}

// plain is a value without bytes, which JSON does not have.
func plain(v any) any {
	switch v := v.(type) {
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = plain(v[k])
		}
		return out
	}
	return v
}
