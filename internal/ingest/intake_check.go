package ingest

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"weir/internal/fault"
	"weir/internal/span"
)

// Bounds of a span from outside. Longer ids are refused, since cutting them would join what is apart; longer texts are
// cut, and stay whole in the raw attributes they came from.
const (
	maxID      = 256
	maxName    = 1 << 10
	maxField   = 512
	maxMessage = 64 << 10
	maxTagList = 100
	maxRecord  = 1 << 20 // everything but the bodies
)

// Times that storage and index hold with room to spare.
var (
	earliest = time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2260, 1, 1, 0, 0, 0, 0, time.UTC)
)

// check makes a span fit to be stored, or says why it cannot be. A value that had to be changed is kept as an attribute
// "weir.raw.…".
func check(in *Incoming, now time.Time) error {
	s := in.Span
	if s == nil || s.Project == "" {
		return fault.New(fault.Invalid, "a span needs a project")
	}
	if err := checkID("trace id", s.Trace); err != nil {
		return err
	}
	if err := checkID("span id", s.ID); err != nil {
		return err
	}
	if len(s.Parent) > maxID || s.Parent == s.ID {
		raw(s, "parent", clipped(s.Parent, maxID))
		s.Parent = ""
	}
	if s.Status == "" && !in.Update {
		s.Status = span.OK
	}
	times(in, now)
	texts(s)
	if n := recordSize(s); n > maxRecord {
		return fault.New(fault.TooLarge, "the span has %d bytes beside its input and output; the limit is %d", n, maxRecord)
	}
	return nil
}

func checkID(what, id string) error {
	switch {
	case id == "":
		return fault.New(fault.Invalid, "the %s is empty", what)
	case len(id) > maxID:
		return fault.New(fault.Invalid, "the %s has %d bytes; the limit is %d", what, len(id), maxID)
	case !utf8.ValidString(id) || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fault.New(fault.Invalid, "the %s has characters that no id has", what)
	}
	return nil
}

// raw keeps what a client sent under a name of ours.
func raw(s *span.Span, name, value string) {
	base := []byte(s.Attributes)
	if len(base) == 0 {
		base = []byte("{}")
	}
	if out, err := sjson.SetBytes(base, `weir\.raw\.`+name, value); err == nil && gjson.ValidBytes(out) {
		s.Attributes = out
	}
}

// times fills in what is missing and keeps the order of start and end. An update may leave both open.
func times(in *Incoming, now time.Time) {
	s := in.Span
	clamp(s, &s.Start, "start")
	clamp(s, &s.End, "end")
	if in.Update {
		return // merge knows what is unset
	}
	switch {
	case unset(s.Start) && unset(s.End):
		s.Start, s.End = now, now
	case unset(s.Start):
		s.Start = s.End
	case unset(s.End):
		s.End = s.Start
	}
	if s.End.Before(s.Start) {
		raw(s, "end", s.End.Format(time.RFC3339Nano))
		s.End = s.Start
	}
}

// unset also takes the Unix epoch for none: it is how OTLP writes it.
func unset(t time.Time) bool { return t.IsZero() || t.UnixNano() == 0 }

func clamp(s *span.Span, t *time.Time, name string) {
	if t.IsZero() {
		return
	}
	*t = t.UTC()
	switch {
	case t.Before(earliest):
		raw(s, name, strconv.FormatInt(t.Unix(), 10))
		*t = earliest
	case t.After(latest):
		raw(s, name, strconv.FormatInt(t.Unix(), 10))
		*t = latest
	}
}

func texts(s *span.Span) {
	shorten(&s.Name, maxName)
	for _, f := range []*string{
		&s.Experiment, &s.Operation, &s.Dialect, &s.Group, &s.Model, &s.Provider, &s.Finish, &s.Upstream, &s.ErrorType, &s.EndUser,
		(*string)(&s.User), &s.Email, &s.Session, &s.Client, &s.ClientVersion, &s.TraceName, &s.Service, &s.Scope, &s.Environment,
		&s.Release, &s.Prompt.Name, &s.Prompt.Version, &s.UserAgent, &s.RequestID,
	} {
		shorten(f, maxField)
	}
	shorten(&s.ErrorText, maxMessage)
	shorten(&s.ErrorBody, maxMessage)
	if len(s.Tags) > maxTagList {
		s.Tags = s.Tags[:maxTagList]
	}
	for i := range s.Tags {
		shorten(&s.Tags[i], maxField)
	}
}

func shorten(s *string, n int) {
	if len(*s) > n {
		*s = clipped(*s, n)
	}
}

func clipped(s string, n int) string {
	return strings.Clone(strings.ToValidUTF8(s[:min(len(s), n)], ""))
}

// recordSize is about what a span takes beside its bodies.
func recordSize(s *span.Span) int {
	n := len(s.Attributes) + len(s.Resource) + len(s.Metadata) + len(s.Params) + len(s.ErrorText) + len(s.ErrorBody)
	for i := range s.Events {
		n += len(s.Events[i].Name) + len(s.Events[i].Attributes) + 64
	}
	for i := range s.Links {
		n += len(s.Links[i].Trace) + len(s.Links[i].Span) + len(s.Links[i].Attributes)
	}
	return n
}
