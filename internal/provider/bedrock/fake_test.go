package bedrock

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"weir/internal/catalog"
	"weir/internal/fakeupstream"
	"weir/internal/gateway"
	"weir/internal/llm"
)

// startFake serves the strict stand-in for the real service, which checks signatures and refuses what that refuses.
func startFake(t *testing.T) (*fakeupstream.Server, string) {
	t.Helper()
	clearAWS(t)
	fake := fakeupstream.New(fakeupstream.Options{Region: "us-east-1"})
	srv := httptest.NewServer(fake)
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close(); fake.Stop() })
	return fake, srv.URL
}

func fakeUpstreamOf(t *testing.T, url, model string) *Upstream {
	t.Helper()
	c := fakeupstream.DefaultCredential
	return newUpstream(t, gateway.Target{Model: model, BaseURL: url, AWS: gateway.AWS{
		Region: "us-east-1", AccessKeyID: c.AccessKey, SecretAccessKey: gateway.Secret(c.Secret),
	}})
}

// ask makes a call and folds its answer.
func ask(ctx context.Context, u *Upstream, m catalog.Model, in llm.Request, stream bool) (llm.Response, error) {
	res, err := u.Chat(ctx, &gateway.Attempt{Hub: &in, Model: m, Drop: in.Drop, Stream: stream})
	if err != nil {
		return llm.Response{}, err
	}
	if res.Stream == nil {
		return *res.Response, nil
	}
	defer res.Stream.Close()
	var f llm.Fold
	for {
		fr, err := res.Stream.Next()
		if errors.Is(err, io.EOF) {
			return f.Response(), nil
		}
		if err != nil {
			return f.Response(), err
		}
		for _, c := range fr.Chunks {
			f.Add(c)
		}
	}
}

// TestTranslationsAreTaken sends every golden request to the fake, signed, both ways.
func TestTranslationsAreTaken(t *testing.T) {
	_, url := startFake(t)
	skip := map[string]string{
		"thinking-history": "holds made-up signatures; TestThinkingTurns has real ones",
		"harmless-extras":  "passes on a field that Claude does not know, as the client asked",
	}
	for name, c := range goldens {
		for _, stream := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				if why := skip[name]; why != "" {
					t.Skip(why)
				}
				in := c.in
				in.Drop = c.drop
				r, err := ask(t.Context(), fakeUpstreamOf(t, url, c.model.ID), c.model, in, stream)
				if err != nil {
					t.Fatal(err)
				}
				if len(r.Parts) == 0 || r.Usage.Output == 0 || r.Finish == "" {
					t.Errorf("%+v", r)
				}
			})
		}
	}
}

// TestThinkingTurns plays two turns of a tool loop with thinking, whose signatures the fake verifies.
func TestThinkingTurns(t *testing.T) {
	_, url := startFake(t)
	for name, m := range map[string]catalog.Model{"budget": older, "adaptive": newer} {
		for _, stream := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				u := fakeUpstreamOf(t, url, m.ID)
				in := llm.Request{
					Tools: []llm.Tool{weather}, Thinking: &llm.Thinking{Effort: "medium"},
					Messages: []llm.Message{user(text("Weather? [[fake: tool=get_weather redacted=true]]"))},
				}
				first, err := ask(t.Context(), u, m, in, stream)
				if err != nil {
					t.Fatal(err)
				}
				if first.Parts[0].Kind != llm.Reasoning || first.Finish != llm.FinishToolCalls {
					t.Fatalf("%+v", first)
				}
				id := ""
				for _, p := range first.Parts {
					if p.Call != nil {
						id = p.Call.ID
					}
				}
				in.Messages = append(in.Messages, assistant(first.Parts...), user(result(id, text("Rain"))))
				if second, err := ask(t.Context(), u, m, in, stream); err != nil {
					t.Error(err)
				} else if len(second.Parts) == 0 {
					t.Errorf("%+v", second)
				}
			})
		}
	}
}

// TestCachedTurns checks that cache points reach the service: what the first call writes, the second reads.
func TestCachedTurns(t *testing.T) {
	_, url := startFake(t)
	u := fakeUpstreamOf(t, url, sonnet.ID)
	in := llm.Request{
		System:   []llm.Part{marked(text(strings.Repeat("Rules that are long. ", 500)), "1h")},
		Messages: []llm.Message{user(text("Hi"))},
	}
	first, err := ask(t.Context(), u, sonnet, in, true)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ask(t.Context(), u, sonnet, in, false)
	if err != nil {
		t.Fatal(err)
	}
	if first.Usage.CacheWrite1h == 0 || first.Usage.CacheWrite != 0 || second.Usage.CacheRead != first.Usage.CacheWrite1h {
		t.Errorf("first %+v, second %+v", first.Usage, second.Usage)
	}
}

// TestFakeFailures goes through the service's own ways to fail.
func TestFakeFailures(t *testing.T) {
	_, url := startFake(t)
	u := fakeUpstreamOf(t, url, sonnet.ID)
	for marker, want := range map[string]struct {
		status int
		kind   string
	}{
		"status=429 retry_after=3":                     {429, "ThrottlingException"},
		"status=503":                                   {503, "ServiceUnavailableException"},
		"error_after=2 kind=ThrottlingException":       {429, "ThrottlingException"},
		"error_after=0 kind=ModelStreamErrorException": {424, "ModelStreamErrorException"},
		"cut=3":        {0, llm.TypeCut},
		"eof=3":        {0, llm.TypeCut},
		"half=3":       {0, llm.TypeCut},
		"empty=true":   {0, llm.TypeEmpty},
		"garbage=true": {0, llm.TypeMalformed},
	} {
		t.Run(marker, func(t *testing.T) {
			_, err := ask(t.Context(), u, sonnet, llm.Request{Messages: []llm.Message{user(text("Hi [[fake: " + marker + "]]"))}}, true)
			var e *llm.Error
			if !errors.As(err, &e) || e.Status != want.status || e.Type != want.kind {
				t.Errorf("%v (%+v)", err, e)
			}
		})
	}
}

// TestFakeNative sends a client's own body through InvokeModel.
func TestFakeNative(t *testing.T) {
	fake, url := startFake(t)
	u := fakeUpstreamOf(t, url, "us."+sonnet.ID)
	body := []byte(`{"model":"x","max_tokens":100,"system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"Hi"}],"metadata":{"user_id":"u"},"stream":true}`)
	for _, stream := range []bool{false, true} {
		res, err := u.Chat(t.Context(), &gateway.Attempt{Native: body, Dialect: llm.AnthropicMessages, Stream: stream, As: "group", Model: sonnet})
		if err != nil {
			t.Fatal(err)
		}
		if res.Stream != nil {
			for err == nil {
				_, err = res.Stream.Next()
			}
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			res.Stream.Close()
		}
	}
	if n, err := u.CountTokens(t.Context(), &gateway.Attempt{Native: body, Dialect: llm.AnthropicMessages}); err != nil || n == 0 {
		t.Errorf("%d %v", n, err)
	}
	if len(fake.Journal()) != 3 {
		t.Errorf("%d calls", len(fake.Journal()))
	}
}
