package main

import (
	"context"
	"fmt"
	"os"

	"weir/internal/app"
)

// settings are the flags that say which installation is meant. Flags win over the environment, which wins over the file.
type settings struct {
	Config string `help:"Configuration file: Weir's YAML or LiteLLM's config.yaml." env:"WEIR_CONFIG" type:"path"`
	Data   string `help:"Folder of all stores. Default: ./weir-data." placeholder:"DIR"`
}

// server are the flags of commands that talk to a running Weir.
type server struct {
	URL     string `name:"url" help:"Where Weir is. Default: http://127.0.0.1:4000." env:"WEIR_URL" placeholder:"URL"`
	Key     string `help:"Credential; a server started with --local needs none from this machine." env:"WEIR_KEY" placeholder:"KEY"`
	Project string `help:"Project, for the master key. Default: the first." placeholder:"ID"`
}

type serveCmd struct {
	settings
	Listen         []string `help:"Address to listen on, host:port; repeatable. Default: 127.0.0.1:4000." placeholder:"ADDR"`
	Role           string   `help:"all; this version has no other role." placeholder:"ROLE"`
	Local          bool     `help:"Callers on this machine need no credential (loopback only)."`
	Demo           bool     `help:"Add a fake upstream and an hour of traffic; implies --local."`
	PublicURL      string   `name:"public-url" help:"URL under which users reach Weir." placeholder:"URL"`
	BasePath       string   `name:"base-path" help:"Path prefix under which everything is served as well." placeholder:"PATH"`
	AllowedHosts   []string `name:"allowed-hosts" help:"Further Host names that browsers may use." placeholder:"NAME"`
	TrustedProxies []string `name:"trusted-proxies" help:"Networks whose X-Forwarded-For is believed." placeholder:"CIDR"`
	MaxBody        string   `name:"max-body" help:"Largest request body, e.g. 32MiB." placeholder:"SIZE"`
	LogLevel       []string `name:"log-level" help:"Level, or component=level; repeatable." placeholder:"LEVEL"`
	LogFormat      string   `name:"log-format" help:"text or json." placeholder:"FORMAT"`
}

func (c *serveCmd) Run(ctx context.Context) error {
	return app.Run(ctx, app.Options{
		ConfigFile: c.Config, Data: c.Data, Listen: c.Listen, Role: c.Role, Local: c.Local, Demo: c.Demo, PublicURL: c.PublicURL, BasePath: c.BasePath,
		AllowedHosts: c.AllowedHosts, TrustedProxies: c.TrustedProxies, MaxBody: c.MaxBody, LogLevels: c.LogLevel, LogFormat: c.LogFormat,
		Env: os.LookupEnv, Out: os.Stdout, Err: os.Stderr,
	})
}

func (s settings) options() app.Options {
	return app.Options{ConfigFile: s.Config, Data: s.Data, Env: os.LookupEnv, Out: os.Stdout, Err: os.Stderr}
}

type doctorCmd struct{ settings }

func (c *doctorCmd) Run(ctx context.Context) error { return app.Doctor(ctx, c.options()) }

type reindexCmd struct{ settings }

func (c *reindexCmd) Run(ctx context.Context) error { return app.Reindex(ctx, c.options()) }

type loginCmd struct {
	settings
	User string `help:"E-mail of the user; default: the first administrator." placeholder:"EMAIL"`
}

func (c *loginCmd) Run(ctx context.Context) error { return app.LoginURL(ctx, c.options(), c.User) }

type adminCmd struct {
	Reset resetCmd `cmd:"" name:"reset-password" help:"Give a user a new password and end their sessions."`
}

type resetCmd struct {
	settings
	User string `arg:"" optional:"" help:"E-mail; default: the first administrator."`
}

func (c *resetCmd) Run(ctx context.Context) error { return app.ResetPassword(ctx, c.options(), c.User) }

type versionCmd struct{}

func (versionCmd) Run() error {
	fmt.Println("weir", app.Version())
	return nil
}
