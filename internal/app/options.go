package app

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"weir/internal/config"
)

// Options are what the command line says. Empty values leave the configuration as it is.
type Options struct {
	ConfigFile     string
	Data           string
	Listen         []string
	Role           string
	Local          bool
	Demo           bool
	PublicURL      string
	BasePath       string
	AllowedHosts   []string
	TrustedProxies []string
	MaxBody        string
	LogLevels      []string
	LogFormat      string
	Env            config.Lookup
	Out, Err       io.Writer
}

// Quiet is an error whose explanation has been printed already.
type Quiet struct{ error }

// load reads the configuration with the flags on top.
func (o Options) load() (config.Config, []config.Warning, error) {
	c, warnings, err := config.Load(o.ConfigFile, o.Env, slices.Sorted(maps.Keys(factories()))...)
	if err != nil {
		return c, warnings, err
	}
	if err := o.apply(&c); err != nil {
		return c, warnings, err
	}
	var errs []error
	for _, p := range c.Validate() {
		p.File = "command line"
		errs = append(errs, p)
	}
	return c, warnings, errors.Join(errs...)
}

func (o Options) apply(c *config.Config) error {
	s := &c.Server
	set(&c.Data, o.Data)
	set(&s.Role, o.Role)
	set(&s.PublicURL, o.PublicURL)
	set(&s.BasePath, o.BasePath)
	set(&c.Log.Format, o.LogFormat)
	if len(o.Listen) > 0 {
		s.Listen = o.Listen
	}
	s.AllowedHosts = append(s.AllowedHosts, split(o.AllowedHosts)...)
	s.TrustedProxies = append(s.TrustedProxies, split(o.TrustedProxies)...)
	s.Local = s.Local || o.Local || o.Demo
	if o.MaxBody != "" {
		if err := s.MaxBody.UnmarshalText([]byte(o.MaxBody)); err != nil {
			return fmt.Errorf("--max-body: %w", err)
		}
		s.MaxInFlight = max(s.MaxInFlight, s.MaxBody)
	}
	for _, l := range split(o.LogLevels) {
		component, level, ok := strings.Cut(l, "=")
		if !ok {
			c.Log.Level = l
			continue
		}
		if c.Log.Components == nil {
			c.Log.Components = map[string]string{}
		}
		c.Log.Components[component] = level
	}
	return nil
}

func set(dst *string, v string) {
	if v != "" {
		*dst = v
	}
}

// split takes values given as several flags or as one with commas.
func split(values []string) []string {
	var out []string
	for _, v := range values {
		for _, s := range strings.Split(v, ",") {
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
	}
	return out
}
