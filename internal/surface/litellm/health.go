package litellm

import (
	"net/http"

	"weir/internal/auth"
	"weir/internal/gateway"
)

func alive(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, "I'm alive!")
}

type readinessBody struct {
	Status           string   `json:"status"`
	DB               string   `json:"db"`
	Cache            *string  `json:"cache"`
	LitellmVersion   string   `json:"litellm_version"`
	SuccessCallbacks []string `json:"success_callbacks"`
	Ready            bool     `json:"ready"`
	Degraded         bool     `json:"degraded"`
	Checks           []Check  `json:"checks"`
}

// readiness tells no details to strangers but names and outcomes of checks.
func (s *Surface) readiness(w http.ResponseWriter, r *http.Request) error {
	x := s.Ready(r.Context())
	out := readinessBody{
		Status: "connected", DB: "connected", LitellmVersion: s.Version, SuccessCallbacks: []string{}, Ready: x.Ready, Degraded: x.Degraded, Checks: []Check{},
	}
	for _, c := range x.Checks {
		out.Checks = append(out.Checks, Check{Name: c.Name, OK: c.OK})
	}
	if !x.Ready {
		out.Status, out.DB = "Not connected", "Not connected"
		return writeJSON(w, http.StatusServiceUnavailable, out)
	}
	return writeJSON(w, http.StatusOK, out)
}

// health is shared by two dialects: MLflow clients ask without a key and expect plain OK.
func (s *Surface) health(w http.ResponseWriter, r *http.Request) error {
	if !auth.Presents(r) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, err := w.Write([]byte("OK"))
		return err
	}
	who, err := s.Auth.Authenticate(r)
	if err != nil {
		return err
	}
	healthy, unhealthy := []map[string]any{}, []map[string]any{}
	for _, d := range s.Models.Deployments() {
		if who.MayCall(d.Group) != nil {
			continue
		}
		h := s.Models.Health(d)
		e := endpoint(d, h)
		if h.State == "failing" || h.State == "cooldown" {
			e["error"] = h.LastError
			unhealthy = append(unhealthy, e)
		} else {
			healthy = append(healthy, e)
		}
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"healthy_endpoints": healthy, "unhealthy_endpoints": unhealthy, "healthy_count": len(healthy), "unhealthy_count": len(unhealthy),
	})
}

func endpoint(d *gateway.Deployment, h gateway.HealthState) map[string]any {
	e := map[string]any{"model": d.QualifiedModel(), "model_name": d.Group, "model_id": d.ID, "state": h.State}
	if base := publicURL(d.Target.BaseURL); base != "" {
		e["api_base"] = base
	}
	return e
}
