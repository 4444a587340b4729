package share

import (
	"context"
	"strings"
	"testing"

	"weir/internal/jsonx"
	"weir/internal/span"
	"weir/internal/tenant"
)

type oneTrace struct {
	span.Store
	s *span.Span
}

func (o oneTrace) Trace(context.Context, tenant.ProjectID, string) ([]*span.Span, error) {
	return []*span.Span{o.s}, nil
}

func TestNothingNamesTheCaller(t *testing.T) {
	attributes := `{"user.id":"ann@example.com","gen_ai.conversation.id":"c","langfuse.user.id":"x","langfuse.trace.metadata":"{\"who\":\"ann@example.com\"}",
		"nested":{"session_id":"thread-77","list":["thread-77","kept"]},"ai.telemetry.metadata.userId":"u","client.address":"192.0.2.1","app.step":3,"gen_ai.request.model":"m"}`
	s := &span.Span{EndUser: "ann@example.com", Session: "thread-77", Attributes: jsonx.Raw(attributes), Metadata: jsonx.Raw(`{"customer_id":9,"team":"kept"}`),
		Tags: []string{"kept", "session:thread-77"}, Events: []span.Moment{{Name: "e", Attributes: jsonx.Raw(`{"enduser.id":"x","kept":1}`)}}}
	got, err := View(oneTrace{s: s}, Share{Project: "p", Trace: "t", Bodies: true}).Trace(t.Context(), "p", "t")
	if err != nil {
		t.Fatal(err)
	}
	text := string(jsonx.MustMarshal(got[0]))
	for _, no := range []string{"ann@", "thread-77", "customer", "conversation", "userId", "enduser", "192.0.2.1"} {
		if strings.Contains(text, no) {
			t.Errorf("%q is shown: %s", no, text)
		}
	}
	if strings.Count(text, "kept") != 4 || !strings.Contains(text, `"app.step":3`) || !strings.Contains(text, `"gen_ai.request.model":"m"`) {
		t.Errorf("too much is hidden: %s", text)
	}
	if string(s.Attributes) != attributes {
		t.Error("the stored span was changed")
	}
}

func TestBodyNamesNoCaller(t *testing.T) {
	for in, want := range map[string]string{
		`{"model":"m","metadata":{"user_id":"x"},"messages":[{"role":"user"}]}`: `{"messages":[{"role":"user"}],"model":"m"}`,
		`{"model":"m",  "messages":[]}`:                                         `{"model":"m",  "messages":[]}`,
		`["user"]`:                                                              `["user"]`,
		`not json`:                                                              `not json`,
	} {
		if got := string(Body([]byte(in))); got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
}
