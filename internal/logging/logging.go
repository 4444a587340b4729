// Package logging makes one logger per component, whose levels can be changed while the program runs.
package logging

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Components are the parts of Weir with a level of their own.
var Components = []string{"app", "auth", "edge", "gateway", "index", "ingest", "store", "upstream"}

// Root holds the handler and the level of each component.
type Root struct {
	handler slog.Handler
	base    slog.LevelVar

	mu     sync.Mutex
	levels map[string]*level
	errors map[string]*atomic.Int64 // logged so far, by component
}

// level is a component's own level, or the base level while it has none.
type level struct {
	own  slog.LevelVar
	set  bool
	base *slog.LevelVar
	mu   *sync.Mutex
}

// Level implements slog.Leveler.
func (l *level) Level() slog.Level {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.set {
		return l.own.Level()
	}
	return l.base.Level()
}

// New writes to w as text or JSON.
func New(w io.Writer, format string) *Root {
	r := &Root{levels: map[string]*level{}, errors: map[string]*atomic.Int64{}}
	o := &slog.HandlerOptions{Level: slog.LevelDebug}
	if format == "json" {
		r.handler = slog.NewJSONHandler(w, o)
	} else {
		r.handler = slog.NewTextHandler(w, o)
	}
	for _, c := range Components {
		r.levels[c] = &level{base: &r.base, mu: &r.mu}
	}
	return r
}

// For is the logger of a component; an unknown one follows the base level.
func (r *Root) For(component string) *slog.Logger {
	var l slog.Leveler = &r.base
	if own, ok := r.levels[component]; ok {
		l = own
	}
	return slog.New(&leveled{r.handler, l, r.counter(component)}).With("component", component)
}

func (r *Root) counter(component string) *atomic.Int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.errors[component] == nil {
		r.errors[component] = new(atomic.Int64)
	}
	return r.errors[component]
}

// Errors counts what was logged as an error since the start, by component.
func (r *Root) Errors() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[string]int64, len(r.errors))
	for c, n := range r.errors {
		out[c] = n.Load()
	}
	return out
}

// Set changes a level: of one component, or of all without one of their own for component "". A nil-like level name ""
// takes a component's own level away.
func (r *Root) Set(component, name string) error {
	var v slog.Level
	if name != "" {
		if err := v.UnmarshalText([]byte(name)); err != nil {
			return fmt.Errorf("logging: %q is not a level; use debug, info, warn or error", name)
		}
	}
	if component == "" {
		r.base.Set(v)
		return nil
	}
	l, ok := r.levels[component]
	if !ok {
		return fmt.Errorf("logging: no component %q; there are %s", component, strings.Join(Components, ", "))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l.set = name != ""
	l.own.Set(v)
	return nil
}

// Levels are the levels in force, by component.
func (r *Root) Levels() map[string]string {
	out := map[string]string{}
	for _, c := range slices.Sorted(maps.Keys(r.levels)) {
		out[c] = strings.ToLower(r.levels[c].Level().String())
	}
	return out
}
