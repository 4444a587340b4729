package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"weir/internal/config"
	"weir/internal/gateway"
	"weir/internal/logging"
	"weir/internal/store/pebble"
	"weir/internal/transport"
)

// Doctor checks what a start needs and prints a line for each: ok or failed, and what to do. It returns Quiet if any
// failed.
func Doctor(ctx context.Context, o Options) error {
	d := &doctor{out: o.Out}
	c, warnings, err := o.load()
	d.line("config", o.ConfigFile, err, "correct the file; positions are line:column")
	for _, w := range warnings {
		d.note("config", w.String())
	}
	if err != nil {
		return Quiet{err}
	}
	d.data(&c)
	d.ports(&c)
	d.providers(ctx, &c)
	if c.Server.Local {
		d.note("access", "server.local is on: any program on this machine may call without a credential")
	}
	if d.failed > 0 {
		return Quiet{fmt.Errorf("%d checks failed", d.failed)}
	}
	return nil
}

type doctor struct {
	out    io.Writer
	failed int
}

func (d *doctor) line(what, detail string, err error, todo string) {
	if err == nil {
		fmt.Fprintf(d.out, "ok      %-10s %s\n", what, detail)
		return
	}
	d.failed++
	fmt.Fprintf(d.out, "failed  %-10s %s: %v\n        %-10s → %s\n", what, detail, err, "", todo)
}

func (d *doctor) note(what, text string) { fmt.Fprintf(d.out, "note    %-10s %s\n", what, text) }

func (d *doctor) data(c *config.Config) {
	err := os.MkdirAll(c.Data, 0o700)
	if err == nil {
		probe := filepath.Join(c.Data, ".probe")
		if err = os.WriteFile(probe, []byte("x"), 0o600); err == nil {
			err = os.Remove(probe)
		}
	}
	d.line("data", c.Data, err, "the folder must exist and be writable by this user")
	if err != nil {
		return
	}
	free, total, err := pebble.DiskFree(c.Data)
	if err == nil && free < uint64(c.Recording.MinFreeDisk) {
		err = fmt.Errorf("%d MiB free of %d", free>>20, total>>20)
	}
	d.line("disk", fmt.Sprintf("%d MiB free", free>>20), err, "free some space or lower recording.min_free_disk; below it new calls get 503")
	s, err := openStores(c.Data, nopLog())
	if err == nil {
		err = errors.Join(s.truth.Health(), s.close())
	}
	d.line("stores", "traces, rows", err, "if a server is running on this folder this is expected; stop it to check its stores")
}

func (d *doctor) ports(c *config.Config) {
	for _, a := range c.Server.Listen {
		l, err := net.Listen("tcp", a)
		if err == nil {
			err = l.Close()
		}
		d.line("port", a, err, "another program has the port, or the address is not this machine's; set --listen")
	}
}

// dialLimit bounds each check that goes outside.
const dialLimit = 5 * time.Second

func (d *doctor) providers(ctx context.Context, c *config.Config) {
	if len(c.Models) == 0 {
		d.note("models", "none configured: set OPENAI_API_KEY, ANTHROPIC_API_KEY or AWS credentials, or name models in the configuration")
		return
	}
	client, err := transport.New(outside(c))
	d.line("network", "proxy and certificate authorities", err, "see network.* in the configuration")
	if err != nil {
		return
	}
	p := &providers{factories: factories(), http: client, log: nopLog().For("upstream")}
	for i := range c.Models {
		m := &c.Models[i]
		dep, err := p.deployment(m)
		if err == nil {
			err = checkUpstream(ctx, client, dep)
		}
		d.line("model", m.Name+" → "+m.Provider+"/"+m.Model, err, "check provider, base_url, credentials and proxy of this model")
	}
}

// checkUpstream asks the deployment itself where it can (credentials), and else whether its host answers at all. It
// never makes a model call.
func checkUpstream(ctx context.Context, client *http.Client, dep *gateway.Deployment) error {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	if c, ok := dep.Upstream.(interface{ Check(context.Context) error }); ok {
		if err := c.Check(ctx); err != nil {
			return err
		}
	}
	address := dep.Target.BaseURL
	if e, ok := dep.Upstream.(interface{ Endpoint() string }); ok {
		address = e.Endpoint()
	}
	if address == "" {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func nopLog() *logging.Root { return logging.New(io.Discard, "text") }
