package gateway

import (
	"time"

	"weir/internal/catalog"
	"weir/internal/tenant"
)

// Deployment is one model at one provider, as configured. It is immutable; a reload makes new ones. ID is stable over
// reloads that do not change it, so that health and statistics carry over.
type Deployment struct {
	ID       string
	Group    string // the model name clients use; may be a pattern such as "*" or "bedrock/*"
	Target   Target
	Model    catalog.Model
	Upstream Upstream
	Weight   float64 // share among the deployments of a group; 0 = 1
	Timeout  time.Duration
	Drop     bool  // drop_params
	Cache    *bool // inject cache points when the client sent none; nil = yes for models that can cache
	Origin   tenant.Origin
	Info     map[string]any // model_info as configured, shown by /model/info
}
