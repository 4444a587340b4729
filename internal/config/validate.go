package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// Validate returns all problems, each with the path of the setting.
func (c *Config) Validate() []Problem {
	v := &validator{}
	v.server(c.Server)
	v.log(c.Log)
	for i := range c.Models {
		v.model(fmt.Sprintf("models[%d]", i), &c.Models[i])
	}
	v.routing(c.Routing)
	v.email(c.Email)
	for i, p := range c.Network.PrivateTargets {
		if _, err := ParsePrefix(p); err != nil {
			v.add(fmt.Sprintf("network.private_targets[%d]", i), "%q is not an address or network", p)
		}
	}
	for i, f := range c.Export.Folders {
		if !filepath.IsAbs(f) {
			v.add(fmt.Sprintf("export.folders[%d]", i), "%q is not an absolute path", f)
		}
	}
	if k := c.Admin.MasterKey.Reveal(); k != "" && !strings.HasPrefix(k, "sk-") {
		v.add("admin.master_key", "must start with sk-")
	}
	teams := map[string]bool{}
	for i, t := range c.Teams {
		p := fmt.Sprintf("teams[%d]", i)
		if t.ID == "" {
			v.add(p+".id", "is required")
		}
		teams[t.ID] = true
		v.period(p+".budget_period", t.BudgetPeriod)
	}
	for i, k := range c.Keys {
		v.key(fmt.Sprintf("keys[%d]", i), k, teams)
	}
	if c.Data == "" {
		v.add("data", "must name a folder")
	}
	if c.Recording.RetentionDays < 0 {
		v.add("recording.retention_days", "must not be negative")
	}
	v.telemetry(c.Telemetry)
	v.ingest(c.Ingest)
	if c.Recording.Queue < 1 {
		v.add("recording.queue", "must be at least 1")
	}
	return v.problems
}

func (v *validator) ingest(i Ingest) {
	if i.MaxRequest < 1<<20 {
		v.add("ingest.max_request", "must be at least 1MiB")
	}
	if i.MaxSpans < 1 {
		v.add("ingest.max_spans", "must be at least 1")
	}
	if i.MaxBytes < 1<<20 {
		v.add("ingest.max_bytes", "must be at least 1MiB")
	}
	if i.MetricDays < 1 {
		v.add("ingest.metric_days", "must be at least 1")
	}
}

func (v *validator) telemetry(t Telemetry) {
	if t.SampleRatio < 0 || t.SampleRatio > 1 {
		v.add("telemetry.sample_ratio", "must be between 0 and 1")
	}
	if t.Endpoint == "" {
		return
	}
	if u, err := url.Parse(t.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		v.add("telemetry.endpoint", "must be a URL such as http://collector.example.com:4318")
	}
}

// unknownProviders are models of providers that this build does not have.
func (c *Config) unknownProviders(known []string) []Problem {
	v := &validator{}
	for i, m := range c.Models {
		if len(known) > 0 && m.Provider != "" && !slices.Contains(known, m.Provider) {
			v.add(fmt.Sprintf("models[%d].provider", i), "%q is not a provider; use one of %s", m.Provider, strings.Join(known, ", "))
		}
	}
	return v.problems
}

// liteLLMPath is where a problem of a model stands in LiteLLM's file, whose model names the provider too.
func liteLLMPath(path string) string {
	rest, ok := strings.CutPrefix(path, "models[")
	if !ok {
		return path
	}
	i, field, _ := strings.Cut(rest, "]")
	if field == ".name" {
		return "model_list[" + i + "].model_name"
	}
	return "model_list[" + i + "].litellm_params.model"
}

type validator struct{ problems []Problem }

func (v *validator) add(path, format string, args ...any) {
	v.problems = append(v.problems, Problem{Path: path, Msg: fmt.Sprintf(format, args...)})
}

func (v *validator) server(s Server) {
	if len(s.Listen) == 0 {
		v.add("server.listen", "needs at least one address")
	}
	for i, a := range s.Listen {
		if _, _, err := net.SplitHostPort(a); err != nil {
			v.add(fmt.Sprintf("server.listen[%d]", i), "%q is not host:port", a)
		}
	}
	if s.PublicURL != "" {
		v.url("server.public_url", s.PublicURL)
	}
	if s.BasePath != "" && !strings.HasPrefix(s.BasePath, "/") {
		v.add("server.base_path", "must start with /")
	}
	for i, p := range s.TrustedProxies {
		if _, err := ParsePrefix(p); err != nil {
			v.add(fmt.Sprintf("server.trusted_proxies[%d]", i), "%q is not an address or network", p)
		}
	}
	if s.MaxBody < 1<<10 {
		v.add("server.max_body", "must be at least 1KiB")
	}
	if _, _, err := net.SplitHostPort(s.OTLPGRPC); s.OTLPGRPC != "" && err != nil {
		v.add("server.otlp_grpc", "must be host:port, or empty")
	}
	if s.MaxInFlight < s.MaxBody {
		v.add("server.max_in_flight", "must not be below server.max_body")
	}
	if s.Role != "all" {
		v.add("server.role", "%q is not a role this version has; use all", s.Role)
	}
	if s.Local {
		for i, a := range s.Listen {
			if !IsLoopback(a) {
				v.add(fmt.Sprintf("server.listen[%d]", i), "server.local is only for loopback addresses, not %s", a)
			}
		}
	}
}

func (v *validator) email(e Email) {
	if !slices.Contains([]string{"starttls", "implicit", "none"}, e.TLS) {
		v.add("email.tls", "%q is not one of starttls, implicit and none", e.TLS)
	}
	if e.Host == "" {
		return
	}
	if _, err := mail.ParseAddress(e.From); err != nil {
		v.add("email.from", "must be an e-mail address")
	}
	if e.Port < 0 || e.Port > 65535 {
		v.add("email.port", "%d is not a port", e.Port)
	}
}

// ParsePrefix reads "10.0.0.0/8" or a lone address.
func ParsePrefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// IsLoopback reports whether a listen address can only be reached from this machine.
func IsLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Levels are the names of log levels.
var Levels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

func (v *validator) log(l Log) {
	if _, ok := Levels[l.Level]; !ok {
		v.add("log.level", "%q is not one of debug, info, warn, error", l.Level)
	}
	if l.Format != "text" && l.Format != "json" {
		v.add("log.format", "%q is not one of text, json", l.Format)
	}
	for name, level := range l.Components {
		if _, ok := Levels[level]; !ok {
			v.add("log.components."+name, "%q is not one of debug, info, warn, error", level)
		}
	}
}

func (v *validator) model(path string, m *Model) {
	if m.Name == "" {
		v.add(path+".name", "is required")
	}
	if strings.Count(m.Name, "*") > 1 {
		v.add(path+".name", "may hold one * at most")
	}
	if m.Provider == "" {
		v.add(path+".provider", "is required")
	}
	if m.Model == "" {
		m.Model = m.Name
	}
	if strings.Contains(m.Model, "*") && !strings.Contains(m.Name, "*") {
		v.add(path+".model", "has a * although name has none")
	}
	if m.BaseURL != "" {
		v.url(path+".base_url", m.BaseURL)
	}
	if m.Weight < 0 {
		v.add(path+".weight", "must not be negative")
	}
	if p := m.Prices; p != nil && slices.Min([]float64{p.Input, p.Output, p.CacheRead, p.CacheWrite, p.CacheWrite1h}) < 0 {
		v.add(path+".prices", "must not be negative")
	}
	if m.AWS.AccessKeyID != "" && m.AWS.SecretAccessKey == "" {
		v.add(path+".aws.secret_access_key", "is required with access_key_id")
	}
}

func (v *validator) routing(r Routing) {
	if r.Retries < 0 || r.Retries > 20 {
		v.add("routing.retries", "must be between 0 and 20")
	}
	if r.Deadline <= 0 {
		v.add("routing.deadline", "must be positive")
	}
	if r.FailsToCool < 1 {
		v.add("routing.fails_to_cool", "must be at least 1")
	}
	if r.ReserveOutput < 0 {
		v.add("routing.reserve_output", "must not be negative")
	}
}

func (v *validator) key(path string, k Key, teams map[string]bool) {
	if !strings.HasPrefix(k.Key.Reveal(), "sk-") || len(k.Key) < 8 {
		v.add(path+".key", "must start with sk- and have at least 8 characters")
	}
	if k.Team != "" && !teams[k.Team] {
		v.add(path+".team", "team %q is not defined under teams", k.Team)
	}
	if k.MaxBudgetUSD != nil && *k.MaxBudgetUSD < 0 {
		v.add(path+".max_budget_usd", "must not be negative")
	}
	v.period(path+".budget_period", k.BudgetPeriod)
}

func (v *validator) period(path, p string) {
	if p == "" {
		return
	}
	digits := strings.TrimRight(p, "smhdwo")
	unit := p[len(digits):]
	if digits == "" || strings.Trim(digits, "0123456789") != "" || !slices.Contains([]string{"s", "m", "h", "d", "w", "mo"}, unit) {
		v.add(path, "%q is not a period such as 1d, 7d, 30d or 1mo", p)
	}
}

func (v *validator) url(path, s string) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		v.add(path, "%q is not an http(s) URL", s)
	}
}
