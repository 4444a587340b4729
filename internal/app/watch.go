package app

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"weir/internal/alert"
	"weir/internal/config"
	"weir/internal/export"
	"weir/internal/fault"
	"weir/internal/notify"
	"weir/internal/store/file"
	"weir/internal/store/s3"
	"weir/internal/transport"
	"weir/internal/view"
)

// watching is what looks at recorded spans by itself: alerts and scheduled exports.
type watching struct {
	views   view.Book
	alerts  *alert.Watcher
	exports *export.Runner
}

// exportsDir holds files in the making, below the data folder.
const exportsDir = "exports"

func (a *App) openWatching(ctx context.Context, c *config.Config) error {
	client, err := guardedClient(c)
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	roots, err := outside(c).Roots()
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	dir := filepath.Join(c.Data, exportsDir)
	if err := os.RemoveAll(dir); err != nil { // what a crash left half-made
		return fmt.Errorf("export: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	a.watching = watching{
		views: view.Book{Store: a.stores.rows, Now: time.Now},
		alerts: alert.New(alert.Options{
			Store: a.stores.rows, Figures: a.query.Engine, Sender: notify.New(client, mailOf(c, roots)), Sealer: a.sealer, Base: baseURL(c),
			Log: a.log.For("alerts"), Now: time.Now,
		}),
		exports: export.New(export.Options{
			Store: a.stores.rows, Source: a.query.Engine, Bodies: a.query.bodies, Sealer: a.sealer, Open: openTarget(c, client), Dir: dir,
			Log: a.log.For("exports"), Now: time.Now,
		}),
	}
	for _, s := range []named{
		{"watched connections", funcs{stop: client.CloseIdleConnections}}, {"alerts", a.watching.alerts}, {"exports", a.watching.exports},
	} {
		if err := a.services.start(ctx, s.name, s.service); err != nil {
			return err
		}
	}
	return nil
}

// guardedClient reaches URLs that users supply.
func guardedClient(c *config.Config) (*http.Client, error) {
	var allowed []netip.Prefix
	for _, p := range c.Network.PrivateTargets {
		if n, err := config.ParsePrefix(p); err == nil { // validated
			allowed = append(allowed, n)
		}
	}
	return transport.Guarded(outside(c), allowed)
}

func mailOf(c *config.Config, roots *x509.CertPool) notify.Mail {
	e := c.Email
	return notify.Mail{Host: e.Host, Port: e.Port, Username: e.Username, Password: e.Password.Reveal(), From: e.From, TLS: e.TLS, Roots: roots}
}

func openTarget(c *config.Config, client *http.Client) func(context.Context, export.Target) (export.Sink, error) {
	return func(_ context.Context, t export.Target) (export.Sink, error) {
		switch t.Kind {
		case export.Disk:
			return file.Open(c.Export.Folders, t.Path)
		case export.S3:
			return s3.Open(client, t)
		}
		return nil, fault.Bad("target.kind", "there are no targets of kind %q", string(t.Kind))
	}
}

func (a *App) watchMetrics(gauge, counter register) {
	alerts := func(of func(alert.Stats) int64) func() float64 {
		return func() float64 { return float64(of(a.watching.alerts.Stats())) }
	}
	exports := func(of func(export.Stats) int64) func() float64 {
		return func() float64 { return float64(of(a.watching.exports.Stats())) }
	}
	counter("weir_alert_evaluations_total", "Evaluations of alerts.", alerts(func(s alert.Stats) int64 { return s.Evaluated }))
	counter("weir_alert_blind_evaluations_total", "Those among them whose figure could not be had.", alerts(func(s alert.Stats) int64 { return s.Blind }))
	counter("weir_alert_failed_evaluations_total", "Evaluations of alerts that failed and are repeated.", alerts(func(s alert.Stats) int64 { return s.Failed }))
	counter("weir_alert_delivered_total", "Notifications that reached their channel.", alerts(func(s alert.Stats) int64 { return s.Delivered }))
	counter("weir_alert_undelivered_total", "Notifications that did not, after all tries.", alerts(func(s alert.Stats) int64 { return s.Undelivered }))
	gauge("weir_export_running", "Scheduled exports under way.", exports(func(s export.Stats) int64 { return s.Running }))
	counter("weir_export_runs_total", "Runs of scheduled exports.", exports(func(s export.Stats) int64 { return s.Runs }))
	counter("weir_export_failed_runs_total", "Those among them that failed.", exports(func(s export.Stats) int64 { return s.Failed }))
	counter("weir_export_files_total", "Files written by them.", exports(func(s export.Stats) int64 { return s.Files }))
	counter("weir_export_rows_total", "Spans in these files.", exports(func(s export.Stats) int64 { return s.Rows }))
	counter("weir_export_bytes_total", "Size of these files.", exports(func(s export.Stats) int64 { return s.Bytes }))
}
