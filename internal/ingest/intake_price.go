package ingest

import (
	"strings"
	"sync"
	"time"

	"weir/internal/catalog"
	"weir/internal/pricing"
	"weir/internal/span"
)

// prices puts costs on spans that have usage and none. Look-ups go through a pattern-matching catalog, so they are
// remembered for priceTTL.
type prices struct {
	model func(provider, model string) catalog.Model
	now   func() time.Time

	mu    sync.Mutex
	known map[priceKey]catalog.Prices
	until time.Time
}

type priceKey struct{ provider, model string }

// Clients name models freely, so what is remembered is bounded.
const (
	priceTTL   = 30 * time.Second
	maxPrices  = 1000
	maxModelID = 256
)

// price leaves costs alone that came with the span; a cost of unknown source is the client's.
func (p *prices) price(s *span.Span) {
	switch {
	case s.Cost.Source != "":
		return
	case s.Cost.Total != 0:
		s.Cost.Source = span.CostClient
		return
	case s.Usage.IsZero():
		return
	}
	for _, model := range [...]string{s.Model, s.Group} {
		if model == "" || len(model) > maxModelID {
			continue
		}
		if s.Cost = pricing.Of(s.Usage, p.of(priceKey{providerOf(s.Provider), model})); s.Cost.Source != span.CostUnpriced {
			return
		}
	}
	s.Cost.Source = span.CostUnpriced
}

func (p *prices) of(k priceKey) catalog.Prices {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); now.After(p.until) || len(p.known) >= maxPrices {
		p.known, p.until = map[priceKey]catalog.Prices{}, now.Add(priceTTL)
	}
	v, ok := p.known[k]
	if !ok {
		if v = p.model(k.provider, k.model).Prices; !v.Priced() && k.provider != "" {
			v = p.model("", k.model).Prices
		}
		p.known[k] = v
	}
	return v
}

// providers are names in conventions and instrumentations that differ from Weir's.
var providers = map[string]string{
	"aws.bedrock": "bedrock", "aws_bedrock": "bedrock", "amazon_bedrock": "bedrock", "amazon-bedrock": "bedrock", "aws": "bedrock",
	"bedrock_converse": "bedrock", "gcp.gemini": "gemini", "gcp.gen_ai": "gemini", "google": "gemini", "google_genai": "gemini",
	"gcp.vertex_ai": "vertex_ai", "vertexai": "vertex_ai", "azure.ai.openai": "azure", "az.ai.openai": "azure", "azure_openai": "azure",
	"azure.ai.inference": "azure_ai", "mistralai": "mistral", "mistral_ai": "mistral", "x_ai": "xai", "ibm.watsonx.ai": "watsonx",
}

// providerOf also takes what follows a dot off, as in "openai.chat" or "anthropic.messages".
func providerOf(name string) string {
	name = strings.ToLower(name)
	if p, ok := providers[name]; ok {
		return p
	}
	head, _, _ := strings.Cut(name, ".")
	if p, ok := providers[head]; ok {
		return p
	}
	return head
}
