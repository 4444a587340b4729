package catalog

import (
	"regexp"
	"strconv"
	"strings"
)

// Lookup finds what is known of an upstream model. provider is Weir's name of it ("openai", "anthropic", "bedrock" or a
// row of the compatible ones), model the upstream's own id. An unknown model still gets the quirks its name implies.
func Lookup(provider, model string) Model {
	b := embedded()
	for _, id := range candidates(provider, model) {
		if m, ok := b.model(id); ok {
			m.Quirks = quirks(provider, id, b.Models[id].Flags)
			m.ID = model
			return m
		}
	}
	return Model{ID: model, Provider: provider, Mode: "chat", Quirks: quirks(provider, model, "")}
}

// regions are prefixes of Bedrock's inference profiles. Some carry their own price, so they are tried first.
var regions = []string{"us.", "eu.", "apac.", "global.", "jp.", "au.", "ca.", "us-gov.", "sa."}

// aliases are names of providers in the book that differ from Weir's.
var aliases = map[string]string{"together": "together_ai", "fireworks": "fireworks_ai", "bedrock": "bedrock", "google": "gemini"}

// candidates are names to try in the book, most specific first.
func candidates(provider, model string) []string {
	if i := strings.LastIndexByte(model, '/'); strings.HasPrefix(model, "arn:") && i >= 0 {
		model = model[i+1:]
	}
	model = strings.TrimPrefix(strings.TrimPrefix(model, "converse/"), "invoke/")
	out := []string{}
	add := func(m string) {
		out = append(out, m)
		if p := provider; p != "" {
			out = append(out, p+"/"+m)
			if a, ok := aliases[p]; ok && a != p {
				out = append(out, a+"/"+m)
			}
		}
	}
	add(model)
	if head, rest, ok := strings.Cut(model, "/"); ok && (head == provider || head == aliases[provider]) {
		model = rest // "bedrock/us.anthropic.…", as LiteLLM's base_model is written
		add(model)
	}
	bare := model
	for _, r := range regions {
		if rest, ok := strings.CutPrefix(model, r); ok {
			bare = rest
			add(bare)
		}
	}
	if base := undated(bare); base != bare {
		add(base)
	}
	if provider == "bedrock" && !strings.Contains(bare, ".") {
		add("anthropic." + bare) // a short name as some configurations write it
	}
	return out
}

// dated are suffixes that pin a version: "-v1:0", "-20250929-v1:0", "@20250929", "-2024-08-06", ":latest".
var dated = regexp.MustCompile(`(-v\d+(:\d+)?|:\d+|@(\d{8}|default)|-\d{8}|-\d{4}-\d{2}-\d{2}|:latest|-latest)$`)

func undated(m string) string {
	for {
		next := dated.ReplaceAllString(m, "")
		if next == m {
			return m
		}
		m = next
	}
}

// claudeVersion reads family and version from ids such as "claude-opus-4-1-20250805" or "anthropic.claude-sonnet-4-5-…".
var claudeVersion = regexp.MustCompile(`claude-(?:(?:opus|sonnet|haiku|fable|mythos)-)?(\d{1,2})(?:[-.](\d{1,2}))?(?:\D|$)`)

// quirks are derived from the book's flags and, where those are silent, from name and version.
func quirks(provider, id, flags string) Quirks {
	q := Quirks{Claude: strings.Contains(id, "claude")}
	if !q.Claude {
		q.CompletionLimit = provider == "openai" && openAIReasoning.MatchString(id)
		q.NoSampling = q.CompletionLimit
		// On Bedrock the book's "s" says that a forced tool can stand in; only "S" is outputConfig.
		q.NativeSchema = strings.Contains(flags, "S") || provider != "bedrock" && strings.Contains(flags, "s")
		return q
	}
	v := versionOf(id)
	q.OneOfTempTopP = v >= 401
	q.NoSampling = strings.Contains(flags, "N") || v >= 407
	q.Adaptive = strings.Contains(flags, "A") || v >= 406
	q.CacheTTL1h = v >= 405
	q.NativeSchema = strings.Contains(flags, "S")
	return q
}

var openAIReasoning = regexp.MustCompile(`^(openai/)?(o\d|gpt-5)`)

// versionOf is major*100+minor of a Claude model, 0 if the name does not tell.
func versionOf(id string) int {
	m := claudeVersion.FindStringSubmatch(id)
	if m == nil {
		return 0
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	return major*100 + minor
}

// ChatModels are the ids in the book that a provider serves for chat, as the provider names them, sorted. Regional
// duplicates of Bedrock (prices of one region) are left out.
func ChatModels(provider string) []string {
	b := embedded()
	var out []string
	for _, id := range IDs() {
		e := b.Models[id]
		if e.Mode != "" || !serves(provider, e.Provider) {
			continue
		}
		name := id
		if head, rest, ok := strings.Cut(id, "/"); ok {
			if head == "bedrock" || strings.Contains(rest, "/") && provider == "bedrock" {
				continue
			}
			if head == e.Provider || head == provider {
				name = rest
			}
		}
		out = append(out, name)
	}
	return out
}

// bedrockID is how Bedrock names models: ARNs, and "vendor.model" with an inference profile's region before it.
var bedrockID = regexp.MustCompile(`^arn:aws[a-z-]*:bedrock:|^((us|eu|apac|global|jp|au|ca|sa|us-gov)\.)?(amazon|anthropic|meta|mistral|openai|deepseek|qwen|cohere|ai21|moonshot|minimax|nvidia|google|writer|zai)\.[a-z0-9]`)

// Serves reports whether a provider is the natural home of a model named without its provider, so that "bedrock/*" can
// answer to "us.anthropic.claude-…" and "anthropic/*" to "claude-…", as coding agents write them. Models newer than the
// book are known by the form of their names.
func Serves(provider, model string) bool {
	switch {
	case bedrockID.MatchString(model):
		return provider == "bedrock"
	case strings.HasPrefix(model, "claude-"):
		return provider == "anthropic"
	}
	e, ok := embedded().Models[model]
	if !ok {
		return provider == "openai" && openAIName.MatchString(model)
	}
	return provider != "bedrock" && serves(provider, e.Provider)
}

var openAIName = regexp.MustCompile(`^(gpt-|chatgpt-|o\d($|-))`)

func serves(provider, inBook string) bool {
	if provider == "bedrock" {
		return inBook == "bedrock" || inBook == "bedrock_converse"
	}
	return inBook == provider || inBook == aliases[provider]
}
