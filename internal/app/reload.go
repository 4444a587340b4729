package app

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// reloader calls apply when the configuration file's content changes or on SIGHUP. It watches the folder, not the
// file: editors and Kubernetes replace files by renaming.
type reloader struct {
	path  string
	apply func(ctx context.Context) error
	log   *slog.Logger

	cancel context.CancelFunc
	wg     sync.WaitGroup
	sum    [sha256.Size]byte
}

// settle is how long after a change the file is read: editors write in several steps.
const settle = 150 * time.Millisecond

// Start begins to watch. Without a path only SIGHUP counts.
func (r *reloader) Start(ctx context.Context) error {
	ctx, r.cancel = context.WithCancel(ctx)
	r.sum, _ = r.hash()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	var events chan fsnotify.Event
	var watcher *fsnotify.Watcher
	if r.path != "" {
		w, err := fsnotify.NewWatcher()
		if err == nil {
			err = w.Add(filepath.Dir(r.path))
		}
		if err != nil {
			r.log.Warn("configuration file is not watched; send SIGHUP to reload it", "error", err)
		} else {
			watcher, events = w, w.Events
		}
	}
	r.wg.Go(func() {
		defer signal.Stop(hup)
		if watcher != nil {
			defer watcher.Close()
		}
		r.loop(ctx, hup, events)
	})
	return nil
}

// Stop ends the watch.
func (r *reloader) Stop() {
	r.cancel()
	r.wg.Wait()
}

func (r *reloader) loop(ctx context.Context, hup <-chan os.Signal, events <-chan fsnotify.Event) {
	quiet := time.NewTimer(time.Hour)
	quiet.Stop()
	armed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			r.runOnce(ctx, true)
		case <-events:
			if !armed { // not pushed back by further events: others may write to the folder all the time
				armed = true
				quiet.Reset(settle)
			}
		case <-quiet.C:
			armed = false
			r.runOnce(ctx, false)
		}
	}
}

// runOnce applies the file if its content differs from the last applied (or refused) one, or when forced.
func (r *reloader) runOnce(ctx context.Context, force bool) {
	sum, err := r.hash()
	if err != nil || sum == r.sum && !force {
		return
	}
	r.sum = sum
	if err := r.apply(ctx); err != nil {
		r.log.Error("new configuration refused, the old one stays in force", "error", err)
		return
	}
	r.log.Info("configuration reloaded", "file", r.path)
}

func (r *reloader) hash() (sum [sha256.Size]byte, err error) {
	if r.path == "" {
		return sum, nil
	}
	data, err := os.ReadFile(r.path)
	if err != nil {
		return sum, err
	}
	return sha256.Sum256(data), nil
}
