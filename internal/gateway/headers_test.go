package gateway

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

func TestKeptHeaders(t *testing.T) {
	h := http.Header{"Anthropic-Beta": {"b1,b2", "b3"}, "Authorization": {"Bearer sk-secret"}, "Cookie": {"c"}}
	got := keptHeaders(h)
	values := gjson.GetBytes(got, HeaderAttribute("Anthropic-Beta", true)).Array()
	if len(values) != 2 || values[1].Str != "b3" || strings.Contains(string(got), "secret") || strings.Contains(string(got), "ookie") {
		t.Errorf("kept %s", got)
	}
	if got := keptHeaders(http.Header{"Anthropic-Beta": {strings.Repeat("x", maxKeptHeader+1)}}); got != nil {
		t.Errorf("kept %d bytes of a header that is too long", len(got))
	}
	if got := keptHeaders(nil); got != nil {
		t.Errorf("kept %s of nothing", got)
	}
}

// A replay names its own span and the call it repeats.
func TestReplaysAreRecordedAsSuch(t *testing.T) {
	g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": {steps: []step{says("hello")}}})
	c := call("m", false)
	c.Header = http.Header{"Anthropic-Beta": {"b1"}}
	c.Facts = Facts{Trace: strings.Repeat("a", 32), Span: strings.Repeat("b", 16), Replays: "t/s"}
	if _, err := g.Do(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if s := rec.only(t); s.ID != c.Facts.Span || s.Trace != c.Facts.Trace || s.Replays != "t/s" || !strings.Contains(string(s.Attributes), "b1") {
		t.Errorf("span %+v", s)
	}
}
