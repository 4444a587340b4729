package mapping

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/money"
)

const (
	second      = time.Second
	millisecond = time.Millisecond
)

// textOf is a copy of a value as text. Text that is itself quoted, as MLflow and Langfuse send it, is unquoted; of a list
// it is the first element.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' && gjson.Valid(v) {
			return strings.Clone(gjson.Parse(v).Str)
		}
		return strings.Clone(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		if len(v) > 0 {
			if _, nested := v[0].([]any); !nested {
				return textOf(v[0])
			}
		}
	}
	return ""
}

// firstOf is textOf, for values that may also be a list in text.
func firstOf(v any) string {
	s := textOf(v)
	if strings.HasPrefix(s, "[") && gjson.Valid(s) {
		return gjson.Get(s, "0").String()
	}
	return s
}

// countOf is a count of tokens; what is none is 0, false.
func countOf(v any) (int64, bool) {
	n, ok := numberOf(v)
	if !ok || n < 0 || n > 1<<53 {
		return 0, false
	}
	return int64(n), true
}

func numberOf(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case string:
		n, err := strconv.ParseFloat(strings.Trim(v, ` "$`), 64)
		return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
	}
	return 0, false
}

// usdOf is an amount of dollars, never negative.
func usdOf(v any) (money.Nano, bool) {
	n, ok := numberOf(v)
	return money.FromUSD(max(n, 0)), ok && n >= 0
}

func boolOf(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(strings.Trim(v, `"`), "true")
	}
	return false
}

// timeOf is a point in time: RFC 3339, perhaps quoted, or nanoseconds since 1970.
func timeOf(v any) (time.Time, bool) {
	switch v := v.(type) {
	case string:
		t, err := time.Parse(time.RFC3339Nano, strings.Trim(v, ` "`))
		return t, err == nil
	case int64:
		return time.Unix(0, v), v > 0
	}
	return time.Time{}, false
}

// jsonOf is a structured value as JSON: text that holds some, or a value that is some. It shares memory with v.
func jsonOf(v any) (gjson.Result, bool) {
	switch v := v.(type) {
	case string:
		if isJSON(v) {
			r := gjson.Parse(v)
			if r.Type == gjson.String && isJSON(r.Str) { // quoted twice
				r = gjson.Parse(r.Str)
			}
			return r, r.IsObject() || r.IsArray()
		}
	case []any, map[string]any:
		return gjson.ParseBytes(appendValue(nil, v, 0)), true
	}
	return gjson.Result{}, false
}

// tagsOf are the tags of a list, a list in text, or text with commas.
func tagsOf(v any) []string {
	var out []string
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, strings.Clone(s))
		}
	}
	if list, ok := jsonOf(v); ok {
		list.ForEach(func(_, e gjson.Result) bool { add(e.String()); return true })
		return out
	}
	for part := range strings.SplitSeq(textOf(v), ",") {
		add(part)
	}
	return out
}

// objects collects the entries of an object out of several attributes. The first value of a name stays.
type objects struct {
	dst   []byte
	names []string
}

func (o *objects) open(name string) bool {
	for _, n := range o.names {
		if n == name {
			return false
		}
	}
	o.names = append(o.names, name)
	if o.dst == nil {
		o.dst = append(make([]byte, 0, 256), '{')
	} else {
		o.dst = append(o.dst, ',')
	}
	o.dst = append(appendString(o.dst, name), ':')
	return true
}

// add takes one entry; text that holds an object, a list or quoted text counts as that.
func (o *objects) add(name string, v any) {
	if !o.open(name) {
		return
	}
	if s, ok := v.(string); ok && len(s) > 1 && isJSON(s) {
		o.dst = append(o.dst, strings.TrimSpace(s)...)
		return
	}
	o.dst = appendValue(o.dst, v, 0)
}

// merge takes all entries of an object; of anything else none.
func (o *objects) merge(v any) {
	obj, ok := jsonOf(v)
	if !ok || !obj.IsObject() {
		return
	}
	obj.ForEach(func(k, e gjson.Result) bool {
		if o.open(k.Str) {
			o.dst = append(o.dst, e.Raw...)
		}
		return true
	})
}

// raw is the object, or nil if it is empty.
func (o *objects) raw() []byte {
	if o.dst == nil {
		return nil
	}
	return append(o.dst, '}')
}
