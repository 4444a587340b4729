package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"weir/internal/remote"
)

func (r server) client() *remote.Client {
	return &remote.Client{URL: r.URL, Key: r.Key, Project: r.Project}
}

type tailCmd struct {
	server
	Filter []string `arg:"" optional:"" help:"Filter, e.g. 'status = error and duration > 2s'. Default: everything."`
	JSON   bool     `name:"json" help:"A line of JSON per span."`
	Full   bool     `help:"Inputs, answers and errors below each span."`
}

func (c *tailCmd) Run(ctx context.Context) error {
	return c.client().Follow(ctx, remote.Tail{
		Filter: strings.Join(c.Filter, " "), JSON: c.JSON, Full: c.Full, Out: os.Stdout, Err: os.Stderr, Style: style(),
	})
}

type replayCmd struct {
	server
	Call   string   `arg:"" help:"The call: TRACE, or TRACE/SPAN where the trace has several." placeholder:"TRACE[/SPAN]"`
	Model  string   `help:"Another model." placeholder:"MODEL"`
	Set    []string `help:"A parameter, name=value; repeatable. Without a value it is taken away." placeholder:"NAME=VALUE" sep:"none"`
	System *string  `help:"Another system prompt; empty takes it away." placeholder:"TEXT"`
}

func (c *replayCmd) Run(ctx context.Context) error {
	if c.Call == "" {
		return fmt.Errorf("name the call: TRACE or TRACE/SPAN")
	}
	return c.client().Replay(ctx, remote.Replay{Target: c.Call, Model: c.Model, Set: c.Set, System: c.System, Out: os.Stdout, Style: style()})
}

// style is colour and width where standard output is a terminal.
func style() remote.Style {
	i, err := os.Stdout.Stat()
	if err != nil || i.Mode()&os.ModeCharDevice == 0 {
		return remote.Style{}
	}
	_, plain := os.LookupEnv("NO_COLOR")
	return remote.Style{Colour: !plain && os.Getenv("TERM") != "dumb", Width: terminalWidth(int(os.Stdout.Fd()))}
}
