package otlp

import (
	"context"
	"strings"

	"weir/internal/fault"
	"weir/internal/ingest"
	"weir/internal/ingest/mapping"
	"weir/internal/span"
	"weir/internal/tenant"
	wire "weir/internal/wire/otlp"
)

const evaluation = "gen_ai.evaluation.result"

// events are names of log records that tell about the span they belong to.
var events = map[string]bool{
	"gen_ai.client.inference.operation.details": true, "gen_ai.system.message": true, "gen_ai.user.message": true,
	"gen_ai.assistant.message": true, "gen_ai.tool.message": true, "gen_ai.choice": true,
}

// logs takes a log request: GenAI events add to their spans, which may come later, and evaluation results become scores.
func (s *Surface) logs(ctx context.Context, c *call) (wire.Partial, error) {
	l := logs{surface: s, call: c, at: map[[2]string]int{}}
	read := wire.Logs
	if c.json {
		read = wire.LogsJSON
	}
	if err := read(c.body, func(r *wire.Log, bad error) error { l.add(r, bad); return nil }); err != nil {
		return wire.Partial{}, err
	}
	b := batch{surface: s, ctx: ctx, partial: l.partial}
	for i := range l.spans {
		if err := b.add(l.incoming(&l.spans[i])); err != nil {
			return wire.Partial{}, err
		}
	}
	if err := b.flush(); err != nil {
		return wire.Partial{}, err
	}
	for i := range l.scores {
		if err := s.Scores.PutScore(ctx, &l.scores[i]); fault.Is(err, fault.Invalid) || fault.Is(err, fault.Conflict) {
			b.refuse(1, err)
		} else if err != nil {
			return wire.Partial{}, err
		}
	}
	s.stats.logs.Add(l.all)
	s.stats.events.Add(l.events)
	s.stats.otherLogs.Add(l.others)
	s.stats.scores.Add(int64(len(l.scores)))
	return b.partial, nil
}

// logs gathers the records of one request by span.
type logs struct {
	surface             *Surface
	call                *call
	at                  map[[2]string]int // by trace and span: index of spans
	spans               []mapping.Raw
	scores              []span.Score
	all, events, others int64
	partial             wire.Partial
}

func (l *logs) add(r *wire.Log, bad error) {
	l.all++
	switch {
	case bad != nil:
		l.refuse(messageOf(bad))
	case r.Name == evaluation && l.surface.Scores == nil:
		l.refuse("evaluation results are not taken")
	case r.Name == evaluation && r.Trace != "":
		l.score(r)
	case r.Name == evaluation, events[r.Name] && (r.Trace == "" || r.Span == ""):
		l.refuse("a GenAI event without trace and span id belongs to nothing")
	case events[r.Name]:
		l.event(r)
	default:
		l.others++
		l.refuse("only log records that carry GenAI events are kept")
	}
}

func (l *logs) refuse(why string) {
	l.partial.Rejected++
	if l.partial.Message == "" {
		l.partial.Message = why
	}
}

func (l *logs) event(r *wire.Log) {
	l.events++
	key := [2]string{r.Trace, r.Span}
	i, ok := l.at[key]
	if !ok {
		i = len(l.spans)
		l.at[key] = i
		l.spans = append(l.spans, mapping.Raw{
			Trace: r.Trace, ID: r.Span, Start: r.Time, End: r.Time, Resource: r.Resource, Scope: r.Scope, ScopeVersion: r.Version,
		})
	}
	raw := &l.spans[i]
	raw.Events = append(raw.Events, r.Event)
	if r.Name == "gen_ai.client.inference.operation.details" { // it tells what the span's attributes tell
		for _, a := range r.Attributes {
			if strings.HasPrefix(a.Key, "gen_ai.") {
				raw.Attributes = append(raw.Attributes, a)
			}
		}
	}
}

// incoming is what the events of a span add to it. Times are left open where the span itself will tell.
func (l *logs) incoming(r *mapping.Raw) ingest.Incoming {
	m := mapping.Map(r)
	s := m.Span
	s.Project, s.Source, s.Status, s.Experiment = l.call.project, sourceName, span.Running, l.call.experiment
	if s.Kind == span.Other {
		s.Kind = span.Generation
	}
	return ingest.Incoming{Span: s, Input: m.Input, Output: m.Output, Update: true}
}

// score reads an evaluation result. Sent again it is the same score, since its id is made of what it is about.
func (l *logs) score(r *wire.Log) {
	s := span.Score{
		Project: l.call.project, Target: span.Target{Trace: strings.Clone(r.Trace), Span: strings.Clone(r.Span)}, Source: span.ByJudge,
		Name: "evaluation", Created: r.Time, Updated: r.Time,
	}
	hasValue := false
	for _, a := range r.Attributes {
		switch a.Key {
		case "gen_ai.evaluation.name":
			s.Name = textOf(a.Value)
		case "gen_ai.evaluation.score.value":
			s.Value, hasValue = numberOf(a.Value)
		case "gen_ai.evaluation.score.label":
			s.Text = textOf(a.Value)
		case "gen_ai.evaluation.explanation":
			s.Comment = textOf(a.Value)
		case "gen_ai.response.id":
			s.Author = textOf(a.Value)
		}
	}
	switch {
	case hasValue:
		s.Type = span.Numeric
	case s.Text != "":
		s.Type = span.Categorical
	default:
		l.refuse("an evaluation result needs a value or a label")
		return
	}
	s.ID = scoreID(l.call.project, &s)
	l.scores = append(l.scores, s)
}

func scoreID(p tenant.ProjectID, s *span.Score) string {
	return "otlp-" + span.HashOf([]byte(p), []byte{0}, []byte(s.Target.Trace), []byte(s.Target.Span), []byte{0}, []byte(s.Name), []byte{0}, []byte(s.Author)).String()
}

func textOf(v any) string {
	s, _ := v.(string)
	return strings.Clone(s[:min(len(s), 4<<10)])
}

func numberOf(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return 0, false
}
