package app

import (
	"context"
	"fmt"
	"log/slog"
)

// service is anything that runs until it is stopped.
type service interface {
	Start(ctx context.Context) error
	Stop()
}

// funcs makes a service of two functions; either may be nil.
type funcs struct {
	start func(ctx context.Context) error
	stop  func()
}

func (f funcs) Start(ctx context.Context) error {
	if f.start == nil {
		return nil
	}
	return f.start(ctx)
}

func (f funcs) Stop() {
	if f.stop != nil {
		f.stop()
	}
}

// services start in the order calls flow and stop in reverse, so that nothing loses what it writes to.
type services struct {
	log     *slog.Logger
	started []named
}

type named struct {
	name string
	service
}

func (s *services) start(ctx context.Context, name string, v service) error {
	if err := v.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	s.started = append(s.started, named{name, v})
	return nil
}

func (s *services) stop() {
	for len(s.started) > 0 {
		last := s.started[len(s.started)-1]
		s.started = s.started[:len(s.started)-1]
		last.Stop()
		s.log.Debug("stopped", "service", last.name)
	}
}
