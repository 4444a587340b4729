package mapping

import (
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Version of the tables, stored with every span they made.
const Version = 1

// Mapper maps the spans of one request, whose texts it may look at again for as long as it is used.
type Mapper struct {
	// Room is memory that bodies are written into as long as it lasts; they are to be used no longer than it is.
	Room []byte

	described []Attribute // the latest resource
	resource  jsonx.Raw
	lists     [2]string // the latest of the input and of the output
	scratch   []byte
}

// Map fills in a span and its bodies. It copies what it keeps, and takes any input without failing.
func Map(r *Raw) Mapped { return new(Mapper).Map(r) }

// Map is Map with the bodies in Room.
func (x *Mapper) Map(r *Raw) Mapped {
	m := mapper{of: x, raw: r, attrs: r.Attributes, s: &span.Span{
		Trace: strings.Clone(r.Trace), ID: strings.Clone(r.ID), Parent: strings.Clone(r.Parent), Name: valid(r.Name),
		Start: r.Start, End: r.End, Kind: span.Other, Status: span.OK, Mapping: Version, Scope: valid(r.Scope), Links: linksOf(r.Links),
	}}
	var hits [64]hit
	var state [128]fate
	m.hits, m.fates = hits[:0], state[:]
	m.collect()
	m.own = m.dialect()
	m.s.Dialect = dialectNames[m.own]
	m.pick()
	m.resource()
	m.facts()
	m.usage()
	m.outcome()
	input, output := m.bodies()
	m.model(input)
	m.s.Attributes = m.attributes()
	m.s.Events = m.moments()
	return Mapped{Span: m.s, Input: input, Output: output}
}

// take is empty memory for n bytes of a body.
func (x *Mapper) take(n int) []byte {
	if n > len(x.Room) {
		return make([]byte, 0, n)
	}
	b := x.Room[:0:n]
	x.Room = x.Room[n:]
	return b
}

// describe is a resource as JSON. Spans of one program share it.
func (x *Mapper) describe(resource []Attribute) jsonx.Raw {
	if len(x.described) == len(resource) && &x.described[0] == &resource[0] {
		return x.resource
	}
	dst := make([]byte, 0, 512)
	for i, a := range resource {
		dst = appendEntry(dst, i == 0, a.Key, a.Value)
	}
	x.described, x.resource = resource, append(dst, '}')
	return x.resource
}

// mapper is the work on one span.
type mapper struct {
	of      *Mapper
	raw     *Raw
	s       *span.Span
	attrs   []Attribute // the span's own, then those of events that carry messages as attributes
	own     dialect
	marks   uint16 // dialects that have left a mark
	hits    []hit
	best    [single]hit
	fates   []fate   // of attrs
	markers []marker // of attributes that became bodies
	events  []gathered
}

// hit is an attribute that means something.
type hit struct {
	index int
	r     *rule
}

// fate says what becomes of an attribute.
type fate uint8

const (
	kept fate = iota
	moved
)

func valid(s string) string { return strings.Clone(strings.ToValidUTF8(s, "\uFFFD")) }

func linksOf(in []span.Link) []span.Link {
	if len(in) == 0 {
		return nil
	}
	out := make([]span.Link, len(in))
	for i, l := range in {
		out[i] = span.Link{Trace: strings.Clone(l.Trace), Span: strings.Clone(l.Span), Attributes: slices.Clone(l.Attributes)}
	}
	return out
}

func (m *mapper) value(h hit) any { return m.attrs[h.index].Value }

// collect looks every attribute up once.
func (m *mapper) collect() {
	m.gather()
	if len(m.attrs) > len(m.fates) {
		m.fates = make([]fate, len(m.attrs))
	}
	for i := range m.attrs {
		if r := known.find(m.attrs[i].Key); r != nil {
			m.hits = append(m.hits, hit{i, r})
			if r.mark {
				m.marks |= 1 << r.from
			}
		}
	}
}

// dialect is whose convention the span follows: that of the instrumentation that made it, if its name tells, else the
// first that has left a mark.
func (m *mapper) dialect() dialect {
	for _, s := range []struct {
		scope string
		d     dialect
	}{{"openinference.", openInference}, {"pydantic-ai", pydantic}, {"langfuse", langfuse}} {
		if m.marks != 0 && strings.HasPrefix(m.raw.Scope, s.scope) {
			return s.d
		}
	}
	for d := range plain {
		if m.marks&(1<<d) != 0 {
			if d == genAI && strings.HasPrefix(m.raw.Scope, "logfire") {
				return pydantic
			}
			return d
		}
	}
	if len(m.events) > 0 {
		return genAI
	}
	return plain
}

// rank orders rules that fill the same field; the lowest wins.
func (m *mapper) rank(r *rule) int {
	if r.from == m.own {
		return int(r.order)
	}
	return (int(r.from)+1)<<8 + int(r.order)
}

func (m *mapper) pick() {
	for _, h := range m.hits {
		if h.r.field >= single || h.r.field == fKind && m.kindOf(h) == "" || empty(m.value(h)) {
			continue
		}
		if b := &m.best[h.r.field]; b.r == nil || m.rank(h.r) < m.rank(b.r) {
			*b = h
		}
	}
}

func empty(v any) bool { return v == nil || v == "" }

// kindOf is what an attribute says about the kind, or "".
func (m *mapper) kindOf(h hit) span.Kind {
	if h.r.kind != "" || h.r.kinds == nil {
		return h.r.kind
	}
	s, _ := m.value(h).(string)
	return h.r.kinds[strings.ToLower(strings.Trim(s, `"`))]
}

// get returns the winning value of a field.
func (m *mapper) get(f field) (any, bool) {
	if m.best[f].r == nil {
		return nil, false
	}
	return m.value(m.best[f]), true
}

func (m *mapper) text(f field) string {
	if v, ok := m.get(f); ok {
		return strings.ToValidUTF8(textOf(v), "\uFFFD")
	}
	return ""
}

// resource takes what the program says about itself where the span says nothing.
func (m *mapper) resource() {
	s := m.s
	s.Service, s.Environment, s.Release = m.text(fService), m.text(fEnvironment), m.text(fRelease)
	if len(m.raw.Resource) == 0 {
		return
	}
	var env, release [2]string
	for _, a := range m.raw.Resource {
		switch a.Key {
		case "service.name":
			s.Service = textOf(a.Value)
		case "langfuse.environment":
			env[0] = textOf(a.Value)
		case "deployment.environment.name", "deployment.environment":
			env[1] = textOf(a.Value)
		case "langfuse.release":
			release[0] = textOf(a.Value)
		case "service.version":
			release[1] = textOf(a.Value)
		}
	}
	s.Resource = m.of.describe(m.raw.Resource)
	s.Environment = first(s.Environment, env[0], env[1])
	s.Release = first(s.Release, release[0], release[1])
}

func appendEntry(dst []byte, opening bool, key string, v any) []byte {
	if opening {
		dst = append(dst, '{')
	} else {
		dst = append(dst, ',')
	}
	return appendValue(append(appendString(dst, key), ':'), v, 0)
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// facts are the fields that one attribute fills.
func (m *mapper) facts() {
	s := m.s
	if b := m.best[fKind]; b.r != nil {
		s.Kind = m.kindOf(b)
	}
	s.Operation = m.operation()
	s.Provider = providerOf(m.text(fProvider))
	s.Model, s.Group = m.text(fModel), m.text(fRequested)
	s.Upstream = m.text(fResponseID)
	if v, ok := m.get(fFinish); ok {
		s.Finish = firstOf(v)
	}
	s.Session = m.text(fSession)
	s.EndUser = m.text(fEndUser)
	s.User = tenant.UserID(s.EndUser)
	s.TraceName, s.Experiment = m.text(fTraceName), m.text(fExperiment)
	if name := m.text(fPromptName); name != "" {
		s.Prompt = span.Prompt{Name: name, Version: m.text(fPromptVersion)}
	} else if v, ok := m.get(fPrompt); ok {
		s.Prompt = promptOf(v)
	}
	if code, ok := m.count(fHTTP); ok && code < 1000 {
		s.HTTP = int(code)
	}
	if v, ok := m.get(fTags); ok {
		s.Tags = tagsOf(v)
	}
	s.FirstToken = m.firstToken()
	v, ok := m.get(fStream)
	m.objects()
	s.Stream = ok && boolOf(v) || s.FirstToken > 0 || len(s.Params) > 0 && gjson.GetBytes(s.Params, "stream").Type == gjson.True
}

// operation is the convention's word for it, else the usual one of the kind.
func (m *mapper) operation() string {
	for _, h := range m.hits {
		if h.r.key == "gen_ai.operation.name" {
			return textOf(m.value(h))
		}
	}
	switch m.s.Kind {
	case span.Generation:
		return "chat"
	case span.Embedding:
		return "embeddings"
	}
	return ""
}

// promptOf reads {"name", "version"}, or the first of a list of them, in text or as such.
func promptOf(v any) span.Prompt {
	p, _ := jsonOf(v)
	if p.IsArray() {
		p = p.Get("0")
	}
	return span.Prompt{Name: strings.Clone(p.Get("name").String()), Version: strings.Clone(p.Get("version").String())}
}

// firstTokenEvents mark the arrival of the first content.
var firstTokenEvents = map[string]bool{
	"ai.stream.firstChunk": true, "First Token Stream Event": true, "mlflow.chunk.item.0": true, "llm.content.completion.chunk": true,
	"gen_ai.content.completion.chunk": true,
}

func (m *mapper) firstToken() (d time.Duration) {
	if v, ok := m.get(fFirstToken); ok {
		if unit := m.best[fFirstToken].r.unit; unit == 0 {
			if t, ok := timeOf(v); ok {
				d = t.Sub(m.s.Start)
			}
		} else if n, ok := numberOf(v); ok && n < 1e9 {
			d = time.Duration(n * float64(unit))
		}
	}
	for i := range m.raw.Events {
		if e := &m.raw.Events[i]; d <= 0 && firstTokenEvents[e.Name] {
			d = e.Time.Sub(m.s.Start)
		}
	}
	return max(d, 0)
}

// objects are parameters and metadata, gathered from several attributes.
func (m *mapper) objects() {
	var params, metadata objects
	for _, h := range m.hits {
		var o *objects
		switch h.r.field {
		case fParams:
			o = &params
		case fMetadata:
			o = &metadata
		default:
			continue
		}
		switch v := m.value(h); {
		case h.r.name != "":
			o.add(h.r.name, v)
		case h.r.prefix:
			o.add(m.attrs[h.index].Key[len(h.r.key):], v)
		default:
			o.merge(v)
		}
	}
	m.s.Params, m.s.Metadata = params.raw(), metadata.raw()
}

// model fills in the model's two names, from the request where no attribute names one.
func (m *mapper) model(input []byte) {
	s := m.s
	called := s.Model != "" || s.Group != "" || !s.Usage.IsZero()
	switch {
	case s.Kind == span.Other && called && (m.own == langfuse || m.best[fKind].r == nil && m.own != plain):
		s.Kind = span.Generation // Langfuse SDKs before 3.3 call it a span
		s.Operation = first(s.Operation, "chat")
	case s.Kind == span.Generation && !called && len(input) > 0 && input[0] == '{':
		if name := gjson.GetBytes(input, "model"); name.Type == gjson.String {
			s.Model = strings.Clone(name.Str)
		}
	}
	s.Model, s.Group = first(s.Model, s.Group), first(s.Group, s.Model)
}

// outcome is status and error.
func (m *mapper) outcome() {
	s := m.s
	for _, h := range m.hits {
		switch h.r.field {
		case fLevel:
			if l := strings.ToUpper(textOf(m.value(h))); l == "ERROR" || l == "FATAL" || l == "CRITICAL" {
				s.Status = span.Error
			}
		case fPending:
			m.pending(m.value(h))
		}
	}
	if s.End.IsZero() && s.Status == span.OK {
		s.Status = span.Running
	}
	if m.raw.Failed {
		s.Status = span.Error
	}
	if s.Status != span.Error {
		return
	}
	kind, text := m.exception()
	s.ErrorType = first(m.text(fErrorType), kind, "error")
	s.ErrorText = first(m.text(fErrorText), text, valid(m.raw.StatusText))
}

// pending is a placeholder that Logfire sends at the start, as a child of the span it stands for.
func (m *mapper) pending(v any) {
	if textOf(v) != "pending_span" || m.s.Parent == "" {
		return
	}
	m.s.ID, m.s.Parent, m.s.Status = m.s.Parent, "", span.Running
	for i := range m.raw.Attributes {
		if a := &m.raw.Attributes[i]; a.Key == "logfire.pending_parent_id" {
			if p := textOf(a.Value); strings.Trim(p, "0") != "" {
				m.s.Parent = p
			}
		}
	}
}

// exception is what the last exception event says.
func (m *mapper) exception() (kind, text string) {
	for i := len(m.raw.Events) - 1; i >= 0; i-- {
		e := &m.raw.Events[i]
		if e.Name != "exception" && e.Name != "gen_ai.client.operation.exception" {
			continue
		}
		for _, a := range e.Attributes {
			switch a.Key {
			case "exception.type":
				kind = valid(textOf(a.Value))
			case "exception.message":
				text = valid(textOf(a.Value))
			}
		}
		return kind, text
	}
	return "", ""
}

// providers are the names Weir uses where conventions have others.
var providers = map[string]string{
	"aws.bedrock": "bedrock", "aws_bedrock": "bedrock", "amazon-bedrock": "bedrock", "amazon_bedrock": "bedrock", "aws": "bedrock",
	"azure.ai.openai": "azure", "az.ai.openai": "azure", "azure.ai.inference": "azure", "az.ai.inference": "azure", "azure-openai": "azure", "azure_openai": "azure",
	"gcp.vertex_ai": "vertex", "vertex_ai": "vertex", "vertexai": "vertex", "google.vertex": "vertex", "gcp.gemini": "gemini", "gcp.gen_ai": "gemini",
	"google": "gemini", "google.generative-ai": "gemini", "mistral_ai": "mistral", "mistralai": "mistral", "x_ai": "xai", "moonshot_ai": "moonshot",
	"ibm.watsonx.ai": "watsonx",
}

// providerOf turns "openai.chat", as Vercel writes it, into "openai".
func providerOf(name string) string {
	name = strings.ToLower(name)
	if p := providers[name]; p != "" {
		return p
	}
	if head, _, dotted := strings.Cut(name, "."); dotted {
		return first(providers[head], head)
	}
	return name
}
