package fakeupstream

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Model is what the fake knows of a model, enough to refuse what the real one refuses.
type Model struct {
	ID        string
	Context   int  // tokens of input it takes; 0 = unlimited
	MaxOutput int  // tokens it may be asked for; 0 = unlimited
	Claude    int  // version ×100 of a Claude model: 405 is 4.5; 0 = not a Claude
	Reasoning bool // an OpenAI reasoning model: max_completion_tokens only, no sampling
}

// Rules of Claude generations, from the model documentation and public issue reports.
func (m Model) thinks() bool       { return m.Claude >= 307 }
func (m Model) adaptive() bool     { return m.Claude >= 406 } // takes adaptive thinking
func (m Model) adaptiveOnly() bool { return m.Claude >= 407 } // and refuses "enabled"; 4.6 takes both
func (m Model) onePair() bool      { return m.Claude >= 401 } // temperature or top_p, not both
func (m Model) noSampling() bool   { return m.Claude >= 407 } // neither
func (m Model) hidesText() bool    { return m.Claude >= 407 } // thinking is signature-only by default
func (m Model) noPrefill() bool    { return m.Claude >= 406 }
func (m Model) midSystem() bool    { return m.Claude >= 407 } // role system between messages
func (m Model) longTTL() bool      { return m.Claude >= 405 } // 1h cache on Bedrock
func (m Model) formats() bool      { return m.Claude >= 405 } // native structured output

var (
	newClaude = regexp.MustCompile(`^claude-(opus|sonnet|haiku|fable|mythos)-(\d)(?:[-.](\d{1,2}))?(?:-(\d{8}|latest))?$`)
	oldClaude = regexp.MustCompile(`^claude-(\d)(?:[-.](\d))?-(opus|sonnet|haiku)(?:-(\d{8}|latest))?$`)
	bedrockID = regexp.MustCompile(`^(?:(us|eu|apac|jp|au|global|us-gov)\.)?(amazon|anthropic|meta|mistral|openai|deepseek|qwen|cohere)\.([a-z0-9.-]+?)(?:-v\d+)?(?::\d+k?){0,2}$`)
	openAIID  = regexp.MustCompile(`^(gpt-(3\.5|4|4o|4\.1|4\.5|5)|chatgpt-4o|o[134])([-.].*)?$|^fake(-.*)?$`)
)

// advertised are the ids of GET /v1/models.
var advertised = map[string][]string{
	"openai":    {"gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5", "o3", "fake"},
	"anthropic": {"claude-opus-4-7", "claude-sonnet-4-6", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001", "claude-3-7-sonnet-20250219"},
}

// lookup finds a model as the service of a dialect knows it.
func (s *Server) lookup(wire, id string) (Model, bool) {
	if m, ok := s.models[id]; ok {
		return m, true
	}
	m, ok := builtin(wire, id)
	if !ok && s.opt.AnyModel && id != "" {
		return Model{ID: id}, true
	}
	return m, ok
}

func builtin(wire, id string) (Model, bool) {
	switch wire {
	case "openai":
		return openAIModel(id)
	case "anthropic":
		return claudeModel(id)
	}
	return bedrockModel(id)
}

func openAIModel(id string) (Model, bool) {
	if !openAIID.MatchString(id) {
		return Model{}, false
	}
	m := Model{ID: id, Context: 128_000, MaxOutput: 16_384}
	if id[0] == 'o' || strings.HasPrefix(id, "gpt-5") && !strings.Contains(id, "chat") {
		m.Reasoning, m.Context, m.MaxOutput = true, 272_000, 128_000
	}
	if strings.HasPrefix(id, "gpt-4.1") {
		m.Context, m.MaxOutput = 1_047_576, 32_768
	}
	return m, true
}

func claudeModel(id string) (Model, bool) {
	major, minor := "", ""
	if p := newClaude.FindStringSubmatch(id); p != nil {
		major, minor = p[2], p[3]
	} else if p := oldClaude.FindStringSubmatch(id); p != nil {
		major, minor = p[1], p[2]
	} else {
		return Model{}, false
	}
	x, _ := strconv.Atoi(major)
	y, _ := strconv.Atoi(minor)
	v := x*100 + y
	return Model{ID: id, Claude: v, Context: 200_000, MaxOutput: claudeOutput(id, v)}, true
}

func claudeOutput(id string, v int) int {
	switch {
	case v < 305:
		return 4096
	case v < 307:
		return 8192
	case strings.Contains(id, "opus") && v < 405:
		return 32_000
	case v >= 406 && strings.Contains(id, "opus"):
		return 128_000
	}
	return 64_000
}

// bedrockModel takes foundation model ids, inference profiles, and ARNs whose last part is either. The profile id of
// an application-inference-profile ARN hides the model; the fake treats it as Claude Sonnet 4.5.
func bedrockModel(id string) (Model, bool) {
	if strings.HasPrefix(id, "arn:aws") {
		i := strings.LastIndexByte(id, '/')
		if i < 0 || !strings.Contains(id, ":bedrock:") {
			return Model{}, false
		}
		if strings.Contains(id, ":application-inference-profile/") {
			return Model{ID: "claude-sonnet-4-5", Claude: 405, Context: 200_000, MaxOutput: 64_000}, true
		}
		id = id[i+1:]
	}
	p := bedrockID.FindStringSubmatch(id)
	if p == nil {
		return Model{}, false
	}
	if p[2] == "anthropic" {
		return claudeModel(p[3])
	}
	return Model{ID: p[3], Context: 128_000, MaxOutput: 16_384}, true
}

// family is the model's name without dates, so that a thinking signature is valid for one model under all its names.
func (m Model) family() string {
	id := strings.TrimSuffix(m.ID, "-latest")
	if i := len(id) - 9; i > 0 && id[i] == '-' {
		if _, err := strconv.Atoi(id[i+1:]); err == nil {
			return id[:i]
		}
	}
	return id
}

func (s *Server) modelList(wire string) []byte {
	ids := slices.Clone(advertised[wire])
	for id := range s.models {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	data := make([]obj, 0, len(ids))
	for _, id := range ids {
		if wire == "anthropic" {
			data = append(data, obj{"type": "model", "id": id, "display_name": id, "created_at": "2025-09-29T00:00:00Z"})
			continue
		}
		data = append(data, obj{"id": id, "object": "model", "created": 1_700_000_000, "owned_by": "fake"})
	}
	out := obj{"object": "list", "data": data}
	if wire == "anthropic" {
		out = obj{"data": data, "has_more": false, "first_id": ids[0], "last_id": ids[len(ids)-1]}
	}
	b, _ := json.Marshal(out)
	return b
}
