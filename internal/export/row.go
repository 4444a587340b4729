package export

import (
	"strconv"
	"strings"
	"time"

	"weir/internal/jsonx"
	"weir/internal/money"
	"weir/internal/span"
)

// Item is a span to be written, with its bodies if those were asked for.
type Item struct {
	Span          *span.Span
	Input, Output []byte // JSON, nil if there is none
}

// row is a span as a flat table holds it. Times are microseconds, since Spark reads no nanoseconds. The project is left
// to the path of the file: readers take it from there.
type row struct {
	Trace            string    `parquet:"trace_id,zstd"`
	ID               string    `parquet:"span_id,zstd"`
	Parent           string    `parquet:"parent_id,zstd"`
	Name             string    `parquet:"name,dict,zstd"`
	Kind             string    `parquet:"kind,dict,zstd"`
	Start            time.Time `parquet:"start_time,timestamp(microsecond),zstd"`
	End              time.Time `parquet:"end_time,timestamp(microsecond),zstd"`
	DurationMS       float64   `parquet:"duration_ms,zstd"`
	FirstTokenMS     *float64  `parquet:"first_token_ms,optional,zstd"`
	Status           string    `parquet:"status,dict,zstd"`
	HTTP             *int32    `parquet:"http_status,optional,zstd"`
	ErrorType        string    `parquet:"error_type,dict,zstd"`
	ErrorText        string    `parquet:"error_text,zstd"`
	Operation        string    `parquet:"operation,dict,zstd"`
	Dialect          string    `parquet:"dialect,dict,zstd"`
	Model            string    `parquet:"model,dict,zstd"`
	UpstreamModel    string    `parquet:"upstream_model,dict,zstd"`
	Provider         string    `parquet:"provider,dict,zstd"`
	Deployment       string    `parquet:"deployment,dict,zstd"`
	Params           string    `parquet:"params,zstd"`
	Stream           bool      `parquet:"stream"`
	CacheHit         bool      `parquet:"cache_hit"`
	Covered          bool      `parquet:"covered"`
	Finish           string    `parquet:"finish,dict,zstd"`
	Tries            int32     `parquet:"tries,zstd"`
	InputTokens      int64     `parquet:"input_tokens,zstd"`
	CacheReadTokens  int64     `parquet:"cache_read_tokens,zstd"`
	CacheWriteTokens int64     `parquet:"cache_write_tokens,zstd"`
	OutputTokens     int64     `parquet:"output_tokens,zstd"`
	ReasoningTokens  int64     `parquet:"reasoning_tokens,zstd"`
	CostUSD          float64   `parquet:"cost_usd,zstd"`
	CostNano         int64     `parquet:"cost_nano_usd,zstd"`
	CostSource       string    `parquet:"cost_source,dict,zstd"`
	User             string    `parquet:"user_id,dict,zstd"`
	Email            string    `parquet:"email,dict,zstd"`
	Team             string    `parquet:"team_id,dict,zstd"`
	TeamAlias        string    `parquet:"team_alias,dict,zstd"`
	Key              string    `parquet:"key_id,dict,zstd"`
	KeyAlias         string    `parquet:"key_alias,dict,zstd"`
	EndUser          string    `parquet:"end_user,dict,zstd"`
	Session          string    `parquet:"session_id,dict,zstd"`
	Client           string    `parquet:"client,dict,zstd"`
	Source           string    `parquet:"source,dict,zstd"`
	Service          string    `parquet:"service,dict,zstd"`
	Scope            string    `parquet:"scope,dict,zstd"`
	Environment      string    `parquet:"environment,dict,zstd"`
	Release          string    `parquet:"release,dict,zstd"`
	Experiment       string    `parquet:"experiment,dict,zstd"`
	TraceName        string    `parquet:"trace_name,dict,zstd"`
	PromptName       string    `parquet:"prompt_name,dict,zstd"`
	PromptVersion    string    `parquet:"prompt_version,dict,zstd"`
	Replays          string    `parquet:"replays,zstd"`
	Tags             []string  `parquet:"tags,list,zstd"`
	Metadata         string    `parquet:"metadata,zstd"`
	Attributes       string    `parquet:"attributes,zstd"`
	Resource         string    `parquet:"resource,zstd"`
	Events           string    `parquet:"events,zstd"`
	Links            string    `parquet:"links,zstd"`
	Scores           string    `parquet:"scores,zstd"`
	InputPreview     string    `parquet:"input_preview,zstd"`
	OutputPreview    string    `parquet:"output_preview,zstd"`
	Input            *string   `parquet:"input,optional,zstd"`
	Output           *string   `parquet:"output,optional,zstd"`
}

// rowOf fills a row. Text is made valid UTF-8, which readers of Parquet insist on.
func rowOf(it Item) row {
	s := it.Span
	r := row{
		Trace: text(s.Trace), ID: text(s.ID), Parent: text(s.Parent), Name: text(s.Name), Kind: string(s.Kind),
		Start: s.Start, End: s.End, DurationMS: millis(s.Duration()), Status: string(s.Status), ErrorType: text(s.ErrorType), ErrorText: text(s.ErrorText),
		Operation: text(s.Operation), Dialect: text(s.Dialect), Model: text(s.Group), UpstreamModel: text(s.Model), Provider: text(s.Provider),
		Deployment: text(s.Deployment), Params: object(s.Params), Stream: s.Stream, CacheHit: s.CacheHit, Covered: s.Covered, Finish: text(s.Finish),
		Tries: int32(min(len(s.Tries), 1<<20)), InputTokens: s.Usage.Input, CacheReadTokens: s.Usage.CacheRead,
		CacheWriteTokens: s.Usage.CacheWrite + s.Usage.CacheWrite1h, OutputTokens: s.Usage.Output, ReasoningTokens: s.Usage.Reasoning,
		CostUSD: s.Cost.Total.USD(), CostNano: int64(s.Cost.Total), CostSource: string(s.Cost.Source), Tags: make([]string, len(s.Tags)),
		InputPreview: text(s.Input.Preview), OutputPreview: text(s.Output.Preview), Input: body(it.Input), Output: body(it.Output),
	}
	r.caller(s)
	r.origin(s)
	for i, t := range s.Tags {
		r.Tags[i] = text(t)
	}
	if s.FirstToken > 0 {
		r.FirstTokenMS = new(millis(s.FirstToken))
	}
	if s.HTTP > 0 {
		r.HTTP = new(int32(s.HTTP))
	}
	return r
}

func (r *row) caller(s *span.Span) {
	r.User, r.Email, r.Team, r.TeamAlias = text(string(s.User)), text(s.Email), text(string(s.Team)), text(s.TeamAlias)
	r.Key, r.KeyAlias, r.EndUser, r.Session, r.Client = text(string(s.Key)), text(s.KeyAlias), text(s.EndUser), text(s.Session), text(s.Client)
}

func (r *row) origin(s *span.Span) {
	r.Source, r.Service, r.Scope, r.Environment, r.Release = text(s.Source), text(s.Service), text(s.Scope), text(s.Environment), text(s.Release)
	r.Experiment, r.TraceName, r.Replays = text(s.Experiment), text(s.TraceName), text(s.Replays)
	r.PromptName, r.PromptVersion = text(s.Prompt.Name), text(s.Prompt.Version)
	r.Metadata, r.Attributes, r.Resource = object(s.Metadata), object(s.Attributes), object(s.Resource)
	r.Events, r.Links, r.Scores = array(s.Events), array(s.Links), array(s.Scores)
}

// size is roughly what a row holds in memory until its group is written.
func (r *row) size() int {
	n := 1024 + len(r.Metadata) + len(r.Attributes) + len(r.Resource) + len(r.Events) + len(r.Links) + len(r.ErrorText) + len(r.Params)
	for _, p := range []*string{r.Input, r.Output} {
		if p != nil {
			n += len(*p)
		}
	}
	return n
}

func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func body(b []byte) *string {
	if b == nil {
		return nil
	}
	return new(text(string(b)))
}

func object(r jsonx.Raw) string {
	if len(r) == 0 {
		return "{}"
	}
	return text(string(r))
}

func array[T any](v []T) string {
	if len(v) == 0 {
		return "[]"
	}
	b, err := jsonx.Marshal(v)
	if err != nil { // a time beyond year 9999, or attributes that are no JSON
		return "[]"
	}
	return text(string(b))
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// csvColumns are the columns of the flat text form: what a spreadsheet can use.
var csvColumns = []struct {
	name  string
	value func(*row) string
}{
	{"trace_id", func(r *row) string { return r.Trace }},
	{"span_id", func(r *row) string { return r.ID }},
	{"parent_id", func(r *row) string { return r.Parent }},
	{"name", func(r *row) string { return r.Name }},
	{"kind", func(r *row) string { return r.Kind }},
	{"start_time", func(r *row) string { return r.Start.UTC().Format(timeLayout) }},
	{"end_time", func(r *row) string { return r.End.UTC().Format(timeLayout) }},
	{"duration_ms", func(r *row) string { return float(r.DurationMS) }},
	{"first_token_ms", func(r *row) string { return optional(r.FirstTokenMS, float) }},
	{"status", func(r *row) string { return r.Status }},
	{"http_status", func(r *row) string { return optional(r.HTTP, func(n int32) string { return strconv.Itoa(int(n)) }) }},
	{"error_type", func(r *row) string { return r.ErrorType }},
	{"error_text", func(r *row) string { return r.ErrorText }},
	{"model", func(r *row) string { return r.Model }},
	{"upstream_model", func(r *row) string { return r.UpstreamModel }},
	{"provider", func(r *row) string { return r.Provider }},
	{"input_tokens", func(r *row) string { return strconv.FormatInt(r.InputTokens, 10) }},
	{"cache_read_tokens", func(r *row) string { return strconv.FormatInt(r.CacheReadTokens, 10) }},
	{"cache_write_tokens", func(r *row) string { return strconv.FormatInt(r.CacheWriteTokens, 10) }},
	{"output_tokens", func(r *row) string { return strconv.FormatInt(r.OutputTokens, 10) }},
	{"cost_usd", func(r *row) string { return strings.TrimPrefix(money.Nano(r.CostNano).String(), "$") }},
	{"user_id", func(r *row) string { return r.User }},
	{"email", func(r *row) string { return r.Email }},
	{"team_alias", func(r *row) string { return r.TeamAlias }},
	{"key_alias", func(r *row) string { return r.KeyAlias }},
	{"end_user", func(r *row) string { return r.EndUser }},
	{"session_id", func(r *row) string { return r.Session }},
	{"client", func(r *row) string { return r.Client }},
	{"service", func(r *row) string { return r.Service }},
	{"environment", func(r *row) string { return r.Environment }},
	{"release", func(r *row) string { return r.Release }},
	{"tags", func(r *row) string { return strings.Join(r.Tags, ",") }},
	{"metadata", func(r *row) string { return r.Metadata }},
	{"input_preview", func(r *row) string { return r.InputPreview }},
	{"output_preview", func(r *row) string { return r.OutputPreview }},
}

const timeLayout = "2006-01-02T15:04:05.000Z"

func float(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func optional[T any](v *T, format func(T) string) string {
	if v == nil {
		return ""
	}
	return format(*v)
}
