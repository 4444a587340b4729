package otlp

import (
	"math"

	"github.com/VictoriaMetrics/easyproto"
	"github.com/tidwall/gjson"

	"weir/internal/ingest"
	"weir/internal/ingest/mapping"
)

// Points calls yield with each data point of a protobuf ExportMetricsServiceRequest whose metric want likes. The number
// of the others is returned.
func Points(body []byte, want func(metric string) bool, yield func(ingest.Point) error) (others int, err error) {
	err = walk(body, 2, func(s *source, src []byte) error {
		m := metric{want: want, yield: yield, source: s}
		err := fields(src, m.head)
		if err == nil {
			err = fields(src, m.data)
		}
		others += m.others
		return err
	})
	return others, err
}

// metric is one on its way; name and unit are read before the data, wherever they stand.
type metric struct {
	source     *source
	name, unit string
	want       func(string) bool
	yield      func(ingest.Point) error
	others     int
}

func (m *metric) head(fc *easyproto.FieldContext) error {
	switch fc.FieldNum {
	case 1:
		return text(fc, &m.name)
	case 3:
		return text(fc, &m.unit)
	}
	return nil
}

var pointKinds = map[uint32]string{5: "gauge", 7: "sum", 9: "histogram", 10: "exponential_histogram", 11: "summary"}

func (m *metric) data(fc *easyproto.FieldContext) error {
	kind, ok := pointKinds[fc.FieldNum]
	if !ok {
		return nil
	}
	src, err := message(fc)
	if err != nil {
		return err
	}
	return fields(src, func(fc *easyproto.FieldContext) error {
		if fc.FieldNum != 1 {
			return nil
		}
		src, err := message(fc)
		if err != nil {
			return err
		}
		if !m.want(m.name) {
			m.others++
			return nil
		}
		return m.point(kind, src)
	})
}

// Where the attributes of a point stand, and what its other fields are: each kind numbers them in its own way.
func (m *metric) point(kind string, src []byte) error {
	p := ingest.Point{Name: m.name, Unit: m.unit, Kind: kind, Resource: asJSON(m.source.resource)}
	var attributes []mapping.Attribute
	deep := false
	err := fields(src, func(fc *easyproto.FieldContext) error {
		switch {
		case fc.FieldNum == 2:
			return moment(fc, &p.Start)
		case fc.FieldNum == 3:
			return moment(fc, &p.Time)
		case kind == "gauge" || kind == "sum":
			switch fc.FieldNum {
			case 4:
				return double(fc, &p.Value)
			case 6:
				n, ok := fc.Sfixed64()
				p.Value = float64(n)
				return isType(ok)
			case 7:
				return attribute(fc, &attributes, &deep)
			}
			return nil
		case fc.FieldNum == 4:
			n, ok := fc.Fixed64()
			p.Count = n
			return isType(ok)
		case fc.FieldNum == 5:
			return double(fc, &p.Sum)
		case fc.FieldNum == attributesOf[kind]:
			return attribute(fc, &attributes, &deep)
		case kind == "histogram":
			return histogram(&p, fc)
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.Attributes = asJSON(attributes)
	return m.yield(p)
}

var attributesOf = map[string]uint32{"histogram": 9, "exponential_histogram": 1, "summary": 7}

func histogram(p *ingest.Point, fc *easyproto.FieldContext) error {
	ok := true
	switch fc.FieldNum {
	case 6:
		p.Buckets, ok = fc.UnpackFixed64s(p.Buckets)
	case 7:
		p.Bounds, ok = fc.UnpackDoubles(p.Bounds)
		for i := range p.Bounds {
			p.Bounds[i] = finite(p.Bounds[i])
		}
	case 11:
		return double(fc, &p.Min)
	case 12:
		return double(fc, &p.Max)
	}
	return isType(ok)
}

func isType(ok bool) error {
	if !ok {
		return errField
	}
	return nil
}

func double(fc *easyproto.FieldContext, into *float64) error {
	f, ok := fc.Double()
	*into = finite(f)
	return isType(ok)
}

// finite is f, or 0 where JSON has no number for it.
func finite(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

var jsonKinds = [...][3]string{
	{"gauge", "gauge", "gauge"}, {"sum", "sum", "sum"}, {"histogram", "histogram", "histogram"},
	{"exponentialHistogram", "exponential_histogram", "exponential_histogram"}, {"summary", "summary", "summary"},
}

// PointsJSON is Points for a JSON request.
func PointsJSON(body []byte, want func(metric string) bool, yield func(ingest.Point) error) (others int, err error) {
	err = frames(body, [2]string{"resourceMetrics", "resource_metrics"}, [2]string{"scopeMetrics", "scope_metrics"}, [2]string{"metrics", "metrics"},
		func(s *source, v gjson.Result) error {
			name, unit := v.Get("name").String(), v.Get("unit").String()
			for _, kind := range jsonKinds {
				data := either(either(v, kind[0], kind[1]), "dataPoints", "data_points")
				err := elements(data, "dataPoints", func(d gjson.Result) error {
					if !want(name) {
						others++
						return nil
					}
					p := ingest.Point{Name: name, Unit: unit, Kind: kind[2], Resource: asJSON(s.resource)}
					if err := pointMembers(&p, d); err != nil {
						return err
					}
					return yield(p)
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	return others, err
}

func pointMembers(p *ingest.Point, d gjson.Result) error {
	var attributes []mapping.Attribute
	deep := false
	if err := attributesJSON(d.Get("attributes"), &attributes, &deep); err != nil {
		return err
	}
	p.Attributes = asJSON(attributes)
	if err := momentJSON(either(d, "startTimeUnixNano", "start_time_unix_nano"), &p.Start); err != nil {
		return err
	}
	if err := momentJSON(either(d, "timeUnixNano", "time_unix_nano"), &p.Time); err != nil {
		return err
	}
	p.Value = finite(either(d, "asDouble", "as_double").Float())
	if n := either(d, "asInt", "as_int"); n.Exists() {
		p.Value = finite(n.Float())
	}
	p.Count, p.Sum = d.Get("count").Uint(), finite(d.Get("sum").Float())
	p.Min, p.Max = finite(d.Get("min").Float()), finite(d.Get("max").Float())
	for _, b := range either(d, "bucketCounts", "bucket_counts").Array() {
		p.Buckets = append(p.Buckets, b.Uint())
	}
	for _, b := range either(d, "explicitBounds", "explicit_bounds").Array() {
		p.Bounds = append(p.Bounds, finite(b.Float()))
	}
	return nil
}
