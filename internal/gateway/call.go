// Package gateway is the call: authorised by a surface, it is limited, routed, translated or passed through, retried,
// paid for and recorded here. It knows dialects only as names, providers only as Upstreams, storage only as a Recorder.
package gateway

import (
	"net/http"

	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/tenant"
)

// Call is one request as a surface understood it. The surface fills it once; the gateway only reads it.
type Call struct {
	Who     *tenant.Identity
	Dialect llm.Dialect
	Model   string // what the client asked for
	Stream  bool
	Body    []byte      // exact JSON body in Dialect; validated to be a JSON object
	Header  http.Header // the client's headers; upstreams pick the few they understand
	// Decode turns Body into the hub form. It is called only if the chosen upstream does not speak Dialect.
	Decode func() (*llm.Request, error)
	// Encode turns an answer into Dialect's non-streamed body: for the client, and for the record of a stream.
	// model is the name to report to the client.
	Encode func(r *llm.Response, model string) ([]byte, error)
	Facts  Facts
}

// Facts are what the surface found out about the request for record and limits.
type Facts struct {
	Trace, Parent string // from traceparent: join this trace, below this span
	Span          string // id of the call's own span; "" = a new one
	Replays       string // the recorded call that this one repeats, as span.CallID names it
	TraceName     string
	RequestID     string // the client's own
	Session       string
	EndUser       string
	Tags          []string
	Metadata      jsonx.Raw // JSON object or nil
	Params        jsonx.Raw // JSON object of sampling parameters, or nil
	Client        string
	ClientVersion string
	UserAgent     string
	IP            string
	MaxTokens     int  // asked for; 0 = not given
	Drop          bool // drop_params
	Fallbacks     []string
}

// Answer is what the surface sends back. Exactly one of Body and Stream is set.
type Answer struct {
	Trace      string // x-weir-trace-id
	Call       string // x-litellm-call-id
	Model      string // name for the "model" field of the answer
	Deployment *Deployment
	Status     int
	Header     http.Header // upstream's response headers
	Attempts   int         // tries made beyond the first
	Fallbacks  int         // model groups tried beyond the first
	Body       []byte      // whole answer in Call.Dialect
	Stream     *Stream
	Cost       Costing
	response   *llm.Response // of Body, for the record
}

// Frame is one step of a streamed answer. Data is set when upstream and client share the dialect: the JSON payload of
// one event, to be framed as the client's transport wants (SSE, AWS event stream). Otherwise Data is nil and the
// surface encodes Chunks. Both are valid until the next call of Next.
type Frame struct {
	Event  string // SSE event name; "" if the dialect has none
	Data   []byte
	Chunks []llm.Chunk
}

// FrameReader is a stream of frames.
type FrameReader interface {
	// Next returns io.EOF after the natural end of the stream, an *llm.Error for an error the upstream sent in the
	// stream, and an *llm.Error of TypeCut or TypeMalformed where the stream broke.
	Next() (Frame, error)
	// Buffered reports whether Next will return without waiting for the network, so that writes can be gathered
	// into one flush.
	Buffered() bool
	// Close releases the connection; before the end of the stream it cancels the upstream.
	Close() error
}
