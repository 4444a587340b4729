package replay

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/ingest/mapping"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/span"
	"weir/internal/tenant"
)

// rig is a Service over recorded calls in memory, whose gateway notes what it is given.
type rig struct {
	spans  []*span.Span
	bodies map[string]string // by span
	sent   *gateway.Call
	err    error
}

func (r *rig) Trace(_ context.Context, p tenant.ProjectID, trace string) ([]*span.Span, error) {
	var out []*span.Span
	for _, s := range r.spans {
		if s.Trace == trace && s.Project == p {
			out = append(out, s)
		}
	}
	if out == nil {
		return nil, fault.New(fault.NotFound, "no such trace")
	}
	return out, nil
}

func (r *rig) Span(ctx context.Context, p tenant.ProjectID, trace, id string) (*span.Span, error) {
	all, err := r.Trace(ctx, p, trace)
	for _, s := range all {
		if s.ID == id {
			return s, nil
		}
	}
	return nil, errors.Join(err, fault.New(fault.NotFound, "no such span"))
}

func (r *rig) Body(_ context.Context, s *span.Span, _ span.Ref) ([]byte, error) {
	b, ok := r.bodies[s.ID]
	if !ok {
		return nil, fault.New(fault.NotFound, "gone")
	}
	return []byte(b), nil
}

func (r *rig) service() *Service {
	dialect := func(d llm.Dialect) Dialect {
		return func(body []byte, h http.Header) (*gateway.Call, error) {
			return &gateway.Call{Dialect: d, Model: gjson.GetBytes(body, "model").Str, Stream: gjson.GetBytes(body, "stream").Bool(), Body: body, Header: h}, nil
		}
	}
	return New(Deps{
		Spans: r, Bodies: r,
		Do: func(_ context.Context, c *gateway.Call) (*gateway.Answer, error) {
			r.sent = c
			return &gateway.Answer{}, r.err
		},
		Serves: func(m string) error {
			if m == "small" || m == "large" {
				return nil
			}
			return fault.New(fault.ModelNotFound, "no")
		},
		Dialects: map[llm.Dialect]Dialect{llm.OpenAIChat: dialect(llm.OpenAIChat), llm.AnthropicMessages: dialect(llm.AnthropicMessages)},
	})
}

const (
	chat   = `{ "model": "small",  "user":"u9","messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Hi 日本"}],"temperature":1, "unknown_field": [1, 2.50] ,"metadata":{"session_id":"s9","trace_id":"0af7651916cd43dd8448eb211c80319c"}}`
	claude = `{"model":"small","max_tokens":10,"system":[{"type":"text","text":"Be kind."}],"messages":[{"role":"user","content":"Hi"}]}`
)

func newRig() *rig {
	body := span.Ref{Form: span.FormRaw}
	gen := func(trace, id string, d llm.Dialect) *span.Span {
		return &span.Span{Project: "one", Trace: trace, ID: id, Kind: span.Generation, Dialect: string(d), Group: "small", Input: body}
	}
	r := &rig{bodies: map[string]string{"a1": chat, "b1": claude, "b2": claude}}
	beta := gen("b", "b1", llm.AnthropicMessages)
	beta.Attributes = jsonx.Raw(`{"http.request.header.anthropic-beta":["context-1m,x"]}`)
	gone, none, tool := gen("g", "g1", llm.OpenAIChat), gen("n", "n1", llm.OpenAIChat), gen("k", "k1", "")
	none.Input, tool.Kind = span.Ref{}, span.Tool
	odd := gen("o", "o1", "bedrock_converse")
	r.bodies["o1"] = "{}"
	r.spans = []*span.Span{gen("a", "a1", llm.OpenAIChat), beta, gen("b", "b2", llm.AnthropicMessages), gone, none, tool, odd}
	return r
}

var member = &tenant.Identity{Role: tenant.RoleMember, Project: "one"}

func TestUnchangedIsByteForByte(t *testing.T) {
	r := newRig()
	got, err := r.service().Do(t.Context(), member, Request{Trace: "a", Unchanged: true, IP: "192.0.2.1", UserAgent: "ui"})
	if err != nil {
		t.Fatal(err)
	}
	f := r.sent.Facts
	if string(r.sent.Body) != chat {
		t.Errorf("sent %s", r.sent.Body)
	}
	if f.Replays != "a/a1" || f.Trace != got.Trace || f.Span != got.Span || f.Trace == "a" || f.Session != "replay-a" || f.EndUser != "" || f.Parent != "" {
		t.Errorf("facts %+v", f)
	}
	if strings.Join(f.Tags, ",") != Tag || r.sent.Who != member || f.IP != "192.0.2.1" || got.Status != span.OK {
		t.Errorf("tags %v, who %v, ip %s, status %s", f.Tags, r.sent.Who, f.IP, got.Status)
	}
}

func TestHeadersThatShapeTheAnswer(t *testing.T) {
	r := newRig()
	if _, err := r.service().Do(t.Context(), member, Request{Trace: "b", Span: "b1"}); err != nil {
		t.Fatal(err)
	}
	if got := r.sent.Header.Get("Anthropic-Beta"); got != "context-1m,x" {
		t.Errorf("Anthropic-Beta %q", got)
	}
}

func ptr(s string) *string { return &s }

func TestChangesKeepTheRest(t *testing.T) {
	canonical := jsonx.Raw(`[{"role":"system","parts":[{"type":"text","text":"S"}]},{"role":"user","parts":[{"type":"text","text":"Q"}]},
		{"role":"assistant","parts":[{"type":"thinking","text":"hm"},{"type":"tool_call","id":"t1","name":"f","arguments":{"x":1}}]},
		{"role":"tool","parts":[{"type":"tool_result","id":"t1","result":"R"}]}]`)
	for name, c := range map[string]struct {
		req  Request
		want string
	}{
		"model":            {Request{Trace: "a", Model: "large"}, strings.Replace(chat, `"small"`, `"large"`, 1)},
		"parameter":        {Request{Trace: "a", Params: map[string]jsonx.Raw{"temperature": jsonx.Raw("0")}}, strings.Replace(chat, `"temperature":1`, `"temperature":0`, 1)},
		"parameter away":   {Request{Trace: "a", Params: map[string]jsonx.Raw{"temperature": jsonx.Raw("null")}}, strings.Replace(chat, `,"temperature":1`, ``, 1)},
		"system":           {Request{Trace: "a", System: ptr("Be brief.")}, strings.Replace(chat, `"Be kind."`, `"Be brief."`, 1)},
		"system away":      {Request{Trace: "a", System: ptr("")}, strings.Replace(chat, `{"role":"system","content":"Be kind."},`, ``, 1)},
		"claude's system":  {Request{Trace: "b", Span: "b2", System: ptr("No.")}, strings.Replace(claude, `[{"type":"text","text":"Be kind."}]`, `"No."`, 1)},
		"other spelling":   {Request{Trace: "b", Span: "b2", Params: map[string]jsonx.Raw{"max_completion_tokens": jsonx.Raw("7")}}, strings.Replace(claude, `"max_tokens":10`, `"max_tokens":7`, 1)},
		"native messages":  {Request{Trace: "b", Span: "b2", Messages: jsonx.Raw(`[{"role":"user","content":"Yo"}]`)}, strings.Replace(claude, `"Hi"`, `"Yo"`, 1)},
		"canonical":        {Request{Trace: "a", Messages: canonical}, `[{"content":"S","role":"system"},{"content":"Q","role":"user"},{"content":null,"role":"assistant","tool_calls":[{"function":{"arguments":"{\"x\":1}","name":"f"},"id":"t1","type":"function"}]},{"content":"R","role":"tool","tool_call_id":"t1"}]`},
		"claude canonical": {Request{Trace: "b", Span: "b2", Messages: canonical}, `[{"content":[{"text":"Q","type":"text"}],"role":"user"},{"content":[{"id":"t1","input":{"x":1},"name":"f","type":"tool_use"}],"role":"assistant"},{"content":[{"content":"R","tool_use_id":"t1","type":"tool_result"}],"role":"user"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig()
			if _, err := r.service().Do(t.Context(), member, c.req); err != nil {
				t.Fatal(err)
			}
			got := string(r.sent.Body)
			if strings.HasPrefix(c.want, "[") { // the messages alone; keys in any order
				got, c.want = ordered(gjson.Get(got, "messages").Raw), ordered(c.want)
			}
			if got != c.want {
				t.Errorf("sent\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// ordered is JSON with its keys in order.
func ordered(s string) string {
	var v any
	if err := jsonx.Unmarshal([]byte(s), &v); err != nil {
		return err.Error() + " " + s
	}
	return gjson.Get(string(jsonx.MustMarshal(v)), "@ugly").Raw
}

func TestRefusals(t *testing.T) {
	viewer := &tenant.Identity{Role: tenant.RoleViewer, Project: "one"}
	other := &tenant.Identity{Role: tenant.RoleMember, Project: "two"}
	for name, c := range map[string]struct {
		who   *tenant.Identity
		req   Request
		kind  fault.Kind
		field string
	}{
		"viewer":              {viewer, Request{Trace: "a"}, fault.Forbidden, ""},
		"another project":     {other, Request{Trace: "a"}, fault.NotFound, ""},
		"no such span":        {member, Request{Trace: "a", Span: "zz"}, fault.NotFound, ""},
		"several calls":       {member, Request{Trace: "b"}, fault.Invalid, "span"},
		"not recorded":        {member, Request{Trace: "n"}, fault.Invalid, "span"},
		"no longer kept":      {member, Request{Trace: "g"}, fault.Invalid, "span"},
		"a tool":              {member, Request{Trace: "k", Span: "k1"}, fault.Invalid, "span"},
		"only a tool":         {member, Request{Trace: "k"}, fault.Invalid, "trace"},
		"foreign dialect":     {member, Request{Trace: "o"}, fault.Invalid, "span"},
		"unknown model":       {member, Request{Trace: "a", Model: "none"}, fault.Invalid, "model"},
		"changes, unchanged":  {member, Request{Trace: "a", Model: "large", Unchanged: true}, fault.Invalid, "unchanged"},
		"no parameter":        {member, Request{Trace: "a", Params: map[string]jsonx.Raw{"messages": jsonx.Raw("[]")}}, fault.Invalid, "params.messages"},
		"path as a parameter": {member, Request{Trace: "a", Params: map[string]jsonx.Raw{"messages.0.content": jsonx.Raw("1")}}, fault.Invalid, "params.messages.0.content"},
		"not JSON":            {member, Request{Trace: "a", Params: map[string]jsonx.Raw{"top_p": jsonx.Raw("{")}}, fault.Invalid, "params.top_p"},
		"empty messages":      {member, Request{Trace: "a", Messages: jsonx.Raw("[]")}, fault.Invalid, "messages"},
		"unknown part":        {member, Request{Trace: "a", Messages: jsonx.Raw(`[{"role":"user","parts":[{"type":"other","value":1}]}]`)}, fault.Invalid, "messages[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig()
			_, err := r.service().Do(t.Context(), c.who, c.req)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != c.kind || f.Field != c.field {
				t.Errorf("%v (%+v)", err, f)
			}
			if r.sent != nil {
				t.Error("it was sent all the same")
			}
		})
	}
}

func TestFailures(t *testing.T) {
	r := newRig()
	r.err = &gateway.CallError{Err: &llm.Error{Status: 429, Type: "rate_limit", Message: "slow down"}}
	got, err := r.service().Do(t.Context(), member, Request{Trace: "a"})
	if err != nil || got.Status != span.Error || got.ErrorType != "rate_limit" || got.ErrorText != "slow down" {
		t.Errorf("the provider's failure is a result: %+v, %v", got, err)
	}
	r.err = &gateway.CallError{Err: fault.New(fault.BudgetExceeded, "no money")}
	if _, err := r.service().Do(t.Context(), member, Request{Trace: "a"}); !fault.Is(err, fault.BudgetExceeded) {
		t.Errorf("a refusal is an error: %v", err)
	}
}

func TestBuiltFromAnApplication(t *testing.T) {
	s := &span.Span{Source: "otlp", Group: "gpt-4o", Params: jsonx.Raw(`{"temperature":0.5,"service_tier":"x","stop":null}`)}
	c := mapping.Conversation{Input: mapping.Side{
		Messages: []mapping.Message{{Role: "user", Parts: []mapping.Part{{Type: "text", Text: "look"}, {Type: "image", MIME: "image/png", Data: "AAAA"}}}},
		Tools:    []mapping.Tool{{Name: "f", Description: "d", Schema: jsonx.Raw(`{"type":"object"}`)}},
	}}
	b, err := build(s, c, "small")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"model": "small", "temperature": "0.5", "service_tier": "", "stop": "", "messages.0.content.1.image_url.url": "data:image/png;base64,AAAA",
		"tools.0.function.parameters.type": "object",
	} {
		if got := gjson.GetBytes(b, path).String(); got != want {
			t.Errorf("%s is %q, want %q in %s", path, got, want, b)
		}
	}
	if b, err = build(s, mapping.Conversation{Input: mapping.Side{Value: jsonx.Raw(`"just text"`)}}, "m"); err != nil || gjson.GetBytes(b, "messages.0.content").Str != "just text" {
		t.Errorf("a plain prompt: %s, %v", b, err)
	}
	if _, err = build(s, mapping.Conversation{}, "m"); !fault.Is(err, fault.Invalid) {
		t.Errorf("nothing to send: %v", err)
	}
}
