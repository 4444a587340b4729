package budget_test

import (
	"weir/internal/budget"
	"weir/internal/gateway"
)

var _ gateway.Limiter = (*budget.Limiter)(nil)
