package bedrock

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/internal/catalog"
	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
)

var update = flag.Bool("update", false, "rewrite testdata/*/upstream.json")

func ptr[T any](v T) *T { return &v }

func user(parts ...llm.Part) llm.Message      { return llm.Message{Role: llm.User, Parts: parts} }
func assistant(parts ...llm.Part) llm.Message { return llm.Message{Role: llm.Assistant, Parts: parts} }

func call(id, name, args string) llm.Part {
	return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: id, Name: name, Args: args}}
}

func result(id string, parts ...llm.Part) llm.Part {
	return llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: id, Parts: parts}}
}

func marked(p llm.Part, ttl string) llm.Part {
	p.Cache = &llm.CacheMark{TTL: ttl}
	return p
}

var (
	png     = []byte("\x89PNG\r\n\x1a\nnot really")
	weather = llm.Tool{
		Name: "get_weather", Description: "Weather of a city",
		Schema: jsonx.Raw(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`),
	}
	sonnet = catalog.Model{
		ID: "anthropic.claude-sonnet-4-5-20250929-v1:0", Known: true, MaxOutput: 64000,
		Abilities: catalog.Abilities{Tools: true, Reasoning: true, Caching: true, Vision: true},
		Quirks:    catalog.Quirks{Claude: true, OneOfTempTopP: true, CacheTTL1h: true, NativeSchema: true},
	}
	older = catalog.Model{
		ID: "anthropic.claude-3-7-sonnet-20250219-v1:0", Known: true, MaxOutput: 8192,
		Abilities: catalog.Abilities{Tools: true, Reasoning: true, Caching: true}, Quirks: catalog.Quirks{Claude: true},
	}
	newer = catalog.Model{
		ID: "anthropic.claude-opus-4-7", Known: true, MaxOutput: 128000,
		Abilities: catalog.Abilities{Tools: true, Reasoning: true, Caching: true},
		Quirks:    catalog.Quirks{Claude: true, Adaptive: true, NoSampling: true, CacheTTL1h: true, NativeSchema: true},
	}
	novaPro  = catalog.Model{ID: "amazon.nova-pro-v1:0", Known: true, MaxOutput: 10000, Abilities: catalog.Abilities{Tools: true, Caching: true}}
	novaTwo  = catalog.Model{ID: "amazon.nova-2-lite-v1:0", Known: true, Abilities: catalog.Abilities{Tools: true, Reasoning: true}}
	gptOSS20 = catalog.Model{ID: "openai.gpt-oss-20b-1:0", Known: true, Abilities: catalog.Abilities{Tools: true, Reasoning: true}}
)

// goldens are hub requests, whose translation is testdata/<name>/upstream.json.
var goldens = map[string]struct {
	model catalog.Model
	drop  bool
	in    llm.Request
}{
	"plain": {sonnet, false, llm.Request{
		System:   []llm.Part{text("Be brief."), text("  "), text("Be kind.")},
		Messages: []llm.Message{user(text("Hi"))}, Temperature: ptr(0.3), TopP: ptr(0.9), Stop: []string{"END", "", " "},
	}},
	"roles-merged": {sonnet, false, llm.Request{Messages: []llm.Message{
		user(text("One")), user(text("Two")), assistant(text("")), assistant(text("Yes ")),
		{Role: llm.System, Parts: []llm.Part{text("Remember the rules.")}}, user(text(" ")), user(text("Go on")), assistant(text("Sure:\n ")),
	}}},
	"parallel-tools": {sonnet, false, llm.Request{
		Tools: []llm.Tool{weather, {Name: "now"}, {Name: "untyped", Schema: jsonx.Raw(`{"properties":{"a":{"type":"string"}}}`), Strict: ptr(true)}},
		Messages: []llm.Message{
			user(text("Weather and time?")),
			assistant(text("Looking."), call("c1", "get_weather", `{"city":"Oslo"}`), call("c2", "now", ""), call("c3", "get_weather", `not json`)),
			user(result("c1", text("Rain"), llm.Part{Kind: llm.Image, Media: &llm.Media{MIME: "image/png", Data: png}})),
			user(text("Also tell me this.")), user(marked(result("c2"), "")),
			user(llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: "c3", Parts: []llm.Part{text("bad arguments")}, Error: true}}),
		},
		Choice: llm.ToolChoice{Mode: llm.ChoiceAuto}, Parallel: ptr(false),
	}},
	"tool-names-and-ids": {sonnet, false, llm.Request{
		Tools: []llm.Tool{{Name: "mcp.files/read file"}, {Name: strings.Repeat("long_", 20)}, {Name: "fine"}},
		Messages: []llm.Message{
			user(text("Read")), assistant(call("call:1|x", "mcp.files/read file", "{}"), call("", "読む", "{}")),
			user(result("call:1|x", text("ok")), result("", text("ok"))),
		},
		Choice: llm.ToolChoice{Mode: llm.ChoiceTool, Name: "mcp.files/read file"},
	}},
	"tool-history-without-tools": {sonnet, false, llm.Request{Messages: []llm.Message{
		user(text("Weather?")), assistant(call("c1", "get_weather", `{"city":"Oslo"}`)), user(result("c1", text("Rain"))), user(text("Thanks. Summarise.")),
	}, Choice: llm.ToolChoice{Mode: llm.ChoiceAny}}},
	"choice-none": {sonnet, false, llm.Request{
		Tools: []llm.Tool{weather}, Messages: []llm.Message{user(text("Hi"))}, Choice: llm.ToolChoice{Mode: llm.ChoiceNone},
	}},
	"choice-none-with-history": {sonnet, false, llm.Request{
		Tools: []llm.Tool{weather}, Choice: llm.ToolChoice{Mode: llm.ChoiceNone},
		Messages: []llm.Message{user(text("W?")), assistant(call("c1", "get_weather", `{}`)), user(result("c1", text("Rain")))},
	}},
	"schema-native": {sonnet, false, llm.Request{
		Messages: []llm.Message{user(text("A person"))},
		Format:   &llm.Format{Type: "json_schema", Name: "person", Schema: jsonx.Raw(`{"type":"object", "properties":{"name":{"type":"string"}}}`)},
	}},
	"schema-by-tool": {older, false, llm.Request{
		Messages: []llm.Message{user(text("A person"))}, Thinking: &llm.Thinking{Effort: "high"},
		Format: &llm.Format{Type: "json_schema", Name: "person", Schema: jsonx.Raw(`{"type":"object","properties":{"name":{"type":"string"}}}`)},
	}},
	"json-object-beside-tools": {older, false, llm.Request{
		Messages: []llm.Message{user(text("A person"))}, Tools: []llm.Tool{weather}, Format: &llm.Format{Type: "json_object"},
	}},
	"thinking-budget": {older, false, llm.Request{
		Messages: []llm.Message{user(text("Think"))}, Thinking: &llm.Thinking{Mode: "enabled", Budget: 16000},
		Temperature: ptr(1.0), TopP: ptr(0.5), TopK: ptr(5),
	}},
	"thinking-effort-small-limit": {older, false, llm.Request{
		Messages: []llm.Message{user(text("Think"))}, Thinking: &llm.Thinking{Effort: "high"}, MaxTokens: 2000,
	}},
	"thinking-no-room": {older, false, llm.Request{
		Messages: []llm.Message{user(text("Think"))}, Thinking: &llm.Thinking{Effort: "low"}, MaxTokens: 500, Temperature: ptr(1.7),
	}},
	"thinking-adaptive": {newer, false, llm.Request{
		Messages: []llm.Message{user(text("Think"))}, Thinking: &llm.Thinking{Mode: "enabled", Budget: 6000},
		Temperature: ptr(0.2), TopP: ptr(0.5), TopK: ptr(5), Betas: []string{"effort-2025-11-24", "interleaved-thinking-2025-05-14"},
	}},
	"thinking-forced-tool": {sonnet, false, llm.Request{
		Messages: []llm.Message{user(text("Think"))}, Tools: []llm.Tool{weather}, Thinking: &llm.Thinking{Effort: "medium"},
		Choice: llm.ToolChoice{Mode: llm.ChoiceTool, Name: "get_weather"}, Temperature: ptr(0.2),
	}},
	"thinking-history": {sonnet, false, llm.Request{
		Tools: []llm.Tool{weather}, Thinking: &llm.Thinking{Mode: "enabled", Budget: 2048}, MaxTokens: 4096,
		Messages: []llm.Message{
			user(text("W?")),
			assistant(text("Looking."), llm.Part{Kind: llm.Reasoning, Text: "unsigned"}, llm.Part{Kind: llm.Reasoning, Signature: "c2ln"},
				llm.Part{Kind: llm.Reasoning, Redacted: "aGlkZGVu"}, llm.Part{Kind: llm.Reasoning, Redacted: "%%%"}, call("c1", "get_weather", "{}")),
			user(result("c1", text("Rain"))),
			assistant(llm.Part{Kind: llm.Reasoning, Text: "only this", Signature: "c2ln"}),
			user(text("So?")),
		},
	}},
	"nova-reasoning": {novaTwo, false, llm.Request{
		Messages: []llm.Message{user(text("Think")), assistant(llm.Part{Kind: llm.Reasoning, Text: "x", Signature: "y"}, text("Hm")), user(text("On"))},
		Thinking: &llm.Thinking{Effort: "minimal"}, TopK: ptr(20), MaxTokens: 100,
	}},
	"nova-reasoning-high": {novaTwo, false, llm.Request{
		Messages: []llm.Message{user(text("Think"))}, Thinking: &llm.Thinking{Effort: "max"}, MaxTokens: 100, Temperature: ptr(0.5), Stop: []string{"END"},
	}},
	"gpt-oss-reasoning": {gptOSS20, false, llm.Request{
		Messages: []llm.Message{user(text("Think"))}, Thinking: &llm.Thinking{Effort: "xhigh"}, Temperature: ptr(1.5), TopP: ptr(0.5),
	}},
	"cache-points": {sonnet, false, llm.Request{
		System:   []llm.Part{marked(text("Rules"), "5m")},
		Tools:    []llm.Tool{{Name: "a", Cache: &llm.CacheMark{TTL: "1h"}}},
		Messages: []llm.Message{user(marked(text("1"), "")), assistant(marked(text("2"), "")), user(text("3"), marked(text("4"), "1h")), assistant(text("x")), user(marked(text("5"), "1h"))},
	}},
	"cache-points-nova": {novaPro, false, llm.Request{
		System: []llm.Part{marked(text("Rules"), "1h")}, Tools: []llm.Tool{{Name: "a", Cache: &llm.CacheMark{}}},
		Messages: []llm.Message{user(marked(text("1"), ""))}, TopK: ptr(7),
	}},
	"cache-points-not-supported": {gptOSS20, false, llm.Request{
		System: []llm.Part{marked(text("Rules"), "")}, Messages: []llm.Message{user(marked(text("1"), ""))},
	}},
	"media": {sonnet, false, llm.Request{Messages: []llm.Message{user(
		llm.Part{Kind: llm.Image, Media: &llm.Media{Data: png}},
		llm.Part{Kind: llm.Image, Media: &llm.Media{MIME: "image/jpeg; q=1", URL: "s3://bucket.example/a.jpg"}},
		llm.Part{Kind: llm.Document, Media: &llm.Media{MIME: "application/pdf", Data: []byte("%PDF-1.4\n%%EOF"), Name: "Q1: report_(final).pdf"}},
		llm.Part{Kind: llm.Document, Media: &llm.Media{MIME: "application/pdf", Data: []byte("%PDF-1.4\n%%EOF"), Name: "Q1: report_(final).pdf"}},
		llm.Part{Kind: llm.Document, Media: &llm.Media{Data: []byte("a,b"), Name: "資料.csv", MIME: "application/octet-stream"}},
		llm.Part{Kind: llm.Document, Media: &llm.Media{MIME: "text/x-go", Data: []byte("package x")}},
	)}}},
	"betas": {sonnet, false, llm.Request{
		Messages: []llm.Message{user(text("Hi"))},
		Betas:    []string{"claude-code-20250219", "context-1m-2025-08-07", " interleaved-thinking-2025-05-14", "context-1m-2025-08-07", "oauth-2025-04-20"},
	}},
	"harmless-extras": {sonnet, false, llm.Request{
		Messages: []llm.Message{user(text("Hi"))}, User: "someone",
		Extra: map[string]jsonx.Raw{
			"n": jsonx.Raw("1"), "presence_penalty": jsonx.Raw("0"), "logprobs": jsonx.Raw("false"), "store": jsonx.Raw("true"),
			"logit_bias": jsonx.Raw(" { } "), "seed_like": jsonx.Raw("null"), "litellm_session_id": jsonx.Raw(`"x"`),
			"serviceTier": jsonx.Raw(`{"type":"flex"}`), "requestMetadata": jsonx.Raw(`{"team":"a"}`),
			"additionalModelRequestFields": jsonx.Raw(`{"custom":1}`), "performanceConfig": jsonx.Raw(`{"latency":"optimized"}`),
			"guardrailConfig": jsonx.Raw(`{"guardrailIdentifier":"g","guardrailVersion":"1"}`),
		},
	}},
	"dropped-extras": {sonnet, true, llm.Request{
		Messages: []llm.Message{user(text("Hi"))}, Seed: ptr(int64(7)),
		Extra: map[string]jsonx.Raw{"n": jsonx.Raw("3"), "logit_bias": jsonx.Raw(`{"1":2}`), "frequency_penalty": jsonx.Raw("0.5")},
		Tools: []llm.Tool{{Native: jsonx.Raw(`{"type":"web_search"}`), NativeDialect: llm.OpenAIChat}},
	}},
}

func encodeFor(t *testing.T, m catalog.Model, drop bool, in llm.Request) (*encoder, error) {
	t.Helper()
	u := newUpstream(t, gateway.Target{Model: m.ID, AWS: gateway.AWS{Region: "us-east-1"}})
	return u.encode(&gateway.Attempt{Hub: &in, Model: m, Drop: drop})
}

func TestEncode(t *testing.T) {
	for name, c := range goldens {
		t.Run(name, func(t *testing.T) {
			before := jsonx.MustMarshal(c.in)
			e, err := encodeFor(t, c.model, c.drop, c.in)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := json.Indent(&got, jsonx.MustMarshal(&e.out), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			compareGolden(t, filepath.Join("testdata", name, "upstream.json"), got.Bytes())
			if after := jsonx.MustMarshal(c.in); !bytes.Equal(before, after) {
				t.Error("the hub request, which is shared with other attempts, was changed")
			}
		})
	}
}

func compareGolden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs (-update rewrites it):\n%s", file, got)
	}
}

func TestRefusals(t *testing.T) {
	hi := []llm.Message{user(text("Hi"))}
	image := func(m *llm.Media) []llm.Message { return []llm.Message{user(llm.Part{Kind: llm.Image, Media: m})} }
	for name, c := range map[string]struct {
		in    llm.Request
		param string
	}{
		"seed":            {llm.Request{Messages: hi, Seed: ptr(int64(1))}, "seed"},
		"n":               {llm.Request{Messages: hi, Extra: map[string]jsonx.Raw{"n": jsonx.Raw("2")}}, "n"},
		"logprobs":        {llm.Request{Messages: hi, Extra: map[string]jsonx.Raw{"logprobs": jsonx.Raw("true")}}, "logprobs"},
		"remote image":    {llm.Request{Messages: image(&llm.Media{URL: "https://example.com/a.png"})}, "image_url"},
		"bmp":             {llm.Request{Messages: image(&llm.Media{MIME: "image/bmp", Data: png})}, "image_url"},
		"no image":        {llm.Request{Messages: image(nil)}, "image_url"},
		"audio":           {llm.Request{Messages: []llm.Message{user(llm.Part{Kind: llm.Audio, Media: &llm.Media{Data: png}})}}, "audio"},
		"array schema":    {llm.Request{Messages: hi, Tools: []llm.Tool{{Name: "a", Schema: jsonx.Raw(`{"type":"array"}`)}}}, "tools"},
		"schema no json":  {llm.Request{Messages: hi, Tools: []llm.Tool{{Name: "a", Schema: jsonx.Raw(`{"type":"object",}`)}}}, "tools"},
		"native tool":     {llm.Request{Messages: hi, Tools: []llm.Tool{{Native: jsonx.Raw(`{}`)}}}, "tools"},
		"reasoning":       {llm.Request{Messages: hi, Thinking: &llm.Thinking{Effort: "low"}}, "reasoning_effort"},
		"service tier":    {llm.Request{Messages: hi, Extra: map[string]jsonx.Raw{"serviceTier": jsonx.Raw("1")}}, "serviceTier"},
		"unknown archive": {llm.Request{Messages: []llm.Message{user(llm.Part{Kind: llm.Document, Media: &llm.Media{MIME: "application/zip", Data: png}})}}, "file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := encodeFor(t, novaPro, false, c.in)
			var e *llm.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v", err)
			}
			if e.Status != 400 || e.Param != c.param || e.Retryable() {
				t.Errorf("%+v", e)
			}
		})
	}
}
