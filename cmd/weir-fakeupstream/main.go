// Command weir-fakeupstream serves the strict stand-in for model providers: OpenAI, Anthropic and Bedrock on one port.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"weir/internal/fakeupstream"
)

type flags struct {
	Listen     string        `help:"Address to listen on; port 0 takes any free one." default:"127.0.0.1:0"`
	Latency    time.Duration `help:"Wait before every answer."`
	ChunkDelay time.Duration `help:"Wait between stream events."`
	Faults     []string      `help:"Fault as 'status=429 times=2'; repeatable." sep:"none" placeholder:"FAULT"`
	Key        []string      `help:"Accepted API key; repeatable. Without it any key is." placeholder:"KEY"`
	AWS        []string      `name:"aws" help:"Accepted AWS credential as ID:SECRET[:TOKEN]; repeatable. Without it the example pair of the AWS documentation." placeholder:"CREDENTIAL"`
	Region     string        `help:"Region a signature must be scoped to."`
	AnyModel   bool          `help:"Serve unknown model ids."`
	MinCache   int           `help:"Shortest cacheable prefix in tokens." default:"1024"`
	Fast       bool          `help:"Answer with precomputed bytes: no validation, journal or statistics."`
	FastBytes  int           `help:"Length of the fast answer's text." default:"1024"`
	FastChunks int           `help:"Text events of the fast stream." default:"200"`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("weir-fakeupstream"), kong.Description("A strict stand-in for model providers."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, f); err != nil {
		fmt.Fprintln(os.Stderr, "weir-fakeupstream:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. Its first line on stdout is {"url": …}.
func run(ctx context.Context, f flags) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	s := fakeupstream.New(o)
	url, err := s.Start(f.Listen)
	if err != nil {
		return err
	}
	defer s.Stop()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"url": url}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (f flags) options() (fakeupstream.Options, error) {
	o := fakeupstream.Options{
		Latency: f.Latency, ChunkDelay: f.ChunkDelay, Keys: f.Key, Region: f.Region, AnyModel: f.AnyModel, MinCacheTokens: f.MinCache,
		Fast: f.Fast, FastBytes: f.FastBytes, FastChunks: f.FastChunks,
	}
	for _, t := range f.Faults {
		x, err := fakeupstream.ParseFault(t)
		if err != nil {
			return o, err
		}
		o.Faults = append(o.Faults, x)
	}
	for _, t := range f.AWS {
		c, err := fakeupstream.ParseCredential(t)
		if err != nil {
			return o, err
		}
		o.AWS = append(o.AWS, c)
	}
	return o, nil
}
