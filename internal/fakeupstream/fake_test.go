package fakeupstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client is a started fake and the means to call it.
type client struct {
	*Server
	t    *testing.T
	url  string
	http *http.Client
}

func start(t *testing.T, o Options) *client {
	t.Helper()
	s := New(o)
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &client{Server: s, t: t, url: url, http: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(func() { c.http.CloseIdleConnections(); s.Stop() })
	return c
}

// reply is a read answer.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error // of reading the body
}

func (r reply) json(t *testing.T) obj {
	t.Helper()
	var o obj
	if err := json.Unmarshal(r.body, &o); err != nil {
		t.Fatalf("not JSON: %v: %s", err, r.body)
	}
	return o
}

// at walks a decoded value: strings are keys, ints are indexes.
func at(v any, path ...any) any {
	for _, p := range path {
		switch k := p.(type) {
		case string:
			v = sub(obj{"x": v}, "x")[k]
		case int:
			l, _ := v.([]any)
			if k >= len(l) {
				return nil
			}
			v = l[k]
		}
	}
	return v
}

func (c *client) do(path, body string, header ...string) reply {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer k")
	r.Header.Set("anthropic-version", "2023-06-01")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return c.send(r)
}

func (c *client) send(r *http.Request) reply {
	c.t.Helper()
	resp, err := c.http.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, body: b, err: err}
}

const (
	sonnet45  = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	opus47    = "global.anthropic.claude-opus-4-7-v1:0"
	modelPath = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/"
)

func converseAt(model string) string {
	return "/model/" + strings.ReplaceAll(model, ":", "%3A") + "/converse"
}

// signed is a request signed by the AWS SDK.
func signed(t *testing.T, url, body string, cred Credential, region string, at time.Time) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	sum := sha256.Sum256([]byte(body))
	c := aws.Credentials{AccessKeyID: cred.AccessKey, SecretAccessKey: cred.Secret, SessionToken: cred.Token}
	if err := v4.NewSigner().SignHTTP(context.Background(), c, r, hex.EncodeToString(sum[:]), "bedrock", region, at); err != nil {
		t.Fatal(err)
	}
	return r
}

const hello = `{"messages":[{"role":"user","content":[{"text":"hello"}]}]}`

func TestSignature(t *testing.T) {
	temp := Credential{AccessKey: "ASIAEXAMPLE", Secret: "s3cret", Token: "session"}
	arn := "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
	wrong := DefaultCredential
	wrong.Secret += "x"
	stale := temp
	stale.Token = "other"
	now := time.Now()
	for name, tc := range map[string]struct {
		path   string
		cred   Credential
		region string
		at     time.Time
		change func(*http.Request)
		status int
		kind   string
		msg    string
	}{
		"good":           {path: modelPath + "converse", cred: DefaultCredential, status: 200},
		"arn":            {path: arn, cred: DefaultCredential, status: 200},
		"session token":  {path: modelPath + "converse", cred: temp, status: 200},
		"query":          {path: modelPath + "converse?b=2&a=1%20x", cred: DefaultCredential, status: 200},
		"wrong secret":   {path: modelPath + "converse", cred: wrong, status: 403, kind: "InvalidSignatureException", msg: "The request signature we calculated does not match"},
		"wrong token":    {path: modelPath + "converse", cred: stale, status: 403, kind: "UnrecognizedClientException", msg: "security token included in the request is invalid"},
		"unknown key":    {path: modelPath + "converse", cred: Credential{AccessKey: "AKIANOBODY", Secret: "x"}, status: 403, kind: "UnrecognizedClientException"},
		"foreign region": {path: modelPath + "converse", cred: DefaultCredential, region: "eu-west-1", status: 403, msg: "scoped to a valid region"},
		"expired":        {path: modelPath + "converse", cred: DefaultCredential, at: now.Add(-6 * time.Minute), status: 403, msg: "Signature expired"},
		"changed body": {path: modelPath + "converse", cred: DefaultCredential, status: 403, msg: "does not match", change: func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(hello, "hello", "hullo", 1)))
		}},
		"changed path": {path: modelPath + "converse", cred: DefaultCredential, status: 403, msg: "does not match", change: func(r *http.Request) {
			r.URL.Path, r.URL.RawPath = r.URL.Path+"-stream", r.URL.RawPath+"-stream"
		}},
		"no credential": {path: modelPath + "converse", cred: DefaultCredential, status: 403, kind: "MissingAuthenticationTokenException", change: func(r *http.Request) {
			r.Header.Del("Authorization")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, Options{Region: "us-east-1", AWS: []Credential{DefaultCredential, temp}})
			if tc.region == "" {
				tc.region = "us-east-1"
			}
			if tc.at.IsZero() {
				tc.at = now
			}
			r := signed(t, c.url+tc.path, hello, tc.cred, tc.region, tc.at)
			if tc.change != nil {
				tc.change(r)
			}
			got := c.send(r)
			if got.status != tc.status || !strings.Contains(string(got.body), tc.msg) || !strings.HasPrefix(got.header.Get("X-Amzn-Errortype"), tc.kind) {
				t.Errorf("got %d %s %s", got.status, got.header.Get("X-Amzn-Errortype"), got.body)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	c := start(t, Options{Keys: []string{"good"}})
	chat := `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}`
	msg := `{"model":"claude-sonnet-4-5","max_tokens":10,"messages":[{"role":"user","content":"hi"}]}`
	for _, tc := range []struct {
		path, body, auth, key string
		status                int
		want                  string
	}{
		{"/v1/chat/completions", chat, "Bearer good", "", 200, "chat.completion"},
		{"/chat/completions", chat, "Bearer good", "", 200, "chat.completion"},
		{"/v1/chat/completions", chat, "", "", 401, "You didn't provide an API key"},
		{"/v1/chat/completions", chat, "Bearer bad", "", 401, "invalid_api_key"},
		{"/v1/messages", msg, "", "good", 200, `"type":"message"`},
		{"/v1/messages", msg, "Bearer good", "", 200, `"type":"message"`},
		{"/v1/messages", msg, "", "", 401, "x-api-key header is required"},
		{"/v1/messages", msg, "", "bad", 401, "invalid x-api-key"},
		{modelPath + "converse", hello, "Bearer good", "", 200, "stopReason"},
		{modelPath + "converse", hello, "Bearer bad", "", 403, "API Key is valid"},
	} {
		got := c.do(tc.path, tc.body, "Authorization", tc.auth, "x-api-key", tc.key)
		if got.status != tc.status || !strings.Contains(string(got.body), tc.want) {
			t.Errorf("%s %q %q: got %d %s", tc.path, tc.auth, tc.key, got.status, got.body)
		}
	}
	for _, e := range c.Journal() {
		if e.Header["authorization"] != "" || e.Header["x-api-key"] != "" {
			t.Error("a credential is in the journal")
		}
	}
}

func TestCleartextHTTP2(t *testing.T) {
	c := start(t, Options{})
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	c.http = &http.Client{Transport: tr}
	got := c.do(modelPath+"converse", hello)
	if got.status != 200 || c.Journal()[0].Proto != "HTTP/2.0" {
		t.Errorf("got %d over %s", got.status, c.Journal()[0].Proto)
	}
	tr.CloseIdleConnections()
}

func TestModels(t *testing.T) {
	s := New(Options{Models: []Model{{ID: "mine"}}})
	for version, want := range map[string]string{"": `"object":"list"`, "2023-06-01": `"has_more":false`} {
		r := httptest.NewRequest(http.MethodGet, "/v1/models", nil)
		r.Header.Set("Authorization", "Bearer k")
		r.Header.Set("anthropic-version", version)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), `"mine"`) {
			t.Errorf("%q: %s", version, w.Body)
		}
	}
}

func TestModelFamilies(t *testing.T) {
	for id, want := range map[string]int{
		"claude-3-haiku-20240307": 300, "claude-3-5-sonnet-latest": 305, "claude-3-7-sonnet-20250219": 307, "claude-sonnet-4-20250514": 400,
		"claude-opus-4-1-20250805": 401, "claude-haiku-4-5": 405, "claude-opus-4-7": 407, "claude-opus-5": 500,
	} {
		if m, ok := claudeModel(id); !ok || m.Claude != want {
			t.Errorf("%s: %d, want %d", id, m.Claude, want)
		}
	}
	for id, want := range map[string]int{
		sonnet45: 405, opus47: 407, "anthropic.claude-3-haiku-20240307-v1:0": 300, "eu.anthropic.claude-sonnet-4-20250514-v1:0": 400, "amazon.nova-lite-v1:0": 0,
		"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123": 405, "anthropic.claude-3-haiku-20240307-v1:0:200k": 300,
	} {
		if m, ok := bedrockModel(id); !ok || m.Claude != want {
			t.Errorf("%s: %v %d, want %d", id, ok, m.Claude, want)
		}
	}
	for _, id := range []string{"claude-sonnet-4-5", "anthropic.claude-nonsense", "", "arn:aws:s3:::x"} {
		if _, ok := bedrockModel(id); ok {
			t.Errorf("%q is known", id)
		}
	}
}

func TestFast(t *testing.T) {
	c := start(t, Options{Fast: true, FastBytes: 1000, FastChunks: 7})
	got := c.do("/v1/chat/completions", `{"anything":1}`)
	if text, _ := at(got.json(t), "choices", 0, "message", "content").(string); len(text) != 1000 {
		t.Errorf("%d bytes of text", len(text))
	}
	got = c.do("/v1/chat/completions", `{"stream":true}`)
	if n := bytes.Count(got.body, []byte(`"content":"T`)) + bytes.Count(got.body, []byte(`"delta":{"content":`)); n < 7 {
		t.Errorf("%d events: %s", n, got.body)
	}
	if len(c.Journal()) != 0 || len(c.Stats()) != 0 {
		t.Error("the fast path keeps records")
	}
}

func BenchmarkFast(b *testing.B) {
	s := New(Options{Fast: true})
	body := `{"model":"gpt-4o","messages":[{"role":"user","content":"` + strings.Repeat("x", 900) + `"}]}`
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
}
