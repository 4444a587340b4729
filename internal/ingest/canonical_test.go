package ingest

import (
	"testing"

	"weir/internal/jsonx"
)

// Each row is a list of forms of one message: all must come out equal, and different from all other rows.
var sameMessages = [][]string{
	{
		`{"role":"user","content":"hi"}`,
		`{"content":"hi","role":"user","name":"x"}`,
		`{"role":"user","content":[{"type":"text","text":"hi"}]}`,
		`{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}`,
		`{"role":"user","content":[{"type":"text","text":"h"},{"type":"text","text":"i"}]}`,
		`{"role":"user","content":"\u0068i"}`,
		`{"role":"user","content":[{"text":"hi"},{"cachePoint":{"type":"default"}}]}`,
	},
	{
		`{"role":"assistant","content":"hi"}`,
		`{"role":"assistant","content":" hi\n","reasoning_content":"hm","refusal":null}`,
		`{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"hi"}]}`,
		`{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"text","text":"hi"}],"usage":{}}`,
		`{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm"}}},{"text":"hi"}]}`,
	},
	{
		`{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1,\"y\":[2]}"}}]}`,
		`{"role":"assistant","content":"","tool_calls":[{"id":"b","index":0,"type":"function","function":{"name":"f","arguments":"{ \"y\": [2], \"x\": 1.0 }"}}]}`,
		`{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{"y":[2],"x":1}}]}`,
		`{"role":"assistant","content":[{"toolUse":{"toolUseId":"c","name":"f","input":{"y":[2],"x":1}}}]}`,
	},
	{
		`{"role":"assistant","content":"go","tool_calls":[{"id":"a","function":{"name":"f","arguments":""}}]}`,
		`{"role":"assistant","content":[{"type":"text","text":"go"},{"type":"tool_use","id":"c","name":"f","input":{},"cache_control":{"type":"ephemeral"}}]}`,
	},
	{
		`{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{\"x\":1"}}]}`,
	},
	{
		`{"role":"tool","tool_call_id":"a","content":"out"}`,
		`{"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"out"}]}`,
	},
	{
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"out"}]}`,
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"out"}],"cache_control":{"type":"ephemeral"}}]}`,
		`{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"out"}]}}]}`,
	},
	{
		`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"low"}}]}`,
		`{"role":"user","content":[{"image_url":{"detail":"low","url":"data:image/png;base64,AA=="},"type":"image_url","cache_control":{}}]}`,
	},
	{`{"role":"user","content":"日本語"}`, `{"role":"user","content":"\u65e5\u672c\u8a9e"}`},
	{`{"role":"assistant","content":"日本語"}`},
}

func TestCanonicalMessage(t *testing.T) {
	rows := map[string]int{}
	for n, forms := range sameMessages {
		want := ""
		for i, raw := range forms {
			if !jsonx.Valid([]byte(raw)) {
				t.Fatalf("bad case %s", raw)
			}
			out, role := canonicalMessage(nil, []byte(raw))
			if role == "" {
				t.Fatalf("%s has a role", raw)
			}
			if i == 0 {
				want = string(out)
			} else if string(out) != want {
				t.Errorf("row %d: %s\n gives %q\n want  %q", n, raw, out, want)
			}
		}
		if other, taken := rows[want]; taken {
			t.Errorf("rows %d and %d are not the same message", other, n)
		}
		rows[want] = n
	}
}

func TestSystemMessagesDoNotCount(t *testing.T) {
	for _, raw := range []string{`{"role":"system","content":"x"}`, `{"role":"developer","content":"x"}`} {
		if out, role := canonicalMessage(nil, []byte(raw)); len(out) != 0 || role != "" {
			t.Fatalf("%s became %q", raw, out)
		}
	}
}

func TestAnswerOf(t *testing.T) {
	for _, raw := range []string{
		`{"choices":[{"message":{"role":"assistant","content":"hi"}}]}`,
		`{"type":"message","role":"assistant","content":[{"type":"text","text":"hi"}]}`,
		`{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}}}`,
	} {
		if out := canonicalAnswer(nil, answerOf([]byte(raw))); string(out) != string(canonicalAnswer(nil, answerOf([]byte(`{"role":"assistant","content":"hi"}`)))) {
			t.Fatalf("%s gives %q", raw, out)
		}
		if got := outputPreview(answerOf([]byte(raw))); got != "hi" {
			t.Fatalf("preview of %s is %q", raw, got)
		}
	}
	for _, raw := range []string{``, `{"error":{"message":"x"}}`, `[]`, `{"choices":[]}`} {
		if answerOf([]byte(raw)).Exists() {
			t.Fatalf("%s holds no answer", raw)
		}
	}
}

func FuzzCanonicalMessage(f *testing.F) {
	for _, row := range sameMessages {
		for _, raw := range row {
			f.Add([]byte(raw))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, roleA := canonicalMessage(nil, raw)
		b, roleB := canonicalMessage([]byte(nil), raw)
		if string(a) != string(b) || roleA != roleB {
			t.Fatalf("%q is not canonical: %q, %q", raw, a, b)
		}
		_ = preview(textOf(answerOf(raw).Get("content").Raw))
		_ = outputPreview(answerOf(raw))
		_ = rawPreview(raw)
	})
}
