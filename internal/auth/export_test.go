package auth

import "context"

// RunOnce is one step of the loop that Start runs.
func (s *Service) RunOnce(ctx context.Context) error { return s.runOnce(ctx, true) }
