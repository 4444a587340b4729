package api

import (
	"time"

	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
)

// Usage is tokens in disjoint buckets.
type Usage struct {
	Input        int64 `json:"input" doc:"neither read from nor written to a cache"`
	CacheRead    int64 `json:"cache_read"`
	CacheWrite   int64 `json:"cache_write" doc:"written with the five-minute lifetime"`
	CacheWrite1h int64 `json:"cache_write_1h" doc:"written with the one-hour lifetime"`
	Output       int64 `json:"output"`
	Reasoning    int64 `json:"reasoning" doc:"part of output"`
	Estimated    bool  `json:"estimated" doc:"counted by Weir since the provider told nothing"`
}

// TraceRow is a span as lists show it.
type TraceRow struct {
	Trace         string   `json:"trace"`
	ID            string   `json:"id" doc:"span id"`
	Name          string   `json:"name"`
	Kind          string   `json:"kind"`
	Start         string   `json:"start" format:"date-time"`
	DurationMS    float64  `json:"duration_ms"`
	FirstTokenMS  *float64 `json:"first_token_ms" nullable:"true"`
	Status        string   `json:"status" enum:"ok,error,canceled,interrupted,running"`
	HTTP          int      `json:"http"`
	ErrorType     string   `json:"error_type"`
	ErrorText     string   `json:"error_text"`
	Model         string   `json:"model" doc:"name the client asked for"`
	UpstreamModel string   `json:"upstream_model"`
	Provider      string   `json:"provider"`
	Deployment    string   `json:"deployment"`
	Usage         Usage    `json:"usage"`
	CostUSD       float64  `json:"cost_usd"`
	CostSource    string   `json:"cost_source"`
	User          string   `json:"user"`
	Email         string   `json:"email"`
	Team          string   `json:"team"`
	TeamAlias     string   `json:"team_alias"`
	Key           string   `json:"key"`
	KeyAlias      string   `json:"key_alias"`
	EndUser       string   `json:"end_user"`
	Session       string   `json:"session"`
	Tags          []string `json:"tags" nullable:"false"`
	Client        string   `json:"client"`
	Stream        bool     `json:"stream"`
	CacheHit      bool     `json:"cache_hit"`
	TryCount      int      `json:"try_count"`
	InputPreview  string   `json:"input_preview"`
	OutputPreview string   `json:"output_preview"`

	Source      string     `json:"source" doc:"how the span arrived: empty for Weir's own gateway, otlp …"`
	Parent      string     `json:"parent"`
	Service     string     `json:"service" doc:"program that made the span"`
	Environment string     `json:"environment"`
	Release     string     `json:"release"`
	TraceName   string     `json:"trace_name" doc:"what the client calls the trace"`
	Covered     bool       `json:"covered" doc:"a recorded child reports the same usage; sums leave the span out"`
	Prompt      *PromptRef `json:"prompt" doc:"null if there is none"`
	Scores      []Mark     `json:"scores" nullable:"false" doc:"latest value of each score"`
	Replays     string     `json:"replays" doc:"trace/span of the call this one repeats"`
	Experiment  string     `json:"experiment"`
}

// PromptRef names a version of a managed prompt.
type PromptRef struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Mark is the latest value of a score.
type Mark struct {
	Name  string  `json:"name"`
	Value float64 `json:"value" doc:"of numeric and boolean scores"`
	Text  string  `json:"text"`
}

// Moment is something that happened at one time during a span.
type Moment struct {
	Name       string    `json:"name"`
	Time       string    `json:"time" format:"date-time"`
	Attributes jsonx.Raw `json:"attributes"`
}

// Link points at a related span.
type Link struct {
	Trace      string    `json:"trace"`
	Span       string    `json:"span"`
	Attributes jsonx.Raw `json:"attributes"`
}

// Span is a span in full, without its bodies.
type Span struct {
	TraceRow
	End           string    `json:"end" format:"date-time"`
	Params        jsonx.Raw `json:"params"`
	Metadata      jsonx.Raw `json:"metadata"`
	Attributes    jsonx.Raw `json:"attributes"`
	Tries         []Try     `json:"tries" nullable:"false"`
	Cost          Cost      `json:"cost"`
	Finish        string    `json:"finish"`
	ErrorBody     string    `json:"error_body" doc:"the provider's own error"`
	RequestID     string    `json:"request_id"`
	UpstreamID    string    `json:"upstream_id" doc:"the provider's request id"`
	UserAgent     string    `json:"user_agent"`
	IP            string    `json:"ip"`
	Dialect       string    `json:"dialect"`
	Operation     string    `json:"operation"`
	ClientVersion string    `json:"client_version"`
	SessionSource string    `json:"session_source"`
	Input         BodyInfo  `json:"input"`
	Output        BodyInfo  `json:"output"`
	Scope         string    `json:"scope" doc:"instrumentation that made the span"`
	Resource      jsonx.Raw `json:"resource" doc:"attributes of the program"`
	Events        []Moment  `json:"events" nullable:"false"`
	Links         []Link    `json:"links" nullable:"false"`
	Mapping       int       `json:"mapping" doc:"version of the table that read the attributes"`
}

// Try is one attempt at a provider.
type Try struct {
	Deployment string  `json:"deployment"`
	Model      string  `json:"model"`
	StartMS    float64 `json:"start_ms" doc:"since the span's start"`
	TookMS     float64 `json:"took_ms"`
	HTTP       int     `json:"http"`
	Error      string  `json:"error"`
}

// Cost is a span's cost by bucket.
type Cost struct {
	TotalUSD      float64 `json:"total_usd"`
	InputUSD      float64 `json:"input_usd"`
	CacheReadUSD  float64 `json:"cache_read_usd"`
	CacheWriteUSD float64 `json:"cache_write_usd"`
	OutputUSD     float64 `json:"output_usd"`
	Source        string  `json:"source"`
	Book          string  `json:"book" doc:"version of the price book"`
}

// BodyInfo tells of a recorded body; form is empty if there is none.
type BodyInfo struct {
	Form     string `json:"form"`
	Size     int    `json:"size"`
	Messages int    `json:"messages"`
	New      int    `json:"new" doc:"messages that the call before did not have"`
	Preview  string `json:"preview"`
}

func usageOf(u llm.Usage) Usage {
	return Usage{
		Input: u.Input, CacheRead: u.CacheRead, CacheWrite: u.CacheWrite, CacheWrite1h: u.CacheWrite1h, Output: u.Output,
		Reasoning: u.Reasoning, Estimated: u.Estimated,
	}
}

func rowOf(s *span.Span) TraceRow {
	r := TraceRow{
		Trace: s.Trace, ID: s.ID, Name: s.Name, Kind: string(s.Kind), Start: stamp(s.Start), DurationMS: millis(s.Duration()),
		Status: string(s.Status), HTTP: s.HTTP, ErrorType: s.ErrorType, ErrorText: s.ErrorText, Model: s.Group, UpstreamModel: s.Model,
		Provider: s.Provider, Deployment: s.Deployment, Usage: usageOf(s.Usage), CostUSD: s.Cost.Total.USD(), CostSource: string(s.Cost.Source),
		User: string(s.User), Email: s.Email, Team: string(s.Team), TeamAlias: s.TeamAlias, Key: string(s.Key), KeyAlias: s.KeyAlias,
		EndUser: s.EndUser, Session: s.Session, Tags: list(s.Tags), Client: s.Client, Stream: s.Stream, CacheHit: s.CacheHit,
		TryCount: len(s.Tries), InputPreview: s.Input.Preview, OutputPreview: s.Output.Preview,
	}
	r.Source, r.Parent, r.Service, r.Environment, r.Release = s.Source, s.Parent, s.Service, s.Environment, s.Release
	r.TraceName, r.Covered, r.Replays, r.Experiment, r.Scores = s.TraceName, s.Covered, s.Replays, s.Experiment, marksOf(s.Scores)
	if s.Prompt != (span.Prompt{}) {
		r.Prompt = &PromptRef{Name: s.Prompt.Name, Version: s.Prompt.Version}
	}
	if s.FirstToken > 0 {
		r.FirstTokenMS = new(millis(s.FirstToken))
	}
	return r
}

func marksOf(marks []span.Mark) []Mark {
	out := make([]Mark, len(marks))
	for i, m := range marks {
		out[i] = Mark(m)
	}
	return out
}

func spanOf(s *span.Span) Span {
	out := Span{
		TraceRow: rowOf(s), End: stamp(s.End), Params: object(s.Params), Metadata: object(s.Metadata),
		Attributes: object(s.Attributes), Tries: make([]Try, len(s.Tries)), Finish: s.Finish, ErrorBody: s.ErrorBody,
		RequestID: s.RequestID, UpstreamID: s.Upstream, UserAgent: s.UserAgent, IP: s.IP, Dialect: s.Dialect, Operation: s.Operation,
		ClientVersion: s.ClientVersion, SessionSource: s.SessionSource, Input: infoOf(s.Input), Output: infoOf(s.Output),
		Cost: Cost{
			TotalUSD: s.Cost.Total.USD(), InputUSD: s.Cost.Input.USD(), CacheReadUSD: s.Cost.CacheRead.USD(),
			CacheWriteUSD: s.Cost.CacheWrite.USD(), OutputUSD: s.Cost.Output.USD(), Source: string(s.Cost.Source), Book: s.Cost.Book,
		},
	}
	out.Scope, out.Resource, out.Mapping = s.Scope, object(s.Resource), s.Mapping
	out.Events, out.Links = make([]Moment, len(s.Events)), make([]Link, len(s.Links))
	for i, e := range s.Events {
		out.Events[i] = Moment{Name: e.Name, Time: stamp(e.Time), Attributes: object(e.Attributes)}
	}
	for i, l := range s.Links {
		out.Links[i] = Link{Trace: l.Trace, Span: l.Span, Attributes: object(l.Attributes)}
	}
	for i, t := range s.Tries {
		out.Tries[i] = Try{Deployment: t.Deployment, Model: t.Model, StartMS: millis(t.Start), TookMS: millis(t.Took), HTTP: t.HTTP, Error: t.Error}
	}
	return out
}

func infoOf(r span.Ref) BodyInfo {
	return BodyInfo{Form: string(r.Form), Size: r.Size, Messages: r.Messages, New: r.New, Preview: r.Preview}
}

// stamp is RFC 3339 in UTC with milliseconds; "" for no time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func millisOf(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	return new(millis(*d))
}

func usdOf(n *money.Nano) *float64 {
	if n == nil {
		return nil
	}
	return new(n.USD())
}

func list[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}

func object(r jsonx.Raw) jsonx.Raw {
	if len(r) == 0 {
		return jsonx.Raw("{}")
	}
	return r
}
