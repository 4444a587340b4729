package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"weir/internal/catalog"
	"weir/internal/edge"
	"weir/internal/gateway"
	"weir/internal/query"
)

// ModelList is what can be called.
type ModelList struct {
	Items []ModelInfo `json:"items" nullable:"false"`
}

// ModelInfo is a model name with the deployments behind it; limits, abilities and prices are those of the first.
type ModelInfo struct {
	Name        string           `json:"name"`
	Pattern     bool             `json:"pattern" doc:"stands for many names, such as openai/*"`
	Deployments []DeploymentInfo `json:"deployments" nullable:"false"`
	MaxInput    int              `json:"max_input" doc:"tokens, 0 = not known"`
	MaxOutput   int              `json:"max_output" doc:"tokens, 0 = not known"`
	Abilities   Abilities        `json:"abilities"`
	Prices      *Prices          `json:"prices,omitempty" doc:"left out if not known"`
	Origin      string           `json:"origin"`
}

// Abilities are what a model can take or do.
type Abilities struct {
	Tools     bool `json:"tools"`
	Vision    bool `json:"vision"`
	PDF       bool `json:"pdf"`
	Audio     bool `json:"audio"`
	Schema    bool `json:"schema"`
	Reasoning bool `json:"reasoning"`
	Caching   bool `json:"caching"`
}

// Prices are dollars per million tokens; zero = not charged.
type Prices struct {
	Input        float64 `json:"input_per_mtok"`
	Output       float64 `json:"output_per_mtok"`
	CacheRead    float64 `json:"cache_read_per_mtok"`
	CacheWrite   float64 `json:"cache_write_per_mtok"`
	CacheWrite1h float64 `json:"cache_write_1h_per_mtok"`
	Book         string  `json:"book"`
}

// DeploymentInfo is one model at one provider, with the last hour of the caller's project.
type DeploymentInfo struct {
	ID        string   `json:"id"`
	Provider  string   `json:"provider"`
	Model     string   `json:"model"`
	Region    string   `json:"region"`
	BaseURL   string   `json:"base_url"`
	Health    string   `json:"health" enum:"ok,failing,cooldown,unknown"`
	LastError string   `json:"last_error"`
	Calls1h   int64    `json:"calls_1h"`
	Errors1h  int64    `json:"errors_1h"`
	P50       *float64 `json:"p50_ms" nullable:"true"`
}

func (s *Surface) models() {
	register(s, op{method: http.MethodGet, path: "/models", id: "listModels", doc: "Model names, deployments and their health"}, s.listModels)
}

func (s *Surface) listModels(ctx context.Context, _ *none) (*body[ModelList], error) {
	recent, err := s.lastHour(ctx)
	if err != nil {
		return nil, err
	}
	out, at := ModelList{Items: []ModelInfo{}}, map[string]int{}
	for _, d := range s.Models.Deployments() {
		i, ok := at[d.Group]
		if !ok {
			i = len(out.Items)
			at[d.Group] = i
			out.Items = append(out.Items, modelInfo(d))
		}
		out.Items[i].Deployments = append(out.Items[i].Deployments, s.deploymentInfo(d, recent, edge.Who(ctx).IsAdmin()))
	}
	slices.SortStableFunc(out.Items, func(a, b ModelInfo) int { return cmp.Compare(a.Name, b.Name) })
	return reply(out)
}

// lastHour is figures by deployment.
func (s *Surface) lastHour(ctx context.Context) (map[string]query.Figures, error) {
	now := s.Now().UTC()
	a := query.Aggregate{
		Query:   query.Query{Project: edge.Who(ctx).Project, From: now.Add(-time.Hour), To: now},
		GroupBy: query.FieldNamed("deployment"), Limit: 500,
	}
	got, _, err := s.Query.Aggregate(ctx, a)
	out := make(map[string]query.Figures, len(got.Series))
	for _, x := range got.Series {
		if !x.Other {
			out[x.Group] = x.Totals
		}
	}
	return out, err
}

func modelInfo(d *gateway.Deployment) ModelInfo {
	a := d.Model.Abilities
	return ModelInfo{
		Name: d.Group, Pattern: isPattern(d.Group), Deployments: []DeploymentInfo{}, MaxInput: d.Model.MaxInput, MaxOutput: d.Model.MaxOutput,
		Abilities: Abilities{Tools: a.Tools, Vision: a.Vision, PDF: a.PDF, Audio: a.Audio, Schema: a.Schema, Reasoning: a.Reasoning, Caching: a.Caching},
		Prices:    pricesOf(d.Model.Prices), Origin: string(d.Origin),
	}
}

func pricesOf(p catalog.Prices) *Prices {
	if !p.Priced() {
		return nil
	}
	const million = 1_000_000
	return &Prices{
		Input: p.Input.Of(million).USD(), Output: p.Output.Of(million).USD(), CacheRead: p.CacheRead.Of(million).USD(),
		CacheWrite: p.CacheWrite.Of(million).USD(), CacheWrite1h: p.CacheWrite1h.Of(million).USD(), Book: p.Book,
	}
}

// deploymentInfo tells administrators where a deployment is, and everyone how it does.
func (s *Surface) deploymentInfo(d *gateway.Deployment, recent map[string]query.Figures, admin bool) DeploymentInfo {
	h, f := s.Models.Health(d), recent[d.ID]
	info := DeploymentInfo{
		ID: d.ID, Provider: d.Target.Provider, Model: d.Target.Model, Region: d.Target.AWS.Region, Health: h.State, LastError: h.LastError,
		Calls1h: f.Calls, Errors1h: f.Errors, P50: millisOf(f.P50),
	}
	if admin {
		info.BaseURL = d.Target.BaseURL
	}
	return info
}

func isPattern(group string) bool { return strings.Contains(group, "*") }
