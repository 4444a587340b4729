package otlp

import (
	"github.com/VictoriaMetrics/easyproto"

	"weir/internal/fault"
	"weir/internal/ingest/mapping"
	"weir/internal/span"
)

// Spans calls yield with each span of a protobuf ExportTraceServiceRequest, until it returns an error. bad is why a span
// cannot be taken; the others still can. The span is valid until yield returns, the texts in it as long as body is.
func Spans(body []byte, yield func(r *mapping.Raw, bad error) error) error {
	var d spanDecoder
	return walk(body, 2, func(s *source, src []byte) error {
		bad, err := d.decode(s, src)
		if err != nil {
			return err
		}
		return yield(&d.raw, bad)
	})
}

type spanDecoder struct {
	raw       mapping.Raw
	bad, deep bool
}

var kinds = [...]string{1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}

func (d *spanDecoder) decode(s *source, src []byte) (bad, err error) {
	d.reset(s)
	if err := fields(src, d.field); err != nil {
		return nil, err
	}
	return d.verdict(), nil
}

func (d *spanDecoder) reset(s *source) {
	d.raw = mapping.Raw{
		Attributes: d.raw.Attributes[:0], Events: d.raw.Events[:0],
		Resource: s.resource, Scope: s.scope, ScopeVersion: s.version,
	}
	d.bad, d.deep = false, false
}

// verdict is why a span cannot be taken, or nil.
func (d *spanDecoder) verdict() error {
	switch {
	case d.bad:
		return fault.New(fault.Invalid, "an id of a span has the wrong length")
	case d.raw.Trace == "" || d.raw.ID == "":
		return fault.New(fault.Invalid, "a span needs a trace id of 16 bytes and a span id of 8, not all zero")
	case d.deep:
		return errDeep
	}
	return nil
}

func (d *spanDecoder) field(fc *easyproto.FieldContext) (err error) {
	r := &d.raw
	switch fc.FieldNum {
	case 1:
		return id(fc, 16, &r.Trace, &d.bad)
	case 2:
		return id(fc, 8, &r.ID, &d.bad)
	case 4:
		return id(fc, 8, &r.Parent, &d.bad)
	case 5:
		return text(fc, &r.Name)
	case 6:
		var k int32
		if err := count(fc, &k); err != nil {
			return err
		}
		if k > 0 && int(k) < len(kinds) {
			r.Kind = kinds[k]
		}
	case 7:
		return moment(fc, &r.Start)
	case 8:
		return moment(fc, &r.End)
	case 9:
		return attribute(fc, &r.Attributes, &d.deep)
	case 11, 13, 15:
		m, err := message(fc)
		if err != nil {
			return err
		}
		switch fc.FieldNum {
		case 11:
			return d.event(m)
		case 13:
			return d.link(m)
		}
		return d.status(m)
	}
	return nil
}

func (d *spanDecoder) status(src []byte) error {
	return fields(src, func(fc *easyproto.FieldContext) error {
		switch fc.FieldNum {
		case 2:
			return text(fc, &d.raw.StatusText)
		case 3:
			var code int32
			err := count(fc, &code)
			d.raw.Failed = code == 2
			return err
		}
		return nil
	})
}

func (d *spanDecoder) event(src []byte) error {
	var e mapping.Event
	err := fields(src, func(fc *easyproto.FieldContext) error {
		switch fc.FieldNum {
		case 1:
			return moment(fc, &e.Time)
		case 2:
			return text(fc, &e.Name)
		case 3:
			return attribute(fc, &e.Attributes, &d.deep)
		}
		return nil
	})
	d.raw.Events = append(d.raw.Events, e)
	return err
}

func (d *spanDecoder) link(src []byte) error {
	var l span.Link
	var attributes []mapping.Attribute
	bad := false // a link to nowhere harms nobody
	err := fields(src, func(fc *easyproto.FieldContext) error {
		switch fc.FieldNum {
		case 1:
			return id(fc, 16, &l.Trace, &bad)
		case 2:
			return id(fc, 8, &l.Span, &bad)
		case 4:
			return attribute(fc, &attributes, &bad)
		}
		return nil
	})
	if len(attributes) > 0 {
		l.Attributes = asJSON(attributes)
	}
	if l.Trace != "" {
		d.raw.Links = append(d.raw.Links, l)
	}
	return err
}
