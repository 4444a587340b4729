package gateway

import (
	"slices"

	"weir/internal/llm"
)

// cachePoints says whether requests without cache marks are given some. Claude caches nothing without marks, and the
// newer agents on the OpenAI wire send none.
func (d *Deployment) cachePoints() bool {
	if d.Cache != nil {
		return *d.Cache
	}
	return d.Model.Quirks.Claude && (d.Model.Abilities.Caching || !d.Model.Known)
}

// addCachePoints marks the end of the tools, the end of the system text and the last two user turns: the prefix that
// the next call of an agent will share, and the one the last call shared. A request with marks of its own is left
// alone. The slices of r are replaced, never written to: they are shared with other attempts.
func addCachePoints(r *llm.Request) {
	if hasMarks(r) {
		return
	}
	mark := &llm.CacheMark{}
	if n := len(r.Tools); n > 0 && r.Tools[n-1].Native == nil {
		r.Tools = slices.Clone(r.Tools)
		r.Tools[n-1].Cache = mark
	}
	if n := len(r.System); n > 0 {
		r.System = slices.Clone(r.System)
		r.System[n-1].Cache = mark
	}
	r.Messages = slices.Clone(r.Messages)
	left := 2
	for i := len(r.Messages) - 1; i >= 0 && left > 0; i-- {
		m := &r.Messages[i]
		if m.Role != llm.User || len(m.Parts) == 0 {
			continue
		}
		m.Parts = slices.Clone(m.Parts)
		m.Parts[len(m.Parts)-1].Cache = mark
		left--
		for i > 0 && r.Messages[i-1].Role == llm.User { // one turn may be several messages (tool results)
			i--
		}
	}
}

func hasMarks(r *llm.Request) bool {
	for _, t := range r.Tools {
		if t.Cache != nil {
			return true
		}
	}
	if anyMarked(r.System) {
		return true
	}
	for _, m := range r.Messages {
		if anyMarked(m.Parts) {
			return true
		}
	}
	return false
}

func anyMarked(parts []llm.Part) bool {
	return slices.ContainsFunc(parts, func(p llm.Part) bool { return p.Cache != nil })
}
