package fakeupstream

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzBodies sends any bytes to every operation: the fake must answer with a status and never panic.
func FuzzBodies(f *testing.F) {
	for _, s := range []string{
		hello, with(mBody, ""), cTurns(`{"role":"user","content":[` + cRes + `]}`), `{"model":"gpt-4o","messages":[{"role":"system","content":"x"}],"tools":[{"type":"function","function":{"name":"f"}}]}`,
		`{"model":"gpt-4o","messages":[{"role":"user","content":"[[fake: parallel=2 chunks=3]] Create a.txt containing b"}],"tool_choice":"required"}`,
		`{"input":{"converse":{}}}`, `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1,"messages":[{"role":"user","content":[{}]}]}`,
		`{"messages":[{"role":"user","content":[null,1,{"toolUse":null}]},null],"system":[null],"toolConfig":{"tools":[null]}}`,
	} {
		f.Add(s)
	}
	s := New(Options{AnyModel: true})
	paths := []string{"/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens", modelPath + "converse", modelPath + "converse-stream", modelPath + "invoke", modelPath + "count-tokens"}
	f.Fuzz(func(t *testing.T, body string) {
		if strings.Contains(body, "fake:") && !strings.Contains(body, "parallel=2 chunks=3]]") {
			t.Skip("a mutated marker may ask for a hang")
		}
		for _, p := range paths {
			r := httptest.NewRequest(http.MethodPost, p, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer k")
			r.Header.Set("anthropic-version", "2023-06-01")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != 200 && w.Code != 400 && w.Code != 404 {
				t.Fatalf("%s: %d %s", p, w.Code, w.Body)
			}
		}
	})
}
