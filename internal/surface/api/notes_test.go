package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"weir/internal/span"
)

// scenario is one request and what it must answer.
type scenario struct {
	name, token, method, path, body string
	status                          int
	holds                           string // in the answer
}

func (s *server) play(scenes ...scenario) {
	s.t.Helper()
	for _, c := range scenes {
		var text string
		res := s.send(c.token, c.method, c.path, c.body, &text)
		if res.StatusCode != c.status || !strings.Contains(text, c.holds) {
			s.t.Errorf("%s: %d %s; want %d with %s", c.name, res.StatusCode, text, c.status, c.holds)
		}
	}
}

var traceA, traceB = strings.Repeat("a", 32), strings.Repeat("b", 32)

func TestScores(t *testing.T) {
	s := newServer(t)
	s.record(call(0, "one"), `{"messages":[]}`, `{}`)
	s.record(call(1, "two"), `{"messages":[]}`, `{}`)
	on := `"trace":"` + traceA + `","name":"quality"`
	s.play(
		scenario{"a viewer scores", "sk-viewer", "POST", "/scores", `{` + on + `,"value":1}`, 403, "viewers"},
		scenario{"no target", "sk-member", "POST", "/scores", `{"name":"q","value":1}`, 400, `"field":"trace"`},
		scenario{"two targets", "sk-member", "POST", "/scores", `{` + on + `,"session":"s","value":1}`, 400, `"field":"session"`},
		scenario{"a span without trace", "sk-member", "POST", "/scores", `{"span":"x","session":"s","name":"q","value":1}`, 400, `"field":"trace"`},
		scenario{"no name", "sk-member", "POST", "/scores", `{"trace":"x","value":1}`, 400, `"field":"name"`},
		scenario{"a name that cannot be printed", "sk-member", "POST", "/scores", `{"trace":"x","name":"a\nb","value":1}`, 400, `"field":"name"`},
		scenario{"no value", "sk-member", "POST", "/scores", `{` + on + `}`, 400, `"field":"value"`},
		scenario{"a value of null", "sk-member", "POST", "/scores", `{` + on + `,"value":null}`, 400, `"field":"value"`},
		scenario{"a value of a list", "sk-member", "POST", "/scores", `{` + on + `,"value":[1]}`, 400, `"field":"value"`},
		scenario{"a text for a number", "sk-member", "POST", "/scores", `{` + on + `,"type":"numeric","value":"1"}`, 400, "does not fit"},
		scenario{"a number for a text", "sk-member", "POST", "/scores", `{` + on + `,"type":"text","value":1}`, 400, "does not fit"},
		scenario{"half true", "sk-member", "POST", "/scores", `{` + on + `,"type":"boolean","value":0.5}`, 400, "does not fit"},
		scenario{"an empty category", "sk-member", "POST", "/scores", `{` + on + `,"value":""}`, 400, "1 to 256"},
		scenario{"a long category", "sk-member", "POST", "/scores", `{` + on + `,"value":"` + strings.Repeat("x", 257) + `"}`, 400, "1 to 256"},
		scenario{"an unknown type", "sk-member", "POST", "/scores", `{` + on + `,"type":"stars","value":1}`, 400, `"field":"type"`},
		scenario{"metadata of a list", "sk-member", "POST", "/scores", `{` + on + `,"value":1,"metadata":[]}`, 400, `"field":"metadata"`},
		scenario{"a number", "sk-member", "POST", "/scores", `{"id":"s1",` + on + `,"value":0.5,"comment":"c","metadata":{"k":1}}`, 201, `"type":"numeric","value":0.5,"text":"0.5","source":"api","author":"u1@example.com"`},
		scenario{"again", "sk-member", "POST", "/scores", `{` + on + `,"value":0.25}`, 201, `"id":"s1"`},
		scenario{"truth", "sk-member", "POST", "/scores", `{"trace":"` + traceA + `","span":"` + traceA[:16] + `","name":"flag","value":true,"source":"judge"}`, 201, `"type":"boolean","value":true,"text":"true","source":"judge"`},
		scenario{"a category of a session", "sk-member", "POST", "/scores", `{"session":"s","name":"mood","value":"good"}`, 201, `"type":"categorical","value":"good"`},
		scenario{"another target for an id", "sk-member", "POST", "/scores", `{"id":"s1","trace":"` + traceB + `","name":"q","value":1}`, 409, "conflict"},
		scenario{"list", "sk-viewer", "GET", "/scores?trace=" + traceA, "", 200, `"value":0.25`},
		scenario{"list of a span", "sk-viewer", "GET", "/scores?trace=" + traceA + "&span=" + traceA[:16], "", 200, `"flag"`},
		scenario{"list of nothing", "sk-viewer", "GET", "/scores", "", 400, `"field":"trace"`},
		scenario{"list of another project", "sk-other", "GET", "/scores?trace=" + traceA, "", 200, `"items":[]`},
		scenario{"names", "sk-viewer", "GET", "/scores/names", "", 200, `{"name":"mood","type":"categorical","count":1,"categories":["good"]}`},
		scenario{"names of another project", "sk-other", "GET", "/scores/names", "", 200, `"names":[]`},
		scenario{"a row shows it", "sk-viewer", "GET", "/traces?filter=" + url.QueryEscape("score.quality < 0.5"), "", 200, `"name":"quality","value":0.25`},
		scenario{"a filter that does not pass", "sk-viewer", "GET", "/traces?filter=" + url.QueryEscape("score.quality > 0.5"), "", 200, `"items":[]`},
		scenario{"history", "sk-viewer", "GET", "/scores/s1/history", "", 200, `"value":0.5`},
		scenario{"history of another project", "sk-other", "GET", "/scores/s1/history", "", 404, "not_found"},
		scenario{"another project changes", "sk-other", "PATCH", "/scores/s1", `{"value":1}`, 404, "not_found"},
		scenario{"a viewer changes", "sk-viewer", "PATCH", "/scores/s1", `{"value":1}`, 403, "forbidden"},
		scenario{"a change of another type", "sk-member", "PATCH", "/scores/s1", `{"value":"high"}`, 400, "does not fit"},
		scenario{"a change", "sk-member", "PATCH", "/scores/s1", `{"value":0.75,"comment":"better"}`, 200, `"comment":"better"`},
		scenario{"a viewer deletes", "sk-viewer", "DELETE", "/scores/s1", "", 403, "forbidden"},
		scenario{"another project deletes", "sk-other", "DELETE", "/scores/s1", "", 404, "not_found"},
		scenario{"an administrator deletes", "sk-admin", "DELETE", "/scores/s1", "", 204, ""},
		scenario{"deleted", "sk-member", "PATCH", "/scores/s1", `{"value":1}`, 404, "not_found"},
		scenario{"history after that", "sk-viewer", "GET", "/scores/s1/history", "", 200, `"deleted":true`},
	)
}

func TestOnlyTheAuthorOrAnAdministratorChangesNotes(t *testing.T) {
	s := newServer(t)
	s.record(call(0, "one"), `{"messages":[]}`, `{}`)
	byAdmin := &span.Comment{Project: "one", ID: "c1", Target: span.Target{Trace: traceA}, Author: "somebody", Text: "x", Created: now, Updated: now}
	notes := s.surface.Notes
	if err := notes.PutComment(t.Context(), byAdmin); err != nil {
		t.Fatal(err)
	}
	if err := notes.PutScore(t.Context(), &span.Score{Project: "one", ID: "s1", Target: byAdmin.Target, Name: "q", Type: span.Numeric, Author: "somebody"}); err != nil {
		t.Fatal(err)
	}
	s.play(
		scenario{"a member changes a comment", "sk-member", "PATCH", "/comments/c1", `{"text":"y"}`, 403, "only its author"},
		scenario{"a member deletes a comment", "sk-member", "DELETE", "/comments/c1", "", 403, "only its author"},
		scenario{"a member changes a score", "sk-member", "PATCH", "/scores/s1", `{"value":2}`, 403, "only its author"},
		scenario{"a member replaces a score", "sk-member", "POST", "/scores", `{"id":"s1","trace":"` + traceA + `","name":"q","value":2}`, 403, "only its author"},
		scenario{"a member deletes a score", "sk-member", "DELETE", "/scores/s1", "", 403, "only its author"},
		scenario{"an administrator changes a comment", "sk-admin", "PATCH", "/comments/c1", `{"text":"y"}`, 200, `"author":"somebody","text":"y"`},
		scenario{"an administrator deletes it", "sk-admin", "DELETE", "/comments/c1", "", 204, ""},
		scenario{"a viewer comments", "sk-viewer", "POST", "/comments", `{"trace":"x","text":"y"}`, 403, "viewers"},
		scenario{"an empty comment", "sk-member", "POST", "/comments", `{"trace":"x","text":"  "}`, 400, `"field":"text"`},
		scenario{"a comment on nothing", "sk-member", "POST", "/comments", `{"text":"y"}`, 400, `"field":"trace"`},
		scenario{"a comment", "sk-member", "POST", "/comments", `{"trace":"` + traceA + `","span":"` + traceA[:16] + `","text":"日本"}`, 201, `"author":"u1@example.com","text":"日本"`},
		scenario{"comments", "sk-viewer", "GET", "/comments?trace=" + traceA, "", 200, "日本"},
		scenario{"comments of another project", "sk-other", "GET", "/comments?trace=" + traceA, "", 200, `"items":[]`},
	)
}

func TestShares(t *testing.T) {
	s := newServer(t)
	s.record(call(0, "one"), `{"messages":[{"content":"the prompt"}]}`, `{"answer":"the answer"}`)
	s.record(call(2, "one"), `{"messages":["another prompt"]}`, `{}`)
	s.record(call(0, "two"), `{"messages":["of another project"]}`, `{}`)
	share := func(bodies string) string {
		t.Helper()
		var made NewShare
		if res := s.send("sk-member", http.MethodPost, "/shares", `{"trace":"`+traceA+`","expires":"1h","bodies":`+bodies+`}`, &made); res.StatusCode != http.StatusCreated || !strings.HasSuffix(made.URL, "/ui/share/"+made.Token) {
			t.Fatalf("%d %+v", res.StatusCode, made)
		}
		return made.Token
	}
	full, bare := share("true"), share("false")
	other := strings.Repeat("c", 16)
	s.play(
		scenario{"a viewer shares", "sk-viewer", "POST", "/shares", `{"trace":"` + traceA + `","expires":"1h"}`, 403, "viewers"},
		scenario{"a trace of another project", "sk-other", "POST", "/shares", `{"trace":"` + strings.Repeat("c", 32) + `","expires":"1h"}`, 404, "not_found"},
		scenario{"for ever", "sk-member", "POST", "/shares", `{"trace":"` + traceA + `","expires":"99y"}`, 400, `"field":"expires"`},
		scenario{"list", "sk-viewer", "GET", "/shares?trace=" + traceA, "", 200, `"author":"u1@example.com"`},
		scenario{"list of another project", "sk-other", "GET", "/shares", "", 200, `"items":[]`},
		scenario{"the trace", "", "GET", "/share/" + full, "", 200, `"trace":"` + traceA + `"`},
		scenario{"the prompt", "", "GET", "/share/" + full + "/spans/" + traceA[:16] + "/input", "", 200, "the prompt"},
		scenario{"the answer", "", "GET", "/share/" + full + "/spans/" + traceA[:16] + "/output", "", 200, "the answer"},
		scenario{"the tree", "", "GET", "/share/" + full + "/tree", "", 200, traceA[:16]},
		scenario{"a span", "", "GET", "/share/" + full + "/spans/" + traceA[:16], "", 200, traceA[:16]},
		scenario{"its messages", "", "GET", "/share/" + full + "/spans/" + traceA[:16] + "/messages", "", 200, "the prompt"},
		scenario{"a span of another trace alone", "", "GET", "/share/" + full + "/spans/" + other, "", 404, "not_found"},
		scenario{"messages of another trace", "", "GET", "/share/" + full + "/spans/" + other + "/messages", "", 404, "not_found"},
		scenario{"the tree without bodies", "", "GET", "/share/" + bare + "/tree", "", 200, traceA[:16]},
		scenario{"no messages without bodies", "", "GET", "/share/" + bare + "/spans/" + traceA[:16] + "/messages", "", 200, `"form":"none"`},
		scenario{"a span of another trace", "", "GET", "/share/" + full + "/spans/" + other + "/input", "", 404, "not_found"},
		scenario{"without bodies", "", "GET", "/share/" + bare, "", 200, `"trace":"` + traceA + `"`},
		scenario{"no prompt without bodies", "", "GET", "/share/" + bare + "/spans/" + traceA[:16] + "/input", "", 404, "not_found"},
		scenario{"no answer without bodies", "", "GET", "/share/" + bare + "/spans/" + traceA[:16] + "/output", "", 404, "not_found"},
		scenario{"an unknown token", "", "GET", "/share/share-nope", "", 404, "does not exist"},
		scenario{"a key for a token", "", "GET", "/share/sk-admin", "", 404, "does not exist"},
		scenario{"a token for a key", full, "GET", "/traces", "", 401, "unauthenticated"},
	)
	for _, token := range []string{full, bare} {
		var text string
		res := s.send("", http.MethodGet, "/share/"+token, "", &text)
		for _, private := range []string{"u1", "example.com", "another"} {
			if strings.Contains(text, private) {
				t.Errorf("a shared trace tells %q: %s", private, text)
			}
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
	var list ShareList
	s.get("/shares", &list)
	for _, x := range list.Items {
		s.play(
			scenario{"another project revokes", "sk-other", "DELETE", "/shares/" + x.ID, "", 404, "not_found"},
			scenario{"a viewer revokes", "sk-viewer", "DELETE", "/shares/" + x.ID, "", 403, "viewers"},
			scenario{"revoke", "sk-member", "DELETE", "/shares/" + x.ID, "", 204, ""},
		)
	}
	s.play(scenario{"revoked", "", "GET", "/share/" + full, "", 404, "taken back"}, scenario{"revoked", "", "GET", "/share/" + bare, "", 404, "taken back"},
		scenario{"the log knows", "sk-admin", "GET", "/audit?action=share.*", "", 200, "share.revoke"})
}

func TestErasureRoutes(t *testing.T) {
	s := newServer(t)
	s.record(call(0, "one"), `{"messages":[]}`, `{}`)
	s.record(call(0, "two"), `{"messages":[]}`, `{}`)
	s.play(
		scenario{"a member", "sk-member", "POST", "/erase", `{"trace":"` + traceA + `"}`, 403, "administrators"},
		scenario{"nothing named", "sk-admin", "POST", "/erase", `{}`, 400, "name one of"},
		scenario{"two named", "sk-admin", "POST", "/erase", `{"trace":"a","user":"b"}`, 400, "name one of"},
		scenario{"a bad filter", "sk-admin", "POST", "/erase", `{"filter":"status ="}`, 400, `"position"`},
		scenario{"everything", "sk-admin", "POST", "/erase", `{"filter":"  "}`, 400, "erase everything"},
		scenario{"a dry run", "sk-admin", "POST", "/erase", `{"user":"u1","dry_run":true}`, 202, `"traces":1,"spans":1`},
		scenario{"still there", "sk-admin", "GET", "/traces/" + traceA, "", 200, traceA},
		scenario{"a filter", "sk-admin", "POST", "/erase", `{"filter":"user = u1"}`, 202, `"state":"done"`},
		scenario{"gone", "sk-admin", "GET", "/traces/" + traceA, "", 404, "not_found"},
		scenario{"of another project", "sk-other", "GET", "/traces/" + traceA, "", 200, traceA},
		scenario{"an unknown job", "sk-admin", "GET", "/erase/nope", "", 404, "not_found"},
		scenario{"the log knows, and names nobody", "sk-admin", "GET", "/audit?action=erase", "", 200, `"kind":"filter"`},
	)
	var text string
	if s.get("/audit", &text); strings.Contains(text, "u1") {
		t.Errorf("the audit log names what was erased: %s", text)
	}
	var list ErasureList
	if s.get("/erase", &list); len(list.Items) != 2 {
		t.Errorf("%+v", list)
	}
}

func TestAuditAndRetentionRoutes(t *testing.T) {
	s := newServer(t)
	s.play(
		scenario{"a member reads", "sk-member", "GET", "/audit", "", 403, "administrators"},
		scenario{"a bad cursor", "sk-admin", "GET", "/audit?cursor=x", "", 400, `"field":"cursor"`},
		scenario{"a bad time", "sk-admin", "GET", "/audit?from=x", "", 400, `"field":"from"`},
		scenario{"the default", "sk-admin", "GET", "/retention", "", 200, `"days":0,"default_days":30`},
		scenario{"a member sets", "sk-member", "PUT", "/retention", `{"days":1}`, 403, "administrators"},
		scenario{"too short", "sk-admin", "PUT", "/retention", `{"days":-2}`, 400, `"field":"days"`},
		scenario{"too long", "sk-admin", "PUT", "/retention", `{"days":99999}`, 400, `"field":"days"`},
		scenario{"set", "sk-admin", "PUT", "/retention", `{"days":7}`, 200, `"days":7`},
		scenario{"for ever", "sk-admin", "PUT", "/retention", `{"days":-1}`, 200, `"days":-1`},
		scenario{"the log knows", "sk-admin", "GET", "/audit?search=retention", "", 200, `{"days":-1,"was":7}`},
		scenario{"a page", "sk-admin", "GET", "/audit?limit=1", "", 200, `"next_cursor":"2"`},
		scenario{"the next page", "sk-admin", "GET", "/audit?limit=1&cursor=2", "", 200, `"next_cursor":""`},
		scenario{"verified", "sk-admin", "GET", "/audit/verify", "", 200, `{"ok":true,"entries":2`},
	)
}
