package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"weir/internal/fault"
	"weir/internal/replay"
	"weir/internal/span"
	"weir/internal/tenant"
)

func diffed(t *testing.T) (s *server, a, b *span.Span) {
	s = newServer(t)
	a, b = call(1, "one"), call(2, "one")
	b.Status, b.ErrorType = span.Error, "overloaded"
	const q = `{"model":"claude","max_tokens":5,"messages":[{"role":"user","content":"Which towns are large?"}]}`
	s.record(a, q, `{"content":[{"type":"text","text":"Tokyo"}],"role":"assistant","type":"message"}`)
	s.record(b, strings.Replace(q, "towns", "cities", 1), "")
	other := call(3, "two")
	s.record(other, q, "")
	return s, a, b
}

func TestDiff(t *testing.T) {
	s, a, b := diffed(t)
	for _, path := range []string{
		"/diff?a=" + a.Trace + "&b=" + b.Trace,
		"/diff?a=" + a.Trace + "/" + a.ID + "&b=" + b.Trace + "%2F" + b.ID,
	} {
		var d TraceDiff
		s.get(path, &d)
		if len(d.Rows) != 1 || d.Rows[0].Op != "changed" || d.Counts["changed"] != 1 || d.A.Trace != a.Trace || d.B.Errors != 1 || d.Delta.Errors != 1 || d.Delta.DurationMS != 100 {
			t.Fatalf("%s: %+v", path, d)
		}
		got := map[string]DiffChange{}
		for _, p := range d.Rows[0].Parts {
			got[p.What+" "+p.Path] = p
		}
		if c := got["message input.messages[0]"]; c.Op != "changed" || len(c.Words) != 4 || c.Words[1] != [2]string{"-", "towns"} {
			t.Errorf("message: %+v in %+v", c, got)
		}
		if c := got["error error_type"]; c.Op != "added" || string(c.Before) != "null" || string(c.After) != `"overloaded"` {
			t.Errorf("error: %+v", c)
		}
		if c := got["output output.messages[0]"]; c.Op != "removed" || string(c.Before) != `"Tokyo"` {
			t.Errorf("output: %+v", c)
		}
	}
}

func TestDiffRefusals(t *testing.T) {
	s, a, b := diffed(t)
	for _, c := range []struct {
		token, path string
		status      int
		field       string
	}{
		{"sk-viewer", "/diff?a=" + a.Trace + "&b=" + b.Trace, 200, ""},
		{"sk-other", "/diff?a=" + a.Trace + "&b=" + b.Trace, 404, "a"},
		{"sk-member", "/diff?a=" + a.Trace + "&b=" + call(3, "two").Trace, 404, "b"},
		{"sk-member", "/diff?a=" + a.Trace + "&b=" + b.Trace + "/nobody", 404, ""},
		{"sk-member", "/diff?a=" + a.Trace, 400, "b"},
	} {
		var e ErrorBody
		if res := s.send(c.token, http.MethodGet, c.path, "", &e); res.StatusCode != c.status || e.Error.Field != c.field {
			t.Errorf("%s as %s: %d %+v", c.path, c.token, res.StatusCode, e)
		}
	}
}

// again is a Replayer that notes what it is asked for.
type again struct {
	got replay.Request
	who *tenant.Identity
	err error
}

func (a *again) Do(_ context.Context, who *tenant.Identity, r replay.Request) (*replay.Result, error) {
	a.got, a.who = r, who
	return &replay.Result{Trace: "n", Span: "m", Status: span.OK, Original: span.Key{Trace: r.Trace, Span: "s"}}, a.err
}

func TestReplay(t *testing.T) {
	s := newServer(t)
	r := &again{}
	s.surface.Deps.Replay = r
	var out Replayed
	body := `{"trace":"t","span":"s","model":"m","params":{"temperature":0,"stop":null},"messages":[{"role":"user","content":"x"}],"prompt":{"system":""}}`
	if res := s.send("sk-member", http.MethodPost, "/replay", body, &out); res.StatusCode != http.StatusOK {
		t.Fatalf("%d %+v", res.StatusCode, out)
	}
	if out.Trace != "n" || out.Replays != "t/s" || out.DiffURL != "/api/v1/diff?a=t%2Fs&b=n%2Fm" || r.who.Key != "k1" {
		t.Errorf("%+v as %+v", out, r.who)
	}
	g := r.got
	if g.Model != "m" || string(g.Params["temperature"]) != "0" || string(g.Params["stop"]) != "null" || g.System == nil || *g.System != "" || !json.Valid(g.Messages) || g.Unchanged {
		t.Errorf("asked for %+v", g)
	}
	r.err = fault.New(fault.Forbidden, "viewers may not make calls")
	for body, want := range map[string]int{`{"trace":"t"}`: 403, `{}`: 400, `{"trace":"t","nope":1}`: 400} {
		var e ErrorBody
		if res := s.send("sk-viewer", http.MethodPost, "/replay", body, &e); res.StatusCode != want || e.Error.Message == "" {
			t.Errorf("%s: %d %+v", body, res.StatusCode, e)
		}
	}
}
