package api

import (
	"net/http"
	"testing"

	"weir/internal/ingest/mapping"
	"weir/internal/span"
)

func TestMessages(t *testing.T) {
	s := newServer(t)
	sp := call(1, "one")
	sp.Input = span.Ref{Messages: 3, New: 1}
	s.record(sp, `{"system":"Be brief.","messages":[{"role":"user","content":"hi"},
		{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"tool_use","id":"t1","name":"f","input":{"x":1}}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"out"}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}`,
		`{"role":"assistant","content":[{"type":"text","text":"done"}],"stop_reason":"end_turn"}`)
	path := "/traces/" + sp.Trace + "/spans/" + sp.ID + "/messages"
	var c mapping.Conversation
	s.get(path, &c)
	if c.Form != "messages" || len(c.Input.Messages) != 4 || len(c.Output.Messages) != 1 || len(c.Input.Tools) != 1 {
		t.Fatalf("%+v", c)
	}
	call, result := c.Input.Messages[2].Parts[1], c.Input.Messages[3]
	if call.Type != "tool_call" || call.Name != "f" || string(call.Arguments) != `{"x":1}` || result.Role != "tool" || string(result.Parts[0].Result) != `"out"` {
		t.Fatalf("%+v %+v", call, result)
	}
	if m := c.Output.Messages[0]; m.Finish != "end_turn" || m.Parts[0].Text != "done" {
		t.Fatalf("%+v", m)
	}
	for token, want := range map[string]int{"sk-other": http.StatusNotFound, "sk-expired": http.StatusUnauthorized, "": http.StatusUnauthorized, "sk-viewer": http.StatusOK} {
		if res := s.send(token, http.MethodGet, path, "", nil); res.StatusCode != want {
			t.Errorf("%q: %d, want %d", token, res.StatusCode, want)
		}
	}
}

func TestMessagesWithoutBodies(t *testing.T) {
	s := newServer(t)
	sp := call(2, "one")
	s.record(sp, "", "")
	var c mapping.Conversation
	s.get("/traces/"+sp.Trace+"/spans/"+sp.ID+"/messages", &c)
	if c.Form != "none" || c.Input.Messages == nil || c.Documents == nil {
		t.Fatalf("%+v", c)
	}
}
