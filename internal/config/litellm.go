package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// importLiteLLM reads LiteLLM's config.yaml. What Weir has no use for (or not yet) becomes a warning by name, never an
// error: the file belongs to another program. A value of the wrong type for a key that is used is an error.
func importLiteLLM(name string, root ast.Node, env Lookup, c *Config) ([]Warning, []Problem) {
	im := &liteLLM{name: name, c: c}
	if vars := child(root, "environment_variables"); vars != nil {
		_ = yaml.NodeToValue(vars, &c.Env)
		env = withVars(env, c.Env)
	}
	for _, m := range expand(root, env) {
		im.warnings = append(im.warnings, Warning{Line: m.line, Path: "os.environ/" + m.name, Msg: "environment variable is not set; the value is empty"})
	}
	im.section("", root, map[string]setter{
		"model_list":            im.models,
		"litellm_settings":      im.litellmSettings,
		"router_settings":       im.routerSettings,
		"general_settings":      im.generalSettings,
		"environment_variables": nil,
	})
	return im.warnings, im.problems
}

func withVars(env Lookup, vars map[string]string) Lookup {
	return func(name string) (string, bool) {
		if v, ok := vars[name]; ok && !strings.HasPrefix(v, "os.environ/") {
			return v, true
		}
		return env(name)
	}
}

type liteLLM struct {
	name     string
	c        *Config
	warnings []Warning
	problems []Problem
}

// setter takes the node of a known key; a nil setter marks a key that is known and needs nothing done.
type setter func(path string, n ast.Node)

// section hands each entry of a mapping to its setter and warns of the others.
func (im *liteLLM) section(path string, n ast.Node, known map[string]setter) {
	if _, null := n.(*ast.NullNode); null {
		return
	}
	entries := pairs(n)
	if entries == nil {
		im.problem(path, n, "must be a mapping")
		return
	}
	for _, e := range entries {
		key := e.Key.String()
		at := strings.TrimPrefix(path+"."+key, ".")
		set, ok := known[key]
		switch {
		case !ok:
			im.warn(at, e.Key, "is not supported and has no effect")
		case set != nil && e.Value.Type() != ast.NullType:
			set(at, e.Value)
		}
	}
}

func (im *liteLLM) warn(path string, n ast.Node, msg string) {
	w := Warning{Path: path, Msg: msg}
	if t := n.GetToken(); t != nil && t.Position != nil {
		w.Line = t.Position.Line
	}
	im.warnings = append(im.warnings, w)
}

func (im *liteLLM) problem(path string, n ast.Node, msg string) {
	p := Problem{File: im.name, Path: path, Msg: msg}
	if t := n.GetToken(); t != nil && t.Position != nil {
		p.Line, p.Col = t.Position.Line, t.Position.Column
	}
	if !told(im.problems, p) {
		im.problems = append(im.problems, p)
	}
}

// into decodes a scalar, list or map into dst.
func into[T any](im *liteLLM, dst *T) setter {
	return func(path string, n ast.Node) {
		var v T
		if err := yaml.NodeToValue(n, &v); err != nil {
			im.problem(path, n, fmt.Sprintf("has the wrong type (want %T)", v))
			return
		}
		*dst = v
	}
}

func (im *liteLLM) models(path string, n ast.Node) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		im.problem(path, n, "must be a list")
		return
	}
	for i, item := range seq.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		m := Model{Info: map[string]any{}}
		info := map[string]any{}
		im.section(at, item, map[string]setter{
			"model_name":     into(im, &m.Name),
			"litellm_params": func(path string, n ast.Node) { im.params(path, n, &m) },
			"model_info":     into(im, &info),
		})
		m.Info = info
		modelInfo(&m, info)
		if m.Model == "" {
			im.problem(at+".litellm_params.model", item, "is required")
		}
		im.c.Models = append(im.c.Models, m) // in any case: the place of another's problem is counted
	}
}

// params reads litellm_params: the model with its provider, the connection, prices, and routing of one deployment.
func (im *liteLLM) params(path string, n ast.Node, m *Model) {
	var (
		model, provider, apiKey, secret, token, bearer string
		prices                                         perToken
		order                                          int
		rpm, tpm                                       int64
		maxRetries                                     int
	)
	im.section(path, n, map[string]setter{
		"model": into(im, &model), "custom_llm_provider": into(im, &provider), "api_base": into(im, &m.BaseURL), "base_url": into(im, &m.BaseURL),
		"api_key": into(im, &apiKey), "timeout": into(im, &m.Timeout), "stream_timeout": nil, "weight": into(im, &m.Weight),
		"drop_params": into(im, &m.DropParams), "extra_headers": into(im, &m.Headers), "headers": into(im, &m.Headers),
		"aws_region_name": into(im, &m.AWS.Region), "aws_access_key_id": into(im, &m.AWS.AccessKeyID), "aws_secret_access_key": into(im, &secret),
		"aws_session_token": into(im, &token), "aws_profile_name": into(im, &m.AWS.Profile), "aws_role_name": into(im, &m.AWS.RoleARN),
		"aws_session_name": into(im, &m.AWS.RoleSessionName), "aws_external_id": into(im, &m.AWS.ExternalID),
		"aws_web_identity_token": into(im, &m.AWS.WebIdentity), "aws_sts_endpoint": into(im, &m.AWS.STSEndpoint),
		"aws_bedrock_runtime_endpoint": into(im, &m.BaseURL), "aws_bearer_token_bedrock": into(im, &bearer),
		"input_cost_per_token": into(im, &prices.Input), "output_cost_per_token": into(im, &prices.Output),
		"cache_read_input_token_cost": into(im, &prices.CacheRead), "cache_creation_input_token_cost": into(im, &prices.CacheWrite),
		"base_model": into(im, &m.BaseModel), "max_retries": into(im, &maxRetries),
		"rpm": into(im, &rpm), "tpm": into(im, &tpm), "order": into(im, &order),
	})
	m.APIKey, m.AWS.SecretAccessKey, m.AWS.SessionToken, m.AWS.BearerToken = Secret(apiKey), Secret(secret), Secret(token), Secret(bearer)
	m.Provider, m.Model = splitModel(provider, model)
	m.Prices = prices.perMillion()
	for key, set := range map[string]bool{"rpm": rpm > 0, "tpm": tpm > 0, "order": order > 0, "max_retries": maxRetries > 0} {
		if set {
			im.warn(path+"."+key, n, "is not acted on per deployment yet")
		}
	}
	slices.SortFunc(im.warnings, func(a, b Warning) int { return a.Line - b.Line })
}

// perToken are LiteLLM's prices.
type perToken struct{ Input, Output, CacheRead, CacheWrite float64 }

func (p perToken) perMillion() *Prices {
	if p == (perToken{}) {
		return nil
	}
	return &Prices{Input: p.Input * 1e6, Output: p.Output * 1e6, CacheRead: p.CacheRead * 1e6, CacheWrite: p.CacheWrite * 1e6}
}

// splitModel separates "bedrock/converse/us.anthropic…" into provider and model. A name without a known provider is
// OpenAI's, as in LiteLLM, unless it is a Claude.
func splitModel(provider, model string) (string, string) {
	if model == "" {
		return provider, ""
	}
	head, rest, ok := strings.Cut(model, "/")
	switch {
	case provider != "":
		return canonical(provider), strings.TrimPrefix(model, provider+"/")
	case model == "*":
		return "openai", "*"
	case !ok && strings.HasPrefix(model, "claude"):
		return "anthropic", model
	case !ok && bedrockModel(model):
		return "bedrock", model
	case !ok:
		return "openai", model
	}
	if head == "bedrock" {
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, "converse/"), "invoke/")
	}
	return canonical(head), rest
}

func bedrockModel(m string) bool {
	for _, vendor := range []string{"anthropic.", "amazon.", "meta.", "mistral.", "cohere.", "us.", "eu.", "apac.", "global."} {
		if strings.HasPrefix(m, vendor) {
			return true
		}
	}
	return false
}

// canonical is Weir's name of a LiteLLM provider.
func canonical(p string) string {
	switch p {
	case "bedrock_converse", "bedrock":
		return "bedrock"
	case "together_ai":
		return "together"
	case "fireworks_ai":
		return "fireworks"
	case "text-completion-openai", "custom_openai":
		return "openai"
	case "hosted_vllm":
		return "vllm"
	case "lm_studio":
		return "lmstudio"
	case "openai_like":
		return "openai_compatible"
	}
	return p
}

func modelInfo(m *Model, info map[string]any) {
	if s, ok := info["base_model"].(string); ok && m.BaseModel == "" {
		m.BaseModel = s
	}
	m.MaxInput, m.MaxOutput = wholeNumber(info["max_input_tokens"]), wholeNumber(info["max_output_tokens"])
	if m.MaxOutput == 0 {
		m.MaxOutput = wholeNumber(info["max_tokens"])
	}
	if m.Prices == nil {
		m.Prices = perToken{
			number(info["input_cost_per_token"]), number(info["output_cost_per_token"]),
			number(info["cache_read_input_token_cost"]), number(info["cache_creation_input_token_cost"]),
		}.perMillion()
	}
}

func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	}
	return 0
}

func wholeNumber(v any) int { return int(max(number(v), 0)) }
