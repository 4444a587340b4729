package anthropic

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/gateway"
)

// modelInfo is one model in Anthropic's list.
type modelInfo struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	CreatedAt   string `json:"created_at"`
}

type modelList struct {
	Data    []modelInfo `json:"data"`
	HasMore bool        `json:"has_more"`
	FirstID *string     `json:"first_id"`
	LastID  *string     `json:"last_id"`
}

const (
	defaultLimit = 20
	maxLimit     = 1000
	// unknownDate is what the API itself uses where a release date is not known.
	unknownDate = "1970-01-01T00:00:00Z"
)

func describeModel(name string) modelInfo {
	return modelInfo{Type: "model", ID: name, DisplayName: name, CreatedAt: unknownDate}
}

// names are the models the caller may use.
func (s *Surface) names(r *http.Request) []string {
	who := edge.Who(r.Context())
	var out []string
	for _, d := range s.deps.Gateway.Deployments() {
		for _, name := range s.listed(d) {
			if !slices.Contains(out, name) && who.MayCall(name) == nil {
				out = append(out, name)
			}
		}
	}
	return out
}

func (s *Surface) listed(d *gateway.Deployment) []string {
	switch {
	case !strings.Contains(d.Group, "*"):
		return []string{d.Group}
	case s.deps.Expand != nil:
		return s.deps.Expand(d)
	}
	return nil
}

func (s *Surface) models(w http.ResponseWriter, r *http.Request) error {
	names, more, err := page(s.names(r), r)
	if err != nil {
		return err
	}
	list := modelList{Data: make([]modelInfo, 0, len(names)), HasMore: more}
	for _, n := range names {
		list.Data = append(list.Data, describeModel(n))
	}
	if n := len(names); n > 0 {
		list.FirstID, list.LastID = &names[0], &names[n-1]
	}
	return respondJSON(w, list)
}

// page cuts the list by limit, after_id and before_id.
func page(names []string, r *http.Request) (out []string, more bool, err error) {
	q, limit := r.URL.Query(), defaultLimit
	if v := q.Get("limit"); v != "" {
		if limit, err = strconv.Atoi(v); err != nil || limit < 1 || limit > maxLimit {
			return nil, false, fault.Bad("limit", "limit: Input should be an integer from 1 to %d", maxLimit)
		}
	}
	if i := slices.Index(names, q.Get("before_id")); i >= 0 {
		from := max(0, i-limit)
		return names[from:i], from > 0, nil
	}
	if i := slices.Index(names, q.Get("after_id")); i >= 0 {
		names = names[i+1:]
	}
	return names[:min(limit, len(names))], len(names) > limit, nil
}

func (s *Surface) model(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("model")
	if !slices.Contains(s.names(r), name) {
		return fault.New(fault.NotFound, "model: %s", name)
	}
	return respondJSON(w, describeModel(name))
}
