package api

import (
	"context"
	"net/http"

	"weir/internal/edge"
)

// SystemState is how the process stands.
type SystemState struct {
	Version   string            `json:"version"`
	UptimeS   float64           `json:"uptime_s"`
	Ready     Readiness         `json:"ready"`
	Queue     QueueState        `json:"queue" doc:"records on their way to the disk"`
	Ingest    IngestState       `json:"ingest" doc:"spans of calls and of applications, since the start"`
	Index     IndexState        `json:"index"`
	Fulltext  TextState         `json:"fulltext"`
	Errors    map[string]int64  `json:"errors" doc:"logged since the start, by component"`
	Telemetry TelemetryState    `json:"telemetry" doc:"spans of Weir's own work"`
	Stores    []StoreSize       `json:"stores" nullable:"false"`
	Disk      DiskState         `json:"disk"`
	LogLevels map[string]string `json:"log_levels" doc:"by component"`
}

// Readiness says whether work is possible, and what is degraded.
type Readiness struct {
	Ready    bool    `json:"ready"`
	Degraded bool    `json:"degraded"`
	Checks   []Check `json:"checks" nullable:"false"`
}

// Check is one line of the readiness report.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// QueueState is a bounded queue.
type QueueState struct {
	Depth    int `json:"depth"`
	Capacity int `json:"capacity"`
}

// IndexState is how far the index is behind the truth.
type IndexState struct {
	Open       bool   `json:"open"`
	Rebuilding bool   `json:"rebuilding"`
	Lag        uint64 `json:"lag" doc:"changes not yet indexed"`
	Position   uint64 `json:"position"`
	Committed  uint64 `json:"committed"`
	Rows       int64  `json:"rows" doc:"spans, of all projects"`
	Error      string `json:"error"`
}

// IngestState is what comes in.
type IngestState struct {
	SpansPerS float64 `json:"spans_per_s" doc:"over the last seconds"`
	Calls     int64   `json:"calls" doc:"of the gateway, recorded"`
	Accepted  int64   `json:"accepted" doc:"spans of applications"`
	Rejected  int64   `json:"rejected" doc:"spans of applications that were malformed"`
	Refused   int64   `json:"refused" doc:"requests sent away because the queue was full or the disk low"`
	InFlight  int64   `json:"in_flight" doc:"spans on their way to the disk"`
	Capacity  int64   `json:"capacity"`
}

// TextState is how the full text index stands.
type TextState struct {
	Ready bool   `json:"ready" doc:"false while it is being built, or where there is none"`
	Lag   uint64 `json:"lag" doc:"changes that are not found yet"`
	Held  int    `json:"held" doc:"bytes of text in memory"`
	Error string `json:"error"`
}

// TelemetryState is the export of Weir's own spans.
type TelemetryState struct {
	Exporting bool  `json:"exporting"`
	Sent      int64 `json:"sent"`
	Failed    int64 `json:"failed" doc:"exports"`
}

// StoreSize is what a store takes on disk.
type StoreSize struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// DiskState is the file system of the data folder.
type DiskState struct {
	Free  uint64 `json:"free"`
	Total uint64 `json:"total"`
}

// Connection is what a client needs to reach Weir.
type Connection struct {
	BaseURL      string `json:"base_url" doc:"for Anthropic clients, and the root of everything"`
	OpenAIURL    string `json:"openai_url" doc:"base URL for OpenAI clients"`
	BedrockURL   string `json:"bedrock_url" doc:"endpoint for Bedrock runtime clients"`
	ExampleModel string `json:"example_model" doc:"a model that can be called; empty if there is none"`
}

func (s *Surface) system() {
	register(s, op{method: http.MethodGet, path: "/system", id: "getSystem", doc: "State of the process, its stores and queues", access: edge.Admin}, s.getSystem)
	register(s, op{method: http.MethodPatch, path: "/system/log-levels", id: "setLogLevels", doc: "Change log levels while running", access: edge.Admin}, s.setLogLevels)
	register(s, op{method: http.MethodGet, path: "/connect", id: "connect", doc: "How clients reach Weir"}, s.connect)
}

func (s *Surface) getSystem(ctx context.Context, _ *none) (*body[SystemState], error) {
	return reply(s.state(ctx))
}

func (s *Surface) state(ctx context.Context) SystemState {
	st := s.System.Status(ctx)
	x := s.Query.State()
	st.Version = s.Version
	st.Index = IndexState{Open: x.Open, Rebuilding: x.Rebuilding, Lag: x.Lag(), Position: x.Position, Committed: x.Committed, Rows: s.Query.Rows(ctx), Error: x.Err}
	st.Stores, st.Ready.Checks = list(st.Stores), list(st.Ready.Checks)
	if st.Errors == nil {
		st.Errors = map[string]int64{}
	}
	if st.LogLevels == nil {
		st.LogLevels = map[string]string{}
	}
	return st
}

type logLevelsInput struct {
	Body map[string]string
}

func (s *Surface) setLogLevels(ctx context.Context, in *logLevelsInput) (*body[map[string]string], error) {
	if err := s.System.SetLogLevels(in.Body); err != nil {
		return nil, err
	}
	return reply(s.state(ctx).LogLevels)
}

func (s *Surface) connect(ctx context.Context, _ *none) (*body[Connection], error) {
	base := s.baseURL(answerOf(ctx).r)
	c := Connection{BaseURL: base, OpenAIURL: base + "/v1", BedrockURL: base + "/bedrock"}
	for _, d := range s.Models.Deployments() {
		if c.ExampleModel == "" || !isPattern(d.Group) && isPattern(c.ExampleModel) {
			c.ExampleModel = d.Group
		}
	}
	return reply(c)
}
