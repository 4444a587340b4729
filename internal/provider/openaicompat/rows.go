package openaicompat

// Row is one provider: where it is, how it is told the key, and what it refuses or wants differently.
type Row struct {
	Name    string // llm provider name in configuration
	BaseURL string // up to and without "/chat/completions"; "" = must be configured
	KeyEnv  string // usual variable of the key; "" = works without one
	BaseEnv string // usual variable of the base URL; "" = none
	// KeyHeader carries the bare key; "" = "Authorization: Bearer".
	KeyHeader string
	KeyNeeded bool

	SystemRole      string // role of system text; "" = "system"
	CompletionLimit bool   // max_completion_tokens instead of max_tokens for every model
	NoStreamOptions bool   // refuses stream_options; usage then comes unasked or not at all
	CacheMarks      bool   // takes Anthropic's cache_control on parts and tools
	ReasoningField  string // message field in which earlier reasoning goes back; "" = it does not
	LiteLLM         bool   // is a LiteLLM or a Weir: takes its control fields, thinking_blocks, and thinking as it is
	TopK            bool   // takes top_k
	Metadata        bool   // takes metadata of any form
	// Strict refuses fields it does not know: what only LiteLLM understands is taken out of native bodies.
	Strict bool
	// Refuses names top-level parameters that draw a 400; they are refused here, or left out with drop_params.
	Refuses []string
}

// Rows are the known OpenAI-compatible providers. The last one stands for any other server and leaves bodies as they are.
func Rows() []Row {
	anthropics := []string{"thinking", "output_config", "top_k"}
	return []Row{
		{Name: "openai", BaseURL: "https://api.openai.com/v1", KeyEnv: "OPENAI_API_KEY", BaseEnv: "OPENAI_BASE_URL", KeyNeeded: true,
			CompletionLimit: true, Strict: true, Refuses: anthropics},
		{Name: "openrouter", BaseURL: "https://openrouter.ai/api/v1", KeyEnv: "OPENROUTER_API_KEY", KeyNeeded: true,
			CacheMarks: true, ReasoningField: "reasoning", TopK: true},
		{Name: "groq", BaseURL: "https://api.groq.com/openai/v1", KeyEnv: "GROQ_API_KEY", KeyNeeded: true,
			Strict: true, ReasoningField: "reasoning", Refuses: append([]string{"logit_bias", "logprobs", "top_logprobs"}, anthropics...)},
		{Name: "together_ai", BaseURL: "https://api.together.xyz/v1", KeyEnv: "TOGETHERAI_API_KEY", KeyNeeded: true, TopK: true},
		{Name: "together", BaseURL: "https://api.together.xyz/v1", KeyEnv: "TOGETHER_API_KEY", KeyNeeded: true, TopK: true},
		{Name: "deepseek", BaseURL: "https://api.deepseek.com/v1", KeyEnv: "DEEPSEEK_API_KEY", KeyNeeded: true, ReasoningField: "reasoning_content"},
		{Name: "mistral", BaseURL: "https://api.mistral.ai/v1", KeyEnv: "MISTRAL_API_KEY", KeyNeeded: true,
			Strict: true, NoStreamOptions: true, Refuses: append([]string{"logit_bias", "logprobs", "top_logprobs", "user"}, anthropics...)},
		{Name: "xai", BaseURL: "https://api.x.ai/v1", KeyEnv: "XAI_API_KEY", KeyNeeded: true},
		{Name: "fireworks_ai", BaseURL: "https://api.fireworks.ai/inference/v1", KeyEnv: "FIREWORKS_API_KEY", KeyNeeded: true, TopK: true},
		{Name: "fireworks", BaseURL: "https://api.fireworks.ai/inference/v1", KeyEnv: "FIREWORKS_API_KEY", KeyNeeded: true, TopK: true},
		{Name: "perplexity", BaseURL: "https://api.perplexity.ai", KeyEnv: "PERPLEXITYAI_API_KEY", KeyNeeded: true,
			NoStreamOptions: true, TopK: true},
		{Name: "cerebras", BaseURL: "https://api.cerebras.ai/v1", KeyEnv: "CEREBRAS_API_KEY", KeyNeeded: true, Strict: true, Refuses: anthropics},
		{Name: "nvidia_nim", BaseURL: "https://integrate.api.nvidia.com/v1", KeyEnv: "NVIDIA_NIM_API_KEY", KeyNeeded: true, Strict: true, Refuses: anthropics},
		{Name: "ollama", BaseURL: "http://127.0.0.1:11434/v1", BaseEnv: "OLLAMA_API_BASE", ReasoningField: "reasoning"},
		{Name: "lm_studio", BaseURL: "http://127.0.0.1:1234/v1", BaseEnv: "LM_STUDIO_API_BASE", TopK: true},
		{Name: "lmstudio", BaseURL: "http://127.0.0.1:1234/v1", BaseEnv: "LM_STUDIO_API_BASE", TopK: true},
		{Name: "hosted_vllm", BaseEnv: "HOSTED_VLLM_API_BASE", TopK: true, ReasoningField: "reasoning"},
		{Name: "vllm", BaseURL: "http://127.0.0.1:8000/v1", TopK: true, ReasoningField: "reasoning"},
		{Name: "litellm_proxy", KeyEnv: "LITELLM_PROXY_API_KEY", BaseEnv: "LITELLM_PROXY_API_BASE",
			CacheMarks: true, ReasoningField: "reasoning_content", LiteLLM: true, TopK: true, Metadata: true},
		{Name: "custom_openai", TopK: true, Metadata: true},
		{Name: Generic, TopK: true, Metadata: true},
	}
}

// Generic is the row for a server that no other row names.
const Generic = "openai_compatible"

// RowOf finds a row by name; ok is false for the name of none.
func RowOf(name string) (row Row, ok bool) {
	for _, r := range Rows() {
		if r.Name == name {
			return r, true
		}
	}
	return Row{}, false
}

// elsewhere is OpenAI's row for another server: "openai" with a base URL is how LiteLLM's configurations name any
// compatible one. It need not know OpenAI's newest parameters, nor have keys.
func elsewhere(r Row) Row {
	r.KeyNeeded, r.CompletionLimit, r.TopK = false, false, true
	r.Refuses = []string{"thinking", "output_config"}
	return r
}

func (r *Row) systemRole() string {
	if r.SystemRole == "" {
		return "system"
	}
	return r.SystemRole
}
