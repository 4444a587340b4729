package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/klauspost/compress/gzip"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
)

// config describes the interface. Nothing is served by the framework itself.
func config(version string) huma.Config {
	c := huma.DefaultConfig("Weir", version)
	c.Info.Description = "Native REST interface of Weir. Send a key as a bearer token, or the session cookie with the X-CSRF-Token of GET /api/v1/me."
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil
	c.Formats = map[string]huma.Format{"application/json": compact, "json": compact}
	c.Transformers = []huma.Transformer{catchErrors}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key":    {Type: "http", Scheme: "bearer"},
		"cookie": {Type: "apiKey", In: "cookie", Name: "weir_session"},
	}
	c.Security = []map[string][]string{{"key": {}}, {"cookie": {}}}
	return c
}

// compact is the framework's JSON, written by the codec that large answers are worth.
var compact = huma.Format{Unmarshal: huma.DefaultJSONFormat.Unmarshal, Marshal: func(w io.Writer, v any) error {
	b, err := jsonx.Marshal(v)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}}

// op is one operation of the interface.
type op struct {
	method, path string
	id           string // name of the operation in generated clients
	doc          string
	access       edge.Access
	status       int    // of success; 0 = 200
	media        string // of success, where the answer is not described by a Go type
}

// Handle implements huma.Adapter by collecting routes; edge runs them, so that credentials, errors, logs and metrics
// are handled as on every other surface.
func (s *Surface) Handle(o *huma.Operation, h func(huma.Context)) {
	access, _ := o.Metadata["access"].(edge.Access)
	s.routes = append(s.routes, edge.Route{
		Pattern: o.Method + " " + o.Path, Access: access, Fail: fail, Doc: o.Summary,
		Handle: func(w http.ResponseWriter, r *http.Request) error {
			a := &answer{w: w, header: http.Header{}}
			a.r = r.WithContext(context.WithValue(r.Context(), answerKey{}, a))
			h(humago.NewContext(o, a.r, a))
			return a.finish()
		},
	})
}

// ServeHTTP implements huma.Adapter; routes are served by edge.
func (s *Surface) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// answer holds a response back until it is known to be one: what the framework would write for an error is dropped in
// favour of the error itself.
type answer struct {
	w      http.ResponseWriter
	r      *http.Request
	header http.Header
	status int
	body   bytes.Buffer
	err    error
	direct bool // the handler writes to w itself
}

type answerKey struct{}

func answerOf(ctx context.Context) *answer { return ctx.Value(answerKey{}).(*answer) }

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

func (a *answer) finish() error {
	if a.err != nil || a.direct {
		return a.err
	}
	for k, v := range a.header {
		a.w.Header()[k] = v
	}
	if a.worthPacking() {
		return a.pack()
	}
	a.w.WriteHeader(max(a.status, http.StatusOK))
	_, err := a.w.Write(a.body.Bytes())
	return err
}

// packFrom is the size from which an answer is compressed: the tree of a long trace has megabytes.
const packFrom = 64 << 10

func (a *answer) worthPacking() bool {
	h := a.w.Header()
	h.Add("Vary", "Accept-Encoding")
	return a.body.Len() >= packFrom && strings.Contains(a.r.Header.Get("Accept-Encoding"), "gzip") && h.Get("Content-Encoding") == "" &&
		strings.HasPrefix(h.Get("Content-Type"), "application/json")
}

func (a *answer) pack() error {
	a.w.Header().Set("Content-Encoding", "gzip")
	a.w.Header().Del("Content-Length")
	a.w.WriteHeader(max(a.status, http.StatusOK))
	z, err := gzip.NewWriterLevel(a.w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := z.Write(a.body.Bytes()); err != nil {
		return err
	}
	return z.Close()
}

// catchErrors takes what the framework finds wrong with a request.
func catchErrors(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	_, w := humago.Unwrap(ctx)
	if a := w.(*answer); a.err == nil {
		a.err = faultOf(m)
	}
	return m, nil
}

func faultOf(m *huma.ErrorModel) error {
	kind := fault.Invalid
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		kind = fault.TooLarge
	case http.StatusInternalServerError:
		kind = fault.Internal
	}
	e := &fault.Error{Kind: kind, Msg: m.Detail}
	if len(m.Errors) > 0 {
		d := m.Errors[0]
		e.Field, e.Msg = fieldOf(d.Location), d.Message
		if missing := required.FindStringSubmatch(d.Message); missing != nil {
			e.Field, e.Msg = strings.TrimPrefix(e.Field+"."+missing[1], "."), "this field is required"
		}
		if e.Field != "" {
			e.Msg = e.Field + ": " + e.Msg
		}
	}
	return e
}

// required finds the field that the framework names in words only.
var required = regexp.MustCompile(`^expected required property (\S+) to be present$`)

// fieldOf takes the place off a location: "query.limit" is limit, "body.models[0]" is models[0].
func fieldOf(location string) string {
	_, field, ok := strings.Cut(location, ".")
	if !ok && location != "body" {
		return ""
	}
	return field
}

var errAnswered = errors.New("answered by the edge")

// register adds an operation. Errors of the handler reach edge untouched.
func register[I, O any](s *Surface, o op, handle func(context.Context, *I) (*O, error)) {
	d := huma.Operation{
		Method: o.method, Path: "/api/v1" + o.path, OperationID: o.id, Summary: o.doc, DefaultStatus: o.status,
		Metadata: map[string]any{"access": o.access}, Responses: map[string]*huma.Response{"default": s.errorResponse()},
	}
	if o.access == edge.Public {
		d.Security = []map[string][]string{}
	}
	if o.media != "" {
		d.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{o.media: {Schema: &huma.Schema{}}}}
	}
	huma.Register(s.api, d, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			answerOf(ctx).err = err
			return nil, errAnswered
		}
		return out, nil
	})
}

func (s *Surface) errorResponse() *huma.Response {
	schema := huma.SchemaFromType(s.api.OpenAPI().Components.Schemas, reflect.TypeFor[ErrorBody]())
	return &huma.Response{Description: "Error", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}

// Document is the OpenAPI description.
func (s *Surface) Document() []byte { return jsonx.MustMarshal(s.api.OpenAPI()) }

func (s *Surface) document(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(s.Document())
	return err
}

// body is an output that is described by its Go type.
type body[T any] struct{ Body T }

func reply[T any](v T) (*body[T], error) { return &body[T]{v}, nil }

type none struct{}
