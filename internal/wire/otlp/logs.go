package otlp

import (
	"time"

	"github.com/VictoriaMetrics/easyproto"

	"weir/internal/ingest/mapping"
)

// Log is one log record.
type Log struct {
	Trace, Span    string // hex, or ""
	mapping.Event         // Name is the event's name, "" for a plain record
	Resource       []mapping.Attribute
	Scope, Version string
}

// Logs calls yield with each record of a protobuf ExportLogsServiceRequest, until it returns an error. Records whose
// attributes are nested too deep come with bad set. Texts are valid as long as body is.
func Logs(body []byte, yield func(l *Log, bad error) error) error {
	return walk(body, 2, func(s *source, src []byte) error {
		l := Log{Resource: s.resource, Scope: s.scope, Version: s.version}
		var observed time.Time
		wrong, deep := false, false
		err := fields(src, func(fc *easyproto.FieldContext) error {
			switch fc.FieldNum {
			case 1:
				return moment(fc, &l.Time)
			case 5:
				m, err := message(fc)
				if err != nil {
					return err
				}
				if l.Body, err = value(m, 1); err == errDeep {
					deep, err = true, nil
				}
				return err
			case 6:
				return attribute(fc, &l.Attributes, &deep)
			case 9:
				return id(fc, 16, &l.Trace, &wrong)
			case 10:
				return id(fc, 8, &l.Span, &wrong)
			case 11:
				return moment(fc, &observed)
			case 12:
				return text(fc, &l.Name)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if l.Time.IsZero() {
			l.Time = observed
		}
		if l.Name == "" {
			l.Name = eventName(l.Attributes)
		}
		if deep {
			return yield(&l, errDeep)
		}
		return yield(&l, nil)
	})
}

// eventName is where the name stood before records had a field for it.
func eventName(attributes []mapping.Attribute) string {
	for _, a := range attributes {
		if a.Key == "event.name" {
			s, _ := a.Value.(string)
			return s
		}
	}
	return ""
}
