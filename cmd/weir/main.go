// Command weir is the gateway, the trace store and the web interface in one program.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"weir/internal/app"
)

type cli struct {
	Serve   serveCmd   `cmd:"" help:"Start everything."`
	Doctor  doctorCmd  `cmd:"" help:"Check configuration, providers, stores, ports and disk."`
	Reindex reindexCmd `cmd:"" help:"Throw the columnar index away; it is rebuilt from the spans at the next start."`
	Tail    tailCmd    `cmd:"" help:"Follow what is recorded, a line per span."`
	Replay  replayCmd  `cmd:"" help:"Send a recorded call again and show what differs."`
	Login   loginCmd   `cmd:"" name:"login-url" help:"Print a link that logs an administrator in once."`
	Admin   adminCmd   `cmd:"" help:"Administer users."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	k := kong.Parse(&c, kong.Name("weir"), kong.Description("A gateway to language models and the record of what passed through it, in one program."),
		kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	if err := k.Run(); err != nil {
		var quiet app.Quiet
		if !errors.As(err, &quiet) {
			fmt.Fprintln(os.Stderr, "weir:", err)
		}
		os.Exit(1)
	}
}
