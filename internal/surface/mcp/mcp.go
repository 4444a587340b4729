// Package mcp lets agents look at traces: a Model Context Protocol server at /mcp, whose tools search, read, aggregate,
// compare and score. Answers are small tables and excerpts, since what an agent reads fills its context.
package mcp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
	"weir/internal/tracediff"
)

// Scores takes scores; span.Notes does.
type Scores interface {
	PutScore(ctx context.Context, s *span.Score) error
}

// Deps is what the surface works with. Query and Bodies are required; without Scores there is no tool for them.
type Deps struct {
	Query   *query.Engine
	Bodies  tracediff.Bodies
	Scores  Scores
	Version string
	Log     *slog.Logger
	Now     func() time.Time // nil = time.Now
}

// Surface serves the protocol. It keeps no sessions: each request stands for itself, as the caller it comes from.
type Surface struct {
	Deps
	handler http.Handler
	schemas *sdk.SchemaCache // spares each request the derivation of the tools' schemas
}

var _ edge.Surface = (*Surface)(nil)

// maxBody bounds a request; arguments of tools are short.
const maxBody = 1 << 20

// New returns the surface.
func New(d Deps) *Surface {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Surface{Deps: d, schemas: sdk.NewSchemaCache()}
	s.handler = sdk.NewStreamableHTTPHandler(s.server, &sdk.StreamableHTTPOptions{
		Stateless: true, JSONResponse: true, MaxRequestBodyBytes: maxBody, Logger: slog.New(slog.DiscardHandler), // edge logs requests
		DisableLocalhostProtection: true, // every request has a credential, and edge looks at the Host of those that may go without
	})
	return s
}

// Routes implements edge.Surface.
func (s *Surface) Routes() []edge.Route {
	serve := func(w http.ResponseWriter, r *http.Request) error {
		s.handler.ServeHTTP(w, r)
		return nil
	}
	return []edge.Route{
		{Pattern: "POST /mcp", Handle: serve, Fail: fail, Doc: "Model Context Protocol, streamable HTTP without sessions"},
		{Pattern: "GET /mcp", Handle: refuse, Fail: fail, Doc: "405: this server opens no streams of its own"},
		{Pattern: "DELETE /mcp", Handle: refuse, Fail: fail, Doc: "405: there are no sessions to end"},
	}
}

func refuse(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Allow", http.MethodPost)
	http.Error(w, "this server has no sessions: send each message with POST", http.StatusMethodNotAllowed)
	return nil
}

// fail answers what never reached the protocol.
func fail(w http.ResponseWriter, _ *http.Request, err error) {
	status := edge.Status(err)
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="weir"`)
	}
	w.WriteHeader(status)
	_, _ = w.Write(jsonx.MustMarshal(map[string]any{ // nobody left to tell
		"jsonrpc": "2.0", "id": nil, "error": map[string]any{"code": -32000, "message": said(err)},
	}))
}

// said is what a caller may be told of an error.
func said(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Msg
	}
	if fault.Is(err, fault.Timeout) {
		return "this took too long; narrow the selection"
	}
	return "internal error"
}

const instructions = `Weir records calls of language models and the spans of the programs around them. Start with search_traces or aggregate; list_fields tells what can be filtered by.
Filters look like: status = error and (duration > 2s or cost >= 0.05) and model like "gpt-%" and start > -24h and text contains "some words". IDs are trace/span.
Answers are cut to a budget; each says how to get more. Ask for few fields and small limits.`

// server is made for each request, so that tools know their caller.
func (s *Surface) server(r *http.Request) *sdk.Server {
	srv := sdk.NewServer(&sdk.Implementation{Name: "weir", Title: "Weir", Version: s.Version}, &sdk.ServerOptions{
		Instructions: instructions, Capabilities: &sdk.ServerCapabilities{}, SchemaCache: s.schemas,
	})
	c := &caller{Surface: s, who: edge.Who(r.Context())}
	c.tools(srv)
	return srv
}

// caller is the surface for one identity.
type caller struct {
	*Surface
	who *tenant.Identity
}

func (c *caller) project() tenant.ProjectID { return c.who.Project }

// toolTime bounds one tool call.
const toolTime = 30 * time.Second

// tool adds a tool whose answer is a text.
func tool[In any](c *caller, srv *sdk.Server, name, doc string, writes bool, run func(ctx context.Context, in In) (string, error)) {
	sdk.AddTool(srv, &sdk.Tool{
		Name: name, Description: doc, Annotations: &sdk.ToolAnnotations{ReadOnlyHint: !writes, DestructiveHint: new(false), IdempotentHint: true, OpenWorldHint: new(false)},
	}, func(ctx context.Context, _ *sdk.CallToolRequest, in In) (*sdk.CallToolResult, any, error) {
		ctx, cancel := context.WithTimeout(ctx, toolTime)
		defer cancel()
		text, err := run(ctx, in)
		if err == nil {
			return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: text}}}, nil, nil
		}
		if fault.KindOf(err) == fault.Internal {
			c.Log.Error("tool failed", "tool", name, "error", err)
		}
		return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: explain(err)}}}, nil, nil
	})
}

func (c *caller) tools(srv *sdk.Server) {
	tool(c, srv, "search_traces", "Find recorded spans, model calls or whole traces by a filter. Answers a table with the fields asked for.", false, c.search)
	tool(c, srv, "get_trace", "The tree of a trace: one line per span with id, kind, name, time, cost and a preview.", false, c.trace)
	tool(c, srv, "get_span_messages", "What went into a span and came out of it, as messages. Long ones are shortened; message and offset read on.", false, c.messages)
	tool(c, srv, "aggregate", "Figures over a selection: counts, errors, cost, tokens, latencies, grouped by up to two fields, perhaps over time. Over model calls, unless the filter names kinds, as in kind = tool.", false, c.aggregate)
	tool(c, srv, "compare_traces", "What differs between two traces or two spans: steps added, removed and changed, messages, arguments, tokens, cost, time.", false, c.compare)
	tool(c, srv, "list_fields", "Fields that filters, groups and tables know; with a field, its most frequent values.", false, c.fields)
	tool(c, srv, "run_sql", "One read-only SELECT over the index, for what the other tools cannot answer. Without a query: the tables and columns.", false, c.sql)
	if c.Scores != nil {
		tool(c, srv, "add_score", "Judge a span or a trace. A score of the same name by the same author replaces the earlier one.", true, c.score)
	}
}
