package openai

import (
	"net/http"
	"slices"
	"strings"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/tenant"
	wire "weir/internal/wire/openai"
)

// created is what every model claims; clients only check that it is a number.
const created = 1700000000

func (s *Surface) models(w http.ResponseWriter, r *http.Request) error {
	list := wire.ModelList{Object: "list", Data: []wire.Model{}}
	seen := map[string]bool{}
	for _, d := range s.deps.Gateway.Deployments() {
		for _, name := range s.names(d) {
			if !seen[name] && visible(edge.Who(r.Context()), name) {
				seen[name] = true
				list.Data = append(list.Data, model(name, d))
			}
		}
	}
	return respond(w, list)
}

func (s *Surface) model(w http.ResponseWriter, r *http.Request) error {
	want := r.PathValue("model")
	for _, d := range s.deps.Gateway.Deployments() {
		if slices.Contains(s.names(d), want) && visible(edge.Who(r.Context()), want) {
			return respond(w, model(want, d))
		}
	}
	return fault.New(fault.ModelNotFound, "The model `%s` does not exist or you do not have access to it.", want)
}

// names are the model names a deployment is listed under.
func (s *Surface) names(d *gateway.Deployment) []string {
	if strings.Contains(d.Group, "*") && s.deps.Expand != nil {
		return s.deps.Expand(d)
	}
	return []string{d.Group}
}

func visible(who *tenant.Identity, name string) bool { return who == nil || who.MayCall(name) == nil }

func model(name string, d *gateway.Deployment) wire.Model {
	return wire.Model{ID: name, Object: "model", Created: created, OwnedBy: d.Target.Provider}
}

func respond(w http.ResponseWriter, v any) error {
	body, err := jsonx.Marshal(v)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "answer could not be encoded")
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(body)
	return err
}
