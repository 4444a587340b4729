package ingest

import (
	"cmp"
	"slices"
	"time"

	"weir/internal/jsonx"
	"weir/internal/span"
)

// merge is what a span becomes when something of the same id is stored: what came later wins where it says anything,
// objects are merged in depth, tags united. A whole span brings its own times; an update widens them. What has ended
// stays ended, and what was added to the stored span (scores, Covered) stays. It is idempotent, and changes neither
// argument.
//
// What the gateway recorded itself is only added to.
func merge(stored, in *span.Span, update bool) *span.Span {
	m := *in
	if stored.Source == "" {
		m = *stored
		m.Metadata, m.Tags = deep(in.Metadata, stored.Metadata), united(stored.Tags, in.Tags)
		return &m
	}
	mergeTexts(&m, stored)
	m.Scores, m.Covered = stored.Scores, stored.Covered || in.Covered
	m.Input, m.Output = ref(in.Input, stored.Input), ref(in.Output, stored.Output)
	m.Params = deep(stored.Params, in.Params)
	m.Metadata = deep(stored.Metadata, in.Metadata)
	m.Attributes = deep(stored.Attributes, in.Attributes)
	m.Resource = deep(stored.Resource, in.Resource)
	m.Tags = united(stored.Tags, in.Tags)
	m.Events = unitedBy(stored.Events, in.Events, func(e span.Moment) string {
		return e.Name + "\x00" + e.Time.UTC().String() + "\x00" + string(e.Attributes)
	})
	m.Links = unitedBy(stored.Links, in.Links, func(l span.Link) string { return l.Trace + "/" + l.Span })
	if in.Usage.IsZero() {
		m.Usage = stored.Usage
	}
	if in.Cost.Source == "" || in.Cost.Source == span.CostUnpriced && stored.Cost.Source != "" {
		m.Cost = stored.Cost
	}
	mergeTimes(&m, stored, in, update)
	if recordSize(&m) > maxRecord { // it grew too large bit by bit: what is stored stays
		m.Params, m.Metadata, m.Attributes, m.Resource = stored.Params, stored.Metadata, stored.Attributes, stored.Resource
		m.Events, m.Links = stored.Events, stored.Links
	}
	return &m
}

// first is a span as it is stored when it is the first of its id: an update may have left open what only a whole span
// tells. The experiment is the default one only now, so that a later report that names none does not move the span.
func first(in *span.Span, now time.Time) *span.Span {
	in.Experiment = cmp.Or(in.Experiment, span.DefaultExperiment)
	if in.Status != "" && !unset(in.Start) && !unset(in.End) && in.Name != "" {
		return in
	}
	m := *in
	m.Name = cmp.Or(m.Name, string(m.Kind))
	m.Status = cmp.Or(m.Status, span.Running)
	if unset(m.Start) {
		m.Start = now.UTC()
	}
	if unset(m.End) || m.End.Before(m.Start) {
		m.End = m.Start
	}
	return &m
}

func ref(in, stored span.Ref) span.Ref {
	if in.Form == span.FormNone {
		return stored
	}
	return in
}

func mergeTexts(m, stored *span.Span) {
	for _, f := range [...]struct{ m, stored *string }{
		{&m.Experiment, &stored.Experiment}, {&m.Parent, &stored.Parent}, {&m.Name, &stored.Name}, {&m.ErrorType, &stored.ErrorType},
		{&m.ErrorText, &stored.ErrorText}, {&m.ErrorBody, &stored.ErrorBody}, {&m.Operation, &stored.Operation},
		{&m.Dialect, &stored.Dialect}, {&m.Group, &stored.Group}, {&m.Model, &stored.Model}, {&m.Provider, &stored.Provider},
		{&m.Deployment, &stored.Deployment}, {&m.Finish, &stored.Finish}, {&m.Upstream, &stored.Upstream},
		{(*string)(&m.User), (*string)(&stored.User)}, {&m.Email, &stored.Email}, {&m.EndUser, &stored.EndUser},
		{&m.Session, &stored.Session}, {&m.SessionSource, &stored.SessionSource}, {&m.Client, &stored.Client},
		{&m.ClientVersion, &stored.ClientVersion}, {&m.UserAgent, &stored.UserAgent}, {&m.IP, &stored.IP},
		{&m.RequestID, &stored.RequestID}, {&m.Source, &stored.Source}, {&m.TraceName, &stored.TraceName},
		{&m.Service, &stored.Service}, {&m.Scope, &stored.Scope}, {&m.Environment, &stored.Environment},
		{&m.Release, &stored.Release}, {&m.Prompt.Name, &stored.Prompt.Name}, {&m.Prompt.Version, &stored.Prompt.Version},
		{&m.Replays, &stored.Replays},
	} {
		*f.m = cmp.Or(*f.m, *f.stored)
	}
	m.Key, m.KeyAlias = cmp.Or(m.Key, stored.Key), cmp.Or(m.KeyAlias, stored.KeyAlias)
	m.Team, m.TeamAlias = cmp.Or(m.Team, stored.Team), cmp.Or(m.TeamAlias, stored.TeamAlias)
	m.HTTP, m.Mapping = cmp.Or(m.HTTP, stored.HTTP), max(m.Mapping, stored.Mapping)
	m.FirstToken = cmp.Or(m.FirstToken, stored.FirstToken)
	m.Stream, m.CacheHit = m.Stream || stored.Stream, m.CacheHit || stored.CacheHit
	if m.Tries == nil {
		m.Tries = stored.Tries
	}
	if m.Kind == "" || m.Kind == span.Other {
		m.Kind = cmp.Or(stored.Kind, m.Kind)
	}
}

// mergeTimes also settles the status, which depends on who knows the end.
func mergeTimes(m, stored, in *span.Span, update bool) {
	running := in.Status == span.Running || in.Status == ""
	if !update && !running { // a whole span knows best
		return
	}
	m.Start = stored.Start
	if !unset(in.Start) && (unset(stored.Start) || in.Start.Before(stored.Start)) {
		m.Start = in.Start
	}
	if running { // it tells nothing about the end
		m.Status, m.End = stored.Status, stored.End
		if stored.Status == span.Running {
			m.End = m.Start
		}
		return
	}
	switch {
	case stored.Status == span.Running && !unset(in.End): // the stored end was only a stand-in
		m.End = in.End
	case unset(in.End) || stored.End.After(in.End) && stored.Status != span.Running:
		m.End = stored.End
	}
	if m.End.Before(m.Start) {
		m.End = m.Start
	}
	if in.Status == span.OK && stored.Status != span.Running && stored.Status != "" { // an update seldom knows of a failure
		m.Status = stored.Status
	}
}

func united(a, b []string) []string {
	out := slices.Clone(a)
	for _, t := range b {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out[:min(len(out), maxTagList)]
}

func unitedBy[T any](a, b []T, key func(T) string) []T {
	if len(a) == 0 {
		return b
	}
	seen := make(map[string]bool, len(a))
	for _, v := range a {
		seen[key(v)] = true
	}
	out := slices.Clone(a)
	for _, v := range b {
		if k := key(v); !seen[k] {
			seen[k] = true
			out = append(out, v)
		}
	}
	return out
}

// deep merges JSON objects; where one of them is not an object, the later one that says anything wins.
func deep(a, b jsonx.Raw) jsonx.Raw {
	switch {
	case len(b) == 0 || string(b) == "null" || string(b) == "{}":
		return a
	case len(a) == 0 || string(a) == string(b):
		return b
	}
	var old, later map[string]jsonx.Raw
	if jsonx.Unmarshal(a, &old) != nil || jsonx.Unmarshal(b, &later) != nil || old == nil || later == nil {
		return b
	}
	for k, v := range later {
		if was, ok := old[k]; ok && len(was) > 0 && was[0] == '{' && len(v) > 0 && v[0] == '{' {
			v = deep(was, v)
		}
		if string(v) == "null" || string(v) == `""` {
			if _, ok := old[k]; ok {
				continue
			}
		}
		old[k] = v
	}
	out, err := jsonx.Marshal(old)
	if err != nil {
		return b
	}
	return out
}
