package app

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"weir/internal/catalog"
	"weir/internal/config"
	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/money"
	"weir/internal/tenant"
)

// providers turns configured models into deployments. factories are the providers this build has, by name.
type providers struct {
	factories map[string]gateway.Factory
	http      *http.Client
	log       *slog.Logger
}

// table builds the gateway's table from a configuration, or tells all models that cannot be built.
func (p *providers) table(c *config.Config) (*gateway.Table, error) {
	var out []*gateway.Deployment
	var errs []error
	for i := range c.Models {
		d, err := p.deployment(&c.Models[i])
		if err != nil && c.Models[i].Found() {
			p.log.Warn("models left out, although their provider's variables are set", "models", c.Models[i].Name, "error", err)
			continue
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("models[%d] (%s): %w", i, c.Models[i].Name, err))
			continue
		}
		out = append(out, d)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return gateway.NewTable(out, policy(c.Routing)), nil
}

func (p *providers) deployment(m *config.Model) (*gateway.Deployment, error) {
	factory, ok := p.factories[m.Provider]
	if !ok {
		return nil, fmt.Errorf("no provider %q", m.Provider)
	}
	t := gateway.Target{
		Provider: m.Provider, Model: m.Model, BaseModel: m.BaseModel, BaseURL: strings.TrimRight(m.BaseURL, "/"), APIKey: m.APIKey,
		Headers: m.Headers, Timeout: m.Timeout.D(),
		AWS: gateway.AWS{
			Region: m.AWS.Region, AccessKeyID: m.AWS.AccessKeyID, SecretAccessKey: m.AWS.SecretAccessKey, SessionToken: m.AWS.SessionToken,
			Profile: m.AWS.Profile, RoleARN: m.AWS.RoleARN, RoleSessionName: m.AWS.RoleSessionName, ExternalID: m.AWS.ExternalID,
			WebIdentityToken: m.AWS.WebIdentity, STSEndpoint: m.AWS.STSEndpoint, BearerToken: m.AWS.BearerToken,
		},
	}
	up, err := factory(t, gateway.Env{HTTP: p.http, Log: p.log})
	if err != nil {
		return nil, err
	}
	return &gateway.Deployment{
		ID: deploymentID(m), Group: m.Name, Target: t, Model: describeModel(m), Upstream: up, Weight: m.Weight, Timeout: m.Timeout.D(),
		Drop: m.DropParams, Cache: m.CachePoint, Origin: tenant.FromFile, Info: m.Info,
	}, nil
}

// resolver builds the deployment that a pattern stands for.
func (p *providers) resolver(current func() *config.Config) func(*gateway.Deployment, string) (*gateway.Deployment, error) {
	return func(pattern *gateway.Deployment, star string) (*gateway.Deployment, error) {
		for i := range current().Models {
			m := current().Models[i]
			if deploymentID(&m) != pattern.ID {
				continue
			}
			m.Model = strings.Replace(m.Model, "*", star, 1)
			m.Name = strings.Replace(m.Name, "*", star, 1)
			m.Info = nil
			d, err := p.deployment(&m)
			if err != nil {
				return nil, fault.Wrap(fault.ModelNotFound, err, "The model `%s` does not exist or is not configured", m.Name)
			}
			return d, nil
		}
		return nil, fault.New(fault.ModelNotFound, "The model is no longer configured")
	}
}

// describeModel is the catalog's knowledge with the configuration's on top.
func describeModel(m *config.Model) catalog.Model {
	name := m.Model
	if m.BaseModel != "" {
		name = m.BaseModel
	}
	out := catalog.Lookup(m.Provider, name)
	if m.MaxInput > 0 {
		out.MaxInput = m.MaxInput
	}
	if m.MaxOutput > 0 {
		out.MaxOutput = m.MaxOutput
	}
	if p := m.Prices; p != nil {
		perToken := func(mtok float64) money.Rate { return money.RateFromUSD(mtok / 1e6) }
		out.Prices = catalog.Prices{
			Input: perToken(p.Input), Output: perToken(p.Output), CacheRead: perToken(p.CacheRead), CacheWrite: perToken(p.CacheWrite),
			CacheWrite1h: perToken(p.CacheWrite1h), Book: "config",
		}
		out.Known = true
	}
	return out
}

// deploymentID is stable while the way to the model is: name, provider, model and place, not secrets or weights. An id
// from LiteLLM's model_info wins.
func deploymentID(m *config.Model) string {
	if id, ok := m.Info["id"].(string); ok && id != "" {
		return id
	}
	h := sha256.Sum256(jsonx.MustMarshal([]string{m.Name, m.Provider, m.Model, m.BaseURL, m.AWS.Region, m.AWS.RoleARN, m.AWS.Profile, m.AWS.AccessKeyID}))
	return hex.EncodeToString(h[:8])
}

func policy(r config.Routing) gateway.Policy {
	return gateway.Policy{
		Retries: r.Retries, Deadline: r.Deadline.D(), Hold: r.Hold.D(), MaxWait: r.MaxWait.D(), FailsToCool: r.FailsToCool, Cooldown: r.Cooldown.D(),
		Fallbacks: r.Fallbacks, ContextFallbacks: r.ContextFallbacks, ContentFallbacks: r.ContentFallbacks, DefaultFallbacks: r.DefaultFallbacks,
		Aliases: r.Aliases, Drop: r.DropParams, ReserveOutput: r.ReserveOutput,
	}
}
