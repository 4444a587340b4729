package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func env(kv ...string) Lookup {
	return func(name string) (string, bool) {
		for i := 0; i < len(kv); i += 2 {
			if kv[i] == name {
				return kv[i+1], true
			}
		}
		return "", false
	}
}

func TestWeirFile(t *testing.T) {
	c, _, err := Parse("weir.yaml", []byte(`
server:
  listen: ["127.0.0.1:4000"]
  max_body: 8MiB
admin:
  master_key: ${MK}
models:
  - name: sonnet
    provider: bedrock
    model: us.anthropic.claude-sonnet-4-5-20250929-v1:0
    timeout: 90
    aws: {region: us-east-1, secret_access_key: os.environ/SK, access_key_id: AKIA}
routing:
  deadline: 2m
  fallbacks: {sonnet: [haiku]}
keys:
  - key: sk-abcdefgh
    alias: ci
    expires: 2027-01-01T00:00:00Z
    max_budget_usd: 12.5
`), env("MK", `sk-m: "a' #{b`, "SK", "shh"))
	if err != nil {
		t.Fatal(err)
	}
	m := c.Models[0]
	if c.Server.MaxBody != 8<<20 || c.Admin.MasterKey.Reveal() != `sk-m: "a' #{b` || m.AWS.SecretAccessKey.Reveal() != "shh" || m.Timeout.D() != 90*time.Second {
		t.Errorf("decoded %+v", c)
	}
	if c.Routing.Deadline.D() != 2*time.Minute || c.Routing.Retries != 2 || c.Routing.Fallbacks["sonnet"][0] != "haiku" {
		t.Errorf("routing %+v", c.Routing)
	}
	if k := c.Keys[0]; k.Expires.Year() != 2027 || *k.MaxBudgetUSD != 12.5 {
		t.Errorf("key %+v", k)
	}
}

func TestInvalidFiles(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"unknown key":     {"server:\n  listn: [a]\n", "weir.yaml:2:3"},
		"unknown section": {"sever: {}\n", "weir.yaml:1:1"},
		"telemetry ratio": {"telemetry: {sample_ratio: 2}\n", "telemetry.sample_ratio"},
		"telemetry place": {"telemetry: {endpoint: \"collector:4318\"}\n", "telemetry.endpoint"},
		"wrong type":      {"routing:\n  retries: many\n", "weir.yaml:2:12"},
		"bad duration":    {"routing:\n  deadline: soon\n", `weir.yaml:2:13: "soon" is not a duration`},
		"bad size":        {"server:\n  max_body: big\n", `weir.yaml:2:13: "big" is not a size`},
		"not a mapping":   {"- a\n- b\n", "mapping"},
		"syntax":          {"server: [\n", "weir.yaml:1"},
		"missing env":     {"admin:\n  master_key: ${NOPE}\n", "weir.yaml:2:15: environment variable NOPE is not set"},
		"master key":      {"admin:\n  master_key: abc\n", "weir.yaml:2:15: admin.master_key: must start with sk-"},
		"no provider":     {"models:\n  - name: a\n", "models[0].provider: is required"},
		"two stars":       {"models:\n  - {name: 'a*b*', provider: openai}\n", "one *"},
		"negative weight": {"models:\n  - {name: a, provider: openai, weight: -1}\n", "models[0].weight"},
		"bad url":         {"models:\n  - {name: a, provider: openai, base_url: 'ftp://x'}\n", "models[0].base_url"},
		"bad listen":      {"server:\n  listen: [nonsense]\n", "server.listen[0]"},
		"local on all":    {"server:\n  listen: ['0.0.0.0:4000']\n  local: true\n", "loopback"},
		"bad proxy":       {"server:\n  trusted_proxies: [x]\n", "trusted_proxies[0]"},
		"bad level":       {"log:\n  level: loud\n", "log.level"},
		"bad component":   {"log:\n  components: {gateway: loud}\n", "log.components.gateway"},
		"retries range":   {"routing:\n  retries: 99\n", "between 0 and 20"},
		"key prefix":      {"keys:\n  - {key: abc}\n", "keys[0].key"},
		"unknown team":    {"keys:\n  - {key: sk-abcdefgh, team: t}\n", "keys[0].team"},
		"bad period":      {"keys:\n  - {key: sk-abcdefgh, budget_period: often}\n", "keys[0].budget_period"},
		"mlflow":          {"endpoints: []\n", "MLflow"},
	} {
		_, _, err := Parse("weir.yaml", []byte(tc.in), env())
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, tc.want)
		}
	}
}

func TestAllProblemsAreTold(t *testing.T) {
	for in, want := range map[string][]string{
		"server:\n  listn: [a]\n  max_body: big\n  trusted_proxies: [{a: b}, x]\n": {
			`2:3: unknown field "listn"`, `3:13: "big" is not a size such as 32MiB`, "4:21: cannot unmarshal map[string]interface {} into Go struct field Config.Server of type string",
			`4:29: server.trusted_proxies[1]: "x" is not an address or network`,
		},
		"sever: {}\nrouting:\n  retries: many\n  x: 1\nmodels:\n  - nmae: a\n  - name: [q]\n    provider: opnai\n": {
			`1:1: unknown field "sever"`, "3:12: cannot unmarshal string into Go struct field Config.Routing of type int", `4:3: unknown field "x"`, `6:5: unknown field "nmae"`,
			"6:9: models[0].name: is required", "6:9: models[0].provider: is required", "7:11: cannot unmarshal []interface {} into Go struct field Config.Models of type string",
			`8:15: models[1].provider: "opnai" is not a provider; use one of openai`,
		},
		"admin:\n  master_key: ${NOPE}\n  emial: x\nkeys:\n  - {key: '${NO2}'}\n  - {key: abc}\n": {
			"2:15: environment variable NOPE is not set", `3:3: unknown field "emial"`, "5:11: environment variable NO2 is not set",
			"6:11: keys[1].key: must start with sk- and have at least 8 characters",
		},
		"keys: [1, {key: abc}]\nlog: 5\n": {
			"1:8: int was used where mapping is expected", "1:17: keys[1].key: must start with sk- and have at least 8 characters", "2:6: int was used where mapping is expected",
		},
		"routing: {hold: &t soon, deadline: *t}\n": {`1:20: "soon" is not a duration such as 30s or 10m`},
		"model_list:\n  - model_name: a\n    litellm_params: {model: [x]}\n  - model_name: b*c*\n    litellm_params: {model: openai/x}\n  - model_name: d\n": {
			"3:29: model_list[0].litellm_params.model: has the wrong type (want string)", "4:17: model_list[1].model_name: may hold one * at most",
			"6:15: model_list[2].litellm_params.model: is required",
		},
	} {
		_, _, err := Parse("f.yaml", []byte(in), env(), "openai")
		if got := fmt.Sprint(err); got != "f.yaml:"+strings.Join(want, "\nf.yaml:") {
			t.Errorf("%s: told\n%s\nwant\n%s", in, got, strings.Join(want, "\n"))
		}
	}
}

func TestEnvironmentSectionServesReferences(t *testing.T) {
	c, _, err := Parse("weir.yaml", []byte("environment: {HOST: eu.example.com}\nserver:\n  public_url: https://${HOST}\n"), env("HOST", "other"))
	if err != nil || c.Server.PublicURL != "https://eu.example.com" {
		t.Errorf("public_url %q, error %v", c.Server.PublicURL, err)
	}
}

func TestUnknownProvider(t *testing.T) {
	for in, want := range map[string]string{
		"models:\n  - {name: a, provider: openai}\n  - {name: b, provider: opnai}\n":                              `f.yaml:3:25: models[1].provider: "opnai" is not a provider`,
		"model_list:\n  - model_name: a\n    litellm_params:\n      model: x\n      custom_llm_provider: opnai\n": `f.yaml:4:14: model_list[0].litellm_params.model: "opnai" is not a provider`,
	} {
		_, _, err := Parse("f.yaml", []byte(in), env(), "openai", "bedrock")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestScalarsByReference(t *testing.T) {
	c, _, err := Parse("weir.yaml", []byte("routing: {deadline: &t 7, hold: *t, cooldown: \"1m\"}\nserver: {max_body: 2MiB, max_in_flight: 4194304}\n"), env())
	if err != nil || c.Routing.Hold.D() != 7*time.Second || c.Routing.Deadline.D() != 7*time.Second || c.Routing.Cooldown.D() != time.Minute {
		t.Errorf("%+v, error %v", c.Routing, err)
	}
	if c.Server.MaxBody != 2<<20 || c.Server.MaxInFlight != 4<<20 {
		t.Errorf("%+v", c.Server)
	}
}

func TestErrorsDoNotShowSecrets(t *testing.T) {
	_, _, err := Parse("weir.yaml", []byte("admin:\n  master_key: sk-very-secret\n  mastre: 1\n"), env())
	if err == nil || strings.Contains(err.Error(), "very-secret") {
		t.Errorf("error %v", err)
	}
}

func TestLiteLLMFile(t *testing.T) {
	c, warnings, err := Parse("config.yaml", []byte(`
model_list:
  - model_name: claude
    litellm_params:
      model: bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0
      aws_region_name: us-west-2
      aws_secret_access_key: os.environ/SK
      rpm: 10
    model_info: {id: my-id, base_model: anthropic.claude-sonnet-4-5-20250929-v1:0, max_tokens: 1000, input_cost_per_token: 0.000001}
  - model_name: "openai/*"
    litellm_params: {model: "openai/*", api_key: os.environ/MISSING}
  - model_name: gpt
    litellm_params: {model: gpt-4o, api_base: "https://example.com/v1", nonsense: 1}
litellm_settings:
  drop_params: true
  num_retries: 5
  request_timeout: 600
  fallbacks: [{"claude": ["gpt"]}]
  cache: true
  success_callback: ["langfuse"]
router_settings:
  routing_strategy: latency-based-routing
  allowed_fails: 3
  model_group_alias: {sonnet: claude}
general_settings:
  master_key: sk-1234
  maximum_spend_logs_retention_period: 30d
`), env("SK", "shh"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Models) != 3 {
		t.Fatalf("%d models", len(c.Models))
	}
	m := c.Models[0]
	if m.Provider != "bedrock" || m.Model != "us.anthropic.claude-sonnet-4-5-20250929-v1:0" || m.AWS.Region != "us-west-2" || m.AWS.SecretAccessKey.Reveal() != "shh" {
		t.Errorf("first model %+v", m)
	}
	if m.BaseModel == "" || m.MaxOutput != 1000 || m.Prices == nil || m.Prices.Input < 0.99 || m.Prices.Input > 1.01 {
		t.Errorf("model_info of first %+v %+v", m, m.Prices)
	}
	if m := c.Models[1]; m.Provider != "openai" || m.Model != "*" || m.APIKey != "" {
		t.Errorf("wildcard %+v", m)
	}
	if m := c.Models[2]; m.Provider != "openai" || m.Model != "gpt-4o" || m.BaseURL != "https://example.com/v1" {
		t.Errorf("third %+v", m)
	}
	r := c.Routing
	if !r.DropParams || r.Retries != 5 || r.Deadline.D() != 10*time.Minute || r.Fallbacks["claude"][0] != "gpt" || r.FailsToCool != 4 || r.Aliases["sonnet"] != "claude" {
		t.Errorf("routing %+v", r)
	}
	if c.Admin.MasterKey.Reveal() != "sk-1234" || c.Recording.RetentionDays != 30 {
		t.Errorf("general %+v %+v", c.Admin, c.Recording)
	}
	var text strings.Builder
	for _, w := range warnings {
		text.WriteString(w.String() + "\n")
	}
	for _, want := range []string{"os.environ/MISSING", "model_list[2].litellm_params.nonsense", "litellm_settings.cache", "success_callback", "simple-shuffle", "model_list[0].litellm_params.rpm"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no warning about %s in:\n%s", want, text.String())
		}
	}
}

func TestModelsFromEnvironment(t *testing.T) {
	c, _, err := Load("", env("OPENAI_API_KEY", "k", "AWS_PROFILE", "p", "ANTHROPIC_API_KEY", "a", "WEIR_LISTEN", "127.0.0.1:1, 127.0.0.1:2"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range c.Models {
		names = append(names, m.Name)
	}
	if got := strings.Join(names, " "); got != "openai/* anthropic/* bedrock/*" {
		t.Errorf("models %q", got)
	}
	if len(c.Server.Listen) != 2 {
		t.Errorf("listen %v", c.Server.Listen)
	}
}

func TestKeysOfFileModelsFromEnvironment(t *testing.T) {
	c, _, err := Parse("weir.yaml", []byte("models:\n  - {name: a, provider: openai, model: gpt-4o}\n  - {name: b, provider: openai, model: x, base_url: 'http://example.com'}\n"),
		env("OPENAI_API_KEY", "from-env", "OPENAI_BASE_URL", "http://proxy.example.com/v1"))
	if err != nil {
		t.Fatal(err)
	}
	if m := c.Models[0]; m.APIKey.Reveal() != "from-env" || m.BaseURL != "http://proxy.example.com/v1" {
		t.Errorf("a model without key and place takes the variables: %q %q", m.APIKey.Reveal(), m.BaseURL)
	}
	if m := c.Models[1]; m.APIKey != "" {
		t.Errorf("the key of the environment must not go to %s", m.BaseURL)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("model_list: [{model_name: a, litellm_params: {model: b}}]")
	f.Add("server: {listen: [a]}")
	f.Fuzz(func(t *testing.T, in string) {
		_, _, _ = Parse("f.yaml", []byte(in), env()) // must not panic
	})
}
