package test

import (
	"net/http"
	"strings"
	"testing"

	"weir/test/harness"
)

// bad is a request that no upstream may see, and what its sender must be told.
type bad struct {
	name   string
	path   string
	body   string
	status int
	words  string // in the message: the field or the reason
	key    string
}

// dialect is a client dialect and the shape of its errors.
type dialect struct {
	name  string
	cases []bad
	shape func(t *testing.T, r harness.Reply) (message string)
}

func openAIShape(t *testing.T, r harness.Reply) string {
	var e refusal
	r.JSON(t, &e)
	if e.Error.Message == "" || e.Error.Type == "" || e.Error.Code == "" {
		t.Errorf("not OpenAI's shape: %s", r.Body)
	}
	return e.Error.Message + " " + e.Error.Param
}

func anthropicShape(t *testing.T, r harness.Reply) string {
	var e struct {
		Type  string `json:"type"`
		Error struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"error"`
		RequestID string `json:"request_id"`
	}
	r.JSON(t, &e)
	if e.Type != "error" || e.Error.Type == "" || e.Error.Message == "" || e.RequestID == "" || r.Header.Get("request-id") == "" {
		t.Errorf("not Anthropic's shape: %s", r.Body)
	}
	return e.Error.Message
}

func bedrockShape(t *testing.T, r harness.Reply) string {
	var e struct {
		Message string `json:"message"`
	}
	r.JSON(t, &e)
	if e.Message == "" || !strings.HasSuffix(r.Header.Get("x-amzn-errortype"), "Exception") {
		t.Errorf("not Bedrock's shape: %s, type %q", r.Body, r.Header.Get("x-amzn-errortype"))
	}
	return e.Message
}

const (
	chatPath    = "/v1/chat/completions"
	clinePath   = "/chat/completions"
	messagePath = "/v1/messages"
	countPath   = "/v1/messages/count_tokens"
	invokePath  = "/bedrock/model/claude-sonnet-4-5/invoke"
	streamPath  = "/model/claude-sonnet-4-5/invoke-with-response-stream"
	user        = `"messages":[{"role":"user","content":"x"}]`
	bedrockHead = `"anthropic_version":"bedrock-2023-05-31","max_tokens":100,`
	badImage    = `[{"type":"image_url","image_url":{"url":"data:image/png;base64,@@@"}}]`
	badSource   = `[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"@@@"}}]`
)

func dialects() []dialect {
	sonnet := `"model":"` + harness.Sonnet + `",`
	huge := `{` + sonnet + `"messages":[{"role":"user","content":"` + strings.Repeat("x", 1<<20) + `"}]}`
	return []dialect{
		{name: "openai", shape: openAIShape, cases: []bad{
			{name: "malformed", path: chatPath, body: `{"model":`, status: 400, words: "JSON"},
			{name: "empty", path: clinePath, body: ``, status: 400, words: "JSON"},
			{name: "not an object", path: chatPath, body: `[1]`, status: 400, words: "object"},
			{name: "no model", path: chatPath, body: `{` + user + `}`, status: 400, words: "model"},
			{name: "unknown model", path: chatPath, body: `{"model":"nobody",` + user + `}`, status: 404, words: "nobody"},
			{name: "no messages", path: chatPath, body: `{"model":"gpt-4o"}`, status: 400, words: "messages"},
			{name: "messages of a wrong type", path: clinePath, body: `{` + sonnet + `"messages":"x"}`, status: 400, words: "messages"},
			{name: "content of a wrong type", path: chatPath, body: `{` + sonnet + `"messages":[{"role":"user","content":7}]}`, status: 400, words: "messages[0].content"},
			{name: "unknown role", path: chatPath, body: `{` + sonnet + `"messages":[{"role":"wizard","content":"x"}]}`, status: 400, words: "messages[0].role"},
			{name: "max_tokens of a wrong type", path: chatPath, body: `{` + sonnet + `"max_tokens":"many",` + user + `}`, status: 400, words: "max_tokens"},
			{name: "negative max_tokens", path: chatPath, body: `{` + sonnet + `"max_tokens":-1,` + user + `}`, status: 400, words: "max_tokens"},
			{name: "stream of a wrong type", path: chatPath, body: `{` + sonnet + `"stream":"yes",` + user + `}`, status: 400, words: "stream"},
			{name: "tools of a wrong type", path: chatPath, body: `{` + sonnet + `"tools":[{"type":"function"}],` + user + `}`, status: 400, words: "tools[0].function"},
			{name: "bad image", path: chatPath, body: `{` + sonnet + `"messages":[{"role":"user","content":` + badImage + `}]}`, status: 400, words: "messages[0].content[0]"},
			{name: "invalid UTF-8", path: chatPath, body: "{" + sonnet + `"messages":[{"role":"user","content":"` + "\xff\xfe" + `"}]}`, status: 400, words: "UTF-8"},
			{name: "over the limit", path: chatPath, body: huge, status: 413, words: "large"},
			{name: "unknown key", path: chatPath, body: `{` + sonnet + user + `}`, key: "sk-nobody-has-this-key", status: 401, words: ""},
			{name: "no key", path: chatPath, body: `{` + sonnet + user + `}`, key: "-", status: 401, words: ""},
		}},
		{name: "anthropic", shape: anthropicShape, cases: []bad{
			{name: "malformed", path: messagePath, body: `{"model":`, status: 400, words: "JSON"},
			{name: "no model", path: messagePath, body: `{"max_tokens":9,` + user + `}`, status: 400, words: "model"},
			{name: "unknown model", path: messagePath, body: `{"model":"nobody","max_tokens":9,` + user + `}`, status: 404, words: "nobody"},
			{name: "no max_tokens", path: messagePath, body: `{` + sonnet + user + `}`, status: 400, words: "max_tokens"},
			{name: "max_tokens of a wrong type", path: messagePath, body: `{` + sonnet + `"max_tokens":"9",` + user + `}`, status: 400, words: "max_tokens"},
			{name: "no messages", path: messagePath, body: `{` + sonnet + `"max_tokens":9}`, status: 400, words: "messages"},
			{name: "unknown role", path: messagePath, body: `{` + sonnet + `"max_tokens":9,"messages":[{"role":"wizard","content":"x"}]}`, status: 400, words: "role"},
			{name: "content of a wrong type", path: messagePath, body: `{` + sonnet + `"max_tokens":9,"messages":[{"role":"user","content":7}]}`, status: 400, words: "messages.0.content"},
			{name: "bad image", path: messagePath, body: `{` + sonnet + `"max_tokens":9,"messages":[{"role":"user","content":` + badSource + `}]}`, status: 400, words: "messages.0.content.0"},
			{name: "invalid UTF-8", path: messagePath, body: `{` + sonnet + `"max_tokens":9,"messages":[{"role":"user","content":"` + "\xff" + `"}]}`, status: 400, words: "UTF-8"},
			{name: "over the limit", path: messagePath, body: huge, status: 413, words: ""},
			{name: "unknown key", path: messagePath, body: `{` + sonnet + `"max_tokens":9,` + user + `}`, key: "sk-nobody-has-this-key", status: 401, words: ""},
			{name: "malformed count", path: countPath, body: `{`, status: 400, words: "JSON"},
			{name: "unknown model to count", path: countPath, body: `{"model":"nobody",` + user + `}`, status: 404, words: "nobody"},
		}},
		{name: "bedrock", shape: bedrockShape, cases: []bad{
			{name: "malformed", path: invokePath, body: `{"max_tokens":`, status: 400, words: "JSON"},
			{name: "no version", path: invokePath, body: `{"max_tokens":9,` + user + `}`, status: 400, words: "anthropic_version"},
			{name: "no max_tokens", path: streamPath, body: `{"anthropic_version":"bedrock-2023-05-31",` + user + `}`, status: 400, words: "max_tokens"},
			{name: "messages of a wrong type", path: streamPath, body: `{` + bedrockHead + `"messages":"x"}`, status: 400, words: "messages"},
			{name: "bad image", path: invokePath, body: `{` + bedrockHead + `"messages":[{"role":"user","content":` + badSource + `}]}`, status: 400, words: "messages.0.content.0"},
			{name: "unknown model", path: "/model/nobody/invoke", body: `{` + bedrockHead + user + `}`, status: 404, words: "nobody"},
			{name: "invalid UTF-8", path: invokePath, body: `{` + bedrockHead + `"messages":[{"role":"user","content":"` + "\xff" + `"}]}`, status: 400, words: "UTF-8"},
			{name: "over the limit", path: invokePath, body: huge, status: 413, words: ""},
			{name: "unknown key", path: invokePath, body: `{` + bedrockHead + user + `}`, key: "sk-nobody-has-this-key", status: 403, words: ""},
		}},
	}
}

// TestRefusals sends what is wrong in each dialect: the answer is a 4xx in that dialect's words that names the field,
// and nothing reaches an upstream.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := harness.Up(t, harness.Options{Flags: []string{"--max-body=512KiB"}})
	good := s.NewKey(t, "refusals", nil)
	for _, d := range dialects() {
		for _, c := range d.cases {
			t.Run(d.name+"/"+c.name, func(t *testing.T) {
				key := good
				if c.key != "" {
					key = c.key
				}
				s.ResetFake(t)
				r := s.Call(t, harness.Request{Method: http.MethodPost, Path: c.path, Key: key, Body: c.body, Header: map[string]string{"anthropic-version": "2023-06-01"}})
				if r.Status != c.status {
					t.Fatalf("%d, expected %d: %s", r.Status, c.status, r.Body)
				}
				if msg := d.shape(t, r); !strings.Contains(strings.ToLower(msg), strings.ToLower(c.words)) {
					t.Errorf("message %q does not say %q", msg, c.words)
				}
				if j := s.Journal(t); len(j) != 0 {
					t.Errorf("the upstream was asked: %s %s", j[0].Path, j[0].Error)
				}
			})
		}
	}
}

// TestUnknownPaths get a plain 404: no page, no envelope.
func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	s := harness.Up(t, harness.Options{})
	for _, path := range []string{"/nothing", "/v1/nothing", "/api/v1/nothing"} {
		if r := s.Call(t, harness.Request{Method: http.MethodGet, Path: path}); r.Status != http.StatusNotFound || strings.Contains(string(r.Body), "<html") {
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
	}
}
