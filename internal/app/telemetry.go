package app

import (
	"context"

	"weir/internal/config"
	"weir/internal/selftrace"
)

// openTelemetry starts spans of Weir's own, where they are wanted.
func (a *App) openTelemetry(ctx context.Context, c *config.Config) error {
	t := c.Telemetry
	if t.Endpoint == "" {
		return nil
	}
	var err error
	a.tracer, err = selftrace.New(ctx, selftrace.Options{
		Endpoint: t.Endpoint, Headers: t.Headers, Ratio: t.SampleRatio, Service: t.Service, Version: Version(), Log: a.log.For("app"),
	})
	if err != nil {
		return err
	}
	return a.services.start(ctx, "telemetry", funcs{stop: a.tracer.Stop})
}
