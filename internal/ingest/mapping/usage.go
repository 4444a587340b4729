package mapping

import (
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
)

// usage fills in tokens and cost. Most conventions count cached tokens as input; Usage does not.
func (m *mapper) usage() {
	s := m.s
	s.Usage = m.counts()
	for _, h := range m.hits {
		switch h.r.field {
		case fUsage:
			if v, ok := jsonOf(m.value(h)); ok && (s.Usage.IsZero() || h.r.from == m.own) {
				s.Usage = usageOf(v, h.r.from)
			}
		case fCosts:
			if v, ok := jsonOf(m.value(h)); ok {
				s.Cost = costOf(v)
			}
		}
	}
	if s.Cost.Source == "" {
		m.cost()
	}
	s.Covered = m.aggregates() && (!s.Usage.IsZero() || s.Cost.Source != "")
}

// aggregates reports that by its convention a span of this kind repeats what spans below it report.
func (m *mapper) aggregates() bool {
	switch m.own {
	case vercel, pydantic:
	case genAI:
		if m.raw.Kind == "client" { // a remote agent: what it does inside is not told
			return false
		}
	default:
		return false
	}
	return m.s.Kind == span.Agent || m.s.Kind == span.Chain
}

func (m *mapper) count(f field) (int64, bool) {
	if v, ok := m.get(f); ok {
		return countOf(v)
	}
	return 0, false
}

func (m *mapper) counts() (u llm.Usage) {
	in, hasIn := m.count(fInputTokens)
	u.Output, _ = m.count(fOutputTokens)
	if total, ok := m.count(fTotalTokens); ok && !hasIn {
		in = max(total-u.Output, 0)
	}
	u.CacheRead, _ = m.count(fCacheRead)
	u.CacheWrite, _ = m.count(fCacheWrite)
	u.Reasoning, _ = m.count(fReasoning)
	u.AudioInput, _ = m.count(fAudioIn)
	u.AudioOutput, _ = m.count(fAudioOut)
	if n, ok := m.count(fUncached); ok {
		u.Input = n
	} else {
		u.Input = uncached(in, u.CacheRead+u.CacheWrite, m.own == vercel && m.s.Provider == "anthropic" || m.own == vercel && m.s.Provider == "bedrock")
	}
	return u
}

// uncached takes cached tokens out of a count of input, unless the count leaves them out already: as Anthropic's own
// figures do, and any that is smaller than they are.
func uncached(in, cached int64, without bool) int64 {
	if without || in < cached {
		return in
	}
	return in - cached
}

// usageOf reads counts by name: Langfuse's usage details, OpenAI's usage, or MLflow's. Langfuse's buckets do not overlap;
// those of the others are parts of input and output.
func usageOf(v gjson.Result, from dialect) (u llm.Usage) {
	openAI := v.Get("prompt_tokens").Exists() || v.Get("input_tokens").Exists()
	var in, out, total, extra int64
	add := func(k, e gjson.Result) {
		n, ok := countOf(e.Num)
		if !ok || e.Type != gjson.Number {
			return
		}
		switch name := k.Str; {
		case name == "input" || name == "input_tokens" || name == "prompt_tokens" || name == "promptTokens":
			in = n
		case name == "output" || name == "output_tokens" || name == "completion_tokens" || name == "completionTokens":
			out = n
		case name == "total" || name == "total_tokens" || name == "totalTokens":
			total = n
		case strings.Contains(name, "cache") && strings.Contains(name, "1h"):
			u.CacheWrite1h += n
		case strings.Contains(name, "cache") && (strings.Contains(name, "creation") || strings.Contains(name, "write")):
			u.CacheWrite += n
		case strings.Contains(name, "cache"):
			u.CacheRead += n
		case strings.Contains(name, "reasoning"):
			u.Reasoning += n
			extra += n
		case strings.Contains(name, "audio") && (strings.Contains(name, "input") || strings.Contains(name, "prompt")):
			u.AudioInput += n
		case strings.Contains(name, "audio"):
			u.AudioOutput += n
			extra += n
		case strings.HasPrefix(name, "output_"):
			extra += n
		}
	}
	v.ForEach(func(k, e gjson.Result) bool {
		add(k, e)
		if e.IsObject() { // prompt_tokens_details and the like: parts, whatever the outer convention
			e.ForEach(func(inner, n gjson.Result) bool {
				add(gjson.Result{Str: strings.Split(k.Str, "_")[0] + "_" + inner.Str}, n)
				return true
			})
		}
		return true
	})
	if in == 0 && out == 0 && u.Prompt() == 0 {
		in = total
	}
	cached := u.CacheRead + u.CacheWrite + u.CacheWrite1h
	if from == langfuse && !openAI {
		u.Input, u.Output = in+u.AudioInput, out+extra
		return u
	}
	u.Input, u.Output = uncached(in, cached, cached > 0 && total == in+out+cached), out
	return u
}

func (m *mapper) cost() {
	var c span.Cost
	var ok [3]bool
	for i, f := range []struct {
		field field
		to    *money.Nano
	}{{fCost, &c.Total}, {fCostIn, &c.Input}, {fCostOut, &c.Output}} {
		if v, has := m.get(f.field); has {
			*f.to, ok[i] = usdOf(v)
		}
	}
	if !ok[0] && !ok[1] && !ok[2] {
		return
	}
	if !ok[0] {
		c.Total = c.Input + c.Output
	}
	c.Source = span.CostClient
	m.s.Cost = c
}

// costOf reads costs by name. The total is the one given, else the sum.
func costOf(v gjson.Result) (c span.Cost) {
	var sum money.Nano
	total, given := money.Nano(0), false
	v.ForEach(func(k, e gjson.Result) bool {
		n, ok := usdOf(e.Num)
		if e.Type == gjson.String {
			n, ok = usdOf(e.Str)
		} else if e.Type != gjson.Number {
			ok = false
		}
		if !ok {
			return true
		}
		switch name := strings.TrimSuffix(k.Str, "_cost"); {
		case name == "total":
			total, given = n, true
			return true
		case strings.Contains(name, "cache") && (strings.Contains(name, "creation") || strings.Contains(name, "write")):
			c.CacheWrite += n
		case strings.Contains(name, "cache"):
			c.CacheRead += n
		case strings.HasPrefix(name, "input"), strings.HasPrefix(name, "prompt"):
			c.Input += n
		case strings.HasPrefix(name, "output"), strings.HasPrefix(name, "completion"):
			c.Output += n
		}
		sum += n
		c.Source = span.CostClient
		return true
	})
	if c.Total = sum; given {
		c.Total, c.Source = total, span.CostClient
	}
	return c
}
