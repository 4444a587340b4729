package config

import "strings"

// applyEnv sets what variables say over what the file says, and adds the models of providers whose usual variables are
// set when the file names none.
func (c *Config) applyEnv(env Lookup) {
	str := func(dst *string, names ...string) {
		for _, n := range names {
			if v, ok := env(n); ok && v != "" {
				*dst = v
				return
			}
		}
	}
	secret := func(dst *Secret, names ...string) {
		s := dst.Reveal()
		str(&s, names...)
		*dst = Secret(s)
	}
	str(&c.Data, "WEIR_DATA")
	var listen, hosts, proxies, local string
	str(&listen, "WEIR_LISTEN")
	str(&hosts, "WEIR_ALLOWED_HOSTS")
	str(&proxies, "WEIR_TRUSTED_PROXIES")
	str(&local, "WEIR_LOCAL")
	setList(&c.Server.Listen, listen)
	setList(&c.Server.AllowedHosts, hosts)
	setList(&c.Server.TrustedProxies, proxies)
	if local != "" {
		c.Server.Local = local == "1" || strings.EqualFold(local, "true")
	}
	str(&c.Server.PublicURL, "WEIR_PUBLIC_URL")
	str(&c.Server.BasePath, "WEIR_BASE_PATH")
	str(&c.Log.Level, "WEIR_LOG_LEVEL")
	str(&c.Log.Format, "WEIR_LOG_FORMAT")
	str(&c.Admin.Email, "WEIR_ADMIN_EMAIL")
	secret(&c.Admin.Password, "WEIR_ADMIN_PASSWORD")
	secret(&c.Admin.MasterKey, "WEIR_MASTER_KEY", "LITELLM_MASTER_KEY")
	secret(&c.Admin.SecretKey, "WEIR_SECRET_KEY")
	env = withVars(env, c.Env)
	if len(c.Models) == 0 {
		c.Models = modelsFromEnv(env)
	}
	for i := range c.Models {
		c.Models[i].credentialsFromEnv(env)
	}
}

// credentialsFromEnv fills in the provider's usual variables where the file names neither key nor place. A key from the
// environment is never sent to a place that only the file names.
func (m *Model) credentialsFromEnv(env Lookup) {
	if m.APIKey != "" || m.BaseURL != "" {
		return
	}
	for _, p := range ProviderVars {
		if p.Provider == m.Provider {
			m.APIKey, m.BaseURL = Secret(first(env, p.Key)), first(env, p.BaseURL)
		}
	}
}

func setList(dst *[]string, v string) {
	if v == "" {
		return
	}
	*dst = nil
	for _, s := range strings.Split(v, ",") {
		if s = strings.TrimSpace(s); s != "" {
			*dst = append(*dst, s)
		}
	}
}

// ProviderVars are the variables that make a provider's models appear as "provider/*" without configuration, and where
// its base URL may come from.
var ProviderVars = []struct {
	Provider string
	Key      []string // any of these
	BaseURL  []string
}{
	{"openai", []string{"OPENAI_API_KEY"}, []string{"OPENAI_BASE_URL", "OPENAI_API_BASE"}},
	{"anthropic", []string{"ANTHROPIC_API_KEY"}, []string{"ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"}},
	{"groq", []string{"GROQ_API_KEY"}, nil},
	{"mistral", []string{"MISTRAL_API_KEY"}, nil},
	{"deepseek", []string{"DEEPSEEK_API_KEY"}, nil},
	{"openrouter", []string{"OPENROUTER_API_KEY"}, nil},
	{"together", []string{"TOGETHER_API_KEY", "TOGETHERAI_API_KEY"}, nil},
	{"xai", []string{"XAI_API_KEY"}, nil},
	{"fireworks", []string{"FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"}, nil},
	{"perplexity", []string{"PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"}, nil},
}

// awsVars tell that AWS credentials can be found by the usual chain.
var awsVars = []string{
	"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
}

func modelsFromEnv(env Lookup) []Model {
	var out []Model
	for _, p := range ProviderVars {
		if key := first(env, p.Key); key != "" {
			out = append(out, Model{Name: p.Provider + "/*", Provider: p.Provider, Model: "*", APIKey: Secret(key), BaseURL: first(env, p.BaseURL), found: true})
		}
	}
	if first(env, awsVars) != "" {
		out = append(out, Model{Name: "bedrock/*", Provider: "bedrock", Model: "*", BaseURL: first(env, []string{"AWS_BEDROCK_RUNTIME_ENDPOINT", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"}), found: true})
	}
	return out
}

func first(env Lookup, names []string) string {
	for _, n := range names {
		if v, ok := env(n); ok && v != "" {
			return v
		}
	}
	return ""
}
