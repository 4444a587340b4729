package bedrock

import (
	"slices"

	"weir/internal/llm"
	wire "weir/internal/wire/bedrock"
)

// maxCachePoints is how many the service takes in one request.
const maxCachePoints = 4

// cachePoint translates a mark, or returns nil where there is none or the model cannot cache.
func (e *encoder) cachePoint(m *llm.CacheMark) *wire.CachePoint {
	if m == nil || !e.model.Abilities.Caching && (e.model.Known || e.family != claude) {
		return nil
	}
	c := &wire.CachePoint{Type: "default"}
	if m.TTL == "1h" && e.model.Quirks.CacheTTL1h {
		c.TTL = m.TTL
	}
	return c
}

// limitCachePoints enforces the number of points and that lifetimes do not grow from tools over system to messages.
// Of too many, the earliest in the messages go: those of tools and system serve every call, the last ones the next.
func (e *encoder) limitCachePoints() {
	all, fixed := e.cachePoints()
	if over := len(all) - maxCachePoints; over > 0 {
		from := min(fixed, maxCachePoints-1)
		for _, c := range all[from : from+over] {
			c.Type = ""
		}
		all = slices.Delete(all, from, from+over)
		e.removeUnmarked()
	}
	short := false
	for _, c := range all {
		if short {
			c.TTL = ""
		}
		short = short || c.TTL != "1h"
	}
}

// cachePoints lists all points in the order the service caches; the first fixed ones are those of tools and system.
func (e *encoder) cachePoints() (all []*wire.CachePoint, fixed int) {
	add := func(c *wire.CachePoint) {
		if c != nil {
			all = append(all, c)
		}
	}
	if e.out.ToolConfig != nil {
		for _, t := range e.out.ToolConfig.Tools {
			add(t.CachePoint)
		}
	}
	for _, s := range e.out.System {
		add(s.CachePoint)
	}
	fixed = len(all)
	for _, m := range e.out.Messages {
		for _, b := range m.Content {
			add(b.CachePoint)
		}
	}
	return all, fixed
}

// removeUnmarked takes out the points whose type limitCachePoints has cleared.
func (e *encoder) removeUnmarked() {
	gone := func(c *wire.CachePoint) bool { return c != nil && c.Type == "" }
	if c := e.out.ToolConfig; c != nil {
		c.Tools = slices.DeleteFunc(c.Tools, func(t wire.Tool) bool { return gone(t.CachePoint) })
	}
	e.out.System = slices.DeleteFunc(e.out.System, func(s wire.SystemBlock) bool { return gone(s.CachePoint) })
	for i := range e.out.Messages {
		m := &e.out.Messages[i]
		m.Content = slices.DeleteFunc(m.Content, func(b wire.ContentBlock) bool { return gone(b.CachePoint) })
	}
}
