package record

import (
	"encoding/hex"

	"weir/internal/jsonx"
	"weir/internal/span"
)

// texts are the fields of texts by their numbers. Numbers are for ever: that of a field that has gone is not given out
// again. The order is that of the record: what spans have in common comes first, so that it compresses as one.
var texts = [...]func(*span.Span) *string{
	1:  func(s *span.Span) *string { return &s.Source },
	2:  func(s *span.Span) *string { return &s.Service },
	3:  func(s *span.Span) *string { return &s.Scope },
	4:  func(s *span.Span) *string { return &s.Environment },
	5:  func(s *span.Span) *string { return &s.Release },
	6:  func(s *span.Span) *string { return &s.Dialect },
	7:  func(s *span.Span) *string { return &s.Operation },
	8:  func(s *span.Span) *string { return (*string)(&s.Kind) },
	9:  func(s *span.Span) *string { return &s.Name },
	10: func(s *span.Span) *string { return (*string)(&s.Status) },
	11: func(s *span.Span) *string { return &s.Group },
	12: func(s *span.Span) *string { return &s.Model },
	13: func(s *span.Span) *string { return &s.Provider },
	14: func(s *span.Span) *string { return &s.Deployment },
	15: func(s *span.Span) *string { return &s.Finish },
	16: func(s *span.Span) *string { return (*string)(&s.Key) },
	17: func(s *span.Span) *string { return &s.KeyAlias },
	18: func(s *span.Span) *string { return (*string)(&s.User) },
	19: func(s *span.Span) *string { return &s.Email },
	20: func(s *span.Span) *string { return (*string)(&s.Team) },
	21: func(s *span.Span) *string { return &s.TeamAlias },
	22: func(s *span.Span) *string { return &s.EndUser },
	23: func(s *span.Span) *string { return &s.Session },
	24: func(s *span.Span) *string { return &s.SessionSource },
	25: func(s *span.Span) *string { return &s.Client },
	26: func(s *span.Span) *string { return &s.ClientVersion },
	27: func(s *span.Span) *string { return &s.UserAgent },
	28: func(s *span.Span) *string { return &s.IP },
	29: func(s *span.Span) *string { return &s.Experiment },
	30: func(s *span.Span) *string { return &s.TraceName },
	31: func(s *span.Span) *string { return &s.ErrorType },
	32: func(s *span.Span) *string { return &s.ErrorText },
	33: func(s *span.Span) *string { return &s.ErrorBody },
	34: func(s *span.Span) *string { return &s.Upstream },
	35: func(s *span.Span) *string { return &s.RequestID },
	36: func(s *span.Span) *string { return &s.Replays },
}

// The other fields of a span.
const (
	fieldAttributes = 37
	fieldResource   = 38
	fieldParams     = 39
	fieldMetadata   = 40
	fieldFirstToken = 41
	fieldHTTP       = 42
	fieldMapping    = 43
	fieldStream     = 44
	fieldCacheHit   = 45
	fieldCovered    = 46
	fieldTag        = 47
	fieldTry        = 48
	fieldUsage      = 49
	fieldCost       = 50
	fieldPrompt     = 51
	fieldEvent      = 52
	fieldLink       = 53
	fieldScore      = 54
	fieldInput      = 55
	fieldOutput     = 56
	fieldParent     = 57 // 16 hex digits as 8 bytes
	fieldParentText = 58 // any other id
	fieldStart      = 59
	fieldTook       = 60 // behind fieldStart
	fieldEnd        = 61
)

// field takes one field over: i is its number, or p its bytes.
func (r *reader) field(s *span.Span, ex *Excerpts, n int, i int64, p []byte) {
	if n < len(texts) {
		if get := texts[n]; get != nil {
			*get(s) = r.text(p)
		}
		return
	}
	switch n {
	case fieldAttributes:
		s.Attributes = r.raw(p)
	case fieldResource:
		s.Resource = r.raw(p)
	case fieldParams:
		s.Params = r.raw(p)
	case fieldMetadata:
		s.Metadata = r.raw(p)
	case fieldFirstToken:
		s.FirstToken = duration(i)
	case fieldHTTP:
		s.HTTP = int(i)
	case fieldMapping:
		s.Mapping = int(i)
	case fieldStream:
		s.Stream = i != 0
	case fieldCacheHit:
		s.CacheHit = i != 0
	case fieldCovered:
		s.Covered = i != 0
	case fieldUsage:
		r.usage(p, &s.Usage)
	case fieldCost:
		r.cost(p, &s.Cost)
	case fieldInput:
		r.ref(p, &s.Input, &ex.Input)
	case fieldOutput:
		r.ref(p, &s.Output, &ex.Output)
	case fieldParent:
		var id [2 * idBytes]byte
		if len(p) != idBytes {
			r.fail()
			return
		}
		s.Parent = string(hex.AppendEncode(id[:0], p))
	case fieldParentText:
		s.Parent = r.text(p)
	case fieldStart:
		s.Start = r.time(p)
	case fieldTook:
		s.End = s.Start.Add(duration(i))
	case fieldEnd:
		s.End = r.time(p)
	default:
		r.list(s, n, p)
	}
}

// list takes over fields of which there may be many, and the rare ones.
func (r *reader) list(s *span.Span, n int, p []byte) {
	switch n {
	case fieldTag:
		s.Tags = append(s.Tags, r.text(p))
	case fieldTry:
		s.Tries = append(s.Tries, r.try(p))
	case fieldPrompt:
		s.Prompt = r.prompt(p)
	case fieldEvent:
		s.Events = append(s.Events, r.moment(p))
	case fieldLink:
		s.Links = append(s.Links, r.link(p))
	case fieldScore:
		s.Scores = append(s.Scores, r.mark(p))
	}
}

func (r *reader) raw(p []byte) jsonx.Raw {
	if r.own {
		return append(jsonx.Raw(nil), p...)
	}
	return p
}
