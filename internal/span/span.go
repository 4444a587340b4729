// Package span is the record of work: spans of a trace, what went in and came out, what it cost, and the store that
// keeps them. A gateway call is a span like any other.
package span

import (
	"time"

	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/tenant"
)

// Kind is what a span does.
type Kind string

const (
	Generation Kind = "generation" // a model call
	Agent      Kind = "agent"
	Chain      Kind = "chain"
	Tool       Kind = "tool"
	Retriever  Kind = "retriever"
	Reranker   Kind = "reranker"
	Embedding  Kind = "embedding"
	Guardrail  Kind = "guardrail"
	Evaluator  Kind = "evaluator"
	Event      Kind = "event"
	Other      Kind = "span"
)

// Status is how a span ended.
type Status string

const (
	OK          Status = "ok"
	Error       Status = "error"
	Canceled    Status = "canceled"    // the client went away
	Interrupted Status = "interrupted" // Weir itself died in mid-call
	Running     Status = "running"     // begun, and its end has not arrived yet
)

// DefaultExperiment is the experiment of a span that names none; every project has it.
const DefaultExperiment = "0"

// Span is one unit of work. Times are UTC; nanosecond precision survives storage. Fields that do not apply are zero.
type Span struct {
	Project    tenant.ProjectID `json:"project"`
	Experiment string           `json:"experiment,omitempty"`
	Trace      string           `json:"trace"` // 32 hex digits
	ID         string           `json:"id"`    // 16 hex digits
	Parent     string           `json:"parent,omitempty"`
	Day        Day              `json:"day"` // home day of the trace; set by the store
	Name       string           `json:"name"`
	Kind       Kind             `json:"kind"`
	Start      time.Time        `json:"start"`
	End        time.Time        `json:"end"`
	FirstToken time.Duration    `json:"first_token,omitempty"` // from Start to the first content; 0 = not streamed or none

	Status    Status `json:"status"`
	HTTP      int    `json:"http,omitempty"`       // status given to the client
	ErrorType string `json:"error_type,omitempty"` // llm.Error.Type or fault.Kind
	ErrorText string `json:"error_text,omitempty"` // message as the client saw it
	// ErrorBody is the upstream's own error body, at most 64 KiB.
	ErrorBody string `json:"error_body,omitempty"`

	Operation  string    `json:"operation,omitempty"` // "chat", "count_tokens"
	Dialect    string    `json:"dialect,omitempty"`   // of the client
	Group      string    `json:"group,omitempty"`     // the model name the client asked for
	Model      string    `json:"model,omitempty"`     // the upstream's model
	Provider   string    `json:"provider,omitempty"`
	Deployment string    `json:"deployment,omitempty"`
	Params     jsonx.Raw `json:"params,omitempty"` // object: temperature, max_tokens …
	Stream     bool      `json:"stream,omitempty"`
	Finish     string    `json:"finish,omitempty"`    // upstream's own word
	Upstream   string    `json:"upstream,omitempty"`  // upstream's request id
	CacheHit   bool      `json:"cache_hit,omitempty"` // answered from Weir's own response cache
	Tries      []Try     `json:"tries,omitempty"`
	Usage      llm.Usage `json:"usage"`
	Cost       Cost      `json:"cost"`

	Key       tenant.KeyID  `json:"key,omitempty"`
	KeyAlias  string        `json:"key_alias,omitempty"`
	User      tenant.UserID `json:"user,omitempty"`
	Email     string        `json:"email,omitempty"`
	Team      tenant.TeamID `json:"team,omitempty"`
	TeamAlias string        `json:"team_alias,omitempty"`
	EndUser   string        `json:"end_user,omitempty"`

	Session       string    `json:"session,omitempty"`
	SessionSource string    `json:"session_source,omitempty"` // "client" or "threaded"
	Tags          []string  `json:"tags,omitempty"`
	Metadata      jsonx.Raw `json:"metadata,omitempty"` // object as the client sent it, nested
	Client        string    `json:"client,omitempty"`   // "Cline", "Claude Code", …
	ClientVersion string    `json:"client_version,omitempty"`
	UserAgent     string    `json:"user_agent,omitempty"`
	IP            string    `json:"ip,omitempty"`
	RequestID     string    `json:"request_id,omitempty"` // the client's x-request-id, if any

	// Source is how the span arrived: "" from Weir's own gateway, else the name of the surface, such as "otlp".
	Source string `json:"source,omitempty"`
	// Mapping is the version of the table that made the fields out of the attributes of a span from outside.
	Mapping     int    `json:"mapping,omitempty"`
	TraceName   string `json:"trace_name,omitempty"` // what the client calls the trace, where that is not the root's name
	Service     string `json:"service,omitempty"`    // the program that made the span
	Scope       string `json:"scope,omitempty"`      // the instrumentation that made it
	Environment string `json:"environment,omitempty"`
	Release     string `json:"release,omitempty"`
	Prompt      Prompt `json:"prompt,omitzero"`
	// Attributes are raw attributes of spans from outside, by their own names, and whatever a surface wants kept beyond
	// the fields above. The value of one that became a body is {"$body":"input"} or {"$body":"output"}.
	Attributes jsonx.Raw `json:"attributes,omitempty"`
	Resource   jsonx.Raw `json:"resource,omitempty"` // object: attributes of the program
	Events     []Moment  `json:"events,omitempty"`
	Links      []Link    `json:"links,omitempty"`

	// Covered spans report usage that a recorded child reports as well: an application's own span around a call through
	// the gateway, an agent's totals. Usage and Cost tell what the client said; sums leave them out.
	Covered bool `json:"covered,omitempty"`
	// Replays names the call this one repeats, as CallID does.
	Replays string `json:"replays,omitempty"`
	// Scores are the latest values of each score given to this span; on the root they are also those of its trace. The
	// scores themselves are kept as Notes.
	Scores []Mark `json:"scores,omitempty"`

	Input  Ref `json:"input"`
	Output Ref `json:"output"`

	// First is set by Store.Changes where no version of the span was stored before this entry of the queue, as far as is
	// known: none can be in an index. It is not stored.
	First bool `json:"-"`
}

// Duration is End − Start.
func (s *Span) Duration() time.Duration { return s.End.Sub(s.Start) }

// Prompt links a span to a version of a managed prompt.
type Prompt struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
}

// Moment is something that happened at one time during a span.
type Moment struct {
	Name       string    `json:"name"`
	Time       time.Time `json:"time"`
	Attributes jsonx.Raw `json:"attributes,omitempty"` // object
}

// Link points at a related span, perhaps of another trace.
type Link struct {
	Trace      string    `json:"trace"`
	Span       string    `json:"span"`
	Attributes jsonx.Raw `json:"attributes,omitempty"` // object
}

// Try is one attempt at an upstream.
type Try struct {
	Deployment string        `json:"deployment"`
	Model      string        `json:"model"`
	Start      time.Duration `json:"start"` // since the span's Start
	Took       time.Duration `json:"took"`
	HTTP       int           `json:"http,omitempty"`
	Error      string        `json:"error,omitempty"`
}

// Cost is what a span cost, split by bucket, and where the figure comes from.
type Cost struct {
	Total      money.Nano `json:"total"`
	Input      money.Nano `json:"input,omitempty"`
	CacheRead  money.Nano `json:"cache_read,omitempty"`
	CacheWrite money.Nano `json:"cache_write,omitempty"`
	Output     money.Nano `json:"output,omitempty"`
	Source     CostSource `json:"source,omitempty"`
	Book       string     `json:"book,omitempty"` // version of the price book, "config" for prices set in the configuration
}

// CostSource is the provenance of a cost.
type CostSource string

const (
	CostReported  CostSource = "reported"  // by the provider
	CostMeasured  CostSource = "measured"  // reported usage × price book
	CostClient    CostSource = "client"    // supplied by the client
	CostEstimated CostSource = "estimated" // usage estimated by Weir, or settled at its reservation
	CostUnpriced  CostSource = "unpriced"  // no price is known for the model; Total is 0
)

// Day counts days since 1970-01-01 UTC.
type Day uint32

// DayOf is the UTC day of t; times before 1970 are day 0.
func DayOf(t time.Time) Day { return Day(max(t.Unix(), 0) / 86400) }

// Time is midnight UTC at the start of the day.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Ref points at a stored body of the span's project and home day. The zero Ref means nothing was recorded.
// A conversation body is a chain of message nodes plus a skeleton; a plain one is a single blob in Skeleton.
type Ref struct {
	Form     Form   `json:"form,omitempty"`
	Skeleton Hash   `json:"skeleton,omitzero"` // blob: everything outside the messages, or the whole body
	Node     Hash   `json:"node,omitzero"`     // last message node
	Messages int    `json:"messages,omitempty"`
	New      int    `json:"new,omitempty"`     // how many of the messages are new against the call this one continues
	Size     int    `json:"size,omitempty"`    // bytes of the whole body
	Preview  string `json:"preview,omitempty"` // ≤ 140 runes: last user text, or first answer text
}

// Form says how to read a body.
type Form string

const (
	FormNone         Form = ""
	FormRaw          Form = "raw"          // one blob
	FormConversation Form = "conversation" // JSON object whose "messages" array was cut into nodes
)

// Hash addresses content: SHA-256 cut to 128 bits, in text as 32 hex digits.
type Hash [16]byte
